"""The operations of the school's API, one row each: the client, the retry rule, the docs and the tests read them here.

The names are those of the tools for the thirteen operations of attendance, and the client's methods for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One operation; `path` stands below the version and names its ids as the tools do."""

    name: str
    method: Method
    path: str
    paged: str | None = None  # the key that holds the records of a page
    extended: bool = False  # only schools with the Extended APIs package have it
    assumed: bool = False  # nobody documents it for this version: a 404 means that it is not offered
    tool: bool = False  # one of the thirteen operations of attendance

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def idempotent(self) -> bool:
        """Whether carrying it out twice leaves what carrying it out once does."""
        return self.method != "POST"

    @property
    def reference(self) -> bool:
        """Whether it turns a person's words into ids, rather than telling attendance."""
        return not self.tool


def _attendance(name: str, method: Method, path: str, *, paged: str | None = None, extended: bool = False) -> Endpoint:
    return Endpoint(name=name, method=method, path=path, paged=paged, extended=extended, tool=True)


def _reference(name: str, path: str, *, paged: str | None = None, assumed: bool = False) -> Endpoint:
    return Endpoint(name=name, method="GET", path=path, paged=paged, assumed=assumed)


_HOMEROOM = "/year-groups/{year_group_id}/homeroom/attendance"
_EXCUSALS = "/students/{student_id}/excusals"

_TABLE = (
    _attendance("get_class_term_attendance", "GET", "/classes/{class_id}/attendance/term/{term_id}"),
    _attendance("get_class_attendance", "GET", "/classes/{class_id}/attendance/date/{date}"),
    _attendance("set_class_attendance", "PUT", "/classes/{class_id}/attendance", extended=True),
    _attendance("get_class_timetable", "GET", "/classes/{class_id}/timetable"),
    _attendance("list_excusals", "GET", "/students/excusals/{date}", paged="excusals"),
    _attendance("get_homeroom_term_attendance", "GET", _HOMEROOM + "/term/{term_id}"),
    _attendance("get_homeroom_attendance", "GET", _HOMEROOM + "/date/{date}"),
    _attendance("get_homeroom_adjustments", "GET", _HOMEROOM + "/term/{term_id}/adjustments"),
    _attendance("list_student_excusals", "GET", _EXCUSALS, paged="excusals"),
    _attendance("create_excusal", "POST", _EXCUSALS),
    _attendance("update_excusal", "PATCH", _EXCUSALS + "/{excusal_id}", extended=True),
    _attendance("delete_excusal", "DELETE", _EXCUSALS + "/{excusal_id}", extended=True),
    _attendance("set_homeroom_attendance", "PUT", "/students/{student_id}/set_homeroom_attendance", extended=True),
    _reference("list_students", "/students", paged="students"),
    _reference("get_student", "/students/{student_id}"),
    _reference("get_student_memberships", "/students/{student_id}/memberships"),
    _reference("list_classes", "/classes", paged="classes"),
    _reference("get_class", "/classes/{class_id}"),
    _reference("list_class_students", "/classes/{class_id}/students", paged="student_ids"),
    _reference("list_year_groups", "/year-groups", paged="year_groups"),
    _reference("list_year_group_students", "/year-groups/{year_group_id}/students", paged="students"),
    _reference("get_school", "/school"),
    _reference("list_academic_years", "/school/academic-years"),
    _reference("get_calendar", "/school/programs/{program_code}/academic-years/{academic_year_id}/calendar"),
    _reference("list_memberships", "/memberships", paged="memberships"),
    _reference(
        "list_attendance_categories", "/school/academic-years/{academic_year_id}/attendance_categories", assumed=True
    ),
    _reference("list_teachers", "/teachers", paged="teachers", assumed=True),
    _reference("list_parents", "/parents", paged="parents"),
    _reference("get_parent", "/parents/{parent_id}"),
    _reference("get_permissions", "/auth/permissions", assumed=True),
)
ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType({endpoint.name: endpoint for endpoint in _TABLE})
