"""The client of the school's API: one method for each operation, named like its row in the table of endpoints.

Each raises the UpstreamErrors of `errors.py`. Dates are dates, periods are those that the school shows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from types import TracebackType
from typing import Any, Self, TypeVar

import anyio
from pydantic import ValidationError

from attendance_mcp.api import attendance, reference
from attendance_mcp.api.endpoints import ENDPOINTS
from attendance_mcp.api.record import Meta, Page, Record
from attendance_mcp.api.transport import PathValue, QueryValue, Transport
from attendance_mcp.api.trouble import unexpected
from attendance_mcp.errors import AttendanceError

R = TypeVar("R", bound=Record)
T = TypeVar("T")

PER_PAGE = 200  # the contract's most; the answer's own `per_page` is the one that holds
MOST_PAGES = 1000  # 10,000 students at ten a page; beyond, the answer's `meta` can't be true


class Client:
    """What the school's API can do, over one transport, which it closes."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._transport.aclose()

    # --- the thirteen operations of attendance --------------------------------------------------------------------

    async def get_class_term_attendance(
        self, class_id: int, term_id: int, *, archived_students: bool = False
    ) -> attendance.TermTotals:
        """A class's totals in a term; `archived_students` gives the archived ones (assumed: only them)."""
        return await self._one(
            "get_class_term_attendance",
            attendance.TermTotals,
            path={"class_id": class_id, "term_id": term_id},
            query={"archived_students": archived_students or None},
        )

    async def get_class_attendance(self, class_id: int, date: date) -> attendance.ClassDay:
        """A class's marks on a date that lies in the class's terms."""
        return await self._one("get_class_attendance", attendance.ClassDay, path={"class_id": class_id, "date": date})

    async def set_class_attendance(
        self, class_id: int, rows: Sequence[attendance.ClassMarkWrite], *, periods_from: int | None
    ) -> list[attendance.RowResult]:
        """Writes class marks; the API answers each row's own result, even where every row failed.

        `periods_from` is the timetable's: without it a school that counts from 0 would be marked a period late.
        """
        body = {"attendances": [row.body(periods_from=periods_from) for row in rows]}
        results = await self._one("set_class_attendance", attendance.RowResults, path={"class_id": class_id}, body=body)
        told = results.rows if self._transport.about_people else [row.without_words() for row in results.rows]
        return [row.shown(periods_from=periods_from) for row in told]

    async def get_class_timetable(self, class_id: int, *, include_disabled: bool = False) -> attendance.Timetable:
        """When a class meets, by academic year."""
        return await self._one(
            "get_class_timetable",
            attendance.Timetable,
            path={"class_id": class_id},
            query={"include_disabled": include_disabled or None},
        )

    async def list_excusals(
        self, date: date, *, page: int | None = None, per_page: int | None = None
    ) -> Page[attendance.Excusal]:
        """The school's excusals that cover a date, all of them unless a page is asked for; they may have no id."""
        return await self._page_or_all(
            "list_excusals", attendance.ExcusalPage, path={"date": date}, page=page, per_page=per_page
        )

    async def get_homeroom_term_attendance(
        self, year_group_id: int, term_id: int, *, archived_students: bool = False
    ) -> attendance.TermTotals:
        """A year group's homeroom totals in a term; `archived_students` as for a class."""
        return await self._one(
            "get_homeroom_term_attendance",
            attendance.TermTotals,
            path={"year_group_id": year_group_id, "term_id": term_id},
            query={"archived_students": archived_students or None},
        )

    async def get_homeroom_attendance(self, year_group_id: int, date: date) -> attendance.HomeroomDay:
        """The homeroom mark of each student of a year group on a date."""
        return await self._one(
            "get_homeroom_attendance",
            attendance.HomeroomDay,
            path={"year_group_id": year_group_id, "date": date},
        )

    async def get_homeroom_adjustments(self, year_group_id: int, term_id: int) -> attendance.Adjustments:
        """The corrections that administrators made to a year group's totals."""
        return await self._one(
            "get_homeroom_adjustments",
            attendance.Adjustments,
            path={"year_group_id": year_group_id, "term_id": term_id},
        )

    async def list_student_excusals(
        self, student_id: int, *, applies_on: date | None = None, page: int | None = None, per_page: int | None = None
    ) -> Page[attendance.Excusal]:
        """A student's excusals, all unless a page is asked for; `applies_on` keeps those that cover that day."""
        return await self._page_or_all(
            "list_student_excusals",
            attendance.ExcusalPage,
            path={"student_id": student_id},
            query={"applies_on": applies_on},
            page=page,
            per_page=per_page,
        )

    async def create_excusal(
        self,
        student_id: int,
        *,
        parent_id: int,
        start_date: date,
        end_date: date | None = None,
        comment: str | None = None,
    ) -> attendance.Excusal:
        """Makes an excusal; it is the only write that does harm when it is sent twice."""
        fields = {
            "parent_id": parent_id,
            "start_date": start_date.isoformat(),
            "end_date": end_date.isoformat() if end_date else None,
            "comment": comment,
        }
        return await self._excusal("create_excusal", path={"student_id": student_id}, fields=fields)

    async def update_excusal(
        self, student_id: int, excusal_id: int, *, end_date: date | None = None, comment: str | None = None
    ) -> attendance.Excusal:
        """Changes an excusal's end or comment; what is None stays as it is."""
        fields = {"end_date": end_date.isoformat() if end_date else None, "comment": comment}
        path = {"student_id": student_id, "excusal_id": excusal_id}
        return await self._excusal("update_excusal", path=path, fields=fields)

    async def delete_excusal(self, student_id: int, excusal_id: int) -> attendance.Excusal:
        """Deletes an excusal for good and answers what it was."""
        path = {"student_id": student_id, "excusal_id": excusal_id}
        return await self._excusal("delete_excusal", path=path, fields=None)

    async def set_homeroom_attendance(
        self, student_id: int, date: date, status: int, *, notes: str | None = None
    ) -> None:
        """Writes a homeroom mark; the API answers no more than "ok". `notes` None leaves the key out."""
        body = {"date": date.isoformat(), "status": status, "notes": notes}
        await self._one(
            "set_homeroom_attendance", attendance.Done, path={"student_id": student_id}, body=_without_nones(body)
        )

    # --- reference ------------------------------------------------------------------------------------------------

    async def list_students(
        self,
        *,
        q: str | None = None,
        archived: bool | None = None,
        year_group_ids: Sequence[int] | None = None,
        homeroom_advisor_ids: Sequence[int] | None = None,
    ) -> list[reference.Student]:
        """Students; unless `archived` is given, archived ones too. `q` is part of a name, email or school number."""
        query: dict[str, QueryValue] = {
            "q": q,
            "archived": archived,
            "year_group_ids": _joined(year_group_ids),
            "homeroom_advisor_ids": _joined(homeroom_advisor_ids),
        }
        return await self._all("list_students", reference.StudentPage, query=query)

    async def get_student(self, student_id: int) -> reference.Student:
        return (await self._one("get_student", reference.StudentBody, path={"student_id": student_id})).student

    async def get_student_memberships(self, student_id: int) -> reference.StudentMemberships:
        """The classes and year groups of one student."""
        path = {"student_id": student_id}
        return (await self._one("get_student_memberships", reference.StudentMembershipsBody, path=path)).memberships

    async def list_classes(self, *, archived: bool | None = None) -> list[reference.ClassRecord]:
        """Classes; unless `archived` is given, active ones only."""
        return await self._all("list_classes", reference.ClassPage, query={"archived": archived})

    async def get_class(self, class_id: int) -> reference.ClassRecord:
        return (await self._one("get_class", reference.ClassBody, path={"class_id": class_id})).record

    async def list_class_students(self, class_id: int) -> list[int]:
        """The ids of a class's students."""
        return await self._all("list_class_students", reference.RosterPage, path={"class_id": class_id})

    async def list_year_groups(self, *, archived: bool | None = None) -> list[reference.YearGroup]:
        """Year groups; unless `archived` is given, active ones only."""
        return await self._all("list_year_groups", reference.YearGroupPage, query={"archived": archived})

    async def list_year_group_students(self, year_group_id: int) -> list[reference.Student]:
        """The students of a year group; the cheapest way to names."""
        path = {"year_group_id": year_group_id}
        return await self._all("list_year_group_students", reference.StudentPage, path=path)

    async def get_school(self) -> reference.School:
        return (await self._one("get_school", reference.SchoolBody)).school

    async def list_academic_years(self) -> list[reference.AcademicYear]:
        """The academic years of every programme, each with its own terms."""
        return (await self._one("list_academic_years", reference.AcademicYearsBody)).all()

    async def get_calendar(self, program_code: str, academic_year_id: int) -> reference.Calendar:
        """The days of a programme's academic year; the code is the API's own spelling (`key`)."""
        path: dict[str, PathValue] = {"program_code": program_code, "academic_year_id": academic_year_id}
        return (await self._one("get_calendar", reference.CalendarBody, path=path)).calendar

    async def list_memberships(
        self, *, class_ids: Sequence[int] | None = None, user_ids: Sequence[int] | None = None
    ) -> list[reference.Membership]:
        """Who belongs to which class, for many classes or people at once."""
        query: dict[str, QueryValue] = {
            "class_ids[]": None if class_ids is None else list(class_ids),
            "user_ids[]": None if user_ids is None else list(user_ids),
        }
        return await self._all("list_memberships", reference.MembershipPage, query=query)

    async def list_attendance_categories(self, academic_year_id: int) -> list[reference.Category]:
        """The school's labels in one academic year. Raises NotOffered where the API has none."""
        path = {"academic_year_id": academic_year_id}
        return (await self._one("list_attendance_categories", reference.CategoriesBody, path=path)).categories

    async def list_teachers(self, *, q: str | None = None, archived: bool | None = None) -> list[reference.Teacher]:
        """Teachers. Raises NotOffered where the API has none, or NotAuthorised."""
        return await self._all("list_teachers", reference.TeacherPage, query={"q": q, "archived": archived})

    async def list_parents(self, *, q: str | None = None) -> list[reference.Parent]:
        """Parents with their children's ids."""
        return await self._all("list_parents", reference.ParentPage, query={"q": q})

    async def get_parent(self, parent_id: int) -> reference.Parent:
        return (await self._one("get_parent", reference.ParentBody, path={"parent_id": parent_id})).parent

    async def get_permissions(self) -> list[str]:
        """What the token may use, such as `students/excusals/index`. Raises NotOffered where the API doesn't tell."""
        return (await self._one("get_permissions", reference.PermissionsBody)).permissions

    # --- how they are asked ---------------------------------------------------------------------------------------

    async def _one(
        self,
        name: str,
        shape: type[R],
        *,
        path: Mapping[str, PathValue] | None = None,
        query: Mapping[str, QueryValue] | None = None,
        body: object | None = None,
    ) -> R:
        endpoint = ENDPOINTS[name]
        answer = await self._transport.send(endpoint, path=path, query=query, body=body)
        try:
            return shape.read(answer)
        except ValidationError:  # its text may hold what the API sent
            raise unexpected(endpoint, what="its JSON is not of the expected form") from None

    async def as_sent(self, name: str, path: Mapping[str, PathValue]) -> dict[str, Any]:
        """The JSON object that an operation which reads answers, as it came: for whoever looks at its form."""
        endpoint = ENDPOINTS[name]
        assert not endpoint.writes
        try:
            answer = json.loads(await self._transport.send(endpoint, path=path))
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise unexpected(endpoint, what="it is no JSON object")
        return answer

    async def _excusal(
        self, name: str, *, path: Mapping[str, PathValue], fields: Mapping[str, Any] | None
    ) -> attendance.Excusal:
        body = None if fields is None else {"excusal": _without_nones(fields)}
        return (await self._one(name, attendance.ExcusalBody, path=path, body=body)).excusal

    async def _page_or_all(
        self,
        name: str,
        shape: type[Page[T]],
        *,
        path: Mapping[str, PathValue],
        query: Mapping[str, QueryValue] | None = None,
        page: int | None,
        per_page: int | None,
    ) -> Page[T]:
        if page is None and per_page is None:
            items = await self._all(name, shape, path=path, query=query)
            meta = Meta(current_page=1, total_pages=1, total_count=len(items), per_page=max(len(items), 1))
            return Page[T](items=items, meta=meta)
        asked: dict[str, QueryValue] = {**(query or {}), "page": page, "per_page": per_page}
        return await self._one(name, shape, path=path, query=asked)

    async def _all(
        self,
        name: str,
        shape: type[Page[T]],
        *,
        path: Mapping[str, PathValue] | None = None,
        query: Mapping[str, QueryValue] | None = None,
    ) -> list[T]:
        """All pages of a list, the first alone since it says how many there are."""
        pages: dict[int, list[T]] = {}
        failures: list[AttendanceError] = []

        async def read(number: int) -> Meta:
            asked: dict[str, QueryValue] = {**(query or {}), "page": number, "per_page": PER_PAGE}
            page = await self._one(name, shape, path=path, query=asked)
            # An API that ignores `page` would answer the first one again and again: everybody counted twice.
            if page.meta.current_page != number:
                raise unexpected(ENDPOINTS[name], what=f"page {number} was asked for and another one came")
            pages[number] = page.items
            return page.meta

        async def read_or_stop(number: int) -> None:
            try:
                await read(number)
            except AttendanceError as error:  # raised below as itself, not in a group
                failures.append(error)
                group.cancel_scope.cancel()

        meta = await read(1)
        if meta.total_pages > MOST_PAGES or (meta.total_pages > 1 and not pages[1]):
            raise unexpected(ENDPOINTS[name], what=f"it claims {meta.total_pages} pages")
        async with anyio.create_task_group() as group:
            for number in range(2, meta.total_pages + 1):
                group.start_soon(read_or_stop, number)
        if failures:
            raise failures[0]
        return [item for number in sorted(pages) for item in pages[number]]


def _joined(ids: Sequence[int] | None) -> str | None:
    return None if ids is None else ",".join(str(int(number)) for number in ids)


def _without_nones(fields: Mapping[str, Any]) -> dict[str, Any]:
    """An omitted key and an empty text are different things to the API; null is never sent."""
    return {name: value for name, value in fields.items() if value is not None}
