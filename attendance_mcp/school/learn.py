"""Learning a school profile by reads alone: calendars, labels, and which programmes keep no homeroom."""

from __future__ import annotations

from attendance_mcp.rules.proposal import ProgrammeSeen, proposed_profile
from attendance_mcp.school.day import groups_without_homeroom
from attendance_mcp.school.school import School


async def learn_profile(school: School) -> str:
    """The text of a school.toml for a person to look through; it holds no names of people."""
    groups = await school.year_groups()
    today = school.clock.today()
    without = await groups_without_homeroom(school, groups.values(), today)
    seen = []
    for code in sorted({group.program_code for group in groups.values() if group.program_code}):
        own = [group for group in groups.values() if group.program_code == code]
        years = (await school.calendar(code)).years
        seen.append(
            ProgrammeSeen(
                code=code,
                labels=await school.labels(code, today),
                homeroom=any(group.id not in without for group in own),
                calendar=any(year.listed for year in years),
                days_off=sorted({(day + 1) % 7 for year in years for day in (year.weekdays_off or ())}),
            )
        )
    return proposed_profile(seen)
