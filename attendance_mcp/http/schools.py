"""The addresses where MCP is spoken: `/mcp` of the only school; of several, one for each and one for all of them.

At the one for all a caller comes to the one school where the policy grants them something. Whoever is granted something
at several must say which, by its address: what is meant must never be a guess.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.applications import Starlette
from starlette.requests import Request

from attendance_mcp.http.asgi import App, Receive, Scope, Send, send_json
from attendance_mcp.http.asked import ASKED, SCHOOL, Asked
from attendance_mcp.schools_file import NAME
from attendance_mcp.server import AttendanceServer

if TYPE_CHECKING:
    from attendance_mcp.http.sign_in import SignIn

PATH = "/mcp"
_FAILED = -32000  # JSON-RPC leaves this code to the server


@dataclass(frozen=True, slots=True)
class Door:
    """One address: the app behind its sign-in, where there is one, and the school if it is one's own."""

    app: App
    sign_in: SignIn | None = None
    school: str = ""

    @classmethod
    def of(cls, inner: App, sign_in: SignIn | None, *, school: str = "") -> Door:
        return cls(sign_in.before(inner) if sign_in else inner, sign_in, school)


class Doors:
    """All addresses of a server. `rest` answers at any other, and is told when the server begins and ends."""

    def __init__(
        self, servers: Sequence[AttendanceServer], *, sign_in: SignIn | None, hosts: TransportSecuritySettings
    ) -> None:
        self._sign_in = sign_in
        apps = {_path_of(server): _app_of(server, hosts) for server in servers}
        self._several = PATH not in apps
        self.rest: App = Starlette(lifespan=partial(_together, [*apps.values()])) if self._several else apps[PATH]
        self._doors = {
            path: Door.of(_answering(server), sign_in and sign_in.at(path), school=server.office.among.name)
            for path, server in zip(apps, servers, strict=True)
        }
        if sign_in is not None and self._several:
            self._doors[PATH] = Door.of(_Choosing(servers, sign_in.origin, hosts), sign_in)

    def at(self, path: str) -> Door | None:
        """The door at this address.

        One that no school has looks like a school's to whoever isn't signed in: who is there is nobody else's to know.
        """
        if path in self._doors or self._sign_in is None or not self._several:
            return self._doors.get(path)
        begun, _, name = path.rpartition("/")
        return Door.of(self.rest, self._sign_in.at(path)) if begun == PATH and NAME.fullmatch(name) else None

    def described_at(self, path: str) -> SignIn | None:
        """The sign-in whose metadata stands at this address."""
        if self._sign_in is None:
            return None
        before = urlsplit(self._sign_in.metadata_url).path.removesuffix(PATH)
        door = self.at(path.removeprefix(before)) if path.startswith(before) else None
        return door.sign_in if door else None


class _Choosing:
    """Takes a caller to their school."""

    def __init__(self, servers: Sequence[AttendanceServer], origin: str, hosts: TransportSecuritySettings) -> None:
        self._servers, self._origin = servers, origin
        self._hosts = TransportSecurityMiddleware(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        claims = scope["user"].access_token.claims
        rules = self._servers[0].office.fitting(claims)
        theirs = [one for one in self._servers if not one.office.person_of("", rules).grants.nothing]
        if len(theirs) > 1:
            refused = await self._hosts.validate_request(Request(scope), is_post=True)
            await (refused(scope, receive, send) if refused else self._ask_which(theirs, scope[ASKED], send))
            return
        # Whoever is granted nothing anywhere is told so by any of them.
        (one,) = theirs or self._servers[:1]
        if theirs:
            scope[SCHOOL] = one.office.among.name
        await _answering(one)(scope, receive, send)

    async def _ask_which(self, theirs: Sequence[AttendanceServer], asked: Asked, send: Send) -> None:
        named = "; ".join(f"{one.office.among.title}: {self._origin}{_path_of(one)}" for one in theirs)
        said = f"You may see several schools here, each at an address of its own. Use one of these: {named}"
        error = {"code": _FAILED, "message": f"{said} (nothing was read or written)."}
        if asked.methods and not asked.ids:
            await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        answers: list[dict[str, object]] = [{"jsonrpc": "2.0", "id": id, "error": error} for id in asked.ids or (None,)]
        await send_json(send, 200 if asked.ids else 400, answers if asked.batch else answers[0])


def _path_of(server: AttendanceServer) -> str:
    name = server.office.among.name
    return f"{PATH}/{name}" if name else PATH


def _app_of(server: AttendanceServer, hosts: TransportSecuritySettings) -> Starlette:
    return server.streamable_http_app(
        streamable_http_path=_path_of(server), stateless_http=True, json_response=True, transport_security=hosts
    )


def _answering(server: AttendanceServer) -> App:
    """What answers where MCP is spoken: what has come to its one path needs no search for its route."""
    answering: App = server.session_manager.handle_request
    return answering


@asynccontextmanager
async def _together(apps: Sequence[Starlette], _: Starlette) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for app in apps:
            await stack.enter_async_context(app.router.lifespan_context(app))
        yield
