"""The table of operations: every method and path of the contract with the function that answers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from attendance_mcp.sandbox import routes_classes as classes
from attendance_mcp.sandbox import routes_excusals as excusals
from attendance_mcp.sandbox import routes_homeroom as homeroom
from attendance_mcp.sandbox import routes_reference as reference
from attendance_mcp.sandbox import routes_school as school
from attendance_mcp.sandbox.requests import Call

_ACTIONS = {"POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "destroy"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; `part` names what a school may be without."""

    method: str
    path: str
    answer: Callable[[Call], dict[str, Any]]
    part: str | None = None
    status: int = 200

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def permission(self) -> str:
        """What the token's permissions call it: students/excusals/index."""
        names = [part for part in self.path.split("/")[2:] if not part.startswith("{")]
        reads = "show" if self.path.endswith("}") else "index"
        return "/".join([*names, _ACTIONS.get(self.method, reads)])


def get_permissions(call: Call) -> dict[str, Any]:
    """Answer what the token may use; operations that the school is without are not among them."""
    return {"permissions": sorted({row.permission for row in OPERATIONS if row.part not in call.without})}


_CLASS = "/v2p1/classes/{id}"
_HOMEROOM = "/v2p1/year-groups/{year_group_id}/homeroom/attendance"
_EXCUSALS = "/v2p1/students/{student_id}/excusals"
_YEAR_CALENDAR = "/v2p1/school/programs/{program_code}/academic-years/{id}/calendar"
_YEAR_CATEGORIES = "/v2p1/school/academic-years/{id}/attendance_categories"

OPERATIONS: tuple[Operation, ...] = (
    Operation("GET", f"{_CLASS}/attendance/term/{{term_id}}", classes.class_term),
    Operation("GET", f"{_CLASS}/attendance/date/{{date}}", classes.class_date),
    Operation("PUT", f"{_CLASS}/attendance", classes.set_class, part="extended"),
    Operation("GET", f"{_CLASS}/timetable", classes.timetable),
    # Before the students' own paths, which would take "excusals" for an id.
    Operation("GET", "/v2p1/students/excusals/{date}", excusals.excusals_on_date),
    Operation("GET", f"{_HOMEROOM}/term/{{term_id}}", homeroom.homeroom_term),
    Operation("GET", f"{_HOMEROOM}/date/{{date}}", homeroom.homeroom_date),
    Operation("GET", f"{_HOMEROOM}/term/{{term_id}}/adjustments", homeroom.homeroom_adjustments),
    Operation("GET", _EXCUSALS, excusals.student_excusals),
    Operation("POST", _EXCUSALS, excusals.create_excusal, status=201),
    Operation("PATCH", f"{_EXCUSALS}/{{id}}", excusals.update_excusal, part="extended"),
    Operation("DELETE", f"{_EXCUSALS}/{{id}}", excusals.delete_excusal, part="extended"),
    Operation("PUT", "/v2p1/students/{id}/set_homeroom_attendance", homeroom.set_homeroom, part="extended"),
    Operation("GET", "/v2p1/students", reference.list_students),
    Operation("GET", "/v2p1/students/{id}", reference.get_student),
    Operation("GET", "/v2p1/students/{id}/memberships", reference.student_memberships),
    Operation("GET", "/v2p1/classes", reference.list_classes),
    Operation("GET", _CLASS, reference.get_class),
    Operation("GET", f"{_CLASS}/students", reference.class_students),
    Operation("GET", "/v2p1/year-groups", reference.list_year_groups),
    Operation("GET", "/v2p1/year-groups/{id}/students", reference.year_group_students),
    Operation("GET", "/v2p1/school", school.get_school),
    Operation("GET", "/v2p1/school/academic-years", school.list_academic_years),
    Operation("GET", _YEAR_CALENDAR, school.get_calendar, part="calendar"),
    Operation("GET", "/v2p1/memberships", reference.list_memberships),
    Operation("GET", _YEAR_CATEGORIES, school.list_categories, part="categories"),
    Operation("GET", "/v2p1/teachers", reference.list_teachers, part="teachers"),
    Operation("GET", "/v2p1/parents", reference.list_parents),
    Operation("GET", "/v2p1/parents/{id}", reference.get_parent),
    Operation("GET", "/v2p1/auth/permissions", get_permissions, part="permissions"),
)
