"""Every tool, in the order in which they are listed."""

from __future__ import annotations

from functools import cache, partial

from attendance_mcp.digest.absence_range import AbsenceRange
from attendance_mcp.tools import (
    absences,
    changes,
    classes,
    concerns,
    context,
    excusals,
    finding,
    homeroom,
    registers,
    student,
    window,
)
from attendance_mcp.tools.tool import AttendanceTool
from attendance_mcp.tools.tool import tool as make_tool

# Those that are left out without writing; plan_changes writes nothing itself, and leads to what does.
WRITING = frozenset(
    {
        "apply_changes",
        "create_excusal",
        "delete_excusal",
        "plan_changes",
        "set_class_attendance",
        "set_homeroom_attendance",
        "update_excusal",
    }
)


@cache  # their models are most of what another server in the same process would cost
def all_tools(*, writes: bool, browser: bool = True, codes: bool = False) -> tuple[AttendanceTool, ...]:
    """The tools; without writes, those that change nothing; without a browser, those that show nothing.

    With `codes` people go by codes in place of ids.
    """
    tool = partial(make_tool, codes=codes)
    reading: tuple[AttendanceTool, ...] = (
        tool(context.get_school_context, title="The school at a glance"),
        tool(finding.find_in_school, title="Find in school"),
        tool(absences.list_absences, title="Who is absent", output=AbsenceRange),
        tool(registers.list_missing_registers, title="Missing registers"),
        tool(registers.reconcile_homeroom, title="Homeroom against classes"),
        tool(concerns.list_attendance_concerns, title="Attendance concerns"),
        tool(student.get_student_attendance, title="Attendance of a student"),
        tool(homeroom.get_homeroom_attendance, title="Homeroom marks of a day"),
        tool(homeroom.get_homeroom_term_attendance, title="Homeroom totals of a term"),
        tool(homeroom.get_homeroom_adjustments, title="Homeroom adjustments"),
        tool(classes.get_class_attendance, title="Class marks of a day"),
        tool(classes.get_class_term_attendance, title="Class totals of a term"),
        tool(classes.get_class_timetable, title="Timetable of a class"),
        tool(excusals.list_excusals, title="Excusals of a day"),
        tool(excusals.list_student_excusals, title="Excusals of a student"),
        tool(changes.list_changes, title="What was changed here"),
    )
    if browser:
        reading = (*reading, tool(window.show_in_window, title="Show in the person's browser"))
    if not writes:
        return reading
    return (
        *reading,
        tool(homeroom.set_homeroom_attendance, title="Set a homeroom mark", writes=True, destructive=True),
        tool(classes.set_class_attendance, title="Set class marks", writes=True, destructive=True),
        tool(excusals.create_excusal, title="Make an excusal", writes=True, destructive=True),
        tool(excusals.update_excusal, title="Alter an excusal", writes=True, destructive=True),
        tool(excusals.delete_excusal, title="Delete an excusal", writes=True, destructive=True),
        tool(changes.plan_changes, title="Plan an errand", idempotent=False),
        tool(changes.apply_changes, title="Apply a plan", writes=True, destructive=True),
    )
