"""A PostgreSQL that is down: nothing is sent, reads go on, and all is whole when it is back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from attendance_mcp.server import open_app
from tests.upstream_school import text

from .errands import absent, apply, homeroom, mark_late
from .stores import school, store_of

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("school", ["postgresql"], indirect=True)]
__all__ = ["school"]

NOTHING = "Nothing was written."


@pytest.fixture
def down(cluster):
    yield cluster
    cluster.stop()
    cluster.start()


async def test_what_was_planned_before_is_refused_while_it_is_down_and_carried_out_after(school, down):
    student = absent(school)[0]
    async with school.client(approval="token") as ask:
        plan = await mark_late(ask, student)
        down.stop()
        told = await ask.error("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
        await ask.facts("list_excusals", date="today")
        assert school.writes == []
        down.start()
        result = await apply(ask, plan)
    assert told.startswith("The store of plans and changes can't be used")
    assert told.endswith(NOTHING)
    assert result.structured_content["outcomes"] == {"done": 1}
    assert homeroom(school, student) == (2, None)


async def test_outside_text_that_one_process_gave_makes_a_plan_of_another_risky(school):
    async with school.client() as ask:
        await ask.facts("list_excusals", date="today")
    with store_of(school) as store:
        assert len(store.exec_driver_sql("select * from outside_heard").all()) == 1
    async with school.client() as ask:
        told = text(await apply(ask, await mark_late(ask, absent(school)[0])))
    assert "text that parents or teachers typed was read shortly before" in told
    assert school.writes == []


async def test_outside_text_that_could_not_be_kept_makes_plans_of_this_process_risky_for_ten_minutes(school, down):
    app = open_app(school.settings())
    down.stop()
    async with school.client(app=app) as ask:
        await ask.facts("list_excusals", date="today")
        down.start()
        students = absent(school)
        risky = text(await apply(ask, await mark_late(ask, students[0])))
        app.desk.now = lambda: datetime.now(UTC) + timedelta(minutes=11)
        result = await apply(ask, await mark_late(ask, students[0]))
    assert "text that parents or teachers typed was read shortly before" in risky
    assert result.structured_content["outcomes"] == {"done": 1}
    assert len(school.writes) == 1
