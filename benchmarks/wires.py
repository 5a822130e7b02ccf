"""Calls to a server's process over stdio or HTTP, many in flight, by a client so light that only the server is timed.

The SDK's own client takes more of a processor than the servers do, and would make any two of them look alike.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Protocol

from benchmarks.upstream import ROOT

TOOL = "find_in_school"
ERA = "2026-07-28"
ABOUT = {
    "io.modelcontextprotocol/protocolVersion": ERA,
    "io.modelcontextprotocol/clientInfo": {"name": "load", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
_LONGEST_WAIT = 60.0  # seconds for what is still in flight when a round ends


@dataclass
class Round:
    """What came back in one round; `seconds` from its first call to its last answer."""

    calls: int = 0
    errors: int = 0
    seconds: float = 0.0
    took: list[float] = field(default_factory=list)  # a call, in seconds

    def answered(self, began: float, *, ok: bool) -> None:
        self.calls += 1
        self.errors += not ok
        self.took.append(time.perf_counter() - began)

    @property
    def a_second(self) -> float:
        return self.calls / self.seconds

    def within(self, share: float) -> float:
        """The time in which this share of the calls was answered, in milliseconds."""
        return sorted(self.took)[min(int(len(self.took) * share), len(self.took) - 1)] * 1000


class Wire(Protocol):
    """A way to one server's process."""

    process: int

    async def round(self, ids: Sequence[int], *, in_flight: int, seconds: float) -> Round:
        """Calls for the ids in turn, as many at once, until the time is over and all are answered."""
        ...


def call(number: int, id: int) -> bytes:
    """One call of the tool for a student's id, in the newer era: it needs no handshake."""
    params = {"name": TOOL, "arguments": {"names_or_ids": [str(id)]}, "_meta": ABOUT}
    request = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
    return json.dumps(request, separators=(",", ":")).encode()


def is_right(answer: bytes, id: int) -> bool:
    """Whether it is an answer about this student, and no error."""
    return b'"isError":false' in answer and b'"id":%d,' % id in answer


# --- stdio ------------------------------------------------------------------------------------------------------------


@dataclass
class Stdio:
    process: int
    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader
    _last: int = 0

    async def round(self, ids: Sequence[int], *, in_flight: int, seconds: float) -> Round:
        done, turn, began = Round(), cycle(ids), time.perf_counter()
        open: dict[int, tuple[int, float]] = {}

        def send() -> None:
            self._last += 1
            id = next(turn)
            open[self._last] = id, time.perf_counter()
            self.stdin.write(call(self._last, id) + b"\n")

        for _ in range(in_flight):
            send()
        async with asyncio.timeout(seconds + _LONGEST_WAIT):
            while open:
                line = await self.stdout.readline()
                if not line:
                    raise RuntimeError("the server ended under load")
                number = re.search(rb'"id":(\d+)', line[:60])
                if number is None or int(number[1]) not in open:
                    raise RuntimeError(f"no answer to a call: {line[:200]!r}")
                id, sent = open.pop(int(number[1]))
                done.answered(sent, ok=is_right(line, id))
                if time.perf_counter() - began < seconds:
                    send()
        done.seconds = time.perf_counter() - began
        return done


@asynccontextmanager
async def over_stdio(arguments: Sequence[str], environment: dict[str, str]) -> AsyncIterator[Stdio]:
    """A Python process with these arguments, spoken to by its pipes."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=environment, cwd=ROOT, limit=2**22,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Stdio(process.pid, process.stdin, process.stdout)
    finally:
        await _end(process)


# --- HTTP -------------------------------------------------------------------------------------------------------------


@dataclass
class Http:
    process: int
    port: int

    async def round(self, ids: Sequence[int], *, in_flight: int, seconds: float) -> Round:
        """Every call in flight has a connection of its own, which stays open over its calls."""
        done, turn, loop = Round(), cycle(ids), asyncio.get_running_loop()
        over = asyncio.Event()
        connections = [
            (await loop.create_connection(lambda: _Connection(self, done, turn, over), "127.0.0.1", self.port))[1]
            for _ in range(in_flight)
        ]
        began = time.perf_counter()
        for connection in connections:
            connection.send()
        loop.call_later(seconds, over.set)
        async with asyncio.timeout(seconds + _LONGEST_WAIT):
            await asyncio.gather(*(connection.ended for connection in connections))
        done.seconds = time.perf_counter() - began
        return done


class _Connection(asyncio.Protocol):
    """One call after the other over one connection."""

    def __init__(self, wire: Http, done: Round, turn: cycle[int], over: asyncio.Event) -> None:
        self._host = f"127.0.0.1:{wire.port}".encode()
        self._done, self._turn, self._over = done, turn, over
        self._heard = b""
        self._id, self._sent = 0, 0.0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self) -> None:
        self._id, self._sent = next(self._turn), time.perf_counter()
        body = call(1, self._id)
        self._transport.write(
            b"POST /mcp HTTP/1.1\r\nHost: %b\r\nAccept: application/json, text/event-stream\r\n"
            b"Content-Type: application/json\r\nMCP-Protocol-Version: %b\r\nMcp-Method: tools/call\r\nMcp-Name: %b\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (self._host, ERA.encode(), TOOL.encode(), len(body), body)
        )

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head, _, body = self._heard.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if length is None or len(body) < int(length[1]):
            return
        self._heard = b""
        self._done.answered(self._sent, ok=head.startswith(b"HTTP/1.1 200 ") and is_right(body, self._id))
        if self._over.is_set():
            self.ended.set_result(None)
            self._transport.close()
        else:
            self.send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(RuntimeError(f"the server closed a connection under load: {error}"))


@asynccontextmanager
async def over_http(arguments: Sequence[str], environment: dict[str, str]) -> AsyncIterator[Http]:
    """A Python process with these arguments that says on stderr on which port it serves."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=environment, cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        said = (await process.stderr.readline()).decode()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", said)
        if not found:
            raise RuntimeError(f"the server did not start: {said!r}")
        # Its log goes on: unread it would fill the pipe, and hold up the server and the end of its process.
        drained = asyncio.create_task(_drain(process.stderr))
        yield Http(process.pid, int(found[1]))
        await _end(process)
        await drained
    finally:
        await _end(process)


async def _drain(log: asyncio.StreamReader) -> None:
    while await log.read(2**16):
        pass


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
