"""What every answer's facts have in common, and how lists of names are worded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, WithJsonSchema

Detail = Literal["counts", "exceptions", "full"]


class Row(BaseModel):
    """A part of an answer; what stands at its default is left out of the structured content."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class Facts(Row, ABC):
    """The facts of an answer: its structured content, and the same facts as lines that can be read aloud."""

    notice: str = ""

    @abstractmethod
    def lines(self) -> Iterable[str]:
        """The text, line by line, without the notice."""


class Paged(Facts, ABC):
    """Facts with rows of which there may be more. `fits` is set where a page was too large for one answer."""

    more: int = 0
    fits: int = 0

    def more_lines(self, what: str) -> Iterable[str]:
        """How to get the rest."""
        what = what.removesuffix("s") if self.more == 1 else what
        if self.more and self.fits:
            yield f"{self.more} more {what}: too much for one answer; ask with per_page={self.fits}, page by page."
        elif self.more:
            yield f"{self.more} more {what}: next page, or detail=counts."


class Role(StrEnum):
    """Who somebody is at the school; ids of two roles may be the same number."""

    STUDENT = "student"
    PARENT = "parent"
    STAFF = "member of staff"


@dataclass(frozen=True, slots=True)
class IdOf:
    """Marks a field that holds the id of a person, who may go by a code instead."""

    role: Role


def _id_of(role: Role) -> tuple[IdOf, WithJsonSchema]:
    return IdOf(role), WithJsonSchema({"type": "integer", "person": role.name.lower()})


StudentId = Annotated[int | str, *_id_of(Role.STUDENT)]
ParentId = Annotated[int | str, *_id_of(Role.PARENT)]


def who(name: str, *about: object) -> str:
    """`Mia Tanaka (10400466)`; who goes by a code is named once."""
    beside = ", ".join(str(one) for one in about if one and one != name)
    return f"{name} ({beside})" if beside else name


# Bytes of JSON that the rows of one answer may take: about 4,000 tokens as text, whatever script the names are in.
ROOM = 13_000
R = TypeVar("R", bound=Row)


def within_room(rows: Sequence[R], *, room: int = ROOM) -> tuple[list[R], int]:
    """The first rows that fit, and their number where not all do, else 0."""
    shown: list[R] = []
    for row in rows:
        room -= len(row.model_dump_json(exclude_defaults=True).encode())
        if room < 0 and shown:
            return shown, len(shown)
        shown.append(row)
    return shown, 0


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 student`, `3 students`, `2 classes` where the plural is given."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(words: Sequence[object]) -> str:
    return ", ".join(str(word) for word in words)


def tally(counts: dict[str, int]) -> str:
    """`Present 20, Late 2`, the largest first as the counts are given."""
    return ", ".join(f"{label} {number}" for label, number in counts.items())
