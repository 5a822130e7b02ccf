"""Which registers are not wholly taken: counts for all of them, and whose the missing ones are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from attendance_mcp.digest.facts import Facts, Row, counted, listed
from attendance_mcp.rules.due import Due

MOST_ROWS = 60


@dataclass(frozen=True, slots=True)
class RegisterState:
    """One register of a day: a homeroom's, or a class's in one period. `of` is the year group or the class.

    It is not `certain` where the class only may meet; `programme` is named where no due time is set.
    """

    of: str
    whose: str
    students: int
    marked: int
    due: Due
    period: int | None = None
    certain: bool = True
    programme: str = ""

    @property
    def whole(self) -> bool:
        return self.marked >= self.students


class Missing(Row):
    """Whose register is not wholly taken; `periods` tells of a class how many are marked in each."""

    of: str
    whose: str
    students: int
    marked: int | None = None
    periods: dict[int, int] = {}

    @property
    def not_taken(self) -> bool:
        """Whether one of its registers has no mark at all."""
        return self.marked == 0 or 0 in self.periods.values()

    def line(self) -> str:
        size = f"not taken ({counted(self.students, 'student')})"
        if self.marked is not None:
            state = f"{self.marked} of {self.students} marked" if self.marked else size
            return f"{self.of}, {self.whose}: {state}."
        untaken = [period for period, marked in self.periods.items() if not marked]
        parts = [f"{_periods(untaken)} {size}"] if untaken else []
        parts += [
            f"period {period} has {marked} of {self.students} marked"
            for period, marked in self.periods.items()
            if marked
        ]
        return f"{self.of}, {self.whose}: {'; '.join(parts)}."

    def may_line(self) -> str:
        return f"{self.of}, {self.whose}: {_periods(list(self.periods))}."


class MissingRegisters(Facts):
    day: str
    of: str
    as_of: str
    kind: str
    students: int
    registers: int
    counts: dict[str, int]
    missing: list[Missing] = []
    more: int = 0
    may_meet: list[Missing] = []
    may_more: int = 0
    due_not_set: list[str] = []
    remarks: list[str] = []
    not_read: list[str] = []

    def lines(self) -> Iterable[str]:
        registers = counted(self.registers, f"{self.kind} register")
        students = counted(self.students, "student")
        yield f"{self.day}, {self.of}, as of {self.as_of}: {registers} of {students} looked at."
        yield from self.remarks
        if self.registers:
            yield f"{', '.join(f'{state} {number:,}' for state, number in self.counts.items())}."
        yield from (row.line() for row in self.missing)
        yield from _more(self.more)
        if self.may_meet:
            yield "May meet, and no mark is taken:"
            yield from (row.may_line() for row in self.may_meet)
            yield from _more(self.may_more)
        if self.due_not_set:
            yield f"Due time not set in the school profile, so some may still be on time: {listed(self.due_not_set)}."
        yield from self.not_read
        if not self.registers and not self.may_meet:
            yield "Nothing is missing, for no register is kept here on that day; try another day, group or kind."


def missing_registers(
    states: Sequence[RegisterState],
    *,
    day: str,
    of: str,
    as_of: str,
    kind: str,
    students: int,
    remarks: Sequence[str] = (),
    not_read: Sequence[str] = (),
    most_rows: int = MOST_ROWS,
) -> MissingRegisters:
    """The facts of a day's registers; each that meets for certain is counted once.

    One that is not due yet is only counted. A register in which teachers mark the exceptions alone looks taken in part,
    which nobody here can tell from one left half way: so it is stated, and not judged.
    """
    certain = [state for state in states if state.certain]
    late = [state for state in certain if not state.whole and state.due is not Due.NOT_YET]
    open_ = [state for state in states if not state.certain and state.due is not Due.NOT_YET]
    rows, may = _rows(late), _rows(open_)
    rows.sort(key=lambda row: not row.not_taken)
    untaken = sum(not state.marked for state in late)
    return MissingRegisters(
        day=day,
        of=of,
        as_of=as_of,
        kind=kind,
        students=students,
        registers=len(certain),
        counts={
            "wholly taken": sum(state.whole for state in certain),
            "taken in part": len(late) - untaken,
            "not taken": untaken,
            "not yet due": sum(not state.whole and state.due is Due.NOT_YET for state in certain),
        },
        missing=rows[:most_rows],
        more=len(rows[most_rows:]),
        may_meet=may[: most_rows // 2],
        may_more=len(may[most_rows // 2 :]),
        due_not_set=sorted({state.programme for state in [*late, *open_] if state.due is Due.UNKNOWN}),
        remarks=list(remarks),
        not_read=list(not_read),
    )


def _rows(states: Sequence[RegisterState]) -> list[Missing]:
    """A row for each homeroom, and for each class with all of its periods."""
    rows = [
        Missing(of=state.of, whose=state.whose, students=state.students, marked=state.marked)
        for state in states
        if state.period is None
    ]
    classes: dict[tuple[str, str, int], dict[int, int]] = {}
    for state in sorted((state for state in states if state.period is not None), key=lambda state: state.period or 0):
        classes.setdefault((state.of, state.whose, state.students), {})[state.period or 0] = state.marked
    rows += [
        Missing(of=of, whose=whose, students=students, periods=periods)
        for (of, whose, students), periods in sorted(classes.items())
    ]
    return rows


def _periods(periods: Sequence[int]) -> str:
    return f"period{'s' if len(periods) > 1 else ''} {listed(periods)}"


def _more(number: int) -> Iterable[str]:
    if number:
        yield f"… and {number} more: ask for a programme, a year group or a class."
