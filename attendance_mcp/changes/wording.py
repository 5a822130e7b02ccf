"""How changes are said: from → to with the student's name and the school's labels, and a plan's one-line summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from functools import partial

from attendance_mcp.api.records import ClassRecord, Student
from attendance_mcp.changes.facts import ChangeGroup
from attendance_mcp.changes.model import Change, ChangeKind, ExcusalValue, MarkValue, Outcome, Value
from attendance_mcp.digest.facts import Role, counted
from attendance_mcp.errors import NotFound
from attendance_mcp.outside import one_line
from attendance_mcp.rules.labels import Labels
from attendance_mcp.school.clock import spoken, weekday
from attendance_mcp.school.disclosure import Disclosure
from attendance_mcp.school.school import School, group_name, student_name
from attendance_mcp.school.together import together

_NAMED = 3  # so many students, classes or days are named in a summary; more are counted
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Words:
    """The names and labels that some changes are said with."""

    students: Mapping[int, Student]
    groups: Mapping[int, str]  # year groups by id
    classes: Mapping[int, ClassRecord]
    parents: Mapping[int, str]
    labels: Mapping[tuple[str | None, date], Labels]
    vendors: Labels  # where the programme's are not known
    disclosure: Disclosure
    today: date
    names: Mapping[int, str] = field(init=False)

    def __post_init__(self) -> None:
        """Namesakes of one group get their ids: two rows that read alike could not be agreed to."""
        names = {id: self._named(student) for id, student in self.students.items()}
        often = Counter(name.casefold() for name in names.values())
        alike = [id for id in names if often[names[id].casefold()] > 1]
        told = {id: self._named(self.students[id], also=f"id {self.disclosure.id(Role.STUDENT, id)}") for id in alike}
        object.__setattr__(self, "names", {**names, **told})

    def _named(self, student: Student, *, also: str = "") -> str:
        group = self.groups.get(student.year_group_id or 0) or one_line(student.class_grade or "", limit=60)
        beside = ", ".join(part for part in (group, also) if part)
        return f"{student_name(student)} ({beside})" if beside else student_name(student)

    def student(self, id: int) -> str:
        """`Mia Tanaka (Grade 8)`, and where the plan has two of these, `Mia Tanaka (Grade 8, id 10400466)`."""
        return self.names.get(id) or self.disclosure.called(Role.STUDENT, id)

    def parent(self, id: int | None) -> str:
        if id is None:
            return "no parent named"
        return self.parents.get(id) or self.disclosure.called(Role.PARENT, id)

    def status(self, change: Change, status: int | None) -> str:
        """The label as the student's programme words it on that day."""
        if status is None:
            return "not taken"
        return self.labels_of(change)[status].text

    def labels_of(self, change: Change) -> Labels:
        return self.labels.get(label_key(change, self.students), self.vendors)

    def hides(self, change: Change) -> bool:
        """Whether the change makes a mark that is told as another than it is."""
        match change.before, change.after:
            case MarkValue(status=was), MarkValue(status=becomes):
                return was != becomes and self.labels_of(change).hides(becomes)
            case _:
                return False

    def day(self, day: date) -> str:
        """`Tue 24 Nov`, with the year where it is not this one."""
        year = "" if day.year == self.today.year else f" {day.year}"
        return f"{weekday(day)} {day.day} {_MONTHS[day.month - 1]}{year}"

    def days(self, value: ExcusalValue) -> str:
        """`Tue 24 Nov`, or `Tue 24 Nov to Thu 26 Nov`."""
        start, end = self.day(value.start), self.day(value.end)
        return start if value.start == value.end else f"{start} to {end}"


@dataclass(frozen=True, slots=True)
class ToldRow:
    """One change in words."""

    student: str
    record: str
    was: str
    becomes: str
    outcome: str
    reason: str


def label_key(change: Change, students: Mapping[int, Student]) -> tuple[str | None, date]:
    """The programme and day that decide what a code is called."""
    student = students.get(change.target.student_id)
    return (student.program_code if student else None, change.target.day or date.min)


async def words_for(school: School, changes: Sequence[Change]) -> Words:
    """Reads what is needed to say these changes."""
    students = await school.students({change.target.student_id for change in changes})
    groups = {id: group_name(group) for id, group in (await school.year_groups()).items()}
    classes: dict[int, ClassRecord] = {}
    labels: dict[tuple[str | None, date], Labels] = {}
    parents: dict[int, str] = {}

    async def read_class(id: int) -> None:
        classes[id] = await school.class_(id)

    async def read_labels(key: tuple[str | None, date]) -> None:
        labels[key] = await school.labels(*key)

    async def read_parent(id: int) -> None:
        parents[id] = await parent_name(school, id)

    values = [value for change in changes for value in (change.before, change.after)]
    await together(
        [
            *(partial(read_class, id) for id in {change.target.class_id for change in changes} if id),
            *(partial(read_labels, key) for key in {label_key(c, students) for c in changes if c.target.day}),
            *(partial(read_parent, id) for id in {v.parent_id for v in values if isinstance(v, ExcusalValue)} if id),
        ]
    )
    return Words(
        students, groups, classes, parents, labels, school.vendors_labels(), school.disclosure, school.clock.today()
    )


def words_without_names(school: School) -> Words:
    """Ids and the vendor's labels, for a school that does not answer now."""
    return Words({}, {}, {}, {}, {}, school.vendors_labels(), school.disclosure, school.clock.today())


async def parent_name(school: School, id: int) -> str:
    """A parent's name, or the id where the school knows none."""
    try:
        parent = await school.parent(id)
    except NotFound:
        return school.disclosure.called(Role.PARENT, id)
    return one_line(f"{parent.first_name} {parent.last_name}", limit=60)


def grouped(changes: Iterable[Change], words: Words) -> list[ChangeGroup]:
    """Changes that are alike but for the student, told once; so are records of which the same holds for the same ones:
    a trip is one row, however many classes it touches.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for change in changes:
        outcome = "" if change.outcome is Outcome.PLANNED else str(change.outcome)
        key = (_record(change, words), _was(change, words), _becomes(change, words), outcome, change.reason)
        groups.setdefault(key, []).append(words.student(change.target.student_id))
    rows: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (record, *rest), students in groups.items():
        rows.setdefault((tuple(rest), tuple(sorted(students))), []).append(record)
    return [
        ChangeGroup(
            record="; ".join(records),
            was=was,
            becomes=becomes,
            students=groups[records[0], was, becomes, outcome, reason],
            outcome=outcome,
            reason=reason,
        )
        for ((was, becomes, outcome, reason), _), records in rows.items()
    ]


def rows_of(changes: Iterable[Change], words: Words) -> list[ToldRow]:
    """Each change by itself, for a person who reads them all."""
    return [
        ToldRow(
            words.student(change.target.student_id),
            _record(change, words),
            _was(change, words),
            _becomes(change, words),
            "" if change.outcome in (Outcome.PLANNED, Outcome.SENDING) else str(change.outcome),
            change.reason,
        )
        for change in changes
    ]


def summary(changes: Sequence[Change], words: Words, *, texts: bool = True) -> str:
    """One line that a person can agree to: `Mark Mia Tanaka (Grade 8) Late on Tue 24 Nov, was Absent.`

    Without `texts` it says of a note only that there is one.
    """
    if not changes:
        return "All that stood here was erased."
    if len(changes) == 1 and texts:
        return _one(changes[0], words)
    kinds: dict[ChangeKind, list[Change]] = {}
    for change in changes:
        kinds.setdefault(change.kind, []).append(change)
    return "; ".join(_several(kind, rows, words) for kind, rows in kinds.items()) + "."


def _one(change: Change, words: Words) -> str:
    name = words.student(change.target.student_id)
    match change.kind, change.before, change.after:
        case (ChangeKind.HOMEROOM_MARK | ChangeKind.CLASS_MARK, MarkValue() as before, MarkValue() as after):
            return _one_mark(change, before, after, words)
        case ChangeKind.EXCUSAL_MADE, _, ExcusalValue() as after:
            comment = f", with the comment {_comment(after)}" if after.comment else ""
            return f"Add an excusal for {name}, {words.days(after)}, in the name of {_parent(after, words)}{comment}."
        case ChangeKind.EXCUSAL_ALTERED, ExcusalValue() as before, ExcusalValue() as after:
            parts = [f"to end {words.day(after.end)}"] if before.end != after.end else []
            if before.comment != after.comment:
                parts += [f"with the comment {_comment(after)}" if after.comment else "without its comment"]
            parts += ["with a comment that is no longer kept"] if after.gone and not parts else []
            return f"Alter the excusal of {name} for {words.days(before)} {' and '.join(parts)}."
        case ChangeKind.EXCUSAL_DELETED, ExcusalValue() as before, _:
            return f"Delete the excusal of {name} for {words.days(before)}."
        case _:
            raise TypeError(f"no words for a {change.kind}")  # pragma: no cover  no plan holds one


def _one_mark(change: Change, before: MarkValue, after: MarkValue, words: Words) -> str:
    name, label, place = (
        words.student(change.target.student_id),
        words.status(change, after.status),
        _place(change, words),
    )
    if before.status == after.status:
        if before.gone or after.gone:
            return f"Change the note of {name} {place}, still {label}; it is no longer kept."
        if after.note is None:
            return f"Erase the note of {name} {place}, still {label}."
        verb = "Put back" if after.put_back else "Write the note"
        return f"{verb} {_note(after)} for {name} {place}, still {label}."
    note = "" if before.note == after.note else f", {_note_change(before, after)}"
    return f"Mark {name} {label} {place}, was {words.status(change, before.status)}{note}."


def _several(kind: ChangeKind, rows: Sequence[Change], words: Words) -> str:
    ids = list(dict.fromkeys(row.target.student_id for row in rows))
    who = _and([words.student(id) for id in ids]) if len(ids) <= _NAMED else counted(len(ids), "student")
    if kind in (ChangeKind.HOMEROOM_MARK, ChangeKind.CLASS_MARK):
        labels = Counter(words.status(row, row.after.status) for row in rows if isinstance(row.after, MarkValue))
        one = f" {next(iter(labels))}" if len(labels) == 1 else ""
        each = "" if one else ": " + ", ".join(f"{label} {number}" for label, number in labels.most_common())
        number = f" ({counted(len(rows), 'mark')})" if len(rows) != len(ids) else ""
        return f"Mark {who}{one} {_where(kind, rows, words)} on {_when(rows, words)}{each}{number}{_notes(rows)}"
    verb = {ChangeKind.EXCUSAL_MADE: "Add", ChangeKind.EXCUSAL_ALTERED: "Alter", ChangeKind.EXCUSAL_DELETED: "Delete"}
    days = list(dict.fromkeys(words.days(row.after) for row in rows if isinstance(row.after, ExcusalValue)))
    when = f" for {_and(days)}" if kind is ChangeKind.EXCUSAL_MADE and len(days) <= _NAMED else ""
    return f"{verb[kind]} {counted(len(rows), 'excusal')} of {who}{when}"


def _where(kind: ChangeKind, rows: Sequence[Change], words: Words) -> str:
    if kind is ChangeKind.HOMEROOM_MARK:
        return "in homeroom"
    classes = sorted({_class_name(row, words) for row in rows})
    periods = sorted({row.target.period for row in rows if row.target.period is not None})
    period = f", period {periods[0]}," if len(periods) == 1 else f", {len(periods)} periods,"
    return f"in {_and(classes) if len(classes) <= _NAMED else counted(len(classes), 'class', 'classes')}{period}"


def _when(rows: Sequence[Change], words: Words) -> str:
    days = [words.day(day) for day in sorted({row.target.day for row in rows if row.target.day})]
    return _and(days) if len(days) <= _NAMED else f"{len(days)} days from {days[0]} to {days[-1]}"


def _notes(rows: Sequence[Change]) -> str:
    changed = [
        row.after.note
        for row in rows
        if isinstance(row.after, MarkValue) and isinstance(row.before, MarkValue) and row.after.note != row.before.note
    ]
    written, erased = len([note for note in changed if note]), len([note for note in changed if not note])
    parts = [f"{counted(written, 'note')} written"] if written else []
    parts += [f"{counted(erased, 'note')} erased"] if erased else []
    return f", {_and(parts)}" if parts else ""


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _place(change: Change, words: Words) -> str:
    day = words.day(change.target.day) if change.target.day else ""
    if change.kind is ChangeKind.HOMEROOM_MARK:
        return f"on {day}"
    return f"in {_class_name(change, words)}, period {change.target.period}, on {day}"


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
            id = change.target.excusal_id or change.made_id
            return f"excusal {id}" if id else "new excusal"


def _was(change: Change, words: Words) -> str:
    match change.before:
        case MarkValue() as before:
            note = f" with a note of {counted(len(before.note), 'character')}" if before.note else ""
            return words.status(change, before.status) + (
                " with a note that is no longer kept" if before.gone else note
            )
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
            told = _excusal(after, words, comment="the comment kept" if kept else f"comment {_comment(after)}")
            erased = isinstance(change.before, ExcusalValue) and change.before.comment and not after.comment
            return f"{told}, its comment erased" if erased else told
        case _:
            return "deleted"


def _note_change(before: MarkValue, after: MarkValue) -> str:
    if after.gone:
        return "a note that is no longer kept"
    if before.note == after.note:
        return "note kept" if before.note else ""
    instead = " in its place" if before.note and after.note else ""
    if not after.note:
        return "note erased"
    return f"{'' if after.put_back else 'note '}{_note(after)}{' put back' if after.put_back else ''}{instead}"


def _note(after: MarkValue) -> str:
    """What is written now is shown whole; of what stood there once, only how long it is."""
    note = after.note or ""
    return f"a note of {counted(len(note), 'character')}" if after.put_back else quoted(note)


def _comment(after: ExcusalValue) -> str:
    """As for a note."""
    comment = after.comment or ""
    return f"of {counted(len(comment), 'character')} put back" if after.put_back else quoted(comment)


def _excusal(value: ExcusalValue, words: Words, *, comment: str) -> str:
    parts = [words.days(value), f"in the name of {_parent(value, words)}"]
    parts += ["a comment that is no longer kept"] if value.gone else []
    return ", ".join([*parts, comment] if value.comment else parts)


def _parent(value: ExcusalValue, words: Words) -> str:
    return words.parent(value.parent_id or None)


def quoted(text: str) -> str:
    """A text that will be written, whole, on one line, in marks that it can't end."""
    # Some letters take more characters once they are composed: nothing of what is written may be cut.
    return "“" + one_line(text, limit=4 * len(text) + 1).replace("“", '"').replace("”", '"') + "”"


def moment(when: datetime, now: datetime, zone: tzinfo) -> str:
    """`11:04`, and on another day than now `11:04 on Wed 2026-11-25`, in the school's zone."""
    there = when.astimezone(zone)
    day = "" if there.date() == now.astimezone(zone).date() else f" on {spoken(there.date())}"
    return f"{there:%H:%M}{day}"


def same(now: Value, then: Value) -> bool:
    """Whether a record still reads as it did; an excusal's parent may be left out of some answers."""
    if isinstance(now, ExcusalValue) and isinstance(then, ExcusalValue):
        parents = {now.parent_id, then.parent_id} - {None}
        return (now.start, now.end, now.comment or "") == (then.start, then.end, then.comment or "") and len(
            parents
        ) < 2
    return now == then
