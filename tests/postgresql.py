"""A throw-away PostgreSQL of the distribution's, and a database of its own for each test."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name), reverse=True)
_AS_ROOT = os.name == "posix" and os.geteuid() == 0  # PostgreSQL refuses to be started by root


def _missing() -> str:
    if not any((place / "initdb").exists() for place in _PLACES) or shutil.which("setpriv") is None:
        return "needs Debian's package postgresql"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "needs the driver: pip install psycopg[binary]"
    return ""


MISSING = _missing()


def _memory() -> str | None:
    """Where files stand in memory, if there is room: a database is 300 files."""
    place = Path("/dev/shm")
    return str(place) if place.is_dir() and shutil.disk_usage(place).free > 4 * 1024**3 else None


class Cluster:
    """A PostgreSQL that listens in a folder of its own and on no port."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self._folder = folder
        self._fsync = "on" if durable else "off"
        self._numbers = itertools.count(1)

    @classmethod
    @contextmanager
    def open(cls, *, durable: bool = False) -> Iterator[Cluster]:
        """`durable` writes through to the disk, which a test doesn't need and a measurement does."""
        # Not below pytest's own folder, which is its user's alone; and a socket's path must be short.
        with tempfile.TemporaryDirectory(prefix="pg", dir=None if durable else _memory()) as name:
            cluster = cls(Path(name), durable=durable)
            if _AS_ROOT:
                shutil.chown(name, "postgres", "postgres")
            data = str(cluster._folder / "data")
            cluster._run("initdb", "-D", data, "-U", "attendance", "-A", "trust", "-E", "UTF8", "--no-sync")
            cluster.start()
            try:
                yield cluster
            finally:
                cluster.stop()

    def database(self) -> str:
        """The address of a new database."""
        name = f"school_{next(self._numbers)}"
        self._run("createdb", "-h", str(self._folder), "-U", "attendance", name)
        return f"postgresql://attendance@/{name}?host={self._folder}"

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self._folder} -c fsync={self._fsync}"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-l", log, "-w", "-o", options, "start")

    def stop(self) -> None:
        """Cuts off whoever is connected, as a machine that goes down does. Does nothing where it is stopped."""
        if (self._folder / "data" / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        who = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if _AS_ROOT else []
        command = [*who, str(_PLACES[0] / program), *arguments]
        # A server that starts keeps its parent's pipes open, so there are none.
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
