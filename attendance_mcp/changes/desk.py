"""The desk where plans are kept and agreed to, and one caller's errand at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from attendance_mcp.changes.asking import Asker, Nobody, Screen
from attendance_mcp.changes.heard import OutsideHeard
from attendance_mcp.changes.model import Plan
from attendance_mcp.errors import PlanNotFound
from attendance_mcp.school.school import Progress, School

if TYPE_CHECKING:
    from attendance_mcp.changes.store import Store

# People read codes out and type them: the alphabet has neither of these letters, nor a dash.
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})


@dataclass(eq=False)
class Desk:
    """What every errand shares, made once by the composition root.

    `place` is a SQLite file or a `postgresql://…` URL.
    """

    place: str | Path
    policy: str = "auto"  # the setting APPROVAL
    waits: timedelta = timedelta(minutes=60)
    carrying_out: timedelta = timedelta(seconds=25)
    ask_seconds: float = 45.0
    keep_texts: timedelta = timedelta(days=30)
    keep_rows: timedelta = timedelta(days=365)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @cached_property
    def store(self) -> Store:
        """Opened at the first plan: loading SQLAlchemy would cost every start of a server a third of its time."""
        from attendance_mcp.changes.keeping import Keeps
        from attendance_mcp.changes.store import Store

        return Store.at(self.place, keeps=Keeps(self.keep_texts, self.keep_rows), now=lambda: self.now())

    def lease(self) -> datetime:
        """Longer than the carrying out and the reading back take, so that nobody settles a plan that still moves."""
        return self.now() + 3 * self.carrying_out

    @cached_property
    def heard(self) -> OutsideHeard:
        """When outside text was last given to whom."""
        return OutsideHeard(self.place, store=lambda: self.store, now=lambda: self.now())

    async def sealing_key(self) -> bytes:
        """The key of what is brought back to any process on this store. Raises StoreUnavailable."""
        return await self.store.sealing_key()

    def close(self) -> None:
        if "store" in self.__dict__:
            self.store.close()


@dataclass(eq=False)
class Errand:
    """One caller's request to write, made for each call of a tool that writes."""

    school: School
    desk: Desk
    asker: Asker = field(default_factory=Nobody)
    screen: Screen | None = None
    page: str = ""  # the address of a page where the caller signs in and agrees; empty where there is none
    progress: Progress | None = None
    sent: bool = False  # whether a write may have left: after that nobody may say that nothing did

    async def find(self, confirmation: str) -> Plan:
        """The caller's own plan of this school with that confirmation. Raises PlanNotFound."""
        code = confirmation.upper().translate(_MISREAD)
        plan = await self.desk.store.get(code) if code else None
        if plan is None or plan.caller != self.school.caller or plan.school != self.school.connection.name:
            raise PlanNotFound("No plan of yours has this confirmation. Plan the changes again.")
        return plan
