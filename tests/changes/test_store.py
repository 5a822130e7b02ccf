"""The store of plans on both engines: what stands in it, and what happens without it."""

from __future__ import annotations

import pytest

from tests.upstream_school import text

from .errands import DAY, Family, Register, absent, apply, mark_late
from .stores import BOTH, everything_stored, no_room_for, room_again, school, store_of

pytestmark = [pytest.mark.anyio, BOTH]
__all__ = ["school"]

NOTHING = "Nothing was written."


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
    stored = everything_stored(school).casefold()
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


async def test_a_store_of_a_newer_version_is_refused(school):
    async with school.client() as ask:
        await mark_late(ask, absent(school)[0])
    with store_of(school) as store:
        store.exec_driver_sql("insert into schema_version values (99)")
    async with school.client() as ask:
        told = await ask.error("set_homeroom_attendance", student_id=absent(school)[0], date=DAY, status=2)
    assert told == f"The store was made by a newer version of attendance-mcp: update this one. {NOTHING}"


@pytest.mark.parametrize(("table", "when"), [("plans", "true"), ("changes", "new.outcome = 'sending'")])
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
        room_again(school, "changes")
        with store_of(school) as store:
            store.exec_driver_sql("update plans set lease_until = '2026-01-01'")
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
        no_room_for(school, "changes", "new.outcome = 'sending' and new.\"row\" >= 100")
        result = await apply(ask, plan)
    assert result.structured_content["outcomes"] == {"done": 100, "not sent": len(marks) - 100}
    assert "the store of plans and changes can't be written" in text(result)
    assert len(school.writes) == 1


async def test_a_plan_is_made_carried_out_listed_and_undone(school):
    register = Register.of(school, most=3)
    before = [register.mark(school, student) for student in register.students]
    marks = [{"student_id": id, "date": DAY, "period": register.period, "status": 13} for id in register.students]
    async with school.client(approval="token") as ask:
        plan = await ask.facts("set_class_attendance", class_id=register.id, marks=marks)
        first = await apply(ask, plan)
        done = [register.mark(school, student) for student in register.students]
        back = await ask.facts("plan_changes", changes=[{"kind": "undo", "confirmation": plan["confirmation"]}])
        undone = await apply(ask, back)
        told = await ask.text("list_changes")
    assert first.structured_content["outcomes"] == undone.structured_content["outcomes"]
    assert {mark[0] for mark in done} == {13}
    assert [register.mark(school, student) for student in register.students] == before
    assert told.count("carried out") == 2
