from __future__ import annotations

import sqlite3
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from attendance_mcp.sandbox.database import metadata, open_engine
from attendance_mcp.sandbox.population import Size, latest_common_school_day, prepare

at = datetime.fromisoformat
NOON = at("2026-11-25T12:00")
# Words of the product, its labels and the calendar: a person called so would be found when the word is meant.
OUR_WORDS = """
    absent present late tardy dress code dismissed health sports athletics fieldtrip trip excused excusal other custom
    left early out day days today tomorrow yesterday week month year term period periods date monday tuesday wednesday
    thursday friday saturday sunday january february march april may june july august september october november
    december will mark marks grade grades class classes group homeroom register student students teacher parent
    programme program school status label kind note notes plan plans change changes apply undo confirm confirmation
    page all none whole full counts exceptions person summary taken not unknown done refused demo token advisor window
    journal caller approval directory profile answer sandbox kindergarten spring summer winter autumn
"""


class School:
    """A populated file that tests ask in SQL."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def rows(self, query: str) -> list[Any]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def count(self, query: str) -> int:
        return int(self.rows(f"SELECT count(*) FROM {query}")[0][0])

    def change(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql(statement)

    def everything(self) -> dict[str, list[Any]]:
        return {name: self.rows(f"SELECT * FROM {name} ORDER BY 1, 2, 3, 4") for name in _ORDERED} | {
            name: self.rows(f"SELECT * FROM {name} ORDER BY 1, 2") for name in metadata.tables.keys() - _ORDERED
        }


_ORDERED = {"homeroom_marks", "class_marks"}


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Any]:
    engines: list[sa.Engine] = []

    def make_school(*, size: Size = "small", seed: int = 1, today: datetime = NOON) -> School:
        engines.append(open_engine(tmp_path / f"{len(engines)}.db"))
        prepare(engines[-1], size=size, seed=seed, today=today)
        return School(engines[-1])

    yield make_school
    for engine in engines:
        engine.dispose()


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """The school of the demo's size, at noon of a Wednesday; tests only read it."""
    engine = open_engine(tmp_path_factory.mktemp("school") / "school.db")
    prepare(engine, size="school", today=NOON)
    yield School(engine)
    engine.dispose()


def test_the_same_size_seed_and_date_make_the_same_rows(make: Any) -> None:
    assert make(size="school").everything() == make(size="school").everything()


def test_another_seed_makes_other_people_and_another_day_the_same_ones(make: Any) -> None:
    names = "SELECT first_name, last_name FROM students"
    assert make(seed=1).rows(names) == make(seed=1, today=NOON - timedelta(days=30)).rows(names)
    assert make(seed=1).rows(names) != make(seed=2).rows(names)


def test_days_added_one_by_one_are_the_days_made_in_one_go(make: Any) -> None:
    moment = at("2026-10-01T10:30")
    grown = make(today=moment)
    while moment < NOON:
        moment = min(moment + timedelta(hours=31), NOON)  # every time of day comes up
        prepare(grown.engine, size="small", today=moment)
    assert grown.everything() == make().everything()


def test_adding_days_alters_nothing_that_somebody_wrote_or_deleted(make: Any) -> None:
    school = make(today=at("2026-11-24T12:00"))
    student, parent = school.rows("SELECT student_id, parent_id FROM child_links LIMIT 1")[0]
    deleted = school.rows("SELECT id FROM excusals ORDER BY id DESC LIMIT 1")[0][0]
    school.change("UPDATE homeroom_marks SET status = 14, note = 'by hand' WHERE date = '2026-11-23'")
    school.change("UPDATE class_marks SET status = 14, note = 'by hand' WHERE date = '2026-11-23'")
    school.change(f"INSERT INTO homeroom_marks VALUES ('2026-11-25', {student}, 14, 'beforehand')")
    school.change(f"DELETE FROM excusals WHERE id = {deleted}")
    school.change(
        "INSERT INTO excusals (student_id, parent_id, start_date, end_date, created_at, updated_at) VALUES "
        f"({student}, {parent}, '2026-11-25', '2026-12-04', '2026-11-24T12:00:00Z', '2026-11-24T12:00:00Z')"
    )
    marks = {name: school.rows(f"SELECT * FROM {name} WHERE date <= '2026-11-23'") for name in sorted(_ORDERED)}
    excusals = school.rows("SELECT * FROM excusals")

    prepare(school.engine, size="small", today=at("2026-12-04T18:00"))

    for name, before in marks.items():
        assert school.rows(f"SELECT * FROM {name} WHERE date <= '2026-11-23'") == before
    assert set(excusals) <= set(school.rows("SELECT * FROM excusals"))
    assert not school.count(f"excusals WHERE id = {deleted}")
    assert school.count(f"excusals WHERE student_id = {student} AND end_date >= '2026-11-25'") == 1
    assert school.rows(f"SELECT status FROM homeroom_marks WHERE date = '2026-11-25' AND student_id = {student}") == [
        (14,)
    ]
    assert school.count("homeroom_marks WHERE date = '2026-12-04'")


def test_an_excusal_made_through_the_api_never_takes_the_id_of_an_invented_one(make: Any) -> None:
    school = make()
    school.change(
        "INSERT INTO excusals (student_id, parent_id, start_date, end_date, created_at, updated_at) "
        "VALUES (1, 1, '2026-11-25', '2026-11-25', '', '')"
    )
    assert school.rows("SELECT max(id) FROM excusals") == [(70_000_000,)]


def test_opening_again_at_the_same_or_an_earlier_moment_changes_nothing(make: Any) -> None:
    school = make()
    before = school.everything()
    prepare(school.engine, size="small", today=NOON)
    prepare(school.engine, size="small", today=NOON - timedelta(days=9))
    assert school.everything() == before


def test_a_file_of_another_size_or_seed_is_refused(make: Any) -> None:
    school = make()
    with pytest.raises(ValueError, match="size small and seed 1, not of size school and seed 1"):
        prepare(school.engine, size="school", today=NOON)
    with pytest.raises(ValueError, match="not of size small and seed 2"):
        prepare(school.engine, size="small", seed=2, today=NOON)


def test_a_file_opened_in_a_later_academic_year_goes_on_in_that_year(make: Any) -> None:
    school = make(today=at("2026-06-10T12:00"))
    names = "SELECT DISTINCT name FROM academic_years ORDER BY 1"
    assert school.rows(names) == [("2024-2025",), ("2025-2026",)]
    marks = school.rows("SELECT * FROM homeroom_marks WHERE date < '2026-06-10'")

    prepare(school.engine, size="small", today=at("2026-09-10T12:00"))

    assert school.rows(names) == [("2024-2025",), ("2025-2026",), ("2026-2027",)]
    assert school.rows("SELECT * FROM homeroom_marks WHERE date < '2026-06-10'") == marks
    assert school.count("homeroom_marks WHERE date = '2026-09-10'")
    assert school.count("class_marks WHERE date = '2026-09-10'")
    ends = "SELECT DISTINCT ends_on > '2027-06-01' FROM classes JOIN terms ON terms.id = end_term_id"
    assert school.rows(ends) == [(1,)]
    assert school.count("slots JOIN academic_years a ON a.id = academic_year_id WHERE a.name = '2026-2027'")


def test_july_belongs_to_the_academic_year_before(make: Any) -> None:
    school = make(today=at("2026-07-20T12:00"))
    assert school.rows("SELECT max(name) FROM academic_years") == [("2025-2026",)]
    assert school.rows("SELECT max(date) FROM homeroom_marks") < [("2026-06-26",)]


def test_the_year_before_has_terms_a_calendar_and_labels_and_no_marks(make: Any) -> None:
    school = make()
    year = "FROM academic_years a WHERE a.name = '2025-2026'"
    assert len(school.rows(f"SELECT id {year}")) == 2
    assert school.count(f"terms WHERE academic_year_id IN (SELECT id {year})") == 7
    assert school.count(f"categories WHERE academic_year_id IN (SELECT id {year})") == 30
    assert school.count("school_days WHERE date < '2026-07-01'") > 340
    assert not school.count("homeroom_marks WHERE date < '2026-08-16'")


def test_two_processes_that_start_at_once_make_one_school(tmp_path: Path, make: Any) -> None:
    code = (
        "import sys; from datetime import datetime; from attendance_mcp.sandbox.database import open_engine\n"
        "from attendance_mcp.sandbox.population import prepare\n"
        "prepare(open_engine(sys.argv[1]), size='small', today=datetime(2026, 11, 25, 12))"
    )
    file = tmp_path / "shared.db"
    running = [subprocess.Popen([sys.executable, "-c", code, str(file)]) for _ in range(2)]
    assert [process.wait(timeout=60) for process in running] == [0, 0]
    engine = open_engine(file)
    assert School(engine).everything() == make().everything()
    engine.dispose()


def test_a_failure_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    school = School(open_engine(tmp_path / "school.db"))
    school.change("CREATE VIEW homeroom_marks AS SELECT 1")
    with pytest.raises(sqlite3.OperationalError):
        prepare(school.engine, size="small", today=NOON)
    assert school.rows("SELECT name FROM sqlite_master") == [("homeroom_marks",)]
    school.change("DROP VIEW homeroom_marks")
    prepare(school.engine, size="small", today=NOON)
    assert school.count("students") == 96
    school.engine.dispose()


def test_a_moment_with_a_zone_is_refused(make: Any) -> None:
    with pytest.raises(ValueError, match="local time"):
        make(today=NOON.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("size", "programs", "year_groups", "students", "classes"),
    [("small", 2, 4, (96, 96), (20, 20)), ("school", 4, 13, (990, 1030), (190, 215))],
)
def test_each_size_has_its_counts(
    make: Any, size: Size, programs: int, year_groups: int, students: tuple[int, int], classes: tuple[int, int]
) -> None:
    school = make(size=size, today=at("2026-08-25T12:00"))
    assert school.count("programs") == programs
    assert school.count("year_groups") == year_groups
    assert students[0] <= school.count("students") <= students[1]
    assert classes[0] <= school.count("classes WHERE archived = 0") <= classes[1]


def test_the_district_has_10000_students_and_few_classes_without_homeroom(make: Any) -> None:
    school = make(size="district", today=at("2026-08-19T12:00"))
    assert school.count("students") == 10_000
    assert school.count("programs WHERE keeps_homeroom = 0") == 1
    without = "classes JOIN programs ON code = program_code WHERE keeps_homeroom = 0"
    assert 0 < school.count(without) <= 100


def test_programmes_differ_in_homeroom_week_rotation_and_key(school: School, make: Any) -> None:
    assert school.rows("SELECT code, key, keeps_homeroom, days_off, rotation_cycle FROM programs ORDER BY code") == [
        ("dp", "dp", 0, "[0, 6]", None),
        ("igcse", "igcse", 1, "[5, 6]", None),
        ("myp", "myp", 1, "[0, 6]", 6),
        ("pyp", "ib_pyp", 1, "[0, 6]", None),
    ]
    weekdays = "SELECT DISTINCT program_code, CAST(strftime('%w', date) AS INTEGER) FROM school_days ORDER BY 1, 2"
    assert [day for code, day in school.rows(weekdays) if code == "igcse"] == [0, 1, 2, 3, 4]
    assert [day for code, day in school.rows(weekdays) if code == "dp"] == [1, 2, 3, 4, 5]
    own = (
        "SELECT date FROM school_days WHERE program_code = 'dp' EXCEPT SELECT date FROM school_days WHERE program_code"
    )
    assert ("2026-12-02",) in school.rows(f"{own} = 'igcse'")
    small = make()
    assert [row[4] for row in small.rows("SELECT * FROM programs ORDER BY code")] == ["[5, 6]", "[0, 6]"]
    silent = "year_groups g WHERE NOT EXISTS (SELECT 1 FROM homeroom_marks m JOIN students s ON s.id = m.student_id "
    assert small.count(silent + "WHERE s.year_group_id = g.id)") == 1


def test_no_student_has_two_classes_at_once(school: School, make: Any) -> None:
    for one in (school, make()):
        twice = "(SELECT 1 FROM class_marks GROUP BY date, period, student_id HAVING count(*) > 1)"
        assert one.count(twice) == 0


def test_marks_stand_only_on_school_days_in_periods_that_meet_and_for_members(school: School) -> None:
    homeroom = """homeroom_marks m JOIN students s ON s.id = m.student_id JOIN year_groups g ON g.id = s.year_group_id
        WHERE NOT EXISTS (SELECT 1 FROM school_days d WHERE d.date = m.date AND d.program_code = g.program_code)"""
    assert school.count(homeroom) == 0
    meets = """class_marks m JOIN classes c ON c.id = m.class_id LEFT JOIN school_days d
        ON d.program_code = c.program_code AND d.date = m.date LEFT JOIN slots s ON s.class_id = c.id
        AND s.enabled = 1 AND s.period = m.period AND s.day % 7 =
          coalesce(d.rotation_day % 7, CAST(strftime('%w', d.date) AS INTEGER))
        WHERE s.id IS NULL"""
    assert school.count(meets) == 0
    members = """class_marks m WHERE NOT EXISTS (SELECT 1 FROM memberships b WHERE b.class_id = m.class_id
        AND b.student_id = m.student_id AND m.date BETWEEN b.joined_on AND coalesce(b.left_on, '9999'))"""
    assert school.count(members) == 0


def test_a_register_has_no_rows_before_it_is_due(make: Any) -> None:
    early, morning, noon = (make(today=at(f"2026-11-25T{time}")) for time in ("08:44", "09:15", "12:00"))
    untripped = "WHERE date = '2026-11-25' AND status <> 12"
    assert early.count(f"homeroom_marks {untripped}") == 0
    assert morning.count(f"homeroom_marks {untripped}") == noon.count(f"homeroom_marks {untripped}") > 40
    periods = f"SELECT DISTINCT period FROM class_marks {untripped} ORDER BY 1"
    assert early.rows(periods) == []
    assert morning.rows(periods) == [(1,)]
    assert noon.rows(periods) == [(1,), (2,), (3,)]


def test_an_ordinary_day_is_mostly_present(school: School) -> None:
    counted = Counter(dict(school.rows("SELECT status, count(*) FROM homeroom_marks GROUP BY status")))
    share = {status: 100 * count / counted.total() for status, count in counted.items()}
    assert 3 < share[0] < 6
    assert 2 < share[2] < 4
    assert 2 < share[11] + share[12] < 4
    assert 0.5 < share[10] + share[13] < 2.5
    assert share[1] > 85
    assert 700 < school.count("homeroom_marks WHERE date = '2026-11-24'") < 860
    assert 4000 < school.count("class_marks WHERE date = '2026-11-24'") < 5500


def test_some_registers_are_not_taken_half_taken_or_hold_only_exceptions(school: School) -> None:
    registers = school.rows(
        """SELECT g.id, s.homeroom_advisor_id, d.date, sum(m.status IS NOT NULL), sum(m.status = 1), count(*)
        FROM students s JOIN year_groups g ON g.id = s.year_group_id JOIN programs p ON p.code = g.program_code
        JOIN school_days d ON d.program_code = p.code AND d.date BETWEEN '2026-08-24' AND '2026-11-24'
        LEFT JOIN homeroom_marks m ON m.date = d.date AND m.student_id = s.id
        WHERE p.keeps_homeroom = 1 AND s.archived = 0 GROUP BY 1, 2, 3"""
    )
    habits = Counter()
    for group, advisor, _, marked, present, size in registers:
        habits["none" if not marked else "whole" if marked == size else "part"] += 1
        if marked and not present:
            habits[group, advisor] += 1
    assert 0.015 < habits["none"] / len(registers) < 0.08
    assert 0.01 < habits["part"] / len(registers) < 0.08
    only_exceptions = [key for key, days in habits.items() if isinstance(key, tuple) and days > 20]
    assert len(only_exceptions) == 1
    taken = school.rows("SELECT class_id, count(DISTINCT date || period) FROM class_marks WHERE status = 1 GROUP BY 1")
    assert sum(days < 15 for _, days in taken) >= 3  # rarely taken
    unmarked = "classes c WHERE archived = 0 AND NOT EXISTS (SELECT 1 FROM class_marks m WHERE m.class_id = c.id AND "
    assert school.count(unmarked + "status = 1)") >= 5  # only exceptions


_BOTH = "homeroom_marks h JOIN class_marks c ON c.date = h.date AND c.student_id = h.student_id"
_COVERED = "excusals e WHERE e.student_id = h.student_id AND h.date BETWEEN e.start_date AND e.end_date"


@pytest.mark.parametrize(
    ("case", "at_least"),
    [
        (f"{_BOTH} WHERE h.status = 0 AND c.status = 1", 100),
        (f"{_BOTH} WHERE h.status = 1 AND c.status = 0", 100),
        (f"{_BOTH} WHERE h.status = 1 AND c.status = 5", 50),
        (f"homeroom_marks h WHERE status = 0 AND EXISTS (SELECT 1 FROM {_COVERED})", 300),
        (f"homeroom_marks h WHERE status = 0 AND NOT EXISTS (SELECT 1 FROM {_COVERED})", 300),
        (f"homeroom_marks h WHERE status = 13 AND EXISTS (SELECT 1 FROM {_COVERED})", 100),
        (f"homeroom_marks h WHERE status = 1 AND EXISTS (SELECT 1 FROM {_COVERED})", 30),
        (
            """excusals e JOIN students s ON s.id = e.student_id JOIN year_groups g ON g.id = s.year_group_id
            WHERE g.program_code <> 'dp' AND e.end_date < '2026-11-25' AND NOT EXISTS (SELECT 1 FROM homeroom_marks h
            WHERE h.student_id = s.id AND h.date BETWEEN e.start_date AND e.end_date)""",
            5,
        ),
        ("homeroom_marks WHERE status = 12 AND date > '2026-11-25'", 10),
        ("class_marks WHERE status = 12 AND date > '2026-11-25'", 40),
        ("homeroom_marks WHERE status = 10", 50),
        ("homeroom_marks WHERE status = 11", 50),
        ("homeroom_marks WHERE status IN (3, 4, 14, 15)", 50),
        ("homeroom_marks WHERE note IS NOT NULL", 100),
        ("excusals WHERE start_date BETWEEN '2026-11-29' AND '2026-12-05'", 1),
        ("excusals WHERE julianday(end_date) - julianday(start_date) >= 6", 3),
        ("adjustments WHERE adjustment > 0 AND name = 'Absent'", 3),
        ("adjustments WHERE adjustment < 0 AND name IN ('Late', 'Tardy')", 2),
        ("students WHERE archived = 1", 15),
        ("students s WHERE archived = 1 AND EXISTS (SELECT 1 FROM homeroom_marks m WHERE m.student_id = s.id)", 5),
        (
            """memberships o JOIN memberships n ON n.student_id = o.student_id JOIN classes a ON a.id = o.class_id
            JOIN classes b ON b.id = n.class_id AND b.subject_name = a.subject_name AND b.id <> a.id
            JOIN class_marks m ON m.class_id = a.id AND m.student_id = o.student_id
            WHERE o.left_on < n.joined_on AND n.left_on IS NULL""",
            20,
        ),
        ("slots WHERE enabled = 0", 5),
        ("classes WHERE archived = 1", 1),
        ("teachers WHERE archived = 1", 1),
        ("categories WHERE enabled = 0", 10),
    ],
)
def test_every_kind_of_case_occurs(school: School, case: str, at_least: int) -> None:
    assert school.count(case) >= at_least


def test_some_are_late_for_days_and_a_few_hardly_come(school: School) -> None:
    streaks = (
        "(SELECT 1 FROM homeroom_marks WHERE status = 2 GROUP BY student_id, strftime('%W', date) HAVING count(*) >= 4)"
    )
    assert school.count(streaks) >= 5
    rates = [
        attended / counted
        for attended, counted in school.rows(
            """SELECT sum(status IN (1, 2, 3, 4, 5, 11, 12)), count(*) FROM homeroom_marks WHERE status NOT IN (14, 15)
            GROUP BY student_id HAVING sum(status = 1) > 20"""
        )
    ]
    assert 0.02 < sum(rate < 0.90 for rate in rates) / len(rates) < 0.06
    assert 1 <= sum(rate < 0.75 for rate in rates) <= 5


def test_excusals_keep_the_rules_of_the_api(school: School) -> None:
    spans = school.rows("SELECT student_id, start_date, end_date FROM excusals ORDER BY 1, 2")
    assert all(1 <= (date.fromisoformat(end) - date.fromisoformat(start)).days + 1 <= 12 for _, start, end in spans)
    assert all(one[0] != two[0] or one[2] < two[1] for one, two in pairwise(spans))
    unlinked = "excusals e LEFT JOIN child_links l ON l.parent_id = e.parent_id AND l.student_id = e.student_id"
    assert school.count(f"{unlinked} WHERE l.parent_id IS NULL") == 0
    assert school.count("excusals WHERE created_at > '2026-11-25T12:00:00Z'") == 0


def test_the_school_words_some_codes_its_own_way_by_programme_and_year(school: School) -> None:
    labels = {
        (program, name, status): label
        for program, name, status, label in school.rows(
            """SELECT program_code, name, status, label FROM categories
            JOIN academic_years a ON a.id = academic_year_id WHERE enabled = 1"""
        )
    }
    assert labels["myp", "2026-2027", 2] == "Tardy"
    assert labels["dp", "2026-2027", 3] == "Present online"
    assert labels["pyp", "2026-2027", 5] == "Left early"
    assert labels["pyp", "2026-2027", 15] == "School event"
    assert labels["pyp", "2025-2026", 15] == "House event"
    assert labels["igcse", "2026-2027", 2] == labels["igcse", "2026-2027", 4] == "Late"
    disabled = """homeroom_marks m JOIN students s ON s.id = m.student_id JOIN year_groups g ON g.id = s.year_group_id
        JOIN academic_years a ON a.program_code = g.program_code AND m.date BETWEEN a.starts_on AND a.ends_on
        JOIN categories c ON c.academic_year_id = a.id AND c.status = m.status WHERE c.enabled = 0"""
    assert school.count(disabled) == 0


def test_comments_are_in_several_scripts_and_a_few_try_to_give_orders(school: School) -> None:
    comments = [row[0] for row in school.rows("SELECT comment FROM excusals WHERE comment IS NOT NULL")]
    scripts = {unicodedata.name(letter).split()[0] for text in comments for letter in text if letter.isalpha()}
    assert {"LATIN", "CYRILLIC", "GREEK", "ARABIC", "CJK", "HANGUL", "DEVANAGARI", "HIRAGANA"} <= scripts
    tricks = ("Ignore your", "tool_result", "confirmation:", "\u200b", "](https://", "```", "<!--")
    assert all(any(trick in text for text in comments) for trick in tricks)
    assert 5 <= sum(any(trick in text for trick in tricks) for text in comments) <= 8


def test_names_hold_accents_and_namesakes_and_no_word_of_ours(school: School) -> None:
    students = school.rows("SELECT first_name, last_name, year_group_id FROM students")
    assert sum(not f"{first}{last}".isascii() for first, last, _ in students) > 200
    twice = [name for name, count in Counter((first, last) for first, last, _ in students).items() if count > 1]
    groups = [[group for first, last, group in students if (first, last) == name] for name in twice]
    assert sorted(len(set(group)) for group in groups) == [1, 2]
    people = students + school.rows(
        "SELECT first_name, last_name, 0 FROM parents UNION SELECT first_name, last_name, 0 FROM teachers"
    )
    words = {word.casefold() for first, last, _ in people for word in f"{first} {last}".replace("-", " ").split()}
    assert words.isdisjoint(OUR_WORDS.split())


def test_families_have_none_one_or_two_parents_and_siblings_share_them(school: School) -> None:
    links = "SELECT count(parent_id) FROM students s LEFT JOIN child_links l ON l.student_id = s.id GROUP BY s.id"
    assert {count for (count,) in school.rows(links)} == {0, 1, 2}
    assert school.count("(SELECT 1 FROM child_links GROUP BY parent_id HAVING count(*) > 1)") > 100


def test_ids_have_eight_digits_and_no_two_records_share_one(school: School) -> None:
    tables = ("students", "parents", "teachers", "classes", "year_groups", "terms", "academic_years", "excusals")
    ids = [row[0] for table in tables for row in school.rows(f"SELECT id FROM {table}")]
    assert all(10_000_000 <= one <= 99_999_999 for one in ids)
    assert len(set(ids)) == len(ids)
    assert school.count("students WHERE student_id GLOB 'S-[0-9][0-9][0-9][0-9][0-9]'") == school.count("students")


def test_a_year_group_has_several_homerooms_where_its_programme_keeps_any(school: School) -> None:
    advisors = school.rows(
        """SELECT program_code, count(DISTINCT homeroom_advisor_id), count(*) FROM students s
        JOIN year_groups g ON g.id = year_group_id GROUP BY g.id"""
    )
    assert {count for code, count, _ in advisors if code != "dp"} == {3, 4}
    assert {count for code, count, _ in advisors if code == "dp"} == {0}
    assert {students for *_, students in advisors} == {78}


@pytest.mark.parametrize("size", ["small", "school"])
@pytest.mark.parametrize(
    "day", [date(2026, 11, 25), date(2026, 11, 29), date(2026, 12, 27), date(2026, 8, 3), date(2027, 2, 28)]
)
def test_the_latest_common_school_day_is_one_in_every_programme(make: Any, size: Size, day: date) -> None:
    found = latest_common_school_day(day, size=size, seed=1)
    school = make(size=size, today=datetime.combine(day, NOON.time()))
    shared = """SELECT max(date) FROM (SELECT date FROM school_days GROUP BY date
        HAVING count(*) = (SELECT count(*) FROM programs)) WHERE date <= """
    assert school.rows(f"{shared}'{day}'") == [(found.isoformat(),)]
