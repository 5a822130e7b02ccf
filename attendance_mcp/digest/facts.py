"""What every answer's facts have in common, and how lists of names are worded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

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


class StudentRef(Row):
    """A student where a next call needs the id."""

    id: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 student`, `3 students`, `2 classes` where the plural is given."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(words: Sequence[object]) -> str:
    return ", ".join(str(word) for word in words)


def tally(counts: dict[str, int]) -> str:
    """`Present 20, Late 2`, the largest first as the counts are given."""
    return ", ".join(f"{label} {number}" for label, number in counts.items())
