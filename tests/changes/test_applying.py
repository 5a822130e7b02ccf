"""Carrying a plan out: by either call, in either era, in another process; held to its words; once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from attendance_mcp.server import App, open_app
from tests.upstream_school import UpstreamSchool, text

from .errands import (
    DAY,
    absent,
    apply,
    everything,
    homeroom,
    label,
    mark_late,
    named,
    present,
)

pytestmark = pytest.mark.anyio

NOTHING = "Nothing was written."


def at(school: UpstreamSchool, clock: list[datetime]) -> App:
    """An app whose plans live by this clock."""
    app = open_app(school.settings())
    app.desk.now = lambda: clock[0]
    return app


@pytest.mark.parametrize("era", ["auto", "legacy"])
@pytest.mark.parametrize("way", ["memory", "http"])
async def test_a_plan_that_was_agreed_to_is_carried_out_and_read_back(school, way, era):
    student = absent(school)[0]
    late = label(school, student, 2)
    async with school.client(way, era) as ask:
        plan = await mark_late(ask, student, notes="Dentist")
        school.log.clear()
        result = await apply(ask, plan)
    assert homeroom(school, student) == (2, "Dentist")
    assert [entry.method for entry in school.log] == ["GET", "PUT", "GET"]
    assert result.structured_content["outcomes"] == {"done": 1}
    assert result.structured_content["read_back"] is True
    assert result.structured_content["approval"] == "token"
    head, row = text(result).splitlines()
    assert head.startswith("Carried out at ")
    assert head.endswith(", agreed by its confirmation alone: 1 done. The records were read back.")
    assert row == f"- done: homeroom, Tue {DAY}: Absent → {late}, note “Dentist”: {named(school, student)}"


async def test_the_same_call_with_the_confirmation_carries_the_plan_out(school):
    student = absent(school)[0]
    async with school.client() as ask:
        plan = await mark_late(ask, student)
        done = await mark_late(ask, student, confirmation=plan["confirmation"])
    assert done["outcomes"] == {"done": 1}
    assert homeroom(school, student) == (2, None)


async def test_plan_and_apply_may_be_two_processes_of_two_eras(school):
    student = absent(school)[0]
    async with school.client("stdio", "legacy") as ask:
        plan = await mark_late(ask, student)
    assert school.writes == []
    async with school.client("stdio", "auto") as ask:
        result = await apply(ask, plan)
    assert result.structured_content["outcomes"] == {"done": 1}
    assert homeroom(school, student) == (2, None)


async def test_a_used_confirmation_answers_the_recorded_outcome_and_writes_nothing_more(school):
    student = absent(school)[0]
    async with school.client() as ask:
        plan = await mark_late(ask, student)
        await apply(ask, plan)
        school.change(
            "update homeroom_marks set status = 13 where student_id = :id and date = :day", id=student, day=DAY
        )
        before = list(school.log)
        for call in (apply(ask, plan), mark_late(ask, student, confirmation=plan["confirmation"])):
            answered = await call
            again = answered if isinstance(answered, dict) else answered.structured_content
            assert again["repeated"] is True
            assert again["outcomes"] == {"done": 1}
        told = text(await apply(ask, plan))
    assert list(school.log) == before
    assert told.splitlines()[0].startswith("Already carried out at ")
    assert told.splitlines()[0].endswith(": 1 done. This call wrote nothing more.")
    assert homeroom(school, student) == (13, None)


async def test_the_recorded_outcome_is_told_by_ids_where_the_school_no_longer_answers(school):
    student = absent(school)[0]
    async with school.client() as ask:
        plan = await mark_late(ask, student)
        await apply(ask, plan)
    nowhere = open_app(school.settings(api_url="http://127.0.0.1:9", read_timeout=0.5))
    nowhere.connection.name = school.url
    async with school.client(app=nowhere) as ask:
        result = await apply(ask, plan)
    assert result.structured_content["outcomes"] == {"done": 1}
    assert f"student {student}" in text(result)


async def test_a_plan_carried_out_on_another_day_says_which(school):
    student, clock = absent(school)[0], [datetime(2026, 11, 24, 3, 5, tzinfo=UTC)]
    async with school.client(app=at(school, clock)) as ask:
        plan = await mark_late(ask, student)
        await apply(ask, plan)
    clock[0] += timedelta(days=2)
    async with school.client(app=at(school, clock)) as ask:
        told = text(await apply(ask, plan))
    assert told.startswith("Already carried out at 11:05 on Tue 2026-11-24: 1 done.")


async def test_a_confirmation_may_be_typed_as_people_read_it(school):
    students = iter(present(school))
    forms = [
        lambda code: f" {code} ",
        lambda code: code.lower(),
        lambda code: code.replace("0", "O").replace("1", "l"),
        lambda code: f"{code[:5]}-{code[5:]}",
    ]
    async with school.client() as ask:
        for form in forms:
            plan = await mark_late(ask, next(students))
            result = await apply(ask, plan, confirmation=form(plan["confirmation"]))
            assert result.structured_content["outcomes"] == {"done": 1}


async def test_a_wrong_code_is_refused(school):
    async with school.client() as ask:
        plan = await mark_late(ask, absent(school)[0])
        for code in ("0000000000", "x", "' or 1=1 --", "\N{SNOWMAN}" * 10, plan["confirmation"][:-1]):
            told = await ask.error("apply_changes", confirmation=code, summary=plan["summary"])
            assert told == f"No plan of yours has this confirmation. Plan the changes again. {NOTHING}"
    assert school.writes == []


async def test_the_summary_is_the_plans_own_but_for_its_white_space(school):
    student = absent(school)[0]
    async with school.client() as ask:
        plan = await mark_late(ask, student)
        told = await ask.error(
            "apply_changes", confirmation=plan["confirmation"], summary=plan["summary"].replace("Absent", "Present")
        )
        assert told == f"The summary must be the plan's own, word for word: {plan['summary']} {NOTHING}"
        assert school.writes == []
        folded = await apply(ask, plan, summary="  " + plan["summary"].replace(" ", "\n  ") + "\t")
    assert folded.structured_content["outcomes"] == {"done": 1}


async def test_a_summary_that_can_no_longer_be_made_asks_for_a_new_plan(school):
    student = absent(school)[0]
    async with school.client() as ask:
        plan = await mark_late(ask, student)
    school.change("update students set last_name = 'Okafor-Lind' where id = :id", id=student)
    async with school.client() as ask:
        told = await ask.error("apply_changes", confirmation=plan["confirmation"], summary="Mark somebody.")
        done = await apply(ask, plan)
    assert "has changed since it was made. Plan the changes again." in told
    assert done.structured_content["outcomes"] == {"done": 1}


async def test_a_confirmation_serves_only_the_arguments_that_it_was_given_for(school):
    arguments = {"student_id": absent(school)[0], "date": DAY, "status": 2}
    async with school.client() as ask:
        plan = await ask.facts("set_homeroom_attendance", **arguments)
        for other in ({"status": 13}, {"date": "2026-11-23"}, {"notes": "x"}, {"erase_notes": True}):
            told = await ask.error(
                "set_homeroom_attendance", **{**arguments, **other, "confirmation": plan["confirmation"]}
            )
            assert told == (
                f"This confirmation belongs to a call with other arguments. Repeat that call unchanged. {NOTHING}"
            )
    assert school.writes == []


async def test_a_confirmation_of_one_tool_does_not_serve_another(school):
    async with school.client() as ask:
        plan = await mark_late(ask, absent(school)[0])
        told = await ask.error("delete_excusal", student_id=1, excusal_id=1, confirmation=plan["confirmation"])
    assert "belongs to a call with other arguments" in told
    assert school.writes == []


async def test_another_callers_confirmation_is_not_known_here(school):
    async with school.client() as ask:
        plan = await mark_late(ask, absent(school)[0])
    other = open_app(school.settings())
    other.caller = "https://login.example.org|k.larsen"
    async with school.client(app=other) as ask:
        told = await ask.error("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
    assert told.startswith("No plan of yours has this confirmation.")
    assert school.writes == []


async def test_a_plan_of_one_school_does_not_serve_another(open_school):
    here, there = open_school(), open_school()
    store = str(here.path.with_name("plans.db"))
    async with here.client(store=store) as ask:
        plan = await mark_late(ask, absent(here)[0])
    async with there.client(store=store) as ask:
        told = await ask.error("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
    assert told.startswith("No plan of yours has this confirmation.")
    assert here.writes == there.writes == []


async def test_a_plan_lives_an_hour(school):
    student, clock = absent(school)[0], [datetime(2026, 11, 24, 3, tzinfo=UTC)]
    async with school.client(app=at(school, clock)) as ask:
        plan = await mark_late(ask, student)
        assert plan["expires"] == "12:00"
        clock[0] += timedelta(minutes=60)
        told = await ask.error("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
        assert told.startswith("This plan has expired. Plan it again")
        assert told.endswith(NOTHING)
        assert school.writes == []
        clock[0] -= timedelta(seconds=1)
        assert (await apply(ask, plan)).structured_content["outcomes"] == {"done": 1}


async def test_a_plan_that_waits_over_midnight_says_until_which_day(school):
    clock = [datetime(2026, 11, 24, 15, 30, tzinfo=UTC)]
    async with school.client(app=at(school, clock)) as ask:
        plan = await mark_late(ask, absent(school)[0])
    assert plan["expires"] == "00:30 on Wed 2026-11-25"


@pytest.mark.parametrize(
    "moved",
    [
        "update homeroom_marks set status = 13 where student_id = :id and date = :day",
        "update homeroom_marks set note = 'Came at nine' where student_id = :id and date = :day",
        "delete from homeroom_marks where student_id = :id and date = :day",
    ],
)
async def test_a_record_that_moved_since_the_plan_makes_it_stale_and_nothing_is_sent(school, moved):
    student = absent(school)[0]
    async with school.client() as ask:
        plan = await mark_late(ask, student)
        school.change(moved, id=student, day=DAY)
        there = everything(school)
        told = await ask.error("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
        again = await ask.error("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
    assert told == (
        f"Changed in the school's system since the plan: homeroom, Tue {DAY} of {named(school, student)}. "
        f"Plan it again. {NOTHING}"
    )
    assert again.startswith("This plan is stale")
    assert school.writes == []
    assert everything(school) == there


async def test_a_kept_note_is_sent_again_where_leaving_it_out_would_clear_it(open_school):
    school = open_school("small", "notes_omitted=cleared")
    student = absent(school)[0]
    school.change(
        "update homeroom_marks set note = :note where student_id = :id and date = :day",
        note="  Wrote: “ill” \t",
        id=student,
        day=DAY,
    )
    async with school.client() as ask:
        await apply(ask, await mark_late(ask, student))
    assert homeroom(school, student) == (2, "  Wrote: “ill” \t")


async def test_a_note_is_erased_only_when_that_was_asked(school):
    student = absent(school)[0]
    school.change("update homeroom_marks set note = 'ill' where student_id = :id and date = :day", id=student, day=DAY)
    async with school.client(approval="token") as ask:
        await apply(ask, await mark_late(ask, student, notes=""))
        assert homeroom(school, student) == (2, "ill")
        await apply(ask, await mark_late(ask, student, erase_notes=True))
    assert homeroom(school, student) == (2, None)


async def test_a_read_after_the_write_tells_the_new_mark(school):
    day, student = "2026-11-23", present(school)[0]
    group = school.one("select year_group_id from students where id = :id", id=student)[0]
    excused = label(school, student, 13)
    async with school.client() as ask:
        before = await ask.facts("get_homeroom_attendance", year_group_id=group, date=day)
        plan = await ask.facts("set_homeroom_attendance", student_id=student, date=day, status=13)
        await apply(ask, plan)
        after = await ask.facts("get_homeroom_attendance", year_group_id=group, date=day)
    assert before != after
    assert str(after).count(excused) > 0
    assert named(school, student).partition(" (")[0] in str(after)


@pytest.mark.parametrize("off", ["403", "401"])
async def test_where_the_extended_apis_are_off_every_row_is_refused_with_that_reason(open_school, off):
    school = open_school("small", f"extended_off={off}", without={"extended"})
    student, before = absent(school)[0], everything(school)
    async with school.client() as ask:
        result = await apply(ask, await mark_late(ask, student))
    assert result.structured_content["outcomes"] == {"refused": 1}
    assert f"with this token ({off})" in text(result)
    assert "Extended APIs package" in text(result)
    assert everything(school) == before
