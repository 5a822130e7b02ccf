"""Marks of a class: rows judged one by one, periods as the school shows them, members of today and of before."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.upstream_school import Asking, UpstreamSchool, text

from .errands import DAY, Register, apply, everything, named
from .stores import no_room_for, room_again, store_of

pytestmark = pytest.mark.anyio


async def planned(ask: Asking, register: Register, *marks: dict[str, Any]) -> dict[str, Any]:
    rows = [{"date": DAY, "period": register.period, "status": 13, **mark} for mark in marks]
    return await ask.facts("set_class_attendance", class_id=register.id, marks=rows)


async def test_marks_of_a_class_go_in_one_request_and_are_read_back(school):
    register = Register.of(school)
    async with school.client(approval="token") as ask:
        plan = await planned(ask, register, *({"student_id": id, "notes": "Match"} for id in register.students))
        school.log.clear()
        result = await apply(ask, plan)
    assert result.structured_content["outcomes"] == {"done": len(register.students)}
    assert [entry.method for entry in school.log] == ["GET", "GET", "PUT", "GET"]
    assert {register.mark(school, id) for id in register.students} == {(13, "Match")}


async def test_rows_that_the_api_refuses_under_a_success_are_refused_and_the_others_done(school):
    register = Register.of(school)
    one, two = register.students[:2]
    async with school.client() as ask:
        plan = await planned(ask, register, {"student_id": one}, {"student_id": two, "date": "2026-11-22"})
        result = await apply(ask, plan)
    assert any(warning.startswith("No school day: Sun 2026-11-22") for warning in plan["warnings"])
    assert result.structured_content["outcomes"] == {"done": 1, "refused": 1}
    refused = next(row for row in result.structured_content["changes"] if row["outcome"] == "refused")
    assert refused["reason"] == "the school's system says ⟪date is a day off⟫"
    assert refused["students"] == [named(school, two)]
    assert register.mark(school, one)[0] == 13
    assert register.mark(school, two, "2026-11-22") is None


async def test_why_a_row_was_refused_is_known_after_a_crash_too(school):
    register = Register.of(school)
    one, two = register.students[:2]
    async with school.client() as ask:
        plan = await planned(ask, register, {"student_id": one}, {"student_id": two, "date": "2026-11-22"})
        no_room_for(school, "plans", "new.state = 'settled'")  # the plan's end is never recorded
        await apply(ask, plan)
        room_again(school, "plans")
        with store_of(school) as store:
            store.exec_driver_sql("update plans set lease_until = '2026-01-01'")
        settled = await apply(ask, plan)
    reasons = {row["outcome"]: row.get("reason", "") for row in settled.structured_content["changes"]}
    assert reasons == {"done": "", "refused": "the school's system says ⟪date is a day off⟫"}
    assert len(school.writes) == 1


async def test_where_every_row_was_refused_nobody_says_done(school):
    register = Register.of(school)
    before = everything(school)
    async with school.client() as ask:
        plan = await planned(ask, register, {"student_id": register.students[0], "date": "2026-11-22"})
        result = await apply(ask, plan)
    assert result.structured_content["outcomes"] == {"refused": 1}
    assert "Nothing was written." not in text(result)  # a request was sent
    assert "took none" in text(result)
    assert everything(school) == before


async def test_a_period_in_no_slot_of_the_timetable_is_refused_with_the_periods_that_there_are(school):
    register = Register.of(school)
    periods = school.rows("select distinct period from slots where class_id = :id order by 1", id=register.id)
    async with school.client() as ask:
        told = await ask.error(
            "set_class_attendance",
            class_id=register.id,
            marks=[{"student_id": register.students[0], "date": DAY, "period": 40, "status": 1}],
        )
    shown = ", ".join(str(period) for (period,) in periods)
    assert told == f"{register.name} has no slot in period 40. Its periods are: {shown}. Nothing was written."
    assert school.writes == []


async def test_a_student_who_was_never_in_the_class_is_refused_and_a_former_member_is_not(school):
    register = Register.of(school)
    stranger = school.one(
        """select id from students where archived = 0
           and id not in (select student_id from memberships where class_id = :id)""",
        id=register.id,
    )[0]
    former, class_id, period = school.one(
        """select m.student_id, m.class_id, min(s.period) from memberships m join slots s using (class_id)
           join students on students.id = m.student_id
           where m.left_on is not null and s.enabled = 1 and archived = 0 group by 1, 2 order by 1, 2"""
    )
    async with school.client() as ask:
        told = await ask.error(
            "set_class_attendance",
            class_id=register.id,
            marks=[{"student_id": stranger, "date": DAY, "period": register.period, "status": 1}],
        )
        plan = await ask.facts(
            "set_class_attendance",
            class_id=class_id,
            marks=[{"student_id": former, "date": DAY, "period": period, "status": 13}],
        )
        result = await apply(ask, plan)
    name = named(school, stranger).partition(" (")[0]
    assert told == f"Never in {register.name}: {name} ({stranger}). Nothing was written."
    assert result.structured_content["outcomes"] == {"done": 1}


async def test_a_school_that_counts_from_zero_is_written_in_the_period_that_it_shows(open_school):
    school = open_school("small", "periods_from=0")
    register = Register.of(school)  # the database counts from 1, as what is written does
    shown, student = register.period - 1, register.students[0]
    async with school.client() as ask:
        plan = await ask.facts(
            "set_class_attendance",
            class_id=register.id,
            marks=[{"student_id": student, "date": DAY, "period": shown, "status": 13}],
        )
        result = await apply(ask, plan)
    assert f"period {shown}, on Tue 24 Nov" in plan["summary"]
    assert result.structured_content["outcomes"] == {"done": 1}
    assert register.mark(school, student)[0] == 13


async def test_the_notes_of_class_marks_are_kept_where_leaving_them_out_would_clear_them(open_school):
    school = open_school("small", "notes_omitted=cleared")
    register = Register.of(school)
    kept, erased, new = register.students[:3]
    school.change("update class_marks set note = 'Bus' where class_id = :id", id=register.id)
    async with school.client(approval="token") as ask:
        plan = await planned(
            ask,
            register,
            {"student_id": kept},
            {"student_id": erased, "erase_notes": True},
            {"student_id": new, "notes": "Dentist"},
        )
        result = await apply(ask, plan)
    assert result.structured_content["outcomes"] == {"done": 3}
    assert [register.mark(school, id) for id in (kept, erased, new)] == [(13, "Bus"), (13, None), (13, "Dentist")]


async def test_more_rows_than_one_request_holds_go_in_several(school):
    register = Register.of(school)
    days = school.rows(
        """select date from school_days where program_code = (select program_code from classes where id = :id)
           and date < :day order by date desc limit 6""",
        id=register.id,
        day=DAY,
    )
    marks = [{"student_id": id, "date": day} for (day,) in days for id in register.students]
    async with school.client(approval="token") as ask:
        result = await apply(ask, await planned(ask, register, *marks))
    outcomes = result.structured_content["outcomes"]
    assert outcomes == {"done": sum(outcomes.values())}
    assert [len(entry.body["attendances"]) for entry in school.log.writes()] == [100, sum(outcomes.values()) - 100]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_set_of_marks_leaves_exactly_these_marks_and_touches_nothing_else(school: UpstreamSchool, data):
    register = Register.of(school)
    days = [str(date.fromisoformat(DAY) - timedelta(days=back)) for back in (0, 1, 4)]  # Tue, Mon, Fri
    periods = [row[0] for row in school.rows("select distinct period from slots where class_id = :c", c=register.id)]
    wanted = data.draw(
        st.dictionaries(
            st.tuples(st.sampled_from(register.students[:6]), st.sampled_from(days), st.sampled_from(sorted(periods))),
            st.fixed_dictionaries(
                {"status": st.sampled_from([0, 1, 2, 5, 13])},
                optional={"notes": st.sampled_from(["Bus", "Ärztin, 9:30", ""])},
            )
            | st.fixed_dictionaries({"status": st.sampled_from([0, 1, 2]), "erase_notes": st.just(True)}),
            min_size=1,
            max_size=8,
        )
    )
    before = everything(school)
    expected = {row[:4]: row[4:] for row in before["class_marks"]}
    for (student, day, period), mark in wanted.items():
        key = (register.id, day, period, student)
        old = expected.get(key, (None, None))[1]
        note = None if mark.get("erase_notes") else mark.get("notes") or old
        expected[key] = (mark["status"], note)
    rows = [{"student_id": s, "date": d, "period": p, **mark} for (s, d, p), mark in wanted.items()]
    async with school.client(approval="token") as ask:
        plan = await ask.facts("set_class_attendance", class_id=register.id, marks=rows)
        if plan.get("confirmation"):
            outcomes = (await apply(ask, plan)).structured_content["outcomes"]
            assert outcomes == {"done": len(wanted) - plan.get("already_so", 0)}
    after = everything(school)
    assert {row[:4]: row[4:] for row in after["class_marks"]} == expected
    assert {**after, "class_marks": []} == {**before, "class_marks": []}
