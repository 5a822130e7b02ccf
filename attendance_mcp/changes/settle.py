"""Ending a plan: every record is read once more, each change is told as what reading proves, and that is recorded."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime

import anyio

from attendance_mcp.changes.desk import Errand
from attendance_mcp.changes.facts import WriteFacts
from attendance_mcp.changes.model import Approval, Change, ChangeKind, ExcusalValue, Outcome, Plan, PlanState
from attendance_mcp.changes.records import Snapshot, read_afresh
from attendance_mcp.changes.wording import Words, grouped, moment, same, summary, words_for, words_without_names
from attendance_mcp.errors import AttendanceError, PlanStale, StoreUnavailable

_LEAST_SHARE = 0.2  # of the time to carry out, however late reading back begins
NOT_RECORDED = "The outcome could not be recorded: calling again settles the plan by reading, and sends nothing."


async def read_back(
    errand: Errand,
    plan: Plan,
    before: Snapshot | None,
    *,
    lease: datetime,
    words: Words,
    unsent: str,
    until: float | None = None,
) -> WriteFacts | None:
    """The plan ended by reading its records; None where somebody else ended it meanwhile.

    `before` is how the records read when nothing was sent, None where nobody knows. `unsent` is why rows that are still
    planned were not sent. `until` is a time of anyio's clock.
    """
    after = None
    if any(change.outcome in (Outcome.SENDING, Outcome.UNKNOWN) for change in plan.changes):
        after = await _read(errand, plan, until)
    ended = replace(
        plan,
        changes=tuple(_told(change, after, before, unsent) for change in plan.changes),
        state=PlanState.SETTLED,
        settled=errand.desk.now(),
    )
    facts = _facts(errand, ended, words, repeated=False, read=after is not None)
    try:
        kept = await errand.desk.store.settle(
            plan.code, PlanState.SETTLED, ended.changes, lease=lease, now=errand.desk.now()
        )
    except StoreUnavailable:
        return facts.model_copy(update={"warnings": [NOT_RECORDED]})
    return facts if kept else None


async def settle_by_reading(errand: Errand, plan: Plan, lease: datetime) -> WriteFacts:
    """Ends a plan whose carrying out was cut off: what was under way is told by reading, nothing is sent again."""
    errand.sent = any(change.outcome is not Outcome.PLANNED for change in plan.changes)
    words = await words_at_hand(errand, plan)
    facts = await read_back(errand, plan, None, lease=lease, words=words, unsent="the carrying out was cut off")
    return facts or await recorded(errand, plan)


async def settle_lapsed(errand: Errand, plan: Plan) -> None:
    """Ends a plan whose carrying out was cut off, whoever's it is, unless it still moves or can't be read now."""
    under_way = any(change.outcome in (Outcome.SENDING, Outcome.UNKNOWN) for change in plan.changes)
    if under_way and await _read(errand, plan, None) is None:
        return  # read another time, its changes may yet be told; ended now, they would stay unknown
    store, lease = errand.desk.store, errand.desk.lease()
    with anyio.CancelScope(shield=True):
        if await store.reclaim(plan.code, now=errand.desk.now(), lease_until=lease):
            claimed = await store.get(plan.code)
            if claimed is not None:
                await settle_by_reading(errand, claimed, lease)


async def recorded(errand: Errand, plan: Plan, *, repeated: bool = True) -> WriteFacts:
    """What became of a plan that was carried out, or is being so now.

    `repeated` is false for a call that waited while a person had it carried out.

    Raises PlanStale for one that ended without.
    """
    match plan.state:
        case PlanState.SETTLED | PlanState.APPLYING:
            return _facts(errand, plan, await words_at_hand(errand, plan), repeated=repeated)
        case PlanState.DISCARDED:
            raise PlanStale("This plan was declined. Plan the changes again if they are still wanted.")
        case _:
            raise PlanStale("This plan is stale: a record had changed since it was made. Plan the changes again.")


async def _read(errand: Errand, plan: Plan, until: float | None) -> Snapshot | None:
    whole, now = errand.desk.carrying_out.total_seconds(), anyio.current_time()
    try:
        with anyio.fail_after(max(_LEAST_SHARE * whole, (until or now + whole) - now)):
            return await read_afresh(errand.school, plan.changes)
    except (AttendanceError, TimeoutError):
        return None


async def words_at_hand(errand: Errand, plan: Plan) -> Words:
    """What was done can be told by ids where the school does not answer."""
    try:
        return await words_for(errand.school, plan.kept)
    except AttendanceError:
        return words_without_names(errand.school)


def _told(change: Change, after: Snapshot | None, before: Snapshot | None, unsent: str) -> Change:
    """The change with the outcome that reading proves."""
    if change.outcome is Outcome.PLANNED:
        return replace(change, outcome=Outcome.NOT_SENT, reason=unsent)
    if change.outcome not in (Outcome.SENDING, Outcome.UNKNOWN):
        return change
    if after is None:
        return _unknown(change, "the records could not be read back")
    if change.kind is ChangeKind.EXCUSAL_MADE:
        return _told_excusal(change, after, before)
    if same(now := after.value(change), change.after):
        return replace(change, outcome=Outcome.DONE, reason="")
    return _unknown(change, "the record still is as it was" if same(now, change.before) else "the record is otherwise")


def _told_excusal(change: Change, after: Snapshot, before: Snapshot | None) -> Change:
    """A new excusal is recognised by its days, parent and comment, and by an id that was not there before."""
    known = {row.id for row in before.excusals.get(change.target.student_id, ())} if before else set()
    for row in after.excusals.get(change.target.student_id, ()):
        value = ExcusalValue(row.start_date, row.end_date, row.parent_id, row.comment or None)
        if row.id not in known and same(value, change.after):
            return replace(change, outcome=Outcome.DONE, reason="", made_id=row.id)
    return _unknown(change, "the excusal is not among the student's")


def _unknown(change: Change, seen: str) -> Change:
    return replace(change, outcome=Outcome.UNKNOWN, reason=f"{change.reason}; {seen}" if change.reason else seen)


def _facts(errand: Errand, plan: Plan, words: Words, *, repeated: bool, read: bool = False) -> WriteFacts:
    settled = plan.state is PlanState.SETTLED
    return WriteFacts(
        summary=summary(plan.kept, words),
        changes=grouped(plan.kept, words) if settled else [],
        already_so=plan.already,
        state=str(plan.state),
        approval=str(plan.approval if plan.approval is not Approval.NONE else Approval.TOKEN),
        way=str(plan.way or ""),
        carried_out=moment(plan.settled, errand.desk.now(), errand.school.clock.zone) if plan.settled else "",
        read_back=read,
        repeated=repeated,
        outcomes=dict(Counter(str(change.outcome) for change in plan.changes)) if settled else {},
    )
