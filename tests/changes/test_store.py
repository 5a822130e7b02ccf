"""The store of plans: whose it is, what stands in it, what happens without it, and twenty who want one plan."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import anyio
import pytest

from tests.upstream_school import UpstreamSchool, text

from .errands import DAY, Family, Register, absent, apply, homeroom, mark_late, named, plans_of

pytestmark = pytest.mark.anyio

NOTHING = "Nothing was written."
ONLY_POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has no such bits")


@ONLY_POSIX
async def test_the_store_is_its_users_alone(school, tmp_path):
    place = tmp_path / "a folder?of 100%" / "plans.db"
    async with school.client(store=str(place)) as ask:
        await mark_late(ask, absent(school)[0])
        assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
        assert {stat.S_IMODE(file.stat().st_mode) for file in place.parent.iterdir()} == {0o600}


async def test_nothing_is_stored_before_the_first_plan(school):
    async with school.client() as ask:
        await ask("list_absences")
    assert not school.path.with_name("plans.db").exists()


async def test_no_name_and_no_label_stands_in_the_store(school):
    register, family = Register.of(school), Family.of(school)
    marks = [{"student_id": id, "date": DAY, "period": register.period, "status": 13} for id in register.students]
    async with school.client() as ask:
        plans = [
            await mark_late(ask, absent(school)[0]),
            await ask.facts("set_class_attendance", class_id=register.id, marks=marks),
            await ask.facts("create_excusal", student_id=family.student, parent_id=family.parent, start_date=DAY),
        ]
        for plan in plans:
            await apply(ask, plan)
    with plans_of(school) as store:
        stored = "\n".join(store.iterdump()).casefold()
    people = [
        name
        for row in school.rows(
            "select first_name, last_name from students union all select first_name, last_name from parents"
        )
        for name in row
    ]
    words = {name.casefold() for name in people if len(name) > 3} | {
        "tardy",
        "excused",
        "absent",
        register.name.casefold(),
    }
    assert {word for word in words if word in stored} == set()


async def test_where_the_store_cant_be_made_the_plan_is_refused(school, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    async with school.client(store=str(tmp_path / "file" / "plans.db")) as ask:
        told = await ask.error("set_homeroom_attendance", student_id=absent(school)[0], date=DAY, status=2)
    assert told.startswith("The store of plans and changes can't be used")
    assert "ATTENDANCE_STORE" in told
    assert str(tmp_path) not in told
    assert told.endswith(NOTHING)


async def test_a_file_that_is_no_store_is_refused_and_left_alone(school, tmp_path):
    place = tmp_path / "letter.txt"
    place.write_text("Dear parents, " * 200)
    async with school.client(store=str(place)) as ask:
        told = await ask.error("set_homeroom_attendance", student_id=absent(school)[0], date=DAY, status=2)
    assert told.startswith("The store of plans and changes can't be used")
    assert place.read_text() == "Dear parents, " * 200


async def test_a_store_of_a_newer_version_is_refused(school):
    async with school.client() as ask:
        await mark_late(ask, absent(school)[0])
    with plans_of(school) as store:
        store.execute("insert into schema_version values (99)")
    async with school.client() as ask:
        told = await ask.error("set_homeroom_attendance", student_id=absent(school)[0], date=DAY, status=2)
    assert told == f"The store was made by a newer version of attendance-mcp: update this one. {NOTHING}"


def no_room_for(school: UpstreamSchool, table: str, when: str = "1") -> None:
    """Makes the store refuse these rows, as a full disk does."""
    with plans_of(school) as store:
        store.execute(
            f"create trigger full_disk before update on {table} when {when} begin select raise(abort, 'disk full'); end"
        )


@pytest.mark.parametrize(("table", "when"), [("plans", "1"), ("changes", "new.outcome = 'sending'")])
async def test_where_the_store_cant_be_written_nothing_is_sent(school, table, when):
    student = absent(school)[0]
    async with school.client() as ask:
        plan = await mark_late(ask, student)
        no_room_for(school, table, when)
        told = await ask.error("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
    assert told.startswith("The store of plans and changes can't be used")
    assert told.endswith(NOTHING)
    assert school.writes == []


async def test_an_outcome_that_cant_be_recorded_is_told_all_the_same_and_settled_later(school):
    student = absent(school)[0]
    async with school.client() as ask:
        plan = await mark_late(ask, student)
        no_room_for(school, "changes", "new.outcome = 'done'")
        result = await apply(ask, plan)
        assert result.structured_content["outcomes"] == {"done": 1}
        assert "Warning: The outcome could not be recorded" in text(result)
        with plans_of(school) as store:
            store.execute("drop trigger full_disk")
            store.execute("update plans set lease_until = '2026-01-01'")
        again = await apply(ask, plan)
    assert again.structured_content["outcomes"] == {"done": 1}
    assert len(school.writes) == 1


async def test_a_store_that_fills_up_under_way_stops_the_sending_and_the_answer_tells_both_halves(school):
    register = Register.of(school)
    days = ["2026-11-23", "2026-11-20", "2026-11-19", "2026-11-18", "2026-11-17", "2026-11-16"]
    marks = [
        {"student_id": id, "date": day, "period": register.period, "status": 13, "notes": "Match"}
        for day in days
        for id in register.students
    ]
    async with school.client(approval="token") as ask:
        plan = await ask.facts("set_class_attendance", class_id=register.id, marks=marks)
        no_room_for(school, "changes", "new.outcome = 'sending' and new.row >= 100")
        result = await apply(ask, plan)
    assert result.structured_content["outcomes"] == {"done": 100, "not sent": len(marks) - 100}
    assert "the store of plans and changes can't be written" in text(result)
    assert len(school.writes) == 1


async def test_sqlalchemy_is_not_loaded_before_the_first_plan(school):
    script = """
import sys, anyio
from mcp import Client
from attendance_mcp.server import build
from attendance_mcp.settings import Settings

async def main():
    async with Client(build(Settings())) as client:
        await client.list_tools()
        result = await client.call_tool("list_absences", {})
        assert not result.is_error, result
        print("sqlalchemy" in sys.modules)
        student = {"student_id": int(sys.argv[1]), "date": "today", "status": 2}
        await client.call_tool("set_homeroom_attendance", student)
        print("sqlalchemy" in sys.modules)

anyio.run(main)
"""
    environment = {**os.environ, **school.environment()}
    command = [sys.executable, "-c", script, str(absent(school)[0])]
    ran = await anyio.run_process(command, env=environment, cwd=Path(__file__).parents[2])
    assert ran.stdout.decode().split() == ["False", "True"]


# --- many who want one plan ---


async def test_of_twenty_who_apply_one_plan_at_once_one_writes_and_the_others_are_told(school):
    student = absent(school)[0]
    async with school.client() as ask:
        plan = await mark_late(ask, student)
    told = []

    async def five() -> None:
        async with school.client() as ask, anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(one, ask)

    async def one(ask) -> None:
        result = await apply(ask, plan)
        assert not result.is_error, text(result)
        told.append(result.structured_content)

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(five)
    assert [facts["outcomes"] for facts in told if not facts.get("repeated")] == [{"done": 1}]
    others = [facts for facts in told if facts.get("repeated")]
    assert len(others) == 19
    assert all(facts["state"] == "applying" or facts["outcomes"] == {"done": 1} for facts in others)
    assert len(school.writes) == 1
    assert homeroom(school, student) == (2, None)


async def test_of_several_processes_that_make_one_excusal_at_once_one_does(school):
    family = Family.of(school)
    async with school.client() as ask:
        plan = await ask.facts(
            "create_excusal", student_id=family.student, parent_id=family.parent, start_date=DAY, comment="Flu"
        )
    told = []

    async def process() -> None:
        async with school.client("stdio") as ask, anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(one, ask)

    async def one(ask) -> None:
        told.append((await apply(ask, plan)).structured_content)

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(process)
    assert len([facts for facts in told if not facts.get("repeated")]) == 1
    assert len(told) == 9
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
