"""Classes: the marks of a date, term totals, the timetable, and marks written row by row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from attendance_mcp.sandbox import totals, wire
from attendance_mcp.sandbox.database import academic_years, class_marks, memberships, school_days, slots, students
from attendance_mcp.sandbox.errors import bad_payload, invalid, not_permitted
from attendance_mcp.sandbox.lookups import (
    find_class,
    find_term,
    has_come,
    is_school_day,
    labels_on,
    meetings,
    member_on,
    school_days_among,
)
from attendance_mcp.sandbox.requests import Call, read_date, read_int
from attendance_mcp.sandbox.writing import Errors, NewMark, read_mark, write_marks
from attendance_mcp.status import NOT_TAKEN

Json = dict[str, Any]
ROW_KEYS = ("student_id", "date", "period", "status", "notes")


def class_date(call: Call) -> Json:
    group, day = find_class(call), call.day("date")
    if not group["starts_on"] <= day.isoformat() <= group["ends_on"]:
        raise invalid({"date": ["must be between the start and end dates of the class"]})
    # A day off and a day to come answer everybody with nothing, whatever a trip may have entered beforehand.
    counts = has_come(call, day) and is_school_day(call, program_code=group["program_code"], day=day)
    labels = labels_on(call, program_code=group["program_code"], day=day)
    by_student: dict[int, Json] = defaultdict(dict)
    if counts:
        for row in _marks_on(call, group["id"], day):
            by_student[row["student_id"]][str(row["period"])] = wire.mark(row["status"], row["note"], labels=labels)
    default: Json = {}
    if counts and call.assumptions.no_record == "-1":
        default = {str(period): wire.mark(NOT_TAKEN, None, labels=labels) for period in _periods_on(call, group, day)}
    members = _members(call, group["id"], member_on(day.isoformat()))
    shown = sorted(members | set(by_student))  # whoever left keeps their marks
    attendance = {who: (default if who in members else {}) | by_student.get(who, {}) for who in shown}
    return {
        "students": [{"id": who, "attendance": marks} for who, marks in attendance.items()],
        "timetable": wire.period_counting(call.assumptions),
    }


def class_term(call: Call) -> Json:
    group = find_class(call)
    term = find_term(call, program_code=group["program_code"])
    which = totals.asked_for(call)
    counts = totals.class_counts(call, group=group, term=term)
    during = sa.and_(
        memberships.c.joined_on <= term["ends_on"],
        sa.or_(memberships.c.left_on.is_(None), memberships.c.left_on >= term["starts_on"]),
    )
    marked = memberships.c.student_id.in_(list(counts))  # whoever left keeps their marks
    ids = call.db.execute(
        sa.select(memberships.c.student_id)
        .join(students, students.c.id == memberships.c.student_id)
        .where(memberships.c.class_id == group["id"], sa.or_(during, marked), which)
        .distinct()
        .order_by(memberships.c.student_id)
    ).scalars()
    return {
        "students": totals.answer(call, student_ids=ids, counts=counts, term=term),
        "timetable": wire.period_counting(call.assumptions),
    }


def timetable(call: Call) -> Json:
    group = find_class(call)
    shown = sa.true() if call.flag("include_disabled") else slots.c.enabled == 1
    rows = call.db.execute(
        sa.select(slots).where(slots.c.class_id == group["id"], shown).order_by(slots.c.day, slots.c.period, slots.c.id)
    ).mappings()
    by_year: dict[int, list[Json]] = defaultdict(list)
    for row in rows:
        by_year[row["academic_year_id"]].append(wire.slot(row, call.assumptions))
    years = call.db.execute(
        sa.select(academic_years)
        .where(
            academic_years.c.program_code == group["program_code"],
            academic_years.c.starts_on <= group["ends_on"],
            academic_years.c.ends_on >= group["starts_on"],
        )
        .order_by(academic_years.c.starts_on)
    ).mappings()
    return {
        "timetable": {
            "period_starts_count_from": call.assumptions.first_period,
            "academic_years": [
                {
                    "id": year["id"],
                    "name": year["name"],
                    "start_date": year["starts_on"],
                    "end_date": year["ends_on"],
                    "slots": by_year.get(year["id"], []),
                }
                for year in years
            ],
        }
    }


def set_class(call: Call) -> Json:
    """Each row is judged by itself, and the answer is a success even where every row failed."""
    group = find_class(call)
    rows = _read_rows(call)
    rules = _rules(call, group, rows)
    results: list[Json] = []
    written: list[tuple[Mapping[str, Any], NewMark]] = []
    for index, row in enumerate(rows):
        result: Json = {"index": index, "student_id": row["student_id"], "status": "ok"}
        new, errors = read_mark(call, row)
        errors |= _row_errors(call, row, rules)
        if row["student_id"] not in rules.members:
            result["status"] = "not_found"
        elif errors or new is None:
            result |= {"status": "unprocessable_entity", "errors": errors}
        else:
            key = {name: row[name] for name in ("date", "period", "student_id")}
            written.append(({"class_id": group["id"], **key}, new))
        results.append(result)
    write_marks(call, class_marks, written)
    return {"attendance": results}


@dataclass(frozen=True, slots=True)
class _Rules:
    """What a row is judged by."""

    starts_on: str
    ends_on: str
    members: set[int]  # whoever is or was one
    school_days: set[str]
    periods: list[tuple[str, str, int]]  # the periods of the timetable, with the days that each academic year spans


def _read_rows(call: Call) -> list[Json]:
    rows = call.json_object().get("attendances")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise bad_payload()
    if any(set(row) - set(ROW_KEYS) for row in rows):
        raise not_permitted(ROW_KEYS)
    if not all(_has_structure(row) for row in rows):
        raise bad_payload()
    return [row | {name: read_int(row[name]) for name in ("student_id", "period")} for row in rows]


def _has_structure(row: Json) -> bool:
    """Whether a row has what every row has; only its values are judged row by row."""
    whole = all(read_int(row.get(name)) is not None for name in ("student_id", "period", "status"))
    return whole and isinstance(row.get("date"), str) and isinstance(row.get("notes", ""), str)


def _rules(call: Call, group: sa.RowMapping, rows: list[Json]) -> _Rules:
    days = {day for row in rows if (day := read_date(row["date"]))}
    periods = call.db.execute(
        sa.select(academic_years.c.starts_on, academic_years.c.ends_on, slots.c.period)
        .join(slots, slots.c.academic_year_id == academic_years.c.id)
        .where(slots.c.class_id == group["id"], slots.c.enabled == 1)
        .distinct()
        .order_by(slots.c.period)
    )
    return _Rules(
        starts_on=group["starts_on"],
        ends_on=group["ends_on"],
        members=_members(call, group["id"], sa.true()),
        school_days=school_days_among(call, program_code=group["program_code"], days=days),
        periods=[(starts, ends, period) for starts, ends, period in periods],
    )


def _row_errors(call: Call, row: Json, rules: _Rules) -> Errors:
    """Say what is wrong with a row's date and period. What no reading would show is not written either."""
    day = read_date(row["date"])
    if day is None:
        return {"date": ["is invalid"]}
    iso = day.isoformat()
    if not rules.starts_on <= iso <= rules.ends_on:
        return {"date": ["must be between the start and end dates of the class"]}
    if not has_come(call, day):
        return {"date": ["can't be in the future"]}
    if iso not in rules.school_days:
        return {"date": ["is a day off"]}
    allowed = [period for starts, ends, period in rules.periods if starts <= iso <= ends]
    if row["period"] not in allowed:
        return {"period": [f"must be in {allowed}"]}
    return {}


def _marks_on(call: Call, class_id: int, day: date) -> sa.MappingResult:
    return call.db.execute(
        sa.select(class_marks)
        .join(students, students.c.id == class_marks.c.student_id)
        .where(class_marks.c.class_id == class_id, class_marks.c.date == day.isoformat(), students.c.archived == 0)
        .order_by(class_marks.c.period)
    ).mappings()


def _periods_on(call: Call, group: sa.RowMapping, day: date) -> list[int]:
    select = meetings(group, slots.c.period).where(school_days.c.date == day.isoformat()).distinct()
    return sorted(call.db.execute(select).scalars())


def _members(call: Call, class_id: int, which: sa.ColumnElement[bool]) -> set[int]:
    """Read the members of a class that aren't archived: no reading of a date shows those."""
    return set(
        call.db.execute(
            sa.select(memberships.c.student_id)
            .join(students, students.c.id == memberships.c.student_id)
            .where(memberships.c.class_id == class_id, students.c.archived == 0, which)
        ).scalars()
    )
