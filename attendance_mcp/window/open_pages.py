"""Every page that is open, and the one-time addresses that lead to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from attendance_mcp.window.opened import Opened, digest_of
from attendance_mcp.window.pages import Page
from attendance_mcp.window.ports import PlanPort, PlanView, SheetPort
from attendance_mcp.window.sheets import Sheet

ADDRESS_SECONDS = 60
LINGER = timedelta(minutes=10)  # how long an outcome can still be looked at, and undone
P = TypeVar("P", bound=Opened)


@dataclass(frozen=True, slots=True)
class _Address:
    page: Opened
    until: datetime
    destroy: Callable[[], None]


@dataclass(eq=False)
class Pages:
    """Every open page, and the one-time addresses that lead to them."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    linger: timedelta = LINGER
    changed: asyncio.Event = field(default_factory=asyncio.Event)  # set whenever something may be due at another time
    _pages: dict[str, Opened] = field(default_factory=dict)
    _gone: set[str] = field(default_factory=set)
    _addresses: dict[bytes, _Address] = field(default_factory=dict)
    _spent: set[bytes] = field(default_factory=set)

    def page_of(self, port: PlanPort, view: PlanView) -> Page:
        """The page that shows this plan, or a new one."""
        for page in self._pages.values():
            if isinstance(page, Page) and page.key == port.key:
                if not page.busy:
                    page.port = port  # the newer one's connection lives longer
                return page
        return self._add(Page(port=port, latest=view, now=self.now))

    def sheet_of(self, port: SheetPort) -> Sheet:
        """A page that shows this sheet."""
        return self._add(Sheet(port=port, now=self.now))

    def _add(self, page: P) -> P:
        self._pages[page.id] = page
        return page

    def lead(self, token: str, page: Opened, *, destroy: Callable[[], None]) -> None:
        """Lets the token lead to the page, once and for a minute; `destroy` removes what carries it."""
        until = self.now() + timedelta(seconds=ADDRESS_SECONDS)
        self._addresses[digest_of(token)] = _Address(page, until, destroy)
        self.changed.set()

    def spend(self, token: str) -> Opened | None:
        """The page that a token leads to, the first time."""
        self.tidy()
        address = self._addresses.pop(digest_of(token), None)
        if address is None:
            return None
        self._spent.add(digest_of(token))
        address.destroy()
        return address.page

    def revoke(self, token: str) -> None:
        """Makes a token useless that led nobody anywhere."""
        address = self._addresses.pop(digest_of(token), None)
        if address is not None:
            address.destroy()

    def was_spent(self, token: str) -> bool:
        return digest_of(token) in self._spent

    def find(self, id: str) -> Opened | None:
        """An open page by the id in its path."""
        self.tidy()
        return self._pages.get(id)

    def was_open(self, id: str) -> bool:
        return id in self._gone

    def tidy(self) -> None:
        """Lets go of pages and addresses whose time is over."""
        now = self.now()
        for digest, address in list(self._addresses.items()):
            if address.until <= now:
                del self._addresses[digest]
                self._spent.add(digest)
                address.destroy()
        for id, page in list(self._pages.items()):
            if page.goes(self.linger) <= now:
                del self._pages[id]
                self._gone.add(id)

    def next_due(self) -> datetime | None:
        """When there is something to tidy, unless somebody looks at a page before that."""
        due = [address.until for address in self._addresses.values()]
        return min([*due, *(page.goes(self.linger) for page in self._pages.values())], default=None)

    def shred(self) -> None:
        """Makes every address useless and removes what carries them."""
        for address in self._addresses.values():
            address.destroy()
        self._addresses.clear()

    async def settled(self) -> None:
        """Waits for the plans that are being carried out."""
        await asyncio.gather(*(page.settled() for page in self._pages.values()))
