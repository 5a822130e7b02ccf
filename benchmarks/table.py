"""One measured table: a title, rows, and notes, as plain text or as Markdown for the README."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

OK, OVER, MISSING = "ok", "OVER", "not there yet"


@dataclass
class Table:
    """Rows are added as they are measured; every cell is text by then."""

    title: str
    header: Sequence[str]
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        self.rows.append([shown(cell) for cell in cells])

    def note(self, words: str) -> None:
        self.notes.append(words)

    @property
    def over(self) -> int:
        """How many rows break their budget."""
        return sum(OVER in row for row in self.rows)

    def plain(self) -> str:
        cells = [list(self.header), *self.rows]
        widths = [max(_width(row[column]) for row in cells) for column in range(len(self.header))]
        lines = [self.title, "=" * len(self.title), *(_aligned(row, widths) for row in cells)]
        lines.insert(3, "  ".join("-" * width for width in widths))
        return "\n".join([*lines, *(f"  {words}" for words in self.notes)])

    def markdown(self) -> str:
        lines = [f"**{self.title}**", "", _piped(self.header), _piped("---" for _ in self.header)]
        lines += [_piped(row) for row in self.rows]
        return "\n".join([*lines, "", *(f"{words}  " for words in self.notes)])


def shown(cell: object) -> str:
    """Numbers as people read them: thousands parted, three figures after the point at most where they are small."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if cell >= 100 else f"{cell:.1f}" if cell >= 10 else f"{cell:.2f}"
    return str(cell)


def within(measured: object, most: float | None) -> str:
    """Whether a budget holds; empty where there is none, and where nothing could be measured."""
    if most is None or not isinstance(measured, int | float):
        return ""
    return OK if measured <= most else OVER


def at_least(measured: object, least: float | None) -> str:
    """Whether a floor holds, as `within` says it of a budget."""
    if least is None or not isinstance(measured, int | float):
        return ""
    return OK if measured >= least else OVER


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    """The first column to the left, numbers to the right."""
    cells = []
    for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
        space = " " * (width - _width(cell))
        cells.append(space + cell if column and _numeric(cell) else cell + space)
    return "  ".join(cells).rstrip()


def _numeric(cell: str) -> bool:
    return cell[:1].isdigit()


def _width(text: str) -> int:
    """Columns on a terminal: names in Chinese take two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _piped(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
