"""list_absences of one day, against the school's own database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

import attendance_mcp.sandbox
from attendance_mcp.rules.labels import Label
from attendance_mcp.sandbox.assumptions import CHOICES, OPTIONAL
from attendance_mcp.school.day import day_from_classes
from attendance_mcp.server import open_app
from attendance_mcp.status import Kind
from tests.questions import truth
from tests.questions.filtered import filtered
from tests.questions.truth import TODAY, told
from tests.upstream_school import UpstreamSchool

pytestmark = pytest.mark.anyio
OpenSchool = Callable[..., UpstreamSchool]
PROFILE = Path(attendance_mcp.sandbox.__file__).with_name("school.toml")
SWITCHES = [f"{key}={value}" for key, values in CHOICES.items() for value in values[1:]]
YESTERDAY = "2026-11-23"


def same(facts: dict[str, Any], school: UpstreamSchool, day: str = TODAY, **of: Any) -> None:
    """Every student of the answer is counted once, under the kind and label of the database."""
    states = truth.states(school, day, **of)
    assert facts["counts"] == truth.counts(states)
    assert facts["students"] == len(states) == sum(facts["counts"].values())
    assert told(facts) == truth.sections(school, day, **of)


def members(school: UpstreamSchool, where: str, **values: Any) -> set[int]:
    return {id for (id,) in school.rows(f"select s.id from students s where s.archived = 0 and {where}", **values)}


# --- who is counted, and as what ---


async def test_every_student_is_counted_once_as_the_database_says(standing):
    async with standing.client() as ask:
        facts = await ask.facts("list_absences")
    same(facts, standing)
    assert facts["counts"]["not taken"] > 0  # told apart, and in no section


async def test_the_school_of_a_thousand_is_told_right_and_shortly(large):
    async with large.client(profile=PROFILE) as ask:
        result = await ask("list_absences")
    facts, text = result.structured_content, result.content[0].text
    same(facts, large, profile=truth.PROFILE)
    assert "No homeroom there, so told from taken class marks: Grade 11, Grade 12." in facts["remarks"]
    assert len(text) < 5_000
    names = [name for section in facts["sections"] for own in section["students"].values() for name in own.values()]
    assert all(name in text for name in names)


@pytest.mark.parametrize("switch", SWITCHES)
async def test_whatever_the_school_does_where_the_contract_is_silent_the_day_is_told_right(open_school, switch):
    school = open_school("small", switch)
    async with school.client() as ask:
        same(await ask.facts("list_absences"), school)
        same(await ask.facts("list_absences", date=YESTERDAY), school, YESTERDAY)


@pytest.mark.parametrize("part", sorted(OPTIONAL))
async def test_whatever_a_school_lacks_the_day_is_told_right(open_school, part):
    school = open_school("small", without={part})
    async with school.client() as ask:
        facts = await ask.facts("list_absences")
    same(facts, school)
    if part == "calendar":
        assert any("is not known" in remark for remark in facts["remarks"])


async def test_the_schools_own_words_are_unclassified_until_its_profile_tells_what_they_count_as(school):
    pupil = next(iter(members(school, "s.year_group_id = 22400018")))
    school.change(
        "insert or replace into homeroom_marks values (:day, :id, 2, null)", day=TODAY, id=pupil
    )  # Grade 8 says Tardy
    async with school.client() as ask:
        bare = await ask.facts("list_absences")
    async with school.client(profile=PROFILE) as ask:
        profiled = await ask.facts("list_absences")
    assert pupil in told(bare)["unclassified", "Tardy", None]
    assert pupil in told(profiled)["late", "Tardy", None]
    same(bare, school)
    same(profiled, school, profile=truth.PROFILE)


async def test_archived_students_are_nowhere_in_it(school):
    (gone,) = school.one("select id from students where archived = 1")
    school.change("insert or replace into homeroom_marks values (:day, :id, 0, null)", day=TODAY, id=gone)
    async with school.client() as ask:
        facts = await ask.facts("list_absences")
    assert str(gone) not in str(facts)
    same(facts, school)


@pytest.mark.parametrize("group", ["Grade 9", "Grade 10"])  # from homeroom, and from classes
async def test_an_archived_student_whom_the_api_lists_all_the_same_is_left_out(standing, group):
    gone = min(id for id, pupil in truth.pupils(standing).items() if pupil.group == group)

    def archive(answer: Any) -> None:
        for student in answer["students"]:
            student["archived"] = student["archived"] or student["id"] == gone

    with filtered(standing) as way:
        way.altered["/v2p1/students"] = archive
        async with standing.client(api_url=way.url) as ask:
            facts = await ask.facts("list_absences")
    same(facts, standing, among=set(truth.pupils(standing)) - {gone})


# --- of whom ---


@pytest.mark.parametrize(
    ("group", "where"),
    [
        ("Cambridge IGCSE", "s.year_group_id in (22400031, 22400044)"),
        ("igcse", "s.year_group_id in (22400031, 22400044)"),
        ("Grade 7", "s.year_group_id = 22400005"),
        ("grade 7", "s.year_group_id = 22400005"),
        ("G7", "s.year_group_id = 22400005"),
        ("22400005", "s.year_group_id = 22400005"),
        (22400005, "s.year_group_id = 22400005"),
        ("Mathematics 9", "s.id in (select student_id from memberships where class_id = 20100173 and left_on is null)"),
    ],
)
async def test_a_group_is_a_programme_a_year_group_or_a_class(standing, group, where):
    async with standing.client() as ask:
        same(await ask.facts("list_absences", group=group), standing, among=members(standing, where))


async def test_a_homeroom_goes_by_its_advisor(standing):
    advisors = standing.rows(
        """select distinct t.id, t.first_name || ' ' || t.last_name, s.year_group_id from students s
           join teachers t on t.id = s.homeroom_advisor_id where s.archived = 0"""
    )
    async with standing.client() as ask:
        for id, name, group in advisors:
            own = members(standing, "s.homeroom_advisor_id = :id and s.year_group_id = :group", id=id, group=group)
            for words in (name, str(id)):
                same(await ask.facts("list_absences", group=words), standing, among=own)


async def test_my_homeroom_is_that_of_the_advisor_whom_the_profile_names(standing, tmp_path):
    id, group = standing.one(
        "select homeroom_advisor_id, year_group_id from students where archived = 0 order by id limit 1"
    )
    profile = tmp_path / "school.toml"
    profile.write_text(f"me = {id}\n")
    own = members(standing, "s.homeroom_advisor_id = :id and s.year_group_id = :group", id=id, group=group)
    async with standing.client(profile=profile) as ask:
        same(await ask.facts("list_absences", group="my homeroom"), standing, among=own)
    async with standing.client() as ask:
        assert "it names nobody" in await ask.error("list_absences", group="mine")


async def test_a_group_that_may_mean_several_is_asked_about_not_guessed(standing):
    async with standing.client() as ask:
        error = await ask.error("list_absences", group="Mathematics")
        assert all(name in error for name in ("Mathematics 7", "Mathematics 8", "Mathematics 9", "Mathematics 10"))
        assert "find_in_school" in await ask.error("list_absences", group="Zebra House")


# --- a programme without homeroom ---


def without_homeroom(school: UpstreamSchool, group: int) -> set[int]:
    school.change(
        "delete from homeroom_marks where student_id in (select id from students where year_group_id = :id)", id=group
    )
    return members(school, "s.year_group_id = :id", id=group)


@pytest.mark.parametrize("switch", ["no_record=missing", "no_record={}", "no_record=-1", "periods_from=0"])
async def test_a_year_group_without_homeroom_is_told_from_its_taken_class_marks(open_school, switch):
    school = open_school("small", switch)
    without_homeroom(school, 22400031)
    async with school.client() as ask:
        for day in (YESTERDAY, TODAY):
            facts = await ask.facts("list_absences", date=day)
            same(facts, school, day)
            assert "No homeroom there, so told from taken class marks: Grade 9, Grade 10." in facts["remarks"]


async def test_who_came_for_a_part_of_the_day_is_there_and_the_periods_missed_are_told(school):
    own = without_homeroom(school, 22400031)
    id, name = school.one(
        """select s.id, s.first_name || ' ' || s.last_name from students s
           where s.id in (select student_id from class_marks where date = :day group by 1 having min(status) = 1)
           and s.year_group_id = 22400031 order by 1 limit 1""",
        day=YESTERDAY,
    )
    (first,) = school.one(
        "select min(period) from class_marks where student_id = :id and date = :day", id=id, day=YESTERDAY
    )
    school.change(
        "update class_marks set status = 0 where student_id = :id and date = :day and period = :period",
        id=id, day=YESTERDAY, period=first,
    )  # fmt: skip
    async with school.client() as ask:
        facts = await ask.facts("list_absences", date=YESTERDAY, group="Grade 9")
    assert f"{name} period {first}" in facts["missed"]
    assert all(id not in ids for ids in told(facts).values())
    assert facts["students"] == len(own)


TAKEN = st.lists(
    st.tuples(
        st.integers(1, 8),
        st.sampled_from(
            [
                Label(code, kind.value, kind)
                for code, kind in enumerate((Kind.ABSENT, Kind.PRESENT, Kind.LATE, Kind.HEALTH))
            ]
        ),
    ),
    unique_by=lambda mark: mark[0],
)


@given(TAKEN, st.data())
def test_a_day_told_from_classes_is_that_of_the_first_mark_that_is_not_away_in_any_order(marks, data):
    label, missed = day_from_classes(data.draw(st.permutations(marks)))
    there = [own for _, own in sorted(marks, key=lambda mark: mark[0]) if own.kind in (Kind.PRESENT, Kind.LATE)]
    away = [own for _, own in sorted(marks, key=lambda mark: mark[0])]
    assert label == next(iter([*there, *away]), None)
    assert missed == (tuple(sorted(period for period, own in marks if own.kind is Kind.ABSENT)) if there else ())


async def test_a_profile_that_says_there_is_no_homeroom_saves_the_reads_of_it(school, tmp_path):
    profile = tmp_path / "school.toml"
    profile.write_text("[programs.igcse]\nkeeps_homeroom = false\n")
    async with school.client(profile=profile) as ask:
        await ask.facts("list_absences", group="Grade 9")
    assert not [entry for entry in school.log if "homeroom" in entry.path]


# --- which day ---


async def test_on_a_day_off_of_one_programme_the_others_are_told_and_its_last_school_day_is_named(standing):
    async with standing.client() as ask:
        facts = await ask.facts("list_absences", date="2026-11-20")  # Friday
        igcse = await ask.facts("list_absences", date="2026-11-20", group="Grade 10")
    said = "No school for Grade 9, Grade 10 on Fri 2026-11-20 (weekend); the last school day was Thu 2026-11-19."
    assert said in facts["remarks"]
    same(facts, standing, "2026-11-20", among=members(standing, "s.year_group_id in (22400005, 22400018)"))
    assert igcse["students"] == 0
    assert any("the last school day was Thu 2026-11-19" in remark for remark in igcse["remarks"])
    assert any("Nobody to look at" in remark for remark in igcse["remarks"])


async def test_a_weekend_and_a_holiday_say_so(standing):
    async with standing.client() as ask:
        sunday = await ask.facts("list_absences", date="2026-11-22")
        assert "No school for Grade 7, Grade 8 on Sun 2026-11-22 (weekend)" in str(sunday["remarks"])
        same(sunday, standing, "2026-11-22", among=members(standing, "s.year_group_id in (22400031, 22400044)"))
        holiday = await ask.facts("list_absences", date="2026-10-14")
        assert "(holiday); the last school day was Sun 2026-10-11" in str(holiday["remarks"])
        assert "(holiday); the last school day was Fri 2026-10-09" in str(holiday["remarks"])
        assert holiday["students"] == 0
        outside = await ask.facts("list_absences", date="2019-03-01")
        assert "outside the academic year" in str(outside["remarks"])


async def test_marks_that_were_taken_on_a_day_off_count_all_the_same(school):
    pupil = min(members(school, "s.year_group_id = 22400031"))
    school.change("insert into homeroom_marks values ('2026-11-20', :id, 0, null)", id=pupil)
    async with school.client() as ask:
        facts = await ask.facts("list_absences", date="2026-11-20", group="Grade 9")
    same(facts, school, "2026-11-20", among=members(school, "s.year_group_id = 22400031"))


async def test_of_a_day_to_come_it_tells_what_parents_announced(school):
    async with school.client() as ask:
        facts = await ask.facts("list_absences", date="tomorrow")
    assert facts["day"] == "Wed 2026-11-25"
    assert "That day is still to come." in facts["remarks"]
    same(facts, school, "2026-11-25")
    announced = truth.covered(school, "2026-11-25")
    assert announced
    assert told(facts)["not taken", "Not taken", True] <= announced


# --- what stands beside ---


async def test_registers_that_nobody_began_are_named_with_their_advisor(standing):
    untaken = {
        f"{group} {first} {last}"
        for group, first, last in standing.rows(
            """select g.name, t.first_name, t.last_name from students s
               join year_groups g on g.id = s.year_group_id join teachers t on t.id = s.homeroom_advisor_id
               left join homeroom_marks m on m.student_id = s.id and m.date = :day
               where s.archived = 0 and g.name <> 'Grade 10'
               group by 1, t.id having count(m.status) = 0""",
            day=TODAY,
        )
    }
    (registers,) = standing.one(
        "select count(*) from (select distinct year_group_id, homeroom_advisor_id from students"
        " where archived = 0 and year_group_id <> 22400044)"
    )
    async with standing.client() as ask:
        facts = await ask.facts("list_absences")
    assert set(facts["not_taken"]) == untaken != set()
    assert facts["registers"] == registers


async def test_who_is_there_though_an_excusal_covers_the_day_is_named(school):
    there = [id for id, (kind, _) in truth.states(school).items() if kind == "present"][:2]
    for id in there:
        school.change(
            """insert into excusals (student_id, parent_id, start_date, end_date, created_at, updated_at)
               values (:id, 12300366, :day, :day, :day, :day)""",
            id=id,
            day=TODAY,
        )
    names = truth.pupils(school)
    async with school.client() as ask:
        facts = await ask.facts("list_absences")
    assert facts["present_with_excusal"] == sorted(names[id].name for id in there)


async def test_siblings_who_are_away_are_told_together(school):
    families = school.rows(
        """select parent_id, group_concat(student_id) from child_links
           where student_id in (select id from students where archived = 0) group by 1 having count(*) > 1 order by 1"""
    )
    children = {int(id) for id in families[0][1].split(",")}
    for id in children:
        school.change("insert or replace into homeroom_marks values (:day, :id, 0, null)", day=TODAY, id=id)
    names = truth.pupils(school)
    async with school.client() as ask:
        facts = await ask.facts("list_absences")
    assert ", ".join(sorted(names[id].name for id in children)) in facts["siblings"]


async def test_unexplained_only_names_the_absent_without_an_excusal_and_counts_everybody(school):
    pupil = min(truth.covered(school, TODAY))
    school.change("insert or replace into homeroom_marks values (:day, :id, 0, null)", day=TODAY, id=pupil)
    async with school.client() as ask:
        facts = await ask.facts("list_absences", unexplained_only=True)
    expected = truth.sections(school)["absent", "Absent", False]
    assert told(facts) == {("absent", "Absent", False): expected}
    assert pupil not in expected
    assert facts["counts"] == truth.counts(truth.states(school))
    assert not facts.get("present_with_excusal")


# --- what changed since ---


async def test_since_an_earlier_answer_only_what_changed_is_told(school):
    pupil = min(truth.sections(school)["absent", "Absent", False])
    who = truth.pupils(school)[pupil]
    app = open_app(school.settings())
    seconds = iter(range(60))
    app.connection.clock = replace(
        app.connection.clock, utcnow=lambda: datetime(2026, 11, 24, 2, 30, next(seconds), tzinfo=UTC)
    )
    async with school.client(app=app) as ask:
        first = await ask.facts("list_absences")
        school.change(
            "update homeroom_marks set status = 10 where student_id = :id and date = :day", id=pupil, day=TODAY
        )
        later = await ask.facts("list_absences", since=first["as_of"])
        again = await ask.text("list_absences", since=later["as_of"])
    assert later["since"] == first["as_of"] == "10:30:00"
    assert later["as_of"] == "10:30:01"
    assert later["changed"] == [f"{who.name} ({who.group}): Absent → Health"]
    assert "sections" not in later
    assert later["counts"] == truth.counts(truth.states(school))
    assert "Changed since 10:30:01: nothing." in again


async def test_of_a_time_that_it_does_not_know_the_whole_list_is_given_and_said_to_be(school):
    async with school.client() as ask:
        first = await ask.facts("list_absences", group="Grade 7")
        for since in (first["as_of"], "06:00:00", "yesterday"):  # the first one is of another group
            facts = await ask.facts("list_absences", since=since)
            same(facts, school)
            assert f"Nothing is remembered of {since}, so this is the whole list." in facts["remarks"]
        assert "not with a range" in await ask.error("list_absences", since="06:00:00", start_date=YESTERDAY)


# --- what could not be read ---


async def test_a_year_group_that_can_not_be_read_is_named_and_the_others_are_told(standing):
    with filtered(standing, **{"/year-groups/22400018/homeroom": 500}) as way:
        async with standing.client(api_url=way.url) as ask:
            facts = await ask.facts("list_absences")
            alone = await ask.error("list_absences", group="Grade 8")
    same(facts, standing, among=members(standing, "s.year_group_id <> 22400018"))
    assert len(facts["not_read"]) == 1
    assert facts["not_read"][0].startswith("Homeroom of Grade 8 on Tue 2026-11-24 could not be read:")
    assert "500" not in alone or "out of order" in alone


@pytest.mark.parametrize("status", [500, 403])
async def test_without_the_excusals_nobody_is_said_to_have_none(standing, status):
    with filtered(standing, **{"/students/excusals/": status}) as way:
        async with standing.client(api_url=way.url) as ask:
            facts = await ask.facts("list_absences")
            unexplained = await ask.facts("list_absences", unexplained_only=True)
            days = await ask.facts("list_absences", start_date=YESTERDAY, end_date=TODAY)
    assert facts["counts"] == truth.counts(truth.states(standing))
    assert all("excusal" not in section for section in facts["sections"])
    assert "The excusals of Tue 2026-11-24 could not be read" in facts["not_read"][0]
    assert any("not known" in remark for remark in unexplained["remarks"])
    assert set(told(unexplained)) == {("absent", "Absent", None)}
    assert not [row for row in days["rows"] if row.get("no_excusal")]


@pytest.mark.parametrize("path", ["/calendar", "/teachers", "/attendance_categories"])
async def test_what_a_day_can_do_without_takes_no_day_away(standing, path):
    with filtered(standing, **{path: 500}) as way:
        async with standing.client(api_url=way.url) as ask:
            same(await ask.facts("list_absences"), standing)


@pytest.mark.parametrize("status", [403, 500])
async def test_where_it_can_not_be_told_whether_a_year_group_keeps_homeroom_its_students_are_not_taken(
    standing, status
):
    with filtered(standing, **{"/homeroom/attendance/term/": status}) as way:
        async with standing.client(api_url=way.url) as ask:
            facts = await ask.facts("list_absences")
    assert facts["not_read"][0].startswith("Whether Grade 10 keeps homeroom could not be read:")
    assert facts["students"] == len(truth.pupils(standing))
    assert facts["counts"]["not taken"] == len(truth.pupils(standing)) - len(truth.homeroom(standing, TODAY))


@pytest.mark.parametrize("path", ["/v2p1/classes", "/v2p1/classes/"])  # all of them, and each alone
async def test_a_year_group_whose_classes_can_not_be_read_is_named_and_the_others_are_told(standing, path):
    with filtered(standing, **{path: 500}) as way:
        async with standing.client(api_url=way.url) as ask:
            facts = await ask.facts("list_absences")
    assert "could not be read" in facts["not_read"][0]
    kept = members(standing, "s.year_group_id <> 22400044")
    expected = truth.sections(standing, among=kept)
    assert {key: ids & kept for key, ids in told(facts).items() if ids & kept} == expected


# --- how it reads ---


async def test_the_day_can_be_read_aloud(standing):
    async with standing.client(profile=PROFILE) as ask:
        result = await ask("list_absences")
    assert result.content[0].text.replace(result.structured_content["as_of"], "10:30:00") == snapshot("""\
Tue 2026-11-24, whole school, as of 10:30:00: 94 students looked at.
No homeroom there, so told from taken class marks: Grade 10.
absent 3, excused 2, health 1, late 2, present 74, not taken 12.
Absent, no excusal (2): Grade 8: Вікторія Бондаренко; Grade 9: Georgia Featherstone
Absent, with an excusal (1): Grade 9: Božena Fišer
Excused, with an excusal (2): Grade 7: Jyoti Deshpande; Grade 10: Wálé Fálọlá
Health, with an excusal (1): Grade 10: Meiling Fang
Late (2): Grade 9: Friederike von Arnsfeld; Grade 10: Леся Коваленко
Registers not taken, of 5: Grade 7 Theresa Löwenstein. Whether their students are there is not known.\
""")
    assert {**result.structured_content, "as_of": "10:30:00"} == snapshot(
        {
            "day": "Tue 2026-11-24",
            "of": "whole school",
            "as_of": "10:30:00",
            "students": 94,
            "counts": {"absent": 3, "excused": 2, "health": 1, "late": 2, "present": 74, "not taken": 12},
            "sections": [
                {
                    "kind": "absent",
                    "label": "Absent",
                    "excusal": False,
                    "number": 2,
                    "students": {
                        "Grade 8": {"10400466": "Вікторія Бондаренко"},
                        "Grade 9": {"10400697": "Georgia Featherstone"},
                    },
                },
                {
                    "kind": "absent",
                    "label": "Absent",
                    "excusal": True,
                    "number": 1,
                    "students": {"Grade 9": {"10400763": "Božena Fišer"}},
                },
                {
                    "kind": "excused",
                    "label": "Excused",
                    "excusal": True,
                    "number": 2,
                    "students": {"Grade 7": {"10400202": "Jyoti Deshpande"}, "Grade 10": {"10400950": "Wálé Fálọlá"}},
                },
                {
                    "kind": "health",
                    "label": "Health",
                    "excusal": True,
                    "number": 1,
                    "students": {"Grade 10": {"10400796": "Meiling Fang"}},
                },
                {
                    "kind": "late",
                    "label": "Late",
                    "number": 2,
                    "students": {
                        "Grade 9": {"10400664": "Friederike von Arnsfeld"},
                        "Grade 10": {"10401027": "Леся Коваленко"},
                    },
                },
            ],
            "remarks": ["No homeroom there, so told from taken class marks: Grade 10."],
            "registers": 5,
            "not_taken": ["Grade 7 Theresa Löwenstein"],
        }
    )
