"""The tool that answers who is absent."""

from __future__ import annotations

from collections.abc import Sequence

from attendance_mcp.digest.absence_range import range_absences
from attendance_mcp.digest.absences import Absences, day_absences
from attendance_mcp.digest.facts import listed
from attendance_mcp.errors import ArgumentError
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.day import read_days
from attendance_mcp.school.days_off import days_off, range_days
from attendance_mcp.school.groups import find_group
from attendance_mcp.school.school import School
from attendance_mcp.tools.arguments import Day, Flag, GroupName, OptionalDay, Since


async def list_absences(
    school: School,
    date: Day = "today",
    start_date: OptionalDay = None,
    end_date: OptionalDay = None,
    group: GroupName = "",
    unexplained_only: Flag = False,
    since: Since = "",
) -> Absences:
    """Who is absent, late, left early or out, and whether an excusal covers it: on a date, or from start_date to
    end_date (at most 15 school days: dates and runs). Counts for everybody, names for the exceptions.
    `since` (an earlier answer's as_of): what changed.
    """
    of = await find_group(school, group)
    if start_date or end_date:
        if since:
            raise ArgumentError("Give since with one date, not with a range.")
        start = school.clock.day(start_date) if start_date else school.clock.day(end_date or "today")
        end = school.clock.day(end_date) if end_date else school.clock.today()
        chosen = await range_days(school, of, start, end)
        found = await read_days(
            school,
            of,
            chosen.days,
            classes=not of.whole_school,
            off=chosen.off,
            off_unless_marked=chosen.unknown,
        )
        if chosen.unknown:
            chosen.said.append("No calendar names all school days: a day without any mark is left out.")
            found = {day: one for day, one in found.items() if one.rows or one.no_source}
        today = school.clock.today()
        left_out = sorted({name for one in found.values() for name in one.no_source})
        return range_absences(
            {day: one.rows for day, one in found.items()},
            title=f"{spoken(start)} to {spoken(min(end, today) if start <= today else end)}",
            of=of.name,
            unexplained_only=unexplained_only,
            remarks=[*chosen.said, *_told("Left out, no homeroom there; ask for such a group by name", left_out)],
            not_read=school.not_read,
        )
    day = school.clock.day(date)
    one = (await read_days(school, of, [day], off_unless_marked=None))[day]
    as_of = school.clock.stamp()
    question = (school.caller, of.kind, of.name, day)
    states = {row.id: row.state for row in one.rows}
    earlier = school.connection.recall.compare(question, since=since, as_of=as_of, states=states)
    remarks = await days_off(school, of, day)
    if day > school.clock.today():
        remarks.append("That day is still to come.")
    remarks += _told("No homeroom there, so told from taken class marks", one.from_classes)
    if since and earlier is None:
        remarks.append(f"Nothing is remembered of {since}, so this is the whole list.")
    return day_absences(
        one.rows,
        day=spoken(day),
        of=of.name,
        as_of=as_of,
        unexplained_only=unexplained_only,
        since=since,
        earlier=earlier,
        remarks=remarks,
        not_read=school.not_read,
    )


def _told(what: str, groups: Sequence[str]) -> list[str]:
    return [f"{what}: {listed(groups)}."] if groups else []
