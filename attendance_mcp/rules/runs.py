"""Runs of school days away, and on which weekdays a student is away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from attendance_mcp.status import Kind

AWAY = frozenset({Kind.ABSENT, Kind.EXCUSED, Kind.HEALTH})


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive school days away; `gaps` are the days in between whose register was not taken."""

    days: tuple[date, ...]
    kinds: Mapping[Kind, int]
    gaps: tuple[date, ...] = ()

    @property
    def start(self) -> date:
        return self.days[0]

    @property
    def end(self) -> date:
        return self.days[-1]

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True, slots=True)
class WeekdayCount:
    """How often a student was away on one weekday (Monday = 0), of the days that were marked."""

    weekday: int
    away: int
    marked: int


def runs(
    days: Mapping[date, Kind], school_days: Iterable[date], *, away: Collection[Kind] = AWAY, at_least: int = 1
) -> list[Run]:
    """The runs of consecutive school days away, oldest first.

    A day that was not taken neither breaks a run nor lengthens it; any other mark breaks it. Marks on days that are
    no school days are left aside.
    """
    found: list[Run] = []
    current: list[date] = []
    gaps: list[date] = []
    waiting: list[date] = []  # days not taken become gaps only where the run goes on after them
    for day in sorted(set(school_days)):
        kind = days.get(day, Kind.NOT_TAKEN)
        if kind in away:
            if current:
                gaps += waiting
            current.append(day)
            waiting = []
        elif kind is Kind.NOT_TAKEN:
            waiting.append(day)
        else:
            _close(found, current, gaps, days)
            current, gaps, waiting = [], [], []
    _close(found, current, gaps, days)
    return [run for run in found if len(run) >= at_least]


def weekday_pattern(days: Mapping[date, Kind], *, away: Collection[Kind] = AWAY) -> list[WeekdayCount]:
    """Days away and marked on each weekday that has a taken mark, Monday first."""
    marked = Counter(day.weekday() for day, kind in days.items() if kind is not Kind.NOT_TAKEN)
    gone = Counter(day.weekday() for day, kind in days.items() if kind in away)
    return [WeekdayCount(weekday, gone[weekday], marked[weekday]) for weekday in sorted(marked)]


def _close(found: list[Run], current: list[date], gaps: list[date], days: Mapping[date, Kind]) -> None:
    if current:
        counts = Counter(days[day] for day in current)
        found.append(Run(tuple(current), {kind: counts[kind] for kind in Kind if kind in counts}, tuple(gaps)))
