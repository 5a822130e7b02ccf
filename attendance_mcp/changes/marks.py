"""Drafts of marks: the smallest set of changes that makes the records as asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from attendance_mcp.api.records import ClassRecord, Student, Timetable
from attendance_mcp.changes.model import Change, ChangeKind, MarkValue, Target
from attendance_mcp.changes.plan import Draft
from attendance_mcp.changes.records import read_afresh
from attendance_mcp.errors import ArgumentError, NotFound
from attendance_mcp.rules.labels import Label, Labels
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.school import School, group_name, student_name
from attendance_mcp.status import ABSENT, NOT_TAKEN, Kind

LONG_AGO_DAYS = 30


@dataclass(frozen=True, slots=True)
class WantedMark:
    """A mark as it shall be; no period is homeroom."""

    student_id: int
    day: date
    status: int | str
    period: int | None = None
    notes: str = ""
    erase_notes: bool = False

    def __post_init__(self) -> None:
        if self.notes and self.erase_notes:
            raise ArgumentError("Give notes to write them or erase_notes to erase what is there, not both.")


async def draft_homeroom_marks(school: School, wanted: Sequence[WantedMark]) -> Draft:
    """The changes that make these homeroom marks so."""
    students = {mark.student_id: await school.student(mark.student_id) for mark in wanted}
    aims: list[tuple[WantedMark, Change, Label]] = []
    for mark in wanted:
        student = students[mark.student_id]
        if student.year_group_id is None:
            raise ArgumentError(f"{student_name(student)} is in no year group, so keeps no homeroom.")
        label = status_label(mark.status, await school.labels(student.program_code, mark.day))
        target = Target(student_id=student.id, day=mark.day, year_group_id=student.year_group_id)
        aims.append((mark, _aim(ChangeKind.HOMEROOM_MARK, target, label), label))
    return await _drafted(school, aims, students)


async def draft_class_marks(school: School, class_id: int, wanted: Sequence[WantedMark]) -> Draft:
    """The changes that make these marks of a class so.

    Refused here are only a period that stands in no slot of the class and a student who was never in it; about the
    rest the draft warns and the API decides.
    """
    record = await school.class_(class_id)
    timetable = await school.read(school.client.get_class_timetable, class_id, include_disabled=True)
    students = dict(await school.students({mark.student_id for mark in wanted}))
    await _check_members(school, record, students, wanted)
    _check_periods(record, timetable, wanted)
    aims: list[tuple[WantedMark, Change, Label]] = []
    for mark in wanted:
        student = students[mark.student_id]
        label = status_label(mark.status, await school.labels(student.program_code, mark.day))
        target = Target(student_id=student.id, day=mark.day, class_id=class_id, period=mark.period)
        aims.append((mark, _aim(ChangeKind.CLASS_MARK, target, label), label))
    return await _drafted(school, aims, students)


def status_label(wanted: int | str, labels: Labels) -> Label:
    """The code that is meant, by itself or by its label. Raises ArgumentError where a label is unknown or means two."""
    if isinstance(wanted, int):
        return labels[wanted]
    found = labels.named(wanted)
    if len(found) == 1:
        return found[0]
    if found:
        raise ArgumentError(f"{wanted!r} is the label of several codes: {_codes(found)}. Give the code.")
    known = [label for label in labels.by_code.values() if label.enabled and label.code != NOT_TAKEN]
    raise ArgumentError(f"This school has no label {wanted!r} here. It has: {_codes(known)}.")


def _aim(kind: ChangeKind, target: Target, label: Label) -> Change:
    return Change(kind=kind, target=target, before=None, after=MarkValue(label.code))


async def _drafted(
    school: School, aims: Sequence[tuple[WantedMark, Change, Label]], students: dict[int, Student]
) -> Draft:
    """Fills in what is there now, keeps the notes that are not to change, and leaves out what is already so."""
    targets = [change.target for _, change, _ in aims]
    if len(set(targets)) < len(targets):
        raise ArgumentError("Two of these marks are of one record (the same student, day and period). Give each once.")
    now = await read_afresh(school, [change for _, change, _ in aims])
    draft = Draft()
    for mark, change, label in aims:
        before = now.value(change)
        if not isinstance(before, MarkValue):
            raise TypeError("a mark was expected")
        note = None if mark.erase_notes else (mark.notes or before.note)
        full = Change(change.kind, change.target, before, MarkValue(label.code, note))
        draft.add(full)
        if full.before != full.after:
            _warn(draft, school, full, label, students[mark.student_id])
    return draft


def _warn(draft: Draft, school: School, change: Change, label: Label, student: Student) -> None:
    before, after, day = change.before, change.after, change.target.day
    if not isinstance(before, MarkValue) or not isinstance(after, MarkValue) or day is None:
        return
    if before.status != after.status and ABSENT in (before.status, after.status):
        draft.warn("A mark of Absent, or its undoing: the school's system may tell the parents.")
    if before.status is not None and before.status != after.status:
        draft.warn("Somebody took these marks; they are overwritten.")
    if before.note and not after.note:
        draft.warn("A note is erased.")
    if not label.enabled:
        draft.warn(f"{label.text} is a disabled code in this school.")
    if label.kind is Kind.UNCLASSIFIED:
        draft.warn(f"What {label.text} counts as is not known here.")
    if (school.clock.today() - day).days > LONG_AGO_DAYS:
        draft.warn(f"{spoken(day)} is more than {LONG_AGO_DAYS} days back.")
    if day > school.clock.today():
        draft.warn(f"{spoken(day)} is still to come.")
    if student.archived:
        draft.warn(f"{student_name(student)} is archived.")


async def _check_members(
    school: School, record: ClassRecord, students: dict[int, Student], wanted: Sequence[WantedMark]
) -> None:
    """Members are today's roster, whoever the memberships name, and whoever the class's day shows."""
    ids = {mark.student_id for mark in wanted}
    unknown = sorted(ids - set(students))
    if unknown:
        raise NotFound(f"The school has no student with the id {unknown[0]}. The school's own number is not the id.")
    members = set(await school.read(school.client.list_class_students, record.id))
    if missing := ids - members:
        for membership in await school.read(school.client.list_memberships, user_ids=tuple(sorted(missing))):
            if membership.class_id == record.id:
                members.add(membership.user_id)
    for day in {mark.day for mark in wanted if mark.student_id not in members}:
        members |= {student.id for student in (await school.client.get_class_attendance(record.id, day)).students}
    if strangers := sorted(ids - members):
        names = ", ".join(f"{student_name(students[id])} ({id})" for id in strangers[:5])
        raise ArgumentError(f"Never in {group_name(record)}: {names}.")


def _check_periods(record: ClassRecord, timetable: Timetable, wanted: Sequence[WantedMark]) -> None:
    known = {slot.period for year in timetable.years for slot in year.slots}
    unknown = sorted({mark.period for mark in wanted if mark.period is not None} - known)
    if unknown:
        raise ArgumentError(
            f"{group_name(record)} has no slot in period {', '.join(map(str, unknown))}. "
            f"Its periods are: {', '.join(map(str, sorted(known))) or 'none'}."
        )


def _codes(labels: Sequence[Label]) -> str:
    return ", ".join(f"{label.code} {label.text}" for label in labels)
