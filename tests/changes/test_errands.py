"""One errand as one plan: many students, days and classes; what is refused before anything is stored."""

from __future__ import annotations

import pytest

from tests.questions.filtered import filtered
from tests.upstream_school import text

from .errands import DAY, Family, Register, absent, apply, everything, homeroom, present

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
        excused, id = school.one("select student_id, id from excusals where start_date > :day order by id", day=DAY)
        deleted = {"kind": "delete excusal", "student_ids": [excused], "excusal_id": id}
        twice = await ask.error("plan_changes", changes=[deleted, deleted])
    assert told == (
        f"Two items are of one record: student {student}, homeroom, Tue {DAY}. Give each record once. Nothing was written."
    )
    assert f"Two items are of one record: student {excused}, excusal {id}." in twice


async def test_an_item_says_what_it_lacks_and_what_it_would_not_use(school):
    student = absent(school)[0]
    async with school.client(approval="token") as ask:
        lacks = await ask.error("plan_changes", changes=[{"kind": "homeroom", "student_ids": [student], "status": 2}])
        extra = await ask.error(
            "plan_changes",
            changes=[{"kind": "homeroom", "student_ids": [student], "dates": [DAY], "status": 0, "comment": "x"}],
        )
        unknown = await ask.error("plan_changes", changes=[{"kind": "homeroom", "dry_run": True}])
        two = await ask.error(
            "plan_changes", changes=[{"kind": "delete excusal", "student_ids": absent(school)[:2], "excusal_id": 1}]
        )
        days = {"student_ids": [student], "parent_id": 1, "dates": [DAY, "2026-11-25"]}
        apart = await ask.error("plan_changes", changes=[{"kind": "new excusal", **days}])
    assert lacks.startswith("Item 1 (homeroom) needs dates.")
    assert extra.startswith("Item 1 (homeroom) takes no comment")
    assert "knows no 'dry_run'" in unknown
    assert two.startswith("Item 1 (delete excusal) is of one excusal, so of one student.")
    assert apart.startswith("Item 1 (new excusal) takes one date, its first day; end_date is its last.")


async def test_a_class_item_means_every_period_of_its_class_and_says_when_it_meets_not(school):
    register = Register.of(school)
    item = {"kind": "class", "student_ids": [register.students[0]], "dates": [DAY], "status": 12}
    async with school.client(approval="token") as ask:
        plan = await ask.facts("plan_changes", changes=[{**item, "class_id": register.id}])
        never = await ask.error("plan_changes", changes=[{**item, "periods": [12]}])
    slots = school.rows("select day, period from slots where class_id = :id and enabled", id=register.id)
    days = [{period for day, period in slots if day == number} for number in range(1, 11)]
    told = [{f"{register.name}, period {period}, Tue {DAY}" for period in periods} for periods in days if periods]
    assert {change["record"] for change in plan["changes"]} in told
    assert f"meets then, on Tue {DAY}. Leave that day or student out." in never


async def test_a_class_item_is_refused_where_its_meetings_can_not_be_known_for_sure(open_school):
    school, bare = open_school(), open_school(without={"calendar"})
    register = Register.of(school)
    item = {"kind": "class", "student_ids": [register.students[0]], "dates": [DAY], "status": 12}
    with filtered(school, **{f"{register.id}/timetable": 500}) as way:
        async with school.client(approval="token", api_url=way.url) as ask:
            not_read = await ask.error("plan_changes", changes=[item])
    async with bare.client(approval="token") as ask:
        unsure = await ask.error("plan_changes", changes=[item])
    assert "Try again, or give class_id and periods." in not_read
    assert "since no calendar tells the day of its timetable. Give class_id and periods." in unsure
    assert school.writes == bare.writes == []


async def test_a_membership_of_a_class_that_the_school_no_longer_lists_counts_for_nothing(school):
    item = {"kind": "class", "student_ids": [Register.of(school).students[0]], "dates": [DAY], "status": 12}
    with filtered(school) as way:
        way.altered["/v2p1/memberships"] = lambda answer: answer["memberships"].append(
            {**answer["memberships"][0], "id": 1, "class_id": 98_765_432}
        )
        async with school.client(approval="token", api_url=way.url) as ask:
            plan = await ask.facts("plan_changes", changes=[item])
        async with school.client(approval="token") as ask:
            assert (await ask.facts("plan_changes", changes=[item]))["changes"] == plan["changes"] != []


async def test_more_than_500_changes_are_refused_with_how_to_split_them(school):
    days = [f"2026-09-{day:02}" for day in range(1, 31)]
    students = [id for (id,) in school.rows("select id from students where archived = 0 order by id limit 30")]
    async with school.client(approval="token") as ask:
        told = await ask.error(
            "plan_changes", changes=[{"kind": "homeroom", "student_ids": students, "dates": days, "status": 15}]
        )
        many = {"kind": "class", "class_id": 1, "periods": [1, 2, 3, 4], "status": 15}
        marks = await ask.error("plan_changes", changes=[{**many, "student_ids": students, "dates": days}])
    assert "A plan holds at most 500 changes" in told
    assert "by date or by group of students" in told
    assert marks.startswith("That comes to more than 2,000 marks, and a plan holds at most 500 changes.")


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


async def test_rows_that_the_school_gave_no_result_for_are_told_by_what_stands_there(school):
    register = Register.of(school)
    students = register.students[:2]
    marks = [{"student_id": id, "date": DAY, "period": register.period, "status": 12} for id in students]
    with filtered(school) as way:
        way.altered[f"/v2p1/classes/{register.id}/attendance"] = lambda answer: answer["attendance"].clear()
        async with school.client(approval="token", api_url=way.url) as ask:
            plan = await ask.facts("set_class_attendance", class_id=register.id, marks=marks)
            result = await apply(ask, plan)
    assert result.structured_content["outcomes"] == {"done": 2}
    assert [register.mark(school, id)[0] for id in students] == [12, 12]


async def test_a_parent_who_names_the_student_as_their_child_is_one_whatever_the_student_says(school):
    family = Family.of(school)

    def without_parents(answer):
        for one in answer.get("students") or [answer["student"]]:
            one["parent_ids"] = []

    with filtered(school) as way:
        way.altered = dict.fromkeys(("/v2p1/students", f"/v2p1/students/{family.student}"), without_parents)
        async with school.client(api_url=way.url) as ask:
            plan = await ask.facts(
                "create_excusal", student_id=family.student, parent_id=family.parent, start_date="tomorrow"
            )
    assert plan["summary"].startswith("Add an excusal for ")
