"""Real `serve --http` processes on one store, which are killed and started again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.server.process import running

_SECONDS = 3600


@dataclass
class Replicas:
    """Several of them; `urls` are those that listen."""

    settings: Mapping[str, str]
    urls: list[str] = field(default_factory=list)
    killed: int = 0
    _lives: list[ExitStack] = field(default_factory=list)

    @classmethod
    @contextmanager
    def open(cls, count: int, settings: Mapping[str, str]) -> Iterator[Replicas]:
        replicas = cls({**settings, "ATTENDANCE_REPLICAS": str(count)}, [""] * count, 0, [ExitStack()] * count)
        try:
            for number in range(count):
                replicas.start(number)
            yield replicas
        finally:
            for life in replicas._lives:
                life.close()

    def start(self, number: int) -> None:
        life = ExitStack()
        process = life.enter_context(
            running("serve", "--http", "--port", "0", settings=self.settings, seconds=_SECONDS)
        )
        assert process.stderr is not None
        first = json.loads(process.stderr.readline())
        assert first["event"] == "serving", first
        reading = threading.Thread(target=process.stderr.read, daemon=True)  # else a long log would hold it up
        reading.start()
        life.callback(reading.join, 10)
        life.callback(process.kill)
        self._lives[number] = life
        self.urls[number] = first["url"].removesuffix("/mcp")

    def kill(self, number: int) -> None:
        """Ends it at once, whatever it is about."""
        self._lives[number].close()
        self.killed += 1
