"""Which days are school days for whom in a group, and how a day off is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from attendance_mcp.digest.facts import listed
from attendance_mcp.errors import ArgumentError, UpstreamError
from attendance_mcp.rules.calendar import DayKind, SchoolCalendar
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.groups import Group
from attendance_mcp.school.school import School, group_name

MOST_DAYS = 15
_LONGEST_SPAN = timedelta(days=60)
_FEW_GROUPS = 6


@dataclass(slots=True)
class RangeDays:
    """The days of a range on which anybody of a group has school, or may have.

    `off` and `unknown` hold (day, programme code) where there is none, and where nobody says whether there is.
    """

    days: list[date] = field(default_factory=list)
    off: set[tuple[date, str]] = field(default_factory=set)
    unknown: set[tuple[date, str]] = field(default_factory=set)
    said: list[str] = field(default_factory=list)


async def calendars(school: School, group: Group) -> dict[str, SchoolCalendar]:
    """The calendar of each programme of the group."""
    codes = dict.fromkeys(one.program_code for one in group.year_groups if one.program_code)
    return {code: await school.calendar(code) for code in codes}


async def closed_on(school: School, group: Group, day: date) -> list[tuple[date, str]]:
    """The programmes of the group that are known to have no school on the day, each with the day."""
    try:
        of = await calendars(school, group)
    except UpstreamError:  # `days_off` says so
        return []
    return [(day, code) for code, calendar in of.items() if calendar.status(day).kind is DayKind.DAY_OFF]


async def days_off(school: School, group: Group, day: date) -> list[str]:
    """A line for the programmes of the group without school on the day, with their last school day.

    A calendar that can't be read stands in `school.not_read`: the marks of the day can be told all the same.
    """
    closed: dict[tuple[str, date | None], list[str]] = {}
    unknown: list[str] = []
    try:
        of = await calendars(school, group)
    except UpstreamError as error:
        school.not_read.append(f"Whether {spoken(day)} is a school day could not be read: {error}")
        return []
    for code, calendar in of.items():
        status = calendar.status(day)
        if status.kind is DayKind.SCHOOL_DAY:
            continue
        if status.kind is DayKind.UNKNOWN:
            unknown += _year_groups(group, code)
        else:
            key = (status.reason or "day off", calendar.last_school_day(day))
            closed.setdefault(key, []).extend(_year_groups(group, code))
    lines = []
    for (reason, last), names in closed.items():
        tail = f"; the last school day was {spoken(last)}" if last else ""
        lines.append(f"No school for {listed(names)} on {spoken(day)} ({reason}){tail}.")
    if unknown:
        lines.append(f"Whether {spoken(day)} is a school day for {listed(unknown)} is not known.")
    return lines


async def range_days(school: School, group: Group, start: date, end: date) -> RangeDays:
    """The school days from start to end. Raises ArgumentError where they are more than 15, or none."""
    if end < start:
        raise ArgumentError(f"The range would end ({end}) before it starts ({start}).")
    today = school.clock.today()
    chosen = RangeDays()
    if start <= today < end:
        chosen.said.append(f"What is after today, {spoken(today)}, is left out.")
        end = today
    if end - start > _LONGEST_SPAN:
        raise ArgumentError(f"At most {MOST_DAYS} school days at once; for a term ask list_attendance_concerns.")
    of = await calendars(school, group)
    span = [start + timedelta(days=number) for number in range((end - start).days + 1)]
    for day in span:
        off = {code for code, calendar in of.items() if calendar.status(day).kind is DayKind.DAY_OFF}
        if len(off) < len(of) or not of:
            chosen.days.append(day)
            chosen.off |= {(day, code) for code in off}
            unknown = {code for code, calendar in of.items() if calendar.status(day).kind is DayKind.UNKNOWN}
            chosen.unknown |= {(day, code) for code in unknown}
    for code in of:
        free = [day for day, own in sorted(chosen.off) if own == code]
        if free:
            names = listed(_year_groups(group, code))
            chosen.said.append(f"No school for {names} on {listed([spoken(day) for day in free])}.")
    if len(chosen.days) > MOST_DAYS:
        what = "days that may be school days" if chosen.unknown else "school days"
        raise ArgumentError(
            f"{start} to {end} holds {len(chosen.days)} {what}; at most {MOST_DAYS} at once. "
            f"For a term ask list_attendance_concerns."
        )
    if not chosen.days:
        lines: Sequence[str] = await days_off(school, group, end)
        raise ArgumentError(f"No day from {start} to {end} is a school day here. {' '.join(lines)}".strip())
    return chosen


def _year_groups(group: Group, code: str) -> list[str]:
    return [group_name(one) for one in group.year_groups if one.program_code == code]
