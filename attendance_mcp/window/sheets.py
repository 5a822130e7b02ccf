"""The page of a sheet: read anew at each look, for an hour after the last one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from attendance_mcp.window.opened import Opened, digest_of
from attendance_mcp.window.ports import SheetContent, SheetPort

LIFE = timedelta(hours=1)  # names of children must not stay open for good on a screen that nobody looks at


@dataclass(eq=False)
class Sheet(Opened):
    """One sheet in one person's browser."""

    port: SheetPort
    looked: datetime | None = None
    latest: SheetContent | None = None

    def __post_init__(self) -> None:
        self.looked = self.now()

    @property
    def path(self) -> str:
        return f"/sheet/{self.id}"

    def goes(self, linger: timedelta) -> datetime:  # noqa: ARG002 a plan's outcome lingers, a sheet just lives
        return (self.looked or self.now()) + LIFE

    async def look(self) -> SheetContent:
        """The records as they are now. Raises AttendanceError where they can't be read."""
        self.looked = self.now()
        self.latest = await self.port.read()
        return self.latest

    async def as_shown(self) -> SheetContent:
        """What the page showed last, so that a table that is saved holds what the person sees."""
        return self.latest or await self.look()

    def is_own(self, ticket: str) -> bool:
        """Whether a click comes from a form of this sheet."""
        return digest_of(ticket) == digest_of(self.ticket)
