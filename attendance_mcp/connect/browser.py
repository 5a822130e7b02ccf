"""The person's browser: led to the issuer's page, and heard when it comes back to this machine (RFC 8252)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import anyio
import anyio.to_thread
from mcp.client.auth import AuthorizationCodeResult
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from attendance_mcp.errors import NotAllowed
from attendance_mcp.window.browser import Envelope, can_open, open_in_browser
from attendance_mcp.window.listening import Listening
from attendance_mcp.window.markup import document, element
from attendance_mcp.window.site import App, Receive, Scope, Send

PATH = "/signed-in"
_MINUTES = 10
_HEADERS = {
    "cache-control": "no-store",
    "connection": "close",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}

log = logging.getLogger(__name__)


class Visit:
    """One way of the person's browser to the issuer and back to `redirect`."""

    def __init__(self, host: str) -> None:
        self._host = host
        self.redirect = f"http://{host}{PATH}"
        self._envelope: Envelope | None = None
        self._state: str | None = None  # of the address where the person was sent
        self._back: dict[str, str] | None = None
        self._came = anyio.Event()

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator[Visit]:
        """Listens on loopback for the browser to come back. Raises AttendanceError where no port can be opened."""
        made: list[Visit] = []

        def app_for(host: str) -> App:
            made.append(cls(host))
            return made[0]._app

        listening = await Listening.start(app_for)
        try:
            yield made[0]
        finally:
            made[0]._put_away()
            with anyio.CancelScope(shield=True):
                await listening.stop()

    async def go(self, address: str) -> None:
        """Opens the issuer's page."""
        self._state = parse_qs(urlsplit(address).query).get("state", [""])[0]
        # Whoever on this machine knew the address could sign this process in as somebody else.
        self._envelope = Envelope(address, title="Sign in")
        log.warning("Sign in to the school's server in the browser. Where none opens, open %s", self._envelope.address)
        if can_open():
            await anyio.to_thread.run_sync(open_in_browser, self._envelope.address, abandon_on_cancel=True)

    async def back(self) -> AuthorizationCodeResult:
        """What the browser came back with. Raises NotAllowed where nobody signed in."""
        try:
            with anyio.fail_after(60 * _MINUTES):
                await self._came.wait()
        except TimeoutError:  # pragma: no cover  ten minutes
            raise NotAllowed(f"Nobody signed in within {_MINUTES} minutes. The next call asks again.") from None
        back = self._back or {}
        if "code" not in back:
            raise NotAllowed("You are not signed in: the sign-in was broken off or refused. The next call asks again.")
        return AuthorizationCodeResult(code=back["code"], state=back.get("state"), iss=back.get("iss"))

    def _put_away(self) -> None:
        if self._envelope is not None:
            self._envelope.destroy()

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(Request(scope))(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        if request.headers.get("host") != self._host or request.url.path != PATH or request.method != "GET":
            return Response(status_code=404, headers=_HEADERS)
        back = dict(request.query_params)
        # Any page may send a browser here; only the issuer's knows the state.
        if not self._state or not secrets.compare_digest(back.get("state", "").encode(), self._state.encode()):
            return _page("This is not the sign-in that was begun.", status=403)
        if self._back is None:
            self._back = back
            self._came.set()
        if "code" not in self._back:
            return _page("You are not signed in. You can close this page.", status=403)
        return _page("You are signed in. You can close this page and go back to your assistant.")


def _page(text: str, *, status: int = 200) -> Response:
    whole = document(element("title", "Attendance"), body=element("body", element("p", text)))
    return HTMLResponse(whole, status_code=status, headers=_HEADERS)
