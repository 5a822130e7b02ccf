"""How an attendance rate is worked out, exactly: which kinds count, the bounds, and the rule in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor

from attendance_mcp.status import Kind

FEW = 10  # below so many counted days one day more or less moves a rate by more than it can mean
_AS_TOLD = (
    *(Kind.PRESENT, Kind.LATE, Kind.LEFT, Kind.OUT),
    *(Kind.ABSENT, Kind.EXCUSED, Kind.HEALTH),
    *(Kind.OTHER, Kind.UNCLASSIFIED),
)


class Side(StrEnum):
    """Where a kind stands in a rate."""

    ATTENDED = "attended"
    AWAY = "away"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class RateRule:
    """What the kinds that schools disagree about count as; present is always attended and absent always away.

    Raises ValueError where late marks would count twice.
    """

    late: Side = Side.ATTENDED
    left: Side = Side.ATTENDED
    out: Side = Side.ATTENDED
    excused: Side = Side.AWAY
    health: Side = Side.AWAY
    other: Side = Side.NEITHER
    lates_per_absence: int = 0  # so many late marks turn one attended day into one away; 0: they never add up
    health_apart: bool = True  # else whoever reads answers is told of no such kind, and its marks count as excused

    def __post_init__(self) -> None:
        if self.lates_per_absence < 0:
            raise ValueError("lates_per_absence can't be below 0")
        if self.lates_per_absence and self.late is not Side.ATTENDED:
            raise ValueError(
                f"lates_per_absence needs late = 'attended', not '{self.late}': late marks would count twice"
            )

    def side(self, kind: Kind) -> Side:
        """Where a mark of this kind stands; one that nobody can read, or that was not taken, is in neither."""
        match kind:
            case Kind.PRESENT:
                return Side.ATTENDED
            case Kind.ABSENT:
                return Side.AWAY
            case Kind.UNCLASSIFIED | Kind.NOT_TAKEN:
                return Side.NEITHER
            case _:
                return Side(getattr(self, kind.value))

    def kinds(self, side: Side) -> tuple[Kind, ...]:
        """The kinds on one side, in the order they are told in; without the marks not taken."""
        told = (kind for kind in _AS_TOLD if self.health_apart or kind is not Kind.HEALTH)
        return tuple(kind for kind in told if self.side(kind) is side)


@dataclass(frozen=True, slots=True)
class Rate:
    """One student's days (homeroom) or periods (one class), counted by a rule.

    attended + away + neither + not_taken is the number of marks that were given. `away` holds `added_by_lates`.
    """

    attended: int
    away: int
    neither: int  # kinds in neither, `unclassified` among them
    unclassified: int
    not_taken: int
    added_by_lates: int = 0

    @property
    def counted(self) -> int:
        return self.attended + self.away

    @property
    def few(self) -> bool:
        """Fewer than ten counted: to be listed apart."""
        return self.counted < FEW

    @property
    def exact(self) -> Fraction | None:
        """Attended ÷ (attended + away); None where nothing was."""
        return Fraction(self.attended, self.counted) if self.counted else None

    @property
    def low(self) -> Fraction | None:
        """The rate if the student was away wherever nothing was taken; the one to list by."""
        possible = self.counted + self.not_taken
        return Fraction(self.attended, possible) if possible else None

    @property
    def high(self) -> Fraction | None:
        """The rate if the student was there wherever nothing was taken."""
        possible = self.counted + self.not_taken
        return Fraction(self.attended + self.not_taken, possible) if possible else None

    def below(self, threshold: Fraction) -> bool:
        """Whether the student is listed as below: by the lower bound, since a child missed is worse than one named."""
        return self.low is not None and self.low < threshold

    def open_at(self, threshold: Fraction) -> bool:
        """Whether the marks not taken decide on which side of the threshold the student is."""
        return self.low is not None and self.high is not None and self.low < threshold <= self.high


def rate_of(counts: Mapping[Kind, int], *, rule: RateRule | None = None) -> Rate:
    """The rate from how many marks there are of each kind, be they days or periods.

    Raises ValueError at a negative count.
    """
    rule = rule or RateRule()
    if any(number < 0 for number in counts.values()):
        raise ValueError("a count of marks can't be below 0")
    sides = dict.fromkeys(Side, 0)
    for kind, number in counts.items():
        if kind is not Kind.NOT_TAKEN:
            sides[rule.side(kind)] += number
    added = counts.get(Kind.LATE, 0) // rule.lates_per_absence if rule.lates_per_absence else 0
    return Rate(
        attended=sides[Side.ATTENDED] - added,
        away=sides[Side.AWAY] + added,
        neither=sides[Side.NEITHER],
        unclassified=counts.get(Kind.UNCLASSIFIED, 0),
        not_taken=counts.get(Kind.NOT_TAKEN, 0),
        added_by_lates=added,
    )


def tenths(rate: Fraction, *, thresholds: Iterable[Fraction] = ()) -> int:
    """The rate in tenths of a percent, rounded half even, but never across a threshold: 89.96 % of 90 is 899.

    0 and 1 are always thresholds, behind those given: a child who was away once is never shown at 100 %.
    """
    shown = round(rate * 1000)
    for threshold in (Fraction(0), Fraction(1), *thresholds):
        if rate < threshold <= Fraction(shown, 1000):
            shown = floor(rate * 1000)
        # "At least" and "above 0" are the two sides that rounding down could hide.
        elif Fraction(shown, 1000) < threshold <= rate or (threshold == 0 and shown == 0 < rate):
            shown = ceil(rate * 1000)
    return shown


def percent(rate: Fraction, *, thresholds: Iterable[Fraction] = ()) -> str:
    """`89.9 %`: one decimal, never rounded across a threshold."""
    whole, tenth = divmod(tenths(rate, thresholds=thresholds), 10)
    return f"{whole}.{tenth} %"


def rule_text(rule: RateRule, *, unit: str = "days") -> str:
    """The rule as one sentence, for the answer that uses it; the unit is `days` or `periods`."""
    attended, away, neither = (", ".join(rule.kinds(side)) for side in Side)
    lates = ""
    if rule.lates_per_absence:
        each = (
            "each late mark turns" if rule.lates_per_absence == 1 else f"every {rule.lates_per_absence} late marks turn"
        )
        lates = f"; {each} one of the attended {unit} into one away"
    return (
        f"Rate = attended ÷ (attended + away), in {unit}; attended: {attended}; away: {away}; "
        f"in neither: {neither}, not taken{lates}."
    )


def differs(rule: RateRule) -> tuple[str, ...]:
    """The entries in which a school's rule is not the usual one."""
    usual = RateRule()
    return tuple(field.name for field in fields(rule) if getattr(rule, field.name) != getattr(usual, field.name))
