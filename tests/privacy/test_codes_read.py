"""ATTENDANCE_PRIVACY=codes, reading: nobody is named in anything that a model reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp.shared.exceptions import MCPError
from mcp.types import PromptReference

from tests.tools.examples import DAY, Known
from tests.upstream_school import UpstreamSchool, on_a_port

from .everything import answers, plans, reads
from .people import CODE, People, codes_for, codes_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def school(same_school: UpstreamSchool) -> UpstreamSchool:
    """Nothing here changes the school."""
    return same_school


@pytest.fixture
def codes(tmp_path: Path) -> dict[str, str]:
    """The settings of an installation of its own."""
    return {"privacy": "codes", "store": str(tmp_path / "plans.db")}


OF_STAFF = (
    "list_missing_registers",
    "list_absences",
    "reconcile_homeroom",
    "get_homeroom_attendance",
    "find_in_school",
)


async def test_no_answer_of_any_tool_names_anybody(school, codes):
    known, people = Known.of(school), People(school)
    async with school.client(**codes) as ask:
        who = await codes_for(ask, school, known)
        calls = [*reads(school, known, who), *plans(known, who)]
        read = await answers(ask, [*calls, ("list_changes", {"limit": 3})])
        listed = {tool.name for tool in (await ask.client.list_tools()).tools}
    assert {tool for tool, _ in calls} == listed - {"apply_changes", "show_in_window"}  # asked in the tests of writing
    assert {call: people.in_(words) for call, words in read.items() if people.in_(words)} == {}
    told = set(CODE.findall("\n".join(read.values())))
    numbers = {prefix: len([code for code in told if code.startswith(prefix)]) for prefix in ("stu_", "par_", "sta_")}
    assert numbers == snapshot({"stu_": 94, "par_": 14, "sta_": 11})


async def test_nor_does_one_where_the_schools_system_gives_no_teachers(
    open_school: Callable[..., UpstreamSchool], codes
):
    school = open_school(without={"teachers"})
    known, people = Known.of(school), People(school)
    async with school.client(**codes) as ask:
        who = await codes_for(ask, school, known)
        read = await answers(ask, [call for call in reads(school, known, who) if call[0] in OF_STAFF])
    assert {call: people.in_(words) for call, words in read.items() if people.in_(words)} == {}
    assert "sta_" in "".join(read.values())


async def test_without_the_setting_the_same_answers_name_them(school):
    known, people = Known.of(school), People(school)
    async with school.client() as ask:
        read = await answers(ask, [call for call in reads(school, known) if call[0] in OF_STAFF])
    assert len(people.in_("\n".join(read.values()))) > 2 * 94  # by id and by name


async def test_a_name_that_a_person_types_comes_back_as_a_code_alone(school, codes):
    people = People(school)
    (id, first, last, number), (other,) = (
        school.one("select id, first_name, last_name, student_id from students where archived = 0 order by 1"),
        ("Nobody At All",),
    )
    async with school.client(**codes) as ask:
        (code,) = (await codes_of(ask, "student", [id])).values()
        typed = [other, f"{last} {first}", f"{first.lower()} {last[:-1]}", number, code, first[0]]
        found = await ask.facts("find_in_school", names_or_ids=typed)
        said = await ask.text("find_in_school", names_or_ids=typed)
    by_place = {record["asked"]: record["id"] for record in found["found"]}
    assert [by_place[f"name {place}"] for place in (2, 3, 4, 5)] == [code] * 4
    assert found["not_found"][0] == "name 1"
    assert people.in_(said + json.dumps(found)) == set()
    assert f"name 2: {code} (student, " in said


async def test_namesakes_are_told_apart_by_code_and_year_group(open_school, codes):
    school = open_school()
    school.change(
        "update students set first_name = 'Tamsin', last_name = 'Quill' where id in (select id from students where archived = 0 group by year_group_id order by 1 limit 2)"
    )
    async with school.client(**codes) as ask:
        found = await ask.facts("find_in_school", names_or_ids=["Tamsin Quill"])
        said = await ask.error("get_student_attendance", student="Tamsin Quill")
    (name,) = found["ambiguous"]
    assert {len(name["candidates"]), len({one["of"] for one in name["candidates"]})} == {2}
    assert said.startswith("What was asked for may mean: stu_")
    assert People(school).in_(said + json.dumps(found)) == set()


async def test_a_homeroom_is_called_by_its_advisors_code_and_found_by_it(school, codes):
    async with school.client(**codes) as ask:
        missing = await ask.facts("list_missing_registers")
        row = missing["missing"][0]
        name = f"{row['of']} {row['whose']}"
        absences = await ask.facts("list_absences", group=name)
        advisor = await ask.facts("list_absences", group=row["whose"])
    assert row["whose"].startswith("sta_")
    assert absences["of"] == advisor["of"] == name
    assert absences["students"] == row["students"]


async def test_no_error_names_anybody(school, codes, tmp_path):
    known, people = Known.of(school), People(school)
    first, last = school.one("select first_name, last_name from students where id = :id", id=known.student)
    async with school.client(**codes) as ask:
        mine = await codes_of(ask, "student", [known.student, known.excused])
        (parent,) = (await codes_of(ask, "parent", [known.parent])).values()
    async with school.client(**{**codes, "store": str(tmp_path / "elsewhere" / "plans.db")}) as ask:
        (foreign,) = (await codes_of(ask, "student", [known.student])).values()
    me, other = mine.values()
    mark = {"date": DAY, "status": 2}
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("set_homeroom_attendance", {"student_id": known.student, **mark}),
        ("set_homeroom_attendance", {"student_id": str(known.student), **mark}),
        ("set_homeroom_attendance", {"student_id": f"{first} {last}", **mark}),
        ("set_homeroom_attendance", {"student_id": parent, **mark}),
        ("set_homeroom_attendance", {"student_id": foreign, **mark}),
        ("set_homeroom_attendance", {"student_id": me[:-1] + ("a" if me[-1] != "a" else "b"), **mark}),
        ("set_homeroom_attendance", {"student_id": me, **mark, "notes": f"Brother of {other}"}),
        (
            "set_class_attendance",
            {"class_id": known.class_, "marks": [{"student_id": known.student, "period": 1, "status": 1}]},
        ),
        (
            "set_class_attendance",
            {"class_id": foreign_class(school, known), "marks": [{"student_id": me, "period": 1, "status": 1}]},
        ),
        ("create_excusal", {"student_id": me, "parent_id": known.parent, "start_date": "tomorrow"}),
        ("create_excusal", {"student_id": other, "parent_id": parent, "start_date": "tomorrow"}),
        ("create_excusal", {"student_id": other, "parent_id": me, "start_date": "tomorrow"}),
        ("update_excusal", {"student_id": me, "excusal_id": known.excusal, "end_date": DAY}),
        ("delete_excusal", {"student_id": me, "excusal_id": 1}),
        (
            "plan_changes",
            {"changes": [{"kind": "homeroom", "student_ids": [known.student], "dates": [DAY], "status": 1}]},
        ),
        ("plan_changes", {"changes": [{"kind": "homeroom", "student_ids": [me], "dates": [DAY], "status": 1}] * 2}),
        ("list_student_excusals", {"student_id": known.student}),
        ("list_changes", {"student_id": known.student}),
        ("get_student_attendance", {"student": f"{last}{last}"}),
        ("get_student_attendance", {"student": parent}),
        ("list_absences", {"group": f"{first} {last}"}),
        ("list_attendance_concerns", {"term": f"{first} {last}"}),
    ]
    async with school.client(**codes) as ask:
        said = [(tool, await ask.error(tool, **arguments)) for tool, arguments in wrong]
    assert [(tool, error) for tool, error in said if people.in_(error)] == []
    assert all(error.endswith("Nothing was written.") for _, error in said)
    assert said[0][1] == snapshot(
        "set_homeroom_attendance can't take these arguments: student_id: the code stu_… of a student is expected; find_in_school answers it. Nothing was written."
    )


def foreign_class(school: UpstreamSchool, known: Known) -> int:
    """A class that the student never was in."""
    query = "select min(id) from classes where id not in (select class_id from memberships where student_id = :id) and archived = 0"
    return int(school.one(query, id=known.student)[0])


async def test_resources_prompts_and_completions_name_nobody(school, codes):
    known, people = Known.of(school), People(school)
    first, last = school.one("select first_name, last_name from students where id = :id", id=known.student)
    async with school.client(**codes) as ask:
        client = ask.client
        (code,) = (await codes_of(ask, "student", [known.student])).values()
        read = [client.instructions or ""]
        for uri in ("attendance://context", "attendance://status-codes"):
            read += [one.text for one in (await client.read_resource(uri)).contents]
        meeting = await client.get_prompt("parents-meeting", {"student": f"{last} {first}"})
        (advisor,) = [
            record["homeroom"] for record in (await ask.facts("find_in_school", names_or_ids=[code]))["found"]
        ]
        teacher = school.one(
            "select t.first_name || ' ' || t.last_name from students s join teachers t on t.id = s.homeroom_advisor_id where s.id = :id",
            id=known.student,
        )[0]
        homeroom = await client.get_prompt("reconcile-homeroom", {"group": f"{known.group_name} {teacher}"})
        read += [message.content.text for prompt in (meeting, homeroom) for message in prompt.messages]
        with pytest.raises(MCPError) as unknown:
            await client.get_prompt("parents-meeting", {"student": f"{first}{last}{first}"})
        read.append(str(unknown.value))
        for argument, typed in (
            ("student", first),
            ("student", last),
            ("student", "stu"),
            ("group", teacher),
            ("group", "grade"),
        ):
            completed = await client.complete(
                PromptReference(type="ref/prompt", name="draft-excusal"), {"name": argument, "value": typed}
            )
            read += completed.completion.values
            assert argument != "student" or completed.completion.values == []
    assert code in read[3]
    assert advisor in read[4]
    assert people.in_("\n".join(read)) == set()


class Naming:
    """An upstream that refuses everything and says of whom."""

    def __init__(self, status: int, words: str) -> None:
        self.status, self.words = status, words

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            body = {"error": self.words, "errors": {"student_id": [self.words], "base": self.words}}
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": self.status, "headers": headers})
            await send({"type": "http.response.body", "body": json.dumps(body).encode()})


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_what_the_schools_system_says_of_somebody_is_not_repeated(school, codes, status):
    known, people = Known.of(school), People(school)
    first, last = school.one("select first_name, last_name from students where id = :id", id=known.student)
    words = f"Couldn't find Student with 'id'={known.student}: {first} {last}"
    async with school.client(**codes) as ask:
        who = await codes_for(ask, school, known)
    calls = [*reads(school, known, who)[:16], *plans(known, who)]
    with on_a_port(Naming(status, words)) as url:
        async with school.client(**codes, api_url=url) as ask:
            said = [await ask.error(tool, **arguments) for tool, arguments in calls if tool != "list_changes"]
    assert {name for error in said for name in people.in_(error)} == set()
