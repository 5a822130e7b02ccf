"""The records that several operations need: who, which term, which labels, which days and periods meet."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import sqlalchemy as sa

from attendance_mcp.sandbox.database import (
    academic_years,
    categories,
    classes,
    memberships,
    programs,
    school_days,
    slots,
    students,
    terms,
    year_groups,
)
from attendance_mcp.sandbox.errors import not_found
from attendance_mcp.sandbox.requests import Call

FIRST_TERM = terms.alias("first_term")
LAST_TERM = terms.alias("last_term")


def find_class(call: Call) -> sa.RowMapping:
    """Find the class of the path with its programme's rotation and the days that its terms span."""
    class_id = call.id("id", model="Class")
    row = _one(
        call,
        sa.select(
            classes,
            programs.c.rotation_cycle,
            FIRST_TERM.c.starts_on.label("starts_on"),
            LAST_TERM.c.ends_on.label("ends_on"),
        )
        .join(programs, programs.c.code == classes.c.program_code)
        .join(FIRST_TERM, FIRST_TERM.c.id == classes.c.start_term_id)
        .join(LAST_TERM, LAST_TERM.c.id == classes.c.end_term_id)
        .where(classes.c.id == class_id),
    )
    if row is None:
        raise not_found("Class", class_id)
    return row


def find_year_group(call: Call, *, name: str = "year_group_id") -> sa.RowMapping:
    group_id = call.id(name, model="YearGroup")
    row = _one(call, sa.select(year_groups).where(year_groups.c.id == group_id))
    if row is None:
        raise not_found("YearGroup", group_id)
    return row


def find_term(call: Call, *, program_code: str) -> sa.RowMapping:
    """Find the term of the path. Another programme's term isn't found: each programme has terms of its own."""
    term_id = call.id("term_id", model="AcademicTerm")
    row = _one(
        call,
        sa.select(terms)
        .join(academic_years, academic_years.c.id == terms.c.academic_year_id)
        .where(terms.c.id == term_id, academic_years.c.program_code == program_code),
    )
    if row is None:
        raise not_found("AcademicTerm", term_id)
    return row


def find_student(call: Call, *, name: str) -> sa.RowMapping:
    """Find the student of the path with their year group's programme."""
    student_id = call.id(name, model="Student")
    row = _one(
        call,
        sa.select(students, year_groups.c.program_code)
        .join(year_groups, year_groups.c.id == students.c.year_group_id)
        .where(students.c.id == student_id),
    )
    if row is None:
        raise not_found("Student", student_id)
    return row


def labels_of_year(call: Call, academic_year_id: int) -> dict[int, str]:
    return call.pairs(
        sa.select(categories.c.status, categories.c.label).where(categories.c.academic_year_id == academic_year_id)
    )


def labels_on(call: Call, *, program_code: str, day: date) -> dict[int, str]:
    """Read the labels of the programme's academic year that holds the day; none where no year does."""
    return call.pairs(
        sa.select(categories.c.status, categories.c.label)
        .join(academic_years, academic_years.c.id == categories.c.academic_year_id)
        .where(academic_years.c.program_code == program_code, holds(academic_years, day.isoformat()))
    )


def school_days_among(call: Call, *, program_code: str, days: Collection[date]) -> set[str]:
    """Which of the days are school days of the programme."""
    return set(
        call.db.execute(
            sa.select(school_days.c.date).where(
                school_days.c.program_code == program_code, school_days.c.date.in_({day.isoformat() for day in days})
            )
        ).scalars()
    )


def is_school_day(call: Call, *, program_code: str, day: date) -> bool:
    return bool(school_days_among(call, program_code=program_code, days=[day]))


def has_come(call: Call, day: date) -> bool:
    return day <= call.today.date()


def meets(group: sa.RowMapping) -> sa.ColumnElement[bool]:
    """Whether a slot of the class meets on a school day: by rotation day, or by weekday where there is no rotation."""
    if group["rotation_cycle"] is not None:
        return sa.and_(slots.c.day == school_days.c.rotation_day)
    # strftime counts from Sunday = 0, slots from Monday = 1.
    weekday = sa.cast(sa.func.strftime("%w", school_days.c.date), sa.Integer)
    return sa.and_(slots.c.day % 7 == weekday)


def meetings(group: sa.RowMapping, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Every school day and enabled slot on which the class meets within its terms."""
    return (
        sa.select(*columns)
        .select_from(slots)
        .join(academic_years, academic_years.c.id == slots.c.academic_year_id)
        .join(
            school_days,
            sa.and_(
                school_days.c.program_code == group["program_code"],
                holds(academic_years, school_days.c.date),
                school_days.c.date.between(group["starts_on"], group["ends_on"]),
            ),
        )
        .where(slots.c.class_id == group["id"], slots.c.enabled == 1, meets(group))
    )


def holds(span: sa.FromClause, day: str | sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether a year or term holds a day."""
    return sa.and_(span.c.starts_on <= day, span.c.ends_on >= day)


def member_on(day: str | sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether a membership holds a day."""
    still = sa.or_(memberships.c.left_on.is_(None), memberships.c.left_on >= day)
    return sa.and_(memberships.c.joined_on <= day, still)


def _one(call: Call, select: sa.Select[Any]) -> sa.RowMapping | None:
    return call.db.execute(select).mappings().one_or_none()
