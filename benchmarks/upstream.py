"""The sandbox school in a process of its own, whose work isn't counted as the product's, and the product over it."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from mcp import Client

from attendance_mcp.server import build
from attendance_mcp.settings import Settings

Size = Literal["small", "school", "district"]
SIZES: tuple[Size, ...] = ("small", "school", "district")
TOKEN = "a-token-of-the-sandbox"
TODAY = datetime.fromisoformat("2026-11-24T10:30")  # the school's local time, without a zone
ROOT = Path(__file__).parent.parent
PROFILE = ROOT / "attendance_mcp" / "sandbox" / "school.toml"


@dataclass
class Upstream:
    """One school behind a loopback port: asked over HTTP, looked at by SQL, its requests counted by its own log."""

    url: str
    size: Size
    today: datetime
    path: Path
    log: Path
    process: int

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        # Read only: a benchmark must not change what it measures.
        with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True) as connection:
            return connection.execute(query, values).fetchall()

    def one(self, query: str, **values: Any) -> Any:
        return self.rows(query, **values)[0][0]

    @property
    def requests(self) -> int:
        """How many requests it has answered so far."""
        return self.log.read_bytes().count(b"\n") if self.log.exists() else 0

    def asked(self, since: int) -> list[str]:
        """The paths (with their queries) that were asked after the first `since` requests."""
        entries = [json.loads(line) for line in self.log.read_text("utf-8").splitlines()[since:]]
        return [entry["path"] + (f"?{entry['query']}" if entry["query"] else "") for entry in entries]

    def settings(self, **settings: Any) -> Settings:
        return Settings(
            **{
                "api_url": self.url,
                "api_token": TOKEN,
                "today": self.today,
                "timezone": "Asia/Singapore",
                "profile": PROFILE,
                "store": str(self.path.with_name("plans.db")),
                "rate": 1000,
                "deadline": 120,
                **settings,
            }
        )

    def environment(self) -> dict[str, str]:
        """The environment of a process of the server over this school, with the same settings."""
        settings = {
            "API_URL": self.url,
            "API_TOKEN": TOKEN,
            "TODAY": self.today.isoformat(timespec="minutes"),
            "TIMEZONE": "Asia/Singapore",
            "PROFILE": str(PROFILE),
            "STORE": str(self.path.with_name("plans.db")),
            "RATE": "1000",
            "DEADLINE": "120",
        }
        return plain_environment() | {f"ATTENDANCE_{name}": value for name, value in settings.items()}

    @asynccontextmanager
    async def client(self, **settings: Any) -> AsyncIterator[Client]:
        """A client of the server over this school, with nothing read yet."""
        async with Client(build(self.settings(**settings))) as client:
            yield client


@contextmanager
def open_upstream(size: Size, *, today: datetime = TODAY, rate_limit: int | None = None) -> Iterator[Upstream]:
    """A new invented school of a size, served until the end of the block; it answers 429 beyond the limit a second."""
    with tempfile.TemporaryDirectory(prefix="bench-school-") as folder:
        path, log = Path(folder, "school.db"), Path(folder, "requests.jsonl")
        command = [sys.executable, "-m", "attendance_mcp", "sandbox", "--port", "0", "--token", TOKEN]
        command += ["--size", size, "--today", today.isoformat(timespec="minutes")]
        command += ["--file", str(path), "--log", str(log)]
        command += ["--rate-limit", str(rate_limit)] if rate_limit else []
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=plain_environment(), cwd=ROOT) as process:
            try:
                assert process.stdout is not None
                said = process.stdout.readline()
                found = re.search(r"http://[\d.]+:\d+", said)
                if not found:
                    raise RuntimeError(f"the sandbox of size {size} did not start: {said!r}")
                yield Upstream(found.group(), size, today, path, log, process.pid)
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()


def plain_environment() -> dict[str, str]:
    """Nobody else's settings, and bytecode kept: a benchmark is the same on every machine."""
    left_out = "PYTHONDONTWRITEBYTECODE"
    return {
        name: value for name, value in os.environ.items() if not name.startswith("ATTENDANCE_") and name != left_out
    }


def forget_foreign_settings() -> None:
    """Keeps the settings and the data folder of whoever runs the benchmarks out of them."""
    for name in [name for name in os.environ if name.startswith("ATTENDANCE_")]:
        del os.environ[name]


def compile_bytecode() -> None:
    """A first start would otherwise pay for compiling, a second one not: of the project and of what it stands on."""
    import compileall
    import sysconfig

    for folder in (ROOT / "attendance_mcp", Path(sysconfig.get_path("purelib"))):
        compileall.compile_dir(folder, quiet=2, maxlevels=20)
