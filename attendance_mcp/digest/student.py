"""One student's attendance: totals and rate, the last days, each class, excusals and adjustments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from attendance_mcp.digest.concerns import adjusted_text, bounds, shortened, spoken_span
from attendance_mcp.digest.facts import Facts, Row, StudentId, counted, listed, tally, who
from attendance_mcp.rules.labels import Label
from attendance_mcp.rules.rates import FEW, Rate, RateRule, percent, rate_of, rule_text
from attendance_mcp.rules.runs import AWAY, runs, weekday_pattern
from attendance_mcp.status import NOT_TAKEN, Kind

MOST_EXCUSALS = 20
MOST_CLASSES = 30
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
Counts = Mapping[Label, int]


@dataclass(frozen=True, slots=True)
class Covered:
    """The days of an excusal; its comment is only said to be there."""

    start: date
    end: date
    comment: bool = False

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end


@dataclass(slots=True)
class StudentEvidence:
    """What was read of one student; a day without a label is not taken."""

    id: int
    name: str
    group: str
    span: str
    advisor: str = ""
    archived: bool = False
    totals: Counts | None = None  # days by label; None where the student's year group keeps no homeroom
    rule: RateRule = field(default_factory=RateRule)
    days: Mapping[date, Label | None] = field(default_factory=dict)
    adjusted: Mapping[str, int] = field(default_factory=dict)
    classes: Mapping[str, Counts] = field(default_factory=dict)
    excusals: Sequence[Covered] | None = None  # None where they could not be read
    notes: Sequence[str] = ()


class ClassPeriods(Row):
    """A class in periods."""

    counts: dict[str, int]
    rate: str = ""

    def __str__(self) -> str:
        return f"{f'{self.rate}; ' if self.rate else ''}{tally(self.counts) or 'no marks'}"


class StudentAttendance(Facts):
    id: StudentId
    student: str
    group: str
    advisor: str = ""
    span: str
    counts: dict[str, int] = {}
    rate: str = ""
    adjusted: str = ""
    days_looked_at: str = ""
    days: dict[str, list[str]] = {}
    no_excusal: list[str] = []
    runs: list[str] = []
    weekdays: dict[str, str] = {}
    classes: dict[str, ClassPeriods] = {}
    excusals: list[str] = []
    rule: str = ""
    notes: list[str] = []
    not_read: list[str] = []

    def lines(self) -> Iterable[str]:
        advisor = f", homeroom of {self.advisor}" if self.advisor else ""
        yield f"{who(self.student, self.id)}, {self.group}{advisor}. {self.span}."
        if self.counts:
            yield f"Days: {tally(self.counts)}."
        if self.rate:
            yield f"Rate: {self.rate}."
        if self.adjusted:
            yield f"Adjustments, beside the totals: {self.adjusted}."
        if self.days_looked_at:
            yield from self._day_lines()
        if self.classes:
            yield "Classes, in periods:"
            yield from (f"{name}: {one}" for name, one in self.classes.items())
        if self.excusals:
            yield f"Excusals: {'; '.join(self.excusals)}."
        yield from self.notes
        if self.rule:
            yield self.rule
        yield from self.not_read

    def _day_lines(self) -> Iterable[str]:
        days = "; ".join(f"{label} {listed(dates)}" for label, dates in self.days.items())
        yield f"{self.days_looked_at}: {days or 'present wherever marks were taken'}."
        if self.no_excusal:
            yield f"Absent without an excusal: {listed(self.no_excusal)}."
        if self.runs:
            yield f"In a row: {'; '.join(self.runs)}."
        if self.weekdays:
            yield f"Away by weekday: {', '.join(f'{day} {number}' for day, number in self.weekdays.items())}."


def student_attendance(evidence: StudentEvidence, *, not_read: Sequence[str] = ()) -> StudentAttendance:
    """The facts of one student; a class counts periods, which never become days."""
    days = evidence.days
    kinds = {day: label.kind if label else Kind.NOT_TAKEN for day, label in days.items()}
    found = runs(kinds, days, at_least=2)
    by_label: dict[str, list[str]] = {}
    for day in sorted(days):
        label = days[day]
        if label is None or label.kind is not Kind.PRESENT:
            by_label.setdefault(label.text if label else "not taken", []).append(_spoken(day))
    names = sorted(name for name, counts in evidence.classes.items() if counts)
    return StudentAttendance(
        id=evidence.id,
        student=f"{evidence.name}, archived" if evidence.archived else evidence.name,
        group=evidence.group,
        advisor=evidence.advisor,
        span=evidence.span,
        counts=_by_label(evidence.totals or {}),
        rate=rate_text(_rate(evidence.totals, evidence.rule)) if evidence.totals is not None else "",
        adjusted=adjusted_text(evidence.adjusted),
        days_looked_at=f"{counted(len(days), 'school day')}, {spoken_span(sorted(days))}" if days else "",
        days=by_label,
        no_excusal=_uncovered(kinds, evidence.excusals),
        runs=[
            f"{len(run)} days away, {spoken_span(run.days)}"
            f"{f', {len(run.gaps)} between them not taken' if run.gaps else ''}"
            for run in found
        ],
        weekdays={_WEEKDAYS[one.weekday]: f"{one.away} of {one.marked}" for one in weekday_pattern(kinds) if one.away},
        classes={name: _periods(evidence.classes[name], evidence.rule) for name in names[:MOST_CLASSES]},
        excusals=_excusals(evidence.excusals or ()),
        rule=rule_text(evidence.rule, unit="days" if evidence.totals is not None else "periods"),
        notes=[*evidence.notes, *_missing(evidence)],
        not_read=shortened(not_read),
    )


def rate_text(rate: Rate, *, unit: str = "days") -> str:
    """`91.2 %, 52 of 57 counted days attended; 88.1–91.5 % as 2 not taken turn out`."""
    if rate.exact is None:
        return f"none, no {unit[:-1]} counts yet" + (f"; {rate.not_taken} not taken" if rate.not_taken else "")
    few = f" (fewer than {FEW}, so it means little)" if rate.few else ""
    open_days = f"; {bounds(rate)} as {rate.not_taken} not taken turn out" if rate.not_taken else ""
    unclassified = f"; {rate.unclassified} unclassified count in neither" if rate.unclassified else ""
    lates = f"; {rate.added_by_lates} away for late marks" if rate.added_by_lates else ""
    return (
        f"{percent(rate.exact)}, {rate.attended} of {rate.counted} counted {unit} attended{few}"
        f"{open_days}{unclassified}{lates}"
    )


def _rate(counts: Counts | None, rule: RateRule) -> Rate:
    kinds: dict[Kind, int] = {}
    for label, number in (counts or {}).items():
        kind = Kind.NOT_TAKEN if label.code == NOT_TAKEN else label.kind
        kinds[kind] = kinds.get(kind, 0) + number
    return rate_of(kinds, rule=rule)


def _periods(counts: Counts, rule: RateRule) -> ClassPeriods:
    rate = _rate(counts, rule)
    return ClassPeriods(counts=_by_label(counts), rate=bounds(rate) if rate.counted else "")


def _by_label(counts: Counts) -> dict[str, int]:
    """Numbers by label, the largest first and not taken last; two codes of one label are added up."""
    sums: dict[str, int] = {}
    for label, number in counts.items():
        name = "not taken" if label.code == NOT_TAKEN else label.text
        sums[name] = sums.get(name, 0) + number
    return dict(sorted(sums.items(), key=lambda item: (item[0] == "not taken", -item[1], item[0])))


def _uncovered(kinds: Mapping[date, Kind], excusals: Sequence[Covered] | None) -> list[str]:
    """The days absent that no excusal covers; nothing where excusals could not be read."""
    if excusals is None:
        return []
    absent = [day for day in sorted(kinds) if kinds[day] is Kind.ABSENT]
    return [_spoken(day) for day in absent if not any(day in one for one in excusals)]


def _excusals(excusals: Sequence[Covered]) -> list[str]:
    latest = sorted(excusals, key=lambda one: one.start, reverse=True)
    shown = [
        f"{spoken_span([one.start, one.end])}{', with a comment' if one.comment else ''}"
        for one in latest[:MOST_EXCUSALS]
    ]
    more = len(latest) - len(shown)
    return [*shown, *([f"and {more} earlier: list_student_excusals"] if more > 0 else [])]


def _missing(evidence: StudentEvidence) -> Iterable[str]:
    """What there is none of, where leaving it out would look like an oversight."""
    if evidence.excusals is not None and not evidence.excusals:
        yield "No excusal."
    if unmarked := sorted(name for name, counts in evidence.classes.items() if not counts):
        yield f"Classes without a mark: {listed(unmarked[:MOST_CLASSES])}."
    if (more := len(evidence.classes) - len(unmarked) - MOST_CLASSES) > 0:
        yield f"{more} more classes are left out."
    if any(kind in AWAY for kind in (label.kind for label in evidence.days.values() if label)):
        return
    if evidence.days and all(label is None for label in evidence.days.values()):
        yield "On none of these days was a mark taken: not due yet, days off, or nobody took the register."


def _spoken(day: date) -> str:
    return spoken_span([day])
