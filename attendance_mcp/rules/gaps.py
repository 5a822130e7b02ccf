"""What the school profile leaves open and an answer suffers from, for the person who can fill it in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from attendance_mcp.rules.labels import Label, Labels
from attendance_mcp.rules.profile import Profile, ProgramRules
from attendance_mcp.status import WRITABLE, Kind


@dataclass(frozen=True, slots=True)
class Gap:
    """An entry that is not set and matters; `programs` are the codes it is open for, empty for the whole school."""

    entry: str
    text: str
    programs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProgramView:
    """What is known of a programme beside the profile.

    `calendar` is whether the API offers its calendar; `homeroom` whether it has homeroom records this term, None
    where nobody looked.
    """

    code: str
    labels: Labels
    calendar: bool
    homeroom: bool | None = None
    rules: ProgramRules = field(default_factory=ProgramRules)


def gaps(
    profile: Profile,
    *,
    programs: Mapping[str, Labels],
    calendars: Mapping[str, bool],
    homerooms: Mapping[str, bool] | None = None,
    zone_known: bool = True,
    writes: bool = False,
) -> list[Gap]:
    """What is not set and matters, one short sentence each, most harmful first.

    `programs` gives each programme's labels, `calendars` whether the API offers its calendar, `homerooms` whether it
    has any homeroom record this term. Programmes with the same gap share one.
    """
    views = [
        ProgramView(code, labels, calendars.get(code, False), (homerooms or {}).get(code), rules=profile.program(code))
        for code, labels in programs.items()
    ]
    found = [
        *_shared("kinds", views, _unclassified),
        *_shared("kinds", views, _labels_not_told),
        *_shared("days_off", views, _days_off),
        *_shared("homeroom_due", views, _homeroom_due),
        *_shared("class_due", views, _class_due),
        *_shared("excused_code", views, _excused_code),
        *_unused_kinds(profile, views),
    ]
    if not zone_known and profile.timezone is None:
        found.append(Gap("timezone", "The school's time zone is not set: today is the machine's."))
    if profile.me is None:
        found.append(Gap("me", "No advisor is named as 'me': 'my homeroom' can't be asked for."))
    if writes and profile.absent_notifies_parents is None:
        found.append(
            Gap("absent_notifies_parents", "Whether the school's system tells parents of an absence is not known.")
        )
    return found


def _shared(entry: str, views: Iterable[ProgramView], check: Callable[[ProgramView], Iterable[str]]) -> list[Gap]:
    texts: dict[str, list[str]] = {}
    for view in views:
        for text in check(view):
            texts.setdefault(text, []).append(view.code)
    return [Gap(entry, text, tuple(codes)) for text, codes in texts.items()]


def _in_use(labels: Labels) -> list[Label]:
    # A disabled category can still stand on old marks, but nobody can take it today.
    return [labels[code] for code in WRITABLE if labels[code].enabled]


def _unclassified(view: ProgramView) -> Iterable[str]:
    for label in _in_use(view.labels):
        if label.kind is Kind.UNCLASSIFIED:
            yield f"'{label.text}' (code {label.code}) has no kind: its marks are counted apart and never proposed."


def _labels_not_told(view: ProgramView) -> Iterable[str]:
    if not view.labels.known and not view.rules.kinds:
        yield "The school's system doesn't tell its labels: a mark worded otherwise than the vendor does has no kind."


def _days_off(view: ProgramView) -> Iterable[str]:
    if not view.calendar and view.rules.days_off is None:
        yield "There is no calendar and no days_off: school days are known only as far as the marks show."
    elif not view.calendar and not view.rules.holidays:
        yield "There is no calendar and no holidays: every weekday that is not off passes for a school day."


def _homeroom_due(view: ProgramView) -> Iterable[str]:
    keeps = view.rules.keeps_homeroom if view.rules.keeps_homeroom is not None else view.homeroom
    if view.rules.homeroom_due is None and keeps is not False:
        yield "When homeroom is due is not set: today a register not taken may only be not yet taken."


def _class_due(view: ProgramView) -> Iterable[str]:
    rules = view.rules
    if rules.class_due is not None or (rules.class_due_minutes is not None and rules.period_starts):
        return
    if rules.class_due_minutes is not None:
        yield "class_due_minutes is set without period_starts: when a class register is due is not known."
    else:
        yield "When class registers are due is not set: today a register not taken may only be not yet taken."


def _excused_code(view: ProgramView) -> Iterable[str]:
    if view.rules.excused_code is None:
        yield "The school's code for excused is not set: an absence with an excusal is never said to lack it."
        return
    label = view.rules.excused_label(view.labels)
    if label is None:
        yield f"The code for excused, '{view.rules.excused_code}', is the label of no code, or of two."
    elif not label.enabled:
        yield f"The code for excused, '{label.text}' (code {label.code}), is disabled in the school's system."
    elif label.kind is not Kind.EXCUSED:
        yield f"The code for excused, '{label.text}' (code {label.code}), counts as {label.kind} by its label's kind."


def _unused_kinds(profile: Profile, views: Iterable[ProgramView]) -> Iterable[Gap]:
    """A label in the profile that no programme has is most likely a typo; codes are always there."""
    views = list(views)
    if not views or not all(view.labels.known for view in views):
        return
    texts = {label.text.casefold() for view in views for label in view.labels.by_code.values()}
    written = {key for table in (profile.school, *profile.programs.values()) for key in table.kinds}
    for key in sorted(key for key in written if isinstance(key, str) and key not in texts):
        yield Gap("kinds", f"kinds names '{key}', which is no label of the school's.")
