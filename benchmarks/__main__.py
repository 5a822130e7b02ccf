"""`python -m benchmarks [tokens|requests|writes|…] [--markdown]`: a part's tables, each measured in one run."""

from __future__ import annotations

import importlib
import platform
import sys
from collections.abc import Callable, Iterable
from typing import Any

import anyio
import click

from benchmarks.noise import noise
from benchmarks.table import Table
from benchmarks.upstream import forget_foreign_settings

PARTS = {
    "tokens": "answers",
    "requests": "requests",
    "digest": "digest",
    "day": "day",
    "start": "start",
    "questions": "questions",
    "writes": "writes",
}


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--markdown", is_flag=True, help="As Markdown, for the README.")
def main(parts: tuple[str, ...], *, markdown: bool) -> None:
    """Measure all PARTS, or those named, on invented schools on this machine alone."""
    forget_foreign_settings()
    over = 0
    say(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}. {noise()}")
    for part in parts or PARTS:
        for table in anyio.run(measured, part):
            over += table.over
            say(table.markdown() if markdown else table.plain())
    say(f"Noise at the end: {noise()}")
    say(f"{over} figures are over their budget." if over else "Every budget holds.")
    say(f"To repeat it: make bench, or python -m benchmarks {' '.join(parts)}".rstrip())


async def measured(part: str) -> list[Table]:
    """The tables of one part; what only one part needs is loaded with it."""
    measure: Callable[[], Any] = importlib.import_module(f"benchmarks.{PARTS[part]}").measure
    tables: Iterable[Table] = await measure()
    return list(tables)


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
