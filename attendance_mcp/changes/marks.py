"""Drafts of marks: the smallest set of changes that makes the records as asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from attendance_mcp.api.records import ClassRecord, Student, Term, Timetable
from attendance_mcp.changes.model import Change, ChangeKind, MarkValue, Target
from attendance_mcp.changes.plan import Draft
from attendance_mcp.changes.records import read_afresh
from attendance_mcp.changes.risks import Risks
from attendance_mcp.digest.facts import Role, listed, who
from attendance_mcp.errors import ArgumentError, NotFound
from attendance_mcp.rules.labels import Label, Labels
from attendance_mcp.school.school import School, group_name, no_student, student_name


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


async def draft_homeroom_marks(school: School, wanted: Sequence[WantedMark], *, risks: Risks | None = None) -> Draft:
    """The changes that make these homeroom marks so; `risks` is shared by the parts of one errand, which tells them."""
    students = dict(await school.students({mark.student_id for mark in wanted}))
    _check_known(school, students, wanted)
    aims: list[_Aim] = []
    for mark in wanted:
        student = students[mark.student_id]
        if student.year_group_id is None:
            raise ArgumentError(f"{student_name(student)} is in no year group, so keeps no homeroom.")
        target = Target(student_id=student.id, day=mark.day, year_group_id=student.year_group_id)
        labels = await school.labels(student.program_code, mark.day)
        aims.append(_Aim.of(mark, ChangeKind.HOMEROOM_MARK, target, labels))
    return await _drafted(school, aims, students, risks)


async def draft_class_marks(
    school: School, class_id: int, wanted: Sequence[WantedMark], *, risks: Risks | None = None
) -> Draft:
    """The changes that make these marks of a class so.

    Refused here are only a period that stands in no slot of the class and a student who was never in it; about the
    rest the draft warns and the API decides.
    """
    record = await school.class_(class_id)
    timetable = await school.read(school.client.get_class_timetable, class_id, include_disabled=True)
    students = dict(await school.students({mark.student_id for mark in wanted}))
    await _check_members(school, record, students, wanted)
    _check_periods(record, timetable, wanted)
    aims: list[_Aim] = []
    for mark in wanted:
        student = students[mark.student_id]
        target = Target(student_id=student.id, day=mark.day, class_id=class_id, period=mark.period)
        labels = await school.labels(student.program_code, mark.day)
        aims.append(_Aim.of(mark, ChangeKind.CLASS_MARK, target, labels))
    return await _drafted(school, aims, students, risks)


def status_label(wanted: int | str, labels: Labels) -> Label:
    """The code that is meant, by itself or by its label. Raises ArgumentError where a label is unknown or means two."""
    if isinstance(wanted, int):
        if labels.hides(wanted):
            raise ArgumentError(_HIDDEN)
        return labels[wanted]
    found = labels.named(wanted)
    if len(found) == 1:
        return found[0]
    if found:
        raise ArgumentError(f"{wanted!r} is the label of several codes: {_codes(found)}. Give the code.")
    if any(labels.hides(code) and label.text.casefold() == wanted.casefold() for code, label in labels.by_code.items()):
        raise ArgumentError(_HIDDEN)
    known = [label for label in labels.offered() if label.enabled]
    raise ArgumentError(f"This school has no label {wanted!r} here. It has: {_codes(known)}.")


_HIDDEN = (
    "Marks that tell of somebody's health are neither told nor made here (setting ATTENDANCE_PRIVACY). Give another "
    "label, or make that mark in the school's own system."
)


@dataclass(frozen=True, slots=True)
class _Aim:
    """A mark as it is asked for, and the change of its record that this would be."""

    mark: WantedMark
    change: Change
    label: Label
    labels: Labels

    @classmethod
    def of(cls, mark: WantedMark, kind: ChangeKind, target: Target, labels: Labels) -> _Aim:
        label = status_label(mark.status, labels)
        return cls(mark, Change(kind=kind, target=target, before=None, after=MarkValue(label.code)), label, labels)

    def status(self, before: MarkValue) -> int:
        """The code to be written: the one that is there, where it is only told as the one that is asked for."""
        there = before.status
        return there if there is not None and self.labels[there] == self.label else self.label.code


async def _drafted(
    school: School,
    aims: Sequence[_Aim],
    students: dict[int, Student],
    shared: Risks | None,
) -> Draft:
    """Fills in what is there now, keeps the notes that are not to change, and leaves out what is already so."""
    targets = [aim.change.target for aim in aims]
    if len(set(targets)) < len(targets):
        raise ArgumentError("Two of these marks are of one record (the same student, day and period). Give each once.")
    now = await read_afresh(school, [aim.change for aim in aims])
    draft = Draft()
    risks = shared or Risks(school)
    for aim in aims:
        mark, change = aim.mark, aim.change
        before = now.value(change)
        if not isinstance(before, MarkValue):
            raise TypeError("a mark was expected")  # pragma: no cover  for the types' sake
        note = None if mark.erase_notes else (mark.notes or before.note)
        after = MarkValue(aim.status(before), note)
        draft.add(replace(change, before=before, after=after))
        if before != after:
            await risks.look(change.kind, mark.day, before, after, aim.label, students[mark.student_id])
    if shared is None:
        draft.warnings.extend(risks.told())
    return draft


def _check_known(school: School, students: Mapping[int, Student], wanted: Sequence[WantedMark]) -> None:
    unknown = sorted({mark.student_id for mark in wanted} - set(students))
    if unknown:
        raise NotFound(no_student(listed([school.disclosure.id(Role.STUDENT, id) for id in unknown[:5]])))


async def _check_members(
    school: School, record: ClassRecord, students: dict[int, Student], wanted: Sequence[WantedMark]
) -> None:
    """Members are today's roster, whoever the memberships name, and whoever a day or a term of the class shows.

    Each source is asked only about those whom the ones before it don't know; none alone names everybody who left.
    """
    _check_known(school, students, wanted)
    strangers = set(students) - set(await school.read(school.client.list_class_students, record.id))
    if strangers:
        rows = await school.read(school.client.list_memberships, user_ids=tuple(sorted(strangers)))
        strangers -= {row.user_id for row in rows if row.class_id == record.id}
    for day in sorted({mark.day for mark in wanted if mark.student_id in strangers}):
        strangers -= {student.id for student in (await school.client.get_class_attendance(record.id, day)).students}
    for term in await _terms(school, record) if strangers else ():
        for archived in {students[id].archived for id in strangers}:
            totals = await school.client.get_class_term_attendance(record.id, term.id, archived_students=archived)
            strangers -= {student.id for student in totals.students}
    if strangers:
        told = [(student_name(students[id]), school.disclosure.id(Role.STUDENT, id)) for id in sorted(strangers)[:5]]
        names = listed([who(name, id) for name, id in told])
        raise ArgumentError(f"Never in {group_name(record)}: {names}.")


async def _terms(school: School, record: ClassRecord) -> list[Term]:
    """The terms of the class, first to last."""
    terms = {term.id: term for year in await school.academic_years() for term in year.terms}
    first, last = terms.get(record.start_term_id or 0), terms.get(record.end_term_id or 0)
    years = [year for year in await school.academic_years() if year.program_code == record.program_code]
    own = [term for year in years for term in year.terms]
    if first is None or last is None:
        return own
    return [term for term in own if first.starts_on <= term.starts_on and term.ends_on <= last.ends_on]


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
