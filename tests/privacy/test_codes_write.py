"""ATTENDANCE_PRIVACY=codes, writing: the assistant plans by codes, and the person who agrees reads the names."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.types import CallToolResult, ElicitResult

from attendance_mcp.server import build, open_app
from attendance_mcp.window.window import Window
from tests.changes.errands import DAY, absent, apply, homeroom, label, named
from tests.cli.terminal import terminal
from tests.tools.examples import Known
from tests.upstream_school import Asking, UpstreamSchool, text
from tests.window.conftest import Browser, Desktop, browser

from .everything import plans, whole
from .people import CODE, People, codes_for, codes_of

pytestmark = pytest.mark.anyio
__all__ = ["browser"]
CODES = {"privacy": "codes"}


@asynccontextmanager
async def asked(school: UpstreamSchool, era: str) -> AsyncIterator[tuple[Asking, list[str], list[str]]]:
    """A client whose user says yes: with the questions that they read, and all that the assistant reads."""
    questions: list[str] = []
    read: list[str] = []

    class Reading(Asking):
        async def __call__(self, tool: str, **arguments: Any) -> CallToolResult:
            result = await super().__call__(tool, **arguments)
            read.append(whole(result))
            return result

    async def answer(_: Any, params: Any) -> ElicitResult:
        questions.append(params.message)
        number = re.search(r"Delete the excusal", params.message)
        return ElicitResult(action="accept", content={"deletions": 1} if number else {"apply": True})

    async with Client(build(school.settings(**CODES)), mode=era, elicitation_callback=answer) as client:  # type: ignore[arg-type]
        yield Reading(client), questions, read


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_from_a_name_to_a_mark_and_back_the_person_reads_the_name_and_the_assistant_the_code(school, era):
    student = absent(school)[0]
    first, last = school.one("select first_name, last_name from students where id = :id", id=student)
    here, late = label(school, student, 0), label(school, student, 2)
    async with asked(school, era) as (ask, questions, read):
        found = await ask.facts("find_in_school", names_or_ids=[f"{first} {last}"], kind="student")
        code = found["found"][0]["id"]
        absences = await ask.facts("list_absences")
        assert code in {
            id for section in absences["sections"] for own in section.get("students", {}).values() for id in own
        }
        plan = await ask.facts("set_homeroom_attendance", student_id=code, date=DAY, status="Late")
        group = named(school, student).removeprefix(f"{first} {last} ")
        assert plan["summary"] == f"Mark {code} {group} {late} on Tue 24 Nov, was {here}."
        assert questions == []
        done = await apply(ask, plan)
        assert "agreed by a person whom the client asked: 1 done" in text(done)
        assert homeroom(school, student) == (2, None)
        journal = await ask.facts("list_changes", student_id=code)
        assert journal["entries"][0]["undo"] == "yes" and journal["student_id"] == code
        undo = await ask.facts(
            "plan_changes", changes=[{"kind": "undo", "confirmation": plan["confirmation"], "student_ids": [code]}]
        )
        await apply(ask, undo)
    assert homeroom(school, student) == (0, None)
    assert [question.splitlines()[0] for question in questions] == [
        f"Mark {named(school, student)} {late} on Tue 24 Nov, was {here}.",
        f"Mark {named(school, student)} {here} on Tue 24 Nov, was {late}.",
    ]
    assert People(school).in_("\n".join(read)) == set()


async def test_every_writing_tool_takes_codes_and_its_question_names_the_person(school):
    known, people = Known.of(school), People(school)
    async with asked(school, "auto") as (ask, questions, read):
        who = await codes_for(ask, school, known)
        for tool, arguments in plans(known, who):
            done = await apply(ask, await ask.facts(tool, **arguments))
            assert set((done.structured_content or {})["outcomes"]) == {"done"}, text(done)
        await ask.facts("list_changes", limit=3)
        await ask.facts("list_changes", student_id=who("student", known.student))
    assert people.in_("\n".join(read)) == set()
    assert len(questions) == len(known.writes())
    assert all(people.in_(question) and not CODE.search(question) for question in questions)
    assert school.rows(
        "select parent_id, comment from excusals where student_id = :id and start_date > :day",
        id=known.student,
        day=DAY,
    ) == [(known.parent, "Dentist at noon")]


async def test_no_plan_goes_by_its_confirmation_alone_unless_the_setting_says_so(school):
    student = absent(school)[0]
    async with school.client(**CODES) as ask:
        (code,) = (await codes_of(ask, "student", [student])).values()
        plan = await ask.facts("set_homeroom_attendance", student_id=code, date=DAY, status=2)
        refused = await apply(ask, plan)
    assert text(refused).startswith(
        "A person must agree to this plan (its summary holds codes, so that the host's own prompt names nobody)"
    )
    assert school.writes == []
    async with school.client(**CODES, approval="token") as ask:
        done = await apply(ask, plan)
    assert "agreed by its confirmation alone: 1 done" in text(done)
    assert People(school).in_(whole(refused) + whole(done)) == set()


async def test_the_window_names_the_person_and_what_it_undoes_the_assistant_can_apply(school, browser: Browser):
    student, desktop = absent(school)[0], Desktop()
    first, last = school.one("select first_name, last_name from students where id = :id", id=student)
    app = open_app(school.settings(**CODES, ask_seconds=20))
    app.window = Window(desktop.open)
    results: list[CallToolResult] = []
    async with school.client(app=app, **CODES) as ask:
        (code,) = (await codes_of(ask, "student", [student])).values()
        plan = await ask.facts("set_homeroom_attendance", student_id=code, date=DAY, status=2)

        async def call() -> None:
            results.append(await apply(ask, plan))

        async with anyio.create_task_group() as group:
            group.start_soon(call)
            while not desktop.opened:
                await anyio.lowlevel.checkpoint()
            await browser.open(desktop.address)
            assert f"{first} {last}" in browser.text and not CODE.search(browser.text)
            await browser.click("agree")
        assert homeroom(school, student) == (2, None)
        assert f"{first} {last}" in browser.text and not CODE.search(browser.text)
        await browser.click("undo")
        assert f"{first} {last}" in browser.text and not CODE.search(browser.text)
        waiting = (await ask.facts("list_changes", limit=1))["entries"][0]
    assert code in waiting["summary"]
    assert "hint" not in waiting
    async with school.client(**CODES, approval="token") as ask:
        await apply(ask, waiting)
    assert homeroom(school, student) == (0, None)
    assert People(school).in_(whole(results[0]) + json.dumps(waiting)) == set()


async def test_the_terminal_names_the_person(school):
    student = absent(school)[0]
    async with school.client(**CODES) as ask:
        (code,) = (await codes_of(ask, "student", [student])).values()
        plan = await ask.facts("set_homeroom_attendance", student_id=code, date=DAY, status=2)

    def at_the_terminal() -> str:
        with terminal("approve", plan["confirmation"], environment=school.environment(**CODES)) as at:
            at.wait_for("Type yes to write these changes")
            at.type("yes\n")
            assert at.end() == 0, at.screen
            return at.screen

    screen = await anyio.to_thread.run_sync(at_the_terminal)
    assert screen.count(named(school, student)) >= 2
    assert not CODE.search(screen)
    assert homeroom(school, student) == (2, None)


async def test_a_plan_whose_record_moved_says_so_by_code(school):
    student = absent(school)[0]
    async with school.client(**CODES, approval="token") as ask:
        (code,) = (await codes_of(ask, "student", [student])).values()
        plan = await ask.facts("set_homeroom_attendance", student_id=code, date=DAY, status=2)
        school.change(
            "update homeroom_marks set status = 13 where student_id = :id and date = :day", id=student, day=DAY
        )
        said = text(await apply(ask, plan))
        other = await apply(ask, plan, summary=plan["summary"].replace(code, named(school, student)))
    assert said.startswith("Changed in the school's system since the plan: homeroom, Tue 2026-11-24 of stu_")
    assert other.is_error
    assert People(school).in_(said + text(other)) == set()
