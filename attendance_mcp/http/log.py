"""The log of a server: one line of JSON on stderr for each request and each trouble. No line holds an argument.

Only our own messages are written as they are. A library's may hold what a client sent, so that of those the place is
told; and of an error its kind, never its text.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime
from typing import TextIO

from attendance_mcp.http.asgi import App, Message, Receive, Scope, Send
from attendance_mcp.http.asked import SCHOOL, Asked

_TRUSTED = ("attendance_mcp", "uvicorn.error")  # uvicorn's are about ports and signals, but for its tracebacks
_MOMENT = 0.05  # seconds
_out: TextIO | None = None
_gathered: list[str] = []


def log_as_json() -> None:
    """Every log of this process becomes JSON lines on stderr, and events are told there."""
    global _out
    _out = sys.stderr
    handler = logging.StreamHandler(_out)
    handler.setFormatter(JsonLines())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)


def tell(event: str, **facts: object) -> None:
    """Writes one line, once the process logs as JSON. The facts are words of ours, numbers and addresses of ours."""
    if _out is not None:
        # Not through `logging`, whose record takes longer than the rest.
        _gathered.append(_line(time.time(), "info", event=event, **facts))
        _write()


def tell_soon(event: str, **facts: object) -> None:
    """As `tell`, with all that is told within a moment in one write: each write wakes whoever reads the log."""
    if _out is not None:
        _gathered.append(_line(time.time(), "info", event=event, **facts))
        if len(_gathered) == 1:
            asyncio.get_running_loop().call_later(_MOMENT, _write)


def _write() -> None:
    lines = "".join(f"{line}\n" for line in _gathered)
    _gathered.clear()
    with suppress(OSError):  # whoever read it has gone
        if _out is not None and lines:
            _out.write(lines)


def _line(seconds: float, level: str, **facts: object) -> str:
    at = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return json.dumps({"time": at, "level": level, **facts})


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, object] = {"event": "log", "logger": record.name}
        ours = record.name.partition(".")[0] == "attendance_mcp"
        if ours or (record.name in _TRUSTED and record.exc_info is None):
            facts["message"] = record.getMessage()
        else:
            facts["place"] = f"{record.module}, line {record.lineno}"
        if record.exc_info and record.exc_info[0] is not None:
            facts["error"] = record.exc_info[0].__name__
        return _line(record.created, record.levelname.lower(), **facts)


class Logged:
    """Tells of one request what was asked and how it was answered, once it is answered or its client has gone."""

    def __init__(self, send: Send, *, known: Collection[str]) -> None:
        self._send, self._known = send, known
        self._begun = time.monotonic()
        self._status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
        await self._send(message)

    def told(self, asked: Asked, *, school: str) -> None:
        facts = {**({"school": school} if school else {}), **asked.told(self._known), "status": self._status or "none"}
        tell_soon("request", **facts, ms=round(1000 * (time.monotonic() - self._begun)))


async def logged(app: App, scope: Scope, receive: Receive, send: Send, *, asked: Asked, known: Collection[str]) -> None:
    """Lets the app answer, and tells of it."""
    line = Logged(send, known=known)
    try:
        await app(scope, receive, line.send)
    finally:
        line.told(asked, school=scope.get(SCHOOL, ""))
