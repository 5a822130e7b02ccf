"""Which days are school days for whom in a group, and how a day off is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from attendance_mcp.digest.facts import listed
from attendance_mcp.errors import ArgumentError
from attendance_mcp.rules.calendar import DayKind, SchoolCalendar
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.groups import Group
from attendance_mcp.school.school import School, group_name

MOST_DAYS = 15
_LONGEST_SPAN = timedelta(days=60)


@dataclass(slots=True)
class RangeDays:
    """The days of a range on which anybody of a group has school; `off` names those who have none on one of them."""

    days: list[date] = field(default_factory=list)
    off: set[tuple[date, str]] = field(default_factory=set)  # (day, programme code)
    said: list[str] = field(default_factory=list)


async def calendars(school: School, group: Group) -> dict[str, SchoolCalendar]:
    """The calendar of each programme of the group."""
    codes = dict.fromkeys(one.program_code for one in group.year_groups if one.program_code)
    return {code: await school.calendar(code) for code in codes}


async def days_off(school: School, group: Group, day: date) -> list[str]:
    """A line for each programme of the group without school on the day, with its last school day."""
    lines = []
    for code, calendar in (await calendars(school, group)).items():
        status = calendar.status(day)
        if status.kind is DayKind.SCHOOL_DAY:
            continue
        names = _names(group, code)
        if status.kind is DayKind.UNKNOWN:
            lines.append(f"Whether {spoken(day)} is a school day for {names} is not known.")
            continue
        last = calendar.last_school_day(day)
        tail = f"; the last school day was {spoken(last)}" if last else ""
        lines.append(f"No school for {names} on {spoken(day)} ({status.reason or 'day off'}){tail}.")
    return lines


async def range_days(school: School, group: Group, start: date, end: date) -> RangeDays:
    """The school days from start to end. Raises ArgumentError where they are more than 15, or none."""
    if end < start:
        raise ArgumentError(f"The range would end ({end}) before it starts ({start}).")
    if end - start > _LONGEST_SPAN:
        raise ArgumentError(f"At most {MOST_DAYS} school days at once; for a term ask list_attendance_concerns.")
    end = min(end, max(start, school.clock.today()))
    chosen = RangeDays()
    of = await calendars(school, group)
    span = [start + timedelta(days=number) for number in range((end - start).days + 1)]
    for day in span:
        off = {code for code, calendar in of.items() if calendar.status(day).kind is DayKind.DAY_OFF}
        if len(off) < len(of) or not of:
            chosen.days.append(day)
            chosen.off |= {(day, code) for code in off}
    for code in of:
        free = [day for day, own in sorted(chosen.off) if own == code]
        if free:
            chosen.said.append(f"No school for {_names(group, code)} on {listed([spoken(day) for day in free])}.")
    if len(chosen.days) > MOST_DAYS:
        raise ArgumentError(
            f"{start} to {end} holds {len(chosen.days)} school days; at most {MOST_DAYS} at once. "
            f"For a term ask list_attendance_concerns."
        )
    if not chosen.days:
        lines: Sequence[str] = await days_off(school, group, end)
        raise ArgumentError(f"No day from {start} to {end} is a school day here. {' '.join(lines)}".strip())
    return chosen


def _names(group: Group, code: str) -> str:
    return listed([group_name(one) for one in group.year_groups if one.program_code == code])
