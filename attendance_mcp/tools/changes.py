"""The tools over plans: making one of a whole errand, carrying one out, and what became of them."""

from __future__ import annotations

from attendance_mcp.changes.apply import apply_plan
from attendance_mcp.changes.desk import Errand
from attendance_mcp.changes.errands import draft_errand
from attendance_mcp.changes.facts import WriteFacts
from attendance_mcp.changes.items import Item
from attendance_mcp.changes.journal import Journal, journal
from attendance_mcp.changes.plan import plan_or_apply
from attendance_mcp.school.clock import Clock
from attendance_mcp.tools.arguments import ChangeItem, ChangeItems, FarDay, Limit, OptionalStudent, PlanCode, Summary


async def plan_changes(errand: Errand, changes: ChangeItems) -> WriteFacts:
    """Plans one errand of marks, excusals and undone plans, writes nothing. An item is of every student and date it
    names; a class item without periods is of every period that meets, without class_id of all their classes. A new
    excusal starts at its one date; undo takes a plan's confirmation. At most 500 changes. Then apply_changes.
    """
    items = [_item(item, errand.school.clock) for item in changes]
    return await plan_or_apply(
        errand,
        lambda: draft_errand(errand, items),
        tool="plan_changes",
        arguments={"changes": items},
        confirmation="",
    )


async def apply_changes(errand: Errand, confirmation: PlanCode, summary: Summary) -> WriteFacts:
    """Carries out a plan that the person agreed to: its confirmation and its own one-line summary, word for word.
    Each change is read back; calling again answers the recorded outcome.
    """
    return await apply_plan(errand, confirmation, summary_given=summary)


async def list_changes(
    errand: Errand, since: FarDay = None, student_id: OptionalStudent = None, limit: Limit = 20
) -> Journal:
    """What was changed through this installation, newest first: plans that wait, are unsettled or were carried out,
    with their outcomes and whether they can be undone. student_id, or a limit up to 3, tells their rows too.
    """
    day = errand.school.clock.day(since) if since else None
    return await journal(errand, since=day, student_id=student_id, limit=limit)


def _item(item: ChangeItem, clock: Clock) -> Item:
    """The item as it is meant; what is named twice is meant once."""
    return Item(
        kind=item.kind,
        student_ids=tuple(dict.fromkeys(item.student_ids)),
        dates=tuple(dict.fromkeys(clock.day(day) for day in item.dates)),
        periods=tuple(dict.fromkeys(item.periods)),
        class_id=item.class_id,
        status=item.status,
        notes=item.notes,
        erase_notes=item.erase_notes,
        parent_id=item.parent_id,
        excusal_id=item.excusal_id,
        end_date=clock.day(item.end_date) if item.end_date else None,
        comment=item.comment,
        confirmation=item.confirmation,
        rows=tuple(dict.fromkeys(item.rows)),
    )
