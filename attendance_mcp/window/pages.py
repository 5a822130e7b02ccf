"""The pages that are open: which plan each one shows, who may see it, what was clicked, and when it is gone."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from attendance_mcp.errors import AttendanceError
from attendance_mcp.window.ports import ENDED, PlanPort, PlanView

ADDRESS_SECONDS = 60
LINGER = timedelta(minutes=10)  # how long an outcome can still be looked at, and undone
_PATIENCE = 0.7  # seconds: an outcome that comes this fast is shown without a page of progress before it
_CARRYING_OUT_SECONDS = 30  # a plan has 25; the end of the server is not held up by more
_BROKEN = "Something went wrong here. Ask the assistant for list_changes: it tells what was written."


def secret() -> str:
    return secrets.token_urlsafe(32)  # 256 bits


def _digest(secret: str) -> bytes:
    """What a secret is looked up by, so that how long a search takes tells nothing of it."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


@dataclass(eq=False)
class Page:
    """One plan on one page. After Undo it shows the plan of the way back."""

    port: PlanPort
    latest: PlanView
    now: Callable[[], datetime]
    id: str = field(default_factory=lambda: secrets.token_urlsafe(9))  # not secret: it tells pages' cookies apart
    ticket: str = field(default_factory=secret)  # stands in the forms of what the person read
    seen: datetime | None = None  # when its end was first shown
    _sessions: set[bytes] = field(default_factory=set)
    _torn: set[bytes] = field(default_factory=set)  # tickets that served, or that stood in what the page showed before
    _answer: PlanView | None = None
    _agreeing: asyncio.Task[None] | None = None
    _one_click: asyncio.Lock = field(default_factory=asyncio.Lock)

    def admit(self) -> str:
        """A new session: whoever brings it again is who opened the page."""
        session = secret()
        self._sessions.add(_digest(session))
        return session

    def knows(self, session: str) -> bool:
        return _digest(session) in self._sessions

    @property
    def busy(self) -> bool:
        return self._agreeing is not None and not self._agreeing.done()

    def goes(self, linger: timedelta) -> datetime:
        """When the page will be gone."""
        return (self.now() if self.busy else self.seen or self.latest.expires) + linger

    async def look(self) -> PlanView:
        """The plan as the page shows it now. Raises where it can't be read."""
        while True:
            before = (self.port, self._answer, self.busy)
            view = await self._read()
            # A click may have come in between, and a view must not stand beside the ticket of another plan.
            if before == (self.port, self._answer, self.busy):
                break
        self.latest = view
        if view.state in ENDED and self.seen is None:
            self.seen = self.now()
        return view

    async def _read(self) -> PlanView:
        answer = self._answer
        if self.busy:
            return replace(await self._view_so_far(), state="applying")
        if answer is not None and answer.state in ENDED:
            return answer
        view = await self.port.view()
        if view.state == "waiting" and view.expires <= self.now():
            view = replace(view, state="expired")
        return replace(view, message=view.message or answer.message) if answer else view

    async def _view_so_far(self) -> PlanView:
        try:
            return await self.port.view()
        except Exception:  # noqa: BLE001  the outcome is on its way; how far it is, is a courtesy
            return self.latest

    async def click(self, what: str, *, ticket: str) -> bool:
        """Does what was clicked, `agree`, `discard` or `undo`; false where the ticket is none of this page's.

        A ticket serves for one click. A second one, or one on what the page showed before, does nothing: what the page
        shows now is the answer.
        """
        async with self._one_click:
            given = _digest(ticket)
            if given != _digest(self.ticket):
                return given in self._torn
            if self.busy or not self._offers(what):
                return True
            self._torn.add(given)
            self.ticket = secret()
            if what == "agree":
                self._agreeing = asyncio.create_task(self._take(self.port.agree))
            elif what == "discard":
                await self._take(self.port.discard)
            else:
                await self._take(self._undo)
        if self._agreeing is not None:
            await asyncio.wait([self._agreeing], timeout=_PATIENCE)
        return True

    def _offers(self, what: str) -> bool:
        return self.latest.can_undo if what == "undo" else self.latest.state not in ENDED

    async def _take(self, action: Callable[[], Awaitable[PlanView]]) -> None:
        try:
            self.latest = self._answer = await action()
        except AttendanceError as error:
            self._answer = _with_message(self.latest, str(error))
        except Exception:  # noqa: BLE001  the person gets a page in any case, and this one is true
            self._answer = _with_message(self.latest, _BROKEN)

    async def _undo(self) -> PlanView:
        port = await self.port.undo()
        view = await port.view()
        self.port, self.latest = port, view
        self.seen = self._agreeing = None
        return view

    async def settled(self) -> None:
        """Waits for a plan that is being carried out: it must not be left half told."""
        if self._agreeing is not None:
            await asyncio.wait([self._agreeing], timeout=_CARRYING_OUT_SECONDS)


def _with_message(view: PlanView, message: str) -> PlanView:
    """What went wrong, told over whatever the plan turns out to be."""
    state = "waiting" if view.state == "applying" else view.state
    return replace(view, state=state, message=message)


@dataclass(frozen=True, slots=True)
class _Address:
    page: Page
    until: datetime
    destroy: Callable[[], None]


@dataclass(eq=False)
class Pages:
    """Every open page, and the one-time addresses that lead to them."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    linger: timedelta = LINGER
    changed: asyncio.Event = field(default_factory=asyncio.Event)  # set whenever something may be due at another time
    _pages: dict[str, Page] = field(default_factory=dict)
    _gone: set[str] = field(default_factory=set)
    _addresses: dict[bytes, _Address] = field(default_factory=dict)
    _spent: set[bytes] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self._pages)

    def page_of(self, port: PlanPort, view: PlanView) -> Page:
        """The page that shows this plan, or a new one."""
        for page in self._pages.values():
            if page.port.key == port.key:
                if not page.busy:
                    page.port = port  # the newer one's connection lives longer
                return page
        page = Page(port=port, latest=view, now=self.now)
        self._pages[page.id] = page
        return page

    def lead(self, token: str, page: Page, *, destroy: Callable[[], None]) -> None:
        """Lets the token lead to the page, once and for a minute; `destroy` removes what carries it."""
        until = self.now() + timedelta(seconds=ADDRESS_SECONDS)
        self._addresses[_digest(token)] = _Address(page, until, destroy)
        self.changed.set()

    def spend(self, token: str) -> Page | None:
        """The page that a token leads to, the first time."""
        self.tidy()
        address = self._addresses.pop(_digest(token), None)
        if address is None:
            return None
        self._spent.add(_digest(token))
        address.destroy()
        return address.page

    def revoke(self, token: str) -> None:
        """Makes a token useless that led nobody anywhere."""
        address = self._addresses.pop(_digest(token), None)
        if address is not None:
            address.destroy()

    def was_spent(self, token: str) -> bool:
        return _digest(token) in self._spent

    def find(self, id: str) -> Page | None:
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
