"""The marks of the days that have passed: which registers are taken, and what stands in them.

Ordinary marks are made inside SQLite, by joining registers, rosters and what differs from "present"; only the latter is
drawn in Python. Every statement ignores a mark that stands, whoever made it.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from random import Random

from attendance_mcp.sandbox.absences import LATE, TRIP, Diary, Fact, sunday_of
from attendance_mcp.sandbox.curriculum import timetable
from attendance_mcp.sandbox.people import HARDLY_COMES, Population, Student
from attendance_mcp.sandbox.school_year import academic_year_of

HOMEROOM_DUE = time(8, 45)
_REGISTER_MINUTES = 15  # a class register is due this long after its period starts
_ONLY_EXCEPTIONS = 0

_TABLES = """
CREATE TEMP TABLE fact (date TEXT, student_id INTEGER, homeroom INTEGER, before INTEGER, since INTEGER, turn INTEGER,
  note TEXT, PRIMARY KEY (date, student_id)) WITHOUT ROWID;
CREATE TEMP TABLE slip (class_id INTEGER, date TEXT, period INTEGER, student_id INTEGER, status INTEGER,
  PRIMARY KEY (class_id, date, period, student_id)) WITHOUT ROWID;
CREATE TEMP TABLE homeroom_register (date TEXT, homeroom INTEGER, marked INTEGER,
  PRIMARY KEY (date, homeroom)) WITHOUT ROWID;
CREATE TEMP TABLE class_register (class_id INTEGER, date TEXT, period INTEGER, marked INTEGER,
  PRIMARY KEY (class_id, date, period)) WITHOUT ROWID;
CREATE TEMP TABLE homeroom_roster (student_id INTEGER PRIMARY KEY, homeroom INTEGER, place INTEGER, last_day TEXT);
CREATE TEMP TABLE class_roster (class_id INTEGER, student_id INTEGER, place INTEGER, first_day TEXT, last_day TEXT,
  PRIMARY KEY (class_id, student_id)) WITHOUT ROWID;
"""
# The order of the joins is the order of the primary keys, so that marks are appended and nothing has to be sorted:
# CROSS JOIN keeps SQLite from choosing another. `marked` is how many of the roster are marked, 0 = only exceptions.
_HOMEROOM_MARKS = """
INSERT OR IGNORE INTO homeroom_marks (date, student_id, status, note)
SELECT day.date, roster.student_id, coalesce(fact.homeroom, 1), fact.note
FROM (SELECT DISTINCT date FROM homeroom_register) AS day
CROSS JOIN homeroom_roster AS roster
CROSS JOIN homeroom_register AS register ON register.date = day.date AND register.homeroom = roster.homeroom
LEFT JOIN fact ON fact.date = day.date AND fact.student_id = roster.student_id
WHERE day.date <= roster.last_day
  AND (roster.place <= register.marked OR (register.marked = 0 AND fact.homeroom <> 1))
"""
_CLASS_MARKS = """
INSERT OR IGNORE INTO class_marks (class_id, date, period, student_id, status, note)
SELECT register.class_id, register.date, register.period, roster.student_id,
  coalesce(slip.status, CASE WHEN register.period < fact.turn THEN fact.before ELSE fact.since END, 1) AS status,
  CASE WHEN register.period = fact.turn THEN fact.note END
FROM class_register AS register
CROSS JOIN class_roster AS roster ON roster.class_id = register.class_id
LEFT JOIN fact ON fact.date = register.date AND fact.student_id = roster.student_id
LEFT JOIN slip ON slip.class_id = register.class_id AND slip.date = register.date
  AND slip.period = register.period AND slip.student_id = roster.student_id
WHERE register.date BETWEEN roster.first_day AND roster.last_day
  AND (roster.place <= register.marked OR (register.marked = 0 AND status <> 1))
"""
_NAMES = ("fact", "slip", "homeroom_register", "class_register", "homeroom_roster", "class_roster")


def class_due(period: int) -> time:
    """When the register of a period is due: a quarter of an hour after it starts, the first at 09:00."""
    return time(8 + period, _REGISTER_MINUTES)


class Registers:
    """The registers of a school's days: who meets when, and which of them were taken."""

    def __init__(self, population: Population, diary: Diary) -> None:
        self._people = population
        self._diary = diary
        self._slots: dict[int, dict[tuple[str, int], list[tuple[int, int]]]] = {}
        self._programmes = {one.id: one.year_group.programme.code for one in population.classes}
        self._habits = {one.id: one.habit for one in population.classes}
        self.homerooms = [
            (group.index * 100 + homeroom, group)
            for group in population.year_groups
            if group.registers
            for homeroom in range(group.homerooms)
        ]
        # One advisor in fifty, and one in any school, marks nobody who is simply there. It isn't the only advisor of a
        # year group, nor that of a student who hardly comes: where only exceptions are marked, nobody can count days.
        hardly = {(one.year_group.index, one.homeroom) for one in population.students if one.away == HARDLY_COMES}
        free = [
            number
            for number, group in self.homerooms
            if group.homerooms > 1 and (group.index, number % 100) not in hardly
        ]
        rng = Random(f"{population.seed}/advisors")
        self._exceptions_only = set(rng.sample(free, max(1, round(len(free) / 50))))
        self._rosters = _rosters(population, diary)

    def meetings(self, day: date) -> Iterator[tuple[int, int]]:
        """The class and period of each register of a day."""
        year = academic_year_of(day)
        if year not in self._slots:
            by_day = defaultdict(list)
            for slot in timetable(self._people.classes, year=year, seed=self._people.seed):
                if slot.enabled:
                    by_day[self._programmes[slot.class_id], slot.day].append((slot.class_id, slot.period))
            self._slots[year] = by_day
        for key in self._diary.slot_days(day).items():
            yield from self._slots[year].get(key, ())

    def homeroom_registers(self, day: date) -> list[tuple[int, int]]:
        """Homeroom and how many are marked, without those that nobody took."""
        rng = Random(f"{self._people.seed}/homerooms/{day}")
        in_session = self._diary.slot_days(day)
        taken = []
        for number, group in self.homerooms:
            roll, part = rng.random(), rng.randrange(3, 14)
            if roll < 0.025 or group.programme.code not in in_session:
                continue
            if number in self._exceptions_only:
                taken.append((number, _ONLY_EXCEPTIONS))
            else:
                taken.append((number, part if roll < 0.045 else 1000))
        return taken

    def class_registers(self, day: date) -> list[tuple[int, int, int]]:
        """Class, period and how many are marked, without those that nobody took."""
        rng = Random(f"{self._people.seed}/classes/{day}")
        taken = []
        for class_id, period in self.meetings(day):
            roll, part = rng.random(), rng.randrange(3, 14)
            habit = self._habits[class_id]
            if roll < (0.88 if habit == "rarely" else 0.025):
                continue
            marked = _ONLY_EXCEPTIONS if habit == "exceptions" else part if roll < 0.04 else 1000
            taken.append((class_id, period, marked))
        return taken

    def slips(
        self, day: date, taken: list[tuple[int, int, int]], facts: dict[int, Fact]
    ) -> Iterator[tuple[object, ...]]:
        """Now and then one student of a class comes late to that class alone."""
        rng = Random(f"{self._people.seed}/slips/{day}")
        for class_id, period, marked in taken:
            if rng.random() < 0.09 and marked:
                student_id = rng.choice(self._rosters[class_id])[0]
                if student_id not in facts:
                    yield class_id, day.isoformat(), period, student_id, LATE

    def roster_rows(self) -> Iterator[tuple[object, ...]]:
        """Class, student, place, first and last day of every membership."""
        for class_id, rows in self._rosters.items():
            for place, (student_id, first, last) in enumerate(rows, start=1):
                yield class_id, student_id, place, first.isoformat(), last.isoformat()

    def classes_on(self, day: date, students: Iterable[Student]) -> Iterator[tuple[int, int, int]]:
        """Class, period and student id of everything that these students have on a day."""
        wanted = {student.id for student in students}
        for class_id, period in self.meetings(day):
            for student_id, first, last in self._rosters[class_id]:
                if student_id in wanted and first <= day <= last:
                    yield class_id, period, student_id


def _rosters(population: Population, diary: Diary) -> dict[int, list[tuple[int, date, date]]]:
    """Student id, first and last day of each class's members, in the order of ids."""
    rosters = {
        class_id: {student.id: (student.id, date.min, diary.last_day(student)) for student in students}
        for class_id, students in population.rosters.items()
    }
    for move in population.moves:
        last = diary.day_of_move(move)
        rosters[move.old.id][move.student.id] = (move.student.id, date.min, last)
        rosters[move.new.id][move.student.id] = (move.student.id, last + timedelta(days=1), date.max)
    return {class_id: [rows[student_id] for student_id in sorted(rows)] for class_id, rows in rosters.items()}


def add_marks(
    connection: sqlite3.Connection, *, population: Population, diary: Diary, since: datetime, until: datetime
) -> None:
    """Add the marks of the registers that fall due after `since` and not after `until`, and the trips entered then."""
    registers = Registers(population, diary)
    for statement in _TABLES.split(";"):
        connection.execute(statement)
    _fill_rosters(connection, population=population, diary=diary, registers=registers)
    day = since.date()
    while day <= until.date():
        if diary.slot_days(day):
            _fill_day(connection, registers, diary=diary, day=day, since=since, until=until)
        day += timedelta(days=1)
    connection.execute(_HOMEROOM_MARKS)
    connection.execute(_CLASS_MARKS)
    _add_trips(connection, registers, diary=diary, since=since, until=until)
    for name in _NAMES:
        connection.execute(f"DROP TABLE temp.{name}")


def _fill_rosters(
    connection: sqlite3.Connection, *, population: Population, diary: Diary, registers: Registers
) -> None:
    places: dict[int, int] = defaultdict(int)
    rows = []
    for student in population.students:
        if student.homeroom is not None and student.year_group.registers:
            number = student.year_group.index * 100 + student.homeroom
            places[number] += 1
            rows.append((student.id, number, places[number], diary.last_day(student).isoformat()))
    connection.executemany("INSERT INTO homeroom_roster VALUES (?, ?, ?, ?)", rows)
    connection.executemany("INSERT INTO class_roster VALUES (?, ?, ?, ?, ?)", registers.roster_rows())


def _fill_day(
    connection: sqlite3.Connection, registers: Registers, *, diary: Diary, day: date, since: datetime, until: datetime
) -> None:
    """What one day's marks are made from; registers not due within the span stay out."""
    text = day.isoformat()
    facts = diary.facts(day)
    taken = registers.class_registers(day)
    connection.executemany(
        "INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (text, student_id, fact.homeroom, fact.before, fact.since, fact.turn, fact.note)
            for student_id, fact in facts.items()
        ),
    )
    connection.executemany("INSERT OR IGNORE INTO slip VALUES (?, ?, ?, ?, ?)", registers.slips(day, taken, facts))
    if since < datetime.combine(day, HOMEROOM_DUE) <= until:
        connection.executemany(
            "INSERT INTO homeroom_register VALUES (?, ?, ?)",
            ((text, homeroom, marked) for homeroom, marked in registers.homeroom_registers(day)),
        )
    connection.executemany(
        "INSERT INTO class_register VALUES (?, ?, ?, ?)",
        (
            (class_id, text, period, marked)
            for class_id, period, marked in taken
            if since < datetime.combine(day, class_due(period)) <= until
        ),
    )


def _add_trips(
    connection: sqlite3.Connection, registers: Registers, *, diary: Diary, since: datetime, until: datetime
) -> None:
    """Trips are marked when they are entered, in homeroom and class, also where that register is never taken."""
    sunday = sunday_of(since.date())
    while sunday <= until.date() + timedelta(days=14):
        for trip in diary.week(sunday).trips:
            if not since < trip.entered <= until:
                continue
            for day in trip.days:
                text = day.isoformat()
                connection.executemany(
                    "INSERT OR IGNORE INTO homeroom_marks VALUES (?, ?, ?, ?)",
                    ((text, one.id, TRIP, trip.note) for one in trip.students if one.year_group.registers),
                )
                connection.executemany(
                    "INSERT OR IGNORE INTO class_marks VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        (class_id, text, period, student_id, TRIP, trip.note if period == 1 else None)
                        for class_id, period, student_id in registers.classes_on(day, trip.students)
                    ),
                )
        sunday += timedelta(days=7)
