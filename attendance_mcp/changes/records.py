"""The school's records that changes are about: how they are read afresh, and how changes are sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

import anyio

from attendance_mcp.api.records import ClassMarkWrite, Excusal, Mark
from attendance_mcp.changes.model import Change, ChangeKind, ExcusalValue, MarkValue, Outcome, Value
from attendance_mcp.errors import (
    ArgumentError,
    AttendanceError,
    NotAuthorised,
    NotFound,
    RateLimited,
    Refused,
    SettingsError,
    UpstreamError,
)
from attendance_mcp.outside import fenced
from attendance_mcp.school.school import School
from attendance_mcp.school.together import together
from attendance_mcp.status import NOT_TAKEN

NO_MARK = MarkValue(None)
HOMEROOM, CLASS, EXCUSALS = "homeroom", "class", "excusals"
Place = tuple[object, ...]


@dataclass(slots=True)
class Snapshot:
    """The records of some changes as they read at one moment."""

    homeroom: dict[tuple[int, date], MarkValue] = field(default_factory=dict)  # (student, day)
    classes: dict[tuple[int, int, date, int], MarkValue] = field(default_factory=dict)  # (class, student, day, period)
    excusals: dict[int, list[Excusal]] = field(default_factory=dict)  # by student
    places: set[Place] = field(default_factory=set)  # what was read

    def has(self, change: Change) -> bool:
        """Whether the record of this change was read."""
        return _place(change) in self.places

    def value(self, change: Change) -> Value:
        """What the record of this change reads; for a new excusal, the one that covers its days, if there is one."""
        target = change.target
        match change.kind:
            case ChangeKind.HOMEROOM_MARK if target.day:
                return self.homeroom.get((target.student_id, target.day), NO_MARK)
            case ChangeKind.CLASS_MARK if target.class_id and target.day and target.period is not None:
                return self.classes.get((target.class_id, target.student_id, target.day, target.period), NO_MARK)
            case ChangeKind.EXCUSAL_MADE if isinstance(change.after, ExcusalValue):
                found = overlapping(self.excusals.get(target.student_id, ()), change.after.start, change.after.end)
                return excusal_value(found) if found else None
            case _:
                found = self.excusal(target.student_id, target.excusal_id)
                return excusal_value(found) if found else None

    def known(self, change: Change) -> frozenset[int]:
        """The ids that the new excusal of this change can't get."""
        rows = self.excusals.get(change.target.student_id, ()) if change.kind is ChangeKind.EXCUSAL_MADE else ()
        return frozenset(row.id for row in rows if row.id is not None)

    def excusal(self, student_id: int, excusal_id: int | None) -> Excusal | None:
        rows = self.excusals.get(student_id, ())
        return next((row for row in rows if row.id == excusal_id), None)


def mark_value(mark: Mark | None) -> MarkValue:
    """A mark's content; a mark that was not taken has none."""
    return NO_MARK if mark is None or mark.status == NOT_TAKEN else MarkValue(mark.status, mark.note or None)


def excusal_value(excusal: Excusal) -> ExcusalValue:
    return ExcusalValue(excusal.start_date, excusal.end_date, excusal.parent_id, excusal.comment or None)


def overlapping(excusals: Iterable[Excusal], start: date, end: date) -> Excusal | None:
    return next((row for row in excusals if row.start_date <= end and start <= row.end_date), None)


async def read_afresh(school: School, changes: Sequence[Change]) -> Snapshot:
    """Reads the records of these changes past every memory. Raises AttendanceError where one can't be read."""
    snapshot = Snapshot()
    await together(_reads(school, changes, snapshot).values())
    return snapshot


async def read_what_can_be_read(school: School, changes: Sequence[Change], *, seconds: float) -> Snapshot:
    """As `read_afresh`, but without those that can't be read in this time; `has` tells which were."""
    snapshot = Snapshot()

    async def one(read: Callable[[], Awaitable[None]]) -> None:
        with suppress(AttendanceError):
            await read()

    with anyio.move_on_after(seconds):
        await together(partial(one, read) for read in _reads(school, changes, snapshot).values())
    return snapshot


def _reads(school: School, changes: Sequence[Change], into: Snapshot) -> dict[Place, Callable[[], Awaitable[None]]]:
    """The reads that these changes need, each once."""

    async def homeroom(year_group_id: int, day: date) -> None:
        for student in (await school.client.get_homeroom_attendance(year_group_id, day)).students:
            into.homeroom[student.id, day] = mark_value(student.mark)

    async def class_day(class_id: int, day: date) -> None:
        for student in (await school.client.get_class_attendance(class_id, day)).students:
            for period, mark in student.marks.items():
                into.classes[class_id, student.id, day, period] = mark_value(mark)

    async def excusals(student_id: int) -> None:
        into.excusals[student_id] = (await school.client.list_student_excusals(student_id)).items

    async def noted(place: Place, read: Callable[..., Awaitable[None]]) -> None:
        await read(*place[1:])
        into.places.add(place)

    of: dict[object, Callable[..., Awaitable[None]]] = {HOMEROOM: homeroom, CLASS: class_day, EXCUSALS: excusals}
    return {place: partial(noted, place, of[place[0]]) for place in map(_place, changes)}


def _place(change: Change) -> Place:
    """Where the record of a change is read: the kind of the read and its arguments."""
    target = change.target
    if change.kind is ChangeKind.HOMEROOM_MARK and target.year_group_id and target.day:
        return (HOMEROOM, target.year_group_id, target.day)
    if change.kind is ChangeKind.CLASS_MARK and target.class_id and target.day:
        return (CLASS, target.class_id, target.day)
    return (EXCUSALS, target.student_id)


async def send(school: School, batch: Sequence[Change], *, periods_from: int) -> list[Change]:
    """Sends one request for the batch; each change comes back SENDING (the API took it), refused, unknown or not sent.

    Nothing is DONE before it was read back.
    """
    first = batch[0]
    try:
        if first.kind is ChangeKind.CLASS_MARK:
            return await _send_class_marks(school, batch, periods_from=periods_from)
        return [await _send_one(school, first)]
    except (NotAuthorised, NotFound, Refused) as error:
        return [replace(change, outcome=Outcome.REFUSED, reason=_reason(error)) for change in batch]
    except (RateLimited, ArgumentError, SettingsError) as error:  # the last two before anything left
        return [replace(change, outcome=Outcome.NOT_SENT, reason=_happened(error)) for change in batch]
    except UpstreamError as error:
        outcome = Outcome.UNKNOWN if getattr(error, "maybe_sent", True) else Outcome.NOT_SENT
        return [replace(change, outcome=outcome, reason=_happened(error)) for change in batch]


async def _send_class_marks(school: School, batch: Sequence[Change], *, periods_from: int) -> list[Change]:
    rows = [_class_row(change) for change in batch]
    class_id = batch[0].target.class_id or 0
    results = await school.client.set_class_attendance(class_id, rows, periods_from=periods_from)
    by_index = {result.index: result for result in results}
    sent: list[Change] = []
    for index, change in enumerate(batch):
        result = by_index.get(index)
        if result is None or result.student_id != change.target.student_id:
            reason = "The school's system gave no result for this row."
            sent.append(replace(change, outcome=Outcome.UNKNOWN, reason=reason))
        elif result.outcome == "ok":
            sent.append(replace(change, outcome=Outcome.SENDING))
        else:
            words = "; ".join(f"{field} {', '.join(problems)}" for field, problems in result.errors.items())
            reason = f"the school's system says {fenced(words or result.outcome.replace('_', ' '))}"
            sent.append(replace(change, outcome=Outcome.REFUSED, reason=reason))
    return sent


def _class_row(change: Change) -> ClassMarkWrite:
    target, after = change.target, change.after
    if not isinstance(after, MarkValue) or target.day is None or target.period is None or after.status is None:
        raise TypeError("a class mark needs a day, a period and a status")  # pragma: no cover  no plan holds one
    return ClassMarkWrite(
        student_id=target.student_id,
        date=target.day,
        period=target.period,
        status=after.status,
        notes=_notes(change),
    )


async def _send_one(school: School, change: Change) -> Change:
    client, target, after = school.client, change.target, change.after
    made_id = None
    match change.kind, after:
        case ChangeKind.HOMEROOM_MARK, MarkValue(status=int() as status) if target.day:
            await client.set_homeroom_attendance(target.student_id, target.day, status, notes=_notes(change))
        case ChangeKind.EXCUSAL_MADE, ExcusalValue(parent_id=int() as parent_id):
            made = await client.create_excusal(
                target.student_id,
                parent_id=parent_id,
                start_date=after.start,
                end_date=after.end,
                comment=after.comment,
            )
            made_id = made.id
        case ChangeKind.EXCUSAL_ALTERED, ExcusalValue() if target.excusal_id and isinstance(
            change.before, ExcusalValue
        ):
            await client.update_excusal(
                target.student_id,
                target.excusal_id,
                end_date=after.end if after.end != change.before.end else None,
                # None would leave what stands there: only the empty text takes a comment away.
                comment=(after.comment or "") if after.comment != change.before.comment else None,
            )
        case ChangeKind.EXCUSAL_DELETED, None if target.excusal_id:
            await client.delete_excusal(target.student_id, target.excusal_id)
        case _:
            raise TypeError(f"a {change.kind} can't be sent like this")  # pragma: no cover  no plan holds one
    return replace(change, outcome=Outcome.SENDING, made_id=made_id)


def _notes(change: Change) -> str | None:
    """The note is always sent, since nobody documents whether leaving it out keeps the old one."""
    before = change.before.note if isinstance(change.before, MarkValue) else None
    after = change.after.note if isinstance(change.after, MarkValue) else None
    return after if after is not None else ("" if before is not None else None)


def _happened(error: AttendanceError) -> str:
    """The first sentence: what to do next is told once, for all rows, after the records were read back."""
    return str(error).split(". ")[0].rstrip(".")


def _reason(error: UpstreamError) -> str:
    if isinstance(error, Refused) and error.fields:
        words = "; ".join(f"{field}: {', '.join(problems)}" for field, problems in error.fields.items())
        return f"the school's system says {fenced(words)}"
    return str(error)
