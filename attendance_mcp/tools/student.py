"""The tool that answers one student's attendance."""

from __future__ import annotations

from attendance_mcp.digest.student import StudentAttendance, student_attendance
from attendance_mcp.errors import ArgumentError
from attendance_mcp.school.people import find_student
from attendance_mcp.school.school import School
from attendance_mcp.school.student import gather_student_range, gather_student_term
from attendance_mcp.tools.arguments import OptionalDay, StudentName
from attendance_mcp.tools.concerns import TermName


async def get_student_attendance(
    school: School,
    student: StudentName,
    term: TermName = "",
    start_date: OptionalDay = None,
    end_date: OptionalDay = None,
) -> StudentAttendance:
    """One student's attendance in a term, or from start_date to end_date (up to 15 school days): days by label, the
    rate and its rule, dates, runs and weekdays of the last ten school days, each class in periods, excusals and
    adjustments. Comments are in list_student_excusals.
    """
    found = await find_student(school, student)
    if start_date or end_date:
        if term:
            raise ArgumentError("Give a term or dates, not both.")
        end = school.clock.day(end_date) if end_date else school.clock.today()
        start = school.clock.day(start_date) if start_date else end
        return student_attendance(await gather_student_range(school, found, start, end), not_read=school.not_read)
    return student_attendance(await gather_student_term(school, found, term), not_read=school.not_read)
