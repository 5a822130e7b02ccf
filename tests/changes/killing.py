"""Real server processes, over stdio, to be killed while they carry a plan out, and where a test may do so."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, Protocol

from tests.forks import FORKS
from tests.server.process import Wire

from .errands import Facts

When = Literal["before", "after"]


class Moment(Protocol):
    """Where a test may kill: it says that the moment has come, and holds the process there until it is let go."""

    reached: threading.Event
    release: threading.Event


class Child:
    """`attendance-mcp serve` in a process of its own, which was asked to apply a plan."""

    def __init__(self, environment: Mapping[str, str], plan: Facts, *, commit: int = 0, when: When = "before") -> None:
        """With `commit` it kills itself before or after that commit of its store, counted from 1."""
        stdin, to_child = FORKS.Pipe(duplex=False)
        self._answers, stdout = FORKS.Pipe(duplex=False)
        self._process = FORKS.Process(target=_serve, args=(stdin, stdout, dict(environment), commit, when), daemon=True)
        self._process.start()
        stdin.close()
        stdout.close()
        pipes = SimpleNamespace(
            stdin=open(to_child.fileno(), "w", encoding="utf-8", closefd=False),  # noqa: SIM115
            stdout=open(self._answers.fileno(), encoding="utf-8", closefd=False),  # noqa: SIM115
        )
        self._to_child, self._wire = to_child, Wire(pipes)  # type: ignore[arg-type]
        self._wire.begin()
        self._plan = plan

    def is_killed(self, at: Moment | None = None) -> bool:
        """Applies the plan; whether the process is killed meanwhile, at that moment or by itself."""
        self._wire.call("apply_changes", confirmation=self._plan["confirmation"], summary=self._plan["summary"])
        ends = time.monotonic() + 30
        while not (at and at.reached.is_set()) and not self._answered(0.01):
            assert time.monotonic() < ends, "it hangs"
        if at and at.reached.is_set():
            self._process.kill()
            self._process.join(10)
            at.release.set()
        killed = self._wire.line() == ""
        self._process.kill()
        self._process.join(10)
        assert not killed or self._process.exitcode == -signal.SIGKILL
        self._to_child.close()
        self._answers.close()
        return killed

    def _answered(self, seconds: float) -> bool:
        return bool(select.select([self._answers.fileno()], [], [], seconds)[0])


def _serve(stdin: Any, stdout: Any, environment: dict[str, str], commit: int, when: When) -> None:
    os.environ.update(environment)
    os.dup2(stdin.fileno(), 0)
    os.dup2(stdout.fileno(), 1)
    stdin.close()
    stdout.close()
    sys.stdin, sys.stdout = open(0, encoding="utf-8"), open(1, "w", encoding="utf-8")  # noqa: SIM115
    if commit:
        _die_at(commit, when)
    from attendance_mcp.cli import main

    main(["serve"])


def _die_at(number: int, when: When) -> None:
    import sqlalchemy as sa

    begun = 0

    def committing(_connection: sa.Connection) -> None:
        nonlocal begun
        begun += 1
        if begun == number and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)

    def given_back(_connection: Any, _record: Any) -> None:
        if begun == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(sa.Engine, "commit", committing)
    sa.event.listen(sa.pool.Pool, "checkin", given_back)


class CommitWay:
    """A way to PostgreSQL that holds its n-th commit, before it is carried out, which it then never is, or after."""

    def __init__(self, place: Path) -> None:
        self.reached, self.release = threading.Event(), threading.Event()
        self._place, self._countdown, self._when = str(place / ".s.PGSQL.5432"), 0, "before"
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]

    @classmethod
    @contextlib.contextmanager
    def to(cls, place: Path) -> Iterator[CommitWay]:
        """A way to the server that listens in this folder."""
        way = cls(place)
        threading.Thread(target=way._let_in, daemon=True).start()
        try:
            yield way
        finally:
            way.release.set()
            way._listening.close()

    def arm(self, number: int, when: When) -> None:
        self.reached.clear()
        self.release.clear()
        self._countdown, self._when = number, when

    def _let_in(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listening.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._place)
                held = threading.Event()
                threading.Thread(target=self._asks, args=(client, server, held), daemon=True).start()
                threading.Thread(target=self._answers, args=(client, server, held), daemon=True).start()

    def _asks(self, client: socket.socket, server: socket.socket, held: threading.Event) -> None:
        with client, server:
            with contextlib.suppress(OSError):  # a process that was killed may leave a connection that is reset
                while data := client.recv(65536):
                    if b"COMMIT\0" in data:
                        self._countdown -= 1
                        if self._countdown == 0 and self._when == "before":
                            self._hold()
                            break
                        if self._countdown == 0:
                            held.set()
                    server.sendall(data)
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)  # closing alone would leave the other thread in its reading

    def _answers(self, client: socket.socket, server: socket.socket, held: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if held.is_set():
                    self._hold()
                    break
                client.sendall(data)

    def _hold(self) -> None:
        self.reached.set()
        self.release.wait()
