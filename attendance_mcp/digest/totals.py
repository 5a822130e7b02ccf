"""Totals of a term, and the corrections that administrators made to them."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from attendance_mcp.api.records import StudentTotals
from attendance_mcp.digest.facts import Detail, Paged, Row, StudentId, counted, tally, who, within_room
from attendance_mcp.rules.labels import Labels
from attendance_mcp.status import Kind

_USUAL = (Kind.PRESENT, Kind.NOT_TAKEN)
# Absences weigh most, then late marks, then whatever else is not simply present.
_WEIGHTS = {Kind.ABSENT: 1_000_000, Kind.LATE: 1_000}


class StudentCounts(Row):
    """A student with a number for each label."""

    id: StudentId
    name: str
    counts: dict[str, int]

    def line(self) -> str:
        return f"{who(self.name, self.id)}: {tally(self.counts) or 'nothing'}"


class TermTotals(Paged):
    of: str
    term: str
    unit: str
    students: int
    counts: dict[str, int]
    totals: list[StudentCounts] = []

    def lines(self) -> Iterable[str]:
        sums = tally(self.counts) or "No marks"
        yield f"{self.of}, {self.term}, in {self.unit}: {counted(self.students, 'student')}. {sums}."
        yield from (row.line() for row in self.totals)
        yield from self.more_lines("students")
        if self.counts:
            yield "Totals can't tell excused from unexcused absences; dates and excusals can."


class Adjustments(Paged):
    of: str
    term: str
    students: int
    adjustments: list[StudentCounts] = []

    def lines(self) -> Iterable[str]:
        adjusted = len(self.adjustments) + self.more
        yield f"{self.of}, {self.term}: adjustments of {adjusted} of {counted(self.students, 'student')}."
        yield from (row.line() for row in self.adjustments)
        yield from self.more_lines("students")
        if adjusted:
            yield "Administrators made these by hand; they stand beside the totals."


def term_totals(
    students: Sequence[StudentTotals],
    labels: Labels,
    *,
    of: str,
    term: str,
    unit: str,
    names: Mapping[int, str],
    detail: Detail = "exceptions",
    page: int = 1,
    per_page: int = 30,
) -> TermTotals:
    """Sums for everybody; students with anything but present, those with most absences first.

    One plain loop over the records: a district's term has a hundred thousand of them.
    """
    sums: dict[int, int] = {}
    words: dict[int, str] = {}
    weights: dict[int, int] = {}
    ranked: list[tuple[int, int, int]] = []
    for number, student in enumerate(students):
        weight = 0
        for row in student.counts:
            status, value = row.status, row.value
            try:
                sums[status] += value
            except KeyError:  # the first of this code: what it is called and weighs
                sums[status] = value
                label = labels.of_mark(status, row.label)
                words[status] = "not taken" if label.kind is Kind.NOT_TAKEN else label.text
                weights[status] = 0 if label.kind in _USUAL else _WEIGHTS.get(label.kind, 1)
            weight += weights[status] * value
        if weight or detail == "full":
            ranked.append((-weight, student.id, number))
    first = (page - 1) * per_page
    wanted = [] if detail == "counts" else heapq.nsmallest(first + per_page, ranked)[first:]
    rows = [
        _student(id, _by_label([(row.status, row.value) for row in students[number].counts], words), names)
        for _, id, number in wanted
    ]
    shown, fits = within_room(rows)
    return TermTotals(
        of=of,
        term=term,
        unit=unit,
        students=len(students),
        counts=_largest_first(_by_label(sums.items(), words)),
        totals=shown,
        more=0 if detail == "counts" else max(0, len(ranked) - first - len(shown)),
        fits=fits,
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
    rows_shown, fits = within_room(shown)
    return Adjustments(
        of=of,
        term=term,
        students=students,
        adjustments=rows_shown,
        more=max(0, len(wanted) - first - len(rows_shown)),
        fits=fits,
    )


def _by_label(counts: Iterable[tuple[int, int]], words: Mapping[int, str]) -> dict[str, int]:
    """Numbers by label; codes that share a label are added up, but never into not taken."""
    sums: dict[str, int] = {}
    for status, number in counts:
        word = words[status]
        sums[word] = sums.get(word, 0) + number
    return sums


def _largest_first(counts: Mapping[str, int]) -> dict[str, int]:
    """Not taken comes last, however many."""
    return dict(sorted(counts.items(), key=lambda item: (item[0] == "not taken", -item[1], item[0])))


def _student(id: int, counts: dict[str, int], names: Mapping[int, str]) -> StudentCounts:
    return StudentCounts(id=id, name=names.get(id, f"student {id}"), counts=counts)
