"""The process that serves: it listens, says so, and ends after the requests under way."""

from __future__ import annotations

import socket
from collections.abc import Callable

import anyio.to_thread
import uvicorn

from attendance_mcp.http.asgi import App
from attendance_mcp.http.log import log_as_json, tell
from attendance_mcp.http.schools import PATH
from attendance_mcp.http.telemetry import begin_measuring

# A plan is carried out in 25 s and read back; a request that a person is waited for is let go: its plan waits on.
_GRACE_SECONDS = 60
# Longer than proxies and clients keep a connection: whoever asks closes it, or a call may meet it just being closed.
_KEEP_ALIVE_SECONDS = 150


class _Announced(uvicorn.Server):
    """Says where it serves, port 0 taking a free one, and that it stops; `at_last` comes before its signal ends it."""

    def __init__(self, config: uvicorn.Config, *, at_last: Callable[[], None]) -> None:
        super().__init__(config)
        self._at_last = at_last

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            bound = self.servers[0].sockets[0].getsockname()[1]
            host = self.config.host
            tell("serving", url=f"http://{f'[{host}]' if ':' in host else host}:{bound}{PATH}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        tell("stopping", open_requests=len(self.server_state.tasks))
        await super().shutdown(sockets)
        await anyio.to_thread.run_sync(self._at_last)
        tell("stopped")


def run(app: App, *, host: str, port: int) -> None:
    """Serves until SIGTERM or SIGINT, then takes nothing new and ends when what is under way has been answered."""
    log_as_json()
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    _Announced(config, at_last=begin_measuring()).run()
