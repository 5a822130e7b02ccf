"""The web server of the window: this process's own event loop, 127.0.0.1, and whatever port is free."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from socket import socket

import uvicorn

from attendance_mcp.errors import AttendanceError
from attendance_mcp.window.site import App, Receive, Scope, Send

ADDRESS = "127.0.0.1"
_GRACE_SECONDS = 2


class _Server(uvicorn.Server):
    """Uvicorn as a guest: it takes no signals, ends no process, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield  # they belong to whoever runs this process

    async def startup(self, sockets: list[socket] | None = None) -> None:
        assert sockets is None
        try:
            await super().startup()
        except SystemExit:  # pragma: no cover  uvicorn's way to say that it could not bind
            raise OSError("no port could be opened") from None
        self.listens.set()


class Listening:
    """A server that listens, until it is stopped."""

    def __init__(self, server: _Server, task: asyncio.Task[None]) -> None:
        self._server, self._task = server, task
        self.host = f"{ADDRESS}:{server.servers[0].sockets[0].getsockname()[1]}"

    @classmethod
    async def start(cls, app_for: Callable[[str], App]) -> Listening:
        """Listens, and then makes the app, which is given the `Host` that it answers to.

        Raises AttendanceError where no port can be opened.
        """
        made: list[App] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await made[0](scope, receive, send)

        server = _Server(
            uvicorn.Config(
                app,
                host=ADDRESS,
                port=0,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",  # its lines would hold paths
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        task = asyncio.create_task(server.serve())
        listens = asyncio.create_task(server.listens.wait())
        await asyncio.wait([task, listens], return_when=asyncio.FIRST_COMPLETED)
        if not server.listens.is_set():  # pragma: no cover  a machine without a free port
            listens.cancel()
            raise AttendanceError("The window can't be opened: this machine gives no port.") from task.exception()
        listening = cls(server, task)
        made.append(app_for(listening.host))
        return listening

    async def stop(self) -> None:
        """Ends after the requests that are being answered."""
        self._server.should_exit = True
        await asyncio.wait([self._task])
