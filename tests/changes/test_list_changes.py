"""The journal: what it is, what waits, what was done, and what each caller may see of it."""

from __future__ import annotations

import pytest

from attendance_mcp.server import open_app

from .errands import DAY, absent, apply, homeroom, mark_late, present
from .test_faults import left_by_a_crash

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_it_says_what_it_is_and_shows_waiting_and_settled_plans_newest_first(school, era):
    one, two = absent(school)[:2]
    async with school.client(era=era) as ask:
        done = await mark_late(ask, one)
        await apply(ask, done)
        waits = await mark_late(ask, two)
        told = await ask.text("list_changes")
        facts = await ask.facts("list_changes")
        of_one = await ask.facts("list_changes", student_id=one)
    assert told.startswith("Changes made through this installation since ")
    assert "the school's own edits are not here." in told.splitlines()[0]
    newest, oldest = facts["entries"]
    assert (newest["state"], newest["confirmation"]) == ("waiting", waits["confirmation"])
    assert (oldest["state"], oldest["outcomes"], oldest["undo"]) == ("carried out", {"done": 1}, "yes")
    assert oldest["summary"] == done["summary"]
    (entry,) = of_one["entries"]
    assert entry["rows"][0].startswith(f"row 1, done: homeroom, Tue {DAY}: Absent → ")


async def test_rows_that_are_alike_are_told_once_by_their_numbers(school):
    one, two, three, four = present(school)[:4]
    item = {"kind": "homeroom", "dates": [DAY]}
    statuses = {one: 2, two: 2, three: 13, four: 2}
    async with school.client(approval="token") as ask:
        marks = [{**item, "student_ids": [id], "status": status} for id, status in statuses.items()]
        await apply(ask, await ask.facts("plan_changes", changes=marks))
        (entry,) = (await ask.facts("list_changes", student_id=one))["entries"]
        (whole,) = (await ask.facts("list_changes", limit=1))["entries"]
    assert [row.partition(",")[0] for row in entry["rows"]] == ["row 1"]
    assert [row.partition(", done")[0] for row in whole["rows"]] == ["row 1-2, 4", "row 3"]


async def test_another_caller_sees_the_change_but_neither_its_confirmation_nor_its_texts(school):
    async with school.client() as ask:
        plan = await mark_late(ask, absent(school)[0], notes="Between us")
    other = open_app(school.settings())
    other.caller = "https://login.example.org|k.larsen"
    async with school.client(app=other) as ask:
        told = await ask.text("list_changes", limit=1)
    assert "waiting, another caller's" in told
    assert plan["confirmation"] not in told
    assert "Between us" not in told


async def test_it_stays_where_writing_is_off_and_offers_no_undo(school):
    async with school.client() as ask:
        await apply(ask, await mark_late(ask, absent(school)[0]))
    async with school.client(writes="off") as ask:
        (entry,) = (await ask.facts("list_changes"))["entries"]
        tools = {tool.name for tool in (await ask.client.list_tools()).tools}
    assert entry["undo"] == "no, writing is off here"
    assert "confirmation" not in entry
    assert "list_changes" in tools
    assert not tools & {"plan_changes", "apply_changes"}


async def test_what_a_crash_left_is_settled_by_reading_and_nothing_is_sent(school):
    from datetime import UTC, datetime, timedelta

    student = absent(school)[0]
    async with school.client() as ask:
        await mark_late(ask, student)
        left_by_a_crash(school, outcome="sending", until=datetime.now(UTC) - timedelta(seconds=1))
        (entry,) = (await ask.facts("list_changes"))["entries"]
    assert (entry["state"], entry["outcomes"]) == ("carried out", {"unknown": 1})
    assert school.writes == []
    assert homeroom(school, student) == (0, None)
