"""Who is away, late or out on a day: counts for everybody, names for the exceptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from attendance_mcp.digest.facts import Facts, Row, StudentId, counted, listed
from attendance_mcp.rules.labels import Label
from attendance_mcp.status import Kind

AWAY = (Kind.ABSENT, Kind.EXCUSED, Kind.HEALTH)
# In this order answers tell of them; whoever is present or not taken is only counted.
TOLD = (*AWAY, Kind.LATE, Kind.LEFT, Kind.OUT, Kind.OTHER, Kind.UNCLASSIFIED)
ORDER = (*TOLD, Kind.PRESENT, Kind.NOT_TAKEN)
MOST_NAMES = 160
FIRST_NAMES = 20  # where there are more than that, the counts by year group tell the rest


@dataclass(frozen=True, slots=True)
class StudentDay:
    """What is known of one student on one day."""

    id: int
    name: str
    group: str  # the year group's name
    register: str  # whose register it is
    label: Label | None  # None is not taken
    excusal: bool | None = False  # None where the excusals could not be read
    missed: tuple[int, ...] = ()  # periods absent on a day told from classes and attended in part
    parents: frozenset[int] = frozenset()

    @property
    def kind(self) -> Kind:
        return self.label.kind if self.label else Kind.NOT_TAKEN

    @property
    def state(self) -> str:
        """The label, as it is compared over time."""
        return self.label.text if self.label else "not taken"


class Section(Row):
    """Students of one kind and label: by year group, by id their names."""

    kind: str
    label: str
    excusal: bool | None = None  # only where it is known and matters: for those who are away, or may be
    number: int
    students: dict[str, dict[StudentId, str]] = {}

    @property
    def title(self) -> str:
        label = self.label if self.label.casefold() == self.kind else f"{self.label} ({self.kind})"
        covered = " but an excusal covers the day" if self.kind == Kind.NOT_TAKEN else ", with an excusal"
        return label + {True: covered, False: ", no excusal", None: ""}[self.excusal]

    def line(self) -> str:
        shown = sum(map(len, self.students.values()))
        more = f" … and {self.number - shown} more" if shown < self.number else ""
        names = "; ".join(f"{group}: {listed(list(own.values()))}" for group, own in self.students.items())
        return f"{self.title} ({self.number}): {names}{more}"


class Absences(Facts):
    day: str
    of: str
    as_of: str = ""
    students: int
    counts: dict[str, int]
    by_group: dict[str, dict[str, int]] = {}
    sections: list[Section] = []
    missed: list[str] = []
    present_with_excusal: list[str] = []
    siblings: list[str] = []
    since: str = ""
    changed: list[str] = []
    remarks: list[str] = []
    registers: int = 0
    not_taken: list[str] = []
    not_read: list[str] = []

    def lines(self) -> Iterable[str]:
        yield f"{self.day}, {self.of}, as of {self.as_of}: {counted(self.students, 'student')} looked at."
        yield from self.remarks
        if self.students:
            yield f"{_counts(self.counts)}."
        for group, counts in self.by_group.items():
            told = {kind: number for kind, number in counts.items() if kind != Kind.PRESENT}
            yield f"{group}, {sum(counts.values())} students: {_counts(told)}."
        if self.since:
            yield from self._since_lines()
        yield from (section.line() for section in self.sections if section.students)
        if unnamed := [f"{section.title} {section.number:,}" for section in self.sections if not section.students]:
            yield f"Not named here: {'; '.join(unnamed)}."
        yield from self._more_lines()
        yield from self.not_read

    def _since_lines(self) -> Iterable[str]:
        yield f"Changed since {self.since}: {'; '.join(self.changed) or 'nothing'}."

    def _more_lines(self) -> Iterable[str]:
        if self.siblings:
            yield f"Siblings among those away: {'; '.join(self.siblings)}."
        if self.missed:
            yield f"There, but absent from some classes: {'; '.join(self.missed)}."
        if self.present_with_excusal:
            yield f"Present though an excusal covers the day: {listed(self.present_with_excusal)}."
        if self.not_taken:
            yield (
                f"Registers not taken, of {self.registers}: {'; '.join(self.not_taken)}. "
                "Whether their students are there is not known."
            )


def day_absences(
    rows: Sequence[StudentDay],
    *,
    day: str,
    of: str = "whole school",
    as_of: str = "",
    unexplained_only: bool = False,
    since: str = "",
    earlier: Mapping[int, str] | None = None,
    remarks: Sequence[str] = (),
    not_read: Sequence[str] = (),
    most_names: int = MOST_NAMES,
) -> Absences:
    """The facts of one day. Every row is counted once; what the rows leave out is named by the other arguments.

    `earlier` holds the label that an earlier answer, stated at `since`, gave for each student.
    """
    registers: dict[tuple[str, str], list[StudentDay]] = {}
    for row in rows:
        if row.register:
            registers.setdefault((row.group, row.register), []).append(row)
    untaken = [key for key, own in registers.items() if all(row.kind is Kind.NOT_TAKEN for row in own)]
    told = [row for row in rows if row.kind is Kind.ABSENT and not row.excusal] if unexplained_only else list(rows)
    named = sum(row.kind in TOLD or _may_be_away(row) for row in told)
    sections = _sections(told, most_names=most_names if named <= most_names else FIRST_NAMES)
    cut = named > most_names
    most = FIRST_NAMES // 4 if cut else most_names
    said = list(remarks)
    if cut and earlier is None:
        said.append("Not everybody is named: ask for a programme, year group or homeroom.")
    if unexplained_only and any(row.excusal is None for row in told):
        said.append("Whether an excusal covers them is not known, so everybody absent is named.")
    if not rows:
        said.append("Nobody to look at: a day off, or nothing tells of these students.")
    return Absences(
        day=day,
        of=of,
        as_of=as_of,
        students=len(rows),
        counts=kind_counts(rows),
        by_group=_by_group(rows) if cut and earlier is None else {},
        sections=sections if earlier is None else [],
        missed=[] if unexplained_only else _first(_missed(rows), most),
        present_with_excusal=[] if unexplained_only else _first(_present_with_excusal(rows), most),
        siblings=_first(_siblings(told), most),
        since=since if earlier is not None else "",
        changed=_first(_changed(rows, earlier), MOST_NAMES) if earlier is not None else [],
        remarks=said,
        registers=len(registers),
        not_taken=_first([f"{group} {register}" for group, register in untaken], most if cut else 40),
        not_read=list(not_read),
    )


def kind_counts(rows: Iterable[StudentDay]) -> dict[str, int]:
    """How many students are of each kind; nobody absent is said, too."""
    counter = Counter(row.kind for row in rows)
    return {str(kind): counter[kind] for kind in ORDER if counter[kind] or kind is Kind.ABSENT}


def _by_group(rows: Sequence[StudentDay]) -> dict[str, dict[str, int]]:
    groups: dict[str, list[StudentDay]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return {group: kind_counts(own) for group, own in groups.items()}


def _sections(rows: Sequence[StudentDay], *, most_names: int) -> list[Section]:
    order = {group: number for number, group in enumerate(dict.fromkeys(row.group for row in rows))}
    parts: dict[tuple[Kind, str, bool | None], list[StudentDay]] = {}
    for row in rows:
        if row.label is not None and row.kind in TOLD:
            excusal = row.excusal if row.kind in AWAY else None
            parts.setdefault((row.kind, row.label.text, excusal), []).append(row)
        elif _may_be_away(row):
            parts.setdefault((row.kind, "Not taken", True), []).append(row)
    sections = []
    room = most_names
    for (kind, label, excusal), own in sorted(parts.items(), key=lambda item: _rank(item[0])):
        shown = sorted(own, key=lambda row: (order[row.group], row.name, row.id))[: max(0, room)]
        room -= len(shown)
        students: dict[str, dict[StudentId, str]] = {}
        for row in shown:
            students.setdefault(row.group, {})[row.id] = row.name
        sections.append(Section(kind=str(kind), label=label, excusal=excusal, number=len(own), students=students))
    return sections


def _rank(key: tuple[Kind, str, bool | None]) -> tuple[int, str, int]:
    """The unexplained first."""
    kind, label, excusal = key
    return (ORDER.index(kind), label.casefold(), {False: 0, True: 1, None: 2}[excusal])


def _may_be_away(row: StudentDay) -> bool:
    """Not taken, but a parent has told the school."""
    return row.kind is Kind.NOT_TAKEN and bool(row.excusal)


def _present_with_excusal(rows: Iterable[StudentDay]) -> list[str]:
    return sorted(row.name for row in rows if row.excusal and row.kind is Kind.PRESENT)


def _first(names: Sequence[str], most: int) -> list[str]:
    """The first names, and how many more there are."""
    return [*names[:most], *([f"and {len(names) - most} more"] if len(names) > most else [])]


def _missed(rows: Iterable[StudentDay]) -> list[str]:
    return [f"{row.name} period {listed(row.missed)}" for row in rows if row.missed]


def _siblings(rows: Iterable[StudentDay]) -> list[str]:
    """Families with more than one child away, who often need one call and one excusal each."""
    families: dict[int, list[StudentDay]] = {}
    for row in rows:
        if row.kind in AWAY:
            for parent in row.parents:
                families.setdefault(parent, []).append(row)
    found = {tuple(sorted(row.name for row in own)) for own in families.values() if len(own) > 1}
    return [listed(names) for names in sorted(found)]


def _changed(rows: Iterable[StudentDay], earlier: Mapping[int, str]) -> list[str]:
    return [
        f"{row.name} ({row.group}): {earlier[row.id]} → {row.state}"
        for row in rows
        if row.id in earlier and earlier[row.id] != row.state
    ]


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {number:,}" for kind, number in counts.items())
