"""Real `serve --http` processes on one store, which are killed and started again.

Each is forked from a process that has imported what the command imports, which takes a second of a processor: what
differs from a start by the shell is that alone. Nothing has been read, opened or begun before the fork.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import IO

_COMMAND = ["attendance-mcp", "serve", "--http", "--port", "0"]
_IMPORTED = (
    "attendance_mcp.cli",
    "attendance_mcp.server",
    "attendance_mcp.http.serving",
    "attendance_mcp.http.sealing",
    "attendance_mcp.api.transport",
    "attendance_mcp.changes.store",
    "anyio._backends._asyncio",
    "httpx",
    "sqlalchemy.dialects.postgresql.psycopg",
    "stamina",
    "truststore",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)


def _replica(settings: Mapping[str, str], stderr: Connection) -> None:
    """The command, as the shell runs it; what it says on stderr is read at the other end."""
    os.environ.update(settings)
    os.dup2(stderr.fileno(), 2)
    stderr.close()
    sys.argv = _COMMAND
    from attendance_mcp.cli import main

    main()


@dataclass
class _Life:
    """One process, and its log, which is read to its end: else a long one would hold it up."""

    process: BaseProcess
    log: IO[str]
    reading: threading.Thread

    def end(self) -> None:
        self.process.kill()
        self.process.join(10)
        self.reading.join(10)
        self.log.close()


@dataclass
class Replicas:
    """Several of them; `urls` are those that listen."""

    settings: Mapping[str, str]
    urls: list[str] = field(default_factory=list)
    killed: int = 0
    _lives: dict[int, _Life] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def open(cls, count: int, settings: Mapping[str, str]) -> Iterator[Replicas]:
        replicas = cls({**settings, "ATTENDANCE_REPLICAS": str(count)}, [""] * count)
        try:
            for number in range(count):
                replicas.start(number)
            yield replicas
        finally:
            for life in replicas._lives.values():
                life.end()

    def start(self, number: int) -> None:
        forking = multiprocessing.get_context("forkserver")
        forking.set_forkserver_preload([*_IMPORTED])
        ours, theirs = forking.Pipe(duplex=False)
        process = forking.Process(target=_replica, args=(dict(self.settings), theirs), daemon=True)
        process.start()
        theirs.close()
        log = os.fdopen(os.dup(ours.fileno()), encoding="utf-8")
        ours.close()
        first = json.loads(log.readline())
        assert first["event"] == "serving", first
        reading = threading.Thread(target=log.read, daemon=True)
        reading.start()
        self._lives[number] = _Life(process, log, reading)
        self.urls[number] = first["url"].removesuffix("/mcp")

    def kill(self, number: int) -> None:
        """Ends it at once, whatever it is about."""
        self._lives.pop(number).end()
        self.killed += 1
