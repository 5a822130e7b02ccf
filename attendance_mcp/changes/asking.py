"""How a person can be asked, as a plan's approval sees it; what asks is made by the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Reply(StrEnum):
    """What came of a question."""

    YES = "yes"
    NO = "no"
    CANCELLED = "cancelled"
    SILENCE = "silence"
    OF_ANOTHER_PLAN = "of another plan"


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked about one plan.

    `message` is made only where it is shown: a call that brings the answer needs no names.
    """

    code: str
    message: Callable[[], Awaitable[str]]
    deletions: int = 0  # to be typed, where there are any: a box is ticked too easily for what is gone for good


class Asker(Protocol):
    """The client's own question to its user."""

    def can_ask(self) -> bool: ...

    async def ask(self, question: Question) -> Reply:
        """The reply. May leave the call, which then comes again with the reply."""
        ...


class Screen(Protocol):
    """The window: it shows a plan, and carries out or discards it as a person clicks."""

    def available(self) -> bool: ...

    async def show(self, code: str) -> None:
        """Opens the plan's page; does not wait for the person. Raises AttendanceError where it can't be opened."""
        ...


class Nobody:
    """An asker where no client stands behind the call."""

    def can_ask(self) -> bool:
        return False

    async def ask(self, question: Question) -> Reply:  # noqa: ARG002 the protocol's
        return Reply.SILENCE
