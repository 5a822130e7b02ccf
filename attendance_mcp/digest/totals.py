"""Totals of a term, and the corrections that administrators made to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from attendance_mcp.digest.facts import Detail, Facts, Row, counted, tally
from attendance_mcp.rules.labels import Label
from attendance_mcp.status import Kind

_USUAL = (Kind.PRESENT, Kind.NOT_TAKEN)


@dataclass(frozen=True, slots=True)
class Totals:
    """One student's totals by label."""

    student_id: int
    counts: Mapping[Label, int]

    def of(self, kind: Kind) -> int:
        return sum(number for label, number in self.counts.items() if label.kind is kind)

    @property
    def exceptional(self) -> bool:
        return any(label.kind not in _USUAL for label in self.counts)


class StudentCounts(Row):
    """A student with a number for each label."""

    id: int
    name: str
    counts: dict[str, int]

    def line(self) -> str:
        return f"{self.name} ({self.id}): {tally(self.counts) or 'nothing'}"


class TermTotals(Facts):
    of: str
    term: str
    unit: str
    students: int
    counts: dict[str, int]
    totals: list[StudentCounts] = []
    more: int = 0

    def lines(self) -> Iterable[str]:
        sums = tally(self.counts) or "No marks"
        yield f"{self.of}, {self.term}, in {self.unit}: {counted(self.students, 'student')}. {sums}."
        yield from (row.line() for row in self.totals)
        if self.more:
            yield f"{self.more} more students: next page, or detail=counts."
        if self.counts:
            yield "Totals can't tell excused from unexcused absences; dates and excusals can."


class Adjustments(Facts):
    of: str
    term: str
    students: int
    adjustments: list[StudentCounts] = []
    more: int = 0

    def lines(self) -> Iterable[str]:
        adjusted = len(self.adjustments) + self.more
        yield f"{self.of}, {self.term}: adjustments of {adjusted} of {counted(self.students, 'student')}."
        yield from (row.line() for row in self.adjustments)
        if self.more:
            yield f"{self.more} more students: next page."
        if adjusted:
            yield "Administrators made these by hand; they stand beside the totals."


def term_totals(
    rows: Sequence[Totals],
    *,
    of: str,
    term: str,
    unit: str,
    names: Mapping[int, str],
    detail: Detail = "exceptions",
    page: int = 1,
    per_page: int = 50,
) -> TermTotals:
    """Sums for everybody; students with anything but present, those with most absences first."""
    wanted = {"counts": [], "exceptions": [row for row in rows if row.exceptional], "full": list(rows)}[detail]
    wanted.sort(
        key=lambda row: (-row.of(Kind.ABSENT), -row.of(Kind.LATE), names.get(row.student_id, ""), row.student_id)
    )
    first = (page - 1) * per_page
    sums: Counter[Label] = Counter()
    for row in rows:
        sums.update(row.counts)
    return TermTotals(
        of=of,
        term=term,
        unit=unit,
        students=len(rows),
        counts=_by_label(sums),
        totals=[_student(row.student_id, _by_label(row.counts), names) for row in wanted[first : first + per_page]],
        more=max(0, len(wanted) - first - per_page),
    )


def adjustments(
    rows: Mapping[int, Sequence[tuple[str, int]]],
    *,
    of: str,
    term: str,
    students: int,
    names: Mapping[int, str],
    page: int = 1,
    per_page: int = 50,
) -> Adjustments:
    """The students whose totals were corrected, by label the correction, which may be negative."""
    wanted = sorted((id for id in rows if rows[id]), key=lambda id: (names.get(id, ""), id))
    first = (page - 1) * per_page
    shown = []
    for id in wanted[first : first + per_page]:
        sums: Counter[str] = Counter()
        for label, number in rows[id]:
            sums[label] += number
        shown.append(_student(id, dict(sums), names))
    return Adjustments(
        of=of, term=term, students=students, adjustments=shown, more=max(0, len(wanted) - first - per_page)
    )


def _by_label(counts: Mapping[Label, int]) -> dict[str, int]:
    """Numbers by label, the largest first; codes that share a label are added up, but never into not taken."""
    sums: Counter[str] = Counter()
    for label, number in counts.items():
        sums["not taken" if label.kind is Kind.NOT_TAKEN else label.text] += number
    return dict(sorted(sums.items(), key=lambda item: (item[0] == "not taken", -item[1], item[0])))


def _student(id: int, counts: dict[str, int], names: Mapping[int, str]) -> StudentCounts:
    return StudentCounts(id=id, name=names.get(id, f"student {id}"), counts=counts)
