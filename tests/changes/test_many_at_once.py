"""Many who want one plan at once, in one process and in several: one writes, and the others are told."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from tests.upstream_school import Asking, UpstreamSchool, text

from .errands import DAY, Facts, Family, absent, apply, homeroom, mark_late, named
from .stores import BOTH, school

pytestmark = [pytest.mark.anyio, BOTH]
__all__ = ["school"]


async def a_hundred(school: UpstreamSchool, plan: Facts, way: Any, *, clients: int) -> list[Facts]:
    """What a hundred applies of one plan are told, shared out to so many clients, each with a server of its own."""
    told: list[Facts] = []
    ready = anyio.Event()
    connected = 0

    async def one(ask: Asking) -> None:
        result = await apply(ask, plan)
        assert not result.is_error, text(result)
        told.append(result.structured_content)

    async def client() -> None:
        nonlocal connected
        async with school.client(way, approval="token") as ask:
            connected += 1
            if connected == clients:
                ready.set()
            await ready.wait()
            async with anyio.create_task_group() as group:
                for _ in range(100 // clients):
                    group.start_soon(one, ask)

    async with anyio.create_task_group() as group:
        for _ in range(clients):
            group.start_soon(client)
    return told


def check_one_wrote(told: list[Facts]) -> None:
    first = [facts for facts in told if not facts.get("repeated")]
    others = [facts for facts in told if facts.get("repeated")]
    assert [facts["outcomes"] for facts in first] == [{"done": 1}]
    assert len(others) == 99
    assert all(facts["state"] == "applying" or facts["outcomes"] == {"done": 1} for facts in others)


async def test_of_a_hundred_who_apply_one_plan_at_once_in_one_process_one_writes(school):
    student = absent(school)[0]
    async with school.client() as ask:
        plan = await mark_late(ask, student)
    check_one_wrote(await a_hundred(school, plan, "memory", clients=4))
    assert len(school.writes) == 1
    assert homeroom(school, student) == (2, None)


async def test_of_a_hundred_who_make_one_excusal_at_once_from_several_processes_one_does(school):
    family = Family.of(school)
    async with school.client() as ask:
        plan = await ask.facts(
            "create_excusal", student_id=family.student, parent_id=family.parent, start_date=DAY, comment="Flu"
        )
    check_one_wrote(await a_hundred(school, plan, "stdio", clients=4))
    assert len(school.writes) == len(family.excusals(school)) == 1


async def test_several_processes_may_make_the_store_at_once(school):
    student, plans = absent(school)[0], []

    async def process() -> None:
        async with school.client() as ask:
            plans.append(await mark_late(ask, student))

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(process)
    assert len({plan["confirmation"] for plan in plans}) == 8
    assert {plan["summary"] for plan in plans} == {plans[0]["summary"]}
    assert named(school, student) in plans[0]["summary"]


async def test_two_plans_of_one_record_are_carried_out_once_and_the_second_is_stale(school):
    student = absent(school)[0]
    async with school.client() as ask:
        first, second = await mark_late(ask, student), await mark_late(ask, student, notes="Bus")
        await apply(ask, first)
        told = await ask.error("apply_changes", confirmation=second["confirmation"], summary=second["summary"])
    assert told.startswith("Changed in the school's system since the plan")
    assert homeroom(school, student) == (2, None)
