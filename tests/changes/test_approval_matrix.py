"""Every way to write, in both eras, against whatever a person may answer: nothing but an approval lets a write out.

What depends on the way to write is played for each: a yes, a no, nobody to ask, an answer that is brought again. The rest
is decided on the answer and the stored plan, so that a mark and a deletion, which wants a number, stand for all.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import anyio
import pytest
from mcp.shared.exceptions import MCPError
from mcp.types import ElicitResult, ErrorData

from tests.upstream_school import text

from .offices import (
    BY_THE_CLIENT,
    DECLINED,
    ENDED,
    ERAS,
    EVERY_WAY,
    EXPIRED,
    WAITS,
    Answering,
    Left,
    Office,
    already,
    by_turns,
    cancel,
    carried_out,
    founded,
    no,
    office,
    one_after_another,
    opening,
    stage,
    unticked,
    yes,
)
from .playing import Stage
from .ways_to_write import DELETION, MARK, NEW_EXCUSAL, WAYS, WayToWrite

pytestmark = pytest.mark.anyio
__all__ = ["founded", "stage"]

# --- the client asks the person ---


@EVERY_WAY
@ERAS
async def test_a_yes_writes_exactly_the_plan(stage: Stage, era: Any, way: WayToWrite) -> None:
    async with office(stage, era, yes) as at:
        plan = await at.plan(way)
        result = await at.apply(way, plan)
    assert opening(result) == carried_out(way, BY_THE_CLIENT)
    assert at.left(plan) == Left.written(way, "human client")
    assert len(at.questions) == 1
    assert at.questions[0].startswith(f"{plan['summary']}\n- ")
    assert at.questions[0].endswith(f"\nPlan {plan['confirmation']}, open until 11:00.")


@EVERY_WAY
@ERAS
async def test_a_no_ends_the_plan_for_good(stage: Stage, era: Any, way: WayToWrite) -> None:
    async with office(stage, era, one_after_another(no, yes)) as at:
        plan = await at.plan(way)
        told = [text(await at.apply(way, plan)) for _ in range(2)]
    assert told == [DECLINED, ENDED]
    assert at.left(plan) == Left.unwritten("discarded")
    assert len(at.questions) == 1


async def half_a_yes(form: dict[str, Any]) -> ElicitResult:
    """Accepted, but nothing filled in."""
    return ElicitResult(action="accept", content={})


async def a_word(form: dict[str, Any]) -> ElicitResult:
    """Accepted with what is no tick and no number."""
    return ElicitResult(action="accept", content={"apply": "yes", "deletions": "all"})


async def a_tick_for_a_number(form: dict[str, Any]) -> ElicitResult:
    """True counts as 1 in many a language; for a mark, 1 is no tick either."""
    return ElicitResult(action="accept", content={"apply": 1, "deletions": True})


@pytest.mark.parametrize(
    ("answer", "era"),
    [(unticked, "auto"), (unticked, "legacy"), (half_a_yes, "auto"), (a_word, "legacy"), (a_tick_for_a_number, "auto")],
)
@pytest.mark.parametrize("way", [MARK, DELETION], ids=str)
async def test_accepting_with_the_box_unticked_or_another_number_is_a_no(
    stage: Stage, era: Any, way: WayToWrite, answer: Answering
) -> None:
    async with office(stage, era, answer) as at:
        plan = await at.plan(way)
        told = text(await at.apply(way, plan))
    assert told == DECLINED
    assert at.left(plan) == Left.unwritten("discarded")


@pytest.mark.parametrize("way", [MARK, DELETION], ids=str)
@ERAS
async def test_a_question_that_is_closed_leaves_the_plan_waiting_to_be_asked_again(
    stage: Stage, era: Any, way: WayToWrite
) -> None:
    async with office(stage, era, one_after_another(cancel, yes)) as at:
        plan = await at.plan(way)
        told = text(await at.apply(way, plan))
        left = at.left(plan)
        again = opening(await at.apply(way, plan))
    assert told == f"The person gave no answer. {WAITS}"
    assert left == Left.unwritten("waiting")
    assert again == carried_out(way, BY_THE_CLIENT)
    assert at.left(plan) == Left.written(way, "human client")
    assert len(at.questions) == 2


async def test_silence_is_waited_for_as_long_as_is_set_and_what_comes_then_is_too_late(stage: Stage) -> None:
    """In the legacy era the call waits for the person."""
    ended, came = asyncio.Event(), asyncio.Event()

    async def late(form: dict[str, Any]) -> ElicitResult:
        with anyio.CancelScope(shield=True):  # a client that goes on asking though the call is over
            await ended.wait()
        came.set()
        return await yes(form)

    async with office(stage, "legacy", late) as at:
        at.app.desk.ask_seconds = 0.02
        plan = await at.plan(MARK)
        told = text(await at.apply(MARK, plan))
        ended.set()
        await came.wait()
        await at.ask.facts("list_changes")  # by now the answer has come to the server as well
    assert told == f"No answer came within 0.02 seconds. {WAITS}"
    assert at.left(plan) == Left.unwritten("waiting")


@pytest.mark.parametrize("way", [MARK, DELETION], ids=str)
async def test_a_client_that_never_brings_an_answer_leaves_the_plan_waiting(stage: Stage, way: WayToWrite) -> None:
    """In the 2026 era no call waits: silence is a call that never comes."""
    async with office(stage, "auto", yes) as at:
        plan = await at.plan(way)
        await at.question(way, plan)
        left = at.left(plan)
        told = opening(await at.apply(way, plan))
    assert left == Left.unwritten("waiting")
    assert told == carried_out(way, BY_THE_CLIENT)
    assert at.left(plan) == Left.written(way, "human client")


@ERAS
async def test_an_answer_to_a_plan_that_has_expired_meanwhile_is_too_late(stage: Stage, era: Any) -> None:
    async def an_hour_later(form: dict[str, Any]) -> ElicitResult:
        stage.elapse(minutes=61)
        return await yes(form)

    async with office(stage, era, an_hour_later) as at:
        plan = await at.plan(MARK)
        told = text(await at.apply(MARK, plan))
    assert told == EXPIRED
    assert at.left(plan) == Left.unwritten("waiting")


async def test_a_client_of_the_legacy_era_that_declares_questions_and_cant_ask_them_asked_nobody(stage: Stage) -> None:
    async def cant(_form: dict[str, Any]) -> Any:
        return ErrorData(code=-32603, message="no window to show it in")

    async with office(stage, "legacy", cant) as at:
        plan = await at.plan(MARK)
        told = text(await at.apply(MARK, plan))
    assert told == f"The person gave no answer. {WAITS}"
    assert at.left(plan) == Left.unwritten("waiting")


# --- an answer is brought again, or to another plan ---


@EVERY_WAY
async def test_an_answer_that_is_brought_three_times_writes_once(stage: Stage, way: WayToWrite) -> None:
    async with office(stage, "auto", yes) as at:
        plan = await at.plan(way)
        question = await at.question(way, plan)
        told = [opening(await question.bring(yes)) for _ in range(3)]
    assert told == [carried_out(way, BY_THE_CLIENT), already(way), already(way)]
    assert at.left(plan) == Left.written(way, "human client")


async def test_an_answer_that_is_brought_three_times_at_once_writes_once(stage: Stage) -> None:
    async with office(stage, "auto", yes) as at:
        plan = await at.plan(NEW_EXCUSAL)
        question = await at.question(NEW_EXCUSAL, plan)
        results = await asyncio.gather(*(question.bring(yes) for _ in range(3)))
    told = {opening(result) for result in results}
    others = told - {carried_out(NEW_EXCUSAL, BY_THE_CLIENT)}
    assert len(others) < len(told)
    assert all("This call wrote nothing" in line for line in others)
    assert at.left(plan) == Left.written(NEW_EXCUSAL, "human client")


@pytest.mark.parametrize("way", [MARK, NEW_EXCUSAL], ids=str)
@ERAS
async def test_a_call_that_is_sent_again_after_the_yes_asks_nobody_and_writes_nothing(
    stage: Stage, era: Any, way: WayToWrite
) -> None:
    async with office(stage, era, yes) as at:
        plan = await at.plan(way)
        told = [opening(await at.apply(way, plan)) for _ in range(3)]
    assert told == [carried_out(way, BY_THE_CLIENT), already(way), already(way)]
    assert at.left(plan) == Left.written(way, "human client")
    assert len(at.questions) == 1


async def test_a_yes_that_follows_a_no_to_the_same_question_is_none(stage: Stage) -> None:
    async with office(stage, "auto", yes) as at:
        plan = await at.plan(MARK)
        question = await at.question(MARK, plan)
        told = [text(await question.bring(answer)) for answer in (no, yes)]
    assert told == [DECLINED, ENDED]
    assert at.left(plan) == Left.unwritten("discarded")


async def two_plans(at: Office) -> tuple[Any, Any]:
    return await at.plan(MARK), await at.plan(DELETION)


async def test_an_answer_to_one_plan_is_none_to_another(stage: Stage) -> None:
    """The SDK seals the question's state with the call that it was asked for; what it refuses the model never sees."""
    async with office(stage, "auto", yes) as at:
        mark, deletion = await two_plans(at)
        of_mark, of_deletion = await at.question(MARK, mark), await at.question(DELETION, deletion)
        with pytest.raises(MCPError, match="Invalid or expired requestState"):
            await of_deletion.bring(yes, request_state=of_mark.asked.request_state)
        with pytest.raises(MCPError, match="Invalid or expired requestState"):
            await of_deletion.bring(yes, request_state=deletion["confirmation"])  # made up, and not sealed
        stateless = text(await of_deletion.bring(yes, request_state=None))
    assert stateless == (
        "That answer was given to another plan. Call this again to ask about this one. Nothing was written."
    )
    assert [at.left(plan) for plan in (mark, deletion)] == [Left.unwritten("waiting")] * 2


async def test_an_answer_to_a_server_that_has_restarted_since_is_none_and_the_next_call_asks_anew(stage: Stage) -> None:
    """The seal's key lives as long as the process; the plan outlives it."""
    async with office(stage, "auto", yes) as at:
        plan = await at.plan(MARK)
        question = await at.question(MARK, plan)
    async with office(stage, "auto", yes) as anew:
        with pytest.raises(MCPError, match="Invalid or expired requestState"):
            await replace(question, client=anew.ask.client).bring(yes)
        left = anew.left(plan)
        told = opening(await anew.apply(MARK, plan))
    assert left == Left.unwritten("waiting")
    assert told == carried_out(MARK, BY_THE_CLIENT)
    assert anew.left(plan) == Left.written(MARK, "human client")


async def test_of_two_questions_at_once_each_gets_its_own_answer(stage: Stage) -> None:
    """In the legacy era an answer carries no state: it belongs to the question that the client was sent."""
    both = asyncio.Event()

    async def to_the_mark_alone(form: dict[str, Any]) -> ElicitResult:
        if len(at.questions) == 2:
            both.set()
        await both.wait()
        return await (no if "deletions" in form else yes)(form)

    async with office(stage, "legacy", to_the_mark_alone) as at:
        mark, deletion = await two_plans(at)
        results = await asyncio.gather(at.apply(DELETION, deletion), at.apply(MARK, mark))
    assert [opening(result) for result in results] == [DECLINED, carried_out(MARK, BY_THE_CLIENT)]
    assert at.left(mark) == Left.written(MARK, "human client")
    assert at.stored(deletion) == ("discarded", "none")


# --- nobody can be asked ---


def refused(plan: Any, why: str) -> str:
    return (
        f"A person must agree to this plan ({why}), and nobody can be asked from here. It waits until 11:00. Ask the "
        f"person to run `attendance-mcp approve {plan['confirmation']}` in a terminal where this server runs, with its "
        "settings, or to use a client that can ask its user. For agents that work unattended there is "
        "ATTENDANCE_APPROVAL=token. Nothing was written."
    )


@EVERY_WAY
@ERAS
async def test_where_a_person_must_agree_and_cant_be_asked_nothing_is_written(
    stage: Stage, era: Any, way: WayToWrite
) -> None:
    async with office(stage, era, policy="human") as at:
        plan = await at.plan(way)
        told = text(await at.apply(way, plan))
    assert told == refused(plan, "ATTENDANCE_APPROVAL=human")
    assert at.left(plan) == Left.unwritten("waiting")


@ERAS
async def test_a_person_who_must_agree_is_asked_where_that_can_be_done(stage: Stage, era: Any) -> None:
    async with office(stage, era, yes, policy="human") as at:
        plan = await at.plan(MARK)
        told = opening(await at.apply(MARK, plan))
    assert told == carried_out(MARK, BY_THE_CLIENT)
    assert at.left(plan) == Left.written(MARK, "human client")


@ERAS
async def test_where_the_confirmation_is_enough_nobody_is_asked(stage: Stage, era: Any) -> None:
    async with office(stage, era, no, policy="token") as at:
        plan = await at.plan(DELETION)
        told = opening(await at.apply(DELETION, plan))
    assert told == carried_out(DELETION, "its confirmation alone")
    assert at.left(plan) == Left.written(DELETION, "token")
    assert at.questions == []


@EVERY_WAY
@ERAS
async def test_where_the_confirmation_is_enough_it_serves_once_and_claims_no_person(
    stage: Stage, era: Any, way: WayToWrite
) -> None:
    async with office(stage, era, policy="token") as at:
        plan = await at.plan(way)
        told = [opening(await at.apply(way, plan)) for _ in range(2)]
    assert told == [carried_out(way, "its confirmation alone"), already(way)]
    assert at.left(plan) == Left.written(way, "token")


@by_turns(WAYS)
async def test_left_to_the_server_a_risky_plan_needs_a_person_and_another_goes_by_its_confirmation(
    stage: Stage, era: Any, way: WayToWrite
) -> None:
    async with office(stage, era) as at:
        plan = await at.plan(way)
        result = await at.apply(way, plan)
    if way.risk:
        assert text(result) == refused(plan, way.risk)
        assert at.left(plan) == Left.unwritten("waiting")
    else:
        assert opening(result) == carried_out(way, "its confirmation alone")
        assert at.left(plan) == Left.written(way, "token")
