"""The tools over excusals: of a day, of a student, and making, altering and deleting one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attendance_mcp.api.records import Excusal
from attendance_mcp.api.records import Page as PageOf
from attendance_mcp.changes.desk import Errand
from attendance_mcp.changes.excusals import draft_altered_excusal, draft_deleted_excusal, draft_new_excusal
from attendance_mcp.changes.facts import WriteFacts
from attendance_mcp.changes.plan import plan_or_apply
from attendance_mcp.digest.excusals import ExcusalRow, Excusals
from attendance_mcp.digest.facts import within_room
from attendance_mcp.outside import fenced
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.school import School, student_name
from attendance_mcp.tools.arguments import (
    AParent,
    AStudent,
    Confirmation,
    Day,
    Id,
    OptionalDay,
    Page,
    PerPage,
    WrittenText,
)


async def list_excusals(school: School, date: Day = "today", page: Page = 1, per_page: PerPage = 50) -> Excusals:
    """Every excusal of the school that covers a day, as parents sent them."""
    day = school.clock.day(date)
    answered = await school.read(school.client.list_excusals, day, page=page, per_page=per_page)
    names = await school.names(row.student_id for row in answered.items)
    return _excusals(f"Excusals that cover {spoken(day)}", answered, names)


async def list_student_excusals(
    school: School, student_id: AStudent, applies_on: OptionalDay = None, page: Page = 1, per_page: PerPage = 50
) -> Excusals:
    """One student's excusals with their ids; applies_on keeps those that cover that day."""
    student = await school.student(student_id)
    day = school.clock.day(applies_on) if applies_on else None
    answered = await school.read(
        school.client.list_student_excusals, student_id, applies_on=day, page=page, per_page=per_page
    )
    of = f"{student_name(student)}{f', {spoken(day)}' if day else ''}"
    return _excusals(of, answered, {student_id: student_name(student)})


async def create_excusal(
    errand: Errand,
    student_id: AStudent,
    parent_id: AParent,
    start_date: Day,
    end_date: OptionalDay = None,
    comment: WrittenText = "",
    confirmation: Confirmation = "",
) -> WriteFacts:
    """Plans an excusal in a parent's name, 1 to 12 days; with the plan's confirmation and the same arguments, makes it.
    It changes no mark. Without end_date it covers one day.
    """
    clock = errand.school.clock
    start, end = clock.day(start_date), clock.day(end_date) if end_date else None
    return await plan_or_apply(
        errand,
        lambda: draft_new_excusal(
            errand.school, student_id, parent_id=parent_id, start=start, end=end, comment=comment
        ),
        tool="create_excusal",
        arguments={"student": student_id, "parent": parent_id, "start": start, "end": end, "comment": comment},
        confirmation=confirmation,
    )


async def update_excusal(
    errand: Errand,
    student_id: AStudent,
    excusal_id: Id,
    end_date: OptionalDay = None,
    comment: WrittenText = "",
    confirmation: Confirmation = "",
) -> WriteFacts:
    """Plans another end date or comment of an excusal; with the confirmation and the same arguments, alters it."""
    end = errand.school.clock.day(end_date) if end_date else None
    return await plan_or_apply(
        errand,
        lambda: draft_altered_excusal(errand.school, student_id, excusal_id, end=end, comment=comment),
        tool="update_excusal",
        arguments={"student": student_id, "excusal": excusal_id, "end": end, "comment": comment},
        confirmation=confirmation,
    )


async def delete_excusal(
    errand: Errand, student_id: AStudent, excusal_id: Id, confirmation: Confirmation = ""
) -> WriteFacts:
    """Plans the deletion of an excusal; with the plan's confirmation and the same arguments, deletes it for good."""
    return await plan_or_apply(
        errand,
        lambda: draft_deleted_excusal(errand.school, student_id, excusal_id),
        tool="delete_excusal",
        arguments={"student": student_id, "excusal": excusal_id},
        confirmation=confirmation,
    )


def _excusals(of: str, answered: PageOf[Excusal], names: Mapping[int, str]) -> Excusals:
    rows = _rows(answered.items, names)
    shown, fits = within_room(rows)
    return Excusals(
        of=of,
        total=answered.meta.total_count,
        page=answered.meta.current_page,
        pages=answered.meta.total_pages,
        excusals=shown,
        more=len(rows) - len(shown),
        fits=fits,
    )


def _rows(excusals: Sequence[Excusal], names: Mapping[int, str]) -> list[ExcusalRow]:
    return [
        ExcusalRow(
            id=row.id or 0,
            student=names[row.student_id],
            student_id=row.student_id,
            start=row.start_date.isoformat(),
            end=row.end_date.isoformat(),
            days=row.duration or (row.end_date - row.start_date).days + 1,
            parent_id=row.parent_id or 0,
            comment=fenced(row.comment) if row.comment else "",
        )
        for row in excusals
    ]
