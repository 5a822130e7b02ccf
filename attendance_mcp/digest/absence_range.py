"""Who was away over several days: each student's dates, runs and weekdays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from attendance_mcp.digest.absences import AWAY, TOLD, Absences, StudentDay, kind_counts
from attendance_mcp.digest.facts import Row, StudentId, counted, listed, within_room
from attendance_mcp.rules.runs import runs
from attendance_mcp.status import Kind

MOST_STUDENTS = 60
_ROOM = 7_500  # the days take their part
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_NAMED = tuple(kind for kind in TOLD if kind is not Kind.OUT)  # trips are the school's own doing: counted


class StudentRange(Row):
    """One student's days by label; `longest` is the longest run away in school days."""

    id: StudentId
    name: str
    group: str
    days: dict[str, list[str]]
    no_excusal: list[str] = []
    longest: int = 0

    def line(self) -> str:
        days = "; ".join(f"{label} {listed(dates)}" for label, dates in self.days.items())
        run = f"; {self.longest} school days in a row" if self.longest > 1 else ""
        open_days = f"; no excusal {listed(self.no_excusal)}" if self.no_excusal else ""
        return f"{self.name} ({self.group}): {days}{run}{open_days}"


class AbsenceRange(Absences):
    by_day: dict[str, dict[str, int]] = {}
    weekdays: dict[str, int] = {}
    rows: list[StudentRange] = []
    more: int = 0

    def lines(self) -> Iterable[str]:
        yield f"{self.day}, {self.of}: {counted(self.students, 'student')} looked at, in student days:"
        yield ", ".join(f"{kind} {number:,}" for kind, number in self.counts.items()) + "."
        yield from self.remarks
        for day, counts in self.by_day.items():
            yield f"{day}: {', '.join(f'{kind} {number}' for kind, number in counts.items()) or 'everybody present'}."
        if self.weekdays:
            yield f"Absences by weekday: {', '.join(f'{day} {number}' for day, number in self.weekdays.items())}."
        yield from (row.line() for row in self.rows)
        if self.more:
            yield f"… and {counted(self.more, 'student')} more with fewer days: ask for a group, or unexplained_only."
        yield from self.not_read


def range_absences(
    days: Mapping[date, Sequence[StudentDay]],
    *,
    title: str,
    of: str,
    unexplained_only: bool = False,
    remarks: Sequence[str] = (),
    not_read: Sequence[str] = (),
) -> AbsenceRange:
    """The facts of several school days; students with most days away come first."""
    of_student: dict[int, list[tuple[date, StudentDay]]] = {}
    for day in sorted(days):
        for row in days[day]:
            of_student.setdefault(row.id, []).append((day, row))
    school_days = sorted(days)
    rows = [_student(own, school_days, unexplained_only=unexplained_only) for own in of_student.values()]
    ranked = sorted((row for row in rows if row is not None), key=lambda item: (-item[0], item[1].name, item[1].id))
    absent = Counter(day.weekday() for own in of_student.values() for day, row in own if row.kind is Kind.ABSENT)
    shown, _ = within_room([row for _, row in ranked[:MOST_STUDENTS]], room=_ROOM)
    everything = [row for day in days.values() for row in day]
    return AbsenceRange(
        day=title,
        of=of,
        students=len(of_student),
        counts=kind_counts(everything),
        by_day={_short(day): _told(days[day]) for day in school_days},
        weekdays={_WEEKDAYS[number]: absent[number] for number in sorted(absent)},
        rows=shown,
        more=len(ranked) - len(shown),
        remarks=list(remarks),
        not_read=list(not_read),
    )


def _student(
    own: Sequence[tuple[date, StudentDay]], school_days: Sequence[date], *, unexplained_only: bool
) -> tuple[int, StudentRange] | None:
    """The student's row with its weight, or None where there is nothing to tell."""
    open_days = [day for day, row in own if row.kind is Kind.ABSENT and row.excusal is False]
    named = [(day, row) for day, row in own if row.kind in _NAMED]
    if unexplained_only:
        # Where the excusals of a day could not be read, whoever is absent may be without one.
        named = [(day, row) for day, row in named if row.kind is Kind.ABSENT and not row.excusal]
    if not named:
        return None
    by_label: dict[str, list[str]] = {}
    for day, row in named:
        by_label.setdefault(row.state, []).append(_short(day))
    found = runs({day: row.kind for day, row in own}, school_days)
    away = sum(row.kind in AWAY for _, row in named)
    student = own[0][1]
    return away * 100 + len(named), StudentRange(
        id=student.id,
        name=student.name,
        group=student.group,
        days=by_label,
        no_excusal=[] if unexplained_only else [_short(day) for day in open_days],
        longest=max(map(len, found), default=0),
    )


def _told(rows: Iterable[StudentDay]) -> dict[str, int]:
    """All but the present. Without those not taken, a day of which nothing is known would look like a good one."""
    counter = Counter(row.kind for row in rows)
    return {str(kind): counter[kind] for kind in (*TOLD, Kind.NOT_TAKEN) if counter[kind]}


def _short(day: date) -> str:
    """`Tue 24 Nov` would need a locale; `Tue 11-24` needs none."""
    return f"{_WEEKDAYS[day.weekday()]} {day:%m-%d}"
