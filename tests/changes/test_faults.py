"""What can go wrong under way: every outcome is told as it can be known, and nothing is written twice."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import anyio.to_thread
import pytest

from attendance_mcp.server import open_app
from tests.upstream_school import Asking, UpstreamSchool, text

from .errands import DAY, Family, Register, absent, apply, everything, homeroom, mark_late, plans_of, present
from .faulty import Fault, FaultyWay

pytestmark = pytest.mark.anyio

NOTHING = "Nothing was written."
SHORT = {"read_timeout": 1.0}
# What is known after a fault at the write: the read back shows what arrived, and the rest may still be on its way.
WRITE_OUTCOMES: dict[Fault, str] = {
    "reset before": "unknown",
    "reset after": "done",
    "500 before": "unknown",
    "500 after": "done",
    "429": "not sent",
    "html after": "done",
    "cut after": "done",
    "hang before": "unknown",
    "hang after": "done",
    "refused": "not sent",  # the last one, since nobody listens from then on
}
READ_FAULTS: list[Fault] = [fault for fault in WRITE_OUTCOMES if fault != "hang after"]
# Of an apply whose names are known, request 1 reads the record again, 2 writes, 3 reads back.
READS_AGAIN, WRITES, READS_BACK = 1, 2, 3


@contextlib.contextmanager
def broken_way(school: UpstreamSchool) -> Iterator[FaultyWay]:
    with FaultyWay.to(school.url) as way:
        yield way


def outcome_of(result: Any) -> str:
    """One of done, refused, unknown, not sent, or `error` where the plan was not carried out."""
    return "error" if result.is_error else next(iter(result.structured_content["outcomes"]))


async def test_whatever_breaks_at_the_write_of_a_mark_the_outcome_is_what_can_be_known(school):
    students = iter(present(school))
    with broken_way(school) as way:
        async with school.client(api_url=way.url, **SHORT) as ask:
            for fault, outcome in WRITE_OUTCOMES.items():
                plan = await mark_late(ask, student := next(students))
                before, written = everything(school), len(school.writes)
                way.arm(WRITES, fault)
                result = await apply(ask, plan)
                again = await apply(ask, plan)
                assert outcome_of(result) == outcome, fault
                assert (homeroom(school, student) == (2, None)) == (outcome == "done"), fault
                assert (everything(school) == before) == (outcome != "done"), fault
                assert (NOTHING in text(result)) == (outcome == "not sent"), fault
                assert len(school.writes) - written <= 1, fault
                assert text(again).startswith("Already carried out at "), fault
                assert again.structured_content["outcomes"] == {outcome: 1}, fault


async def test_whatever_breaks_at_the_making_of_an_excusal_it_is_never_made_twice(school):
    with broken_way(school) as way:
        async with school.client(api_url=way.url, **SHORT) as ask:
            for number, (fault, outcome) in enumerate(WRITE_OUTCOMES.items()):
                family = Family.of(school, -number - 1)
                plan = await ask.facts(
                    "create_excusal", student_id=family.student, parent_id=family.parent, start_date=DAY, comment="Flu"
                )
                written = len(school.writes)
                way.arm(WRITES, fault)
                result = await apply(ask, plan)
                again = await apply(ask, plan)
                assert outcome_of(result) == outcome, fault
                assert len(family.excusals(school)) == (outcome == "done"), fault
                assert len(school.writes) - written <= 1, fault
                assert again.structured_content["outcomes"] == {outcome: 1}, fault


async def test_whatever_breaks_at_reading_again_nothing_was_written_and_the_plan_still_waits(school):
    students = iter(present(school))
    with broken_way(school) as way:
        async with school.client(api_url=way.url, **SHORT) as ask:
            for fault in READ_FAULTS:
                plan = await mark_late(ask, student := next(students))
                written = len(school.writes)
                way.arm(READS_AGAIN, fault)
                result = await apply(ask, plan)
                outcome = outcome_of(result)
                assert outcome in ("error", "done"), fault  # a read that fails in passing is read again
                assert (homeroom(school, student) == (2, None)) == (outcome == "done"), fault
                assert (NOTHING in text(result)) == (outcome == "error"), fault
                if fault != "refused":
                    assert outcome_of(await apply(ask, plan)) == "done", fault
                    assert len(school.writes) - written == 1, fault
        other = open_app(school.settings())
        other.connection.name = way.url  # the same school, reached again
        async with school.client(app=other) as ask:
            assert outcome_of(await apply(ask, plan)) == "done"


async def test_whatever_breaks_at_reading_back_nothing_is_called_done_unseen(school):
    students = iter(present(school))
    with broken_way(school) as way:
        async with school.client(api_url=way.url, **SHORT) as ask:
            for fault in READ_FAULTS:
                plan = await mark_late(ask, student := next(students))
                written = len(school.writes)
                way.arm(READS_BACK, fault)
                result = await apply(ask, plan)
                outcome = outcome_of(result)
                assert outcome in ("done", "unknown"), fault
                assert NOTHING not in text(result), fault
                assert homeroom(school, student) == (2, None), fault
                assert len(school.writes) - written == 1, fault
                unseen = "The records could not be read back." in text(result)
                assert unseen == (outcome == "unknown"), fault
                assert ("Read these records before anything is sent again." in text(result)) == unseen, fault
    assert unseen  # the last one met nobody


async def test_what_could_not_be_told_says_how_the_record_reads_now(school):
    with broken_way(school) as way:
        async with school.client(api_url=way.url, **SHORT) as ask:
            plan = await mark_late(ask, absent(school)[0])
            way.arm(2, "reset before")
            row = (await apply(ask, plan)).structured_content["changes"][0]
    assert row["outcome"] == "unknown"
    assert row["reason"] == "The connection to the school's API broke; the record still is as it was"


async def test_a_class_register_that_was_cut_off_is_told_row_by_row_as_it_reads(school):
    register = Register.of(school)
    marks = [{"student_id": id, "date": DAY, "period": register.period, "status": 13} for id in register.students[:4]]
    with broken_way(school) as way:
        async with school.client(api_url=way.url, **SHORT) as ask:
            plan = await ask.facts("set_class_attendance", class_id=register.id, marks=marks)
            way.arm(3, "hang after")
            result = await apply(ask, plan)
    assert result.structured_content["outcomes"] == {"done": 4}


async def test_rows_that_time_did_not_suffice_for_are_not_sent_and_the_answer_says_how_to_go_on(school):
    register = Register.of(school)
    days = ["2026-11-23", "2026-11-20", "2026-11-19", "2026-11-18", "2026-11-17", "2026-11-16"]
    marks = [
        {"student_id": id, "date": day, "period": register.period, "status": 13}
        for day in days
        for id in register.students
    ]
    with broken_way(school) as way:
        office = open_app(school.settings(api_url=way.url, read_timeout=5, approval="token"))
        office.desk.carrying_out = timedelta(seconds=2)
        async with school.client(app=office) as ask:
            plan = await ask.facts("set_class_attendance", class_id=register.id, marks=marks)
            school.log.clear()
            way.arm(8, "hang after")  # the timetable, six days, then the first hundred rows
            result = await apply(ask, plan)
    outcomes = result.structured_content["outcomes"]
    assert outcomes == {"done": 100, "not sent": len(marks) - plan.get("already_so", 0) - 100}
    assert "time ran out" in text(result)
    assert "Not sent: plan these again to go on." in text(result)
    assert len(school.writes) == 1


async def test_a_day_that_was_in_memory_is_read_anew_even_where_the_write_got_no_answer(school):
    day, student = "2026-11-23", present(school)[0]
    group = school.one("select year_group_id from students where id = :id", id=student)[0]
    with broken_way(school) as way:
        async with school.client(api_url=way.url, **SHORT) as ask:
            before = await ask.facts("get_homeroom_attendance", year_group_id=group, date=day)
            plan = await ask.facts("set_homeroom_attendance", student_id=student, date=day, status=13)
            way.arm(2, "reset after")
            await apply(ask, plan)
            after = await ask.facts("get_homeroom_attendance", year_group_id=group, date=day)
    assert before != after


# --- whoever hangs up, and whoever crashes ---------------------------------------------------------------------------


async def settled(ask: Asking, plan: dict[str, Any]) -> Any:
    """The outcome, once whoever carries the plan out has told it."""
    with anyio.fail_after(10):
        while True:
            result = await apply(ask, plan)
            if result.structured_content.get("state") != "applying":
                return result


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_call_that_is_cancelled_while_it_applies_is_carried_out_whole_and_told_to_the_next(school, era):
    student = absent(school)[0]
    with broken_way(school) as way:
        async with school.client("stdio", era, api_url=way.url) as ask:
            plan = await mark_late(ask, student)
            way.arm(2, "held")
            async with anyio.create_task_group() as group:
                group.start_soon(apply, ask, plan)
                assert await anyio.to_thread.run_sync(way.reached.wait, 10)
                meanwhile = await apply(ask, plan)
                group.cancel_scope.cancel()
            way.release.set()
            result = await settled(ask, plan)
    assert meanwhile.structured_content["state"] == "applying"
    assert text(meanwhile).startswith("This plan is being carried out right now by another call")
    assert NOTHING not in text(meanwhile)
    assert result.structured_content["outcomes"] == {"done": 1}
    assert homeroom(school, student) == (2, None)
    assert len(school.writes) == 1


async def test_a_host_that_closes_the_server_while_it_applies_leaves_a_settled_plan(school):
    student = absent(school)[0]
    with broken_way(school) as way:
        async with anyio.create_task_group() as group, school.client("stdio", api_url=way.url) as ask:
            plan = await mark_late(ask, student)
            way.arm(2, "held")
            group.start_soon(_until_it_ends, apply, ask, plan)
            assert await anyio.to_thread.run_sync(way.reached.wait, 10)
            way.release.set()
    with plans_of(school) as store:
        assert store.execute("select state, outcome from plans join changes").fetchall() == [("settled", "done")]
    assert len(school.writes) == 1


async def _until_it_ends(call: Callable[..., Any], *args: Any) -> None:
    with contextlib.suppress(Exception):
        await call(*args)


def left_by_a_crash(school: UpstreamSchool, *, outcome: str, until: datetime) -> None:
    """The store as somebody leaves it who is killed after the claim."""
    with plans_of(school) as store:
        store.execute(
            "update plans set state = 'applying', approval = 'token', lease_until = ?",
            [until.astimezone(UTC).isoformat(timespec="microseconds")],
        )
        store.execute("update changes set outcome = ?", [outcome])


@pytest.mark.parametrize(
    ("outcome", "arrived", "told"),
    [("planned", False, "not sent"), ("sending", False, "unknown"), ("sending", True, "done")],
)
async def test_a_plan_that_a_crash_left_is_settled_by_reading_by_whoever_comes_next(school, outcome, arrived, told):
    student = absent(school)[0]
    async with school.client() as ask:
        plan = await mark_late(ask, student)
    left_by_a_crash(school, outcome=outcome, until=datetime.now(UTC) - timedelta(seconds=1))
    if arrived:
        school.change(
            "update homeroom_marks set status = 2 where student_id = :id and date = :day", id=student, day=DAY
        )
    async with school.client() as ask:
        result = await apply(ask, plan)
        again = await apply(ask, plan)
    assert result.structured_content["outcomes"] == {told: 1}
    assert (NOTHING in text(result)) == (told == "not sent")
    assert again.structured_content["outcomes"] == {told: 1}
    assert school.writes == []


async def test_an_excusal_that_a_crash_left_is_found_by_its_student_days_and_comment(school):
    family = Family.of(school)
    async with school.client() as ask:
        plan = await ask.facts(
            "create_excusal", student_id=family.student, parent_id=family.parent, start_date=DAY, comment="Flu"
        )
        left_by_a_crash(school, outcome="sending", until=datetime.now(UTC) - timedelta(seconds=1))
        school.change(
            """insert into excusals (student_id, parent_id, start_date, end_date, comment, created_at, updated_at)
               values (:student, :parent, :day, :day, 'Flu', '', '')""",
            student=family.student,
            parent=family.parent,
            day=DAY,
        )
        result = await apply(ask, plan)
    assert result.structured_content["outcomes"] == {"done": 1}
    assert school.writes == []


async def test_while_the_lease_holds_nobody_else_carries_the_plan_out(school):
    async with school.client() as ask:
        plan = await mark_late(ask, absent(school)[0])
        left_by_a_crash(school, outcome="sending", until=datetime.now(UTC) + timedelta(seconds=60))
        school.log.clear()
        result = await apply(ask, plan)
    assert result.structured_content["state"] == "applying"
    assert text(result).endswith("This call wrote nothing; repeat it in a minute for the outcome.")
    assert NOTHING not in text(result)
    assert len(school.log) == 0


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_process_that_is_killed_at_any_request_leaves_a_plan_that_the_next_one_settles(school, number):
    student = absent(school)[0]
    with broken_way(school) as way:
        async with school.client(api_url=way.url) as ask:
            plan = await mark_late(ask, student)
        # A process of its own knows no names yet: two reads of the student and the groups, two of the labels.
        way.arm(number + 4, "held")
        await anyio.to_thread.run_sync(_kill_when_reached, school, way, plan)
    later = open_app(school.settings())
    later.connection.name = way.url
    later.desk.now = lambda: datetime.now(UTC) + timedelta(minutes=2)  # the lease has lapsed
    async with school.client(app=later) as ask:
        result = await apply(ask, plan)
    expected = "not sent" if number == 1 else "done"
    assert result.structured_content["outcomes"] == {expected: 1}
    assert homeroom(school, student) == ((0, None) if number == 1 else (2, None))
    assert len(school.writes) == (number > 1)


def _kill_when_reached(school: UpstreamSchool, way: FaultyWay, plan: dict[str, Any]) -> None:
    import json

    arguments = json.dumps({"confirmation": plan["confirmation"], "summary": plan["summary"]})
    command = [sys.executable, "-m", "attendance_mcp", "call", "apply_changes", arguments]
    process = subprocess.Popen(
        command, env=school.environment(api_url=way.url), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert way.reached.wait(20)
    process.kill()
    process.wait(10)
    way.release.set()


async def test_whoever_wakes_up_after_somebody_else_settled_the_plan_sends_nothing_more(school):
    register = Register.of(school)
    days = ["2026-11-23", "2026-11-20", "2026-11-19", "2026-11-18", "2026-11-17", "2026-11-16"]
    marks = [
        {"student_id": id, "date": day, "period": register.period, "status": 13}
        for day in days
        for id in register.students
    ]
    with broken_way(school) as way:
        async with school.client(api_url=way.url, approval="token") as ask:
            plan = await ask.facts("set_class_attendance", class_id=register.id, marks=marks)
            way.arm(8, "held")  # the first hundred rows are carried out, and the answer takes its time
            async with anyio.create_task_group() as group:
                group.start_soon(apply, ask, plan)
                assert await anyio.to_thread.run_sync(way.reached.wait, 10)
                later = open_app(school.settings())
                later.connection.name = way.url
                later.desk.now = lambda: datetime.now(UTC) + timedelta(minutes=2)
                async with school.client(app=later) as other:
                    result = await apply(other, plan)
                way.release.set()
            again = await settled(ask, plan)
    assert result.structured_content["outcomes"]["done"] == 100
    assert "the carrying out was cut off" in text(result)
    assert again.structured_content["outcomes"] == result.structured_content["outcomes"]
    assert len(school.writes) == 1
