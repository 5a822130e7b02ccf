"""The ASGI app: stateless, JSON responses, both eras; on loopback only while there is no sign-in."""

from __future__ import annotations

from mcp.server.transport_security import TransportSecuritySettings

from attendance_mcp.errors import SettingsError
from attendance_mcp.http.asgi import App, Receive, Scope, Send, not_allowed
from attendance_mcp.http.asked import Asked, read_body
from attendance_mcp.http.health import PATHS, Health
from attendance_mcp.http.log import logged
from attendance_mcp.server import AttendanceServer
from attendance_mcp.settings import is_loopback

PATH = "/mcp"


def http_app(server: AttendanceServer, *, host: str) -> App:
    """The ASGI app. Raises SettingsError for an address that others can reach."""
    refuse_strangers(host)
    names = ["127.0.0.1:*", "localhost:*", "[::1]:*"]
    inner: App = server.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        json_response=True,
        transport_security=TransportSecuritySettings(
            allowed_hosts=names, allowed_origins=[f"http://{name}" for name in names]
        ),
    )
    health = Health(server.office)
    known = server.tool_names()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await inner(scope, receive, send)
        elif scope["path"] in PATHS:
            await health.answer(scope, send)
        elif scope["path"] == PATH and scope["method"] == "POST":
            asked, again = await read_body(receive)
            await logged(inner, scope, again, send, asked=asked, known=known)
        else:
            await logged(_beside, scope, receive, send, asked=Asked(), known=known)

    async def _beside(scope: Scope, receive: Receive, send: Send) -> None:
        # A stateless server has no stream to offer; the SDK would hold a GET open for ever.
        if scope["path"] == PATH and scope["method"] != "OPTIONS":
            await not_allowed(send, allow=b"POST")
        else:
            await inner(scope, receive, send)

    return app


def refuse_strangers(host: str) -> None:
    """Raises SettingsError unless the address is this machine's own: whoever reaches the port sees every child."""
    if not is_loopback(host):
        raise SettingsError(
            f"Without sign-in the server listens on this machine only, not on {host}: whoever reaches the port would "
            "see every student. Use --host 127.0.0.1."
        )
