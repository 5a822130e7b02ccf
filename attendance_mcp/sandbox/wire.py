"""Rows of the database as JSON of the contract. A null is never sent: a missing key means null."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attendance_mcp.sandbox.assumptions import Assumptions
from attendance_mcp.sandbox.database import teachers
from attendance_mcp.status import NOT_TAKEN, PRESENT, STATUSES

Row = Mapping[Any, Any]
Labels = Mapping[int, str]


def without_nulls(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value is not None}


def label_of(status: int, labels: Labels) -> str:
    """Choose the school's word for a code, else the vendor's; a mark that nobody took goes by the word of Present."""
    code = PRESENT if status == NOT_TAKEN else status
    return labels.get(code) or STATUSES[code].label


def mark(status: int, note: str | None, *, labels: Labels) -> dict[str, Any]:
    """Show a mark; it is written with `notes` and read with `note`."""
    return without_nulls({"status": label_of(status, labels), "note": note, "category": {"status": status}})


def totals(student_id: int, counts: Mapping[int, int], *, labels: Labels, adjustments: Iterable[Row]) -> dict[str, Any]:
    """One student's term: codes that share a label are added up, and a label that nobody earned is left out."""
    by_label: dict[str, int] = {}
    categories = []
    for status, count in sorted(counts.items()):
        if count:
            label = label_of(status, labels)
            by_label[label] = by_label.get(label, 0) + count
            categories.append({"label": label, "status": status, "value": count})
    for row in adjustments:
        by_label[row["name"]] = by_label.get(row["name"], 0) + row["adjustment"]
    attendance = {label: count for label, count in by_label.items() if count}
    return {"id": student_id, "attendance": attendance, "attendance_categories": categories}


def period_counting(assumptions: Assumptions) -> dict[str, int]:
    """How the school numbers its periods; the keys of a class day are the written numbers, which start at 1."""
    first = assumptions.first_period
    return {"period_starts_count_from": first, "period_offset": first - 1}


def slot(row: Row, assumptions: Assumptions) -> dict[str, Any]:
    """Show a slot, whose period is the one that the school counts, unlike that of every mark."""
    return without_nulls(
        {
            "day": row["day"],
            "period": row["period"] + assumptions.first_period - 1,
            "location": row["location"],
            "enabled": bool(row["enabled"]),
        }
    )


def excusal(row: Row, *, duration: int) -> dict[str, Any]:
    return without_nulls(
        {
            "id": row["id"],
            "student_id": row["student_id"],
            "parent_id": row["parent_id"],
            "start_date": row["start_date"],
            "end_date": row["end_date"],
            "duration": duration,
            "comment": row["comment"],
            "created_at": row["created_at"],
            "updated_at": row["updated_at"],
        }
    )


def student(row: Row, *, parent_ids: list[int]) -> dict[str, Any]:
    return without_nulls(
        {
            "id": row["id"],
            "student_id": row["student_id"],
            "first_name": row["first_name"],
            "last_name": row["last_name"],
            "email": row["email"],
            "archived": bool(row["archived"]),
            "parent_ids": parent_ids,
            "year_group_id": row["year_group_id"],
            "homeroom_advisor_id": row["homeroom_advisor_id"],
            "class_grade": row["grade"],
            "class_grade_number": row["grade_number"],
            "program": row["program_name"],
            "program_code": row["program_code"],
        }
    )


def class_record(row: Row, *, teacher_ids: list[int]) -> dict[str, Any]:
    return without_nulls(
        {
            "id": row["id"],
            "name": row["name"],
            "archived": bool(row["archived"]),
            "start_term_id": row["start_term_id"],
            "end_term_id": row["end_term_id"],
            "grade": row["grade"],
            "grade_number": row["grade_number"],
            "program": row["program_name"],
            "program_code": row["program_code"],
            "subject_name": row["subject_name"],
            "teachers": [{"teacher_id": teacher_id} for teacher_id in teacher_ids],
        }
    )


def year_group(row: Row, *, student_ids: list[int]) -> dict[str, Any]:
    return without_nulls(
        {
            "id": row["id"],
            "name": row["name"],
            "short_name": row["short_name"],
            "program": row["program_name"],
            "program_code": row["program_code"],
            "grade": row["grade"],
            "grade_number": row["grade_number"],
            "archived": bool(row["archived"]),
            "student_ids": student_ids,
        }
    )


def named_teacher(row: Row) -> dict[str, Any]:
    return {column.name: row[column.name] for column in teachers.c} | {"archived": bool(row["archived"])}


def parent(row: Row, *, child_ids: list[int]) -> dict[str, Any]:
    return {"id": row["id"], "first_name": row["first_name"], "last_name": row["last_name"], "child_ids": child_ids}


def category(row: Row) -> dict[str, Any]:
    return {
        "status": row["status"],
        "label": row["label"],
        "abbreviation": row["abbreviation"],
        "enabled": bool(row["enabled"]),
        "color_code": row["color_code"],
    }
