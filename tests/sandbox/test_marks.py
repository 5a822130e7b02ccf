"""Marks read and written, of homeroom and of classes."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from attendance_mcp.sandbox import database as db

from .tiny import EMILIE, GRADE_2, GRADE_8, LENA, MATHEMATICS, MIA, MUSIC, NOAH, OMAR, TERM_1, TERM_2

HOMEROOM = f"/v2p1/year-groups/{GRADE_8}/homeroom/attendance"
CLASS = f"/v2p1/classes/{MATHEMATICS}/attendance"
ABSENT = {"status": "Absent", "category": {"status": 0}}
PRESENT = {"status": "Present", "category": {"status": 1}}


def by_student(answer: Any) -> dict[int, Any]:
    return {student.pop("id"): student for student in answer.json()["students"]}


def set_homeroom(api: TestClient, student_id: int, **body: Any) -> int:
    return api.put(f"/v2p1/students/{student_id}/set_homeroom_attendance", json=body).status_code


def set_class(api: TestClient, *rows: dict[str, Any], class_id: int = MATHEMATICS) -> list[dict[str, Any]]:
    answer = api.put(f"/v2p1/classes/{class_id}/attendance", json={"attendances": list(rows)})
    assert answer.status_code == 200
    return answer.json()["attendance"]


def row(student_id: int, **other: Any) -> dict[str, Any]:
    return {"student_id": student_id, "date": "2025-11-24", "period": 2, "status": 0} | other


def test_a_homeroom_day_leaves_out_what_nobody_marked_and_whoever_is_archived(api: TestClient):
    assert by_student(api.get(f"{HOMEROOM}/date/2025-11-24")) == {
        MIA: {"attendance": ABSENT | {"note": "No call from home"}},
        EMILIE: {"attendance": PRESENT},
        OMAR: {},
    }


def test_labels_are_those_of_the_programme_and_else_the_vendors_words(api: TestClient):
    assert by_student(api.get(f"{HOMEROOM}/date/2025-11-21"))[MIA]["attendance"]["status"] == "Tardy"
    assert by_student(api.get(f"{HOMEROOM}/date/2025-11-26"))[EMILIE]["attendance"]["status"] == "Fieldtrip"
    assert set_homeroom(api, NOAH, date="2025-11-24", status=2) == 200
    noah = by_student(api.get(f"/v2p1/year-groups/{GRADE_2}/homeroom/attendance/date/2025-11-24"))[NOAH]
    assert noah["attendance"]["status"] == "Late"


def test_a_term_adds_up_the_codes_of_one_label_and_leaves_out_zeros(api: TestClient):
    totals = by_student(api.get(f"{HOMEROOM}/term/{TERM_1}"))
    assert totals[MIA]["attendance"] == {"Absent": 1, "Tardy": 1}
    assert totals[EMILIE]["attendance"] == {"Present": 1, "Tardy": 1, "Fieldtrip": 1}
    assert totals[EMILIE]["attendance_categories"] == [
        {"label": "Present", "status": 1, "value": 1},
        {"label": "Tardy", "status": 4, "value": 1},
        {"label": "Fieldtrip", "status": 12, "value": 1},
    ]
    assert totals[OMAR] == {"attendance": {}, "attendance_categories": []}
    assert by_student(api.get(f"{HOMEROOM}/term/{TERM_2}"))[MIA]["attendance"] == {}


def test_adjustments_stand_beside_the_totals(api: TestClient):
    assert by_student(api.get(f"{HOMEROOM}/term/{TERM_1}/adjustments")) == {
        MIA: {
            "attendance_adjustments": [
                {"id": 1, "name": "Absent", "adjustment": -1},
                {"id": 2, "name": "Tardy", "adjustment": 2},
            ]
        },
        EMILIE: {"attendance_adjustments": []},
        OMAR: {"attendance_adjustments": []},
    }


def test_a_homeroom_mark_is_made_then_changed_and_keeps_its_note_until_it_is_emptied(api: TestClient):
    def mark() -> Any:
        return by_student(api.get(f"{HOMEROOM}/date/2025-11-24"))[OMAR]["attendance"]

    assert set_homeroom(api, OMAR, date="2025-11-24", status=0, notes="Dentist") == 200
    assert mark() == ABSENT | {"note": "Dentist"}
    assert set_homeroom(api, OMAR, date="2025-11-24", status=1) == 200
    assert mark() == PRESENT | {"note": "Dentist"}
    assert set_homeroom(api, OMAR, date="2025-11-24", status=1, notes="") == 200
    assert mark() == PRESENT


def test_homeroom_takes_a_day_to_come_but_none_outside_the_academic_years_and_nobody_archived(api: TestClient):
    assert set_homeroom(api, OMAR, date="2025-12-05", status=12) == 200
    assert set_homeroom(api, OMAR, date="2027-01-05", status=12) == 422
    assert set_homeroom(api, LENA, date="2025-11-24", status=0) == 404


def test_a_class_day_answers_its_members_of_that_day_by_written_period(api: TestClient):
    answer = api.get(f"{CLASS}/date/2025-11-24")
    assert answer.json()["timetable"] == {"period_starts_count_from": 1, "period_offset": 0}
    assert by_student(answer) == {
        MIA: {"attendance": {"1": ABSENT}},
        EMILIE: {"attendance": {"1": PRESENT}},
    }
    assert by_student(api.get(f"{CLASS}/date/2025-11-10"))[OMAR] == {"attendance": {"1": PRESENT}}


@pytest.mark.parametrize("day", ["2025-11-20", "2025-11-22", "2025-11-25"], ids=["holiday", "Saturday", "tomorrow"])
def test_a_day_off_and_a_day_to_come_are_empty(api: TestClient, day: str):
    marks = by_student(api.get(f"{CLASS}/date/{day}"))
    assert marks == {MIA: {"attendance": {}}, EMILIE: {"attendance": {}}}


def test_a_class_day_outside_the_class_s_terms_is_refused(api: TestClient):
    answer = api.get(f"{CLASS}/date/2026-01-12")
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["date"]


def test_a_class_term_holds_whoever_was_a_member_and_only_days_that_have_come(api: TestClient):
    totals = by_student(api.get(f"{CLASS}/term/{TERM_1}"))
    assert {who: one["attendance"] for who, one in totals.items()} == {
        MIA: {"Absent": 1},
        EMILIE: {"Present": 1},
        OMAR: {"Present": 1},
    }


def test_every_row_of_a_class_s_marks_has_a_result_of_its_own(api: TestClient, engine: sa.Engine):
    assert set_class(
        api,
        row(MIA, notes="Left the room"),
        row(MIA, period=3),
        row(MIA, period=5),
        row(MIA, status=-1),
        row(MIA, status=99),
        row(MIA, date="2026-01-12"),
        row(MIA, date="2025-11-20"),
        row(MIA, date="2025-12-01"),
        row(MIA, date="yesterday"),
        row(NOAH),
        row(LENA),
        row(OMAR),
    ) == [
        {"index": 0, "student_id": MIA, "status": "ok"},
        _refused(1, {"period": ["must be in [1, 2, 4]"]}),
        _refused(2, {"period": ["must be in [1, 2, 4]"]}),  # Thursday's slot is disabled
        _refused(3, {"status": ["is not included in the list"]}),
        _refused(4, {"status": ["is not included in the list"]}),
        _refused(5, {"date": ["must be between the start and end dates of the class"]}),
        _refused(6, {"date": ["is a day off"]}),
        _refused(7, {"date": ["can't be in the future"]}),
        _refused(8, {"date": ["is invalid"]}),
        {"index": 9, "student_id": NOAH, "status": "not_found"},
        {"index": 10, "student_id": LENA, "status": "not_found"},
        {"index": 11, "student_id": OMAR, "status": "ok"},  # who left in mid-term was a member once
    ]
    shown = by_student(api.get(f"{CLASS}/date/2025-11-24"))
    assert shown[MIA]["attendance"] == {"1": ABSENT, "2": ABSENT | {"note": "Left the room"}}
    assert shown[OMAR]["attendance"] == {"2": ABSENT}
    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(db.class_marks)).scalar_one() == 6


def test_of_one_key_given_twice_the_later_row_stands_and_notes_left_out_keep_the_earlier(api: TestClient):
    results = set_class(api, row(MIA, status=2, notes="Bus"), row(MIA, status=0))
    assert [result["status"] for result in results] == ["ok", "ok"]
    assert by_student(api.get(f"{CLASS}/date/2025-11-24"))[MIA]["attendance"]["2"] == ABSENT | {"note": "Bus"}


def test_no_rows_are_no_error_and_rows_without_structure_are(api: TestClient):
    assert set_class(api) == []
    for rows in (None, {}, [1], [row(MIA) | {"student_id": "5001"}], [row(MIA, notes=None)], [{"student_id": MIA}]):
        answer = api.put(CLASS, json={"attendances": rows})
        assert (answer.status_code, answer.json()) == (400, {"error": "Invalid payload data structure."})
    answer = api.put(CLASS, json={"attendances": [row(MIA, note="x")]})
    assert answer.status_code == 422
    assert answer.json()["allowed_params"] == ["student_id", "date", "period", "status", "notes"]


def test_a_timetable_leaves_out_disabled_slots_unless_they_are_asked_for(api: TestClient):
    def slots(**query: str) -> list[tuple[int, int, bool]]:
        table = api.get(f"/v2p1/classes/{MATHEMATICS}/timetable", params=query).json()["timetable"]
        assert table["period_starts_count_from"] == 1
        (year,) = table["academic_years"]
        return [(slot["day"], slot["period"], slot["enabled"]) for slot in year["slots"]]

    enabled = [(1, 1, True), (1, 2, True), (2, 4, True)]
    assert slots() == enabled
    assert slots(include_disabled="true") == [*enabled, (4, 5, False)]


def test_a_class_of_a_rotating_programme_is_marked_as_any_other(api: TestClient):
    monday = {"student_id": NOAH, "date": "2025-11-24", "period": 3, "status": 2}
    assert set_class(api, monday, class_id=MUSIC) == [{"index": 0, "student_id": NOAH, "status": "ok"}]


def _refused(index: int, errors: dict[str, list[str]]) -> dict[str, Any]:
    return {"index": index, "student_id": MIA, "status": "unprocessable_entity", "errors": errors}
