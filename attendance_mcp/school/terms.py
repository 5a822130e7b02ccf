"""Terms: which one is meant in each programme, and what its totals hold of year groups and classes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

from attendance_mcp.api.records import AcademicYear, ClassRecord, HomeroomDay, MemberClass, Term, TermTotals, YearGroup
from attendance_mcp.errors import ArgumentError, AttendanceError, NotFound, Refused
from attendance_mcp.outside import one_line
from attendance_mcp.rules.calendar import DayKind, SchoolCalendar
from attendance_mcp.rules.labels import Label, Labels
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.directory import plain
from attendance_mcp.school.school import School, group_name
from attendance_mcp.status import NOT_TAKEN, Kind

StudentMarks = dict[int, dict[Label, int]]
DAYS_AHEAD = 10
_DAY = timedelta(days=1)
_MISSING = Label(NOT_TAKEN, "not taken", Kind.NOT_TAKEN)
_CURRENT = ("", "current", "now", "this term", "current term", "the current term")


@dataclass(frozen=True, slots=True)
class GroupTerm:
    """A year group's term in days: each student's marks by label, days not taken among them where they are known."""

    group: YearGroup
    term: Term
    marks: Mapping[int, Mapping[Label, int]]
    days_known: bool  # whether the school days so far are known, and with them the days not taken
    adjusted: dict[int, dict[str, int]] = field(default_factory=dict)

    @property
    def any_mark(self) -> bool:
        """Whether anybody is marked: without it the year group keeps no homeroom."""
        return _any_mark(self.marks)


def _any_mark(marks: Mapping[int, Mapping[Label, int]]) -> bool:
    return any(number and taken(label) for counts in marks.values() for label, number in counts.items())


def taken(label: Label) -> bool:
    return label.code != NOT_TAKEN


async def find_terms(school: School, words: str, codes: Collection[str | None]) -> dict[str | None, Term]:
    """The term that the words mean in each of these programmes; a programme that has none such is missing.

    Each programme has its own "Term 1", with an id of its own; an id names one programme's term. Between two terms
    the current one is the last that has begun. Raises ArgumentError where no programme has such a term, or it is still
    to come.
    """
    asked, today = one_line(words, limit=120), school.clock.today()
    years = [year for year in await school.academic_years() if year.program_code in codes]
    found: dict[str | None, Term] = {}
    for code in codes:
        own = sorted((year for year in years if year.program_code == code), key=lambda year: year.starts_on)
        if term := _current(own, today) if asked.casefold() in _CURRENT else _named(own, asked, today):
            found[code] = term
    begun = {code: term for code, term in found.items() if term.starts_on <= today}
    if found and not begun:
        first = min(term.starts_on for term in found.values())
        raise ArgumentError(f"That term has not begun: it starts on {spoken(first)}.")
    if not begun:
        known = {f"{one_line(term.name)} {year.name} ({term.id})" for year in years for term in year.terms}
        called = school.disclosure.asked(asked)
        raise ArgumentError(f"No term here is called {called}. There are: {', '.join(sorted(known)) or 'none'}.")
    return begun


def _current(years: Sequence[AcademicYear], today: date) -> Term | None:
    begun = [term for year in years for term in year.terms if term.starts_on <= today]
    return max(begun, key=lambda term: term.starts_on, default=None)


def _named(years: Sequence[AcademicYear], asked: str, today: date) -> Term | None:
    """By id; by name in this academic year; by name and year in any."""
    if asked.isdecimal():
        return next((term for year in years for term in year.terms if term.id == int(asked)), None)
    now = [year for year in years if year.starts_on <= today][-1:] or years[:1]
    wanted = plain(asked)
    named = [term for year in now for term in year.terms if plain(term.name) == wanted]
    with_year = [term for year in years for term in year.terms if plain(f"{term.name} {year.name}") == wanted]
    return next(iter([*named, *with_year]), None)


def term_text(term: Term, *, today: date) -> str:
    """`Term 2, Sat 2026-10-17 to Tue 2026-11-24`: what of the term is over."""
    return f"{one_line(term.name, limit=60)}, {spoken(term.starts_on)} to {spoken(min(term.ends_on, today))}"


async def school_days_of(school: School, code: str | None, term: Term) -> list[date] | None:
    """The term's school days up to today; None where not every day is known."""
    calendar = await school.calendar(code or "")
    end = min(term.ends_on, school.clock.today())
    if not _holds(calendar, term) or calendar.unknown_days(term.starts_on, end):
        return None
    return calendar.school_days(term.starts_on, end)


async def possible_days_of(school: School, code: str | None, term: Term) -> list[date]:
    """The term's days up to today that may be school days: as far as nobody says that they are off."""
    calendar = await school.calendar(code or "")
    if not _holds(calendar, term):
        return []
    days = calendar.days(term.starts_on, min(term.ends_on, school.clock.today()))
    return [status.day for status in days if status.kind is not DayKind.DAY_OFF]


def _holds(calendar: SchoolCalendar, term: Term) -> bool:
    # A school's calendar here is this academic year's alone; of an earlier one it would say "off" for every day.
    return any(term.starts_on in year for year in calendar.years)


async def read_group_terms(
    school: School, groups: Iterable[YearGroup], terms: Mapping[str | None, Term], *, archived: bool = False
) -> dict[int, GroupTerm]:
    """Homeroom totals of year groups up to today; `archived` asks for the archived students instead.

    One request each, and up to ten for the marks of days to come.
    """
    asked = {one.id: one for one in groups}
    read = await school.read_all(
        {
            id: partial(
                school.read,
                school.client.get_homeroom_term_attendance,
                id,
                terms[one.program_code].id,
                **({"archived_students": True} if archived else {}),
            )
            for id, one in asked.items()
        },
        called=lambda id: f"The totals of {group_name(asked[id])}",
    )
    marked: dict[int, StudentMarks] = {}
    days: dict[int, list[date] | None] = {}
    for id, totals in read.items():
        code = asked[id].program_code
        labels = await school.labels(code, terms[code].ends_on)
        marked[id] = student_marks(totals, labels)
        days[id] = await school_days_of(school, code, terms[code])
    await _take_off_days_to_come(school, [asked[id] for id, own in marked.items() if _any_mark(own)], terms, marked)
    return {
        id: GroupTerm(
            asked[id],
            terms[asked[id].program_code],
            {student_id: _with_days_not_taken(counts, len(days[id] or ())) for student_id, counts in own.items()},
            days_known=days[id] is not None,
        )
        for id, own in marked.items()
    }


async def _take_off_days_to_come(
    school: School, groups: Sequence[YearGroup], terms: Mapping[str | None, Term], marked: Mapping[int, StudentMarks]
) -> None:
    """Takes the marks of the next ten school days off the totals, which hold them: a trip's, entered beforehand.

    Left in, each would count as a day attended and hide one that was not taken.
    """
    today = school.clock.today()
    ahead: list[tuple[YearGroup, date]] = []
    for group in groups:
        calendar, end = await school.calendar(group.program_code or ""), terms[group.program_code].ends_on
        coming = [status.day for status in calendar.days(today + _DAY, end) if status.kind is not DayKind.DAY_OFF]
        ahead += [(group, day) for day in coming[:DAYS_AHEAD]]
    if len(ahead) > affordable(school) / 2:
        school.not_read.append(
            f"Days to come were not read for {len(groups)} year groups: their totals may hold trips entered beforehand."
        )
        return
    read = await school.read_all(
        {(group.id, day): partial(_day_to_come, school, group.id, day) for group, day in ahead},
        called=lambda key: f"Homeroom of year group {key[0]} on {spoken(key[1])}",
    )
    code_of = {group.id: group.program_code for group in groups}
    for (id, day), answered in read.items():
        labels = await school.labels(code_of[id], day)
        for row in answered.students:
            counts = marked[id].get(row.id, {})
            if row.mark and (label := labels.of_mark(row.mark.status, row.mark.label)) in counts and taken(label):
                counts[label] = max(0, counts[label] - 1)


async def _day_to_come(school: School, group_id: int, day: date) -> HomeroomDay:
    """Kept for this purpose alone, as no other answer may be ten minutes late; a write drops it by its first part."""
    key = ("get_homeroom_attendance", (group_id, day), "to come")
    return await school.kept(key, partial(school.read, school.client.get_homeroom_attendance, group_id, day))


def affordable(school: School) -> float:
    """How many requests an answer may need; the rest of the time is for retries and slow answers."""
    return 0.8 * school.connection.rate * school.connection.deadline


def student_marks(totals: TermTotals, labels: Labels) -> StudentMarks:
    """Each student's marks by label; a total that a correction took below 0 counts as 0."""
    found = {}
    for student in totals.students:
        counts: dict[Label, int] = {}
        for row in student.counts:
            label = labels.of_mark(row.status, row.label)
            counts[label] = counts.get(label, 0) + max(0, row.value)
        found[student.id] = counts
    return found


def _with_days_not_taken(counts: Mapping[Label, int], school_days: int) -> dict[Label, int]:
    """The marks with the school days that have none.

    Whether totals count days without a record as -1 is not documented; where they don't, the calendar tells how many
    there are. Without either bound a student of whom hardly a day was marked would look better known than they are.
    """
    marked = {label: number for label, number in counts.items() if taken(label) and number}
    given = sum(number for label, number in counts.items() if not taken(label))
    missing = max(given, school_days - sum(marked.values()))
    return {**marked, _MISSING: missing} if missing else marked


async def read_adjustments(school: School, found: Mapping[int, GroupTerm]) -> None:
    """Puts each student's adjustments beside the totals, one request a year group.

    They change no rate, so an answer without them is still one: where none can be read, `school.not_read` says so.
    """
    reads = {
        id: partial(school.read, school.client.get_homeroom_adjustments, id, one.term.id) for id, one in found.items()
    }
    try:
        read = await school.read_all(reads, called=lambda id: f"The adjustments of {group_name(found[id].group)}")
    except AttendanceError as error:  # a token without this permission, too
        school.not_read.append(f"Adjustments could not be read: {error}")
        return
    for id, answered in read.items():
        labels = await school.labels(found[id].group.program_code, found[id].term.ends_on)
        for student in answered.students:
            own = found[id].adjusted.setdefault(student.id, {})
            for row in student.adjustments:
                label = labels.word(one_line(row.name, limit=40))
                own[label] = own.get(label, 0) + row.adjustment


async def in_term(school: School, record: ClassRecord | MemberClass, term: Term) -> bool:
    """Whether a class is taught in a term; one whose own terms aren't told may be."""
    start = await school.term(record.start_term_id or 0)
    end = await school.term(record.end_term_id or 0)
    return not ((start and start.starts_on > term.ends_on) or (end and end.ends_on < term.starts_on))


async def read_class_totals(
    school: School, classes: Mapping[int, str], term_of: Mapping[int, Term], *, archived: bool = False
) -> dict[int, TermTotals]:
    """Totals of classes (id to name) in periods, one request each; a class that has none in the term is left out."""

    async def one(id: int) -> TermTotals | None:
        more = {"archived_students": True} if archived else {}
        try:
            return await school.read(school.client.get_class_term_attendance, id, term_of[id].id, **more)
        except (Refused, NotFound):
            return None

    read = await school.read_all(
        {id: partial(one, id) for id in classes}, called=lambda id: f"The totals of {classes[id]}"
    )
    return {id: totals for id, totals in read.items() if totals is not None}


def by_kind(counts: Mapping[Label, int]) -> dict[Kind, int]:
    """How many marks there are of each kind; the code -1 is not taken, whatever a school calls it."""
    found: dict[Kind, int] = {}
    for label, number in counts.items():
        kind = label.kind if taken(label) else Kind.NOT_TAKEN
        found[kind] = found.get(kind, 0) + number
    return found
