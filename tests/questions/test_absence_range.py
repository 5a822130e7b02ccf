"""list_absences over several days, against the school's own database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.questions import truth
from tests.questions.filtered import filtered
from tests.questions.test_absences import PROFILE
from tests.upstream_school import UpstreamSchool

pytestmark = pytest.mark.anyio
FIRST, LAST = "2026-11-09", "2026-11-24"
DAYS_OFF_OF_IGCSE = ("2026-11-13", "2026-11-20")  # Fridays
KEEPING = ("Grade 7", "Grade 8", "Grade 9")  # those of the small school that keep homeroom


def short(day: str) -> str:
    """`Tue 11-24`."""
    on = date.fromisoformat(day)
    return f"{('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun')[on.weekday()]} {on:%m-%d}"


def days_of(school: UpstreamSchool, programme: str, start: str = FIRST, end: str = LAST) -> list[str]:
    query = "select date from school_days where program_code = :code and date between :start and :end order by 1"
    return [day for (day,) in school.rows(query, code=programme, start=start, end=end)]


def expected(
    school: UpstreamSchool, groups: Collection[str] = KEEPING, *, start: str = FIRST, end: str = LAST
) -> dict[str, Any]:
    """Counts by day, and each student's days by label."""
    pupils = {id: pupil for id, pupil in truth.pupils(school).items() if pupil.group in groups}
    by_day: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    totals: dict[str, int] = defaultdict(int)
    rows: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    unexplained: dict[int, list[str]] = defaultdict(list)
    open_days = {code: days_of(school, code, start, end) for code in {pupil.programme for pupil in pupils.values()}}
    for day in sorted({day for days in open_days.values() for day in days}):
        announced, states = truth.covered(school, day), truth.states(school, day, profile=truth.PROFILE)
        for id, pupil in pupils.items():
            if day not in open_days[pupil.programme]:
                continue
            kind, label = states[id]
            by_day[short(day)][kind] += 1
            totals[kind] += 1
            if kind in truth.TOLD and kind != "out":
                rows[id][label].append(short(day))
            if kind == "absent" and id not in announced:
                unexplained[id].append(short(day))
    told = {day: {kind: number for kind, number in own.items() if kind != "present"} for day, own in by_day.items()}
    return {"by_day": told, "counts": {"absent": 0, **totals}, "rows": rows, "unexplained": unexplained}


def check(facts: dict[str, Any], truths: dict[str, Any]) -> None:
    assert facts["by_day"] == truths["by_day"]
    assert facts["counts"] == truths["counts"]
    assert {row["id"]: row["days"] for row in facts["rows"]} == truths["rows"]
    assert {row["id"]: row["no_excusal"] for row in facts["rows"] if row.get("no_excusal")} == truths["unexplained"]


async def test_each_students_dates_are_those_of_the_database(standing):
    async with standing.client(profile=PROFILE) as ask:
        facts = await ask.facts("list_absences", start_date=FIRST, end_date=LAST)
    check(facts, expected(standing))
    assert facts["day"] == "Mon 2026-11-09 to Tue 2026-11-24"
    assert "Left out, no homeroom there; ask for such a group by name: Grade 10." in facts["remarks"]
    assert facts["students"] == sum(pupil.group in KEEPING for pupil in truth.pupils(standing).values())


@pytest.mark.parametrize(
    "switch",
    ["no_record={}", "no_record=-1", "archived=also", "periods_from=0", "duration=school", "unlisted_day=unknown"],
)
async def test_whatever_the_school_does_where_the_contract_is_silent_the_days_are_told_right(open_school, switch):
    school = open_school("small", switch)
    async with school.client(profile=PROFILE) as ask:
        check(await ask.facts("list_absences", start_date=FIRST, end_date=LAST), expected(school))


async def test_without_a_calendar_a_day_with_no_mark_is_left_out(open_school):
    school = open_school("small", without={"calendar"})
    async with school.client(profile=PROFILE) as ask:
        facts = await ask.facts("list_absences", start_date="2026-11-18", end_date=LAST)
        error = await ask.error("list_absences", start_date=FIRST, end_date=LAST)
    check(facts, expected(school, start="2026-11-18"))
    assert "Sat 11-21" not in facts["by_day"]
    assert "holds 16 days that may be school days" in error


async def test_a_group_without_homeroom_is_told_from_its_classes_where_it_is_asked_for_by_name(standing):
    async with standing.client(profile=PROFILE) as ask:
        facts = await ask.facts("list_absences", start_date="2026-11-22", end_date=LAST, group="Grade 10")
    check(facts, expected(standing, ("Grade 10",), start="2026-11-22"))
    assert facts["rows"]


async def test_a_run_counts_the_students_own_school_days(school):
    """Absent from Thursday to Sunday is a run of two where Friday and Saturday are off."""
    first, second = (
        min(id for id, pupil in truth.pupils(school).items() if pupil.group == group)
        for group in ("Grade 9", "Grade 8")
    )
    for id, days in (
        (first, ("2026-11-19", "2026-11-22", "2026-11-23")),
        (second, ("2026-11-19", "2026-11-20", "2026-11-23")),
    ):
        school.change("delete from homeroom_marks where student_id = :id and date >= '2026-11-16'", id=id)
        for day in ("2026-11-18", "2026-11-24"):
            school.change("insert into homeroom_marks values (:day, :id, 1, null)", day=day, id=id)
        for day in days:
            school.change("insert into homeroom_marks values (:day, :id, 0, null)", day=day, id=id)
    async with school.client() as ask:
        facts = await ask.facts("list_absences", start_date="2026-11-16", end_date=LAST)
    rows = {row["id"]: row for row in facts["rows"]}
    assert rows[first]["longest"] == rows[second]["longest"] == 3
    assert facts["rows"][0]["id"] in (first, second)  # with most days away comes first


async def test_absences_are_counted_by_weekday(standing):
    async with standing.client() as ask:
        facts = await ask.facts("list_absences", start_date=FIRST, end_date=LAST, group="Grade 8")
    by_weekday: dict[str, int] = defaultdict(int)
    for day, counts in expected(standing, ("Grade 8",))["by_day"].items():
        if "absent" in counts:
            by_weekday[day[:3]] += counts["absent"]
    assert facts["weekdays"] == by_weekday


async def test_unexplained_only_keeps_the_days_that_no_excusal_covers(standing):
    async with standing.client() as ask:
        facts = await ask.facts("list_absences", start_date=FIRST, end_date=LAST, unexplained_only=True)
    assert {row["id"]: row["days"] for row in facts["rows"]} == {
        id: {"Absent": days} for id, days in expected(standing)["unexplained"].items()
    }


async def test_a_day_off_of_one_programme_only_is_named_and_counts_for_nobody_of_it(standing):
    async with standing.client(profile=PROFILE) as ask:
        facts = await ask.facts("list_absences", start_date=FIRST, end_date=LAST)
    assert "No school for Grade 9, Grade 10 on Fri 2026-11-13, Fri 2026-11-20." in facts["remarks"]
    assert facts["counts"] == expected(standing)["counts"]
    assert all(
        row["group"] != "Grade 9" or short(day) not in str(row["days"])
        for row in facts["rows"]
        for day in DAYS_OFF_OF_IGCSE
    )


async def test_fifteen_school_days_are_the_most(standing):
    days = days_of(standing, "myp", "2026-10-01", LAST)
    async with standing.client() as ask:
        facts = await ask.facts("list_absences", start_date=days[-15], end_date=LAST, group="Grade 8")
        more = await ask.error("list_absences", start_date=days[-16], end_date=LAST, group="Grade 8")
        term = await ask.error("list_absences", start_date="2026-08-17", end_date=LAST)
    assert len(facts["by_day"]) == 15
    assert "holds 16 school days; at most 15 at once. For a term ask list_attendance_concerns." in more
    assert "list_attendance_concerns" in term


async def test_what_is_no_range_is_refused_with_the_reason(standing):
    async with standing.client() as ask:
        assert "before it starts" in await ask.error("list_absences", start_date=LAST, end_date=FIRST)
        none = await ask.error("list_absences", start_date="2026-11-21", end_date="2026-11-21")
    assert "No day from 2026-11-21 to 2026-11-21 is a school day here." in none
    assert "the last school day was" in none


async def test_days_after_today_are_left_out_and_said_to_be(standing):
    async with standing.client() as ask:
        facts = await ask.facts("list_absences", start_date="2026-11-23", end_date="2027-06-01")
        ahead = await ask.facts("list_absences", start_date="2026-11-25", end_date="2026-11-26")
    assert facts["day"] == "Mon 2026-11-23 to Tue 2026-11-24"
    assert "What is after today, Tue 2026-11-24, is left out." in facts["remarks"]
    assert ahead["day"] == "Wed 2026-11-25 to Thu 2026-11-26"
    assert list(ahead["by_day"]) == ["Wed 11-25", "Thu 11-26"]


async def test_one_date_alone_is_the_start_or_the_end(standing):
    async with standing.client() as ask:
        since = await ask.facts("list_absences", start_date="yesterday", group="Grade 8")
        one = await ask.facts("list_absences", end_date="2026-11-20", group="Grade 8")
    assert list(since["by_day"]) == ["Mon 11-23", "Tue 11-24"]
    assert list(one["by_day"]) == ["Fri 11-20"]


async def test_a_day_of_which_nothing_is_known_does_not_look_like_one_without_absences(school):
    school.change("delete from homeroom_marks where date = '2026-11-19'")
    everybody = [id for id, pupil in truth.pupils(school).items() if pupil.group == "Grade 8"]
    school.change("delete from homeroom_marks where date = '2026-11-20'")
    for id in everybody:
        school.change("insert into homeroom_marks values ('2026-11-20', :id, 1, null)", id=id)
    async with school.client() as ask:
        text = await ask.text("list_absences", start_date="2026-11-18", end_date="2026-11-20", group="Grade 8")
    assert "Thu 11-19: not taken 24." in text
    assert "Fri 11-20: everybody present." in text


async def test_a_day_that_can_not_be_read_is_named_and_the_others_are_told(standing):
    path = "/year-groups/22400018/homeroom/attendance/date/2026-11-19"
    with filtered(standing, **{path: 500}) as way:
        async with standing.client(api_url=way.url, profile=PROFILE) as ask:
            facts = await ask.facts("list_absences", start_date="2026-11-18", end_date=LAST, group="Grade 8")
    assert facts["not_read"][0].startswith("Homeroom of Grade 8 on Thu 2026-11-19 could not be read:")
    assert len(facts["not_read"]) == 1
    others = expected(standing, ("Grade 8",), start="2026-11-18")["by_day"]
    assert {day: counts for day, counts in facts["by_day"].items() if day != "Thu 11-19"} == {
        day: counts for day, counts in others.items() if day != "Thu 11-19"
    }


async def test_a_whole_schools_fifteen_days_stay_short(large):
    first = days_of(large, "myp", "2026-10-01", LAST)[-11]
    async with large.client(profile=PROFILE) as ask:
        result = await ask("list_absences", start_date=first, end_date=LAST)
    facts, text = result.structured_content, result.content[0].text
    assert len(text) < 15_000
    assert facts["more"] > 0
    assert f"{facts['more']} students more" in text
    truths = expected(large, {p.group for p in truth.pupils(large).values() if p.programme != "dp"}, start=first)
    assert facts["by_day"] == truths["by_day"]
    assert facts["more"] + len(facts["rows"]) == len(truths["rows"])
    assert all(truths["rows"][row["id"]] == row["days"] for row in facts["rows"])


async def test_a_homerooms_week_can_be_read_aloud(standing):
    (advisor,) = standing.one("select homeroom_advisor_id from students where year_group_id = 22400018 limit 1")
    async with standing.client(profile=PROFILE) as ask:
        result = await ask("list_absences", start_date="2026-11-18", end_date=LAST, group=advisor)
    assert result.content[0].text == snapshot("""\
Wed 2026-11-18 to Tue 2026-11-24, Grade 8 Callum Ashdown: 24 students looked at, in student days:
absent 4, late 2, out 24, present 90.
Wed 11-18: absent 1.
Thu 11-19: absent 1.
Fri 11-20: absent 1, late 2.
Mon 11-23: out 24.
Tue 11-24: absent 1.
Absences by weekday: Tue 1, Wed 1, Thu 1, Fri 1.
Emi Ōnishi (Grade 8): Absent Thu 11-19, Fri 11-20; 2 school days in a row; no excusal Thu 11-19, Fri 11-20
Nathaniel O'Connell (Grade 8): Absent Wed 11-18; no excusal Wed 11-18
Вікторія Бондаренко (Grade 8): Absent Tue 11-24; no excusal Tue 11-24
Emil Uhlig (Grade 8): Tardy Fri 11-20
Raquel Simões (Grade 8): Tardy Fri 11-20\
""")
    assert result.structured_content == snapshot(
        {
            "day": "Wed 2026-11-18 to Tue 2026-11-24",
            "of": "Grade 8 Callum Ashdown",
            "students": 24,
            "counts": {"absent": 4, "late": 2, "out": 24, "present": 90},
            "by_day": {
                "Wed 11-18": {"absent": 1},
                "Thu 11-19": {"absent": 1},
                "Fri 11-20": {"absent": 1, "late": 2},
                "Mon 11-23": {"out": 24},
                "Tue 11-24": {"absent": 1},
            },
            "weekdays": {"Tue": 1, "Wed": 1, "Thu": 1, "Fri": 1},
            "rows": [
                {
                    "id": 10400345,
                    "name": "Emi Ōnishi",
                    "group": "Grade 8",
                    "days": {"Absent": ["Thu 11-19", "Fri 11-20"]},
                    "no_excusal": ["Thu 11-19", "Fri 11-20"],
                    "longest": 2,
                },
                {
                    "id": 10400411,
                    "name": "Nathaniel O'Connell",
                    "group": "Grade 8",
                    "days": {"Absent": ["Wed 11-18"]},
                    "no_excusal": ["Wed 11-18"],
                    "longest": 1,
                },
                {
                    "id": 10400466,
                    "name": "Вікторія Бондаренко",
                    "group": "Grade 8",
                    "days": {"Absent": ["Tue 11-24"]},
                    "no_excusal": ["Tue 11-24"],
                    "longest": 1,
                },
                {"id": 10400521, "name": "Emil Uhlig", "group": "Grade 8", "days": {"Tardy": ["Fri 11-20"]}},
                {"id": 10400334, "name": "Raquel Simões", "group": "Grade 8", "days": {"Tardy": ["Fri 11-20"]}},
            ],
        }
    )
