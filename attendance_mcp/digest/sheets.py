"""What the window's sheets hold: a register with every student, a student's term day by day, a group's term ranked.

A sheet is for the person at the screen, whole: nothing of it is an answer to a model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from attendance_mcp.digest.absences import ORDER
from attendance_mcp.digest.concerns import Counted, Evidence, adjusted_text, bounds, ranked
from attendance_mcp.digest.student import StudentAttendance
from attendance_mcp.rules.labels import Label
from attendance_mcp.rules.rates import FEW
from attendance_mcp.status import NOT_TAKEN, Kind


@dataclass(frozen=True, slots=True)
class Chip:
    """A mark as it is shown: the school's label, its kind, and the school's colour as `#rrggbb`, or none."""

    text: str
    kind: Kind
    color: str = ""


UNMARKED = Chip("not taken", Kind.NOT_TAKEN)


def chip_of(label: Label | None, colors: Mapping[int, str]) -> Chip:
    """The mark's chip; no label is not taken."""
    if label is None or label.code == NOT_TAKEN:
        return UNMARKED
    return Chip(label.text, label.kind, colors.get(label.code, ""))


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One student's day: the homeroom mark (None where they keep none) and the marks of each period's classes."""

    student: str
    group: str
    register: str
    homeroom: Chip | None
    periods: Mapping[int, tuple[Chip, ...]] = field(default_factory=dict)
    excusal: bool | None = None  # None where the excusals could not be read

    def chips(self) -> Iterable[Chip]:
        if self.homeroom is not None:
            yield self.homeroom
        for chips in self.periods.values():
            yield from chips


@dataclass(frozen=True, slots=True)
class RegisterSheet:
    """The registers of a group on one day."""

    of: str
    day: date
    as_of: str
    rows: Sequence[RegisterRow]
    remarks: Sequence[str] = ()

    @property
    def periods(self) -> list[int]:
        return sorted({period for row in self.rows for period in row.periods})

    @property
    def registers(self) -> dict[tuple[str, str], list[RegisterRow]]:
        """The rows by year group and whose register they stand in, in order of names."""
        found: dict[tuple[str, str], list[RegisterRow]] = {}
        for row in sorted(self.rows, key=lambda row: (row.group, row.register, row.student)):
            found.setdefault((row.group, row.register), []).append(row)
        return found

    @property
    def kinds(self) -> dict[Kind, int]:
        """How many students have at least one mark of each kind, in the order in which kinds are told."""
        counts = Counter(kind for row in self.rows for kind in {chip.kind for chip in row.chips()})
        return {kind: counts[kind] for kind in ORDER if counts[kind]}


def marked_of(rows: Sequence[RegisterRow]) -> tuple[int, int] | None:
    """How many of a register's students are marked in homeroom, and of how many; None where they keep none."""
    kept = [row.homeroom for row in rows if row.homeroom is not None]
    return (sum(chip.kind is not Kind.NOT_TAKEN for chip in kept), len(kept)) if kept else None


@dataclass(frozen=True, slots=True)
class AbsenceSheet:
    """Who of a group is away, late or out on one day; `rows` hold nobody who is there or whom nobody marked."""

    of: str
    day: date
    as_of: str
    rows: Sequence[RegisterRow]
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class StudentTerm:
    """A student's term: what the answer of `get_student_attendance` says, and every day that may be a school day."""

    facts: StudentAttendance
    days: Mapping[date, Chip]
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RankedRow:
    """A student (in one class): the rate or its two bounds, away of so many counted; `few` where that means little."""

    student: str
    group: str
    class_name: str
    rate: str
    away: int
    of: int
    adjusted: str
    few: bool


@dataclass(frozen=True, slots=True)
class GroupTerm:
    """Everybody of a group in a term, the lowest rate first, and the rules of the rate."""

    of: str
    span: str
    unit: str
    rows: Sequence[RankedRow]
    rules: Sequence[str]
    remarks: Sequence[str] = ()


def group_term(evidence: Evidence, *, of: str, not_read: Sequence[str] = ()) -> GroupTerm:
    """The ranked list of a term; students of whom few days are counted stand at its end."""
    enough = [one for one in evidence.students if not one.rate.few]
    few = [one for one in evidence.students if one.rate.few]
    return GroupTerm(
        of=of,
        span=evidence.span,
        unit=evidence.unit,
        rows=[_row(one) for one in (*ranked(enough), *ranked(few))],
        rules=evidence.rules,
        remarks=[
            *evidence.notes,
            *([f"Under {FEW} counted {evidence.unit}, at the end of the list: {len(few)}."] if few else []),
            *not_read,
        ],
    )


def _row(one: Counted) -> RankedRow:
    return RankedRow(
        student=one.name,
        group=one.group,
        class_name=one.class_name,
        rate=bounds(one.rate),
        away=one.rate.away,
        of=one.rate.counted,
        adjusted=adjusted_text(one.adjusted),
        few=one.rate.few,
    )
