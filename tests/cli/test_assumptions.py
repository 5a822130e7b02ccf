"""`attendance-mcp doctor --assumptions`: what a school shows of the contract's assumptions, without a name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.questions.filtered import filtered
from tests.upstream_school import UpstreamSchool

from .shell import command


def told(school: UpstreamSchool, **settings: str) -> list[dict[str, str]]:
    done = command("doctor", "--assumptions", "--json", settings=school.environment(**settings))
    assert done.exit_code == 0, done.output
    return list(json.loads(done.stdout))


def seen(school: UpstreamSchool, **settings: str) -> dict[str, str]:
    return {one["assumption"]: one["verdict"] for one in told(school, **settings)}


def test_in_a_school_as_the_contract_has_it_each_holds_or_can_not_be_told(same_school):
    assert seen(same_school) == snapshot(
        {
            "a day without a mark is left out, or {}": "holds",
            "archived_students=true answers the archived students alone": "holds",
            "the timetable says from which number periods count": "holds",
            "an excusal's duration counts calendar days": "holds",
            "a date that the calendar doesn't list is a day off": "holds",
            "a term's totals leave adjustments out": "holds",
            "the list of excusals of a date gives no ids": "holds",
            "there is an operation get_calendar": "holds",
            "there is an operation get_permissions": "holds",
            "there is an operation list_attendance_categories": "holds",
            "there is an operation list_teachers": "holds",
            "notes that are left out stay": "unknown",
            "an excusal without an end ends on its first day": "unknown",
            "a class mark takes the fifteen codes alone": "unknown",
        }
    )


@pytest.mark.parametrize(
    ("switch", "assumption"),
    [
        ("no_record=-1", "a day without a mark is left out, or {}"),
        ("archived=also", "archived_students=true answers the archived students alone"),
        ("duration=school", "an excusal's duration counts calendar days"),
        ("adjustments=inside", "a term's totals leave adjustments out"),
    ],
)
def test_an_assumption_that_does_not_hold_is_found(open_school: Any, switch: str, assumption: str):
    assert seen(open_school("small", switch))[assumption] == "fails"


def test_an_empty_object_for_a_day_without_a_mark_is_as_good_as_none(open_school: Any):
    first, *_ = told(open_school("small", "no_record={}"))
    assert (first["verdict"], first["seen"].startswith("Seen: {} ")) == ("holds", True)


def test_in_the_holidays_nothing_is_there_to_tell_it_by(same_school):
    found = told(same_school, today="2027-07-20T10:30")
    assert {one["assumption"]: one["seen"] for one in found[:7] if one["verdict"] == "unknown"} == snapshot(
        {
            "a day without a mark is left out, or {}": "No day with students could be looked at.",
            "archived_students=true answers the archived students alone": "Nobody who is archived was found.",
            "an excusal's duration counts calendar days": "No excusal over a weekend was found.",
            "a date that the calendar doesn't list is a day off": "No weekday of the last weeks is missing in a calendar.",
            "a term's totals leave adjustments out": "No adjustment was found.",
            "the list of excusals of a date gives no ids": "No excusal in the last 60 days.",
        }
    )


def test_what_stands_elsewhere_or_can_not_be_read_is_told_as_that(school):
    years = school.rows("select program_code, id from academic_years")
    calendars = [f"/v2p1/school/programs/{code}/academic-years/{year}/calendar" for code, year in years]
    timetables = [f"/v2p1/classes/{id}/timetable" for (id,) in school.rows("select id from classes")]
    school.change("update excusals set start_date = '2026-11-01', end_date = '2027-03-01' where id % 2 = 0")

    def without_monday(answer):
        dates = answer["calendar"]["dates"]
        dates[:] = [day for day in dates if day["date"] != "2026-11-23"]

    def beside(answer):
        answer["period_starts_count_from"] = answer["timetable"].pop("period_starts_count_from")

    def nowhere(answer):
        del answer["timetable"]["period_starts_count_from"]

    with filtered(school, teachers=403, permissions=500, adjustments=500) as way:
        way.altered = dict.fromkeys(calendars, without_monday) | dict.fromkeys(timetables, beside)
        found = {one["assumption"]: f"{one['verdict']}: {one['seen']}" for one in told(school, api_url=way.url)}
        way.altered = dict.fromkeys(timetables, nowhere)
        again = seen(school, api_url=way.url)
    assert list(found.values())[:11] == snapshot(
        [
            "holds: Seen: left out 373.",
            "holds: 2 students answered, all of them archived.",
            "holds: Beside the timetable: 1.",
            "unknown: No excusal over a weekend was found.",
            "fails: Homeroom was taken on a day that the calendar doesn't list.",
            "unknown: Could not be read: Unavailable.",
            "holds: Excusals come without an id.",
            "holds: It answers.",
            "unknown: It could not be read: Unavailable.",
            "holds: It answers.",
            "unknown: The token may not use it.",
        ]
    )
    assert again["the timetable says from which number periods count"] == "fails"


def test_an_operation_that_a_school_lacks_is_found(open_school: Any):
    found = seen(open_school("small", without={"teachers", "permissions", "categories", "calendar"}))
    assert {
        words: verdict for words, verdict in found.items() if words.startswith("there is an operation")
    } == snapshot(
        {
            "there is an operation get_calendar": "fails",
            "there is an operation get_permissions": "fails",
            "there is an operation list_attendance_categories": "fails",
            "there is an operation list_teachers": "fails",
        }
    )


def test_it_can_be_pasted_into_a_public_issue(same_school):
    done = command("doctor", "--assumptions", settings=same_school.environment())
    people = {name for row in same_school.rows("select first_name, last_name from students") for name in row}
    people |= {str(id) for (id,) in same_school.rows("select id from students")}
    assert [name for name in people if name in done.stdout] == []
    assert same_school.url not in done.output
    assert same_school.writes == []
