"""Where the marks of a day contradict each other or the excusals, and the changes that would mend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from pydantic import Field

from attendance_mcp.digest.facts import Facts, Row, StudentId, counted, listed, tally, who
from attendance_mcp.rules.contradictions import Contradiction, ContradictionKind, Mark, Mend, StudentDay, contradictions
from attendance_mcp.rules.labels import Label, Labels

MOST_REGISTERS = 30
ROOM = 15_000  # bytes of JSON that the rows and their changes may take: about 6,000 tokens
_FEW = 2  # marks of one label that are told with their class; more are told as periods


@dataclass(frozen=True, slots=True)
class TaughtClass:
    """A class by name, and whose labels its marks have."""

    name: str
    programme: str | None


@dataclass(frozen=True, slots=True)
class Checked:
    """One student's day with the labels of their programme; `register` is whose homeroom register they stand in."""

    id: int
    name: str
    group: str
    register: str
    day: StudentDay
    labels: Labels
    excused: Label | None = None
    programme: str | None = None


class Change(Row):
    """One record's change as codes, and the label that it would get; without a class it is the homeroom mark."""

    student_id: StudentId
    record: str
    class_id: int | None = None
    period: int | None = None
    was: int | None = Field(default=None, serialization_alias="from")
    to: int
    label: str


class Found(Row):
    """A student with a contradiction and the marks that are its evidence; `mend` words their changes for the text."""

    id: StudentId
    name: str
    group: str = ""
    evidence: str
    mend: str = Field(default="", exclude=True)

    def line(self) -> str:
        name = who(self.name, self.group, self.id if self.mend else "")
        return f"{name}: {self.evidence}{f' → {self.mend}' if self.mend else ''}"


class FoundKind(Row):
    """One kind of contradiction, and whom it was found of."""

    kind: str
    number: int
    students: list[Found] = []


class Untaken(Row):
    """A homeroom register without a mark, though so many of its students have class marks; these suggest `marks`."""

    of: str
    whose: str
    students: int
    in_class: int
    marks: dict[str, int] = {}

    def line(self) -> str:
        suggest = f", which suggest {tally(self.marks)}" if self.marks else ""
        return f"{self.of}, {self.whose}: {self.in_class} of {self.students} have class marks{suggest}"


class Reconciled(Facts):
    day: str
    of: str
    as_of: str
    students: int
    in_class: int
    found: list[FoundKind] = []
    changes: list[Change] = []
    untaken: list[Untaken] = []
    untaken_more: int = 0
    remarks: list[str] = []
    not_read: list[str] = []

    def lines(self) -> Iterable[str]:
        looked = f"{self.day}, {self.of}, as of {self.as_of}: {counted(self.students, 'student')} looked at"
        yield f"{looked}, {self.in_class:,} with taken class marks."
        yield from self.remarks
        for one in self.found:
            yield f"{one.kind[:1].upper()}{one.kind[1:]} ({one.number}):"
            yield from (row.line() for row in one.students)
            if more := one.number - len(one.students):
                yield f"… and {more} more: ask for one year group or homeroom."
        if self.untaken:
            yield f"{_UNTAKEN[:1].upper()}{_UNTAKEN[1:]} ({len(self.untaken) + self.untaken_more}):"
            yield from (row.line() for row in self.untaken)
            if self.untaken_more:
                yield f"… and {self.untaken_more} more: ask for one programme or year group."
        yield from self.not_read
        yield from self._last_line()

    def _last_line(self) -> Iterable[str]:
        if self.changes:
            yield "The changes are proposals, made where one is known to be right; nothing was written."
        elif self.found or self.untaken:
            yield "No change is known to be right; nothing was written."
        elif not self.in_class:
            yield "No contradiction, for no class mark is taken: too early, a day off, or classes are not marked here."
        else:
            yield "No contradiction; nothing was written."


_UNTAKEN = str(ContradictionKind.HOMEROOM_NOT_TAKEN)


def reconciled(
    students: Sequence[Checked],
    *,
    day: str,
    of: str,
    as_of: str,
    classes: Mapping[int, TaughtClass],
    remarks: Sequence[str] = (),
    not_read: Sequence[str] = (),
    room: int = ROOM,
) -> Reconciled:
    """The contradictions of a day by kind; a register not taken is told once, not for each of its students.

    Where they don't all fit, each kind is counted whole and shows its first students with their changes.
    """
    by_kind: dict[ContradictionKind, list[tuple[Checked, Contradiction]]] = {}
    for student in students:
        for one in contradictions(student.day, labels=student.labels, excused=student.excused):
            by_kind.setdefault(one.kind, []).append((student, one))
    untaken = _untaken(students, by_kind.pop(ContradictionKind.HOMEROOM_NOT_TAKEN, ()))
    several = len({student.group for student in students}) > 1
    rows = {
        kind: [_row(student, one, classes, several=several) for student, one in by_kind[kind]]
        for kind in ContradictionKind
        if kind in by_kind
    }
    shown = _within_room(rows, room)
    return Reconciled(
        day=day,
        of=of,
        as_of=as_of,
        students=len(students),
        in_class=sum(any(mark.taken for mark in student.day.classes) for student in students),
        found=[
            FoundKind(kind=str(kind), number=len(own), students=[found for found, _ in own[: shown[kind]]])
            for kind, own in rows.items()
        ],
        changes=[change for kind, own in rows.items() for _, changes in own[: shown[kind]] for change in changes],
        untaken=untaken[:MOST_REGISTERS],
        untaken_more=len(untaken[MOST_REGISTERS:]),
        remarks=list(remarks),
        not_read=list(not_read),
    )


FoundRow = tuple[Found, list[Change]]


def _within_room(rows: Mapping[ContradictionKind, Sequence[FoundRow]], room: int) -> dict[ContradictionKind, int]:
    """How many rows of each kind fit; what a short kind leaves of its share goes to the longer ones."""
    sizes = {kind: [_size(row) for row in own] for kind, own in rows.items()}
    shown = {}
    for left, kind in enumerate(sorted(sizes, key=lambda kind: sum(sizes[kind])), start=-len(sizes)):
        share = room // -left
        ends = list(accumulate(sizes[kind]))
        shown[kind] = sum(end <= share for end in ends)
        room -= ends[shown[kind] - 1] if shown[kind] else 0
    return shown


def _size(row: FoundRow) -> int:
    found, changes = row
    return sum(len(one.model_dump_json(exclude_defaults=True).encode()) for one in (found, *changes))


def _same_labels(mend: Mend, student: Checked, classes: Mapping[int, TaughtClass]) -> bool:
    # A class of another programme has labels of its own, in which the code may mean something else.
    return mend.mark.class_id is None or classes[mend.mark.class_id].programme == student.programme


def _row(student: Checked, one: Contradiction, classes: Mapping[int, TaughtClass], *, several: bool) -> FoundRow:
    mends = [mend for mend in one.mends if _same_labels(mend, student, classes)]
    found = Found(
        id=student.id,
        name=student.name,
        group=student.group if several else "",
        evidence=_evidence(one.evidence, classes),
        mend=_proposal(mends, classes),
    )
    return found, [_change(student, mend) for mend in mends]


def _evidence(marks: Sequence[Mark], classes: Mapping[int, TaughtClass]) -> str:
    """`homeroom Absent; Maths 8A period 2 Present`, the marks of one label together."""
    parts = [f"homeroom {_text(mark)}" for mark in marks if mark.class_id is None]
    by_label: dict[str, list[Mark]] = {}
    for mark in marks:
        if mark.class_id is not None:
            by_label.setdefault(_text(mark), []).append(mark)
    for label, own in by_label.items():
        records = _records(own, classes) if len(own) <= _FEW else _periods(own)
        parts.append(f"{records} {label}")
    return "; ".join(parts)


def _proposal(mends: Sequence[Mend], classes: Mapping[int, TaughtClass]) -> str:
    """`homeroom Late`; a class comes with its id, which the next call needs."""
    by_label: dict[str, list[Mark]] = {}
    for mend in mends:
        by_label.setdefault(mend.to.text, []).append(mend.mark)
    return "; ".join(f"{_records(own, classes, with_id=True)} {label}" for label, own in by_label.items())


def _records(marks: Sequence[Mark], classes: Mapping[int, TaughtClass], *, with_id: bool = False) -> str:
    """`homeroom, Maths 8A (20101873) periods 2 and 4`."""
    by_class: dict[int | None, list[Mark]] = {}
    for mark in marks:
        by_class.setdefault(mark.class_id, []).append(mark)
    return ", ".join(
        "homeroom" if id is None else f"{classes[id].name}{f' ({id})' if with_id else ''} {_periods(own)}"
        for id, own in by_class.items()
    )


def _periods(marks: Sequence[Mark]) -> str:
    *others, last = (str(mark.period) for mark in marks)
    return f"periods {listed(others)} and {last}" if others else f"period {last}"


def _text(mark: Mark) -> str:
    return mark.label.text if mark.label is not None else "not taken"


def _change(student: Checked, mend: Mend) -> Change:
    mark = mend.mark
    return Change(
        student_id=student.id,
        record="homeroom" if mark.class_id is None else "class",
        class_id=mark.class_id,
        period=mark.period,
        was=mark.label.code if mark.label is not None else None,
        to=mend.to.code,
        label=mend.to.text,
    )


def _untaken(students: Sequence[Checked], found: Sequence[tuple[Checked, Contradiction]]) -> list[Untaken]:
    sizes = Counter((student.group, student.register) for student in students)
    registers: dict[tuple[str, str], list[Contradiction]] = {}
    for student, one in found:
        registers.setdefault((student.group, student.register), []).append(one)
    return [
        Untaken(
            of=group,
            whose=whose,
            students=sizes[group, whose],
            in_class=len(own),
            marks=dict(Counter(mend.to.text for one in own for mend in one.mends).most_common()),
        )
        for (group, whose), own in registers.items()
    ]
