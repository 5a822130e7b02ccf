"""Excusals: what may be made, changed and deleted, and how they are read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from attendance_mcp.sandbox import database as db
from attendance_mcp.sandbox.app import create_app
from attendance_mcp.sandbox.database import open_engine

from .tiny import AMINA, EMILIE, FEVER, MIA, OMAR, RIN, TODAY, TOKEN

MIAS = f"/v2p1/students/{MIA}/excusals"
OVERLAP = ["overlaps with another excusal of the student"]
DURATION = ["The duration must be a positive number, and it must be between 1 and 12, inclusively"]
FEVERS = {
    "id": FEVER,
    "student_id": MIA,
    "parent_id": RIN,
    "start_date": "2025-11-24",
    "end_date": "2025-11-25",
    "duration": 2,
    "comment": "Fever",
    "created_at": "2025-11-24T07:10:00Z",
    "updated_at": "2025-11-24T07:10:00Z",
}


def create(api: TestClient, student_id: int = MIA, **excusal: Any) -> Any:
    body = {"parent_id": RIN, "start_date": "2025-12-01"} | excusal
    return api.post(f"/v2p1/students/{student_id}/excusals", json={"excusal": body})


def test_an_excusal_is_made_for_one_day_unless_it_says_otherwise(api: TestClient):
    answer = create(api, comment="Dentist")
    assert answer.status_code == 201
    made = answer.json()["excusal"]
    assert made == FEVERS | {
        "id": made["id"],
        "start_date": "2025-12-01",
        "end_date": "2025-12-01",
        "duration": 1,
        "comment": "Dentist",
        "created_at": "2025-11-24T10:00:00Z",
        "updated_at": "2025-11-24T10:00:00Z",
    }
    assert api.get(MIAS).json()["excusals"] == [FEVERS, made]


def test_an_empty_comment_is_none(api: TestClient):
    assert "comment" not in create(api, comment="").json()["excusal"]


@pytest.mark.parametrize(
    ("excusal", "errors"),
    [
        ({"parent_id": AMINA}, {"parent_id": ["must be a parent of the student"]}),
        ({"parent_id": 2**80}, {"parent_id": ["is invalid"]}),
        ({"parent_id": "8001"}, {"parent_id": ["is invalid"]}),
        ({"start_date": "1 December"}, {"start_date": ["is invalid"]}),
        ({"end_date": "2025-11-30"}, {"end_date": ["must be on or after the start date"]}),
        ({"end_date": "2025-12-13"}, {"duration": DURATION}),
        ({"start_date": "2025-11-20", "end_date": "2025-11-24"}, {"start_date": OVERLAP}),
        ({"start_date": "2025-11-25"}, {"start_date": OVERLAP}),
        ({"comment": 5, "parent_id": True}, {"parent_id": ["is invalid"], "comment": ["is invalid"]}),
    ],
)
def test_a_refused_excusal_says_which_field_and_is_not_made(api: TestClient, excusal: Any, errors: Any):
    answer = create(api, **excusal)
    assert (answer.status_code, answer.json()) == (422, {"errors": errors})
    assert api.get(MIAS).json()["excusals"] == [FEVERS]


def test_what_an_excusal_lacks_is_named(api: TestClient):
    answer = api.post(MIAS, json={"excusal": {"comment": "Fever"}})
    assert answer.json() == {"errors": {"parent_id": ["can't be blank"], "start_date": ["can't be blank"]}}


def test_twelve_days_and_another_students_excusal_are_no_hindrance(api: TestClient):
    assert create(api, EMILIE, start_date="2025-11-24", end_date="2025-12-05").json()["excusal"]["duration"] == 12


def test_an_excusal_s_end_and_comment_change_and_the_rest_stands(api: TestClient):
    answer = api.patch(f"{MIAS}/{FEVER}", json={"excusal": {"end_date": "2025-11-26"}})
    changed = FEVERS | {"end_date": "2025-11-26", "duration": 3, "updated_at": "2025-11-24T10:00:00Z"}
    assert (answer.status_code, answer.json()) == (200, {"excusal": changed})
    answer = api.patch(f"{MIAS}/{FEVER}", json={"excusal": {"comment": ""}})
    del changed["comment"]
    assert answer.json() == {"excusal": changed}


def test_an_excusal_may_not_be_stretched_over_another_nor_end_before_it_starts(api: TestClient):
    create(api, start_date="2025-11-28")
    for end_date, errors in (
        ("2025-11-28", {"end_date": OVERLAP}),
        ("2025-11-23", {"end_date": ["must be on or after the start date"]}),
        ("2025-12-24", {"duration": DURATION}),
    ):
        answer = api.patch(f"{MIAS}/{FEVER}", json={"excusal": {"end_date": end_date}})
        assert (answer.status_code, answer.json()) == (422, {"errors": errors})


def test_a_deleted_excusal_is_answered_once_more_and_its_id_never_comes_back(api: TestClient):
    newest = create(api).json()["excusal"]
    answer = api.delete(f"{MIAS}/{newest['id']}")
    assert (answer.status_code, answer.json()) == (200, {"excusal": newest})
    gone = api.delete(f"{MIAS}/{newest['id']}")
    assert (gone.status_code, gone.json()) == (
        404,
        {"error": f"Couldn't find AttendanceExcusal with 'id'={newest['id']}"},
    )
    assert create(api).json()["excusal"]["id"] > newest["id"]


def test_an_excusal_of_another_student_is_not_found(api: TestClient):
    assert api.delete(f"/v2p1/students/{OMAR}/excusals/{FEVER}").status_code == 404
    assert api.patch(f"/v2p1/students/{OMAR}/excusals/{FEVER}", json={"excusal": {"comment": "x"}}).status_code == 404


def test_the_excusals_of_a_date_come_in_order_and_without_ids(api: TestClient):
    create(api, OMAR, parent_id=AMINA, start_date="2025-11-20", end_date="2025-11-24")
    answer = api.get("/v2p1/students/excusals/2025-11-24").json()
    fever = {key: value for key, value in FEVERS.items() if key != "id"}
    assert [row["student_id"] for row in answer["excusals"]] == [OMAR, MIA]
    assert answer["excusals"][1] == fever
    assert "id" not in answer["excusals"][0]
    assert answer["meta"] == {"current_page": 1, "total_pages": 1, "total_count": 2, "per_page": 100}
    assert api.get("/v2p1/students/excusals/2025-11-26").json()["excusals"] == []


def test_a_students_excusals_can_be_narrowed_to_those_that_hold_a_day(api: TestClient):
    create(api)
    assert api.get(MIAS, params={"applies_on": "2025-11-25"}).json()["excusals"] == [FEVERS]
    assert api.get(MIAS, params={"applies_on": "2025-11-26"}).json()["excusals"] == []


def test_of_two_that_overlap_and_come_at_once_through_two_doors_only_one_is_made(engine: sa.Engine, tmp_path: Path):
    other = open_engine(tmp_path / "school.db")
    doors = [
        TestClient(create_app(one, token=TOKEN, today=TODAY), headers={"auth-token": TOKEN}) for one in (engine, other)
    ]
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda number: create(doors[number % 2]).status_code, range(16)))
    assert sorted(statuses) == [201] + [422] * 15
    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(db.excusals)).scalar_one() == 2
    other.dispose()
