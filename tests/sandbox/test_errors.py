"""Every form in which the contract refuses."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from .conftest import Ask
from .tiny import FEVER, GRADE_8, MATHEMATICS, MIA, OLD_CLASS, PYP_TERM, RIN, TERM_1, TOKEN

HOMEROOM = f"/v2p1/students/{MIA}/set_homeroom_attendance"
CALENDAR = "/v2p1/school/programs/myp/academic-years/101/calendar"


def test_the_token_is_taken_from_the_header_or_from_the_query(api: TestClient):
    assert api.get("/v2p1/school").status_code == 200
    del api.headers["auth-token"]
    assert api.get("/v2p1/school", params={"auth_token": TOKEN}).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"auth-token": "wrong"}, {"auth-token": ""}])
def test_a_missing_or_wrong_token_is_denied_before_anything_else_is_said(api: TestClient, headers: dict[str, str]):
    del api.headers["auth-token"]
    for path in ("/v2p1/school", "/v2p1/nowhere"):
        answer = api.get(path, headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"error": "Access Denied"})


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (f"/v2p1/classes/{MATHEMATICS}/attendance/term/9", "Couldn't find AcademicTerm with 'id'=9"),
        (f"/v2p1/classes/{MATHEMATICS}/attendance/term/{PYP_TERM}", f"Couldn't find AcademicTerm with 'id'={PYP_TERM}"),
        (f"/v2p1/classes/9/attendance/term/{TERM_1}", "Couldn't find Class with 'id'=9"),
        ("/v2p1/year-groups/9/homeroom/attendance/date/2025-11-24", "Couldn't find YearGroup with 'id'=9"),
        ("/v2p1/students/mia", "Couldn't find Student with 'id'=mia"),
        ("/v2p1/students/0", "Couldn't find Student with 'id'=0"),
        ("/v2p1/students/99999999999999999999999", "Couldn't find Student with 'id'=99999999999999999999999"),
        ("/v2p1/parents/9", "Couldn't find Parent with 'id'=9"),
        ("/v2p1/school/programs/dp/academic-years/101/calendar", "Couldn't find Program with 'id'=dp"),
        ("/v2p1/school/programs/pyp/academic-years/101/calendar", "Couldn't find AcademicYear with 'id'=101"),
        ("/v2p1/school/academic-years/9/attendance_categories", "Couldn't find AcademicYear with 'id'=9"),
        ("/v2p1/nowhere", "Not Found"),
        ("/v2p1/school/", "Not Found"),
    ],
)
def test_what_is_not_there_is_named(api: TestClient, path: str, message: str):
    answer = api.get(path)
    assert (answer.status_code, answer.json()) == (404, {"error": message})


def test_a_method_that_a_path_lacks_is_answered_with_all_that_it_has(api: TestClient):
    answer = api.put(f"/v2p1/students/{MIA}/excusals")
    assert answer.status_code == 405
    assert set(answer.json()) == {"error"}
    assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))


@pytest.mark.parametrize("day", ["2025-02-30", "20251124", "2025-W48-1", "today", "24-11-2025"])
def test_a_date_in_a_path_is_yyyy_mm_dd_or_refused(api: TestClient, day: str):
    for path in (
        f"/v2p1/students/excusals/{day}",
        f"/v2p1/classes/{MATHEMATICS}/attendance/date/{day}",
        f"/v2p1/year-groups/{GRADE_8}/homeroom/attendance/date/{day}",
    ):
        answer = api.get(path)
        assert (answer.status_code, answer.json()) == (422, {"errors": {"date": ["is not a date (yyyy-mm-dd)"]}})


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v2p1/students?page=0", "page"),
        ("/v2p1/students?per_page=many", "per_page"),
        ("/v2p1/students?archived=maybe", "archived"),
        ("/v2p1/memberships?class_ids[]=x", "class_ids"),
        (f"/v2p1/students/{MIA}/excusals?applies_on=monday", "applies_on"),
        (f"/v2p1/year-groups/{GRADE_8}/homeroom/attendance/term/{TERM_1}?archived_students=2", "archived_students"),
    ],
)
def test_a_query_that_can_not_be_read_is_refused_by_field(api: TestClient, path: str, field: str):
    answer = api.get(path)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"excusal": 1}', b'{"excusal": {}}', b'{"x": 1}', b"[" * 9000]
)
def test_a_body_of_another_structure_is_a_bad_payload(api: TestClient, body: bytes):
    answer = api.post(f"/v2p1/students/{MIA}/excusals", content=body)
    assert (answer.status_code, answer.json()) == (400, {"error": "Invalid payload data structure."})


def test_text_that_can_not_be_stored_is_a_bad_payload(api: TestClient):
    body = rb'{"date": "2025-11-24", "status": 0, "notes": "\ud83d"}'
    assert api.put(HOMEROOM, content=body).status_code == 400


def test_keys_that_are_not_permitted_are_answered_with_those_that_are(api: TestClient):
    created = api.post(f"/v2p1/students/{MIA}/excusals", json={"excusal": {"parent_id": RIN, "reason": "Fever"}})
    assert created.status_code == 422
    assert created.json()["allowed_params"] == ["parent_id", "start_date", "end_date", "comment"]
    changed = api.patch(f"/v2p1/students/{MIA}/excusals/{FEVER}", json={"excusal": {"start_date": "2025-11-23"}})
    assert changed.status_code == 422
    assert changed.json() == {"error": "Unpermitted parameters found.", "allowed_params": ["end_date", "comment"]}


def test_a_homeroom_mark_is_refused_field_by_field(api: TestClient):
    answer = api.put(HOMEROOM, json={"status": -1, "notes": 5})
    assert answer.status_code == 422
    assert answer.json() == {
        "errors": {
            "status": ["is not included in the list"],
            "notes": ["is invalid"],
            "date": ["can't be blank"],
        }
    }
    assert api.put(HOMEROOM, json={"date": "2025-11-24"}).json() == {"errors": {"status": ["can't be blank"]}}


def test_the_rate_limit_answers_its_three_headers(school: Ask):
    api = school(rate_limit=2)
    assert [api.get("/v2p1/school").status_code for _ in range(3)] == [200, 200, 429]
    answer = api.get("/v2p1/school")
    assert answer.headers["x-ratelimit-limit"] == "2"
    assert answer.headers["x-ratelimit-period"] == "1"
    assert answer.headers["x-ratelimit-reset"].isdigit()
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ("calendar", CALENDAR),
        ("categories", "/v2p1/school/academic-years/101/attendance_categories"),
        ("teachers", "/v2p1/teachers"),
        ("permissions", "/v2p1/auth/permissions"),
    ],
)
def test_an_operation_that_the_school_is_without_is_not_found(school: Ask, part: str, path: str):
    assert school().get(path).status_code == 200
    answer = school(without=frozenset({part})).get(path)
    assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


@pytest.mark.parametrize("status", [403, 401])
def test_without_the_extended_apis_nothing_of_them_is_allowed(school: Ask, status: int):
    api = school(f"extended_off={status}", without=frozenset({"extended"}))
    answers = [
        api.put(HOMEROOM, json={"date": "2025-11-24", "status": 1}),
        api.put(f"/v2p1/classes/{OLD_CLASS}/attendance", json={"attendances": []}),
        api.patch(f"/v2p1/students/{MIA}/excusals/{FEVER}", json={"excusal": {"comment": "Flu"}}),
        api.delete(f"/v2p1/students/{MIA}/excusals/{FEVER}"),
    ]
    assert {answer.status_code for answer in answers} == {status}
    assert api.get(f"/v2p1/students/{MIA}/excusals").json()["excusals"][0]["comment"] == "Fever"
    assert not any("destroy" in name for name in api.get("/v2p1/auth/permissions").json()["permissions"])
