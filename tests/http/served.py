"""The command `serve --http` as a process of its own, and the lines that it writes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.server.process import running


@dataclass
class Served:
    """A server that listens: its origin and its process."""

    url: str
    process: subprocess.Popen[str]

    def line(self) -> dict[str, Any]:
        """Its next line."""
        assert self.process.stderr is not None
        return dict(json.loads(self.process.stderr.readline()))

    def rest(self) -> list[dict[str, Any]]:
        """Every line until it ends; stdout stays empty."""
        out, err = self.process.communicate(timeout=30)
        assert out == ""
        return [json.loads(line) for line in err.splitlines()]


@contextmanager
def served(settings: Mapping[str, str], *options: str) -> Iterator[Served]:
    """The command under way; it has said where it listens."""
    with running("serve", "--http", "--port", "0", *options, settings=settings) as process:
        one = Served("", process)
        first = one.line()
        assert first["event"] == "serving", first
        one.url = first["url"].removesuffix("/mcp")
        yield one
