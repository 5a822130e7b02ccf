"""Carrying a plan out: claimed once, re-read, sent, read back, recorded.

claim -> read the records again (one that moved: stale, nothing is sent) -> send -> read back -> record -> say.
It runs shielded: a client that hangs up can't leave a plan half told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import anyio

from attendance_mcp.changes.approval import approval_of
from attendance_mcp.changes.desk import Errand
from attendance_mcp.changes.facts import WriteFacts
from attendance_mcp.changes.model import (
    Approval,
    Change,
    ChangeKind,
    ExcusalValue,
    Outcome,
    Plan,
    PlanState,
    summary_hash,
)
from attendance_mcp.changes.records import Snapshot, read_afresh, send
from attendance_mcp.changes.wording import grouped, same, summary, words_for
from attendance_mcp.errors import AttendanceError, PlanExpired, PlanMismatch, PlanNotFound, PlanStale, Unavailable
from attendance_mcp.school.together import together

_ROWS_A_REQUEST = 100
_AT_ONCE = 4


async def apply_plan(
    errand: Errand, confirmation: str, *, summary_given: str | None = None, errand_hash: str | None = None
) -> WriteFacts:
    """The plan carried out, or what became of it when it was.

    Raises PlanNotFound, PlanMismatch, PlanExpired or PlanStale; then nothing was written.
    """
    plan = await _find(errand, confirmation)
    await _hold_to_its_words(errand, plan, summary_given, errand_hash)
    now = errand.desk.now()
    if plan.state is PlanState.WAITING:
        if plan.expires <= now:
            raise PlanExpired("This plan has expired. Plan it again: the records are read afresh then.")
        approval = await approval_of(errand, plan)
        if await errand.desk.store.claim(plan.code, approval=approval, lease_until=_lease(errand)):
            with anyio.CancelScope(shield=True):
                return await _carry_out(errand, replace(plan, approval=approval))
        plan = await _find(errand, confirmation)
    if plan.state is PlanState.APPLYING and await errand.desk.store.reclaim(
        plan.code, now=now, lease_until=_lease(errand)
    ):
        with anyio.CancelScope(shield=True):
            return await _settle_by_reading(errand, plan)
    return await _recorded(errand, plan)


async def _find(errand: Errand, confirmation: str) -> Plan:
    code = confirmation.strip().upper()
    plan = await errand.desk.store.get(code) if code else None
    if plan is None or plan.caller != errand.school.caller or plan.school != errand.school.connection.name:
        raise PlanNotFound("No plan of yours has this confirmation. Plan the changes again.")
    return plan


async def _hold_to_its_words(errand: Errand, plan: Plan, summary_given: str | None, errand_hash: str | None) -> None:
    if errand_hash is not None and errand_hash != plan.errand_hash:
        raise PlanMismatch("This confirmation belongs to a call with other arguments. Repeat that call unchanged.")
    if summary_given is not None and summary_hash(summary_given) != plan.summary_hash:
        own = summary(plan.changes, await words_for(errand.school, plan.changes))
        raise PlanMismatch(f"The summary must be the plan's own, word for word: {own}")


async def _carry_out(errand: Errand, plan: Plan) -> WriteFacts:
    with anyio.move_on_after(errand.desk.carrying_out.total_seconds()) as limit:
        try:
            before = await read_afresh(errand.school, plan.changes)
        except AttendanceError:
            await errand.desk.store.release(plan.code)
            raise
        moved = [change for change in plan.changes if not same(before.value(change), change.before)]
        if moved:
            await _end(errand, plan, PlanState.STALE)
            words = await words_for(errand.school, moved)
            records = "; ".join(f"{group.record} of {', '.join(group.students[:5])}" for group in grouped(moved, words))
            raise PlanStale(f"Changed in the school's system since the plan: {records}. Plan it again.")
        sent = await _send_all(errand, plan)
    if limit.cancelled_caught and not errand.sent:
        await errand.desk.store.release(plan.code)
        raise Unavailable("The school's system was too slow to read the records again. The plan still waits.")
    stored = await _find(errand, plan.code)
    rows = stored.changes if limit.cancelled_caught else sent
    return await _read_back(errand, replace(plan, changes=tuple(rows)), before)


async def _send_all(errand: Errand, plan: Plan) -> list[Change]:
    """Sends every change, at most four requests at once and one at a time a target.

    Time that runs out leaves the rest not sent.
    """
    rows = list(plan.changes)
    counting = {
        class_id: (await errand.school.read(errand.school.client.get_class_timetable, class_id)).periods_from
        for class_id in sorted({change.target.class_id for change in rows if change.target.class_id})
    }
    limiter = anyio.CapacityLimiter(_AT_ONCE)
    lanes: dict[int, anyio.Lock] = {}

    async def one(numbers: list[int]) -> None:
        first = rows[numbers[0]]
        lane = lanes.setdefault(first.target.class_id or first.target.student_id, anyio.Lock())
        async with lane, limiter:
            under_way = [(number, replace(rows[number], outcome=Outcome.SENDING)) for number in numbers]
            await errand.desk.store.record(plan.code, under_way)
            errand.sent = True
            periods_from = counting.get(first.target.class_id or 0, 1)
            answered = await send(errand.school, [rows[number] for number in numbers], periods_from=periods_from)
            for number, change in zip(numbers, answered, strict=True):
                rows[number] = change
            await errand.desk.store.record(plan.code, [(number, rows[number]) for number in numbers])

    await together(partial(one, numbers) for numbers in _batches(rows))
    return rows


def _batches(rows: Sequence[Change]) -> Iterable[list[int]]:
    """Row numbers that go in one request: the marks of one class together, everything else alone."""
    classes: dict[int, list[int]] = {}
    for number, change in enumerate(rows):
        if change.kind is ChangeKind.CLASS_MARK and change.target.class_id:
            classes.setdefault(change.target.class_id, []).append(number)
        else:
            yield [number]
    for numbers in classes.values():
        for start in range(0, len(numbers), _ROWS_A_REQUEST):
            yield numbers[start : start + _ROWS_A_REQUEST]


async def _read_back(errand: Errand, plan: Plan, before: Snapshot | None) -> WriteFacts:
    """Reads every record once more and says of each change what is certain."""
    for change in plan.changes:
        errand.school.wrote(class_id=change.target.class_id)
    try:
        with anyio.fail_after(errand.desk.carrying_out.total_seconds()):
            after = await read_afresh(errand.school, plan.changes)
    except (AttendanceError, TimeoutError):
        after = None
    rows = tuple(_seen(change, after, before) for change in plan.changes)
    await errand.desk.store.record(plan.code, list(enumerate(rows)))
    await _end(errand, plan, PlanState.SETTLED)
    return await _say(errand, replace(plan, changes=rows, settled=errand.desk.now()), repeated=False)


def _seen(change: Change, after: Snapshot | None, before: Snapshot | None) -> Change:
    """The change with the outcome that reading proves."""
    if change.outcome in (Outcome.REFUSED, Outcome.NOT_SENT):
        return change
    if change.outcome is Outcome.PLANNED:
        return replace(change, outcome=Outcome.NOT_SENT, reason="time ran out")
    if after is None:
        return replace(change, outcome=Outcome.UNKNOWN, reason="the records could not be read back")
    if change.kind is ChangeKind.EXCUSAL_MADE:
        return _seen_excusal(change, after, before)
    if same(after.value(change), change.after):
        return replace(change, outcome=Outcome.DONE, reason="")
    return replace(change, outcome=Outcome.UNKNOWN, reason=change.reason or "the record reads otherwise")


def _seen_excusal(change: Change, after: Snapshot, before: Snapshot | None) -> Change:
    """A new excusal is recognised by its days, parent and comment, and by an id that was not there before."""
    known = {row.id for row in before.excusals.get(change.target.student_id, ())} if before else set()
    for row in after.excusals.get(change.target.student_id, ()):
        value = ExcusalValue(row.start_date, row.end_date, row.parent_id, row.comment or None)
        if row.id not in known and same(value, change.after):
            return replace(change, outcome=Outcome.DONE, reason="", made_id=row.id)
    return replace(change, outcome=Outcome.UNKNOWN, reason=change.reason or "the excusal is not among the student's")


async def _settle_by_reading(errand: Errand, plan: Plan) -> WriteFacts:
    """Ends a plan whose carrying out was cut off: what was under way is told by reading, nothing is sent again."""
    errand.sent = any(change.outcome is not Outcome.PLANNED for change in plan.changes)
    return await _read_back(errand, plan, None)


async def _recorded(errand: Errand, plan: Plan) -> WriteFacts:
    match plan.state:
        case PlanState.SETTLED:
            return await _say(errand, plan, repeated=True)
        case PlanState.APPLYING:
            raise PlanMismatch("This plan is being carried out right now. This call wrote nothing; ask again shortly.")
        case PlanState.DISCARDED:
            raise PlanStale("This plan was declined. Plan the changes again if they are still wanted.")
        case _:
            raise PlanStale("This plan is stale: a record had changed since it was made. Plan the changes again.")


async def _say(errand: Errand, plan: Plan, *, repeated: bool) -> WriteFacts:
    words = await words_for(errand.school, plan.changes)
    zone = errand.school.clock.zone
    return WriteFacts(
        summary=summary(plan.changes, words),
        changes=grouped(plan.changes, words),
        already_so=plan.already,
        state=str(plan.state if repeated else PlanState.SETTLED),
        approval=str(plan.approval if plan.approval is not Approval.NONE else Approval.TOKEN),
        carried_out=f"{plan.settled.astimezone(zone):%H:%M}" if plan.settled else "",
        repeated=repeated,
        outcomes=dict(Counter(str(change.outcome) for change in plan.changes)),
    )


async def _end(errand: Errand, plan: Plan, state: PlanState) -> None:
    await errand.desk.store.settle(plan.code, state, now=errand.desk.now())


def _lease(errand: Errand) -> datetime:
    """Long enough for the carrying out and the reading back, so that nobody settles a plan that is still moving."""
    return errand.desk.now() + 3 * errand.desk.carrying_out
