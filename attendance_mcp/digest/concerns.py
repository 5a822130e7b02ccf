"""Who is below a threshold and who was away for days in a row: every student once, ranked, the lowest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from attendance_mcp.digest.facts import Facts, Row, StudentId, counted, listed
from attendance_mcp.rules.rates import FEW, Rate, percent
from attendance_mcp.rules.runs import Run, runs
from attendance_mcp.status import Kind

MOST_NOT_READ = 12
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Counted:
    """One student's marks, counted by the rule of their programme; with a class name they are periods of that class."""

    id: int
    name: str
    group: str
    rate: Rate
    adjusted: Mapping[str, int] = field(default_factory=dict)
    class_name: str = ""


@dataclass(frozen=True, slots=True)
class Track:
    """One student's last days, among which runs are looked for."""

    id: int
    name: str
    group: str
    days: Mapping[date, Kind]


@dataclass(slots=True)
class Evidence:
    """What was read for a question about concerns."""

    span: str
    unit: str = "days"  # or periods
    students: list[Counted] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)
    run_days: Sequence[date] = ()  # the school days in which runs were looked for
    rules: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    archived: int = 0


class Concern(Row):
    """A student (in one class): the rate, or its two bounds where marks were not taken; away of so many counted."""

    id: StudentId
    name: str
    group: str = ""
    class_name: str = ""
    rate: str
    away: int = 0
    of: int = 0
    adjusted: str = ""

    @property
    def who(self) -> str:
        return f"{self.name} ({self.group})" if self.group else self.name

    def __str__(self) -> str:
        in_class = f"{self.class_name} " if self.class_name else ""
        return (
            f"{in_class}{self.rate}, {self.away} of {self.of}{f', adjusted {self.adjusted}' if self.adjusted else ''}"
        )


class AwayRun(Row):
    """School days in a row away, by kind, from a day on; `ongoing` where nothing else was marked after them."""

    id: StudentId
    name: str
    group: str = ""
    start: str
    days: str
    ongoing: bool = False

    @property
    def who(self) -> str:
        return f"{self.name} ({self.group})" if self.group else self.name

    def __str__(self) -> str:
        return f"{self.days} from {self.start}{', ongoing' if self.ongoing else ''}"


class Concerns(Facts):
    of: str
    span: str
    students: int
    threshold: str
    unit: str = "days"
    counts: dict[str, int]
    below: list[Concern] = []
    open: list[Concern] = []
    few: list[Concern] = []
    few_below: int = 0  # of few: those who may be below, most of whom `few` names
    run_days: int = 0
    runs_since: str = ""
    runs_found: int = 0
    runs: list[AwayRun] = []
    rules: list[str] = []
    notes: list[str] = []
    not_read: list[str] = []

    def lines(self) -> Iterable[str]:
        looked = f"{self.of}, {self.span}: {counted(self.students, 'student')} looked at"
        yield f"{looked}; {', '.join(f'{name} {number:,}' for name, number in self.counts.items())}."
        if self.below:
            yield f"Below {self.threshold} (away of counted {self.unit}):"
            yield from _rows(self.below)
        if self.open:
            yield f"Open, below only if {self.unit} not taken count as away:"
            yield from _rows(self.open)
        elif self.counts.get("open"):
            yield f"Open: below only if {self.unit} not taken count as away."
        if self.few:
            yield f"Few, under {FEW} counted {self.unit}; {self.few_below} may be below:"
            yield from _rows(self.few)
        if self.runs_since:
            number = f" ({self.runs_found}):" if self.runs_found else ": nobody."
            yield f"Away {self.run_days} or more school days in a row since {self.runs_since}{number}"
            yield from _rows(self.runs)
        yield from self.notes
        yield from self.rules
        yield from self.not_read


def _rows(rows: Sequence[Concern] | Sequence[AwayRun]) -> Iterable[str]:
    """A line for each student, with every class or run that is named of them."""
    of_student: dict[int | str, list[Concern | AwayRun]] = {}
    for row in rows:
        of_student.setdefault(row.id, []).append(row)
    for own in of_student.values():
        yield f"{own[0].who}: {'; '.join(map(str, own))}"


def concerns(
    evidence: Evidence, *, of: str, threshold: Fraction, run_days: int, not_read: Sequence[str] = ()
) -> Concerns:
    """The facts of a question about concerns.

    Each student (in each class, where the unit is periods) is in exactly one of the counts: below, open, few, else at
    or above the threshold.
    """
    parts: dict[str, list[Counted]] = {"below": [], "open": [], "few": [], "above": []}
    for one in evidence.students:
        parts[_part(one.rate, threshold)].append(one)
    few = [one for one in parts["few"] if one.rate.away and one.rate.below(threshold)]
    found = [(track, run) for track in evidence.tracks for run in runs(track.days, track.days, at_least=run_days)]
    found.sort(key=lambda item: (-len(item[1]), -item[1].end.toordinal(), item[0].name, item[0].id))
    students = len({one.id for one in evidence.students})
    alone = len({one.group for one in evidence.students} | {one.group for one in evidence.tracks}) == 1
    room = Room.of(parts, len(few), alone=alone)

    def named(rows: Sequence[Counted], most: int) -> list[Concern]:
        return [_concern(one, threshold, alone=alone) for one in ranked(rows)[:most]]

    below, open_ = named(parts["below"], room.below), named(parts["open"], room.open)
    known = {one.id for one in (*below, *open_)}  # their year group stands there
    shown_runs = [_away_run(track, run, alone=alone or track.id in known) for track, run in found[: room.runs]]
    left = len(parts["below"]) + len(parts["open"]) + len(few) - room.below - room.open - room.few
    return Concerns(
        of=of,
        span=evidence.span,
        students=students,
        threshold=_plain_percent(threshold),
        unit=evidence.unit,
        counts=_counts(parts, threshold, evidence),
        below=below,
        open=open_,
        few=named(few, room.few),
        few_below=len(few),
        run_days=run_days if evidence.run_days else 0,
        runs_since=spoken_span(evidence.run_days[:1]) if evidence.run_days else "",
        runs_found=len(found),
        runs=shown_runs,
        rules=evidence.rules,
        notes=[*_remarks(evidence, cut=left > 0 or len(found) > room.runs), *evidence.notes],
        not_read=shortened(not_read),
    )


@dataclass(frozen=True, slots=True)
class Room:
    """How many rows an answer names of each part, the surely below first.

    Of one year group or homeroom nearly everybody is named. Of several, whose marks nobody goes through name by name,
    the rows stay in step with the number of students.
    """

    below: int
    open: int
    few: int
    runs: int

    @classmethod
    def of(cls, parts: Mapping[str, Sequence[Counted]], few: int, *, alone: bool) -> Room:
        below, open_ = len(parts["below"]), len(parts["open"])
        if alone:
            return cls(below=min(below, 60), open=min(open_, 40), few=min(few, 12), runs=15)
        rows = sum(map(len, parts.values()))
        named = min(below, max(20, min(40, rows // 8)))
        usual = max(2, rows // 25)
        rest = max(0, usual - named)
        open_ = min(open_, 20, rest * 3 // 4 if few else rest)
        return cls(below=named, open=open_, few=min(few, 12, rest - open_), runs=max(4, min(25, rows // 25)))


def _remarks(evidence: Evidence, *, cut: bool) -> Iterable[str]:
    if not evidence.students:
        yield _NOBODY
    if any(any(one.adjusted.values()) for one in evidence.students):
        yield "Adjustments change no rate here."
    if cut:
        yield "Only the lowest are named; ask for a smaller group."


_NOBODY = "Nobody to look at: the term has no marks yet, or nothing tells of these students. Try another term or group."


def spoken_span(days: Sequence[date]) -> str:
    """`Tue 2026-11-03 to Tue 2026-11-24`."""
    first, last = (f"{_WEEKDAYS[day.weekday()]} {day.isoformat()}" for day in (days[0], days[-1]))
    return first if first == last else f"{first} to {last}"


def shortened(lines: Sequence[str]) -> list[str]:
    """What could not be read, the first lines of it and how many more: a school that answers no more fails often."""
    more = len(lines) - MOST_NOT_READ
    return [*lines[:MOST_NOT_READ], *([f"… and {more} more could not be read."] if more > 0 else [])]


def bounds(rate: Rate, *, thresholds: Iterable[Fraction] = ()) -> str:
    """`82.1–86.0 %`, or one figure where every mark was taken."""
    if rate.low is None or rate.high is None:
        return "no rate"
    thresholds = tuple(thresholds)
    low, high = (percent(one, thresholds=thresholds) for one in (rate.low, rate.high))
    return low if rate.low == rate.high else f"{low.removesuffix(' %')}–{high}"


def _part(rate: Rate, threshold: Fraction) -> str:
    if rate.few:
        return "few"
    if rate.open_at(threshold):
        return "open"
    return "below" if rate.below(threshold) else "above"


def ranked(students: Iterable[Counted]) -> list[Counted]:
    """The lowest lower bound first."""
    return sorted(students, key=_rank)


def _rank(one: Counted) -> tuple[Fraction, Fraction, int, str, str, int]:
    """The lowest lower bound first; of those that few marks tell of, who was away most."""
    low, high = one.rate.low, one.rate.high
    least = Fraction(0) if one.rate.few else (low if low is not None else Fraction(1))
    return (least, high if high is not None else Fraction(1), -one.rate.away, one.name, one.class_name, one.id)


def _counts(parts: Mapping[str, Sequence[Counted]], threshold: Fraction, evidence: Evidence) -> dict[str, int]:
    """The classes' counts are of students in a class: one student may be in several."""
    numbers = {
        "below": len(parts["below"]),
        "open": len(parts["open"]),
        "few": len(parts["few"]),
        f"at least {_plain_percent(threshold)}": len(parts["above"]),
        "adjusted": sum(any(one.adjusted.values()) for one in evidence.students),
        "archived, left out": evidence.archived,
    }
    return {name: number for name, number in numbers.items() if number or name == "below"}


def _concern(one: Counted, threshold: Fraction, *, alone: bool) -> Concern:
    return Concern(
        id=one.id,
        name=one.name,
        group="" if alone else one.group,
        class_name=one.class_name,
        rate=bounds(one.rate, thresholds=[threshold]),
        away=one.rate.away,
        of=one.rate.counted,
        adjusted=adjusted_text(one.adjusted),
    )


def adjusted_text(adjusted: Mapping[str, int]) -> str:
    """`Absent -2, Late +1`."""
    return ", ".join(f"{label} {number:+d}" for label, number in adjusted.items() if number)


def _away_run(track: Track, run: Run, *, alone: bool) -> AwayRun:
    later = [kind for day, kind in track.days.items() if day > run.end and kind is not Kind.NOT_TAKEN]
    gaps = [f"{len(run.gaps)} not taken between"] if run.gaps else []
    return AwayRun(
        id=track.id,
        name=track.name,
        group="" if alone else track.group,
        start=spoken_span(run.days[:1]),
        days=listed([*(f"{kind} {number}" for kind, number in run.kinds.items()), *gaps]),
        ongoing=not later,
    )


def _plain_percent(threshold: Fraction) -> str:
    return f"{float(threshold * 100):g} %"
