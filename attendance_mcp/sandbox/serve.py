"""A sandbox school on a file of its own, and the server that puts it on a port."""

from __future__ import annotations

import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from attendance_mcp.sandbox.app import create_app
from attendance_mcp.sandbox.assumptions import Assumptions
from attendance_mcp.sandbox.database import open_engine
from attendance_mcp.sandbox.log import RequestLog

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from attendance_mcp.sandbox.population import Size

SEED = 1
"""Which of the invented schools of a size this is."""


@contextmanager
def open_school(*, size: Size, today: datetime, file: Path | None = None, seed: int = SEED) -> Iterator[sa.Engine]:
    """Open a school's file, filled where it is new and brought up to `today` where it isn't.

    Without a file the school lives in a temporary one, which is removed at the end.
    """
    from attendance_mcp.sandbox.population import prepare  # the people are needed only by whoever opens a school

    with tempfile.TemporaryDirectory(prefix="sandbox-school-", ignore_cleanup_errors=True) as folder:
        path = Path(folder, "school.db") if file is None else file
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = open_engine(path)
        try:
            prepare(engine, size=size, seed=seed, today=today)
            yield engine
        finally:
            engine.dispose()


def run(
    *,
    port: int,
    token: str,
    size: Size,
    today: datetime,
    file: Path | None = None,
    without: frozenset[str] = frozenset(),
    assume: Assumptions | None = None,
    rate_limit: int | None = None,
    host: str = "127.0.0.1",
    log_file: Path | None = None,
) -> None:
    """Serve a school until interrupted; port 0 takes a free one, and the line on stdout names it once it is open."""
    _end_tidily()
    with suppress(KeyboardInterrupt), open_school(size=size, today=today, file=file) as engine:
        log = RequestLog(log_file)
        app = create_app(
            engine, token=token, today=today, assumptions=assume, without=without, rate_limit=rate_limit, log=log
        )
        _serve(app, host=host, port=port, token=token)


def _serve(app: Starlette, *, host: str, port: int, token: str) -> None:
    import uvicorn  # a demo in one process needs no server

    class Announced(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                bound = self.servers[0].sockets[0].getsockname()[1]
                sys.stdout.write(f"Sandbox school on http://{host}:{bound}, token {token}\n")
                sys.stdout.flush()

    # The server binds the port itself: a socket made beforehand has Nagle's delay of 40 ms on every answer.
    Announced(uvicorn.Config(app, host=host, port=port, lifespan="off", log_level="warning", access_log=False)).run()


def _end_tidily() -> None:
    """Let a termination unwind like an interruption: uvicorn raises the signal again, and the file must go."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
