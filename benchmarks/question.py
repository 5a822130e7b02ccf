"""One question of an office: its words, what is true, and how either server is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.asking import Asking
from benchmarks.upstream import Upstream

Case = Any
"""What a question is about at one school: a day, a group or a student, chosen by SQL."""


@dataclass(frozen=True, slots=True)
class Question:
    """`truth` comes from the database; `ours` and `peer` make the calls and tell what the results state, alike.

    Where `named` is true the truth is the ids of students, and the text must name each of them.
    """

    words: str
    about: Callable[[Upstream], Case]
    truth: Callable[[Upstream, Case], Any]
    ours: Callable[[Asking, Case], Awaitable[Any]]
    peer: Callable[[Asking, Case], Awaitable[Any]]
    named: bool = False
    at_0840: bool = False


def today(school: Upstream) -> str:
    """What most questions are about."""
    return school.today.date().isoformat()
