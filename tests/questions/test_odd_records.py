"""Records that stand apart: students in no year group, archived ones, groups and classes that can't be read."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from attendance_mcp.server import open_app
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
    student, _ = one_of(school, "Grade 8")

    def leave(answer):
        for one in answer["students"]:
            if one["id"] == student:
                del one["year_group_id"]

    with filtered(school) as way:
        way.altered["/v2p1/students"] = leave
        async with school.client(api_url=way.url, approval="token") as ask:
            term = await ask.facts("get_student_attendance", student=str(student))
            days = await ask.error(
                "get_student_attendance", student=str(student), start_date="2026-11-20", end_date=DAY
            )
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


async def test_classes_that_do_not_hold_the_day_have_no_marks_of_it(same_school):
    student, _ = one_of(same_school, "Grade 10")
    classes = [id for (id,) in same_school.rows("select id from classes")]
    with filtered(same_school, **{f"classes/{id}/attendance/date": 404 for id in classes}) as way:
        async with same_school.client(api_url=way.url) as ask:
            absences = await ask.facts("list_absences", date=DAY, group="Grade 10")
            days = await ask.facts("get_student_attendance", student=str(student), start_date=DAY, end_date=DAY)
    assert absences["counts"] == {"absent": 0, "not taken": absences["students"]}
    assert absences["remarks"] == ["No homeroom there, so told from taken class marks: Grade 10."]
    assert days["days"] == {"not taken": [f"Tue {DAY}"]}


async def test_a_class_without_a_timetable_is_told_as_that(same_school):
    (id,) = same_school.one("select min(id) from classes")
    with filtered(same_school) as way:
        way.altered[f"/v2p1/classes/{id}/timetable"] = lambda answer: answer["timetable"]["academic_years"].clear()
        async with same_school.client(api_url=way.url) as ask:
            assert (await ask.text("get_class_timetable", class_id=id)).endswith("It has no timetable.")


async def test_a_mistake_of_the_servers_own_shows_nothing_of_itself(same_school, caplog):
    app = open_app(same_school.settings())
    app.connection.clock = None
    async with same_school.client(app=app) as ask:
        told = await ask.error("list_absences", date=DAY, group="Grade 8")
    assert told == "This server made a mistake of its own and stopped. Nothing was written."
    assert "list_absences failed: AttributeError in " in caplog.text


async def test_a_membership_of_a_class_that_is_gone_is_not_told(same_school):
    student, _ = one_of(same_school, "Grade 8")
    with filtered(same_school) as way:
        way.altered["/v2p1/memberships"] = lambda answer: answer["memberships"].append(
            {**answer["memberships"][0], "id": 1, "class_id": 98_765_432}
        )
        async with same_school.client(api_url=way.url) as ask:
            found = await ask.facts("find_in_school", names_or_ids=[str(student)])
        async with same_school.client() as ask:
            assert await ask.facts("find_in_school", names_or_ids=[str(student)]) == found


async def test_what_the_time_does_not_allow_names_the_smaller_groups_to_ask_for(same_school):
    (advisor,) = same_school.one(
        """select t.first_name || ' ' || t.last_name from students s join teachers t on t.id = s.homeroom_advisor_id
           where s.archived = 0 order by s.id"""
    )
    told = []
    app = open_app(same_school.settings())
    async with same_school.client(app=app) as ask:
        for rate, group in ((2.0, ""), (0.5, ""), (0.5, "MYP"), (0.5, advisor)):
            app.connection.rate = rate  # what a question may ask for, not how fast it asks
            told.append(await ask.error("list_missing_registers", kind="class", **({"group": group} if group else {})))
        ranking = await ask.error("list_attendance_concerns", group="Grade 8", start_date="2026-11-18", end_date=DAY)
        classes = await ask.error("list_attendance_concerns", group="Grade 10")
        term = await ask.facts("list_attendance_concerns", group="Grade 8")
    assert told == snapshot(
        [
            "That needs about 30 requests for whole school, and the time allows 40. Ask for one programme (IB Middle Years, Cambridge IGCSE) or one year group. Nothing was written.",
            "That needs about 30 requests for whole school, and the time allows 10. Ask for one year group: Grade 7, Grade 8, Grade 9, Grade 10. Nothing was written.",
            "That needs about 15 requests for IB Middle Years, and the time allows 10. Ask for one year group: Grade 7, Grade 8. Nothing was written.",
            "That needs about 7 requests for Grade 7 Theresa Löwenstein, and the time allows 10. Ask for one homeroom or class. Nothing was written.",
        ]
    )
    assert [ranking, classes] == snapshot(
        [
            "Grade 8 needs more requests than the time allows. Ask for a smaller group, or fewer days, a term. Nothing was written.",
            "Grade 10 needs more requests than the time allows. Ask for a smaller group, or a class. Nothing was written.",
        ]
    )
    assert term["notes"] == snapshot(
        ["Runs are left out: Grade 8 needs more requests than the time allows. Ask for a smaller group."]
    )


async def test_a_programme_without_homeroom_by_the_profile_is_told_from_classes_and_a_mark_there_is_warned_of(
    same_school, tmp_path
):
    student, _ = one_of(same_school, "Grade 8")
    profile = tmp_path / "school.toml"
    profile.write_text("[programs.myp]\nkeeps_homeroom = false\n")
    async with same_school.client(profile=profile, store=str(tmp_path / "plans.db")) as ask:
        days = await ask.facts("get_student_attendance", student=str(student), start_date="2026-11-20", end_date=DAY)
        term = await ask.facts("get_student_attendance", student=str(student))
        plan = await ask.facts("set_homeroom_attendance", student_id=student, date=DAY, status=13)
        registers = await ask.facts("list_missing_registers", kind="homeroom", group="Grade 8")
    assert days["notes"][0] == "Grade 8 keeps no homeroom: days are told from taken class marks and have no rate."
    assert "counts" not in term
    assert [one for one in plan["warnings"] if one.startswith("By the school profile there is no homeroom for: ")]
    assert (
        "Keeps no homeroom, by this term's marks or the profile: Grade 8; ask with kind=class." in registers["remarks"]
    )


async def test_adjustments_stand_beside_a_students_totals(same_school):
    student, term = same_school.one(
        """select a.student_id, t.name from adjustments a join terms t on t.id = a.term_id
           join students s on s.id = a.student_id where s.archived = 0 order by 1"""
    )
    async with same_school.client() as ask:
        told = await ask.text("get_student_attendance", student=str(student), term=term)
    assert "Adjustments, beside the totals: " in told
