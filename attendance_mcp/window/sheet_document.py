"""What a sheet's page says: a register, a student's term as a calendar, a group's term ranked, the journal."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Iterable, Sequence
from datetime import date
from importlib.resources import files
from itertools import groupby

from attendance_mcp.changes.journal import Journal, JournalEntry
from attendance_mcp.digest.facts import counted
from attendance_mcp.digest.sheets import (
    UNMARKED,
    AbsenceSheet,
    Chip,
    GroupTerm,
    RegisterRow,
    RegisterSheet,
    StudentTerm,
    marked_of,
)
from attendance_mcp.outside import one_line
from attendance_mcp.school.clock import spoken
from attendance_mcp.status import Kind
from attendance_mcp.window.document import button, page
from attendance_mcp.window.markup import Html, element, join, typed
from attendance_mcp.window.ports import SheetContent
from attendance_mcp.window.table import EXCUSAL

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October"),
    *("November", "December"),
)
_NO_ROLL_CALL = "This roll says what was marked when it was read. It is no evacuation register."


def sheet(content: SheetContent, *, path: str, ticket: str, demo: bool) -> str:
    """The page of a sheet; `ticket` goes into its forms, which post below `path`."""
    title, main = _main(content, path=path, ticket=ticket)
    head = join(
        element("link", rel="stylesheet", href=f"{path}/colors.css"),
        element("script", src="/sheet.js", defer=True),
    )
    return page(title, main, demo=demo, head=head)  # the title stands in the browser's history, so it names nobody


def standing_alone(content: SheetContent, *, demo: bool) -> str:
    """The sheet as one file that needs nothing else: to be printed, or kept where the school keeps such lists."""
    title, main = _main(content, path="", ticket="")
    style = element("style", Html(files("attendance_mcp.window").joinpath("window.css").read_text("utf-8")))
    head = join(style, element("style", Html(colors(content))))
    return page(title, main, demo=demo, head=head, served=False)


def _main(content: SheetContent, *, path: str, ticket: str) -> tuple[str, Html]:
    match content:
        case RegisterSheet():
            title, parts = "Register", _register(content, path)
        case AbsenceSheet():
            title, parts = "Absences", _absences(content)
        case StudentTerm():
            title, parts = "Term of a student", _student(content, path)
        case GroupTerm():
            title, parts = "Term of a group", _ranking(content, path)
        case Journal():  # pragma: no branch  there is no other sheet
            title, parts = "Changes", _journal(content, path, ticket)
    return title, element("main", *parts, class_="wide", id="sheet")


def colors(content: SheetContent) -> str:
    """The style sheet of the school's own colours; each was found to be `#rrggbb`."""
    chips: Iterable[Chip] = ()
    if isinstance(content, RegisterSheet | AbsenceSheet):
        chips = (chip for row in content.rows for chip in row.chips())
    elif isinstance(content, StudentTerm):
        chips = content.days.values()
    found = sorted({chip.color for chip in chips if chip.color})
    return "\n".join(f".{_color_class(color)} {{ --chip: {color} }}" for color in found)


# --- a register -------------------------------------------------------------------------------------------------------


def _register(sheet: RegisterSheet, path: str) -> Iterable[Html]:
    yield element("h1", "Register of ", typed(sheet.of), ", ", _day(sheet.day))
    kinds = ", ".join(f"{kind} {number}" for kind, number in sheet.kinds.items())
    told = (
        f"{counted(len(sheet.rows), 'student')}, as of {sheet.as_of}{f'; with such a mark: {kinds}' if kinds else ''}."
    )
    yield element("p", told, class_="lead")
    yield from (element("p", typed(line)) for line in sheet.remarks)
    if not sheet.rows:
        return
    if path:
        yield _filters(sheet)
        yield _save(path)
    untaken = {key for key, rows in sheet.registers.items() if (marked := marked_of(rows)) and not marked[0]}
    if untaken:
        names = [element("li", _whose(*key)) for key in sheet.registers if key in untaken]
        yield element("section", element("h2", "Not taken"), element("ul", *names), class_="warnings")
    for key, rows in sheet.registers.items():
        yield _one_register(key, rows, sheet.periods)
    yield element("p", _NO_ROLL_CALL, class_="record")


def _whose(group: str, register: str) -> Html:
    return join(typed(group), f", homeroom of {register}") if register else typed(group)


def _filters(sheet: RegisterSheet) -> Html:
    """Works where scripts run; elsewhere it stays hidden."""
    kinds = [element("option", f"{kind} ({number})", value=kind) for kind, number in sheet.kinds.items()]
    columns = [element("option", f"period {period}", value=f"p{period}") for period in sheet.periods]
    choose = element("select", element("option", "every kind", value=""), *kinds, id="kind")
    anywhere = element("option", "homeroom and periods", value="")
    where = element("select", anywhere, element("option", "homeroom", value="h"), *columns, id="column")
    name = element("input", type="search", id="name", autocomplete="off")
    return element(
        "form",
        element("label", "Marked ", choose),
        element("label", "in ", where),
        element("label", "Name ", name),
        element("p", role="status", id="shown"),
        class_="filters",
        id="filters",
        hidden=True,
    )


def _one_register(key: tuple[str, str], rows: Sequence[RegisterRow], periods: Sequence[int]) -> Html:
    marked = marked_of(rows)
    taken = "keeps no homeroom" if marked is None else f"{marked[0]} of {marked[1]} marked"
    heads = ["Student", *(["Homeroom"] if marked else []), *(f"P{period}" for period in periods), "Excusal"]
    head = element("tr", *(element("th", text, scope="col") for text in heads), element("th", "Here", class_="paper"))
    body = [_register_row(row, periods, homeroom=marked is not None) for row in rows]
    title = join(_whose(*key), ": ", element("span", taken))
    table = element("table", element("thead", head), element("tbody", *body))
    label = " ".join(filter(None, ("Register of", *key)))
    return element("section", element("h2", title), _scrolling(table, label), class_="one-register")


def _register_row(row: RegisterRow, periods: Sequence[int], *, homeroom: bool) -> Html:
    cells = [element("th", typed(row.student), scope="row")]
    if homeroom:
        cells.append(_cell((row.homeroom,) if row.homeroom else (), "h"))
    cells += [_cell(row.periods.get(period, ()), f"p{period}") for period in periods]
    excusal = {True: element("span", "excusal", class_="excusal"), None: "not known"}.get(row.excusal, "")
    cells += [element("td", excusal), element("td", class_="paper")]
    return element("tr", *cells)


def _cell(chips: Sequence[Chip], column: str) -> Html:
    kinds = " ".join(str(chip.kind).replace(" ", "-") for chip in chips)
    return element("td", *(_chip(chip) for chip in chips), data_column=column, data_kinds=kinds)


def _absences(sheet: AbsenceSheet) -> Iterable[Html]:
    yield element("h1", "Away, late or out: ", typed(sheet.of), ", ", _day(sheet.day))
    yield element("p", f"{counted(len(sheet.rows), 'student')}, as of {sheet.as_of}.", class_="lead")
    yield from (element("p", typed(line)) for line in sheet.remarks)
    heads = ["Student", "Year group", "Homeroom of", "Mark", "Excusal"]
    body = [
        element(
            "tr",
            element("th", typed(row.student), scope="row"),
            element("td", typed(row.group)),
            element("td", typed(row.register)),
            element("td", *(_chip(chip) for chip in row.chips())),
            element("td", EXCUSAL[row.excusal]),
        )
        for row in sheet.rows
    ]
    if body:
        yield _scrolling(_table(heads, body), "Away, late or out")


# --- terms ------------------------------------------------------------------------------------------------------------


def _student(sheet: StudentTerm, path: str) -> Iterable[Html]:
    # Which days were not taken is what the calendar below shows.
    days = {label: dates for label, dates in sheet.facts.days.items() if label != UNMARKED.text}
    facts = sheet.facts.model_copy(update={"days": days})
    yield element("h1", typed(facts.student), ", ", typed(facts.group))
    yield element("p", typed(facts.span), class_="lead")
    yield from (element("p", typed(line)) for line in list(facts.lines())[1:])
    if not sheet.days:
        return
    yield _save(path)
    months = groupby(sheet.days, key=lambda day: (day.year, day.month))
    calendars = [_month(year, month, sheet) for (year, month), _ in months]
    yield element("section", element("h2", "Day by day"), element("div", *calendars, class_="months"))


def _month(year: int, month: int, sheet: StudentTerm) -> Html:
    head = element("tr", *(element("th", name, scope="col") for name in _WEEKDAYS))
    weeks = [
        element("tr", *(_calendar_day(day, sheet.days.get(day), month) for day in week))
        for week in Calendar().monthdatescalendar(year, month)
    ]
    caption = element("caption", f"{_MONTHS[month - 1]} {year}")
    return element("table", caption, element("thead", head), element("tbody", *weeks), class_="month")


def _calendar_day(day: date, chip: Chip | None, month: int) -> Html:
    if day.month != month:
        return element("td")
    number = element("span", str(day.day), class_="number")
    if chip is None:
        return element("td", number, class_="no-school")
    return element("td", number, " ", _chip(chip), class_=_kind_class(chip.kind))


def _ranking(sheet: GroupTerm, path: str) -> Iterable[Html]:
    yield element("h1", typed(sheet.of), ", term")
    yield element("p", typed(sheet.span), ". The lowest rate first.", class_="lead")
    yield from (element("p", typed(line)) for line in (*sheet.rules, *sheet.remarks))
    if not sheet.rows:
        return
    if path:
        yield _save(path)
    by_class = any(row.class_name for row in sheet.rows)
    heads = ["Student", "Year group", *(["Class"] if by_class else []), "Rate", "Away", f"Of {sheet.unit}", "Adjusted"]
    body = [
        element(
            "tr",
            element("th", typed(row.student), scope="row"),
            element("td", typed(row.group)),
            *([element("td", typed(row.class_name))] if by_class else []),
            element("td", row.rate, " (few)" if row.few else ""),
            element("td", str(row.away)),
            element("td", str(row.of)),
            element("td", typed(row.adjusted)),
        )
        for row in sheet.rows
    ]
    yield _scrolling(_table(heads, body), "Students, ranked")


# --- the journal ------------------------------------------------------------------------------------------------------


def _journal(journal: Journal, path: str, ticket: str) -> Iterable[Html]:
    since = f" since {journal.since}" if journal.since else ""
    yield element("h1", "Changes")
    yield element("p", f"Made through this installation{since}. The school's own edits are not here.", class_="lead")
    if not journal.entries:
        yield element("p", "No plan was carried out, and none waits.")
    yield element("ul", *(_entry(entry, path, ticket) for entry in journal.entries), role="list", class_="entries")
    if journal.more:
        yield element("p", f"{counted(journal.more, 'older plan')} not shown. attendance-mcp changes tells them all.")


def _entry(entry: JournalEntry, path: str, ticket: str) -> Html:
    told = [entry.time, entry.state]
    told += [f"agreed by {entry.agreed}"] if entry.agreed else []
    told += [", ".join(f"{number} {outcome}" for outcome, number in entry.outcomes.items())] if entry.outcomes else []
    told += [f"until {entry.expires}"] if entry.expires else []
    parts = [element("h2", typed(entry.summary)), element("p", typed(", ".join(told)), class_="record")]
    parts += [element("p", typed(f"Undo: {entry.undo}."))] if entry.undo and entry.undo != "yes" else []
    parts += [element("p", typed(entry.hint))] if entry.hint else []
    if entry.confirmation:
        fields = {"ticket": ticket, "confirmation": entry.confirmation}
        forms = [button("Look at it", f"{path}/look", fields, class_="plain", about=entry.summary)]
        if entry.undo:
            forms.append(button("Undo", f"{path}/undo", fields, class_="plain", about=entry.summary))
        parts.append(element("div", *forms, class_="buttons"))
    return element("li", *parts)


# --- what they have in common -----------------------------------------------------------------------------------------


def _chip(chip: Chip) -> Html:
    classes = f"chip {_kind_class(chip.kind)}{f' {_color_class(chip.color)}' if chip.color else ''}"
    return element("span", typed(chip.text), class_=classes)


def _kind_class(kind: Kind) -> str:
    return f"is-{str(kind).replace(' ', '-')}"


def _color_class(color: str) -> str:
    return f"c-{color.removeprefix('#').lower()}"


def _day(day: date) -> Html:
    return element("time", spoken(day), datetime=day.isoformat(), class_="day")


def _save(path: str) -> Html:
    link = element("a", "Save as a table (CSV)", href=f"{path}/table.csv", download=True)
    return element("p", link, class_="skip")


def _table(heads: Sequence[str], body: Sequence[Html]) -> Html:
    head = element("tr", *(element("th", text, scope="col") for text in heads))
    return element("table", element("thead", head), element("tbody", *body))


def _scrolling(table: Html, label: str) -> Html:
    """A table that is wider than the screen scrolls by itself, and by the keyboard."""
    return element("div", table, class_="scroll", role="region", aria_label=one_line(label, limit=120), tabindex="0")
