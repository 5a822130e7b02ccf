"""The items of one errand: what each kind takes, and the marks that they come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Literal

from attendance_mcp.api.records import ClassRecord
from attendance_mcp.changes.marks import WantedMark
from attendance_mcp.changes.model import Change
from attendance_mcp.changes.plan import MOST_CHANGES
from attendance_mcp.digest.facts import Role, listed
from attendance_mcp.errors import ArgumentError, Unavailable
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.meetings import Meeting, meetings_on, taught_on
from attendance_mcp.school.school import School, group_name, student_name

ItemKind = Literal["homeroom", "class", "new excusal", "alter excusal", "delete excusal", "undo"]

# What each kind must be given, and what it may be. Anything else would vanish without a word, so it is refused.
_TAKES: dict[ItemKind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "homeroom": (("student_ids", "dates", "status"), ("notes", "erase_notes")),
    "class": (("student_ids", "dates", "status"), ("class_id", "periods", "notes", "erase_notes")),
    "new excusal": (("student_ids", "dates", "parent_id"), ("end_date", "comment")),
    "alter excusal": (("student_ids", "excusal_id"), ("end_date", "comment")),
    "delete excusal": (("student_ids", "excusal_id"), ()),
    "undo": (("confirmation",), ("rows", "student_ids")),
}
_MOST_MARKS = 4 * MOST_CHANGES  # what is already so is no change, but has to be read
_IDS_A_REQUEST = 100


@dataclass(frozen=True, slots=True)
class Item:
    """One item of an errand, for every student and date that it names; its fields are the tool's arguments."""

    kind: ItemKind
    student_ids: tuple[int, ...] = ()
    dates: tuple[date, ...] = ()
    periods: tuple[int, ...] = ()  # none: every period that meets
    class_id: int | None = None  # none: every class of the students that meets
    status: int | str | None = None
    notes: str = ""
    erase_notes: bool = False
    parent_id: int | None = None
    excusal_id: int | None = None
    end_date: date | None = None
    comment: str = ""
    confirmation: str = ""
    rows: tuple[int, ...] = ()


def check_item(number: int, item: Item) -> None:
    """Raises ArgumentError where the item lacks what its kind needs or holds what its kind would not use."""
    needed, possible = _TAKES[item.kind]
    given = {one.name for one in fields(item) if one.name != "kind" and getattr(item, one.name) != one.default}
    what = f"Item {number} ({item.kind})"
    if missing := [name for name in needed if name not in given]:
        raise ArgumentError(f"{what} needs {listed(missing)}.")
    if unused := sorted(given - {*needed, *possible}):
        raise ArgumentError(f"{what} takes no {listed(unused)}, only {listed([*needed, *possible])}.")
    if item.excusal_id is not None and len(item.student_ids) > 1:
        raise ArgumentError(f"{what} is of one excusal, so of one student.")
    if item.kind == "new excusal" and len(item.dates) > 1:
        raise ArgumentError(f"{what} takes one date, its first day; end_date is its last.")


@dataclass(frozen=True, slots=True)
class Record:
    """Which record an item is of, so that no two are of one."""

    student_id: int
    day: date | None = None
    class_id: int | None = None
    period: int | None = None
    excusal_id: int | None = None

    @classmethod
    def of(cls, change: Change) -> Record:
        """The record of a change; a new excusal is none yet."""
        target = change.target
        return cls(target.student_id, target.day, target.class_id, target.period, target.excusal_id)

    def told(self, school: School) -> str:
        """The record in words."""
        what = f"excusal {self.excusal_id}"
        if self.day is not None:
            place = f"class {self.class_id}, period {self.period}" if self.class_id else "homeroom"
            what = f"{place}, {spoken(self.day)}"
        return f"{school.disclosure.called(Role.STUDENT, self.student_id)}, {what}"


@dataclass(slots=True)
class Marks:
    """The marks that the items of an errand come to, by class; None is homeroom."""

    wanted: dict[int | None, list[WantedMark]] = field(default_factory=dict)
    number: int = 0

    def add(
        self, item: Item, student_id: int, day: date, *, class_id: int | None = None, period: int | None = None
    ) -> None:
        """Takes one mark of an item in."""
        status = item.status if item.status is not None else ""
        mark = WantedMark(student_id, day, status, period, notes=item.notes, erase_notes=item.erase_notes)
        self.wanted.setdefault(class_id, []).append(mark)
        self.number += 1
        if self.number > _MOST_MARKS:
            raise ArgumentError(
                f"That comes to more than {_MOST_MARKS:,} marks, and a plan holds at most {MOST_CHANGES} changes. "
                "Split it by date or by group of students."
            )

    def records(self) -> Iterable[Record]:
        for class_id, marks in self.wanted.items():
            for mark in marks:
                yield Record(mark.student_id, mark.day, class_id, mark.period)


async def marks_of(school: School, items: Sequence[Item]) -> Marks:
    """Every mark that the items name, one by one."""
    marks = Marks()
    for item in items:
        if item.kind == "homeroom":
            for student_id in item.student_ids:
                for day in item.dates:
                    marks.add(item, student_id, day)
        elif item.kind == "class" and item.class_id is not None and item.periods:
            for student_id in item.student_ids:
                for day in item.dates:
                    for period in item.periods:
                        marks.add(item, student_id, day, class_id=item.class_id, period=period)
        elif item.kind == "class":
            await _add_meetings(school, item, marks)
    return marks


async def _add_meetings(school: School, item: Item, marks: Marks) -> None:
    """The item's periods, else every period, in which its class, or every class of the students, meets."""
    classes = await _classes(school, item)
    records = {id: record for own in classes.values() for id, record in own.items()}
    for day in item.dates:
        meetings = await _meetings(school, records, day)
        for student_id in item.student_ids:
            found = [
                (class_id, period)
                for class_id in classes[student_id]
                if class_id in meetings
                for period in meetings[class_id].periods
                if not item.periods or period in item.periods
            ]
            if not found:
                name = student_name(await school.student(student_id))
                raise ArgumentError(f"No class of {name} meets then, on {spoken(day)}. Leave that day or student out.")
            for class_id, period in found:
                marks.add(item, student_id, day, class_id=class_id, period=period)


async def _meetings(school: School, records: Mapping[int, ClassRecord], day: date) -> dict[int, Meeting]:
    """When these classes meet on the day, each for sure: a plan must not leave out what could not be read."""
    taught = {id: record for id, record in records.items() if await taught_on(school, record, day)}
    meetings = await meetings_on(school, taught, day)
    if school.not_read:
        raise Unavailable(f"{school.not_read[0]} Try again, or give class_id and periods.")
    if unsure := sorted(group_name(records[id]) for id, meeting in meetings.items() if not meeting.certain):
        raise ArgumentError(
            f"When {unsure[0]} meets on {spoken(day)} is not known, since no calendar tells the day of its "
            "timetable. Give class_id and periods."
        )
    return meetings


async def _classes(school: School, item: Item) -> dict[int, dict[int, ClassRecord]]:
    """The classes that count for each student of the item."""
    if item.class_id is not None:
        record = await school.class_(item.class_id)
        return {student_id: {record.id: record} for student_id in item.student_ids}
    records = await school.classes()
    found: dict[int, dict[int, ClassRecord]] = {student_id: {} for student_id in item.student_ids}
    ids = sorted(found)
    for start in range(0, len(ids), _IDS_A_REQUEST):
        chunk = tuple(ids[start : start + _IDS_A_REQUEST])
        for row in await school.read(school.client.list_memberships, user_ids=chunk):
            if row.user_id in found and row.class_id in records:
                found[row.user_id][row.class_id] = records[row.class_id]
    return found
