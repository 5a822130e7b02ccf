"""Where the contract is silent, schools may differ: the tools count the truth of the database under every value."""

from __future__ import annotations

import pytest

from attendance_mcp.sandbox.assumptions import CHOICES, OPTIONAL
from tests.upstream_school import Asking, UpstreamSchool

from .examples import DAY, Known
from .truth import Truth

pytestmark = pytest.mark.anyio

ASSUMPTIONS = [(), *((f"{key}={value}",) for key, values in CHOICES.items() for value in values[1:])]
WITHOUT = [{part} for part in sorted(OPTIONAL)] + [set(OPTIONAL)]


@pytest.mark.parametrize("assume", ASSUMPTIONS, ids=lambda assume: assume[0] if assume else "as the contract assumes")
async def test_the_counts_are_those_of_the_database_whatever_the_api_does(open_school, assume):
    school = open_school("small", *assume)
    truth = Truth(school, first_period=0 if "periods_from=0" in assume else 1)
    async with school.client() as ask:
        await days_are_true(ask, truth)
        await terms_are_true(ask, truth, not_taken_is_told="no_record=-1" in assume)
        await excusals_are_true(ask, truth, calendar_days="duration=school" not in assume)
        await absences_are_true(ask, truth)
    assert school.writes == []


@pytest.mark.parametrize("without", WITHOUT, ids=lambda parts: "+".join(sorted(parts)))
async def test_the_counts_are_those_of_the_database_whatever_the_school_lacks(open_school, without):
    school = open_school(without=frozenset(without))
    async with school.client() as ask:
        await days_are_true(ask, Truth(school))
        await terms_are_true(ask, Truth(school))
        await absences_are_true(ask, Truth(school))


async def test_every_reading_tool_answers_in_a_school_that_lacks_everything_optional(open_school):
    school = open_school(without=OPTIONAL)
    async with school.client() as ask:
        for tool, arguments in Known.of(school).reads().items():
            assert await ask.facts(tool, **arguments), tool


async def days_are_true(ask: Asking, truth: Truth) -> None:
    for name in ("Grade 7", "Grade 10"):
        group, program, _ = truth.group(name)
        day = await ask.facts("get_homeroom_attendance", year_group_id=group, date=DAY, detail="counts")
        assert day["counts"] == truth.homeroom_day(group, program), name
    for name in ("Mathematics 9", "Geography 10"):
        class_, program, _ = truth.class_(name)
        day = await ask.facts("get_class_attendance", class_id=class_, date=DAY, detail="counts")
        assert {one["period"]: one["counts"] for one in day["periods"]} == truth.class_day(class_, program), name
        timetable = await ask.facts("get_class_timetable", class_id=class_)
        assert {one["day"]: one["periods"] for one in timetable["years"][0]["days"]} == truth.timetable(class_), name


async def terms_are_true(ask: Asking, truth: Truth, *, not_taken_is_told: bool = False) -> None:
    group, program, term = truth.group("Grade 8")
    totals = await ask.facts("get_homeroom_term_attendance", year_group_id=group, term_id=term, detail="counts")
    class_, class_program, class_term = truth.class_("Mathematics 9")
    periods = await ask.facts("get_class_term_attendance", class_id=class_, term_id=class_term, detail="counts")
    # Registers of today that are not due have no marks yet, so there is always something that is not taken.
    assert ("not taken" in periods["counts"]) is not_taken_is_told
    assert taken(totals["counts"]) == truth.homeroom_term(group, program, term)
    assert taken(periods["counts"]) == truth.class_term(class_, class_program, class_term)
    adjusted = await ask.facts("get_homeroom_adjustments", year_group_id=group, term_id=term - 1)
    found = {one["id"]: one["counts"] for one in adjusted["adjustments"]}
    assert found == truth.adjustments(group, term - 1) != {}


async def excusals_are_true(ask: Asking, truth: Truth, *, calendar_days: bool = True) -> None:
    covered = await ask.facts("list_excusals", date=DAY)
    expected = truth.excusals(calendar_days=calendar_days)
    assert covered["total"] == len(expected)
    assert {one["student_id"]: one["days"] for one in covered["excusals"]} == expected
    student = min(expected)
    own = await ask.facts("list_student_excusals", student_id=student, applies_on=DAY)
    assert [one["days"] for one in own["excusals"]] == [expected[student]]


async def absences_are_true(ask: Asking, truth: Truth) -> None:
    group, program, _ = truth.group("Grade 9")
    absences = await ask.facts("list_absences", date=DAY, group="Grade 9")
    marks = truth.homeroom_day(group, program)
    told = {kind: absences["counts"].get(kind, 0) for kind in ("absent", "present", "not taken")}
    assert told == {kind: marks.get(kind.capitalize(), marks.get(kind, 0)) for kind in told}
    assert "not_read" not in absences


def taken(counts: dict[str, int]) -> dict[str, int]:
    return {label: number for label, number in counts.items() if label != "not taken"}


@pytest.mark.parametrize("assume", ["archived=only", "archived=also"])
async def test_archived_students_are_those_that_the_api_takes_for_it(open_school, assume):
    school = open_school("small", assume)
    truth = Truth(school)
    group, _, term = truth.group("Grade 7")
    expected = truth.archived_students(group)
    if assume == "archived=also":
        expected += truth.current_students(group)
    async with school.client() as ask:
        totals = await ask.facts(
            "get_homeroom_term_attendance", year_group_id=group, term_id=term, archived_students=True, detail="counts"
        )
    assert totals["students"] == expected


@pytest.mark.parametrize("assume", ["periods_from=1", "periods_from=0"])
async def test_a_period_that_was_read_is_the_one_that_is_written_and_read_again(open_school, assume):
    school = open_school("small", assume)
    known = Known.of(school)
    async with school.client(approval="token") as ask:
        before = await ask.facts("get_class_attendance", class_id=known.class_, date=DAY, detail="full")
        shown = before["periods"][0]["period"]
        student = known.classmates[0]
        mark = {"student_id": student, "date": DAY, "period": shown, "status": 13}
        plan = await ask.facts("set_class_attendance", class_id=known.class_, marks=[mark])
        await ask.facts("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
        after = await ask.facts("get_class_attendance", class_id=known.class_, date=DAY)
    assert shown == known.period - (assume == "periods_from=0")
    assert {one["id"]: one["marks"] for one in after["marks"]}[student] == {"Excused": [shown]}
    assert stored(school, known, student) == [(known.period, 13)]


def stored(school: UpstreamSchool, known: Known, student: int) -> list[tuple[int, ...]]:
    query = "select period, status from class_marks where class_id = :id and date = :day and student_id = :student"
    rows = school.rows(query, id=known.class_, day=DAY, student=student)
    return [row for row in rows if row[1] == 13]


@pytest.mark.parametrize("assume", ["notes_omitted=kept", "notes_omitted=cleared"])
async def test_a_note_that_nobody_spoke_of_stands_after_a_write(open_school, assume):
    school = open_school("small", assume)
    student = Known.of(school).student
    where = "where student_id = :id and date = :day"
    school.change(f"update homeroom_marks set note = 'Overslept' {where}", id=student, day=DAY)
    async with school.client(approval="token") as ask:
        plan = await ask.facts("set_homeroom_attendance", student_id=student, date=DAY, status=2)
        await ask.facts("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
    assert school.rows(f"select status, note from homeroom_marks {where}", id=student, day=DAY) == [(2, "Overslept")]


@pytest.mark.parametrize("assume", ["extended_off=403", "extended_off=401"])
async def test_without_the_extended_apis_a_write_says_so_and_changes_nothing(open_school, assume):
    school = open_school("small", assume, without=frozenset({"extended"}))
    student = Known.of(school).student
    async with school.client(approval="token") as ask:
        plan = await ask.facts("set_homeroom_attendance", student_id=student, date=DAY, status=2)
        told = await ask.text("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
    assert "Extended APIs" in told
    assert "refused" in told
    query = "select status from homeroom_marks where student_id = :id and date = :day"
    assert school.rows(query, id=student, day=DAY) == [(0,)]
