"""Homeroom: the marks of a year group by date, its term totals and adjustments, and one student's mark written."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from attendance_mcp.sandbox import totals, wire
from attendance_mcp.sandbox.database import academic_years, homeroom_marks, students
from attendance_mcp.sandbox.errors import invalid, not_found
from attendance_mcp.sandbox.lookups import (
    find_student,
    find_term,
    find_year_group,
    has_come,
    holds,
    is_school_day,
    labels_on,
)
from attendance_mcp.sandbox.requests import Call, read_date
from attendance_mcp.sandbox.writing import read_mark, write_marks
from attendance_mcp.status import NOT_TAKEN

Json = dict[str, Any]


def homeroom_date(call: Call) -> Json:
    group, day = find_year_group(call), call.day("date")
    rows = call.db.execute(
        sa.select(students.c.id, homeroom_marks.c.status, homeroom_marks.c.note)
        .join(
            homeroom_marks,
            sa.and_(homeroom_marks.c.student_id == students.c.id, homeroom_marks.c.date == day.isoformat()),
            isouter=True,
        )
        .where(students.c.year_group_id == group["id"], students.c.archived == 0)
        .order_by(students.c.id)
    )
    labels = labels_on(call, program_code=group["program_code"], day=day)
    none: Json = {}
    if call.assumptions.no_record == "{}":
        none = {"attendance": {}}
    elif (
        call.assumptions.no_record == "-1"
        and has_come(call, day)
        and is_school_day(call, program_code=group["program_code"], day=day)
    ):
        none = {"attendance": wire.mark(NOT_TAKEN, None, labels=labels)}
    return {
        "students": [
            {"id": who} | (none if status is None else {"attendance": wire.mark(status, note, labels=labels)})
            for who, status, note in rows
        ]
    }


def homeroom_term(call: Call) -> Json:
    group = find_year_group(call)
    term = find_term(call, program_code=group["program_code"])
    ids = _students_of(call, group["id"], totals.asked_for(call))
    counts = totals.homeroom_counts(call, year_group=group, term=term)
    inside = call.assumptions.adjustments == "inside"
    added = totals.adjustments_of(call, year_group_id=group["id"], term_id=term["id"]) if inside else {}
    return {"students": totals.answer(call, student_ids=ids, counts=counts, term=term, added=added)}


def homeroom_adjustments(call: Call) -> Json:
    group = find_year_group(call)
    term = find_term(call, program_code=group["program_code"])
    by_student = totals.adjustments_of(call, year_group_id=group["id"], term_id=term["id"])
    return {
        "students": [
            {
                "id": who,
                "attendance_adjustments": [
                    {"id": row["id"], "name": row["name"], "adjustment": row["adjustment"]}
                    for row in by_student.get(who, [])
                ],
            }
            for who in _students_of(call, group["id"], students.c.archived == 0)
        ]
    }


def set_homeroom(call: Call) -> Json:
    student = find_student(call, name="id")
    if student["archived"]:  # no homeroom reading shows the archived, so none of them can be marked either
        raise not_found("Student", student["id"])
    body = call.json_object()
    new, errors = read_mark(call, body)
    day = read_date(body.get("date"))
    if "date" not in body:
        errors["date"] = ["can't be blank"]
    elif day is None:
        errors["date"] = ["is invalid"]
    elif not _in_academic_year(call, student["program_code"], day.isoformat()):
        errors["date"] = ["must be within an academic year"]
    if errors or new is None or day is None:
        raise invalid(errors)
    write_marks(call, homeroom_marks, [({"date": day.isoformat(), "student_id": student["id"]}, new)])
    return {"status": "ok"}


def _students_of(call: Call, year_group_id: int, which: sa.ColumnElement[bool]) -> list[int]:
    select = sa.select(students.c.id).where(students.c.year_group_id == year_group_id, which).order_by(students.c.id)
    return list(call.db.execute(select).scalars())


def _in_academic_year(call: Call, program_code: str, day: str) -> bool:
    select = sa.select(academic_years.c.id).where(
        academic_years.c.program_code == program_code, holds(academic_years, day)
    )
    return call.db.execute(select).first() is not None
