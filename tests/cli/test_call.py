"""`attendance-mcp call`: one tool from a shell, for people without an assistant."""

from __future__ import annotations

import json

import pytest

from tests.tools.examples import DAY, Known
from tests.upstream_school import UpstreamSchool

from .shell import command


def call(school: UpstreamSchool, *arguments: str, **settings: str):
    return command("call", *arguments, settings=school.environment(**settings))


def test_it_prints_the_text_of_an_answer(school):
    done = call(school, "list_excusals", json.dumps({"date": DAY}))
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Excusals that cover Tue {DAY}: 4 excusals.\nJyoti Deshpande (10400202): ")


def test_it_prints_the_structure_as_json_on_one_line_with_its_letters(school):
    done = call(school, "list_absences", "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout)["counts"]["absent"] == 3
    assert "Вікторія Бондаренко" in done.stdout


def test_a_plan_of_one_call_is_carried_out_by_another_and_repeated_by_a_third(school):
    known = Known.of(school)
    arguments = json.dumps(known.writes()["set_homeroom_attendance"])
    plan = json.loads(call(school, "set_homeroom_attendance", arguments, "--json").stdout)
    confirmation = json.dumps({"confirmation": plan["confirmation"], "summary": plan["summary"]})
    done = call(school, "apply_changes", confirmation, approval="token")
    again = call(school, "apply_changes", confirmation, approval="token")
    assert (done.exit_code, again.exit_code) == (0, 0), done.stderr + again.stderr
    assert "1 done" in done.stdout
    assert "This call wrote nothing more." in again.stdout
    query = "select status, note from homeroom_marks where student_id = :id and date = :day"
    assert school.rows(query, id=known.student, day=DAY) == [(2, "Bus 4")]
    assert len(school.writes) == 1


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_an_error_goes_to_stderr_and_ends_with_status_1(school, as_json):
    done = call(school, "get_class_attendance", '{"class_id": 5}', *as_json)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "The school has no class with the id 5. Nothing was written.\n"


def test_an_unknown_tool_names_those_that_there_are(school):
    done = call(school, "list_absentees")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("There is no tool 'list_absentees' here. There are: get_school_context, ")
    assert done.stderr.endswith(" Nothing was written.\n")


def test_with_writes_off_a_writing_tool_is_not_there(school):
    arguments = json.dumps(Known.of(school).writes()["set_homeroom_attendance"])
    done = call(school, "set_homeroom_attendance", arguments, writes="off")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("There is no tool 'set_homeroom_attendance' here.")
    assert school.writes == []


@pytest.mark.parametrize("arguments", ["date=today", "[]", '"today"', "{'date': 'today'}"])
def test_arguments_that_are_no_json_object_are_told_with_an_example(school, arguments):
    done = call(school, "list_absences", arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert """ARGUMENTS is a JSON object, such as '{"date": "today"}'. Nothing was written.""" in done.stderr
