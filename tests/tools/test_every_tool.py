"""Every tool, called by a real client in both protocol eras over every transport; the database is looked at."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.upstream_school import Asking, UpstreamSchool

from .examples import DAY, WRITING_TOOLS, Known

pytestmark = pytest.mark.anyio

everywhere = pytest.mark.parametrize(
    ("way", "era"), [(way, era) for way in ("memory", "stdio", "http") for era in ("auto", "legacy")]
)


@everywhere
async def test_every_tool_reads_or_writes_what_it_says(school, way, era):
    known = Known.of(school)
    async with school.client(way, era, approval="token", writes="confirm") as ask:
        listed = {tool.name for tool in (await ask.client.list_tools()).tools}
        reads = known.reads()
        # A browser stands beside a server on stdio alone; tests/window opens one.
        assert listed == set(reads) | set(WRITING_TOOLS) | ({"show_in_window"} if way != "http" else set())
        for tool, arguments in reads.items():
            assert await ask.facts(tool, **arguments), tool
        assert school.writes == []
        for errand in ERRANDS:
            await errand(ask, school, known)


async def carried_out(ask: Asking, school: UpstreamSchool, tool: str, arguments: dict[str, Any]) -> None:
    """Plans, sees that nothing is written yet, and applies."""
    before = school.writes
    plan = await ask.facts(tool, **arguments)
    assert school.writes == before, tool
    done = await ask.facts("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
    assert done["outcomes"] == {"done": sum(len(group["students"]) for group in plan["changes"])}
    assert len(school.writes) == len(before) + 1


async def set_a_homeroom_mark(ask: Asking, school: UpstreamSchool, known: Known) -> None:
    await carried_out(ask, school, "set_homeroom_attendance", known.writes()["set_homeroom_attendance"])
    query = "select status, note from homeroom_marks where student_id = :id and date = :day"
    assert school.rows(query, id=known.student, day=DAY) == [(2, "Bus 4")]


async def set_class_marks(ask: Asking, school: UpstreamSchool, known: Known) -> None:
    await carried_out(ask, school, "set_class_attendance", known.writes()["set_class_attendance"])
    assert class_marks(school, known) == [(id, 5, "Left for the dentist") for id in known.classmates]


async def set_class_marks_given_as_their_json_text(ask: Asking, school: UpstreamSchool, known: Known) -> None:
    marks = [{"student_id": str(id), "period": known.period, "status": "Present"} for id in known.classmates]
    arguments = {"class_id": known.class_, "marks": json.dumps(marks)}
    await carried_out(ask, school, "set_class_attendance", arguments)
    assert class_marks(school, known) == [(id, 1, "Left for the dentist") for id in known.classmates]


async def make_an_excusal(ask: Asking, school: UpstreamSchool, known: Known) -> None:
    await carried_out(ask, school, "create_excusal", known.writes()["create_excusal"])
    query = "select parent_id, start_date, end_date, comment from excusals where student_id = :id and start_date > :day"
    expected = [(known.parent, "2026-11-25", "2026-11-25", "Dentist at noon")]
    assert school.rows(query, id=known.student, day=DAY) == expected


async def alter_an_excusal_by_the_same_call_with_its_confirmation(
    ask: Asking, school: UpstreamSchool, known: Known
) -> None:
    arguments = known.writes()["update_excusal"]
    plan = await ask.facts("update_excusal", **arguments)
    done = await ask.facts("update_excusal", **arguments, confirmation=plan["confirmation"])
    assert done["outcomes"] == {"done": 1}
    assert school.rows("select end_date from excusals where id = :id", id=known.excusal) == [(DAY,)]


async def delete_an_excusal(ask: Asking, school: UpstreamSchool, known: Known) -> None:
    await carried_out(ask, school, "delete_excusal", known.writes()["delete_excusal"])
    assert school.rows("select id from excusals where id = :id", id=known.excusal) == []


async def carry_out_an_errand_of_several_items(ask: Asking, school: UpstreamSchool, known: Known) -> None:
    await carried_out(ask, school, "plan_changes", known.writes()["plan_changes"])
    query = "select status, note from homeroom_marks where student_id = :id and date = :day"
    assert school.rows(query, id=known.student, day=DAY) == [(1, "Bus 4")]
    journal = await ask.text("list_changes", limit=1)
    assert "1 done" in journal


ERRANDS: list[Callable[[Asking, UpstreamSchool, Known], Awaitable[None]]] = [
    set_a_homeroom_mark,
    set_class_marks,
    set_class_marks_given_as_their_json_text,
    make_an_excusal,
    alter_an_excusal_by_the_same_call_with_its_confirmation,
    delete_an_excusal,
    carry_out_an_errand_of_several_items,
]


def class_marks(school: UpstreamSchool, known: Known) -> list[tuple[Any, ...]]:
    query = """select student_id, status, note from class_marks where class_id = :id and date = :day
               and period = :period and student_id in (:one, :two) order by 1"""
    one, two = known.classmates
    return school.rows(query, id=known.class_, day=DAY, period=known.period, one=one, two=two)


async def test_a_stdio_server_leaves_off_what_a_setting_leaves_out(school):
    async with school.client("stdio", writes="off") as ask:
        listed = {tool.name for tool in (await ask.client.list_tools()).tools}
    assert listed.isdisjoint(WRITING_TOOLS)


async def test_over_http_writing_is_off_unless_it_is_set(school):
    async with school.client("http", writes=None) as ask:
        listed = {tool.name for tool in (await ask.client.list_tools()).tools}
    assert listed.isdisjoint(WRITING_TOOLS)
