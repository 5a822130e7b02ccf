"""What turns a person's words into ids: students, classes, year groups, parents, teachers, memberships."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from attendance_mcp.sandbox import wire
from attendance_mcp.sandbox.database import (
    child_links,
    class_teachers,
    classes,
    memberships,
    parents,
    programs,
    students,
    teachers,
    year_groups,
)
from attendance_mcp.sandbox.errors import not_found
from attendance_mcp.sandbox.lookups import find_class, find_student, find_year_group, member_on
from attendance_mcp.sandbox.requests import Call, comma_separated_ids

Json = dict[str, Any]

STUDENTS = (
    sa.select(
        students,
        year_groups.c.grade,
        year_groups.c.grade_number,
        year_groups.c.program_code,
        programs.c.name.label("program_name"),
    )
    .join(year_groups, year_groups.c.id == students.c.year_group_id)
    .join(programs, programs.c.code == year_groups.c.program_code)
    .order_by(students.c.id)
)
CLASSES = (
    sa.select(classes, programs.c.name.label("program_name"))
    .join(programs, programs.c.code == classes.c.program_code)
    .order_by(classes.c.id)
)


def list_students(call: Call) -> Json:
    """Without `archived` the archived ones too, unlike classes and year groups."""
    select = STUDENTS
    if (archived := call.flag("archived")) is not None:
        select = select.where(students.c.archived == int(archived))
    if text := call.query.get("q"):
        select = select.where(_named(students, text, students.c.email, students.c.student_id))
    if text := call.query.get("year_group_ids"):
        select = select.where(students.c.year_group_id.in_(comma_separated_ids(text)))
    if text := call.query.get("homeroom_advisor_ids"):
        select = select.where(students.c.homeroom_advisor_id.in_(comma_separated_ids(text)))
    page = call.page_of(select)
    return {"students": _students(call, page.rows), "meta": page.meta}


def get_student(call: Call) -> Json:
    student_id = call.id("id", model="Student")
    row = call.db.execute(STUDENTS.where(students.c.id == student_id)).mappings().one_or_none()
    if row is None:
        raise not_found("Student", student_id)
    return {"student": _students(call, [row])[0]}


def student_memberships(call: Call) -> Json:
    student = find_student(call, name="id")
    rows = call.db.execute(
        sa.select(classes)
        .join(memberships, memberships.c.class_id == classes.c.id)
        .where(memberships.c.student_id == student["id"], _current(call))
        .distinct()
        .order_by(classes.c.id)
    ).mappings()
    group = call.db.execute(sa.select(year_groups).where(year_groups.c.id == student["year_group_id"])).mappings().one()
    return {
        "memberships": {
            "classes": [
                {
                    "id": row["id"],
                    "name": row["name"],
                    "archived": bool(row["archived"]),
                    "start_term_id": row["start_term_id"],
                    "end_term_id": row["end_term_id"],
                }
                for row in rows
            ],
            "year_groups": [{"id": group["id"], "name": group["name"], "archived": bool(group["archived"])}],
        }
    }


def list_classes(call: Call) -> Json:
    page = call.page_of(CLASSES.where(classes.c.archived == int(call.flag("archived") or False)))
    return {"classes": _classes(call, page.rows), "meta": page.meta}


def get_class(call: Call) -> Json:
    class_id = call.id("id", model="Class")
    row = call.db.execute(CLASSES.where(classes.c.id == class_id)).mappings().one_or_none()
    if row is None:
        raise not_found("Class", class_id)
    return {"class": _classes(call, [row])[0]}


def class_students(call: Call) -> Json:
    """Answer the roster of today: whoever left or has yet to come isn't on it."""
    group = find_class(call)
    page = call.page_of(
        sa.select(memberships.c.student_id)
        .join(students, students.c.id == memberships.c.student_id)
        .where(memberships.c.class_id == group["id"], students.c.archived == 0, _current(call))
        .distinct()
        .order_by(memberships.c.student_id)
    )
    return {"student_ids": [row["student_id"] for row in page.rows], "meta": page.meta}


def list_year_groups(call: Call) -> Json:
    page = call.page_of(
        sa.select(year_groups, programs.c.name.label("program_name"))
        .join(programs, programs.c.code == year_groups.c.program_code)
        .where(year_groups.c.archived == int(call.flag("archived") or False))
        .order_by(year_groups.c.id)
    )
    in_groups = sa.select(students.c.year_group_id, students.c.id).where(
        students.c.year_group_id.in_([row["id"] for row in page.rows]), students.c.archived == 0
    )
    members = _grouped(call, in_groups.order_by(students.c.id))
    groups = [wire.year_group(row, student_ids=members.get(row["id"], [])) for row in page.rows]
    return {"year_groups": groups, "meta": page.meta}


def year_group_students(call: Call) -> Json:
    group = find_year_group(call, name="id")
    page = call.page_of(STUDENTS.where(students.c.year_group_id == group["id"], students.c.archived == 0))
    return {
        "student_ids": [row["id"] for row in page.rows],
        "students": _students(call, page.rows),
        "meta": page.meta,
    }


def list_memberships(call: Call) -> Json:
    select = sa.select(memberships).where(_current(call)).order_by(memberships.c.id)
    if class_ids := call.ids("class_ids[]"):
        select = select.where(memberships.c.class_id.in_(class_ids))
    if user_ids := call.ids("user_ids[]"):
        select = select.where(memberships.c.student_id.in_(user_ids))
    page = call.page_of(select)
    return {
        "memberships": [
            {"id": row["id"], "user_id": row["student_id"], "class_id": row["class_id"], "role": "Student"}
            for row in page.rows
        ],
        "meta": page.meta,
    }


def list_teachers(call: Call) -> Json:
    select = sa.select(teachers).order_by(teachers.c.id)
    if (archived := call.flag("archived")) is not None:
        select = select.where(teachers.c.archived == int(archived))
    if text := call.query.get("q"):
        select = select.where(_named(teachers, text))
    page = call.page_of(select)
    return {"teachers": [wire.named_teacher(row) for row in page.rows], "meta": page.meta}


def list_parents(call: Call) -> Json:
    select = sa.select(parents).order_by(parents.c.id)
    if text := call.query.get("q"):
        select = select.where(_named(parents, text))
    page = call.page_of(select)
    return {"parents": _parents(call, page.rows), "meta": page.meta}


def get_parent(call: Call) -> Json:
    parent_id = call.id("id", model="Parent")
    row = call.db.execute(sa.select(parents).where(parents.c.id == parent_id)).mappings().one_or_none()
    if row is None:
        raise not_found("Parent", parent_id)
    return {"parent": _parents(call, [row])[0]}


def _current(call: Call) -> sa.ColumnElement[bool]:
    return member_on(call.today.date().isoformat())


def _named(people: sa.Table[Any], text: str, *columns: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether part of a name, or of one of the columns, is the text in any case."""
    name = people.c.first_name + " " + people.c.last_name
    return sa.or_(*(sa.func.instr(sa.func.casefold(column), text.casefold()) > 0 for column in (name, *columns)))


def _students(call: Call, rows: Iterable[sa.RowMapping]) -> list[Json]:
    rows = list(rows)
    links = sa.select(child_links.c.student_id, child_links.c.parent_id).where(
        child_links.c.student_id.in_([row["id"] for row in rows])
    )
    parent_ids = _grouped(call, links.order_by(child_links.c.parent_id))
    return [wire.student(row, parent_ids=parent_ids.get(row["id"], [])) for row in rows]


def _classes(call: Call, rows: Iterable[sa.RowMapping]) -> list[Json]:
    rows = list(rows)
    links = sa.select(class_teachers.c.class_id, class_teachers.c.teacher_id).where(
        class_teachers.c.class_id.in_([row["id"] for row in rows])
    )
    teacher_ids = _grouped(call, links.order_by(class_teachers.c.teacher_id))
    return [wire.class_record(row, teacher_ids=teacher_ids.get(row["id"], [])) for row in rows]


def _parents(call: Call, rows: Iterable[sa.RowMapping]) -> list[Json]:
    rows = list(rows)
    links = sa.select(child_links.c.parent_id, child_links.c.student_id).where(
        child_links.c.parent_id.in_([row["id"] for row in rows])
    )
    child_ids = _grouped(call, links.order_by(child_links.c.student_id))
    return [wire.parent(row, child_ids=child_ids.get(row["id"], [])) for row in rows]


def _grouped(call: Call, pairs: sa.Select[Any]) -> dict[int, list[int]]:
    """Gather the second of each pair, by the first."""
    groups: dict[int, list[int]] = defaultdict(list)
    for key, value in call.db.execute(pairs):
        groups[key].append(value)
    return groups
