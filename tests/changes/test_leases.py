"""Two plans of one target: one at a time is carried out, whoever carries it out."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import anyio.to_thread
import pytest

from attendance_mcp.server import App, open_app
from tests.upstream_school import Asking, UpstreamSchool, text

from .errands import DAY, Facts, Register, absent, apply, homeroom, mark_late
from .faulty import FaultyWay
from .stores import BOTH, school, store_of

pytestmark = [pytest.mark.anyio, BOTH]
__all__ = ["school"]

NOTHING = "Nothing was written."
BUSY = (
    "Another plan of the same records is being carried out right now. This one still waits: apply it again in a minute."
)


def another(school: UpstreamSchool, way: FaultyWay | None = None, *, later: timedelta = timedelta(0)) -> App:
    """A server's app of another process over the same school and store; its clock may be ahead."""
    app = open_app(school.settings(approval="token"))
    if way is not None:
        app.connection.name = way.url  # the same school, reached directly
    app.desk.now = lambda: datetime.now(UTC) + later
    return app


@asynccontextmanager
async def held(school: UpstreamSchool, way: FaultyWay, ask: Asking, plan: Facts, *, request: int = 2):
    """The plan under way, held at that request, whose answer waits. Leaving lets it go on."""
    way.arm(request, "held")
    told: list[Any] = []

    async def first() -> None:
        told.append(await apply(ask, plan))

    async with anyio.create_task_group() as group:
        group.start_soon(first)
        assert await anyio.to_thread.run_sync(way.reached.wait, 10)
        try:
            yield told
        finally:
            way.release.set()


def methods(school: UpstreamSchool) -> str:
    """The school's log from its first write on, `PUT GET` and so on; reads that follow each other are told once."""
    told = [entry.method for entry in school.log]
    told = told[told.index("PUT") :]
    return " ".join(method for method, before in zip(told, ["", *told], strict=False) if method != before)


async def test_while_another_plan_of_the_record_is_carried_out_this_one_waits_and_says_so(school):
    student = absent(school)[0]
    with FaultyWay.to(school.url) as way:
        async with school.client(api_url=way.url) as ask:
            first, second = await mark_late(ask, student), await mark_late(ask, student, notes="Bus")
            other = another(school, way)
            other.desk.carrying_out = timedelta(seconds=2)
            async with school.client(app=other) as asking, held(school, way, ask, first) as told:
                reads = len(school.log) - len(school.writes)
                busy = await apply(asking, second)
                assert busy.is_error
                assert text(busy) == f"{BUSY} {NOTHING}"
                assert len(school.log) - len(school.writes) == reads
            assert told[0].structured_content["outcomes"] == {"done": 1}
            after = await ask.error("apply_changes", confirmation=second["confirmation"], summary=second["summary"])
    assert after.startswith("Changed in the school's system since the plan")
    assert len(school.writes) == 1


async def test_a_plan_that_waited_goes_on_when_the_other_has_ended_and_never_do_two_write_at_once(school):
    register = Register.of(school)
    with FaultyWay.to(school.url) as way:
        async with school.client(api_url=way.url, approval="token") as ask:
            plans = [
                await ask.facts(
                    "set_class_attendance",
                    class_id=register.id,
                    marks=[{"student_id": id, "date": DAY, "period": register.period, "status": 13}],
                )
                for id in register.students[:2]
            ]
            other = another(school, way)
            looked, results = anyio.Event(), []
            looks = 0

            def now() -> datetime:
                nonlocal looks
                looks += 1
                if looks > 9:  # more looks than one try needs: it has found the other under way, and waits
                    looked.set()
                return datetime.now(UTC)

            async def second(asking: Asking) -> None:
                results.append(await apply(asking, plans[1]))

            async with (
                school.client(app=other) as asking,
                anyio.create_task_group() as group,
                held(school, way, ask, plans[0], request=3),
            ):
                other.desk.now = now
                group.start_soon(second, asking)
                with anyio.fail_after(10):
                    await looked.wait()
    assert results[0].structured_content["outcomes"] == {"done": 1}
    assert methods(school) == "PUT GET PUT GET"
    assert [register.mark(school, id)[0] for id in register.students[:2]] == [13, 13]


async def test_a_school_with_the_same_ids_is_another_one(school):
    student = absent(school)[0]
    with FaultyWay.to(school.url) as way:
        async with school.client(api_url=way.url) as ask, school.client(app=another(school)) as asking:
            first, second = await mark_late(ask, student), await mark_late(asking, student, notes="Bus")
            async with held(school, way, ask, first, request=1):  # read, and not yet written
                result = await apply(asking, second)
            assert result.structured_content["outcomes"] == {"done": 1}
    assert homeroom(school, student)[1] == "Bus"


@pytest.mark.parametrize("end", ["done", "the record can't be read", "stale"])
async def test_a_plan_that_ends_or_is_given_back_frees_its_records(school, end):
    student = absent(school)[0]
    with FaultyWay.to(school.url) as way:
        async with school.client(api_url=way.url, read_timeout=1.0) as ask:
            plan = await mark_late(ask, student)
            if end == "stale":
                statement = "update homeroom_marks set status = 1 where student_id = :id and date = :day"
                school.change(statement, id=student, day=DAY)
            elif end != "done":
                way.arm(1, "refused")
            await apply(ask, plan)
    with store_of(school) as store:
        assert store.exec_driver_sql("select * from leases").all() == []


async def test_the_records_of_a_plan_whose_process_was_killed_are_free_again_when_its_lease_lapses(school):
    student = absent(school)[0]
    with FaultyWay.to(school.url) as way:
        async with school.client(api_url=way.url) as ask:
            first, second = await mark_late(ask, student), await mark_late(ask, student, notes="Bus")
        way.arm(5, "held")  # a process of its own knows no names yet: four reads, then the record again
        await anyio.to_thread.run_sync(kill_when_reached, school, way, first)
        for later, told in ((timedelta(0), BUSY), (timedelta(minutes=2), "1 done")):
            other = another(school, way, later=later)
            if not later:
                other.desk.carrying_out = timedelta(seconds=1)
            async with school.client(app=other) as ask:
                assert told in text(await apply(ask, second))
        async with school.client(app=another(school, way, later=timedelta(minutes=2))) as ask:
            result = await apply(ask, first)
    assert result.structured_content["outcomes"] == {"not sent": 1}
    assert homeroom(school, student) == (2, "Bus")
    assert len(school.writes) == 1


def kill_when_reached(school: UpstreamSchool, way: FaultyWay, plan: Facts) -> None:
    arguments = json.dumps({"confirmation": plan["confirmation"], "summary": plan["summary"]})
    process = subprocess.Popen(
        [sys.executable, "-m", "attendance_mcp", "call", "apply_changes", arguments],
        env=school.environment(api_url=way.url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert way.reached.wait(20)
    process.kill()
    process.wait(10)
    way.release.set()


async def test_whoever_wakes_up_after_another_plan_took_the_record_over_sends_nothing(school):
    student = absent(school)[0]
    with FaultyWay.to(school.url) as way:
        async with school.client(api_url=way.url) as ask:
            first, second = await mark_late(ask, student), await mark_late(ask, student, notes="Bus")
            late = another(school, way, later=timedelta(minutes=2))
            async with school.client(app=late) as asking, held(school, way, ask, first, request=1):
                result = await apply(asking, second)
        async with school.client(app=another(school, way, later=timedelta(minutes=5))) as asking:
            settled = await apply(asking, first)
    assert result.structured_content["outcomes"] == {"done": 1}
    assert settled.structured_content["outcomes"] == {"not sent": 1}
    assert homeroom(school, student) == (2, "Bus")
    assert len(school.writes) == 1
