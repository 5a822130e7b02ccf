"""What the store keeps no longer: texts after their days, plans that came to nothing, and the journal after its year."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.types import ElicitResult

from attendance_mcp.server import build
from tests.upstream_school import Asking

from .errands import DAY, absent, apply, mark_late, named, present
from .journals import carried_out, checked, later, opened, places, states
from .stores import BOTH, everything_stored, school, store_of

pytestmark = pytest.mark.anyio
__all__ = ["school"]

NOTE = "Zanzibar bus"


@BOTH
async def test_after_its_days_no_text_is_in_the_store_and_its_codes_still_are(school):
    student = absent(school)[0]
    plan = await carried_out(school, student, notes=NOTE)
    await opened(school, days=29)
    assert NOTE in everything_stored(school)
    await opened(school, days=31)
    stored = everything_stored(school)
    assert "Zanzibar" not in stored
    assert f'"student_id": {student}' in stored and plan["confirmation"] in stored
    assert b"Zanzibar" not in b"".join(file.read_bytes() for file in school.path.parent.glob("plans.db*"))
    assert (await checked(school))["broken"] == []


async def test_a_plan_whose_texts_are_gone_says_why_it_cannot_be_undone_and_one_without_can(school):
    one, other = absent(school)[:2]
    with_note, without = await carried_out(school, one, notes=NOTE), await carried_out(school, other)
    async with school.client(app=later(school, days=31)) as ask:
        told = await ask.facts("list_changes")
        undo = [{"kind": "undo", "confirmation": plan["confirmation"]} for plan in (with_note, without)]
        refused = await ask.error("plan_changes", changes=undo[:1])
        back = await apply(ask, await ask.facts("plan_changes", changes=undo[1:]))
    assert [entry["undo"] for entry in told["entries"]] == ["yes", "no, its note is no longer kept"]
    assert refused == (
        f"There is nothing to undo: its note is no longer kept: {named(school, one).partition(' (')[0]}. "
        "Nothing was written."
    )
    assert back.structured_content["outcomes"] == {"done": 1}


async def test_a_setting_says_for_how_long_texts_stay(school):
    await carried_out(school, absent(school)[0], notes=NOTE)
    async with school.client(app=later(school, days=3, text_days=2)) as ask:
        await ask("list_changes")
    assert "Zanzibar" not in everything_stored(school)


@BOTH
async def test_after_a_year_the_oldest_plans_go_and_the_chain_holds_from_where_they_ended(school):
    one, two, three, four = present(school)[:4]
    await carried_out(school, one)
    for student in (two, three):
        await carried_out(school, student, days=200)
    link = (await checked(school))["last"]
    await opened(school, days=364)
    assert len(states(school)) == 3
    await opened(school, days=366)
    assert len(states(school)) == 2
    assert f'"student_id": {one}' not in everything_stored(school)
    assert await checked(school) == {**await checked(school), "plans": 2, "last": link, "broken": []}
    await carried_out(school, four, days=366)
    assert places(school) == [2, 3, 4]
    assert (await checked(school))["broken"] == []
    link = (await checked(school))["last"]
    await opened(school, days=800)
    assert states(school) == {}
    assert await checked(school) == {**await checked(school), "plans": 0, "last": link, "broken": []}
    await carried_out(school, one, days=800, notes="Back")
    assert places(school) == [5]
    with store_of(school) as store:
        store.exec_driver_sql("update chains set anchor = 'other'")
    assert "its link does not hold" in (await checked(school))["broken"][0]


@BOTH
async def test_a_day_after_they_came_to_nothing_declined_and_lapsed_plans_go_and_stale_ones_lose_their_texts(school):
    one, two, three = absent(school)[:3]

    async def decline(*_: Any) -> ElicitResult:
        return ElicitResult(action="decline")

    async with Client(build(school.settings()), elicitation_callback=decline) as client:
        ask = Asking(client)
        lapsed, declined, stale = [await mark_late(ask, student, notes=NOTE) for student in (one, two, three)]
        await apply(ask, declined)
    school.change("update homeroom_marks set status = 3 where student_id = :id and date = :day", id=three, day=DAY)
    async with school.client(approval="token") as ask:
        await apply(ask, stale)
    codes = [plan["confirmation"] for plan in (lapsed, declined, stale)]
    await opened(school, days=23 / 24)
    assert states(school) == dict(zip(codes, ("waiting", "discarded", "stale"), strict=True))
    assert everything_stored(school).count(NOTE) == 3
    await opened(school, days=26 / 24)
    assert states(school) == {codes[2]: "stale"}
    assert "Zanzibar" not in everything_stored(school)
    assert (await checked(school))["broken"] == []


@BOTH
async def test_plans_that_end_at_once_follow_each_other_in_the_chain(school):
    students = present(school)[:6]

    async def one(student: int) -> None:
        await carried_out(school, student)

    async with anyio.create_task_group() as group:
        for student in students:
            group.start_soon(one, student)
    assert places(school) == [1, 2, 3, 4, 5, 6]
    assert await checked(school) == {**await checked(school), "plans": 6, "broken": []}
