"""A status is given as a code or in the school's own words, which differ by programme and year."""

from __future__ import annotations

import pytest

from tests.upstream_school import UpstreamSchool

from .examples import DAY

pytestmark = pytest.mark.anyio


@pytest.fixture
def school(same_school: UpstreamSchool) -> UpstreamSchool:
    """Nothing here changes the school."""
    return same_school


def present(school: UpstreamSchool, program: str) -> int:
    """A student of the programme whom homeroom marks as present today."""
    query = """select min(m.student_id) from homeroom_marks m join students s on s.id = m.student_id
               join year_groups g on g.id = s.year_group_id
               where m.date = :day and m.status = 1 and g.program_code = :program"""
    return int(school.one(query, day=DAY, program=program)[0])


async def planned(school: UpstreamSchool, program: str, status: object) -> str:
    """What the plan would make of the mark."""
    async with school.client() as ask:
        student = present(school, program)
        plan = await ask.facts("set_homeroom_attendance", student_id=student, date=DAY, status=status)
    return str(plan["changes"][0]["becomes"])


@pytest.mark.parametrize("status", ["Tardy", "tardy ", " TARDY", 2, "2"])
async def test_a_label_of_the_programme_is_its_code(school, status):
    assert await planned(school, "myp", status) == "Tardy"


async def test_the_vendors_word_is_taken_where_the_school_says_it_differently(school):
    assert await planned(school, "myp", "Late") == "Tardy"


async def test_a_label_of_another_programme_is_none(school):
    async with school.client() as ask:
        told = await ask.error("set_homeroom_attendance", student_id=present(school, "igcse"), date=DAY, status="Tardy")
    assert told.startswith("This school has no label 'Tardy' here. It has: 0 Absent, 1 Present, 2 Late,")


async def test_a_label_of_two_codes_is_never_guessed(school):
    async with school.client() as ask:
        told = await ask.error("set_homeroom_attendance", student_id=present(school, "igcse"), date=DAY, status="late")
    assert told == "'late' is the label of several codes: 2 Late, 4 Late. Give the code. Nothing was written."


async def test_each_student_of_one_call_is_marked_in_the_words_of_their_own_programme(open_school):
    """A class of one programme may hold a student of another: the label is looked up for each."""
    school = open_school()
    class_, period = school.one("select class_id, period from class_marks where date = :day order by 1, 2", day=DAY)
    student = present(school, "igcse")
    school.change(
        "insert into memberships (id, student_id, class_id, joined_on) values (99, :student, :class_, '2026-09-01')",
        student=student,
        class_=class_,
    )
    marks = [{"student_id": student, "date": DAY, "period": period, "status": "Tardy"}]
    async with school.client() as ask:
        told = await ask.error("set_class_attendance", class_id=class_, marks=marks)
    assert "no label 'Tardy' here" in told


async def test_not_taken_is_no_status_to_write_in_any_words(school):
    student = present(school, "myp")
    async with school.client() as ask:
        for status in (-1, "-1", "not taken", "Not taken"):
            told = await ask.error("set_homeroom_attendance", student_id=student, date=DAY, status=status)
            assert told.endswith("Nothing was written.")


async def test_a_disabled_code_is_a_warning(school):
    async with school.client() as ask:
        plan = await ask.facts("set_homeroom_attendance", student_id=present(school, "myp"), date=DAY, status=16)
    assert "Disabled in this school: Custom 2." in plan["warnings"]


async def test_without_the_schools_labels_codes_and_the_vendors_words_serve(open_school):
    school = open_school(without=frozenset({"categories"}))
    assert await planned(school, "myp", "Late") == "Late"
    assert await planned(school, "myp", 15) == "Custom 1"
