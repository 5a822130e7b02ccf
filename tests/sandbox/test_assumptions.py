"""What each switch of an assumption does, and what it does not."""

from __future__ import annotations

import pytest

from attendance_mcp.sandbox.assumptions import CHOICES, Assumptions, parse_assumptions, parse_without

from .conftest import Ask
from .test_excusals import FEVERS, MIAS, create
from .test_marks import ABSENT, CLASS, HOMEROOM, PRESENT, by_student, row, set_class, set_homeroom
from .tiny import AMINA, EMILIE, LENA, MATHEMATICS, MIA, MUSIC, NOAH, OMAR, PYP_TERM, TERM_1

NOT_TAKEN = {"status": "Present", "category": {"status": -1}}


def test_the_first_value_of_each_is_the_default():
    assert parse_assumptions([]) == Assumptions()
    assert parse_assumptions(f"{key}={values[0]}" for key, values in CHOICES.items()) == Assumptions()
    assert parse_assumptions(["no_record=-1", "periods_from = 0"]) == Assumptions(no_record="-1", periods_from="0")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["no_record"], "is not KEY=VALUE"),
        (["weather=fine"], "there is no assumption 'weather'; known are no_record, archived"),
        (["duration=weeks"], "duration is one of calendar, school, not 'weeks'"),
        (["archived=only", "archived=also"], "archived is given twice"),
    ],
)
def test_a_setting_that_can_not_be_read_names_those_that_can(settings: list[str], message: str):
    with pytest.raises(ValueError, match=message):
        parse_assumptions(settings)


def test_what_a_school_is_without_is_a_list_of_known_names():
    assert parse_without("calendar, teachers,") == {"calendar", "teachers"}
    with pytest.raises(ValueError, match="can't be without weather; known are calendar, categories"):
        parse_without("weather")


def test_no_record_may_be_an_empty_object(school: Ask):
    api = school("no_record={}")
    assert by_student(api.get(f"{HOMEROOM}/date/2025-11-24"))[OMAR] == {"attendance": {}}


def test_no_record_may_be_a_mark_that_nobody_took(school: Ask):
    api = school("no_record=-1")
    assert by_student(api.get(f"{HOMEROOM}/date/2025-11-24"))[OMAR] == {"attendance": NOT_TAKEN}
    for day in ("2025-11-20", "2025-11-22", "2025-11-25"):  # a holiday, a Saturday, tomorrow
        assert by_student(api.get(f"{HOMEROOM}/date/{day}"))[OMAR] == {}
        assert by_student(api.get(f"{CLASS}/date/{day}"))[MIA] == {"attendance": {}}
    monday = by_student(api.get(f"{CLASS}/date/2025-11-24"))
    assert monday[MIA] == {"attendance": {"1": ABSENT, "2": NOT_TAKEN}}
    assert by_student(api.get(f"{CLASS}/date/2025-11-18"))[MIA] == {"attendance": {"4": NOT_TAKEN}}
    assert by_student(api.get(f"{CLASS}/date/2025-11-19"))[MIA] == {"attendance": {}}  # no slot on Wednesdays


def test_a_mark_that_nobody_took_meets_on_its_rotation_day(school: Ask):
    api = school("no_record=-1")
    music = f"/v2p1/classes/{MUSIC}/attendance/date"
    assert by_student(api.get(f"{music}/2025-11-23"))[NOAH] == {"attendance": {}}  # Sunday, rotation day 2
    assert by_student(api.get(f"{music}/2025-11-24"))[NOAH]["attendance"]["3"] == NOT_TAKEN


def test_totals_count_marks_that_nobody_took_with_the_present_ones(school: Ask):
    api = school("no_record=-1")
    homeroom = by_student(api.get(f"{HOMEROOM}/term/{TERM_1}"))
    # 15 school days from 3 to 24 November, the holiday left out; Émilie's trip of the 26th is none of them.
    assert homeroom[OMAR]["attendance"] == {"Present": 15}
    assert homeroom[EMILIE]["attendance"] == {"Present": 14, "Tardy": 1, "Fieldtrip": 1}
    assert homeroom[EMILIE]["attendance_categories"][:2] == [
        {"label": "Present", "status": -1, "value": 13},
        {"label": "Present", "status": 1, "value": 1},
    ]
    mathematics = by_student(api.get(f"{CLASS}/term/{TERM_1}"))
    # Four Mondays of two periods and three Tuesdays of one; Omar left before the last two Mondays.
    assert mathematics[MIA]["attendance"] == {"Absent": 1, "Present": 10}
    assert mathematics[OMAR]["attendance"] == {"Present": 6}
    music = by_student(api.get(f"/v2p1/classes/{MUSIC}/attendance/term/{PYP_TERM}"))
    assert music[NOAH]["attendance"] == {"Present": 9}


@pytest.mark.parametrize(("archived", "shown"), [("only", [LENA]), ("also", [MIA, EMILIE, OMAR, LENA])])
def test_archived_students_come_alone_or_with_the_others(school: Ask, archived: str, shown: list[int]):
    api = school(f"archived={archived}")
    asked = {"archived_students": "true"}
    homeroom = by_student(api.get(f"{HOMEROOM}/term/{TERM_1}", params=asked))
    assert list(homeroom) == shown
    assert homeroom[LENA]["attendance"] == {"Absent": 1}
    assert list(by_student(api.get(f"{CLASS}/term/{TERM_1}", params=asked))) == shown
    assert list(by_student(api.get(f"{HOMEROOM}/term/{TERM_1}"))) == [MIA, EMILIE, OMAR]


def test_notes_left_out_may_clear_the_old_one(school: Ask):
    api = school("notes_omitted=cleared")
    assert set_homeroom(api, MIA, date="2025-11-24", status=0) == 200
    assert by_student(api.get(f"{HOMEROOM}/date/2025-11-24"))[MIA] == {"attendance": ABSENT}
    set_class(api, row(MIA, notes="Bus"))
    set_class(api, row(MIA))
    assert by_student(api.get(f"{CLASS}/date/2025-11-24"))[MIA]["attendance"]["2"] == ABSENT


def test_a_school_that_counts_from_zero_shows_one_less_than_it_writes(school: Ask):
    api = school("periods_from=0")
    table = api.get(f"/v2p1/classes/{MATHEMATICS}/timetable").json()["timetable"]
    assert table["period_starts_count_from"] == 0
    shown = [slot["period"] for slot in table["academic_years"][0]["slots"]]
    assert shown == [0, 1, 3]
    # The contract: written = slot.period + (1 - period_starts_count_from); shown = key + period_offset.
    assert [result["status"] for result in set_class(api, *(row(MIA, period=period + 1) for period in shown[:2]))] == [
        "ok",
        "ok",
    ]
    assert set_class(api, row(MIA, period=0))[0]["errors"] == {"period": ["must be in [1, 2, 4]"]}
    day = api.get(f"{CLASS}/date/2025-11-24")
    assert day.json()["timetable"] == {"period_starts_count_from": 0, "period_offset": -1}
    assert by_student(day)[MIA] == {"attendance": {"1": ABSENT, "2": ABSENT}}
    assert by_student(day)[EMILIE] == {"attendance": {"1": PRESENT}}
    assert api.get(f"{CLASS}/term/{TERM_1}").json()["timetable"]["period_offset"] == -1


def test_adjustments_may_be_inside_the_totals_label_by_label(school: Ask):
    totals = by_student(school("adjustments=inside").get(f"{HOMEROOM}/term/{TERM_1}"))
    assert totals[MIA]["attendance"] == {"Tardy": 3}  # one Absent less is none, two Tardy more are three
    assert [one["value"] for one in totals[MIA]["attendance_categories"]] == [1, 1]


def test_an_excusal_may_count_school_days_only(school: Ask):
    api = school("duration=school")
    assert api.get(MIAS).json()["excusals"] == [FEVERS]
    assert create(api, start_date="2025-11-19", end_date="2025-11-23").json()["excusal"]["duration"] == 2
    assert create(api, EMILIE, start_date="2025-11-10", end_date="2025-11-26").json()["excusal"]["duration"] == 12
    saturday = create(api, start_date="2025-11-29")
    assert saturday.status_code == 422
    assert list(saturday.json()["errors"]) == ["duration"]
    thirteen = create(api, OMAR, parent_id=AMINA, start_date="2025-11-03", end_date="2025-11-20")
    assert thirteen.status_code == 422
    listed = api.get("/v2p1/students/excusals/2025-11-21").json()["excusals"]
    assert [row["duration"] for row in listed] == [12, 2]


def test_an_unlisted_day_may_be_one_that_nobody_entered_yet(school: Ask):
    path = "/v2p1/school/programs/myp/academic-years/101/calendar"
    off, unknown = (
        [day["date"] for day in school(f"unlisted_day={value}").get(path).json()["calendar"]["dates"]]
        for value in ("off", "unknown")
    )
    assert off[-1] == "2025-12-05"
    assert unknown == [day for day in off if day <= "2025-11-30"]
