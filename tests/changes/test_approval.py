"""Who agrees to a plan: by the client's question or in the window; nothing but an approval lets a write out."""

from __future__ import annotations

from contextlib import asynccontextmanager

import anyio
import pytest
from mcp import Client
from mcp.types import ElicitResult

from attendance_mcp.server import build, open_app
from attendance_mcp.window.window import Window
from tests.upstream_school import Asking, text
from tests.window.conftest import Browser, Desktop, browser

from .errands import absent, apply, homeroom, mark_late

pytestmark = pytest.mark.anyio
__all__ = ["browser"]
ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])


@asynccontextmanager
async def asked(school, era, answer, **settings):
    questions: list[str] = []

    async def callback(_, params):
        questions.append(params.message)
        return answer or await anyio.sleep_forever()

    server = build(school.settings(**settings))
    async with Client(server, mode=era, elicitation_callback=callback) as client:
        yield Asking(client), questions


def accept(**content):
    return ElicitResult(action="accept", content=content)


@ERAS
async def test_a_client_that_can_be_asked_is_asked_and_its_yes_serves_once(school, era):
    student = absent(school)[0]
    async with asked(school, era, accept(apply=True)) as (ask, questions):
        plan = await mark_late(ask, student)
        result = await apply(ask, plan)
        again = await apply(ask, plan)
    assert "agreed by a person whom the client asked: 1 done." in text(result)
    assert again.structured_content["repeated"] is True
    assert len(questions) == 1
    assert questions[0].startswith(plan["summary"])
    assert homeroom(school, student) == (2, None)
    assert len(school.writes) == 1


@ERAS
@pytest.mark.parametrize("answer", [accept(apply=False), accept(), ElicitResult(action="decline")])
async def test_a_no_discards_the_plan(school, era, answer):
    async with asked(school, era, answer) as (ask, _):
        plan = await mark_late(ask, absent(school)[0])
        told = text(await apply(ask, plan))
        again = text(await apply(ask, plan))
    assert told == "The person did not agree, and the plan is discarded. Nothing was written."
    assert again.startswith("This plan was declined.")
    assert school.writes == []


@ERAS
async def test_a_closed_question_leaves_the_plan_waiting(school, era):
    async with asked(school, era, ElicitResult(action="cancel")) as (ask, questions):
        plan = await mark_late(ask, absent(school)[0])
        told = text(await apply(ask, plan))
        await apply(ask, plan)
    assert told.startswith("The person gave no answer. The plan waits until ")
    assert len(questions) == 2
    assert school.writes == []


async def test_silence_is_waited_for_no_longer_than_set(school):
    async with asked(school, "legacy", None, ask_seconds=0.2) as (ask, _):
        told = text(await apply(ask, await mark_late(ask, absent(school)[0])))
    assert told.startswith("No answer came within 0.2 seconds. The plan waits until ")
    assert school.writes == []


@pytest.mark.parametrize(("what", "status"), [("agree", 2), ("discard", 0)])
async def test_the_window_applies_or_discards(school, browser: Browser, what, status):
    desktop, student = Desktop(), absent(school)[0]
    app = open_app(school.settings(approval="human", ask_seconds=20))
    app.window = Window(desktop.open)
    async with school.client(app=app) as ask:
        plan = await mark_late(ask, student)
        async with anyio.create_task_group() as group:
            results = []

            async def call() -> None:
                results.append(text(await apply(ask, plan)))

            group.start_soon(call)
            while not desktop.opened:
                await anyio.lowlevel.checkpoint()
            await browser.open(desktop.address)
            await browser.click(what)
    assert homeroom(school, student) == (status, None)
    assert ("in the window: 1 done" in results[0]) is (what == "agree")
    assert bool(school.writes) is (what == "agree")


async def test_without_anybody_to_ask_a_risky_plan_is_refused_and_another_goes_by_its_confirmation(school):
    excusal, student = school.one("select id, student_id from excusals order by id")
    async with school.client() as ask:
        assert (await apply(ask, await mark_late(ask, absent(school)[0]))).structured_content["approval"] == "token"
        school.log.clear()
        plan = await ask.facts("delete_excusal", student_id=student, excusal_id=excusal)
        told = text(await apply(ask, plan))
        await ask.facts("list_student_excusals", student_id=student)
        after = text(await apply(ask, await mark_late(ask, absent(school)[1])))
    assert told.startswith("A person must agree to this plan (it deletes")
    assert "text that parents or teachers typed was read shortly before" in after
    assert school.writes == []
    async with school.client(approval="token") as ask:
        assert (await apply(ask, plan)).structured_content["outcomes"] == {"done": 1}


@ERAS
@pytest.mark.parametrize(("typed", "deleted"), [(1, True), (2, False), (True, False)])
async def test_a_deletion_asks_for_the_number_of_deletions(school, era, typed, deleted):
    excusal, student = school.one("select id, student_id from excusals order by id")
    async with asked(school, era, accept(deletions=typed)) as (ask, _):
        await apply(ask, await ask.facts("delete_excusal", student_id=student, excusal_id=excusal))
    assert (school.rows("select 1 from excusals where id = :id", id=excusal) == []) is deleted
    assert bool(school.writes) is deleted
