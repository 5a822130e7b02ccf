"""The command as a process of its own: what it says on stdout and stderr, and how it ends."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.measured import end

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
def running(*arguments: str, settings: Mapping[str, str], seconds: float = 60) -> Iterator[subprocess.Popen[str]]:
    """The command under way, with pipes; it is killed at the end, or after its time, if it still runs."""
    with subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        watchdog = threading.Timer(seconds, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            end(process)


def peak_memory(process: subprocess.Popen[str]) -> float:
    """The most that the process has held so far, in MB."""
    status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    (kilobytes,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(kilobytes) / 1000


def fill(process: subprocess.Popen[str], lines: bytes) -> bytes:
    """Writes until nothing was taken for a second; what is left."""
    assert process.stdin is not None
    fd = process.stdin.fileno()
    os.set_blocking(fd, False)
    while lines and select.select([], [fd], [], 1)[1]:
        lines = lines[os.write(fd, lines) :]
    os.set_blocking(fd, True)
    return lines


class Wire:
    """JSON-RPC over a process's pipes, without an SDK in between."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin: Any = process.stdin
        self._stdout = process.stdout
        self._last = 0

    def send(self, line: str) -> None:
        self._stdin.write(line + "\n")
        self._stdin.flush()

    def send_bytes(self, lines: bytes) -> None:
        """Whatever they are."""
        self._stdin.buffer.write(lines)
        self._stdin.buffer.flush()

    def notify(self, method: str, **params: Any) -> None:
        self.send(json.dumps({"jsonrpc": "2.0", "method": method, **({"params": params} if params else {})}))

    def request(self, method: str, **params: Any) -> int:
        """Sends a request; its id."""
        self._last += 1
        self.send(json.dumps({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params}))
        return self._last

    def hear(self) -> dict[str, Any]:
        """The next message; every line must be one."""
        message: dict[str, Any] = json.loads(self._stdout.readline())
        assert message["jsonrpc"] == "2.0"
        return message

    def hear_of(self, id: int) -> dict[str, Any]:
        """The answer to that request; what comes before it is passed over."""
        while (message := self.hear()).get("id") != id or "method" in message:
            pass
        return message

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to one request."""
        return self.hear_of(self.request(method, **params))

    def call(self, tool: str, **arguments: Any) -> None:
        """Calls a tool without waiting for its answer."""
        self.request("tools/call", name=tool, arguments=arguments)

    def line(self) -> str:
        """The next line, empty where the process has ended."""
        return self._stdout.readline()

    def ask_at_once(self, method: str, many: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The answers to several requests, sent without waiting, in the order of the requests."""
        asked = [self.request(method, **params) for params in many]
        answers: dict[int, dict[str, Any]] = {}
        while len(answers) < len(many):
            message = self.hear()
            if "id" in message:
                answers[message["id"]] = message
        return [answers[id] for id in asked]

    def begin(self, **capabilities: Any) -> None:
        """The handshake of the eras that have one."""
        client = {"name": "test", "version": "1"}
        answer = self.ask("initialize", protocolVersion="2025-06-18", capabilities=capabilities, clientInfo=client)
        assert answer["result"]["serverInfo"]["name"] == "attendance"
        self.notify("notifications/initialized")
