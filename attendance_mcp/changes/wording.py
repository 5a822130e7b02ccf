"""How changes are said: from → to with the student's name and the school's labels, and a plan's one-line summary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from attendance_mcp.api.records import ClassRecord, Student
from attendance_mcp.changes.facts import ChangeGroup
from attendance_mcp.changes.model import Change, ChangeKind, ExcusalValue, MarkValue, Outcome, Value
from attendance_mcp.digest.facts import counted
from attendance_mcp.errors import NotFound
from attendance_mcp.outside import one_line
from attendance_mcp.rules.labels import Labels
from attendance_mcp.school.clock import spoken, weekday
from attendance_mcp.school.school import School, group_name, student_name

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Words:
    """The names and labels that some changes are said with."""

    students: Mapping[int, Student]
    groups: Mapping[int, str]  # year groups by id
    classes: Mapping[int, ClassRecord]
    parents: Mapping[int, str]
    labels: Mapping[tuple[str | None, date], Labels]
    today: date

    def student(self, id: int) -> str:
        """`Mia Tanaka (Grade 8)`."""
        student = self.students.get(id)
        if student is None:
            return f"student {id}"
        group = self.groups.get(student.year_group_id or 0) or student.class_grade
        return f"{student_name(student)} ({group})" if group else student_name(student)

    def status(self, change: Change, status: int | None) -> str:
        """The label as the student's programme words it on that day."""
        if status is None:
            return "not taken"
        return self.labels[label_key(change, self.students)][status].text

    def day(self, day: date) -> str:
        """`Tue 24 Nov`, with the year where it is not this one."""
        year = "" if day.year == self.today.year else f" {day.year}"
        return f"{weekday(day)} {day.day} {_MONTHS[day.month - 1]}{year}"

    def days(self, value: ExcusalValue) -> str:
        return (
            self.day(value.start) if value.start == value.end else f"{self.day(value.start)} to {self.day(value.end)}"
        )


def label_key(change: Change, students: Mapping[int, Student]) -> tuple[str | None, date]:
    """The programme and day that decide what a code is called."""
    student = students.get(change.target.student_id)
    return (student.program_code if student else None, change.target.day or date.min)


async def words_for(school: School, changes: Sequence[Change]) -> Words:
    """Reads what is needed to say these changes."""
    students = await school.students({change.target.student_id for change in changes})
    classes = {id: await school.class_(id) for id in sorted({c.target.class_id for c in changes if c.target.class_id})}
    labels = {}
    for key in {label_key(change, students) for change in changes}:
        labels[key] = await school.labels(*key)
    parents = {}
    for value in (value for change in changes for value in (change.before, change.after)):
        if isinstance(value, ExcusalValue) and value.parent_id and value.parent_id not in parents:
            parents[value.parent_id] = await _parent_name(school, value.parent_id)
    groups = {id: group_name(group) for id, group in (await school.year_groups()).items()}
    return Words(students, groups, classes, parents, labels, school.clock.today())


async def _parent_name(school: School, id: int) -> str:
    try:
        parent = await school.read(school.client.get_parent, id)
    except NotFound:
        return f"parent {id}"
    return one_line(f"{parent.first_name} {parent.last_name}", limit=60)


def grouped(changes: Iterable[Change], words: Words) -> list[ChangeGroup]:
    """Changes that are alike but for the student, told once."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for change in changes:
        outcome = "" if change.outcome is Outcome.PLANNED else str(change.outcome)
        key = (_record(change, words), _was(change, words), _becomes(change, words), outcome, change.reason)
        groups.setdefault(key, []).append(words.student(change.target.student_id))
    return [
        ChangeGroup(record=record, was=was, becomes=becomes, students=students, outcome=outcome, reason=reason)
        for (record, was, becomes, outcome, reason), students in groups.items()
    ]


def summary(changes: Sequence[Change], words: Words) -> str:
    """One line that a person can agree to: `Mark Mia Tanaka (Grade 8) Late on Tue 24 Nov, was Absent.`"""
    if len(changes) == 1:
        return _one(changes[0], words)
    kinds: dict[ChangeKind, list[Change]] = {}
    for change in changes:
        kinds.setdefault(change.kind, []).append(change)
    return "; ".join(_several(kind, rows, words) for kind, rows in kinds.items()) + "."


def _one(change: Change, words: Words) -> str:
    name = words.student(change.target.student_id)
    match change.kind, change.before, change.after:
        case (ChangeKind.HOMEROOM_MARK | ChangeKind.CLASS_MARK, MarkValue() as before, MarkValue() as after):
            label = words.status(change, after.status)
            note = ", " + _note_change(before, after) if before.note != after.note else ""
            was = f", was {words.status(change, before.status)}" if before.status != after.status else ""
            return f"Mark {name} {label} {_place(change, words)}{was}{note}."
        case ChangeKind.EXCUSAL_MADE, _, ExcusalValue() as after:
            return f"Add an excusal for {name}, {words.days(after)}, in the name of {_parent(after, words)}."
        case ChangeKind.EXCUSAL_ALTERED, ExcusalValue() as before, ExcusalValue() as after:
            parts = [f"end {words.day(before.end)} → {words.day(after.end)}"] if before.end != after.end else []
            parts += ["a new comment"] if before.comment != after.comment else []
            return f"Alter the excusal of {name} for {words.days(before)}: {' and '.join(parts)}."
        case ChangeKind.EXCUSAL_DELETED, ExcusalValue() as before, _:
            return f"Delete the excusal of {name} for {words.days(before)}."
        case _:
            raise TypeError(f"no words for a {change.kind}")


def _several(kind: ChangeKind, rows: Sequence[Change], words: Words) -> str:
    names = {row.target.student_id for row in rows}
    who = words.student(next(iter(names))) if len(names) == 1 else counted(len(names), "student")
    if kind in (ChangeKind.HOMEROOM_MARK, ChangeKind.CLASS_MARK):
        labels = sorted({words.status(row, row.after.status) for row in rows if isinstance(row.after, MarkValue)})
        days = sorted({row.target.day for row in rows if row.target.day})
        when = words.day(days[0]) if len(days) == 1 else f"{words.day(days[0])} to {words.day(days[-1])}"
        where = (
            "in homeroom"
            if kind is ChangeKind.HOMEROOM_MARK
            else "in " + ", ".join(sorted({_class_name(row, words) for row in rows}))
        )
        return f"Mark {who} {' / '.join(labels)} {where} on {when} ({counted(len(rows), 'mark')})"
    verb = {ChangeKind.EXCUSAL_MADE: "Add", ChangeKind.EXCUSAL_ALTERED: "Alter", ChangeKind.EXCUSAL_DELETED: "Delete"}
    return f"{verb[kind]} {counted(len(rows), 'excusal')} of {who}"


def _place(change: Change, words: Words) -> str:
    day = words.day(change.target.day) if change.target.day else ""
    if change.kind is ChangeKind.HOMEROOM_MARK:
        return f"on {day}"
    return f"in {_class_name(change, words)} period {change.target.period} on {day}"


def _class_name(change: Change, words: Words) -> str:
    record = words.classes.get(change.target.class_id or 0)
    return group_name(record) if record else f"class {change.target.class_id}"


def _record(change: Change, words: Words) -> str:
    day = spoken(change.target.day) if change.target.day else ""
    match change.kind:
        case ChangeKind.HOMEROOM_MARK:
            return f"homeroom, {day}"
        case ChangeKind.CLASS_MARK:
            return f"{_class_name(change, words)}, period {change.target.period}, {day}"
        case _:
            return f"excusal {change.target.excusal_id or change.made_id or ''}".strip()


def _was(change: Change, words: Words) -> str:
    match change.before:
        case MarkValue() as before:
            note = f" with a note of {counted(len(before.note), 'character')}" if before.note else ""
            return words.status(change, before.status) + note
        case ExcusalValue() as before:
            return _excusal(before, words, comment=f"a comment of {counted(len(before.comment or ''), 'character')}")
        case _:
            return "none"


def _becomes(change: Change, words: Words) -> str:
    match change.after:
        case MarkValue() as after:
            before = change.before if isinstance(change.before, MarkValue) else MarkValue(None)
            label = words.status(change, after.status)
            note = _note_change(before, after)
            return f"{label}, {note}" if note else label
        case ExcusalValue() as after:
            kept = isinstance(change.before, ExcusalValue) and change.before.comment == after.comment
            return _excusal(
                after, words, comment="the comment kept" if kept else f"comment {quoted(after.comment or '')}"
            )
        case _:
            return "deleted"


def _note_change(before: MarkValue, after: MarkValue) -> str:
    if before.note == after.note:
        return "note kept" if before.note else ""
    return f"note {quoted(after.note)}" if after.note else "note erased"


def _excusal(value: ExcusalValue, words: Words, *, comment: str) -> str:
    parts = [words.days(value), f"in the name of {_parent(value, words)}"]
    return ", ".join([*parts, comment] if value.comment else parts)


def _parent(value: ExcusalValue, words: Words) -> str:
    return words.parents.get(value.parent_id or 0, "no parent named")


def quoted(text: str) -> str:
    """A text that will be written, whole, on one line, in marks that it can't end."""
    return "“" + one_line(text, limit=len(text) + 1).replace("“", '"').replace("”", '"') + "”"


def same(now: Value, then: Value) -> bool:
    """Whether a record still reads as it did; an excusal's parent may be left out of some answers."""
    if isinstance(now, ExcusalValue) and isinstance(then, ExcusalValue):
        parents = {now.parent_id, then.parent_id} - {None}
        return (now.start, now.end, now.comment or "") == (then.start, then.end, then.comment or "") and len(
            parents
        ) < 2
    return now == then
