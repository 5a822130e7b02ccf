"""`attendance-mcp doctor --assumptions`: what a school shows of the contract's assumptions, without a name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.upstream_school import UpstreamSchool

from .shell import command


def seen(school: UpstreamSchool) -> dict[str, str]:
    done = command("doctor", "--assumptions", "--json", settings=school.environment())
    assert done.exit_code == 0, done.output
    return {one["assumption"]: one["verdict"] for one in json.loads(done.stdout)}


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
