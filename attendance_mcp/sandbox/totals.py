"""Term totals: which marks are counted for whom, and how often a register was not taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from attendance_mcp.sandbox import wire
from attendance_mcp.sandbox.database import (
    adjustments,
    class_marks,
    homeroom_marks,
    memberships,
    school_days,
    slots,
    students,
)
from attendance_mcp.sandbox.lookups import labels_of_year, meetings, member_on
from attendance_mcp.sandbox.requests import Call
from attendance_mcp.status import NOT_TAKEN

Counts = dict[int, dict[int, int]]
"""Student to status to how many marks."""


def asked_for(call: Call) -> sa.ColumnElement[bool]:
    """Which students `archived_students` asks for."""
    if not call.flag("archived_students"):
        return sa.and_(students.c.archived == 0)
    return sa.and_(students.c.archived == 1) if call.assumptions.archived == "only" else sa.true()


def homeroom_counts(call: Call, *, year_group: sa.RowMapping, term: sa.RowMapping) -> Counts:
    """Every homeroom mark of the term, of trips to come too, as the dates show them."""
    marks, in_term = homeroom_marks, homeroom_marks.c.date.between(term["starts_on"], term["ends_on"])
    of_group = marks.join(
        students, sa.and_(students.c.id == marks.c.student_id, students.c.year_group_id == year_group["id"])
    )
    counts = _counted(
        call.db.execute(
            sa.select(marks.c.student_id, marks.c.status, sa.func.count())
            .select_from(of_group)
            .where(in_term)
            .group_by(marks.c.student_id, marks.c.status)
        )
    )
    if call.assumptions.no_record == "-1":
        days = _past_school_days(call, program_code=year_group["program_code"], term=term)
        total = call.db.execute(sa.select(sa.func.count()).select_from(days)).scalar_one()
        taken = sa.select(marks.c.student_id, sa.func.count()).select_from(
            of_group.join(days, days.c.date == marks.c.date)
        )
        with_mark: dict[int, int] = call.pairs(taken.group_by(marks.c.student_id))
        group = sa.select(students.c.id).where(students.c.year_group_id == year_group["id"])
        for student_id in call.db.execute(group).scalars():
            counts[student_id][NOT_TAKEN] = total - with_mark.get(student_id, 0)
    return counts


def class_counts(call: Call, *, group: sa.RowMapping, term: sa.RowMapping) -> Counts:
    """Every class mark of the term up to today, as the dates show them."""
    marks, last = class_marks, _last_day(call, term)
    counts = _counted(
        call.db.execute(
            sa.select(marks.c.student_id, marks.c.status, sa.func.count())
            .where(marks.c.class_id == group["id"], marks.c.date.between(term["starts_on"], last))
            .group_by(marks.c.student_id, marks.c.status)
        )
    )
    if call.assumptions.no_record == "-1":
        for student_id, count in _class_not_taken(call, group=group, starts_on=term["starts_on"], last=last):
            counts[student_id][NOT_TAKEN] = count
    return counts


def answer(
    call: Call,
    *,
    student_ids: Iterable[int],
    counts: Counts,
    term: sa.RowMapping,
    added: Mapping[int, Sequence[sa.RowMapping]] | None = None,
) -> list[dict[str, Any]]:
    """Answer the totals of each student in the words of the term's year, adjustments added to the labels."""
    labels = labels_of_year(call, term["academic_year_id"])
    added = added or {}
    return [wire.totals(who, counts.get(who, {}), labels=labels, adjustments=added.get(who, ())) for who in student_ids]


def adjustments_of(call: Call, *, year_group_id: int, term_id: int) -> dict[int, list[sa.RowMapping]]:
    """Read the manual corrections of a year group's term, by student."""
    rows = call.db.execute(
        sa.select(adjustments)
        .join(students, students.c.id == adjustments.c.student_id)
        .where(students.c.year_group_id == year_group_id, adjustments.c.term_id == term_id)
        .order_by(adjustments.c.id)
    ).mappings()
    by_student: dict[int, list[sa.RowMapping]] = defaultdict(list)
    for row in rows:
        by_student[row["student_id"]].append(row)
    return by_student


def _class_not_taken(call: Call, *, group: sa.RowMapping, starts_on: str, last: str) -> Iterable[Sequence[Any]]:
    """How often the class met without a mark of its member, by student."""
    meeting = (
        meetings(group, school_days.c.date, slots.c.period)
        .where(school_days.c.date.between(starts_on, last))
        .distinct()
        .subquery()
    )
    marked = sa.exists().where(
        class_marks.c.class_id == group["id"],
        class_marks.c.date == meeting.c.date,
        class_marks.c.period == meeting.c.period,
        class_marks.c.student_id == memberships.c.student_id,
    )
    return call.db.execute(
        sa.select(memberships.c.student_id, sa.func.count())
        .join(meeting, member_on(meeting.c.date))
        .where(memberships.c.class_id == group["id"], ~marked)
        .group_by(memberships.c.student_id)
    )


def _past_school_days(call: Call, *, program_code: str, term: sa.RowMapping) -> sa.Subquery:
    return (
        sa.select(school_days.c.date)
        .where(
            school_days.c.program_code == program_code,
            school_days.c.date.between(term["starts_on"], _last_day(call, term)),
        )
        .subquery()
    )


def _last_day(call: Call, term: sa.RowMapping) -> str:
    return min(date.fromisoformat(term["ends_on"]), call.today.date()).isoformat()


def _counted(rows: Iterable[Sequence[Any]]) -> Counts:
    counts: Counts = defaultdict(lambda: defaultdict(int))
    for student_id, status, count in rows:
        counts[student_id][status] = count
    return counts
