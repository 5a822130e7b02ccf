"""The tool that answers who is a concern: below a threshold, or away for days in a row."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from attendance_mcp.digest.concerns import Concerns, concerns
from attendance_mcp.errors import ArgumentError
from attendance_mcp.school.concerns import gather_range, gather_term
from attendance_mcp.school.groups import find_group
from attendance_mcp.school.school import School
from attendance_mcp.tools.arguments import GroupName, OptionalDay


def _percentage(value: Any) -> Fraction:
    """90, 92.5, "90" or "90 %", exactly."""
    if isinstance(value, str):
        value = value.strip().removesuffix("%").strip()
    try:
        if not isinstance(value, bool) and (number := float(value)) and math.isfinite(number) and 0 < number <= 100:
            return Fraction(str(value))
    except (TypeError, ValueError):
        pass
    raise ValueError("a percentage above 0 and up to 100 is expected, such as 90")


TermName = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) and not isinstance(value, bool) else value),
    Field(max_length=120),
    WithJsonSchema({"type": "string", "description": "a name or id; none is the current one"}),
]
Percentage = Annotated[
    int | Fraction,
    BeforeValidator(_percentage),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 100, "default": 90}),
]
RunDays = Annotated[int, Field(ge=2, le=15, strict=True)]


async def list_attendance_concerns(
    school: School,
    term: TermName = "",
    start_date: OptionalDay = None,
    end_date: OptionalDay = None,
    group: GroupName = "",
    threshold: Percentage = 90,
    run_days: RunDays = 3,
) -> Concerns:
    """Who is below a threshold (percent attended), and who was away run_days or more school days in a row (of the last
    15): in a term, or from start_date to end_date (up to 15 school days). The answer states its rule; adjustments
    stand beside. Unexcused or not it can't tell: list_absences can.
    """
    of = await find_group(school, group)
    if start_date or end_date:
        if term:
            raise ArgumentError("Give a term or dates, not both.")
        end = school.clock.day(end_date) if end_date else school.clock.today()
        evidence = await gather_range(school, of, school.clock.day(start_date) if start_date else end, end)
    else:
        evidence = await gather_term(school, of, term)
    return concerns(
        evidence,
        of=of.name,
        threshold=Fraction(threshold) / 100,
        run_days=run_days,
        not_read=school.not_read,
    )
