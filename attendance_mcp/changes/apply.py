"""Carrying a plan out: claimed once, re-read, sent, read back, recorded.

claim -> read the records again (one that moved: stale, nothing is sent) -> send -> read back -> record -> say.
It runs shielded: a client that hangs up can't leave a plan half told. `settle.py` has the second half.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import anyio

from attendance_mcp.changes.approval import approval_of
from attendance_mcp.changes.desk import Errand
from attendance_mcp.changes.facts import WriteFacts
from attendance_mcp.changes.model import Agreed, Change, ChangeKind, Outcome, Plan, PlanState, summary_hash
from attendance_mcp.changes.records import Snapshot, read_afresh, send
from attendance_mcp.changes.settle import read_back, recorded, settle_by_reading
from attendance_mcp.changes.wording import Words, grouped, same, summary, words_for
from attendance_mcp.errors import (
    AttendanceError,
    PlanError,
    PlanExpired,
    PlanMismatch,
    PlanStale,
    StoreUnavailable,
    Unavailable,
)
from attendance_mcp.school.together import together

_ROWS_A_REQUEST = 100
_AT_ONCE = 4
_PATIENT_SHARE = 0.2  # of the time to carry out, beside it: so long another plan of the same records is waited for
_LOOK_EVERY = 0.05  # seconds between two looks whether that has ended
_SENDING_SHARE = 0.8  # of the time to carry out; the rest is for reading back


async def apply_plan(
    errand: Errand, confirmation: str, *, summary_given: str | None = None, errand_hash: str | None = None
) -> WriteFacts:
    """The plan carried out, or what became of it when it was.

    Raises PlanNotFound, PlanMismatch, PlanExpired or PlanStale; then nothing was written.
    """
    plan = await errand.find(confirmation)
    await _hold_to_its_words(errand, plan, summary_given, errand_hash)
    if plan.state is PlanState.WAITING:
        _check_alive(errand, plan)
        agreed = await approval_of(errand, plan)
        if agreed is not None:
            return await apply_agreed(errand, plan.code, agreed)
        return await recorded(errand, await errand.find(plan.code), repeated=False)
    return await _what_became(errand, plan)


async def apply_agreed(errand: Errand, code: str, agreed: Agreed) -> WriteFacts:
    """The plan carried out as agreed to. Raises as `apply_plan` does; an answer may come after the plan's life.

    Another plan of the same records that is on its way is waited for. Raises PlanError where that takes too long.
    """
    gives_up = anyio.current_time() + _PATIENT_SHARE * errand.desk.carrying_out.total_seconds()
    while (plan := await errand.find(code)).state is PlanState.WAITING:
        _check_alive(errand, plan)
        await errand.school.check_writable(change.target.student_id for change in plan.changes)
        with anyio.CancelScope(shield=True):
            now, lease = errand.desk.now(), _lease(errand)
            if await errand.desk.store.claim(plan.code, agreed=agreed, now=now, lease_until=lease):
                plan = replace(plan, approval=agreed.approval, way=agreed.way)
                return await _carry_out(errand, plan, lease)
        if anyio.current_time() >= gives_up:
            await _say_busy(errand, code)
        await anyio.sleep(_LOOK_EVERY)
    return await _what_became(errand, plan)


async def _say_busy(errand: Errand, code: str) -> None:
    if (await errand.find(code)).state is PlanState.WAITING:
        raise PlanError(
            "Another plan of the same records is being carried out right now. This one still waits: apply it again in "
            "a minute."
        )


async def _what_became(errand: Errand, plan: Plan) -> WriteFacts:
    if plan.state is PlanState.APPLYING:
        with anyio.CancelScope(shield=True):
            lease = _lease(errand)
            if await errand.desk.store.reclaim(plan.code, now=errand.desk.now(), lease_until=lease):
                return await settle_by_reading(errand, await errand.find(plan.code), lease)
        plan = await errand.find(plan.code)
    return await recorded(errand, plan)


def _check_alive(errand: Errand, plan: Plan) -> None:
    if plan.expires <= errand.desk.now():
        raise PlanExpired("This plan has expired. Plan it again: the records are read afresh then.")


async def _hold_to_its_words(errand: Errand, plan: Plan, summary_given: str | None, errand_hash: str | None) -> None:
    if errand_hash is not None and errand_hash != plan.errand_hash:
        raise PlanMismatch("This confirmation belongs to a call with other arguments. Repeat that call unchanged.")
    if summary_given is not None and summary_hash(summary_given) != plan.summary_hash:
        own = summary(plan.changes, await words_for(errand.school, plan.changes))
        if summary_hash(own) != plan.summary_hash:
            raise PlanStale("A name or a label of this plan has changed since it was made. Plan the changes again.")
        raise PlanMismatch(f"The summary must be the plan's own, word for word: {own}")


@dataclass(frozen=True, slots=True)
class _Readings:
    """What is read before anything is sent, so that nothing which fails later can keep an answer from being told."""

    words: Words
    before: Snapshot
    periods_from: dict[int, int]  # by class


async def _carry_out(errand: Errand, plan: Plan, lease: datetime) -> WriteFacts:
    whole = errand.desk.carrying_out.total_seconds()
    ends = anyio.current_time() + whole
    readings = await _read(errand, plan, lease)
    moved = [change for change in plan.changes if not same(readings.before.value(change), change.before)]
    if moved:
        await errand.desk.store.settle(plan.code, PlanState.STALE, lease=lease, now=errand.desk.now())
        told = grouped(moved, readings.words)
        records = "; ".join(f"{group.record} of {', '.join(group.students[:5])}" for group in told[:10])
        raise PlanStale(f"Changed in the school's system since the plan: {records}. Plan it again.")
    rows = [replace(change, known=readings.before.known(change)) for change in plan.changes]
    sending = _Sending(errand, plan.code, lease, rows, readings.periods_from)
    with anyio.CancelScope(deadline=ends - (1 - _SENDING_SHARE) * whole):
        await sending.all()
    carried = replace(plan, changes=tuple(sending.rows))
    facts = await read_back(errand, carried, lease=lease, words=readings.words, unsent=sending.unsent, until=ends)
    return facts or await recorded(errand, await errand.find(plan.code))


async def _read(errand: Errand, plan: Plan, lease: datetime) -> _Readings:
    """Everything that carrying out needs to know. Where it can't be had, the plan waits again."""
    try:
        with anyio.fail_after(_SENDING_SHARE * errand.desk.carrying_out.total_seconds()):
            words = await words_for(errand.school, plan.changes)
            classes = sorted({change.target.class_id for change in plan.changes if change.target.class_id})
            timetable = errand.school.client.get_class_timetable
            counting = {id: (await errand.school.read(timetable, id)).periods_from for id in classes}
            return _Readings(words, await read_afresh(errand.school, plan.changes), counting)
    except TimeoutError:
        await errand.desk.store.release(plan.code, lease=lease)
        raise Unavailable("The school's system was too slow to read the records again. The plan still waits.") from None
    except AttendanceError:
        await errand.desk.store.release(plan.code, lease=lease)
        raise


@dataclass(eq=False, slots=True)
class _Sending:
    """The rows of a plan on their way: at most four requests at once, and one at a time a target."""

    errand: Errand
    code: str
    lease: datetime
    rows: list[Change]
    periods_from: dict[int, int]
    unsent: str = "time ran out"  # why the rows that are still planned in the end were not sent
    broken: StoreUnavailable | None = None

    async def all(self) -> None:
        """Sends every change; being cancelled leaves the rest as it was planned.

        Raises StoreUnavailable where the store could take none of them, so that none was sent.
        """
        limiter = anyio.CapacityLimiter(_AT_ONCE)
        lanes: dict[int, anyio.Lock] = {}

        async def one(numbers: list[int]) -> None:
            target = self.rows[numbers[0]].target
            async with lanes.setdefault(target.class_id or target.student_id, anyio.Lock()), limiter:
                if await self._may_send(numbers):
                    await self._send(numbers)

        await together(partial(one, numbers) for numbers in _batches(self.rows))
        if self.broken is not None and not self.errand.sent:
            raise self.broken

    async def _may_send(self, numbers: list[int]) -> bool:
        """Whether it stands in the store that these rows are under way: what is not told there is never sent."""
        try:
            held = await self._record(numbers, [replace(self.rows[n], outcome=Outcome.SENDING) for n in numbers])
        except StoreUnavailable as error:
            self.broken, self.unsent = error, "the store of plans and changes can't be written"
            return False
        if not held:
            self.unsent = "the plan was settled by somebody else meanwhile"
        return held

    async def _send(self, numbers: list[int]) -> None:
        batch = [self.rows[number] for number in numbers]
        class_id = batch[0].target.class_id
        self.errand.sent = True
        for number in numbers:
            self.rows[number] = replace(self.rows[number], outcome=Outcome.SENDING)
        try:
            answered = await send(self.errand.school, batch, periods_from=self.periods_from.get(class_id or 0, 1))
        finally:
            self.errand.school.wrote(class_id=class_id)
        told = [number for number, change in zip(numbers, answered, strict=True) if change != self.rows[number]]
        for number, change in zip(numbers, answered, strict=True):
            self.rows[number] = change
        # A crash would lose the API's reasons; of a store that can't be written, reading back tells all the rest.
        if told:
            with suppress(StoreUnavailable):
                await self._record(told, [self.rows[number] for number in told])

    async def _record(self, numbers: list[int], rows: list[Change]) -> bool:
        store = self.errand.desk.store
        return await store.record(self.code, list(zip(numbers, rows, strict=True)), lease=self.lease)


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


def _lease(errand: Errand) -> datetime:
    return errand.desk.lease()
