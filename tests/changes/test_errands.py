"""One errand as one plan: many students, days and classes; what is refused before anything is stored."""

from __future__ import annotations

import pytest

from tests.upstream_school import text

from .errands import DAY, Family, absent, apply, everything, homeroom, present

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_trip_is_one_plan_over_homeroom_and_every_class_that_meets(school, era):
    students, before = present(school)[:5], everything(school)
    days = [DAY, "2026-11-23"]
    items = [{"kind": kind, "student_ids": students, "dates": days, "status": 12} for kind in ("homeroom", "class")]
    async with school.client(era=era, approval="token") as ask:
        plan = await ask.facts("plan_changes", changes=items)
        assert everything(school) == before
        assert school.writes == []
        result = await apply(ask, plan)
    assert result.structured_content["outcomes"].keys() == {"done"}
    assert "Mark 5 students " in plan["summary"]
    assert "in homeroom on Mon 23 Nov and Tue 24 Nov" in plan["summary"]
    for student in students:
        for day in days:
            assert homeroom(school, student, day)[0] == 12
            marks = school.rows(
                "select status from class_marks where student_id = :id and date = :day", id=student, day=day
            )
            assert marks and set(marks) == {(12,)}


async def test_two_siblings_excusals_and_marks_are_one_plan(school):
    parent, *_ = school.one("select parent_id from child_links group by 1 having count(*) > 1 order by 1")
    children = [id for (id,) in school.rows("select student_id from child_links where parent_id = :id", id=parent)][:2]
    school.change("delete from excusals where student_id in (:one, :two)", one=children[0], two=children[1])
    items = [
        {"kind": "new excusal", "student_ids": children, "dates": [DAY], "parent_id": parent, "comment": "Flu"},
        {"kind": "homeroom", "student_ids": children, "dates": ["today"], "status": 13},
    ]
    async with school.client(approval="token") as ask:
        plan = await ask.facts("plan_changes", changes=items)
        result = await apply(ask, plan)
    assert "Add 2 excusals of " in plan["summary"]
    assert " for Tue 24 Nov" in plan["summary"]
    assert result.structured_content["outcomes"] == {"done": 4}
    for child in children:
        assert homeroom(school, child)[0] == 13
        assert school.rows("select parent_id, comment from excusals where student_id = :id", id=child) == [
            (parent, "Flu")
        ]


async def test_two_changes_of_one_record_are_refused_however_they_are_named(school):
    student = absent(school)[0]
    mark = {"kind": "homeroom", "student_ids": [student], "status": 2}
    async with school.client(approval="token") as ask:
        told = await ask.error(
            "plan_changes", changes=[{**mark, "dates": ["today"]}, {**mark, "dates": [DAY], "status": 1}]
        )
    assert told == (
        f"Two items are of one record: student {student}, homeroom, Tue {DAY}. Give each record once. Nothing was written."
    )


async def test_an_item_says_what_it_lacks_and_what_it_would_not_use(school):
    student = absent(school)[0]
    async with school.client(approval="token") as ask:
        lacks = await ask.error("plan_changes", changes=[{"kind": "homeroom", "student_ids": [student], "status": 2}])
        extra = await ask.error(
            "plan_changes",
            changes=[{"kind": "homeroom", "student_ids": [student], "dates": [DAY], "status": 0, "comment": "x"}],
        )
        unknown = await ask.error("plan_changes", changes=[{"kind": "homeroom", "dry_run": True}])
    assert lacks.startswith("Item 1 (homeroom) needs dates.")
    assert extra.startswith("Item 1 (homeroom) takes no comment")
    assert "knows no 'dry_run'" in unknown


async def test_more_than_500_changes_are_refused_with_how_to_split_them(school):
    days = [f"2026-09-{day:02}" for day in range(1, 31)]
    students = [id for (id,) in school.rows("select id from students where archived = 0 order by id limit 30")]
    async with school.client(approval="token") as ask:
        told = await ask.error(
            "plan_changes", changes=[{"kind": "homeroom", "student_ids": students, "dates": days, "status": 15}]
        )
    assert "A plan holds at most 500 changes" in told
    assert "by date or by group of students" in told


async def test_what_is_already_so_is_counted(school):
    students = absent(school)[:2]
    async with school.client(approval="token") as ask:
        result = await ask(
            "plan_changes", changes=[{"kind": "homeroom", "student_ids": students, "dates": [DAY], "status": 0}]
        )
    assert result.structured_content["already_so"] == len(students)
    assert "Nothing was written." in text(result)


async def test_excusals_of_one_student_that_would_overlap_are_refused(school):
    family = Family.of(school)
    item = {"kind": "new excusal", "student_ids": [family.student], "parent_id": family.parent, "dates": [DAY]}
    async with school.client(approval="token") as ask:
        told = await ask.error("plan_changes", changes=[item, {**item, "dates": ["2026-11-23"], "end_date": DAY}])
    assert "would cover the same day" in told
