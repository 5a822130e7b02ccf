"""Whom the tests write about, looked up in the school's own database, and the two steps of a write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from mcp.types import CallToolResult

from tests.upstream_school import Asking, UpstreamSchool

DAY = "2026-11-24"  # Tuesday, the school's today
Facts = dict[str, Any]


def absent(school: UpstreamSchool) -> list[int]:
    """The students whom homeroom marks as absent today."""
    found = school.rows(
        "select student_id from homeroom_marks where date = :day and status = 0 order by student_id", day=DAY
    )
    return [id for (id,) in found]


def present(school: UpstreamSchool) -> list[int]:
    """The students whom homeroom marks as present today, without a note, in the order of their ids."""
    query = (
        "select student_id from homeroom_marks where date = :day and status = 1 and note is null order by student_id"
    )
    found = school.rows(query, day=DAY)
    return [id for (id,) in found]


def unmarked(school: UpstreamSchool) -> int:
    """A student who has no homeroom mark today."""
    query = """select id from students where archived = 0 and id not in
               (select student_id from homeroom_marks where date = :day) order by id"""
    return int(school.one(query, day=DAY)[0])


def homeroom(school: UpstreamSchool, student: int, day: str = DAY) -> tuple[int, str | None] | None:
    """The status and the note of a homeroom mark, None where there is none."""
    query = "select status, note from homeroom_marks where student_id = :id and date = :day"
    return next(((status, note) for status, note in school.rows(query, id=student, day=day)), None)


def label(school: UpstreamSchool, student: int, status: int) -> str:
    """What the student's programme calls a code."""
    query = """select c.label from students s join year_groups g on g.id = s.year_group_id
               join academic_years y on y.program_code = g.program_code
               join categories c on c.academic_year_id = y.id
               where s.id = :id and c.status = :status and y.starts_on <= :day and y.ends_on >= :day"""
    return str(school.one(query, id=student, status=status, day=DAY)[0])


def named(school: UpstreamSchool, student: int) -> str:
    """`Mia Tanaka (Grade 8)`."""
    query = """select s.first_name, s.last_name, g.name from students s
               join year_groups g on g.id = s.year_group_id where s.id = :id"""
    first, last, group = school.one(query, id=student)
    return f"{first} {last} ({group})"


@dataclass(frozen=True)
class Register:
    """One class and period of which a register was taken today."""

    id: int
    name: str
    period: int
    students: tuple[int, ...]

    @classmethod
    def of(cls, school: UpstreamSchool, *, most: int = 30) -> Register:
        id, name, period = school.one(
            """select c.id, c.name, m.period from class_marks m join classes c on c.id = m.class_id
               where m.date = :day group by 1, 2, 3 order by count(*) desc, 1, 3""",
            day=DAY,
        )
        students = school.rows(
            """select student_id from class_marks where class_id = :id and date = :day and period = :period
               order by student_id""",
            id=id,
            day=DAY,
            period=period,
        )
        return cls(id, name, period, tuple(student for (student,) in students)[:most])

    def mark(self, school: UpstreamSchool, student: int, day: str = DAY) -> tuple[int, str | None] | None:
        query = """select status, note from class_marks
                   where class_id = :id and date = :day and period = :period and student_id = :student"""
        values = {"id": self.id, "day": day, "period": self.period, "student": student}
        return next(((status, note) for status, note in school.rows(query, **values)), None)


@dataclass(frozen=True)
class Family:
    """A student without excusals this month, and a parent of theirs."""

    student: int
    parent: int

    @classmethod
    def of(cls, school: UpstreamSchool, number: int = 0) -> Family:
        return cls.all_of(school)[number]

    @classmethod
    def all_of(cls, school: UpstreamSchool) -> list[Family]:
        found = school.rows(
            """select l.student_id, min(l.parent_id) from child_links l join students s on s.id = l.student_id
               where s.archived = 0 and l.student_id not in (select student_id from excusals)
               group by 1 order by 1"""
        )
        return [cls(*family) for family in found]

    def excusals(self, school: UpstreamSchool) -> list[tuple[Any, ...]]:
        """Their excusals: start, end, parent, comment."""
        return school.rows(
            "select start_date, end_date, parent_id, comment from excusals where student_id = :id order by id",
            id=self.student,
        )


def museum_trip(school: UpstreamSchool) -> list[Facts]:
    """The errand that the documents show: twelve students on a trip, of whom one has a note."""
    students = present(school)[:12]
    trip = {"kind": "homeroom", "dates": [DAY], "status": 12}
    return [{**trip, "student_ids": students[1:]}, {**trip, "student_ids": students[:1], "notes": "Back at 15:00"}]


async def mark_late(ask: Asking, student: int, **more: Any) -> Facts:
    """The plan of a homeroom mark of code 2 today."""
    return await ask.facts("set_homeroom_attendance", student_id=student, date=DAY, status=2, **more)


async def apply(ask: Asking, plan: Facts, **other: Any) -> CallToolResult:
    """The plan carried out, or what the server says instead."""
    return await ask("apply_changes", **{"confirmation": plan["confirmation"], "summary": plan["summary"], **other})


def everything(school: UpstreamSchool) -> dict[str, list[tuple[Any, ...]]]:
    """All that a write could touch."""
    return {table: school.rows(f"select * from {table} order by 1, 2, 3, 4") for table in TABLES}


TABLES = ("homeroom_marks", "class_marks", "excusals")


@contextmanager
def plans_of(school: UpstreamSchool) -> Iterator[sqlite3.Connection]:
    """The store of plans, as another process sees it."""
    with closing(sqlite3.connect(school.path.with_name("plans.db"), isolation_level=None)) as store:
        yield store
