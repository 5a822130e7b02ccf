"""What the window shows and what it may ask for: a plan or a sheet, as whoever opens the window hands it over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from attendance_mcp.changes.journal import Journal
from attendance_mcp.digest.sheets import AbsenceSheet, GroupTerm, RegisterSheet, StudentTerm

State = Literal["waiting", "applying", "settled", "stale", "discarded", "expired"]
ENDED: frozenset[State] = frozenset({"settled", "stale", "discarded", "expired"})


@dataclass(frozen=True, slots=True)
class ViewRow:
    """One change in words: whose, which record, from what to what, and what became of it.

    `outcome` is `done`, `refused`, `unknown` or `not sent`, and empty before that.
    """

    student: str
    record: str
    was: str
    becomes: str
    outcome: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan as a person reads it, now.

    `expires` is shown in the zone that it comes in: the school's.
    """

    summary: str
    rows: tuple[ViewRow, ...]
    warnings: tuple[str, ...]
    expires: datetime
    state: State
    already_so: int = 0
    message: str = ""
    can_undo: bool = False
    school: str = ""
    demo: bool = False


class PlanPort(Protocol):
    """One plan, bound to its caller.

    Every method may raise an AttendanceError; its text is shown. A page asks for one thing at a time, but reads the
    view meanwhile.
    """

    @property
    def key(self) -> str:
        """Tells one plan from another; it never leaves the process."""
        ...

    async def view(self) -> PlanView:
        """The plan as it stands; while it is carried out, with the outcomes so far."""
        ...

    async def agree(self) -> PlanView:
        """Carries the plan out at once, as agreed to by a person, and answers the outcome."""
        ...

    async def discard(self) -> PlanView:
        """Ends the plan; nothing is written."""
        ...

    async def undo(self) -> PlanPort:
        """A new plan of the way back, which waits to be agreed to."""
        ...


SheetContent = RegisterSheet | AbsenceSheet | StudentTerm | GroupTerm | Journal


class SheetPort(Protocol):
    """What a sheet shows, bound to its caller. Every method may raise an AttendanceError; its text is shown."""

    @property
    def demo(self) -> bool:
        """Whether the school and its people are invented."""
        ...

    async def read(self) -> SheetContent:
        """The records as they are now."""
        ...

    async def plan(self, confirmation: str) -> PlanPort:
        """A plan that the journal names."""
        ...
