"""What a page says: the plan to be read, its progress, its outcome, and the plain refusals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from attendance_mcp.digest.facts import counted
from attendance_mcp.school.clock import spoken
from attendance_mcp.window.markup import Html, document, element, join, typed
from attendance_mcp.window.ports import ENDED, PlanView, State, ViewRow

_ROWS_OPEN = 50  # a longer plan is folded into parts of about so many rows
_STATES: dict[State, str] = {
    "waiting": "Waits for you",
    "applying": "Being carried out",
    "settled": "Carried out",
    "stale": "Not carried out",
    "discarded": "Discarded",
    "expired": "Expired",
}
_ENDS: dict[State, str] = {
    "stale": "A record has changed in the school's system since this plan was made. Nothing was written. Ask the "
    "assistant to plan it again.",
    "discarded": "This plan was discarded. Nothing was written.",
    "expired": "Nobody agreed to this plan in time. Nothing was written. Ask the assistant to plan it again.",
}
_ADVICE = {
    "refused": "Refused: the school's system did not accept it.",
    "unknown": "Unknown: no answer could be relied on. Read these records before anything is sent again.",
    "not sent": "Not sent: plan these again to go on.",
}
_OUTCOMES = ("done", *_ADVICE)


@dataclass(frozen=True, slots=True)
class Site:
    """Where a page stands: what is before the addresses of its files, and who serves it."""

    assets: str
    served_by: str


WINDOW = Site("", "This page is served by your own computer, to this browser only.")


def plan(view: PlanView, *, path: str, ticket: str, site: Site = WINDOW) -> str:
    """The page of a plan. `ticket` goes into its forms, which post to `path`."""
    state = _STATES[view.state]
    main = element(
        "main",
        *_opening(view, state),
        *(_warnings(view) if view.state not in ENDED else ()),
        *_changes(view),
        *(_warnings(view) if view.state in ENDED else ()),  # what has become of it is the news then
        *_decision(view, path=path, ticket=ticket),
        id="plan",
        data_state=view.state,
    )
    # Where scripts run, window.js looks for the outcome; a page that reloads itself loses the reader's place.
    again = element("meta", http_equiv="refresh", content="2") if view.state == "applying" else ""
    # The title stands in the browser's history, so it names nobody.
    header = _header(school=view.school, demo=view.demo)
    head = element("noscript", again) if again else ""
    return _document(f"{state}: plan of changes", header, main, head=head, site=site)


def waiting(plans: Sequence[tuple[str, PlanView]], *, site: Site, missing: Sequence[str] = ()) -> str:
    """The plans that wait for one person, each with the address of its page; `missing` says which can't be shown."""
    lines = [
        element("li", element("a", typed(view.summary), href=address), " ", element("span", _where(view)))
        for address, view in plans
    ]
    heading = f"{counted(len(plans), 'plan')} of yours" if plans else "No plan of yours waits"
    text = "Open each one, read it, and decide." if plans else "Ask the assistant to plan the changes again."
    listed = element("ul", *lines, role="list") if lines else ""
    told = [element("p", typed(line), class_="message") for line in missing]
    main = element("main", element("h1", heading), *told, element("p", text, class_="lead"), listed)
    return _document("Plans that wait", _header(demo=False), main, site=site)


def _where(view: PlanView) -> Html:
    return join(_STATES[view.state], " · ", typed(view.school)) if view.school else join(_STATES[view.state])


def page(title: str, main: Html, *, demo: bool, head: str = "", served: bool = True) -> str:
    """A page of another kind, in the window's own frame; one that isn't `served` is a file and asks for no other."""
    return _document(title, _header(demo=demo), main, head=head, site=WINDOW if served else None)


def notice(heading: str, text: str, *, site: Site = WINDOW) -> str:
    """A page without a plan."""
    main = element("main", element("h1", heading), element("p", text, class_="lead"))
    return _document(heading, _header(demo=False), main, site=site)


def going_on(path: str) -> str:
    """The page that the one-time address answers with: it leads to the plan's own, and leaves the address behind."""
    main = element("main", element("h1", "Opening the page"), element("p", element("a", "Go on", href=path)))
    refresh = element("meta", http_equiv="refresh", content=f"0;url={path}")
    return _document("Opening the page", _header(demo=False), main, head=refresh)


def _document(title: str, header: Html, main: Html, *, head: str = "", site: Site | None = WINDOW) -> str:
    own, below = "", tuple[Html, ...]()
    if site is not None:
        script = element("script", src=f"{site.assets}/window.js", defer=True)
        own = join(element("link", rel="stylesheet", href=f"{site.assets}/window.css"), script)
        # Stands outside of what window.js exchanges: a live region that is new is not read out.
        live = element("p", role="status", id="told", class_="hidden")
        below = (element("footer", element("p", site.served_by)), live)
    return document(
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} · Attendance"),
        own,
        head,
        body=element("body", header, main, *below),
    )


def _header(*, school: str = "", demo: bool) -> Html:
    whose = join("Attendance", " · ", typed(school)) if school else "Attendance"
    invented = element("p", "Demonstration: the school and its people are invented.", class_="demo") if demo else ""
    return element("header", element("p", whose, class_="whose"), invented)


def _opening(view: PlanView, state: str) -> Iterable[Html]:
    yield element("p", state, class_="state")
    yield element("h1", typed(view.summary))
    if view.message:
        yield element("p", typed(view.message), class_="message")
    if view.state == "waiting":
        moment = f"{view.expires:%H:%M} on {spoken(view.expires.date())}"
        until = element("time", moment, datetime=view.expires.isoformat(timespec="minutes"))
        yield element("p", "Nothing is written yet. Read the changes, then decide. The plan waits until ", until, ".")
        yield element("p", element("a", "Go to your decision", href="#decision"), class_="skip")
    elif view.state == "applying":
        yield from _progress(view)
    else:
        yield element("p", _end(view), class_="lead", id="end")
        yield from (element("p", _ADVICE[outcome]) for outcome in _tally(view) if outcome in _ADVICE)


def _progress(view: PlanView) -> Iterable[Html]:
    told = sum(_tally(view).values())
    number = len(view.rows)
    yield element("p", f"{told} of {counted(number, 'change')} carried out so far.", class_="lead", id="end")
    yield element("progress", aria_label="Changes carried out", max=str(number), value=str(told))


def _tally(view: PlanView) -> dict[str, int]:
    found = Counter(row.outcome for row in view.rows)
    return {outcome: found[outcome] for outcome in _OUTCOMES if found[outcome]}


def _end(view: PlanView) -> str:
    if view.state in _ENDS:
        return _ENDS[view.state]
    tally = _tally(view)
    told = ", ".join(f"{number} {outcome}" for outcome, number in tally.items())
    unsent = " Nothing was written." if set(tally) == {"not sent"} else ""
    return f"{told[:1].upper()}{told[1:]}.{unsent}" if told else "The plan is settled."


def _warnings(view: PlanView) -> Iterable[Html]:
    if not view.warnings:
        return
    heading = "Before you decide" if view.state == "waiting" else "Warnings of the plan"
    told = [element("li", typed(warning)) for warning in view.warnings]
    yield element(
        "section",
        element("h2", heading, id="warnings"),
        element("ul", *told),
        class_="warnings",
        aria_labelledby="warnings",
    )


def _changes(view: PlanView) -> Iterable[Html]:
    if view.state != "settled":
        yield _section(view.rows, counted(len(view.rows), "change"), id="changes", already=view.already_so)
        return
    # What needs to be looked at comes first.
    undone = tuple(row for row in view.rows if row.outcome != "done")
    done = tuple(row for row in view.rows if row.outcome == "done")
    if undone:
        yield _section(undone, f"{counted(len(undone), 'change')} not done", id="undone")
    if done:
        yield _section(done, f"{counted(len(done), 'change')} done", id="done", already=view.already_so)


def _section(rows: Sequence[ViewRow], heading: str, *, id: str, already: int = 0) -> Html:
    note = element("p", f"Left out: {counted(already, 'record')} already so.") if already else ""
    return element("section", element("h2", heading, id=id), note, *_parts(rows), aria_labelledby=id)


def _parts(rows: Sequence[ViewRow]) -> Iterable[Html]:
    """The changes by student; in a long plan folded, so that its decision stays in reach."""
    by_student = [list(theirs) for _, theirs in groupby(_together(rows), key=lambda row: row.student)]
    if len(rows) <= _ROWS_OPEN:
        yield _students(by_student)
        return
    for part in _folds(by_student):
        first, last = part[0][0].student, part[-1][0].student
        number = counted(sum(map(len, part)), "change")
        names = join(typed(first), " to ", typed(last)) if first != last else typed(first)
        yield element("details", element("summary", names, element("span", f" ({number})")), _students(part))


def _together(rows: Sequence[ViewRow]) -> list[ViewRow]:
    """Each student's changes side by side, students in the order of their first."""
    place = {student: number for number, student in enumerate(dict.fromkeys(row.student for row in rows))}
    return sorted(rows, key=lambda row: place[row.student])


def _folds(by_student: Sequence[list[ViewRow]]) -> Iterable[list[list[ViewRow]]]:
    part: list[list[ViewRow]] = []
    for theirs in by_student:
        if part and sum(map(len, part)) + len(theirs) > _ROWS_OPEN:
            yield part
            part = []
        part.append(theirs)
    yield part


def _students(by_student: Iterable[list[ViewRow]]) -> Html:
    # The role is stated since Safari takes it from a list that shows no bullets.
    told = [
        element(
            "li",
            element("h3", typed(theirs[0].student)),
            element("ul", *(_row(row) for row in theirs), role="list"),
        )
        for theirs in by_student
    ]
    return element("ul", *told, role="list", class_="students")


def _row(row: ViewRow) -> Html:
    change = element(
        "span",
        element("span", "from ", class_="hidden"),
        element("span", typed(row.was), class_="was"),
        element("span", " → ", aria_hidden="true"),
        element("span", " to ", class_="hidden"),
        element("strong", typed(row.becomes)),
        class_="change",
    )
    parts = [element("span", typed(row.record), class_="record"), change]
    if row.outcome:
        word = row.outcome if row.outcome in _OUTCOMES else "under way"
        parts.append(element("b", word, class_=f"outcome {word.replace(' ', '-')}"))
    if row.reason:
        parts.append(element("span", typed(row.reason), class_="reason"))
    spaced = [piece for part in parts for piece in (part, " ")]
    return element("li", *spaced)


def _decision(view: PlanView, *, path: str, ticket: str) -> Iterable[Html]:
    if view.state == "applying":
        return
    if view.state in ENDED:
        undo = ""
        if view.can_undo:
            why = "Undo makes a plan of the way back, for you to read first."
            undo = join(element("p", why), button("Undo", f"{path}/undo", {"ticket": ticket}, class_="plain"))
        close = element("p", "You may close this page.")
        yield element("section", element("h2", "What now", id="decision"), undo, close, aria_labelledby="decision")
        return
    apply = button(f"Apply {counted(len(view.rows), 'change')}", f"{path}/agree", {"ticket": ticket}, class_="apply")
    discard = button("Discard", f"{path}/discard", {"ticket": ticket}, class_="plain")
    yield element(
        "section",
        element("h2", "Your decision", id="decision"),
        element("p", "Apply writes these changes to the school's system at once. Discard ends the plan."),
        element("div", apply, discard, class_="buttons"),
        aria_labelledby="decision",
    )


def button(text: str, to: str, fields: Mapping[str, str], *, class_: str, about: str = "") -> Html:
    """A form of one button; `about` tells a screen reader which of several alike it is."""
    hidden = [element("input", type="hidden", name=name, value=value) for name, value in fields.items()]
    more = join(" ", element("span", typed(about), class_="hidden")) if about else ""
    pressed = element("button", text, more, type="submit", class_=class_)
    return element("form", *hidden, pressed, method="post", action=to)
