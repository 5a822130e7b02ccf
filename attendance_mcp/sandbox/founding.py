"""The rows of the invented school that are not marks: people, programmes, classes, each academic year's own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from random import Random

from attendance_mcp.sandbox.absences import Diary
from attendance_mcp.sandbox.curriculum import timetable
from attendance_mcp.sandbox.people import BEFORE_THE_YEAR, Population
from attendance_mcp.sandbox.school_year import (
    PROGRAMMES,
    Programme,
    academic_year_id,
    categories,
    day_of,
    school_days,
    term_id,
)

SCHOOLS = {
    "small": ("Larkfield Community School", "larkfield"),
    "school": ("Harbour Hill International School", "harbourhill"),
    "district": ("Seven Rivers School District", "sevenrivers"),
}
# Excusals that the API makes are numbered from here, so that they never take the id of an invented one.
_FIRST_ID_OF_NEW_EXCUSALS = 70_000_000
_ADJUSTMENTS_A_TERM = 300


def _insert(connection: sqlite3.Connection, table: str, rows: Iterable[Sequence[object]]) -> None:
    rows = list(rows)
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", rows)  # noqa: S608 - our own tables


def read_meta(connection: sqlite3.Connection) -> dict[str, str]:
    """What the file was made with; empty for a new file."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
        return {}
    return dict(connection.execute("SELECT key, value FROM meta"))


def write_meta(connection: sqlite3.Connection, values: dict[str, str]) -> None:
    """Set what is said about the file."""
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", sorted(values.items()))


def found(connection: sqlite3.Connection, *, people: Population, year: int) -> None:
    """Write everything that does not belong to a date, in a file that begins with the academic year `year`."""
    name, subdomain = SCHOOLS[people.size]
    made = {"size": people.size, "seed": str(people.seed), "first_year": str(year)}
    write_meta(connection, made | {"school": name, "subdomain": subdomain, "country": "Portugal"})
    programmes = PROGRAMMES[people.size]
    _insert(
        connection,
        "programs",
        (
            (one.code, one.key, one.name, int(one.keeps_homeroom), str(list(one.days_off)), one.rotation)
            for one in programmes
        ),
    )
    _insert(connection, "teachers", ((one.id, one.first, one.last, int(one.archived)) for one in people.teachers))
    _insert(connection, "parents", ((one.id, one.first, one.last) for one in people.parents))
    _insert(
        connection,
        "year_groups",
        (
            (one.id, one.name, one.short_name, one.programme.code, one.grade, one.grade_number, 0)
            for one in people.year_groups
        ),
    )
    _insert(connection, "students", _student_rows(people))
    _insert(connection, "child_links", ((parent, one.id) for one in people.students for parent in one.parents))
    _add_classes(connection, people=people, programmes=programmes, year=year)
    open_year(connection, people=people, year=year - 1, with_slots=False)
    connection.execute("INSERT INTO sqlite_sequence VALUES ('excusals', ?)", (_FIRST_ID_OF_NEW_EXCUSALS - 1,))


def _student_rows(people: Population) -> Iterable[Sequence[object]]:
    for one in people.students:
        advisor = people.advisors.get((one.year_group.index, one.homeroom)) if one.homeroom is not None else None
        archived = int(one.leaves_after == BEFORE_THE_YEAR)
        yield one.id, one.number, one.first, one.last, one.email, archived, one.year_group.id, advisor


def _add_classes(
    connection: sqlite3.Connection, *, people: Population, programmes: tuple[Programme, ...], year: int
) -> None:
    places = {programme.code: index for index, programme in enumerate(programmes)}
    rows: list[Sequence[object]] = []
    for one in people.classes:
        group = one.year_group
        index = places[group.programme.code]
        span = term_id(index, year, 0), term_id(index, year, len(group.programme.terms) - 1)
        rows.append((one.id, one.name, group.programme.code, group.grade, group.grade_number, one.subject, 0, *span))
    if people.size != "small":
        # Last year's clubs, which nobody attends any more.
        for number, subject in enumerate(("Astronomy Club", "Debating", "Latin")):
            span = term_id(1, year - 1, 0), term_id(1, year - 1, 3)
            rows.append((20_090_000 + number, f"{subject} 8", "myp", "Grade 8", 9, subject, 1, *span))
    _insert(connection, "classes", rows)
    _insert(connection, "class_teachers", people.class_teachers)
    number = 40_000_000
    members: list[Sequence[object]] = []
    for one in people.classes:
        joined = day_of(year, one.year_group.programme.starts).isoformat()
        for student in people.rosters[one.id]:
            number += 1
            members.append((number, student.id, one.id, joined, None))
    _insert(connection, "memberships", members)


def open_year(connection: sqlite3.Connection, *, people: Population, year: int, with_slots: bool = True) -> None:
    """Write an academic year's terms, calendar, labels and timetable; nothing where they stand."""
    for index, programme in enumerate(PROGRAMMES[people.size]):
        year_id = academic_year_id(index, year)
        if connection.execute("SELECT 1 FROM academic_years WHERE id = ?", (year_id,)).fetchone():
            continue
        first, last = day_of(year, programme.starts), day_of(year, programme.ends)
        name = f"{year}-{year + 1}"
        _insert(connection, "academic_years", [(year_id, programme.code, name, first.isoformat(), last.isoformat())])
        _insert(
            connection,
            "terms",
            (
                (
                    term_id(index, year, n),
                    year_id,
                    term,
                    day_of(year, begins).isoformat(),
                    day_of(year, ends).isoformat(),
                )
                for n, (term, begins, ends) in enumerate(programme.terms)
            ),
        )
        days = school_days(programme.code, year, size=people.size, seed=people.seed)
        _insert(connection, "school_days", ((programme.code, day.isoformat(), turn) for day, turn in days.items()))
        _insert(connection, "categories", ((year_id, *row) for row in categories(programme, year)))
        if with_slots:
            _add_slots(connection, people=people, programme=programme, year=year, year_id=year_id)
            connection.execute(
                "UPDATE classes SET end_term_id = ? WHERE program_code = ? AND archived = 0",
                (term_id(index, year, len(programme.terms) - 1), programme.code),
            )


def _add_slots(
    connection: sqlite3.Connection, *, people: Population, programme: Programme, year: int, year_id: int
) -> None:
    codes = {one.id: one.year_group.programme.code for one in people.classes}
    slots = enumerate(timetable(people.classes, year=year, seed=people.seed))
    _insert(
        connection,
        "slots",
        (
            # 15,000 slots fit into a year's share of the ids, also in a district.
            (
                45_000_000 + (year % 100) * 15_000 + n,
                one.class_id,
                year_id,
                one.day,
                one.period,
                one.location,
                int(one.enabled),
            )
            for n, one in slots
            if codes[one.class_id] == programme.code
        ),
    )


def move_people(connection: sqlite3.Connection, *, people: Population, diary: Diary, until: date) -> None:
    """Archive the students who left before `until`, and carry out the changes of class."""
    gone = [(diary.last_day(one).isoformat(), one.id) for one in people.students if diary.last_day(one) < until]
    connection.executemany("UPDATE memberships SET left_on = ? WHERE student_id = ? AND left_on IS NULL", gone)
    connection.executemany(
        "UPDATE students SET archived = 1 WHERE id = ? AND archived = 0", ((one,) for _, one in gone)
    )
    for number, move in enumerate(people.moves):
        last = diary.day_of_move(move)
        if last < until:
            connection.execute(
                "UPDATE memberships SET left_on = ? WHERE student_id = ? AND class_id = ? AND left_on IS NULL",
                (last.isoformat(), move.student.id, move.old.id),
            )
            joined = (last + timedelta(days=1)).isoformat()
            _insert(connection, "memberships", [(44_000_000 + number, move.student.id, move.new.id, joined, None)])


def add_adjustments(
    connection: sqlite3.Connection, *, people: Population, diary: Diary, since: datetime, until: datetime
) -> None:
    """Corrections that administrators made to homeroom totals within the span, weeks into a term."""
    year, last_year = diary.first_year, until.year
    rows: list[Sequence[object]] = []
    for one_year in range(year, last_year + 1):
        for index, programme in enumerate(PROGRAMMES[people.size]):
            words = {code: label for code, label, *_ in categories(programme, one_year)}
            kept = [
                one for one in people.students if one.year_group.registers and one.year_group.programme == programme
            ]
            for n, (_, begins, _) in enumerate(programme.terms):
                term = term_id(index, one_year, n)
                rng = Random(f"{people.seed}/adjustments/{term}")
                for k, student in enumerate(rng.sample(kept, min(len(kept) // 20, _ADJUSTMENTS_A_TERM))):
                    made = datetime.combine(day_of(one_year, begins), time(16)) + timedelta(days=rng.randrange(12, 40))
                    change = rng.choice((-2, -1, -1, 1, 1, 2, 3))
                    number = 71_000_000 + (term - 32_000_000) * _ADJUSTMENTS_A_TERM + k
                    row = (number, student.id, term, words[rng.choice((0, 2))], change)
                    if since < made <= until:
                        rows.append(row)
    _insert(connection, "adjustments", rows)
