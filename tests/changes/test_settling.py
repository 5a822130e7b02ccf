"""Plans that were cut off: settled by reading alone, by whoever comes when the school can be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import anyio.to_thread
import pytest

from attendance_mcp.server import open_app
from tests.upstream_school import UpstreamSchool, text

from .errands import DAY, Facts, Family, absent, apply, homeroom, mark_late
from .faulty import FaultyWay
from .stores import BOTH, school, store_of
from .test_leases import another, kill_when_reached

pytestmark = pytest.mark.anyio
__all__ = ["school"]

NOT_YET = (
    "The school's system can't be read now, so what became of this plan's changes is not known yet. Repeating this call "
    "later settles the plan by reading, and sends nothing. "
    "Whether anything was written can't be told: call list_changes, which settles it by reading."
)


def cut_off(school: UpstreamSchool, plan: Facts) -> None:
    """The store as somebody leaves it who is killed while every row of the plan is on its way."""
    lapsed = (datetime.now(UTC) - timedelta(seconds=1)).isoformat(timespec="microseconds")
    with store_of(school) as store:
        where = f"where code = '{plan['confirmation']}'"
        store.exec_driver_sql(
            f"update plans set state = 'applying', approval = 'token', lease_until = '{lapsed}' {where}"
        )
        store.exec_driver_sql(f"update changes set outcome = 'sending' where plan_id = (select id from plans {where})")


def arrive(school: UpstreamSchool, family: Family, *, times: int = 1) -> None:
    for _ in range(times):
        school.change(
            """insert into excusals (student_id, parent_id, start_date, end_date, comment, created_at, updated_at)
               values (:student, :parent, :day, :day, 'Flu', '', '')""",
            student=family.student,
            parent=family.parent,
            day=DAY,
        )


async def flu(ask: Any, family: Family) -> Facts:
    """The plan of a new excusal of today."""
    return await ask.facts(
        "create_excusal", student_id=family.student, parent_id=family.parent, start_date=DAY, comment="Flu"
    )


def excusal_ids(school: UpstreamSchool, family: Family) -> list[int]:
    return [
        id for (id,) in school.rows("select id from excusals where student_id = :id order by id", id=family.student)
    ]


@BOTH
async def test_while_the_school_cant_be_read_a_cut_off_plan_stays_unsettled_and_says_so(school):
    student = absent(school)[0]
    with FaultyWay.to(school.url) as way:
        async with school.client(api_url=way.url, read_timeout=1.0) as ask:
            plan = await mark_late(ask, student)
            cut_off(school, plan)
            school.change(
                "update homeroom_marks set status = 2 where student_id = :id and date = :day", id=student, day=DAY
            )
            way.arm(1, "refused")
            told = await ask.error("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
            (entry,) = (await ask.facts("list_changes"))["entries"]
        later = open_app(school.settings())
        later.connection.name = way.url  # the same school, which can be reached again
        async with school.client(app=later) as ask:
            result = await apply(ask, plan)
    assert told == NOT_YET
    assert entry["state"] == "unsettled"
    assert result.structured_content["outcomes"] == {"done": 1}
    assert school.writes == []


async def test_whichever_read_of_the_settling_breaks_another_time_tells_what_was_done(school):
    with FaultyWay.to(school.url) as way:
        async with school.client(api_url=way.url, read_timeout=1.0) as ask:
            for number, student in enumerate(absent(school)[:3], start=1):
                plan = await mark_late(ask, student)
                cut_off(school, plan)
                school.change(
                    "update homeroom_marks set status = 2 where student_id = :id and date = :day", id=student, day=DAY
                )
                way.arm(number, "html after")
                await ask("list_changes")
                way.arm(0, "html after")
                result = await apply(ask, plan)
                assert result.structured_content["outcomes"] == {"done": 1}, number
                assert homeroom(school, student) == (2, None)
    assert school.writes == []


@BOTH
async def test_an_excusal_that_another_plan_made_since_is_not_told_as_this_ones(school):
    family = Family.of(school)
    async with school.client(approval="token") as ask:
        lost = await flu(ask, family)
        cut_off(school, lost)
        again = await flu(ask, family)
        assert (await apply(ask, again)).structured_content["outcomes"] == {"done": 1}
        result = await apply(ask, lost)
        undo = await ask("plan_changes", changes=[{"kind": "undo", "confirmation": lost["confirmation"]}])
    assert result.structured_content["outcomes"] == {"unknown": 1}
    assert result.structured_content["changes"][0]["reason"] == "the excusal is not among the student's"
    assert "a new excusal that was not found can't be deleted" in text(undo)
    assert len(family.excusals(school)) == len(school.writes) == 1


async def test_where_two_new_excusals_read_alike_neither_is_told_as_the_plans(school):
    family = Family.of(school)
    async with school.client(approval="token") as ask:
        plan = await flu(ask, family)
        cut_off(school, plan)
        arrive(school, family, times=2)
        result = await apply(ask, plan)
        undo = await ask("plan_changes", changes=[{"kind": "undo", "confirmation": plan["confirmation"]}])
    assert result.structured_content["outcomes"] == {"unknown": 1}
    assert result.structured_content["changes"][0]["reason"] == "several new excusals of the student read like it"
    assert undo.is_error
    assert len(excusal_ids(school, family)) == 2


async def test_where_the_api_told_the_id_of_the_new_excusal_another_that_reads_alike_is_left_alone(school):
    family = Family.of(school)
    with FaultyWay.to(school.url) as way:
        async with school.client(api_url=way.url, approval="token") as ask, anyio.create_task_group() as group:
            plan = await flu(ask, family)
            told: list[Any] = []

            async def carry_out() -> None:
                told.append(await apply(ask, plan))

            way.arm(2, "held")
            group.start_soon(carry_out)
            assert await anyio.to_thread.run_sync(way.reached.wait, 10)
            arrive(school, family)
            way.release.set()
    own, _somebody_elses = excusal_ids(school, family)
    assert told[0].structured_content["changes"][0]["record"] == f"excusal {own}"


async def test_an_excusal_that_was_there_when_the_process_was_killed_is_not_told_as_the_plans(school):
    family = Family.of(school)
    arrive(school, family)
    school.change("update excusals set start_date = '2026-11-20', end_date = '2026-11-20' where comment = 'Flu'")
    with FaultyWay.to(school.url) as way:
        async with school.client(api_url=way.url) as ask:
            plan = await flu(ask, family)
        # A process of its own knows no names yet: three reads of student, groups and parent, then the excusals again.
        way.arm(5, "killed before")
        await anyio.to_thread.run_sync(kill_when_reached, school, way, plan)
        school.change("update excusals set start_date = :day, end_date = :day where comment = 'Flu'", day=DAY)
        async with school.client(app=another(school, way, later=timedelta(minutes=2))) as ask:
            result = await apply(ask, plan)
    assert result.structured_content["outcomes"] == {"unknown": 1}
    assert school.writes == []
    with store_of(school) as store:
        assert store.exec_driver_sql("select known from changes").all() == [(None,)]
