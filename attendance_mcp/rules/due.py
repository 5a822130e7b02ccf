"""When a register is due on a day, by the profile: before that a missing one is only not yet taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from attendance_mcp.rules.profile import ProgramRules


class Due(StrEnum):
    """Whether a register ought to be taken by now."""

    DUE = "due"
    NOT_YET = "not yet due"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Deadline:
    """When the register of a day is due, on the school's own clock; `at` is None where the profile doesn't say."""

    day: date
    at: datetime | None = None

    def is_due(self, now: datetime) -> Due:
        """Whether it is due at this moment, given in the school's time zone (a zone it carries is not converted).

        A register of a past day is due and one of a day to come isn't, also where the profile gives no time.
        """
        wall = now.replace(tzinfo=None)
        if self.at is not None:
            return Due.DUE if wall >= self.at else Due.NOT_YET
        if self.day == wall.date():
            return Due.UNKNOWN
        return Due.DUE if self.day < wall.date() else Due.NOT_YET


def homeroom_deadline(rules: ProgramRules, day: date) -> Deadline:
    """When a homeroom register is due."""
    return Deadline(day, datetime.combine(day, rules.homeroom_due) if rules.homeroom_due else None)


def class_deadline(rules: ProgramRules, day: date, *, period: int) -> Deadline:
    """When a class register of a period is due: so long after the period's start, else at the day's one time."""
    start = rules.period_starts.get(period)
    if start is not None and rules.class_due_minutes is not None:
        return Deadline(day, datetime.combine(day, start) + timedelta(minutes=rules.class_due_minutes))
    return Deadline(day, datetime.combine(day, rules.class_due) if rules.class_due else None)
