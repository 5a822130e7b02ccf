"""Each operation as it goes over the wire, and what the client makes of the answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from attendance_mcp.api.client import Client
from attendance_mcp.api.records import ClassMarkWrite
from attendance_mcp.errors import ArgumentError, Unavailable, UnexpectedAnswer
from tests.api.conftest import Connect
from tests.api.upstream import Upstream

pytestmark = pytest.mark.anyio

DAY = date(2026, 11, 24)
EXCUSAL = {"id": 9, "student_id": 7, "start_date": "2026-11-24", "end_date": "2026-11-25", "duration": 2}
META = {"current_page": 1, "total_pages": 1, "total_count": 0, "per_page": 200}
YEARS = {"id": 4, "name": "2026-27", "starts_on": "2026-08-17", "ends_on": "2027-06-18", "academic_terms": []}
PERSON = {"id": 3, "first_name": "Ana", "last_name": "Ortiz"}
STUDENT = {**PERSON, "archived": False}
CLASS = {"id": 5, "name": "Maths 8"}
CALENDAR = {"start_date": "2026-08-17", "end_date": "2027-06-18", "dates": [{"date": "2026-11-24", "rotation_day": 2}]}
PAGED = "page=1&per_page=200"

# (the call, its method and path, its query, its body, an answer of the API)
CALLS: dict[str, tuple[Callable[[Client], Awaitable[Any]], str, str, object, object]] = {
    "get_class_term_attendance": (
        lambda c: c.get_class_term_attendance(5, 71, archived_students=True),
        "GET /classes/5/attendance/term/71",
        "archived_students=true",
        None,
        {"students": []},
    ),
    "get_class_attendance": (
        lambda c: c.get_class_attendance(5, DAY),
        "GET /classes/5/attendance/date/2026-11-24",
        "",
        None,
        {"students": []},
    ),
    "set_class_attendance": (
        lambda c: c.set_class_attendance(
            5,
            [
                ClassMarkWrite(student_id=7, date=DAY, period=2, status=2, notes="Bus"),
                ClassMarkWrite(student_id=8, date=DAY, period=2, status=0),
            ],
            periods_from=1,
        ),
        "PUT /classes/5/attendance",
        "",
        {
            "attendances": [
                {"student_id": 7, "date": "2026-11-24", "period": 2, "status": 2, "notes": "Bus"},
                {"student_id": 8, "date": "2026-11-24", "period": 2, "status": 0},
            ]
        },
        {"attendance": [{"index": 0, "student_id": 7, "status": "ok"}]},
    ),
    "get_class_timetable": (
        lambda c: c.get_class_timetable(5, include_disabled=True),
        "GET /classes/5/timetable",
        "include_disabled=true",
        None,
        {"timetable": {"academic_years": []}},
    ),
    "list_excusals": (
        lambda c: c.list_excusals(DAY, page=2, per_page=50),
        "GET /students/excusals/2026-11-24",
        "page=2&per_page=50",
        None,
        {"excusals": [EXCUSAL], "meta": META},
    ),
    "get_homeroom_term_attendance": (
        lambda c: c.get_homeroom_term_attendance(6, 71),
        "GET /year-groups/6/homeroom/attendance/term/71",
        "",
        None,
        {"students": []},
    ),
    "get_homeroom_attendance": (
        lambda c: c.get_homeroom_attendance(6, DAY),
        "GET /year-groups/6/homeroom/attendance/date/2026-11-24",
        "",
        None,
        {"students": []},
    ),
    "get_homeroom_adjustments": (
        lambda c: c.get_homeroom_adjustments(6, 71),
        "GET /year-groups/6/homeroom/attendance/term/71/adjustments",
        "",
        None,
        {"students": []},
    ),
    "list_student_excusals": (
        lambda c: c.list_student_excusals(7, applies_on=DAY, page=1),
        "GET /students/7/excusals",
        "applies_on=2026-11-24&page=1",
        None,
        {"excusals": [EXCUSAL], "meta": META},
    ),
    "create_excusal": (
        lambda c: c.create_excusal(7, parent_id=3, start_date=DAY, end_date=date(2026, 11, 25), comment="Flu"),
        "POST /students/7/excusals",
        "",
        {"excusal": {"parent_id": 3, "start_date": "2026-11-24", "end_date": "2026-11-25", "comment": "Flu"}},
        {"excusal": EXCUSAL},
    ),
    "update_excusal": (
        lambda c: c.update_excusal(7, 9, comment=""),
        "PATCH /students/7/excusals/9",
        "",
        {"excusal": {"comment": ""}},
        {"excusals": [EXCUSAL]},
    ),
    "delete_excusal": (
        lambda c: c.delete_excusal(7, 9),
        "DELETE /students/7/excusals/9",
        "",
        None,
        {"excusal": EXCUSAL},
    ),
    "set_homeroom_attendance": (
        lambda c: c.set_homeroom_attendance(7, DAY, 2, notes=""),
        "PUT /students/7/set_homeroom_attendance",
        "",
        {"date": "2026-11-24", "status": 2, "notes": ""},
        {"status": "ok"},
    ),
    "list_students": (
        lambda c: c.list_students(q="Ana", archived=False, year_group_ids=[6, 8], homeroom_advisor_ids=[2]),
        "GET /students",
        f"q=Ana&archived=false&year_group_ids=6%2C8&homeroom_advisor_ids=2&{PAGED}",
        None,
        {"students": [STUDENT], "meta": META},
    ),
    "get_student": (lambda c: c.get_student(3), "GET /students/3", "", None, {"student": STUDENT}),
    "get_student_memberships": (
        lambda c: c.get_student_memberships(3),
        "GET /students/3/memberships",
        "",
        None,
        {"memberships": {"classes": [CLASS]}},
    ),
    "list_classes": (
        lambda c: c.list_classes(archived=True),
        "GET /classes",
        f"archived=true&{PAGED}",
        None,
        {"classes": [CLASS], "meta": META},
    ),
    "get_class": (lambda c: c.get_class(5), "GET /classes/5", "", None, {"class": CLASS}),
    "list_class_students": (
        lambda c: c.list_class_students(5),
        "GET /classes/5/students",
        PAGED,
        None,
        {"student_ids": [3], "meta": META},
    ),
    "list_year_groups": (
        lambda c: c.list_year_groups(),
        "GET /year-groups",
        PAGED,
        None,
        {"year_groups": [{"id": 6, "name": "Grade 8", "student_ids": [3]}], "meta": META},
    ),
    "list_year_group_students": (
        lambda c: c.list_year_group_students(6),
        "GET /year-groups/6/students",
        PAGED,
        None,
        {"student_ids": [3], "students": [STUDENT], "meta": META},
    ),
    "get_school": (lambda c: c.get_school(), "GET /school", "", None, {"school": {"name": "Harbour School"}}),
    "list_academic_years": (
        lambda c: c.list_academic_years(),
        "GET /school/academic-years",
        "",
        None,
        {"academic_years": {"ib_myp": {"academic_years": [YEARS]}}},
    ),
    "get_calendar": (
        lambda c: c.get_calendar("ib_myp", 4),
        "GET /school/programs/ib_myp/academic-years/4/calendar",
        "",
        None,
        {"calendar": CALENDAR},
    ),
    "list_memberships": (
        lambda c: c.list_memberships(class_ids=[5, 6]),
        "GET /memberships",
        f"class_ids%5B%5D=5&class_ids%5B%5D=6&{PAGED}",
        None,
        {"memberships": [{"id": 1, "user_id": 3, "class_id": 5, "role": "Student"}], "meta": META},
    ),
    "list_attendance_categories": (
        lambda c: c.list_attendance_categories(4),
        "GET /school/academic-years/4/attendance_categories",
        "",
        None,
        {"categories": [{"status": 15, "label": "Music", "enabled": True}]},
    ),
    "list_teachers": (
        lambda c: c.list_teachers(),
        "GET /teachers",
        PAGED,
        None,
        {"teachers": [PERSON], "meta": META},
    ),
    "list_parents": (
        lambda c: c.list_parents(q="Ortiz"),
        "GET /parents",
        f"q=Ortiz&{PAGED}",
        None,
        {"parents": [PERSON], "meta": META},
    ),
    "get_parent": (lambda c: c.get_parent(3), "GET /parents/3", "", None, {"parent": {**PERSON, "child_ids": [7]}}),
    "get_permissions": (
        lambda c: c.get_permissions(),
        "GET /auth/permissions",
        "",
        None,
        {"permissions": ["students/excusals/index"]},
    ),
}


@pytest.mark.parametrize("name", CALLS)
async def test_each_operation_asks_what_the_contract_says(name: str, upstream: Upstream, connect: Connect) -> None:
    call, line, query, body, answer = CALLS[name]
    upstream.answers_json(answer, status=201 if line.startswith("POST") else 200)
    await call(connect())
    (seen,) = upstream.seen
    assert f"{seen.method} {seen.path.removeprefix('/v2p1')}" == line
    assert seen.query == query
    assert (json.loads(seen.body) if seen.body else None) == body


async def test_an_answer_becomes_records(upstream: Upstream, connect: Connect) -> None:
    client = connect()

    async def ask(name: str) -> Any:
        call, _, _, _, answer = CALLS[name]
        upstream.answers_json(answer)
        return await call(client)

    assert (await ask("get_class")).name == "Maths 8"
    assert (await ask("list_class_students")) == [3]
    assert (await ask("list_academic_years"))[0].program_code == "myp"
    assert (await ask("get_calendar")).dates[0].rotation_day == 2
    assert (await ask("get_parent")).child_ids == [7]
    assert (await ask("list_student_excusals")).items[0].end_date == date(2026, 11, 25)
    assert (await ask("delete_excusal")).id == 9
    assert (await ask("get_permissions")) == ["students/excusals/index"]


def pages_of(count: int, *, per_page: int, **lies: int) -> Callable[[Request], Awaitable[Response]]:
    """A list of numbered students in pages that are smaller than asked for."""

    async def handler(request: Request) -> Response:
        page = int(request.query_params["page"])
        rows = range((page - 1) * per_page, min(page * per_page, count))
        meta = {
            "current_page": page,
            "total_pages": -(-count // per_page),
            "total_count": count,
            "per_page": per_page,
            **lies,
        }
        students = [{"id": row + 1, "first_name": "Bo", "last_name": "Lin", "archived": False} for row in rows]
        return JSONResponse({"students": students, "meta": meta})

    return handler


async def test_all_pages_are_read_as_the_answer_counts_them(upstream: Upstream, connect: Connect) -> None:
    upstream.handler = pages_of(95, per_page=10)
    students = await connect().list_students()
    assert [student.id for student in students] == list(range(1, 96))
    assert len(upstream.seen) == 10


async def test_an_empty_list_is_one_request(upstream: Upstream, connect: Connect) -> None:
    upstream.handler = pages_of(0, per_page=100)
    assert await connect().list_students() == []
    assert len(upstream.seen) == 1


@pytest.mark.parametrize("lie", [{"total_pages": 10**9}, {"current_page": 1}, {"total_pages": "many"}])
async def test_a_meta_that_can_not_be_true_is_unexpected(
    lie: dict[str, int], upstream: Upstream, connect: Connect
) -> None:
    upstream.handler = pages_of(30, per_page=10, **lie)
    with pytest.raises(UnexpectedAnswer, match="list_students"):
        await connect().list_students()
    assert len(upstream.seen) <= 3


async def test_pages_without_end_and_without_anybody_are_not_read(upstream: Upstream, connect: Connect) -> None:
    upstream.handler = pages_of(0, per_page=10, total_pages=900)
    with pytest.raises(UnexpectedAnswer, match="900 pages"):
        await connect().list_students()
    assert len(upstream.seen) == 1


async def test_at_most_eight_requests_are_in_flight(upstream: Upstream, connect: Connect) -> None:
    answer = pages_of(200, per_page=10)
    together, most = 0, 0
    eight = anyio.Event()

    async def handler(request: Request) -> Response:
        nonlocal together, most
        together += 1
        most = max(most, together)
        if most == 8:
            eight.set()
        if request.query_params["page"] != "1":
            await eight.wait()
        response = await answer(request)
        together -= 1
        return response

    upstream.handler = handler
    assert len(await connect().list_students()) == 200
    assert most == 8


async def test_a_page_that_fails_ends_the_list_with_its_own_error(upstream: Upstream, connect: Connect) -> None:
    answer = pages_of(100, per_page=10)

    async def handler(request: Request) -> Response:
        return Response(status_code=500) if request.query_params["page"] == "4" else await answer(request)

    upstream.handler = handler
    with pytest.raises(Unavailable):
        await connect().list_students()


async def test_excusals_come_all_at_once_or_by_the_page(upstream: Upstream, connect: Connect) -> None:
    async def handler(request: Request) -> Response:
        page = int(request.query_params["page"])
        meta = {"current_page": page, "total_pages": 3, "total_count": 3, "per_page": 1}
        return JSONResponse({"excusals": [{**EXCUSAL, "id": page}], "meta": meta})

    upstream.handler = handler
    client = connect()
    everything = await client.list_student_excusals(7)
    assert ([row.id for row in everything.items], everything.meta.total_pages) == ([1, 2, 3], 1)
    second = await client.list_student_excusals(7, page=2, per_page=1)
    assert ([row.id for row in second.items], second.meta.current_page, second.meta.total_pages) == ([2], 2, 3)


class ZeroBasedClass:
    """A class of a school that shows its periods as 0, 1, 2; the wire keys and writes them as 1, 2, 3."""

    def __init__(self) -> None:
        self.marks: dict[str, dict[str, Any]] = {"1": {"status": "Absent", "category": {"status": 0}}}

    async def __call__(self, request: Request) -> Response:
        counting = {"period_starts_count_from": 0, "period_offset": -1}
        if request.url.path.endswith("/timetable"):
            slots = [{"day": 2, "period": period, "enabled": True} for period in range(3)]
            dates = {"start_date": "2026-08-17", "end_date": "2027-06-18"}
            year = {"id": 4, "name": "2026-27", **dates, "slots": slots}
            return JSONResponse({"timetable": {"academic_years": [year], "period_starts_count_from": 0}})
        if request.method == "GET":
            return JSONResponse({"students": [{"id": 7, "attendance": self.marks}], "timetable": counting})
        results = []
        for index, row in enumerate((await request.json())["attendances"]):
            result: dict[str, Any] = {"index": index, "student_id": row["student_id"], "status": "ok"}
            if row["period"] in (1, 2, 3):
                self.marks[str(row["period"])] = {"status": "Late", "category": {"status": row["status"]}}
            else:
                result |= {"status": "unprocessable_entity", "errors": {"period": ["must be in [1, 2, 3]"]}}
            results.append(result)
        return JSONResponse({"attendance": results})


async def test_what_is_read_can_be_written_back_in_a_school_that_counts_from_zero(
    upstream: Upstream, connect: Connect
) -> None:
    upstream.handler = ZeroBasedClass()
    client = connect()
    timetable = await client.get_class_timetable(5)
    assert [slot.period for slot in timetable.years[0].slots] == [0, 1, 2]
    before = (await client.get_class_attendance(5, DAY)).students[0].marks
    assert {period: mark.status for period, mark in before.items()} == {0: 0}

    rows = [ClassMarkWrite(student_id=7, date=DAY, period=period, status=2) for period in (0, 2)]
    results = await client.set_class_attendance(5, rows, periods_from=timetable.periods_from)
    assert [row.outcome for row in results] == ["ok", "ok"]
    after = (await client.get_class_attendance(5, DAY)).students[0].marks
    assert {period: mark.status for period, mark in after.items()} == {0: 2, 2: 2}


async def test_the_reason_of_a_row_names_periods_as_the_school_shows_them(upstream: Upstream, connect: Connect) -> None:
    upstream.handler = ZeroBasedClass()
    row = ClassMarkWrite(student_id=7, date=DAY, period=9, status=2)
    (result,) = await connect().set_class_attendance(5, [row], periods_from=0)
    assert (result.outcome, result.errors) == ("unprocessable_entity", {"period": ["must be in 0, 1, 2"]})


async def test_a_period_below_the_school_s_first_is_refused_before_anything_is_sent(
    upstream: Upstream, connect: Connect
) -> None:
    row = ClassMarkWrite(student_id=7, date=DAY, period=0, status=2)
    with pytest.raises(ArgumentError, match="counts its periods from 1"):
        await connect().set_class_attendance(5, [row], periods_from=1)
    assert upstream.seen == []
