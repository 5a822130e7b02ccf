"""Drafts of excusals made, altered and deleted."""

from __future__ import annotations

from datetime import date

from attendance_mcp.api.records import Excusal, Student
from attendance_mcp.changes.model import Change, ChangeKind, ExcusalValue, Target
from attendance_mcp.changes.plan import Draft
from attendance_mcp.changes.records import excusal_value, overlapping
from attendance_mcp.changes.risks import warnings_of_excusal
from attendance_mcp.changes.wording import parent_name
from attendance_mcp.digest.facts import Role, who
from attendance_mcp.errors import ArgumentError, NotFound
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.school import School, student_name


async def draft_new_excusal(
    school: School, student_id: int, *, parent_id: int, start: date, end: date | None, comment: str
) -> Draft:
    """A new excusal. Refused are a parent who isn't linked to the student and days that another excusal covers."""
    student = await school.student(student_id)
    value = ExcusalValue(start, end or start, parent_id, comment or None)
    _check_order(value.start, value.end)
    await _check_parent(school, student, parent_id)
    other = overlapping(await _excusals(school, student_id), value.start, value.end)
    if other is not None:
        if other.parent_id == parent_id and excusal_value(other) == value:
            return Draft(already_so=1)
        raise ArgumentError(
            f"An excusal of {student_name(student)} already covers {spoken(other.start_date)} to "
            f"{spoken(other.end_date)} (id {other.id}). Alter that one, or choose other days."
        )
    change = Change(ChangeKind.EXCUSAL_MADE, Target(student_id=student_id), before=None, after=value)
    return Draft([change], warnings=await warnings_of_excusal(school, student, change))


async def draft_altered_excusal(
    school: School, student_id: int, excusal_id: int, *, end: date | None, comment: str
) -> Draft:
    """An excusal with another end or comment; the API changes nothing else of it."""
    student = await school.student(student_id)
    rows = await _excusals(school, student_id)
    before = excusal_value(_one(rows, student, excusal_id))
    if end is None and not comment:
        raise ArgumentError("Give an end_date or a comment: nothing else of an excusal can change.")
    after = ExcusalValue(before.start, end or before.end, before.parent_id, comment or before.comment)
    _check_order(after.start, after.end)
    other = overlapping([row for row in rows if row.id != excusal_id], after.start, after.end)
    if other is not None:
        raise ArgumentError(
            f"Another excusal of {student_name(student)} covers {spoken(other.start_date)} to "
            f"{spoken(other.end_date)} (id {other.id})."
        )
    draft = Draft()
    draft.add(Change(ChangeKind.EXCUSAL_ALTERED, Target(student_id=student_id, excusal_id=excusal_id), before, after))
    for change in draft.changes:
        draft.warnings.extend(await warnings_of_excusal(school, student, change))
    return draft


async def draft_deleted_excusal(school: School, student_id: int, excusal_id: int) -> Draft:
    """An excusal that goes for good."""
    student = await school.student(student_id)
    before = excusal_value(_one(await _excusals(school, student_id), student, excusal_id))
    target = Target(student_id=student_id, excusal_id=excusal_id)
    change = Change(ChangeKind.EXCUSAL_DELETED, target, before=before, after=None)
    return Draft([change], warnings=await warnings_of_excusal(school, student, change))


async def _excusals(school: School, student_id: int) -> list[Excusal]:
    return (await school.client.list_student_excusals(student_id)).items


def _one(rows: list[Excusal], student: Student, excusal_id: int) -> Excusal:
    for row in rows:
        if row.id == excusal_id:
            return row
    known = ", ".join(f"{row.id} ({row.start_date} to {row.end_date})" for row in rows[-5:] if row.id) or "none"
    raise NotFound(f"{student_name(student)} has no excusal with the id {excusal_id}. Their excusals: {known}.")


async def _check_parent(school: School, student: Student, parent_id: int) -> None:
    if parent_id in student.parent_ids:
        return
    try:
        parent = await school.parent(parent_id)
    except NotFound:
        parent = None
    if parent is not None and student.id in parent.child_ids:
        return
    known = [who(await parent_name(school, id), school.disclosure.id(Role.PARENT, id)) for id in student.parent_ids]
    given = school.disclosure.id(Role.PARENT, parent_id)
    raise ArgumentError(
        f"{given} is no parent of {student_name(student)}. Their parents: {', '.join(known) or 'none linked'}."
    )


def _check_order(start: date, end: date) -> None:
    if end < start:
        raise ArgumentError(f"The excusal would end ({end}) before it starts ({start}).")
