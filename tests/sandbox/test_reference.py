"""The operations that turn a person's words into ids, and their pages."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient

from .tiny import (
    AMINA,
    EMILIE,
    GRADE_2,
    GRADE_8,
    LENA,
    MATHEMATICS,
    MIA,
    MUSIC,
    NOAH,
    OLD_CLASS,
    OMAR,
    RIN,
    TERM_1,
    TERM_2,
)

MYP_CALENDAR = "/v2p1/school/programs/myp/academic-years/101/calendar"
PYP_CALENDAR = "/v2p1/school/programs/pyp/academic-years/201/calendar"


def names(api: TestClient, path: str, **query: str) -> list[int]:
    answer = api.get(path, params=query).json()
    (rows,) = (value for key, value in answer.items() if key != "meta")
    return [row["id"] for row in rows]


def test_pages_follow_meta(api: TestClient):
    def page(**query: Any) -> tuple[list[int], dict[str, int]]:
        answer = api.get("/v2p1/students", params=query).json()
        return [student["id"] for student in answer["students"]], answer["meta"]

    def meta(current: int, pages: int, size: int) -> dict[str, int]:
        return {"current_page": current, "total_pages": pages, "total_count": 5, "per_page": size}

    assert page() == ([MIA, EMILIE, OMAR, LENA, NOAH], meta(1, 1, 100))
    assert page(per_page=2, page=2) == ([OMAR, LENA], meta(2, 3, 2))
    assert page(per_page=2, page=3) == ([NOAH], meta(3, 3, 2))
    assert page(per_page=2, page=4) == ([], meta(4, 3, 2))
    assert page(per_page=5000)[1] == meta(1, 1, 200)


def test_students_are_found_by_name_in_any_case_by_email_number_group_and_advisor(api: TestClient):
    assert names(api, "/v2p1/students", q="mia tan") == [MIA]
    assert names(api, "/v2p1/students", q="ÉMILIE") == [EMILIE]
    assert names(api, "/v2p1/students", q="noah@tiny") == [NOAH]
    assert names(api, "/v2p1/students", q="S-3") == [OMAR]
    assert names(api, "/v2p1/students", q="%") == []
    assert names(api, "/v2p1/students", year_group_ids=f"{GRADE_2},9") == [NOAH]
    assert names(api, "/v2p1/students", homeroom_advisor_ids="42, 41", archived="false") == [MIA, EMILIE, NOAH]
    assert names(api, "/v2p1/students", archived="true") == [LENA]
    assert names(api, "/v2p1/students", year_group_ids="x") == []


def test_one_student_is_whole_and_null_is_a_missing_key(api: TestClient):
    assert api.get(f"/v2p1/students/{MIA}").json() == {
        "student": {
            "id": MIA,
            "student_id": "S-1",
            "first_name": "Mia",
            "last_name": "Tanaka",
            "email": "mia@tiny.example",
            "archived": False,
            "parent_ids": [RIN],
            "year_group_id": GRADE_8,
            "homeroom_advisor_id": 41,
            "class_grade": "Grade 8",
            "class_grade_number": 9,
            "program": "Middle Years",
            "program_code": "myp",
        }
    }
    assert "homeroom_advisor_id" not in api.get(f"/v2p1/students/{OMAR}").json()["student"]


def test_memberships_are_those_of_today(api: TestClient):
    assert api.get(f"/v2p1/students/{OMAR}/memberships").json()["memberships"] == {
        "classes": [],
        "year_groups": [{"id": GRADE_8, "name": "Grade 8", "archived": False}],
    }
    classes = api.get(f"/v2p1/students/{NOAH}/memberships").json()["memberships"]["classes"]
    assert [one["id"] for one in classes] == [MUSIC]
    assert api.get(f"/v2p1/classes/{MATHEMATICS}/students").json()["student_ids"] == [MIA, EMILIE]
    listed = api.get("/v2p1/memberships", params={"class_ids[]": [MATHEMATICS, MUSIC], "user_ids[]": [MIA, NOAH]})
    assert [(row["user_id"], row["class_id"]) for row in listed.json()["memberships"]] == [
        (MIA, MATHEMATICS),
        (NOAH, MUSIC),
    ]


def test_classes_and_year_groups_leave_out_the_archived_unless_they_are_asked_for(api: TestClient):
    assert names(api, "/v2p1/classes") == [MATHEMATICS, MUSIC]
    assert names(api, "/v2p1/classes", archived="true") == [OLD_CLASS]
    assert names(api, "/v2p1/year-groups") == [GRADE_8, GRADE_2]
    assert names(api, "/v2p1/year-groups", archived="true") == [33]
    groups = api.get("/v2p1/year-groups").json()["year_groups"]
    assert groups[0]["student_ids"] == [MIA, EMILIE, OMAR]
    assert api.get(f"/v2p1/classes/{MATHEMATICS}").json()["class"]["teachers"] == [
        {"teacher_id": 41},
        {"teacher_id": 42},
    ]


def test_a_year_groups_students_come_in_full(api: TestClient):
    answer = api.get(f"/v2p1/year-groups/{GRADE_8}/students", params={"per_page": 2}).json()
    assert answer["student_ids"] == [student["id"] for student in answer["students"]] == [MIA, EMILIE]
    assert answer["meta"]["total_count"] == 3


def test_parents_and_teachers_are_found_by_name(api: TestClient):
    assert names(api, "/v2p1/parents", q="haddad") == [AMINA]
    assert api.get(f"/v2p1/parents/{RIN}").json() == {
        "parent": {"id": RIN, "first_name": "Rin", "last_name": "Tanaka", "child_ids": [MIA, EMILIE]}
    }
    assert names(api, "/v2p1/teachers", q="novák") == [42]
    assert names(api, "/v2p1/teachers", archived="false") == [41, 42]


def test_the_school_names_its_programmes(api: TestClient):
    assert api.get("/v2p1/school").json() == {
        "school": {
            "name": "Tiny School",
            "country": "Utopia",
            "enabled_programs": [
                {"name": "Middle Years", "code": "myp"},
                {"name": "Primary Years", "code": "pyp"},
            ],
        }
    }


def test_years_and_terms_stand_under_the_programmes_key_and_say_which_is_active(api: TestClient):
    years = api.get("/v2p1/school/academic-years").json()["academic_years"]
    assert list(years) == ["ib_myp", "pyp"]
    (year,) = years["ib_myp"]["academic_years"]
    assert (year["name"], year["active"]) == ("2025-2026", True)
    assert [(term["id"], term["active"]) for term in year["academic_terms"]] == [(TERM_1, True), (TERM_2, False)]


def test_calendars_differ_by_programme(api: TestClient):
    myp = api.get(MYP_CALENDAR).json()["calendar"]
    assert (myp["calendar_type"], myp["days_off"]) == ("Weekly", [0, 6])
    assert {"date": "2025-11-21"} in myp["dates"]
    assert "2025-11-20" not in [day["date"] for day in myp["dates"]]
    pyp = api.get(PYP_CALENDAR).json()["calendar"]
    assert (pyp["calendar_type"], pyp["rotation_cycle"], pyp["days_off"]) == ("Rotation Cycle", 2, [5, 6])
    assert pyp["dates"][:2] == [{"date": "2025-11-02", "rotation_day": 1}, {"date": "2025-11-03", "rotation_day": 2}]


def test_categories_are_those_of_the_academic_year(api: TestClient):
    rows = api.get("/v2p1/school/academic-years/101/attendance_categories").json()["categories"]
    assert [(row["status"], row["label"], row["enabled"]) for row in rows] == [
        (0, "Absent", True),
        (1, "Present", True),
        (2, "Tardy", True),
        (4, "Tardy", False),
    ]
    assert api.get("/v2p1/school/academic-years/201/attendance_categories").json() == {"categories": []}


def test_permissions_name_what_the_token_may_use(api: TestClient):
    permissions = api.get("/v2p1/auth/permissions").json()["permissions"]
    assert {"students/excusals/index", "students/excusals/destroy", "classes/attendance/update"} <= set(permissions)
