"""Excusals: of a date, of a student, and made, changed and deleted one at a time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import sqlalchemy as sa

from attendance_mcp.sandbox import wire
from attendance_mcp.sandbox.database import child_links, excusals, school_days, students, year_groups
from attendance_mcp.sandbox.errors import DURATION, bad_payload, invalid, not_found, not_permitted
from attendance_mcp.sandbox.lookups import find_student
from attendance_mcp.sandbox.requests import MAX_INTEGER, Call, read_date, read_int
from attendance_mcp.sandbox.writing import Errors

Json = dict[str, Any]
CREATE_KEYS = ("parent_id", "start_date", "end_date", "comment")
UPDATE_KEYS = ("end_date", "comment")
MAX_DAYS = 12


def excusals_on_date(call: Call) -> Json:
    day = call.day("date").isoformat()
    page = call.page_of(_select(call).where(excusals.c.start_date <= day, excusals.c.end_date >= day))
    records = [_record(row) for row in page.rows]
    for record in records:
        del record["id"]  # this reading names none, so a client must find the student's own
    return {"excusals": records, "meta": page.meta}


def student_excusals(call: Call) -> Json:
    student = find_student(call, name="student_id")
    select = _select(call).where(excusals.c.student_id == student["id"])
    if day := call.optional_day("applies_on"):
        select = select.where(excusals.c.start_date <= day.isoformat(), excusals.c.end_date >= day.isoformat())
    page = call.page_of(select)
    return {"excusals": [_record(row) for row in page.rows], "meta": page.meta}


def create_excusal(call: Call) -> Json:
    student = find_student(call, name="student_id")
    body = _read_body(call, CREATE_KEYS)
    errors: Errors = {}
    parent_id = _read_parent(call, student["id"], body, errors)
    start = _read_date(body, "start_date", errors)
    if "start_date" not in body:
        errors["start_date"] = ["can't be blank"]
    end = _read_date(body, "end_date", errors) if "end_date" in body else start
    comment = _read_comment(body, errors)
    if start and end and not errors:
        errors |= _range_errors(call, student, start=start, end=end, but_for=None)
    if errors or start is None or end is None:
        raise invalid(errors)
    stamp = _stamp(call)
    values = {
        "student_id": student["id"],
        "parent_id": parent_id,
        "start_date": start.isoformat(),
        "end_date": end.isoformat(),
        "comment": comment,
        "created_at": stamp,
        "updated_at": stamp,
    }
    excusal_id = call.db.execute(excusals.insert().values(values).returning(excusals.c.id)).scalar_one()
    return {"excusal": _record(_find(call, student["id"], excusal_id))}


def update_excusal(call: Call) -> Json:
    student, old = _find_both(call)
    body = _read_body(call, UPDATE_KEYS)
    errors: Errors = {}
    end = _read_date(body, "end_date", errors)
    comment = _read_comment(body, errors) if "comment" in body else old["comment"]
    if end is not None and not errors:
        start = date.fromisoformat(old["start_date"])
        errors |= _range_errors(call, student, start=start, end=end, but_for=old["id"])
    if errors:
        raise invalid(errors)
    end_date = old["end_date"] if end is None else end.isoformat()
    call.db.execute(
        excusals.update()
        .where(excusals.c.id == old["id"])
        .values(end_date=end_date, comment=comment, updated_at=_stamp(call))
    )
    return {"excusal": _record(_find(call, student["id"], old["id"]))}


def delete_excusal(call: Call) -> Json:
    _, old = _find_both(call)
    call.db.execute(excusals.delete().where(excusals.c.id == old["id"]))
    return {"excusal": _record(old)}


def _select(call: Call) -> sa.Select[Any]:
    return sa.select(excusals, _duration(call).label("duration")).order_by(excusals.c.start_date, excusals.c.id)


def _duration(call: Call) -> sa.ColumnElement[int]:
    """Count the days that an excusal counts, both ends among them."""
    if call.assumptions.duration == "school":
        counted = (
            sa.select(sa.func.count())
            .select_from(school_days)
            .join(year_groups, year_groups.c.program_code == school_days.c.program_code)
            .join(students, students.c.year_group_id == year_groups.c.id)
            .where(
                students.c.id == excusals.c.student_id,
                school_days.c.date.between(excusals.c.start_date, excusals.c.end_date),
            )
            .correlate(excusals)
            .scalar_subquery()
        )
        # One that stands and holds no school day shows 1, the least that the contract has.
        return sa.func.max(1, counted)
    days = sa.func.julianday(excusals.c.end_date) - sa.func.julianday(excusals.c.start_date)
    return sa.cast(days, sa.Integer) + 1


def _record(row: sa.RowMapping) -> Json:
    return wire.excusal(row, duration=row["duration"])


def _find(call: Call, student_id: int, id: int) -> sa.RowMapping:
    """Find the excusal of this student; another student's isn't found."""
    row = (
        call.db.execute(_select(call).where(excusals.c.id == id, excusals.c.student_id == student_id))
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise not_found("AttendanceExcusal", id)
    return row


def _find_both(call: Call) -> tuple[sa.RowMapping, sa.RowMapping]:
    student = find_student(call, name="student_id")
    return student, _find(call, student["id"], call.id("id", model="AttendanceExcusal"))


def _read_body(call: Call, allowed: Iterable[str]) -> Json:
    """Read the excusal of the body. An empty one is as good as none, as with Rails' `require`."""
    body = call.json_object().get("excusal")
    if not isinstance(body, dict) or not body:
        raise bad_payload()
    if set(body) - set(allowed):
        raise not_permitted(allowed)
    return body


def _read_parent(call: Call, student_id: int, body: Json, errors: Errors) -> int | None:
    parent_id = read_int(body.get("parent_id"))
    if "parent_id" not in body:
        errors["parent_id"] = ["can't be blank"]
    elif parent_id is None or abs(parent_id) > MAX_INTEGER:
        errors["parent_id"] = ["is invalid"]
    elif (
        call.db.execute(
            sa.select(child_links).where(child_links.c.parent_id == parent_id, child_links.c.student_id == student_id)
        ).first()
        is None
    ):
        errors["parent_id"] = ["must be a parent of the student"]
    return parent_id


def _read_date(body: Json, name: str, errors: Errors) -> date | None:
    day = read_date(body.get(name))
    if name in body and day is None:
        errors[name] = ["is invalid"]
    return day


def _read_comment(body: Json, errors: Errors) -> str | None:
    comment = body.get("comment", "")
    if not isinstance(comment, str):
        errors["comment"] = ["is invalid"]
        return None
    return comment or None


def _range_errors(call: Call, student: sa.RowMapping, *, start: date, end: date, but_for: int | None) -> Errors:
    if end < start:
        return {"end_date": ["must be on or after the start date"]}
    if not 1 <= _days_counted(call, student, start=start, end=end) <= MAX_DAYS:
        return {"duration": [DURATION]}
    other = sa.select(excusals.c.id).where(
        excusals.c.student_id == student["id"],
        excusals.c.start_date <= end.isoformat(),
        excusals.c.end_date >= start.isoformat(),
    )
    if but_for is not None:
        other = other.where(excusals.c.id != but_for)
    if call.db.execute(other).first() is not None:
        return {"end_date" if but_for else "start_date": ["overlaps with another excusal of the student"]}
    return {}


def _days_counted(call: Call, student: sa.RowMapping, *, start: date, end: date) -> int:
    if call.assumptions.duration == "calendar":
        return (end - start).days + 1
    select = (
        sa.select(sa.func.count())
        .select_from(school_days)
        .where(
            school_days.c.program_code == student["program_code"],
            school_days.c.date.between(start.isoformat(), end.isoformat()),
        )
    )
    return call.db.execute(select).scalar_one()


def _stamp(call: Call) -> str:
    """Read the school's clock, which stands where it was set, as a moment of the wire."""
    return call.today.strftime("%Y-%m-%dT%H:%M:%SZ")
