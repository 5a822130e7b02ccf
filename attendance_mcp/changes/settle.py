"""Ending a plan: every record is read once more, each change is told as what reading proves, and that is recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import anyio

from attendance_mcp.changes.desk import Errand
from attendance_mcp.changes.facts import WriteFacts
from attendance_mcp.changes.model import Approval, Change, ChangeKind, Outcome, Plan, PlanState
from attendance_mcp.changes.records import Snapshot, excusal_value, read_what_can_be_read
from attendance_mcp.changes.wording import Words, grouped, moment, same, summary, words_for, words_without_names
from attendance_mcp.errors import AttendanceError, PlanStale, StoreUnavailable, Unavailable

_LEAST_SHARE = 0.2  # of the time to carry out, however late reading back begins
NOT_RECORDED = "The outcome could not be recorded: calling again settles the plan by reading, and sends nothing."
NOT_KNOWN_YET = (
    "The school's system can't be read now, so what became of this plan's changes is not known yet. Repeating this "
    "call later settles the plan by reading, and sends nothing."
)


async def read_back(
    errand: Errand,
    plan: Plan,
    *,
    lease: datetime,
    words: Words,
    unsent: str,
    until: float | None = None,
    once: bool = True,
) -> WriteFacts | None:
    """The plan ended by reading its records; None where somebody else ended it meanwhile.

    `unsent` is why rows that are still planned were not sent. `until` is a time of anyio's clock. Without `once` a plan
    whose records can't be read is left for another time, since ended now its changes would stay unknown.

    Raises Unavailable where it is left.
    """
    under_way = [change for change in plan.changes if change.outcome in (Outcome.SENDING, Outcome.UNKNOWN)]
    after = Snapshot()
    if under_way:
        after = await _read(errand, under_way, until)
        if not once and not all(map(after.has, under_way)):
            with suppress(StoreUnavailable):  # then it can be settled once the lease has lapsed
                await errand.desk.store.give_up(plan.code, lease=lease, now=errand.desk.now())
            raise Unavailable(NOT_KNOWN_YET)
    ended = replace(
        plan,
        changes=tuple(replace(_told(change, after, unsent), known=frozenset()) for change in plan.changes),
        state=PlanState.SETTLED,
        settled=errand.desk.now(),
    )
    facts = _facts(errand, ended, words, repeated=False, read=bool(under_way) and all(map(after.has, under_way)))
    try:
        kept = await errand.desk.store.settle(
            plan.code, PlanState.SETTLED, ended.changes, lease=lease, now=errand.desk.now()
        )
    except StoreUnavailable:
        return facts.model_copy(update={"warnings": [NOT_RECORDED]})
    return facts if kept else None


async def settle_by_reading(errand: Errand, plan: Plan, lease: datetime) -> WriteFacts:
    """Ends a plan whose carrying out was cut off: what was under way is told by reading, nothing is sent again.

    Raises Unavailable where it can't be read now; whoever comes next settles the plan then.
    """
    errand.sent = any(change.outcome is not Outcome.PLANNED for change in plan.changes)
    words = await words_at_hand(errand, plan)
    # Another plan may have made the same excusal since: that one is its own.
    made = await errand.desk.store.made_by_others(plan)
    rows = tuple(replace(change, known=change.known | made) for change in plan.changes)
    cut_off = replace(plan, changes=rows)
    unsent = "the carrying out was cut off"
    facts = await read_back(errand, cut_off, lease=lease, words=words, unsent=unsent, once=False)
    return facts or await recorded(errand, plan)


async def settle_lapsed(errand: Errand, plan: Plan) -> None:
    """Ends a plan whose carrying out was cut off, whoever's it is, unless it still moves.

    Raises Unavailable where it can't be read now.
    """
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


async def _read(errand: Errand, changes: Sequence[Change], until: float | None) -> Snapshot:
    whole, now = errand.desk.carrying_out.total_seconds(), anyio.current_time()
    seconds = max(_LEAST_SHARE * whole, (until or now + whole) - now)
    return await read_what_can_be_read(errand.school, changes, seconds=seconds)


async def words_at_hand(errand: Errand, plan: Plan) -> Words:
    """What was done can be told by ids where the school does not answer."""
    try:
        return await words_for(errand.school, plan.kept)
    except AttendanceError:
        return words_without_names(errand.school)


def _told(change: Change, after: Snapshot, unsent: str) -> Change:
    """The change with the outcome that reading proves."""
    if change.outcome is Outcome.PLANNED:
        return replace(change, outcome=Outcome.NOT_SENT, reason=unsent)
    if change.outcome not in (Outcome.SENDING, Outcome.UNKNOWN):
        return change
    if not after.has(change):
        return _unknown(change, "the record could not be read back")
    if change.kind is ChangeKind.EXCUSAL_MADE:
        return _told_excusal(change, after)
    if same(now := after.value(change), change.after):
        return replace(change, outcome=Outcome.DONE, reason="")
    return _unknown(change, "the record still is as it was" if same(now, change.before) else "the record is otherwise")


def _told_excusal(change: Change, after: Snapshot) -> Change:
    """A new excusal is recognised by its id, or else as the only new one of the student with its content."""
    found = [row for row in after.excusals.get(change.target.student_id, ()) if same(excusal_value(row), change.after)]
    if change.made_id is not None:
        found = [row for row in found if row.id == change.made_id]
    new = [row for row in found if row.id not in change.known]
    if len(new) > 1:
        return _unknown(change, "several new excusals of the student read like it")
    if not new:
        return _unknown(change, "the excusal is not among the student's")
    return replace(change, outcome=Outcome.DONE, reason="", made_id=new[0].id)


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
