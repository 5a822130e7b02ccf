"""The sheets of a school as its caller sees it, and the window as `show_in_window` uses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from attendance_mcp.changes.desk import Errand
from attendance_mcp.changes.journal import journal
from attendance_mcp.digest.sheets import group_term
from attendance_mcp.errors import AttendanceError
from attendance_mcp.school.concerns import gather_term
from attendance_mcp.school.groups import called_here
from attendance_mcp.school.school import School
from attendance_mcp.school.sheets import register_sheet, student_term_sheet
from attendance_mcp.tools.viewing import NO_BROWSER, Look
from attendance_mcp.window.plans import StoredPlan
from attendance_mcp.window.ports import PlanPort, SheetContent
from attendance_mcp.window.window import Window

_PLANS = 100  # as many as a person looks through


@dataclass(eq=False)
class SchoolSheet:
    """One sheet. An errand of its own for each reading: the call that opened it is long over."""

    look: Look
    errand: Callable[[], Errand]
    demo: bool = False

    async def read(self) -> SheetContent:
        errand, look = self.errand(), self.look
        school = errand.school
        if look.student is not None:
            # Read again: who asked for the page may not have been told the name.
            return await student_term_sheet(school, await school.student(look.student.id), look.term)
        if look.group is None:
            return await journal(errand, since=None, student_id=None, limit=_PLANS)
        group = await called_here(school, look.group)
        if look.day is not None:
            return await register_sheet(school, group, look.day)
        evidence = await gather_term(school, group, look.term)
        return group_term(evidence, of=group.name, not_read=school.not_read)

    async def plan(self, confirmation: str) -> PlanPort:
        plan = await self.errand().find(confirmation)
        return StoredPlan(plan.code, self.errand, demo=self.demo)


@dataclass(eq=False)
class WindowViewer:
    """The window, for a call that shows a sheet."""

    window: Window | None
    school: School
    errand: Callable[[], Errand]
    demo: bool = False

    async def show(self, look: Look) -> None:
        if self.window is None or not self.window.available():
            raise AttendanceError(NO_BROWSER)
        await self.window.show_sheet(SchoolSheet(look, self.errand, demo=self.demo))
