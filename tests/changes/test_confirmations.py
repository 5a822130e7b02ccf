"""A confirmation serves for its own plan, caller, arguments and hour; whoever could be asked would say yes to anything.

All of it is decided on the stored plan, before anybody is asked and anything is sent.
"""

from __future__ import annotations

from typing import Any

import pytest
from mcp.types import ElicitResult

from tests.upstream_school import text

from .offices import (
    BY_THE_CLIENT,
    ERAS,
    EXPIRED,
    UNKNOWN,
    Left,
    by_turns,
    carried_out,
    founded,
    office,
    opening,
    stage,
    yes,
)
from .playing import Stage
from .ways_to_write import BY_THEMSELVES, DELETION, ERRANDS, MARK, WAYS, WayToWrite

pytestmark = pytest.mark.anyio
__all__ = ["founded", "stage"]


@by_turns(WAYS)
async def test_a_record_that_moved_while_the_person_read_is_left_alone(stage: Stage, era: Any, way: WayToWrite) -> None:
    async def meanwhile(form: dict[str, Any]) -> ElicitResult:
        at.edit(way.edited)
        return await yes(form)

    async with office(stage, era, meanwhile) as at:
        plan = await at.plan(way)
        told = text(await at.apply(way, plan))
        again = text(await at.apply(way, plan))
    assert told.startswith("Changed in the school's system since the plan: ")
    assert told.endswith(". Plan it again. Nothing was written.")
    assert again == (
        "This plan is stale: a record had changed since it was made. Plan the changes again. Nothing was written."
    )
    assert at.left(plan) == Left.unwritten("stale", "human client")


@by_turns([MARK, ERRANDS[-2]])
async def test_the_summary_of_another_plan_is_refused_with_the_plans_own(
    stage: Stage, era: Any, way: WayToWrite
) -> None:
    async with office(stage, era, yes) as at:
        other, plan = await at.plan(DELETION), await at.plan(way)
        told = text(await at.ask("apply_changes", confirmation=plan["confirmation"], summary=other["summary"]))
    assert told == f"The summary must be the plan's own, word for word: {plan['summary']} Nothing was written."
    assert at.left(plan) == Left.unwritten("waiting")
    assert at.questions == []


OTHER_ARGUMENTS: dict[str, dict[str, Any]] = {
    "set_homeroom_attendance": {"status": 1},
    "set_class_attendance": {"marks": WAYS[1].arguments["marks"][:1]},
    "create_excusal": {"comment": "Holiday"},
    "update_excusal": {"end_date": "2025-11-28"},
    "delete_excusal": {"excusal_id": 2},
}


@by_turns(BY_THEMSELVES)
async def test_a_confirmation_with_other_arguments_carries_out_neither(stage: Stage, era: Any, way: WayToWrite) -> None:
    async with office(stage, era, yes) as at:
        plan = await at.plan(way)
        arguments = {**way.arguments, **OTHER_ARGUMENTS[way.tool], "confirmation": plan["confirmation"]}
        told = text(await at.ask(way.tool, **arguments))
    assert told == (
        "This confirmation belongs to a call with other arguments. Repeat that call unchanged. Nothing was written."
    )
    assert at.left(plan) == Left.unwritten("waiting")
    assert at.questions == []


@pytest.mark.parametrize("way", BY_THEMSELVES, ids=str)
async def test_what_one_tool_planned_apply_changes_carries_out_too(stage: Stage, way: WayToWrite) -> None:
    async with office(stage, "auto", yes) as at:
        plan = await at.plan(way)
        confirmed = {"confirmation": plan["confirmation"], "summary": plan["summary"]}
        told = opening(await at.ask("apply_changes", **confirmed))
    assert told == carried_out(way, BY_THE_CLIENT)
    assert at.left(plan) == Left.written(way, "human client")


@ERAS
async def test_planning_takes_no_confirmation_so_that_it_can_never_write(stage: Stage, era: Any) -> None:
    way = ERRANDS[0]
    async with office(stage, era, yes) as at:
        plan = await at.plan(way)
        told = text(await at.ask(way.tool, **way.arguments, confirmation=plan["confirmation"]))
    assert told == ("plan_changes knows no argument 'confirmation'. Its arguments are: changes. Nothing was written.")
    assert at.left(plan) == Left.unwritten("waiting")


@ERAS
async def test_a_confirmation_that_is_none_finds_no_plan(stage: Stage, era: Any) -> None:
    async with office(stage, era, yes) as at:
        plan = await at.plan(MARK)
        told = {
            text(await at.apply(MARK, {**plan, "confirmation": code}))
            for code in ("K7Q2M9XW4B", "?", "%", "' or 1=1 --")
        }
    assert told == {UNKNOWN}
    assert at.left(plan) == Left.unwritten("waiting")
    assert at.questions == []


@ERAS
@pytest.mark.parametrize("policy", ["auto", "token"])
async def test_nobody_is_asked_about_a_plan_that_has_expired(stage: Stage, era: Any, policy: str) -> None:
    async with office(stage, era, yes, policy=policy) as at:
        plan = await at.plan(MARK)
        stage.elapse(minutes=60)
        told = text(await at.apply(MARK, plan))
    assert told == EXPIRED
    assert at.left(plan) == Left.unwritten("waiting")
    assert at.questions == []


@pytest.mark.parametrize("policy", ["auto", "token"])
@ERAS
async def test_another_callers_confirmation_finds_no_plan(stage: Stage, era: Any, policy: str) -> None:
    async with office(stage, era, yes, policy=policy) as at:
        plan = await at.plan(MARK)
        at.app.caller = "https://login.example.org|k.larsen"
        told = text(await at.apply(MARK, plan))
    assert told == UNKNOWN
    assert at.left(plan) == Left.unwritten("waiting")
    assert at.questions == []


async def test_another_caller_cant_bring_the_answer_to_a_callers_question(stage: Stage) -> None:
    async with office(stage, "auto", yes) as at:
        plan = await at.plan(MARK)
        question = await at.question(MARK, plan)
        at.app.caller = "https://login.example.org|k.larsen"
        told = text(await question.bring(yes))
    assert told == UNKNOWN
    assert at.left(plan) == Left.unwritten("waiting")
