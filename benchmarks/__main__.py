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
    "load": "load",
    "load-http": "load_http",
    "peak": "peak",
}
ONLY_BY_NAME = ("load", "load-http", "peak")  # minutes each


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--markdown", is_flag=True, help="As Markdown, for the README.")
@click.option("--strict", is_flag=True, help="End with status 1 where a figure is over its budget.")
def main(parts: tuple[str, ...], *, markdown: bool, strict: bool) -> None:
    """Measure the PARTS that are named, on invented schools on this machine alone; else all but the load."""
    forget_foreign_settings()
    over = 0
    say(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}. {noise()}")
    for part in parts or [part for part in PARTS if part not in ONLY_BY_NAME]:
        for table in anyio.run(measured, part):
            over += table.over
            say(table.markdown() if markdown else table.plain())
    say(f"Noise at the end: {noise()}")
    say(f"{over} figures are over their budget." if over else "Every budget holds.")
    say(f"To repeat it: make bench, or python -m benchmarks {' '.join(parts)}".rstrip())
    sys.exit(strict and over > 0)


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
