"""The server over streamable HTTP: stateless, JSON responses, on loopback only while there is no sign-in."""

from __future__ import annotations

import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings

from attendance_mcp.errors import SettingsError
from attendance_mcp.settings import is_loopback

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PATH = "/mcp"


def http_app(server: MCPServer[Any], *, host: str) -> App:
    """The ASGI app. Raises SettingsError for an address that others can reach."""
    refuse_strangers(host)
    names = ["127.0.0.1:*", "localhost:*", "[::1]:*"]
    inner = server.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        json_response=True,
        transport_security=TransportSecuritySettings(
            allowed_hosts=names, allowed_origins=[f"http://{name}" for name in names]
        ),
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # A stateless server has no stream to offer; the SDK would hold a GET open for ever.
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] not in ("POST", "OPTIONS"):
            headers = [(b"allow", b"POST"), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 405, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        await inner(scope, receive, send)

    return app


def refuse_strangers(host: str) -> None:
    """Raises SettingsError unless the address is this machine's own: whoever reaches the port sees every child."""
    if not is_loopback(host):
        raise SettingsError(
            f"Without sign-in the server listens on this machine only, not on {host}: whoever reaches the port would "
            "see every student. Use --host 127.0.0.1."
        )


def run(server: MCPServer[Any], *, host: str, port: int) -> None:
    """Serves until interrupted; a line on stderr says where, port 0 taking a free one."""
    import uvicorn

    class Announced(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                bound = self.servers[0].sockets[0].getsockname()[1]
                name = f"[{host}]" if ":" in host else host
                sys.stderr.write(f"attendance-mcp: serving on http://{name}:{bound}{PATH}\n")
                sys.stderr.flush()

    Announced(
        uvicorn.Config(http_app(server, host=host), host=host, port=port, log_level="warning", access_log=False)
    ).run()
