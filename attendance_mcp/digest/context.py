"""The school at a glance: the day, terms, what the labels count as, and what the profile leaves open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

from attendance_mcp.digest.facts import Facts, Row, listed
from attendance_mcp.rules.labels import Labels
from attendance_mcp.status import NOT_TAKEN, WRITABLE


class ProgrammeContext(Row):
    """One programme: its groups, its day and its term."""

    name: str
    code: str
    year_groups: dict[int, str]
    day: str
    term: str = ""
    term_id: int = 0
    next_term: str = ""

    def line(self) -> str:
        term = f"{self.term}, term id {self.term_id}" if self.term_id else "between terms"
        next_term = f"; then {self.next_term}" if self.next_term else ""
        groups = listed([f"{name} {id}" for id, name in self.year_groups.items()])
        return f"{self.name} ({self.code}): today {self.day}; {term}{next_term}. Year groups: {groups}."


class SchoolContext(Facts):
    school: str
    today: str
    time: str
    zone: str
    programmes: list[ProgrammeContext]
    labels: dict[str, list[str]]
    gaps: list[str] = []
    writing: str = ""
    not_read: list[str] = []

    def lines(self) -> Iterable[str]:
        yield f"{self.school}. Today is {self.today}, {self.time} ({self.zone})."
        yield from (programme.line() for programme in self.programmes)
        yield "What marks count as (code and label):"
        yield from (f"{kind}: {listed(labels)}" for kind, labels in self.labels.items())
        if self.gaps:
            yield "Not set in the school profile:"
            yield from (f"- {gap}" for gap in self.gaps)
        if self.writing:
            yield self.writing
        yield from self.not_read


class StatusCodes(Facts):
    """Every code that a mark can have here."""

    labels: dict[str, list[str]]

    @classmethod
    def of(cls, programmes: Mapping[str, Labels]) -> Self:
        return cls(labels=labels_by_kind(programmes))

    def lines(self) -> Iterable[str]:
        yield f"{NOT_TAKEN} Not taken: nobody took the register. It is evidence of nothing, and is never written."
        yield from (f"{kind}: {listed(labels)}" for kind, labels in self.labels.items())


def labels_by_kind(programmes: Mapping[str, Labels]) -> dict[str, list[str]]:
    """Enabled labels by what they count as; one that isn't every programme's names those that have it."""
    found: dict[tuple[str, int, str], list[str]] = {}
    for code, labels in programmes.items():
        for status in WRITABLE:
            label = labels[status]
            if label.enabled and not labels.hides(status):
                found.setdefault((str(label.kind), status, label.text), []).append(code)
    by_kind: dict[str, list[str]] = {}
    for (kind, status, text), codes in sorted(found.items(), key=lambda item: item[0][1]):
        only = f" ({listed(codes)})" if len(codes) < len(programmes) else ""
        by_kind.setdefault(kind, []).append(f"{status} {text}{only}")
    return by_kind
