"""Who is away, late or out on a day: counts for everybody, names for the exceptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from attendance_mcp.digest.facts import Facts, Row, counted, listed
from attendance_mcp.rules.labels import Label
from attendance_mcp.status import Kind

AWAY = (Kind.ABSENT, Kind.EXCUSED, Kind.HEALTH)
# In this order answers tell of them; whoever is present or not taken is only counted.
TOLD = (*AWAY, Kind.LATE, Kind.LEFT, Kind.OUT, Kind.OTHER, Kind.UNCLASSIFIED)
ORDER = (*TOLD, Kind.PRESENT, Kind.NOT_TAKEN)
MOST_NAMES = 220


@dataclass(frozen=True, slots=True)
class StudentDay:
    """What is known of one student on one day."""

    id: int
    name: str
    group: str  # the year group's name
    register: str  # whose register it is
    label: Label | None  # None is not taken
    excusal: bool = False

    @property
    def kind(self) -> Kind:
        return self.label.kind if self.label else Kind.NOT_TAKEN


class Section(Row):
    """Students of one kind and label: by year group, by id their names."""

    kind: str
    label: str
    excusal: bool | None = None  # only where it matters: for those who are away
    number: int
    students: dict[str, dict[int, str]] = {}

    def lines(self) -> Iterable[str]:
        title = self.label if self.label.casefold() == self.kind else f"{self.label} ({self.kind})"
        excusal = {True: ", with an excusal", False: ", no excusal", None: ""}[self.excusal]
        shown = sum(map(len, self.students.values()))
        more = f" … and {self.number - shown} more" if shown < self.number else ""
        names = "; ".join(f"{group}: {listed(list(names.values()))}" for group, names in self.students.items())
        yield f"{title}{excusal} ({self.number}): {names}{more}"


class Absences(Facts):
    day: str
    of: str
    students: int
    counts: dict[str, int]
    sections: list[Section] = []
    present_with_excusal: dict[int, str] = {}
    registers: int
    not_taken: list[str] = []
    no_source: list[str] = []
    note: str = ""
    not_read: list[str] = []

    def lines(self) -> Iterable[str]:
        yield f"{self.day}, {self.of}, homeroom: {counted(self.students, 'student')} looked at."
        if self.note:
            yield self.note
        yield ", ".join(f"{kind} {number}" for kind, number in self.counts.items()) + "."
        for section in self.sections:
            yield from section.lines()
        if self.present_with_excusal:
            names = listed(list(self.present_with_excusal.values()))
            yield f"Present though an excusal covers the day ({len(self.present_with_excusal)}): {names}"
        if self.not_taken:
            yield (
                f"Registers not taken: {len(self.not_taken)} of {self.registers} ({'; '.join(self.not_taken)}). "
                "Of their students nothing is known."
            )
        if self.no_source:
            yield f"No attendance source: {'; '.join(self.no_source)}."
        yield from self.not_read


def day_absences(
    rows: Sequence[StudentDay],
    *,
    day: str,
    of: str = "whole school",
    no_source: Sequence[str] = (),
    not_read: Sequence[str] = (),
    note: str = "",
    most_names: int = MOST_NAMES,
) -> Absences:
    """The facts of one day. Every row is counted once; `no_source` and `not_read` name what the rows leave out."""
    counter = Counter(row.kind for row in rows)
    registers: dict[tuple[str, str], list[StudentDay]] = {}
    for row in rows:
        registers.setdefault((row.group, row.register), []).append(row)
    untaken = [key for key, own in registers.items() if all(row.kind is Kind.NOT_TAKEN for row in own)]
    present = [row for row in rows if row.excusal and row.kind is Kind.PRESENT]
    return Absences(
        day=day,
        of=of,
        students=len(rows),
        counts={str(kind): counter[kind] for kind in ORDER if counter[kind] or kind is Kind.ABSENT},
        sections=_sections(rows, most_names=most_names),
        present_with_excusal={row.id: row.name for row in sorted(present, key=lambda row: row.name)[:40]},
        registers=len(registers),
        not_taken=[f"{group} {register}" for group, register in sorted(untaken)],
        no_source=list(no_source),
        note=note,
        not_read=list(not_read),
    )


def _sections(rows: Sequence[StudentDay], *, most_names: int) -> list[Section]:
    parts: dict[tuple[Kind, str, bool | None], list[StudentDay]] = {}
    for row in rows:
        if row.label is not None and row.kind in TOLD:
            excusal = row.excusal if row.kind in AWAY else None
            parts.setdefault((row.kind, row.label.text, excusal), []).append(row)
    sections = []
    room = most_names
    for (kind, label, excusal), own in sorted(parts.items(), key=lambda item: _rank(item[0])):
        shown = sorted(own, key=lambda row: (row.group, row.name, row.id))[: max(0, room)]
        room -= len(shown)
        students: dict[str, dict[int, str]] = {}
        for row in shown:
            students.setdefault(row.group, {})[row.id] = row.name
        sections.append(Section(kind=str(kind), label=label, excusal=excusal, number=len(own), students=students))
    return sections


def _rank(key: tuple[Kind, str, bool | None]) -> tuple[int, str, int]:
    """The unexplained first."""
    kind, label, excusal = key
    return (TOLD.index(kind), label.casefold(), {False: 0, True: 1, None: 2}[excusal])
