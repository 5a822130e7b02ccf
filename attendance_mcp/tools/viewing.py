"""What a sheet is to show, and the person's browser as a tool sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from attendance_mcp.api.records import Student
from attendance_mcp.school.groups import Group
from attendance_mcp.school.school import School

NO_BROWSER = (
    "No browser can be opened from here, so nothing is shown. The same is told by list_absences, "
    "list_missing_registers, get_student_attendance, list_attendance_concerns and list_changes."
)


@dataclass(frozen=True, slots=True)
class Look:
    """What a sheet is to show. Its records are read when the page is, and again at each reload."""

    view: Literal["register", "term", "changes"]
    group: Group | None = None
    student: Student | None = None
    day: date | None = None
    term: str = ""


class Viewer(Protocol):
    """A person's browser, and the school as its caller sees it."""

    @property
    def school(self) -> School: ...

    async def show(self, look: Look) -> None:
        """Opens the sheet; does not wait for it to be read. Raises AttendanceError, NO_BROWSER where there is none."""
        ...
