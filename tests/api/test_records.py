"""Records are read from bytes, forgiving where the contract is known to vary and strict where silence would lie."""

from __future__ import annotations

import gc
import json
import time
from datetime import date

import pytest
from pydantic import ValidationError

from attendance_mcp.api import records
from attendance_mcp.api.attendance import ExcusalBody, RowResults
from attendance_mcp.api.records import Adjustments, ClassDay, HomeroomDay, Mark, TermTotals, Timetable, normalised
from attendance_mcp.api.reference import AcademicYearsBody, SchoolBody, StudentBody

LATE = {"status": "Late", "note": "Bus broke down", "category": {"status": 2}}


def as_bytes(content: object) -> bytes:
    return json.dumps(content).encode()


def homeroom(attendance: object) -> Mark | None:
    day = HomeroomDay.model_validate_json(as_bytes({"students": [{"id": 7, "attendance": attendance}]}))
    return day.students[0].mark


def class_day(attendance: object, **timetable: int) -> dict[int, int]:
    content: dict[str, object] = {"students": [{"id": 7, "attendance": attendance}]}
    if timetable:
        content["timetable"] = timetable
    day = ClassDay.model_validate_json(as_bytes(content))
    return {period: mark.status for period, mark in day.students[0].marks.items()}


def test_a_mark_has_the_code_of_its_category_and_the_school_s_word() -> None:
    mark = homeroom(LATE)
    assert mark is not None
    assert (mark.status, mark.label, mark.note) == (2, "Late", "Bus broke down")


@pytest.mark.parametrize("nothing", [{}, [], None])
def test_every_form_of_no_mark_is_no_mark(nothing: object) -> None:
    assert homeroom(nothing) is None
    assert class_day(nothing) == {}
    assert class_day({"1": nothing, "2": LATE}) == {2: 2}


def test_a_missing_key_is_no_mark() -> None:
    assert HomeroomDay.model_validate_json(b'{"students":[{"id":7}]}').students[0].mark is None
    assert ClassDay.model_validate_json(b'{"students":[{"id":7}]}').students[0].marks == {}
    assert TermTotals.model_validate_json(b'{"students":[{"id":7,"attendance":{}}]}').students[0].counts == []
    assert Adjustments.model_validate_json(b'{"students":[{"id":7}]}').students[0].adjustments == []


def test_an_answer_without_its_students_is_no_empty_register() -> None:
    with pytest.raises(ValidationError):
        HomeroomDay.model_validate_json(b"{}")
    with pytest.raises(ValidationError):
        ClassDay.model_validate_json(b'{"students":null}')


def test_a_mark_without_a_code_is_no_mark_to_guess_at() -> None:
    with pytest.raises(ValidationError):
        homeroom({"status": "Late"})


def test_an_error_about_a_record_does_not_show_what_was_sent() -> None:
    with pytest.raises(ValidationError) as caught:
        homeroom({"status": "private words", "category": {"status": "private words"}})
    assert "private words" not in str(caught.value)


def test_numbers_may_come_as_text_and_unknown_keys_are_ignored() -> None:
    day = HomeroomDay.model_validate_json(
        b'{"students":[{"id":"7","attendance":{"status":"Absent","category":{"status":"0","colour":"red"}}}],"new":1}'
    )
    assert day.students[0].id == 7
    assert day.students[0].mark == Mark.model_validate({"status": "Absent", "category": {"status": 0}})


@pytest.mark.parametrize(
    ("timetable", "shown"),
    [
        ({}, 1),
        ({"period_starts_count_from": 1}, 1),
        ({"period_starts_count_from": 0}, 0),
        ({"period_starts_count_from": 0, "period_offset": -1}, 0),
        ({"period_starts_count_from": 0, "period_offset": 0}, 1),
        ({"period_starts_count_from": 1, "period_offset": 2}, 3),
        ({"period_offset": -1}, 0),
    ],
)
def test_the_periods_of_a_class_day_are_those_that_the_school_shows(timetable: dict[str, int], shown: int) -> None:
    assert class_day({"1": LATE}, **timetable) == {shown: 2}


def test_a_timetable_tells_from_where_its_periods_count_wherever_it_says_so() -> None:
    year = {
        "id": 4,
        "name": "2026-27",
        "start_date": "2026-08-17",
        "end_date": "2027-06-18",
        "slots": [{"day": 1, "period": 0, "enabled": True}],
    }
    inside = {"timetable": {"academic_years": [year], "period_starts_count_from": 0}}
    beside = {"timetable": {"academic_years": [year]}, "period_starts_count_from": 0}
    silent = {"timetable": {"academic_years": [year]}}
    read = [Timetable.model_validate_json(as_bytes(content)) for content in (inside, beside, silent)]
    assert [timetable.periods_from for timetable in read] == [0, 0, 1]
    assert {timetable.years[0].slots[0].period for timetable in read} == {0}


def test_an_excusal_may_come_alone_or_as_the_first_of_a_list_and_without_its_id() -> None:
    excusal = {"student_id": 7, "start_date": "2026-11-24", "end_date": "2026-11-25", "duration": 2}
    alone = ExcusalBody.model_validate_json(as_bytes({"excusal": {"id": 9, **excusal}})).excusal
    listed = ExcusalBody.model_validate_json(as_bytes({"excusals": [excusal]})).excusal
    assert (alone.id, listed.id) == (9, None)
    assert listed.start_date == date(2026, 11, 24)


@pytest.mark.parametrize("spelling", ["ib_pyp", "ibpyp", "pyp", "IB PYP"])
def test_a_programme_is_the_same_in_every_spelling(spelling: str) -> None:
    assert normalised(spelling) == "pyp"
    student = {"id": 7, "first_name": "Mia", "last_name": "Tanaka", "program_code": spelling}
    assert StudentBody.model_validate_json(as_bytes({"student": student})).student.program_code == "pyp"
    years = {"academic_years": [{"id": 4, "name": "26", "starts_on": "2026-08-17", "ends_on": "2027-06-18"}]}
    (year,) = AcademicYearsBody.model_validate_json(as_bytes({"academic_years": {spelling: years}})).all()
    assert (year.program_key, year.program_code) == (spelling, "pyp")
    school = {"name": "Harbour School", "enabled_programs": [{"name": "PYP", "code": spelling}]}
    (program,) = SchoolBody.model_validate_json(as_bytes({"school": school})).school.programs
    assert (program.key, program.code) == (spelling, "pyp")


def test_programmes_that_only_resemble_one_another_stay_apart() -> None:
    assert len({normalised(code) for code in ("igcse", "ib", "ap", "us_high", "dp", "myp")}) == 6


def test_the_reasons_of_a_row_are_sanitised_in_every_form() -> None:
    errors = [{"period": ["must be in [1, 2]"]}, {"date": "is <b>closed</b>"}, ["is wrong"], "is wrong", {}, None]
    rows = [
        {"index": i, "student_id": 7, "status": "unprocessable_entity", "errors": error}
        for i, error in enumerate(errors)
    ]
    results = RowResults.model_validate_json(as_bytes({"attendance": rows})).rows
    assert [row.errors for row in results] == [
        {"period": ["must be in 1, 2"]},
        {"date": ["is b closed /b"]},
        {"base": ["is wrong"]},
        {"base": ["is wrong"]},
        {},
        {},
    ]


def test_a_term_of_a_hundred_thousand_students_costs_at_most_five_times_the_parse() -> None:
    counts = [{"label": label, "status": status, "value": 9} for label, status in (("Present", 1), ("Absent", 0))]
    row = {"attendance": {"Present": 9, "Absent": 9}, "attendance_categories": counts}
    content = as_bytes({"students": [{"id": 10_000_000 + number, **row} for number in range(100_000)]})

    def cheapest(read: object) -> float:
        spent = []
        for _ in range(3):
            begin = time.process_time()
            read(content)  # type: ignore[operator]
            spent.append(time.process_time() - begin)
        return min(spent)

    gc.disable()  # it would count what other tests left behind
    try:
        assert cheapest(TermTotals.model_validate_json) < 5 * cheapest(json.loads)
    finally:
        gc.enable()


def test_what_the_rooms_above_may_use_is_listed() -> None:
    assert set(records.__all__) == {name for name in vars(records) if not name.startswith("_")}
