"""Two processes on one PostgreSQL at the same moment, each held where the other is in its way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from tests.upstream_school import UpstreamSchool

from .errands import DAY, absent, mark_late, present
from .journals import carried_out, checked, places
from .stores import school, store_of

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("school", ["postgresql"], indirect=True)]
__all__ = ["school"]

_WAITING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


@asynccontextmanager
async def held_by(school: UpstreamSchool, statement: str, *, waiting: int) -> AsyncIterator[Any]:
    """Runs what is started inside until so many wait for what this statement did, and only then ends it."""
    with store_of(school) as store:
        store.exec_driver_sql(statement)
        async with anyio.create_task_group() as group:
            yield group
            with anyio.fail_after(20), store_of(school) as look:
                while look.exec_driver_sql(_WAITING).scalar_one() < waiting:
                    look.exec_driver_sql("select pg_stat_clear_snapshot()")
                    await anyio.lowlevel.checkpoint()
            store.commit()


async def test_no_two_plans_that_are_made_at_once_pass_the_most_that_may_wait(school):
    student, told = absent(school)[0], []
    async with school.client() as one, school.client() as other:
        for _ in range(31):
            await mark_late(one, student)
        await other("list_changes")  # opens the store, which takes out what is past its time

        async def plan(ask: Any) -> None:
            told.append((await ask("set_homeroom_attendance", student_id=student, date=DAY, status=2)).is_error)

        async with held_by(school, "lock table plans in share row exclusive mode", waiting=2) as group:
            for ask in (one, other):
                group.start_soon(plan, ask)
    assert sorted(told) == [False, True]
    with store_of(school) as store:
        assert store.exec_driver_sql("select count(*) from plans").scalar_one() == 32


async def test_whoever_finds_that_another_is_making_the_schools_chain_follows_it(school):
    one, two = present(school)[:2]
    async with school.client() as ask:
        await mark_late(ask, one)
    async with held_by(school, "insert into chains select school, '', 0, '', 0 from plans", waiting=1) as group:
        group.start_soon(partial(carried_out, school, two))
    assert places(school) == [1]
    assert (await checked(school))["broken"] == []
