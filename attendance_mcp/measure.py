"""Measuring what takes its time, for whoever watches a server. Nothing is measured until somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Literal

What = Literal["tool", "upstream"]
Facts = dict[str, str | int]  # words of ours and numbers: never an argument, a name or an address
Measure = Callable[[What, Facts], AbstractContextManager[None]]

_measure: Measure | None = None


def measure_with(measure: Measure | None) -> None:
    """From now on everything that is measured goes there."""
    global _measure
    _measure = measure


@contextmanager
def measured(what: What, **facts: str | int) -> Iterator[Facts]:
    """Measures what is done within; more facts may be put into what it gives until the end."""
    if _measure is None:
        yield facts
        return
    with _measure(what, facts):
        yield facts
