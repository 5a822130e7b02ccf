"""The page of a plan: what it shows, and what is clicked on it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from attendance_mcp.errors import AttendanceError
from attendance_mcp.window.opened import Opened, digest_of, secret
from attendance_mcp.window.ports import ENDED, PlanPort, PlanView

_PATIENCE = 0.7  # seconds: an outcome that comes this fast is shown without a page of progress before it
_CARRYING_OUT_SECONDS = 30  # a plan has 25; the end of the server is not held up by more
_BROKEN = "Something went wrong here. Ask the assistant for list_changes: it tells what was written."


@dataclass(eq=False)
class Page(Opened):
    """One plan on one page. After Undo it shows the plan of the way back."""

    port: PlanPort
    latest: PlanView
    seen: datetime | None = None  # when its end was first shown
    _torn: set[bytes] = field(default_factory=set)  # tickets that served, or that stood in what the page showed before
    _answer: PlanView | None = None
    _agreeing: asyncio.Task[None] | None = None
    _one_click: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def key(self) -> str:
        return self.port.key

    @property
    def path(self) -> str:
        return f"/plan/{self.id}"

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
            given = digest_of(ticket)
            if given != digest_of(self.ticket):
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
