"""The command as a process of its own: what it says on stdout and stderr, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

COMMAND = [sys.executable, "-m", "attendance_mcp"]


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's own, which holds no setting of the product's, and these."""
    return {**os.environ, **settings}


def run(*arguments: str, settings: Mapping[str, str] | None = None, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(settings or {}),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
        **options,
    )


@contextmanager
def running(*arguments: str, settings: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The command under way, with pipes; it is killed at the end if it still runs."""
    with subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.kill()


class Wire:
    """JSON-RPC over a process's pipes, without an SDK in between."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout
        self._last = 0

    def send(self, line: str) -> None:
        self._stdin.write(line + "\n")
        self._stdin.flush()

    def notify(self, method: str) -> None:
        self.send(json.dumps({"jsonrpc": "2.0", "method": method}))

    def call(self, tool: str, **arguments: Any) -> None:
        """Calls a tool without waiting for its answer."""
        self._last += 1
        params = {"name": tool, "arguments": arguments}
        self.send(json.dumps({"jsonrpc": "2.0", "id": self._last, "method": "tools/call", "params": params}))

    def line(self) -> str:
        """The next line, empty where the process has ended."""
        return self._stdout.readline()

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to one request; every line before it must be JSON-RPC too."""
        self._last += 1
        self.send(json.dumps({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params}))
        while True:
            message: dict[str, Any] = json.loads(self.line())
            assert message["jsonrpc"] == "2.0"
            if message.get("id") == self._last:
                return message

    def ask_at_once(self, method: str, many: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The answers to several requests, sent without waiting, in the order of the requests."""
        first = self._last + 1
        for self._last, params in enumerate(many, first):
            self.send(json.dumps({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params}))
        answers: dict[int, dict[str, Any]] = {}
        while len(answers) < len(many):
            message = json.loads(self._stdout.readline())
            if "id" in message:
                answers[message["id"]] = message
        return [answers[number] for number in range(first, self._last + 1)]

    def begin(self) -> None:
        """The handshake of the eras that have one."""
        answer = self.ask(
            "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo={"name": "test", "version": "1"}
        )
        assert answer["result"]["serverInfo"]["name"] == "attendance"
        self.notify("notifications/initialized")
