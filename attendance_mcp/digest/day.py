"""The marks of one day, of a year group's homerooms or of one class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from attendance_mcp.digest.facts import Detail, Paged, Row, StudentId, counted, listed, tally, who, within_room
from attendance_mcp.outside import Outside, fenced
from attendance_mcp.rules.labels import Label
from attendance_mcp.status import NOT_TAKEN, PRESENT


@dataclass(frozen=True, slots=True)
class StudentMark:
    """One mark as a digest takes it; no period is homeroom."""

    student_id: int
    label: Label | None  # None and -1 alike are "not taken"
    period: int | None = None
    note: str | None = None

    @property
    def taken(self) -> bool:
        return self.label is not None and self.label.code != NOT_TAKEN

    @property
    def usual(self) -> bool:
        """Plainly present: what an answer leaves out."""
        return self.label is not None and self.label.code == PRESENT and not self.note


class MarkedStudent(Row):
    """A student with their mark's note, where there is one."""

    id: StudentId
    name: str
    note: Outside = ""

    def __str__(self) -> str:
        return f"{who(self.name, self.id)}{' ' + self.note if self.note else ''}"


class LabelGroup(Row):
    """The students with one label."""

    label: str
    kind: str
    students: list[MarkedStudent]

    def line(self) -> str:
        kind = "" if self.kind == self.label.casefold() else f", counts as {self.kind}"
        return f"{self.label}{kind} ({len(self.students)}): {listed(self.students)}"


class Register(Row):
    """One homeroom's register, or one period's: k of n marked."""

    of: str
    marked: int
    students: int

    def __str__(self) -> str:
        state = "not taken" if self.marked == 0 else f"{self.marked} of {self.students} marked"
        return f"{self.of} {state}"


class HomeroomDay(Paged):
    group: str
    day: str
    students: int
    counts: dict[str, int]
    registers: list[Register]
    marks: list[LabelGroup] = []
    not_read: list[str] = []

    def lines(self) -> Iterable[str]:
        yield f"{self.group}, homeroom, {self.day}: {counted(self.students, 'student')}. {tally(self.counts)}."
        yield f"Registers: {'; '.join(map(str, self.registers)) or 'none'}."
        yield from (group.line() for group in self.marks)
        yield from self.more_lines("students")
        if not any(register.marked for register in self.registers):
            yield "No register is taken: not due yet, a day off, or this group keeps no homeroom."
        yield from self.not_read


class StudentPeriods(Row):
    """A student's marks of a day, by label the periods that carry it."""

    id: StudentId
    name: str
    marks: dict[str, list[int]]
    notes: dict[int, Outside] = {}

    def line(self) -> str:
        marks = "; ".join(f"{label} {listed(periods)}" for label, periods in self.marks.items())
        notes = "".join(f" {period}: {note}" for period, note in self.notes.items())
        return f"{who(self.name, self.id)}: {marks}{notes}"


class PeriodCounts(Row):
    """One period of the day."""

    period: int
    counts: dict[str, int]


class ClassDay(Paged):
    class_name: str
    day: str
    students: int
    periods: list[PeriodCounts]
    marks: list[StudentPeriods] = []

    def lines(self) -> Iterable[str]:
        yield f"{self.class_name}, {self.day}: {counted(self.students, 'student')}."
        for period in self.periods:
            yield f"Period {period.period}: {tally(period.counts)}."
        yield from (student.line() for student in self.marks)
        yield from self.more_lines("students")
        if not self.periods:
            yield "No marks: not taken, a day off, a day on which the class doesn't meet, or a day to come."


def homeroom_day(
    marks: Sequence[StudentMark],
    *,
    group: str,
    day: str,
    names: Mapping[int, str],
    homerooms: Mapping[int, str],
    not_read: Sequence[str] = (),
    detail: Detail = "exceptions",
    page: int = 1,
    per_page: int = 100,
) -> HomeroomDay:
    """One year group's homeroom marks; `homerooms` names each student's homeroom."""
    registers: dict[str, list[StudentMark]] = {}
    for mark in marks:
        registers.setdefault(homerooms.get(mark.student_id, "no homeroom"), []).append(mark)
    wanted = _wanted(marks, names, detail=detail)[(page - 1) * per_page :]
    students, fits = within_room([_marked(mark, names) for mark in wanted[:per_page]])
    groups: dict[tuple[str, str], list[MarkedStudent]] = {}
    for mark, student in zip(wanted, students, strict=False):
        groups.setdefault(_words(mark), []).append(student)
    return HomeroomDay(
        group=group,
        day=day,
        students=len(marks),
        counts=label_counts(marks),
        registers=[
            Register(of=name, marked=sum(mark.taken for mark in rows), students=len(rows))
            for name, rows in sorted(registers.items())
        ],
        marks=[LabelGroup(label=label, kind=kind, students=rows) for (label, kind), rows in groups.items()],
        not_read=list(not_read),
        more=len(wanted) - len(students),
        fits=fits,
    )


def class_day(
    marks: Sequence[StudentMark],
    *,
    class_name: str,
    day: str,
    students: Sequence[int],
    names: Mapping[int, str],
    detail: Detail = "exceptions",
    page: int = 1,
    per_page: int = 100,
) -> ClassDay:
    """One class's marks of a day; in a period with any mark, a student without one is not taken."""
    periods = sorted({mark.period for mark in marks if mark.period is not None and mark.taken})
    given = {(mark.student_id, mark.period): mark for mark in marks}
    by_period = {
        period: [given.get((id, period)) or StudentMark(id, None, period) for id in students] for period in periods
    }
    rows = [mark for period in periods for mark in by_period[period]]
    wanted = {
        "counts": [],
        "exceptions": sorted({mark.student_id for mark in rows if mark.taken and not mark.usual}),
        "full": sorted(students),
    }[detail]
    wanted = sorted(wanted, key=lambda id: (_name(names, id), id))
    wanted = wanted[(page - 1) * per_page :]
    students_shown, fits = within_room(
        [_student_periods(id, rows, names, everything=detail == "full") for id in wanted[:per_page]]
    )
    return ClassDay(
        class_name=class_name,
        day=day,
        students=len(students),
        periods=[PeriodCounts(period=period, counts=label_counts(by_period[period])) for period in periods],
        marks=students_shown,
        more=len(wanted) - len(students_shown),
        fits=fits,
    )


def label_counts(marks: Iterable[StudentMark]) -> dict[str, int]:
    """How many marks carry each label, the most frequent first; not taken is counted apart, last."""
    counter = Counter(_words(mark)[0] for mark in marks)
    return dict(sorted(counter.items(), key=lambda item: (item[0] == "not taken", -item[1], item[0])))


def _student_periods(
    id: int, rows: Sequence[StudentMark], names: Mapping[int, str], *, everything: bool
) -> StudentPeriods:
    own = [mark for mark in rows if mark.student_id == id and (everything or (mark.taken and not mark.usual))]
    marks: dict[str, list[int]] = {}
    for mark in own:
        marks.setdefault(_words(mark)[0], []).append(mark.period or 0)
    notes = {mark.period or 0: fenced(mark.note) for mark in own if mark.note}
    return StudentPeriods(id=id, name=_name(names, id), marks=marks, notes=notes)


def _wanted(marks: Sequence[StudentMark], names: Mapping[int, str], *, detail: Detail) -> list[StudentMark]:
    wanted = {
        "counts": [],
        "exceptions": [mark for mark in marks if mark.taken and not mark.usual],
        "full": list(marks),
    }[detail]
    return sorted(wanted, key=lambda mark: (_words(mark), _name(names, mark.student_id), mark.student_id))


def _marked(mark: StudentMark, names: Mapping[int, str]) -> MarkedStudent:
    note = fenced(mark.note) if mark.note else ""
    return MarkedStudent(id=mark.student_id, name=_name(names, mark.student_id), note=note)


def _words(mark: StudentMark) -> tuple[str, str]:
    if not mark.taken or mark.label is None:
        return ("not taken", "not taken")
    return (mark.label.text, str(mark.label.kind))


def _name(names: Mapping[int, str], id: int) -> str:
    return names.get(id, f"student {id}")
