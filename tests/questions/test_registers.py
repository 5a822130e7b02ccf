from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from attendance_mcp import sandbox
from attendance_mcp.digest.registers import RegisterState, missing_registers
from attendance_mcp.rules.due import Due
from attendance_mcp.sandbox.app import create_app
from tests.upstream_school import TODAY, TOKEN, UpstreamSchool, on_a_port

pytestmark = pytest.mark.anyio
TOOL = "list_missing_registers"
PROFILE = Path(sandbox.__file__).with_name("school.toml")  # homeroom due at 08:45, a class 15 minutes after it began
ASSUMED = [
    "no_record=missing",
    "no_record={}",
    "no_record=-1",
    "archived=also",
    "periods_from=0",
    "unlisted_day=unknown",
]
STATES = ("wholly taken", "taken in part", "not taken", "not yet due")
DAY = "2026-11-24"


# --- what is true, by SQL alone ---------------------------------------------------------------------------------------

# A slot's day is the rotation day where the programme has any, else the weekday with Monday = 1.
MEETS = """
    JOIN classes c ON c.archived = 0
    JOIN terms first ON first.id = c.start_term_id JOIN terms last ON last.id = c.end_term_id
    JOIN programs p ON p.code = c.program_code
    JOIN school_days d ON d.program_code = c.program_code AND d.date BETWEEN first.starts_on AND last.ends_on
    JOIN academic_years y ON y.id = s.academic_year_id AND d.date BETWEEN y.starts_on AND y.ends_on
    WHERE s.class_id = c.id AND s.enabled AND d.date = :day
      AND s.day = CASE WHEN p.rotation_cycle IS NULL
                       THEN (CAST(strftime('%w', d.date) AS INTEGER) + 6) % 7 + 1 ELSE d.rotation_day END
"""


def homerooms(school: UpstreamSchool, day: str = DAY) -> dict[tuple[str, str], tuple[int, int]]:
    """(year group, advisor) → students, marked; without year groups that have no mark at all."""
    rows = school.rows(
        """SELECT g.name, t.first_name || ' ' || t.last_name, count(*), count(m.status),
                  sum(count(m.status)) OVER (PARTITION BY g.id)
           FROM students s JOIN year_groups g ON g.id = s.year_group_id JOIN teachers t ON t.id = s.homeroom_advisor_id
           JOIN school_days d ON d.program_code = g.program_code AND d.date = :day
           LEFT JOIN homeroom_marks m ON m.student_id = s.id AND m.date = :day
           WHERE s.archived = 0 GROUP BY g.id, t.id""",
        day=day,
    )
    return {(group, advisor): (students, marked) for group, advisor, students, marked, any_ in rows if any_}


def class_registers(school: UpstreamSchool, day: str = DAY) -> dict[tuple[str, int], tuple[int, int]]:
    """(class, period) → students, marked, of the classes that meet."""
    meets = set(school.rows(f"SELECT c.id, c.name, s.period FROM slots s {MEETS}", day=day))
    return {
        (name, period): school.one(
            """WITH marks AS (SELECT student_id, period FROM class_marks WHERE class_id = :id AND date = :day)
               SELECT count(*), coalesce(sum(id IN (SELECT student_id FROM marks WHERE period = :period)), 0)
               FROM students WHERE archived = 0 AND id IN (
                 SELECT student_id FROM memberships
                 WHERE class_id = :id AND joined_on <= :day AND (left_on IS NULL OR left_on >= :day)
                 UNION SELECT student_id FROM marks)""",
            id=id,
            day=day,
            period=period,
        )
        for id, name, period in meets
    }


def counted(registers: dict[Any, tuple[int, int]], not_due: set[Any] = frozenset()) -> dict[str, int]:
    def state(key: Any, students: int, marked: int) -> str:
        if marked == students:
            return "wholly taken"
        return "not yet due" if key in not_due else "taken in part" if marked else "not taken"

    counter = Counter(state(key, *register) for key, register in registers.items())
    return {name: counter[name] for name in STATES}


def told_classes(facts: dict[str, Any], part: str = "missing") -> dict[tuple[str, int], tuple[int, int]]:
    return {
        (row["of"], int(period)): (row["students"], marked)
        for row in facts.get(part, ())
        for period, marked in row["periods"].items()
    }


# --- homeroom ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("assumed", ASSUMED)
async def test_a_homeroom_register_that_is_due_and_not_wholly_taken_is_told_with_whose_it_is(open_school, assumed):
    school = open_school("small", assumed)
    school.change(  # and one of which only an exception is marked
        "DELETE FROM homeroom_marks WHERE date = :day AND status = 1 AND student_id IN (SELECT s.id FROM students s"
        " JOIN year_groups g ON g.id = s.year_group_id WHERE g.name = 'Grade 8')",
        day=DAY,
    )
    async with school.client(profile=PROFILE) as ask:
        facts = await ask.facts(TOOL)
    truth = homerooms(school)
    assert facts["counts"] == counted(truth)
    assert facts["counts"]["taken in part"] and facts["counts"]["not taken"]
    told = {(row["of"], row["whose"]): (row["students"], row["marked"]) for row in facts["missing"]}
    assert told == {key: found for key, found in truth.items() if found[1] < found[0]}
    assert facts["registers"] == len(truth)
    assert facts["students"] == sum(students for students, _ in truth.values())
    assert facts["remarks"] == [
        "Keeps no homeroom, by this term's marks or the profile: Grade 10; ask with kind=class."
    ]


async def test_before_a_register_is_due_it_is_counted_and_not_told_as_missing(open_school):
    school = open_school(today=TODAY.replace(hour=8))
    async with school.client(profile=PROFILE) as ask:
        facts = await ask.facts(TOOL)
    truth = homerooms(school)
    assert "missing" not in facts and "due_not_set" not in facts
    assert facts["counts"] == counted(truth, set(truth)) | {"not yet due": facts["registers"]}


async def test_without_a_profile_the_answer_says_that_no_due_time_is_set(school):
    async with school.client() as ask:
        facts, text = await ask.facts(TOOL), await ask.text(TOOL)
        yesterday = await ask.facts(TOOL, date="yesterday")
    assert facts["missing"] and facts["due_not_set"] == ["IB Middle Years"]
    assert "Due time not set in the school profile, so some may still be on time: IB Middle Years." in text
    assert "due_not_set" not in yesterday  # a day that is over is due


async def test_a_group_shows_the_whole_registers_of_its_students_alone(school):
    truth = homerooms(school)
    async with school.client(profile=PROFILE) as ask:
        for group, wanted in {
            "IB Middle Years": {"Grade 7", "Grade 8"},
            "Grade 9": {"Grade 9"},
            "Mathematics 8": {"Grade 8"},
        }.items():
            facts = await ask.facts(TOOL, group=group)
            assert facts["registers"] == len([key for key in truth if key[0] in wanted])
        (grade, advisor), (students, marked) = next(item for item in truth.items() if item[1][1] == 0)
        facts = await ask.facts(TOOL, group=f"{grade} {advisor}")
        assert facts["missing"] == [{"of": grade, "whose": advisor, "students": students, "marked": marked}]


async def test_a_day_off_is_said_and_asks_nobody_for_a_register(school):
    async with school.client(profile=PROFILE) as ask:
        sunday = await ask.facts(TOOL, date="2026-11-22")  # Cambridge IGCSE has school from Sunday to Thursday
        text = await ask.text(TOOL, date="2026-11-21")
        classes = await ask.facts(TOOL, date="2026-11-21", kind="class")
    assert sunday["counts"] == counted(homerooms(school, "2026-11-22"))
    assert sunday["registers"] == 2
    assert text == snapshot("""\
Sat 2026-11-21, whole school, as of 10:30: 0 homeroom registers of 0 students looked at.
No school for Grade 7, Grade 8 on Sat 2026-11-21 (weekend); the last school day was Fri 2026-11-20.
No school for Grade 9, Grade 10 on Sat 2026-11-21 (weekend); the last school day was Thu 2026-11-19.
Nothing is missing, for no register is kept here on that day; try another day, group or kind.\
""")
    assert (classes["registers"], classes["students"]) == (0, 0)


async def test_a_year_group_that_cannot_be_read_is_named_and_the_others_are_told(school):
    sandbox_app = create_app(school.engine, token=TOKEN, today=TODAY, log=school.log)
    broken = school.one("SELECT id FROM year_groups WHERE name = 'Grade 8'")[0]

    async def app(scope, receive, send):
        if scope["type"] == "http" and f"/year-groups/{broken}/homeroom/attendance/date" in scope["path"]:
            await send(
                {"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"application/json")]}
            )
            await send({"type": "http.response.body", "body": b'{"error": "gone"}'})
        else:
            await sandbox_app(scope, receive, send)

    with on_a_port(app) as url:
        async with school.client(profile=PROFILE, api_url=url) as ask:
            facts = await ask.facts(TOOL)
    assert facts["registers"] == len([key for key in homerooms(school) if key[0] != "Grade 8"])
    assert [line.partition(":")[0] for line in facts["not_read"]] == [
        "Homeroom of Grade 8 on Tue 2026-11-24 could not be read"
    ]


# --- classes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("assumed", [*ASSUMED, "periods_from=0"])
async def test_a_class_register_is_asked_for_only_where_the_class_meets(open_school, assumed):
    school = open_school("small", assumed)
    first = int(assumed == "periods_from=0")
    truth = {(name, period - first): found for (name, period), found in class_registers(school).items()}
    later = {key for key in truth if key[1] + first > 2}  # at 10:30 the registers of periods 1 and 2 are due
    async with school.client(profile=_profile_from(school, first)) as ask:
        facts = await ask.facts(TOOL, kind="class")
    assert facts["counts"] == counted(truth, later)
    assert told_classes(facts) == {
        key: found for key, found in truth.items() if found[1] < found[0] and key not in later
    }
    assert facts["registers"] == len(truth)
    assert "may_meet" not in facts


async def test_class_registers_of_a_past_day_are_right_by_group_and_period(school):
    day = "2026-11-19"
    truth = class_registers(school, day)
    of_grade = {  # one of them sits in a class of Grade 7
        name
        for (name,) in school.rows(
            """SELECT c.name FROM memberships m JOIN classes c ON c.id = m.class_id JOIN students s ON s.id = m.student_id
               JOIN year_groups g ON g.id = s.year_group_id WHERE g.name = 'Grade 8' AND m.left_on IS NULL"""
        )
    }
    assert "Language and Literature 7" in of_grade
    for of, registers in {
        "": truth,
        "Grade 8": {key: found for key, found in truth.items() if key[0] in of_grade},
        "Mathematics 8": {key: found for key, found in truth.items() if key[0] == "Mathematics 8"},
    }.items():
        async with school.client(profile=PROFILE) as ask:
            facts = await ask.facts(TOOL, kind="class", date=day, group=of)
            early = await ask.facts(TOOL, kind="class", date=day, group=of, up_to_period=2)
        assert facts["counts"] == counted(registers)
        assert early["counts"] == counted({key: found for key, found in registers.items() if key[1] <= 2})
        assert told_classes(facts) == {key: found for key, found in registers.items() if found[1] < found[0]}


async def test_where_the_rotation_day_is_unknown_a_class_without_a_mark_only_may_meet(open_school):
    school = open_school(without={"calendar"})
    async with school.client(profile=PROFILE) as ask:
        facts, text = await ask.facts(TOOL, kind="class"), await ask.text(TOOL, kind="class")
    truth = class_registers(school)
    assert facts["registers"] == len([marked for _, marked in truth.values() if marked])
    untaken = {key for key, (_, marked) in truth.items() if not marked and key[1] <= 2}
    may = set(told_classes(facts, "may_meet"))
    assert untaken <= may
    assert all(period <= 2 for _, period in may)  # the others are not due yet, whether they meet or not
    assert "missing" not in facts or not {key for key, found in told_classes(facts).items() if not found[1]}
    assert "Which day of the timetable Tue 2026-11-24 is, the calendar does not say" in text


async def test_a_question_that_needs_too_many_requests_names_the_smaller_groups(school):
    async with school.client(rate=10, deadline=3) as ask:
        error = await ask.error(TOOL, kind="class")
    assert error == snapshot(
        "That needs about 30 requests for whole school, and the time allows 24. Ask for one year group: Grade 7, Grade 8, Grade 9, Grade 10. Nothing was written."
    )
    assert not [entry for entry in school.log if "timetable" in entry.path or "attendance" in entry.path]


async def test_arguments_that_mean_nothing_are_refused(school):
    async with school.client() as ask:
        assert "up_to_period goes with kind=class" in await ask.error(TOOL, up_to_period=2)
        assert "yet to come" in await ask.error(TOOL, date="tomorrow")
        assert "kind" in await ask.error(TOOL, kind="lesson")


async def test_at_school_size_every_register_of_the_day_is_counted_once(open_school):
    school = open_school("school")
    async with school.client(profile=PROFILE) as ask:
        homeroom = await ask.facts(TOOL)
        school.log.clear()
        classes = await ask.facts(TOOL, kind="class")
    assert homeroom["counts"] == counted(homerooms(school))
    truth = class_registers(school)
    assert classes["counts"] == counted(truth, {key for key in truth if key[1] > 2})
    # Its own rule holds for itself: as shipped the deadline has room for 400 requests.
    assert len(school.log) <= 400


async def test_the_answer_can_be_read_aloud(school):
    school.change(
        """DELETE FROM class_marks WHERE date = '2026-11-19' AND (
             class_id = (SELECT id FROM classes WHERE name = 'Mathematics 8') AND (period = 6 OR period = 2 AND status = 1)
             OR class_id = (SELECT id FROM classes WHERE name = 'Sciences 8'))"""
    )
    async with school.client(profile=PROFILE) as ask:
        assert await ask.text(TOOL) == snapshot("""\
Tue 2026-11-24, whole school, as of 10:30: 5 homeroom registers of 71 students looked at.
Keeps no homeroom, by this term's marks or the profile: Grade 10; ask with kind=class.
wholly taken 4, taken in part 0, not taken 1, not yet due 0.
Grade 7, Theresa Löwenstein: not taken (12 students).\
""")
        assert await ask.facts(TOOL) == snapshot(
            {
                "day": "Tue 2026-11-24",
                "of": "whole school",
                "as_of": "10:30",
                "kind": "homeroom",
                "students": 71,
                "registers": 5,
                "counts": {"wholly taken": 4, "taken in part": 0, "not taken": 1, "not yet due": 0},
                "missing": [{"of": "Grade 7", "whose": "Theresa Löwenstein", "students": 12, "marked": 0}],
                "remarks": ["Keeps no homeroom, by this term's marks or the profile: Grade 10; ask with kind=class."],
            }
        )
        assert await ask.text(TOOL, kind="class", group="Grade 8", date="2026-11-19") == snapshot("""\
Thu 2026-11-19, Grade 8, as of 10:30: 7 class registers of 47 students looked at.
wholly taken 3, taken in part 1, not taken 3, not yet due 0.
Mathematics 8, Callum Ashdown: period 6 not taken (24 students); period 2 has 1 of 24 marked.
Sciences 8, Yichen Shen, Theresa Löwenstein: periods 1, 5 not taken (24 students).\
""")


def _profile_from(school: UpstreamSchool, first: int) -> Path:
    """The profile in the counting of a school whose first period is 0."""
    if not first:
        return PROFILE
    lines = PROFILE.read_text("utf-8").splitlines()
    path = school.path.with_name("school.toml")
    shifted = [f"{int(line[0]) - 1}{line[1:]}" if line[:1].isdigit() and ":" in line else line for line in lines]
    path.write_text("\n".join(shifted), "utf-8")
    return path


# --- the digest -------------------------------------------------------------------------------------------------------

REGISTERS = st.lists(
    st.builds(
        lambda of, size, marked, due, period, certain: RegisterState(
            of, f"{of}'s teacher", size, min(size, marked), due, period, certain, "P"
        ),
        st.sampled_from("ABCDE"),
        st.integers(1, 5),
        st.integers(0, 5),
        st.sampled_from(Due),
        st.integers(0, 6),
        st.booleans(),
    ),
    unique_by=lambda state: (state.of, state.period),
)


def digest(states: list[RegisterState], **more: Any):
    return missing_registers(states, day="d", of="o", as_of="t", kind="class", students=9, **more)


@given(states=REGISTERS, data=st.data())
def test_each_register_is_counted_once_and_told_where_it_is_late(states, data):
    facts = digest(states)
    certain = [state for state in states if state.certain]
    assert sum(facts.counts.values()) == facts.registers == len(certain)
    told = Counter((row.of, period, marked) for row in facts.missing for period, marked in row.periods.items())
    late = [one for one in certain if one.marked < one.students and one.due is not Due.NOT_YET]
    assert told == Counter((one.of, one.period, one.marked) for one in late)
    shuffled = digest(data.draw(st.permutations(states)))
    assert (shuffled.counts, Counter(shuffled.lines())) == (facts.counts, Counter(facts.lines()))


@given(states=REGISTERS, most=st.integers(1, 4))
def test_rows_beyond_the_most_are_counted(states, most):
    whole, cut = digest(states), digest(states, most_rows=most)
    assert len(cut.missing) == min(most, len(whole.missing))
    assert len(cut.missing) + cut.more == len(whole.missing)
    assert cut.counts == whole.counts


def test_an_answer_stays_small_at_any_size():
    teacher = "Кызжибек Þórðardóttir-Фёдорова"
    states = [
        RegisterState(f"Individuals and Societies {number}", teacher, 26, 0, Due.DUE, period, number % 2 == 0, "P")
        for number in range(5_000)
        for period in range(1, 7)
    ]
    facts = digest(states)
    assert len("\n".join(facts.lines()).encode()) < 12_000
    assert len(facts.model_dump_json(exclude_defaults=True).encode()) < 20_000
