"""The sandbox school's tables and how its SQLite file is opened.

Dates are ISO strings and moments ISO strings in UTC, as the wire has them. Periods are counted from 1 here, always;
`wire.py` counts them as the sandbox was told to. A mark has a row only where somebody marked it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

metadata = sa.MetaData()


def _table(name: str, *columns: sa.Column[Any], **options: Any) -> sa.Table[Any]:
    return sa.Table(name, metadata, *columns, **options)


def _int(name: str, *, key: bool = False, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, primary_key=key, nullable=null, autoincrement=False)


def _text(name: str, *, key: bool = False, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=null)


# What the file was made with and up to which moment its invented marks stand: size, seed, school, marked_until, ...
meta = _table("meta", _text("key", key=True), _text("value"))

# `key` is the programme's name in the academic-years answer, which differs from its code in some schools.
programs = _table(
    "programs",
    _text("code", key=True),
    _text("key"),
    _text("name"),
    _int("keeps_homeroom"),
    _text("days_off"),  # weekdays without school as a JSON array, 0 = Sunday
    _int("rotation_cycle", null=True),  # days in the rotation; null where slots go by weekday
)
academic_years = _table(
    "academic_years", _int("id", key=True), _text("program_code"), _text("name"), _text("starts_on"), _text("ends_on")
)
terms = _table(
    "terms", _int("id", key=True), _int("academic_year_id"), _text("name"), _text("starts_on"), _text("ends_on")
)
school_days = _table(
    "school_days", _text("program_code", key=True), _text("date", key=True), _int("rotation_day", null=True)
)
categories = _table(
    "categories",
    _int("academic_year_id", key=True),
    _int("status", key=True),
    _text("label"),
    _text("abbreviation"),
    _int("enabled"),
    _text("color_code"),
)
teachers = _table("teachers", _int("id", key=True), _text("first_name"), _text("last_name"), _int("archived"))
parents = _table("parents", _int("id", key=True), _text("first_name"), _text("last_name"))
year_groups = _table(
    "year_groups",
    _int("id", key=True),
    _text("name"),
    _text("short_name"),
    _text("program_code"),
    _text("grade"),
    _int("grade_number"),
    _int("archived"),
)
students = _table(
    "students",
    _int("id", key=True),
    _text("student_id"),  # the school's own number
    _text("first_name"),
    _text("last_name"),
    _text("email"),
    _int("archived"),
    _int("year_group_id"),
    _int("homeroom_advisor_id", null=True),
)
child_links = _table("child_links", _int("parent_id", key=True), _int("student_id", key=True))
classes = _table(
    "classes",
    _int("id", key=True),
    _text("name"),
    _text("program_code"),
    _text("grade"),
    _int("grade_number"),
    _text("subject_name"),
    _int("archived"),
    _int("start_term_id"),
    _int("end_term_id"),
)
class_teachers = _table("class_teachers", _int("class_id", key=True), _int("teacher_id", key=True))
# A student who left a class keeps the row with its last day, so that old marks keep their owner.
memberships = _table(
    "memberships",
    _int("id", key=True),
    _int("student_id"),
    _int("class_id"),
    _text("joined_on"),
    _text("left_on", null=True),
)
slots = _table(
    "slots",
    _int("id", key=True),
    _int("class_id"),
    _int("academic_year_id"),
    _int("day"),  # weekday (1 = Monday) or rotation day, as the programme counts
    _int("period"),
    _text("location"),
    _int("enabled"),
)
homeroom_marks = _table(
    "homeroom_marks",
    _text("date", key=True),
    _int("student_id", key=True),
    _int("status"),
    _text("note", null=True),
    sqlite_with_rowid=False,
)
class_marks = _table(
    "class_marks",
    _int("class_id", key=True),
    _text("date", key=True),
    _int("period", key=True),
    _int("student_id", key=True),
    _int("status"),
    _text("note", null=True),
    sqlite_with_rowid=False,
)
excusals = _table(
    "excusals",
    sa.Column("id", sa.Integer, primary_key=True),  # the file gives new ones their id
    _int("student_id"),
    _int("parent_id"),
    _text("start_date"),
    _text("end_date"),
    _text("comment", null=True),
    _text("created_at"),
    _text("updated_at"),
    sqlite_autoincrement=True,
)
adjustments = _table(
    "adjustments", _int("id", key=True), _int("student_id"), _int("term_id"), _text("name"), _int("adjustment")
)

sa.Index("students_by_year_group", students.c.year_group_id)
sa.Index("memberships_by_class", memberships.c.class_id, memberships.c.student_id)
sa.Index("memberships_by_student", memberships.c.student_id)
sa.Index("slots_by_class", slots.c.class_id)
sa.Index("homeroom_marks_by_student", homeroom_marks.c.student_id, homeroom_marks.c.date)
sa.Index("excusals_by_student", excusals.c.student_id)
sa.Index("terms_by_year", terms.c.academic_year_id)

BUSY_SECONDS = 15


def open_engine(path: Path | str) -> sa.Engine:
    """Open a school's file, made when it isn't there, for any number of threads and processes at once.

    Every transaction begins as a writer (BEGIN IMMEDIATE) unless it comes from `reading`, so that what it read is still
    so when it writes: SQLite refuses to turn a reader into a writer once somebody else has written.
    """
    engine = sa.create_engine(f"sqlite:///{path}", pool_size=10, max_overflow=40)
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One consistent view of the school that waits for no writer."""
    with engine.connect().execution_options(reader=True) as connection:
        yield connection


def _set_up(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver would begin transactions by itself, and too late
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        # Refused where another process opens the new file at this moment: that one sets the mode, which is the file's.
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = OFF")
    # SQLite's LIKE folds ASCII only, and pupils are called Émilie and Şeyma.
    connection.create_function("casefold", 1, _casefold, deterministic=True)


def _casefold(text: Any) -> str:
    return str(text).casefold()


def _begin(connection: sa.Connection) -> None:
    reader = connection.get_execution_options().get("reader", False)
    connection.exec_driver_sql("BEGIN" if reader else "BEGIN IMMEDIATE")
