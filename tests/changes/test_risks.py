"""What makes the server want a person though it was left to decide: each risk alone, and what is just below its bound."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.tiny import AMINA, EMILIE, FEVER, MIA, OMAR
from tests.upstream_school import text

from .offices import Office, founded, office, stage
from .playing import Stage
from .ways_to_write import TODAY

pytestmark = pytest.mark.anyio
__all__ = ["founded", "stage"]

DAYS = ["2025-11-17", "2025-11-18", "2025-11-19"]  # nobody has a mark on them
HEARD = "text that parents or teachers typed was read shortly before"


def marks(students: list[int], days: list[str], status: int = 1, **more: Any) -> dict[str, Any]:
    return {"kind": "homeroom", "student_ids": students, "dates": days, "status": status, **more}


def of_the_fever(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "student_ids": [MIA], "excusal_id": FEVER, **more}


def excusal(day: str) -> dict[str, Any]:
    return {"kind": "new excusal", "student_ids": [OMAR], "parent_id": AMINA, "dates": [day]}


NINE = marks([MIA, EMILIE, OMAR], DAYS)
BELOW = {
    "ten changes": [NINE, marks([MIA], ["2025-11-12"])],
    "an excusal altered": [of_the_fever("alter excusal", end_date="2025-11-26")],
    "a note overwritten": [marks([MIA], [TODAY], 0, notes="Ill")],
    "a comment overwritten": [of_the_fever("alter excusal", comment="Ill")],
    "a mark 30 days back": [marks([MIA], ["2025-10-25"])],
    "an excusal 30 days back": [excusal("2025-10-25")],
}
RISKY = {
    "eleven changes": ([NINE, marks([MIA, OMAR], ["2025-11-12"])], "it has 11 changes"),
    "a deletion": ([of_the_fever("delete excusal")], "it deletes"),
    "an erasure": ([marks([MIA], [TODAY], 0, erase_notes=True)], "it erases what somebody typed"),
    "a mark 31 days back": ([marks([MIA], ["2025-10-24"])], "it goes more than 30 days back"),
    "an excusal 31 days back": ([excusal("2025-10-24")], "it goes more than 30 days back"),
    "several at once": (
        [
            marks([MIA, EMILIE, OMAR], DAYS),
            marks([MIA], ["2025-10-24"]),
            marks([MIA], [TODAY], 0, erase_notes=True),
            of_the_fever("delete excusal"),
        ],
        "it has 12 changes, it deletes, it erases what somebody typed, it goes more than 30 days back",
    ),
}


async def carried_out(at: Office, *items: dict[str, Any]) -> dict[str, Any]:
    """A plan whose changes were made, whoever agreed; what follows is looked at afresh."""
    policy, at.app.desk.policy = at.app.desk.policy, "token"
    plan = await at.ask.facts("plan_changes", changes=list(items))
    await at.ask.facts("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
    at.app.desk.policy = policy
    at.stage.log.clear()
    return plan


async def why(at: Office, *items: dict[str, Any]) -> str:
    """Why a person must agree to the plan of these items; empty where its confirmation carried it out."""
    plan = await at.ask.facts("plan_changes", changes=list(items))
    return await why_not(at, plan)


async def why_not(at: Office, plan: dict[str, Any]) -> str:
    result = await at.ask("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
    if result.is_error:
        assert at.stage.log.writes() == []
        assert at.stored(plan) == ("waiting", "none")
        return text(result).removeprefix("A person must agree to this plan (").partition("), and nobody can be")[0]
    assert at.stored(plan) == ("settled", "token")
    assert at.stage.log.writes() != []
    return ""


@pytest.mark.parametrize("items", BELOW.values(), ids=BELOW)
async def test_what_is_no_risk_goes_by_its_confirmation(stage: Stage, items: list[dict[str, Any]]) -> None:
    async with office(stage, "auto") as at:
        told = await why(at, *items)
    assert told == ""


@pytest.mark.parametrize(("items", "risk"), RISKY.values(), ids=RISKY)
async def test_each_risk_alone_needs_a_person(stage: Stage, items: list[dict[str, Any]], risk: str) -> None:
    async with office(stage, "auto") as at:
        told = await why(at, *items)
    assert told == risk


@pytest.mark.parametrize(
    ("made", "risk"),
    [
        (marks([MIA], [TODAY], 2), ""),
        (marks([EMILIE], [TODAY], 1, notes="Bus 4"), "it erases what somebody typed"),
        (of_the_fever("alter excusal", comment="Ill"), ""),
        (excusal("2025-11-26"), "it deletes"),
        (of_the_fever("delete excusal"), ""),
    ],
    ids=["a mark", "a note where none was", "a comment", "a new excusal", "a deletion"],
)
async def test_the_way_back_is_as_risky_as_what_it_does(stage: Stage, made: dict[str, Any], risk: str) -> None:
    async with office(stage, "auto") as at:
        plan = await carried_out(at, made)
        told = await why(at, {"kind": "undo", "confirmation": plan["confirmation"]})
    assert told == risk


async def test_a_comment_that_the_way_back_takes_away_is_erased(stage: Stage) -> None:
    stage.change("update excusals set comment = null")
    async with office(stage, "auto") as at:
        plan = await carried_out(at, of_the_fever("alter excusal", comment="Ill"))
        told = await why(at, {"kind": "undo", "confirmation": plan["confirmation"]})
    assert told == "it erases what somebody typed"


MARK = marks([MIA], [TODAY], 2)


async def reads_a_comment(at: Office) -> None:
    assert "⟪Fever⟫" in await at.ask.text("list_student_excusals", student_id=MIA)


@pytest.mark.parametrize(
    ("minutes", "seconds", "risk"), [(0, 0, HEARD), (9, 59, HEARD), (10, 0, ""), (10, 1, "")], ids=str
)
async def test_for_ten_minutes_after_outside_text_a_plan_needs_a_person(
    stage: Stage, minutes: int, seconds: int, risk: str
) -> None:
    async with office(stage, "auto") as at:
        await reads_a_comment(at)
        stage.elapse(minutes=minutes, seconds=seconds)
        told = await why(at, MARK)
    assert told == risk


async def test_a_plan_of_these_ten_minutes_needs_a_person_for_as_long_as_it_waits(stage: Stage) -> None:
    async with office(stage, "auto") as at:
        await reads_a_comment(at)
        plan = await at.ask.facts("plan_changes", changes=[MARK])
        stage.elapse(minutes=59)
        told = await why_not(at, plan)
    assert told == HEARD


async def test_outside_text_that_was_read_after_the_plan_counts_too(stage: Stage) -> None:
    """It may be why this plan of several is applied."""
    async with office(stage, "auto") as at:
        plan = await at.ask.facts("plan_changes", changes=[MARK])
        stage.elapse(minutes=30)
        await reads_a_comment(at)
        told = await why_not(at, plan)
    assert told == HEARD


async def test_what_another_caller_read_and_an_answer_without_outside_text_count_for_nothing(stage: Stage) -> None:
    async with office(stage, "auto") as at:
        await at.ask.text("list_student_excusals", student_id=OMAR)  # there is none
        caller, at.app.caller = at.app.caller, "https://login.example.org|k.larsen"
        await reads_a_comment(at)
        at.app.caller = caller
        told = await why(at, MARK)
    assert told == ""


async def test_another_process_on_the_same_store_knows_what_was_read(stage: Stage) -> None:
    async with office(stage, "auto") as one:
        await reads_a_comment(one)
    async with office(stage, "legacy") as other:
        told = await why(other, MARK)
    assert told == HEARD
