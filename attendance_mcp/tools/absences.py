"""The tool that answers who is absent."""

from __future__ import annotations

from attendance_mcp.digest.absences import Absences, day_absences
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.day import school_day
from attendance_mcp.school.school import School
from attendance_mcp.tools.arguments import Day


async def list_absences(school: School, date: Day = "today") -> Absences:
    """Who is absent, late, left early or out in the whole school on one day, and whether an excusal covers it.
    Counts for everybody, names for the exceptions; not taken is counted apart.
    """
    day = school.clock.day(date)
    found = await school_day(school, day)
    return day_absences(
        found.rows,
        day=spoken(day),
        no_source=found.no_source,
        not_read=school.not_read,
        note=found.note,
    )
