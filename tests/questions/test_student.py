from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from attendance_mcp.digest.student import Covered, StudentEvidence, student_attendance
from attendance_mcp.rules.labels import Labels
from tests.upstream_school import UpstreamSchool

pytestmark = pytest.mark.anyio
TOOL = "get_student_attendance"
ASSUMED = ["no_record=missing", "no_record={}", "no_record=-1", "archived=also", "adjustments=inside",
           "duration=school", "periods_from=0"]  # fmt: skip
TERM = ("2026-10-17", "2026-11-24")  # Term 2 of the small school's first programme, up to today
LABELS = Labels.of(None)
Marks = st.lists(st.sampled_from([None, *(LABELS[code] for code in (0, 1, 2, 10, 11, 13, 14))]), max_size=15)


# --- what is true, counted by SQL and by no code of the product's ----------------------------------------------------


def totals(school: UpstreamSchool, student: int) -> dict[str, int]:
    """Homeroom marks of the term by the school's label, and the school days that have none."""
    marks = school.rows(
        "select c.label, count(*) from homeroom_marks m"
        " join categories c on c.status = m.status and c.academic_year_id = 31026007"
        " where m.student_id = :id and m.date between :start and :end group by 1",
        id=student, start=TERM[0], end=TERM[1],
    )  # fmt: skip
    (days,) = school.one(
        "select count(*) from school_days where program_code = 'myp' and date between :start and :end",
        start=TERM[0], end=TERM[1],
    )  # fmt: skip
    counts = dict(marks)
    missing = days - sum(counts.values())
    return {**counts, "not taken": missing} if missing else counts


def class_totals(school: UpstreamSchool, student: int, start: str, end: str) -> dict[str, dict[str, int]]:
    """Marks of the classes that the student belongs to today, by class and label."""
    found: dict[str, dict[str, int]] = {}
    for name, label, number in school.rows(
        "select k.name, c.label, count(*) from class_marks m join classes k on k.id = m.class_id"
        " join memberships b on b.class_id = k.id and b.student_id = m.student_id and b.left_on is null"
        " join academic_years y on y.program_code = k.program_code and m.date between y.starts_on and y.ends_on"
        " join categories c on c.status = m.status and c.academic_year_id = y.id"
        " where m.student_id = :id and m.date between :start and :end group by 1, 2",
        id=student, start=start, end=end,
    ):  # fmt: skip
        found.setdefault(name, {})[label] = number
    return found


def students_of(school: UpstreamSchool, group: str) -> list[int]:
    rows = school.rows(
        "select s.id from students s join year_groups g on g.id = s.year_group_id"
        " where g.name = :group and s.archived = 0 order by s.id",
        group=group,
    )
    return [row[0] for row in rows]


def without_notes(facts: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {name: one["counts"] for name, one in facts["classes"].items()}


# --- the digest, on its own ------------------------------------------------------------------------------------------


@given(Marks, st.sets(st.integers(0, 14)))
def test_every_day_is_told_once_unless_the_student_was_simply_there(marks, covered):
    first = date(2026, 11, 2)
    days = {first + timedelta(days=number): label for number, label in enumerate(marks)}
    excusals = [Covered(first + timedelta(days=number), first + timedelta(days=number)) for number in covered]
    facts = student_attendance(StudentEvidence(1, "Mia Tanaka", "Grade 8", "a term", days=days, excusals=excusals))
    told = [day for own in facts.days.values() for day in own]
    assert len(told) == len(set(told)) == sum(label is None or label.text != "Present" for label in marks)
    absent = {f"{day:%a} {day}" for day, label in days.items() if label and label.text == "Absent"}
    assert set(facts.no_excusal) == {
        f"{day:%a} {day}" for day in days if f"{day:%a} {day}" in absent and (day - first).days not in covered
    }


def test_where_excusals_could_not_be_read_no_absence_is_called_unexcused():
    days = {date(2026, 11, 2): LABELS[0]}
    facts = student_attendance(
        StudentEvidence(1, "Mia Tanaka", "Grade 8", "a term", days=days, excusals=None), not_read=["The excusals …"]
    )
    assert facts.no_excusal == [] and "No excusal." not in facts.notes


def test_a_student_nobody_marked_has_no_rate():
    facts = student_attendance(
        StudentEvidence(1, "Mia Tanaka", "Grade 8", "a term", totals={LABELS[-1]: 7}, excusals=[])
    )
    assert (facts.rate, facts.counts) == ("none, no day counts yet; 7 not taken", {"not taken": 7})


# --- the tool, against what the database holds -----------------------------------------------------------------------


@pytest.mark.parametrize("assumed", ASSUMED)
async def test_days_and_classes_are_what_the_marks_say(open_school, assumed):
    school = open_school("small", assumed)
    async with school.client() as ask:
        for student in students_of(school, "Grade 7")[::4]:
            facts = await ask.facts(TOOL, student=str(student))
            assert facts["counts"] == totals(school, student)
            classes = without_notes(facts)
            for counts in classes.values():
                counts.pop("not taken", None)  # periods that nobody marked are known only where the API counts them
            assert {name: counts for name, counts in classes.items() if counts} == class_totals(school, student, *TERM)
            days = school.rows(
                "select date from school_days where program_code = 'myp' and date <= :today order by date desc limit 10",
                today=TERM[1],
            )
            marks = dict(school.rows("select date, status from homeroom_marks where student_id = :id", id=student))
            absent = [day for (day,) in reversed(days) if marks.get(day) == 0]
            assert [day.split()[1] for day in facts.get("days", {}).get("Absent", [])] == absent


async def test_an_answer_reads_like_this(school):
    async with school.client() as ask:
        result = await ask(TOOL, student="Jyoti Deshpande")
    assert result.content[0].text == snapshot("""\
Jyoti Deshpande (10400202), Grade 7, homeroom of Yichen Shen. Term 2, Sat 2026-10-17 to Tue 2026-11-24.
Days: Present 16, Absent 6, Excused 1, Fieldtrip 1, not taken 3.
Rate: 70.8 %, 17 of 24 counted days attended; 63.0–74.1 % as 3 not taken turn out.
10 school days, Wed 2026-11-11 to Tue 2026-11-24: not taken Mon 2026-11-16, Tue 2026-11-17; Absent Wed 2026-11-18; Excused Tue 2026-11-24.
Absent without an excusal: Wed 2026-11-18.
Away by weekday: Tue 1 of 1, Wed 1 of 2.
Classes, in periods:
Design 7: 84.4 %; Present 25, Absent 5, Fieldtrip 2
Individuals and Societies 7: 66.7 %; Present 18, Absent 10, Fieldtrip 2, Tardy 1
Language and Literature 7: 53.3 %; Absent 13, Present 13, Dismissed 1, Excused 1, Fieldtrip 1, Sports 1
Mathematics 7: 60.0 %; Present 17, Absent 11, Excused 1, Sports 1
Sciences 7: 72.4 %; Present 20, Absent 8, Fieldtrip 1
Excusals: Tue 2026-11-24 to Wed 2026-11-25, with a comment; Thu 2026-11-05 to Fri 2026-11-06, with a comment; Tue 2026-10-27, with a comment; Wed 2026-10-21 to Thu 2026-10-22, with a comment.
Rate = attended ÷ (attended + away), in days; attended: present, late, left, out; away: absent, excused, health; in neither: other, unclassified, not taken.\
""")
    assert result.structured_content == snapshot(
        {
            "id": 10400202,
            "student": "Jyoti Deshpande",
            "group": "Grade 7",
            "advisor": "Yichen Shen",
            "span": "Term 2, Sat 2026-10-17 to Tue 2026-11-24",
            "counts": {"Present": 16, "Absent": 6, "Excused": 1, "Fieldtrip": 1, "not taken": 3},
            "rate": "70.8 %, 17 of 24 counted days attended; 63.0–74.1 % as 3 not taken turn out",
            "days_looked_at": "10 school days, Wed 2026-11-11 to Tue 2026-11-24",
            "days": {
                "not taken": ["Mon 2026-11-16", "Tue 2026-11-17"],
                "Absent": ["Wed 2026-11-18"],
                "Excused": ["Tue 2026-11-24"],
            },
            "no_excusal": ["Wed 2026-11-18"],
            "weekdays": {"Tue": "1 of 1", "Wed": "1 of 2"},
            "classes": {
                "Design 7": {"counts": {"Present": 25, "Absent": 5, "Fieldtrip": 2}, "rate": "84.4 %"},
                "Individuals and Societies 7": {
                    "counts": {"Present": 18, "Absent": 10, "Fieldtrip": 2, "Tardy": 1},
                    "rate": "66.7 %",
                },
                "Language and Literature 7": {
                    "counts": {"Absent": 13, "Present": 13, "Dismissed": 1, "Excused": 1, "Fieldtrip": 1, "Sports": 1},
                    "rate": "53.3 %",
                },
                "Mathematics 7": {"counts": {"Present": 17, "Absent": 11, "Excused": 1, "Sports": 1}, "rate": "60.0 %"},
                "Sciences 7": {"counts": {"Present": 20, "Absent": 8, "Fieldtrip": 1}, "rate": "72.4 %"},
            },
            "excusals": [
                "Tue 2026-11-24 to Wed 2026-11-25, with a comment",
                "Thu 2026-11-05 to Fri 2026-11-06, with a comment",
                "Tue 2026-10-27, with a comment",
                "Wed 2026-10-21 to Thu 2026-10-22, with a comment",
            ],
            "rule": "Rate = attended ÷ (attended + away), in days; attended: present, late, left, out; away: absent, excused, health; in neither: other, unclassified, not taken.",
        }
    )


async def test_excusals_are_told_by_their_days_and_never_by_what_a_parent_wrote(school):
    rows = school.rows(
        "select e.student_id, e.comment from excusals e join students s on s.id = e.student_id"
        " where s.archived = 0 and e.comment is not null and e.start_date >= '2026-11-13' and e.end_date <= '2026-11-24'"
    )
    async with school.client() as ask:
        for student, comment in rows[:3]:
            result = await ask(TOOL, student=str(student))
            assert "with a comment" in result.content[0].text
            assert comment not in result.content[0].text and comment not in str(result.structured_content)
    assert rows


async def test_a_name_that_several_bear_answers_the_candidates(open_school):
    school = open_school("school")
    name, number = school.one(
        "select first_name || ' ' || last_name, count(*) from students where archived = 0 group by 1"
        " having count(*) > 1 order by 2 desc, 1 limit 1"
    )
    async with school.client() as ask:
        message = await ask.error(TOOL, student=name)
    assert message.count("student 10") == number and "Give one of them, or its id." in message


async def test_a_student_takes_at_most_45_requests_cold_in_a_school_of_a_thousand(open_school):
    school = open_school("school")
    taken = Counter[str]()
    for group in ("Grade 3", "Grade 8", "Grade 11"):
        async with school.client() as ask:
            before = len(school.log)
            await ask(TOOL, student=str(students_of(school, group)[0]))
            taken[group] = len(school.log) - before
    # Reference data 14; totals, adjustments, memberships, excusals; ten days over and ten to come; each class.
    assert max(taken.values()) <= 45, taken


async def test_a_student_without_homeroom_is_told_from_class_marks_and_gets_no_rate_of_days(open_school):
    school = open_school("school")
    student = students_of(school, "Grade 11")[3]
    async with school.client() as ask:
        facts = await ask.facts(TOOL, student=str(student))
        week = await ask.facts(TOOL, student=str(student), start_date="2026-11-17", end_date="2026-11-20")
        too_long = await ask.error(TOOL, student=str(student), start_date="2026-11-05", end_date="2026-11-24")
    assert "rate" not in facts and "counts" not in facts
    assert without_notes(facts) == class_totals(school, student, "2026-08-19", "2026-11-24")
    assert without_notes(week) == class_totals(school, student, "2026-11-17", "2026-11-20")
    assert any(note.startswith("Grade 11 keeps no homeroom") for note in facts["notes"])
    assert "keeps no homeroom" in too_long and "school days, or for a term" in too_long


async def test_a_range_counts_its_own_days(school):
    student = students_of(school, "Grade 8")[0]
    async with school.client() as ask:
        facts = await ask.facts(TOOL, student=str(student), start_date="2026-11-09", end_date="2026-11-20")
        both = await ask.error(TOOL, student=str(student), start_date="2026-11-09", term="Term 1")
    truth = school.rows(
        "select c.label, count(*) from homeroom_marks m"
        " join categories c on c.status = m.status and c.academic_year_id = 31026007"
        " where m.student_id = :id and m.date between '2026-11-09' and '2026-11-20' group by 1",
        id=student,
    )
    assert facts["counts"] == dict(truth)
    assert facts["span"] == "Mon 2026-11-09 to Fri 2026-11-20" and "not both" in both


async def test_an_archived_student_is_still_told_of_and_called_archived(open_school):
    for assumed in ("archived=only", "archived=also"):
        school = open_school("small", assumed)
        student, first, last, program = school.one(
            "select s.id, s.first_name, s.last_name, g.program_code from students s"
            " join year_groups g on g.id = s.year_group_id where s.archived = 1 order by s.id limit 1"
        )
        async with school.client() as ask:
            facts = await ask.facts(TOOL, student=str(student), term="Term 1")
        marks = school.rows(
            "select count(*) from homeroom_marks m join terms t on m.date between t.starts_on and t.ends_on"
            " join academic_years y on y.id = t.academic_year_id"
            " where m.student_id = :id and t.name = 'Term 1' and y.program_code = :program and y.name = '2026-2027'",
            id=student, program=program,
        )[0][0]  # fmt: skip
        assert facts["student"] == f"{first} {last}, archived"
        assert sum(number for label, number in facts.get("counts", {}).items() if label != "not taken") == marks
