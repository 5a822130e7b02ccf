"""The window: opens a plan or a sheet in the person's browser, and listens as long as a page is open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from attendance_mcp.errors import AttendanceError
from attendance_mcp.window.browser import Envelope, can_open, open_in_browser
from attendance_mcp.window.open_pages import LINGER, Pages
from attendance_mcp.window.opened import Opened, secret
from attendance_mcp.window.ports import PlanPort, SheetPort

if TYPE_CHECKING:
    from attendance_mcp.window.listening import Listening

_LONGEST_NAP = 60.0  # seconds; a machine that slept must not let a page outlive its plan by much


class Window:
    """Shows plans and sheets to the person at this machine. One for the life of a server; needs asyncio."""

    def __init__(
        self,
        opener: Callable[[str], bool] | None = None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        linger: timedelta = LINGER,
    ) -> None:
        """`opener` opens a `file://` address in a browser and tells whether it could; it is called in a thread."""
        self._opener = opener
        self._pages = Pages(now=now, linger=linger)
        self._listening: Listening | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()

    def available(self) -> bool:
        """Whether a person's browser can be opened from here."""
        return self._opener is not None or can_open()

    async def show(self, port: PlanPort) -> None:
        """Opens the plan's page in the browser, at an address that serves once.

        Returns when the browser was told, not when the person has answered. Raises AttendanceError where the plan
        can't be read or nothing can be opened.
        """
        view = await port.view()
        await self._open(lambda: self._pages.page_of(port, view))

    async def show_sheet(self, port: SheetPort) -> None:
        """Opens a sheet in the browser, at an address that serves once. Its records are read when the browser asks.

        Raises AttendanceError where nothing can be opened.
        """
        await self._open(lambda: self._pages.sheet_of(port))

    async def _open(self, make: Callable[[], Opened]) -> None:
        async with self._one_at_a_time:
            host = await self._listen()
            page = make()
            token = secret()
            try:
                envelope = Envelope(f"http://{host}/{token}")
            except OSError:
                raise AttendanceError("The window can't be opened: this machine takes no temporary file.") from None
            self._pages.lead(token, page, destroy=envelope.destroy)
        opener = self._opener or open_in_browser
        if not await asyncio.to_thread(opener, envelope.address):
            self._pages.revoke(token)
            raise AttendanceError("The window could not be opened: no browser answered.")

    async def aclose(self) -> None:
        """Ends every page. A plan that is being carried out is waited for; one that waits goes on waiting."""
        self._pages.shred()  # before anything that can be interrupted
        if self._keeper is not None:
            self._keeper.cancel()
        async with self._one_at_a_time:
            await self._pages.settled()
            await self._stop()

    async def _listen(self) -> str:
        if self._listening is None:
            # A start of the server must not pay for a web server that most chats never need.
            from attendance_mcp.window.listening import Listening
            from attendance_mcp.window.site import site

            self._listening = await Listening.start(lambda host: site(self._pages, host=host))
            self._keeper = asyncio.create_task(self._keep())
        return self._listening.host

    async def _stop(self) -> None:
        if self._listening is not None:
            await self._listening.stop()
            self._listening = None  # after it: whoever is cancelled here leaves it to the next to stop

    async def _keep(self) -> None:
        """Lets pages and addresses go when their time is over, and the port with the last of them."""
        while True:
            async with self._one_at_a_time:
                self._pages.tidy()
                due = self._pages.next_due()
                if due is None:
                    await self._stop()
                    return
                self._pages.changed.clear()
            nap = (due - self._pages.now()).total_seconds()
            await _wait_for(self._pages.changed, seconds=min(max(nap, 0.0), _LONGEST_NAP))


async def _wait_for(event: asyncio.Event, *, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
