"""What names came to: the records that they name, with the ids that a next call needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import WithJsonSchema

from attendance_mcp.digest.facts import Facts, ParentId, Row, StudentId, listed

# Of a person or of anything else: whoever makes the record has put the right one there.
AnyId = Annotated[int | str, WithJsonSchema({"type": "integer", "person": "any"})]


class FoundRecord(Row):
    """One name that is clear. A student comes with homeroom, parents and siblings; ids stand before names."""

    asked: str = ""  # where it is not the name itself
    kind: str
    id: AnyId
    name: str
    of: str = ""
    number: str = ""
    homeroom: str = ""
    classes: dict[int, str] = {}
    parents: dict[ParentId, str] = {}
    siblings: dict[StudentId, str] = {}
    close: bool = False
    archived: bool = False

    def line(self) -> str:
        what = f"{self.kind} {self.id}" if self.id and self.id != self.name else self.kind
        about = filter(None, [what, self.of, self.number, "archived" if self.archived else ""])
        parts = [f"{self.name} ({', '.join(about)})"]
        if self.homeroom:
            parts.append(f"homeroom {self.homeroom}")
        for word, people in (("classes", self.classes), ("parents", self.parents), ("siblings", self.siblings)):
            if people:
                parts.append(f"{word} {listed([f'{name} {id}' if id != name else id for id, name in people.items()])}")
        # Whose a code is, can't be seen by it.
        meant = f"{self.asked}: " if self.asked and self.id == self.name else ""
        return (f"“{self.asked}”, most likely " if self.close else meant) + "; ".join(parts)


class AmbiguousName(Row):
    """A name that may mean several; only a person can choose."""

    asked: str
    candidates: list[FoundRecord]
    more: int = 0

    def line(self) -> str:
        more = f"; and {self.more} more: give the whole name" if self.more else ""
        return f"“{self.asked}” may mean: {'; '.join(one.line() for one in self.candidates)}{more}"


class Finding(Facts):
    found: list[FoundRecord] = []
    ambiguous: list[AmbiguousName] = []
    not_found: list[str] = []
    remark: str = ""
    not_read: list[str] = []

    def lines(self) -> Iterable[str]:
        yield f"Clear {len(self.found)}, ambiguous {len(self.ambiguous)}, not found {len(self.not_found)}."
        yield from (one.line() for one in self.found)
        yield from (one.line() for one in self.ambiguous)
        if self.not_found:
            yield f"Not found: {listed([f'“{name}”' for name in self.not_found])}. Try another spelling or the id."
        if self.remark:
            yield self.remark
        yield from self.not_read
