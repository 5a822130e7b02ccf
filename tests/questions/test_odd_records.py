"""Records that stand apart: students in no year group, archived ones, groups and classes that can't be read."""

from __future__ import annotations

import pytest

from tests.upstream_school import UpstreamSchool

from .filtered import filtered

pytestmark = pytest.mark.anyio
DAY = "2026-11-24"


def one_of(school: UpstreamSchool, group: str) -> tuple[int, int]:
    """A student of the year group, and its id."""
    student, id = school.one(
        """select s.id, g.id from students s join year_groups g on g.id = s.year_group_id
           where g.name = :group and s.archived = 0 order by 1""",
        group=group,
    )
    return int(student), int(id)


async def test_a_student_in_no_year_group_has_classes_alone_and_no_homeroom(school):
    student, group = one_of(school, "Grade 8")
    path = "/v2p1/year-groups"

    def leave(answer):
        for one in answer["year_groups"]:
            one["student_ids"] = [id for id in one["student_ids"] if id != student]

    school.change("update students set year_group_id = 0 where id = :id", id=student)
    with filtered(school) as way:
        way.altered[path] = leave
        async with school.client(api_url=way.url, approval="token") as ask:
            term = await ask.facts("get_student_attendance", student=str(student))
            days = await ask.error("get_student_attendance", student=str(student), date_from="2026-11-20", date_to=DAY)
            mark = await ask.error("set_homeroom_attendance", student_id=student, date=DAY, status=2)
    assert term["classes"]
    assert "days" not in term
    assert "is in no year group, so no days can be told. Ask for a term." in days
    assert "is in no year group, so keeps no homeroom." in mark


async def test_a_year_group_that_can_not_be_read_is_named_and_the_others_are_compared(same_school):
    _, group = one_of(same_school, "Grade 8")
    with filtered(same_school, **{f"year-groups/{group}/": 500}) as way:
        async with same_school.client(api_url=way.url) as ask:
            found = await ask.facts("reconcile_homeroom", date=DAY)
    assert any(line.startswith("Homeroom of Grade 8 on Tue 2026-11-24 could not be read") for line in found["not_read"])


async def test_where_the_token_may_not_read_excusals_nothing_is_compared(same_school):
    with filtered(same_school, **{"students/excusals": 403}) as way:
        async with same_school.client(api_url=way.url) as ask:
            told = await ask.error("reconcile_homeroom", date=DAY)
    assert "does not allow list_excusals with this token" in told


async def test_a_class_that_does_not_hold_the_day_has_no_marks_of_it(same_school):
    student, _ = one_of(same_school, "Grade 8")
    with filtered(same_school, **{"attendance/date": 404}) as way:
        async with same_school.client(api_url=way.url) as ask:
            told = await ask("list_absences", date=DAY, group="Grade 8")
    assert told.is_error


async def test_a_membership_of_a_class_that_is_gone_is_not_told(same_school):
    student, _ = one_of(same_school, "Grade 8")
    with filtered(same_school) as way:
        way.altered["/v2p1/memberships"] = lambda answer: answer["memberships"].append(
            {**answer["memberships"][0], "id": 1, "class_id": 98_765_432}
        )
        async with same_school.client(api_url=way.url) as ask:
            found = await ask.facts("find_in_school", names_or_ids=[str(student)], with_classes=True)
        async with same_school.client() as ask:
            assert await ask.facts("find_in_school", names_or_ids=[str(student)], with_classes=True) == found
