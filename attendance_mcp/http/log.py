"""The log of a server: one line of JSON on stderr for each request and each trouble. No line holds an argument.

Only our own messages are written as they are. A library's may hold what a client sent, so that of those the place is
told; and of an error its kind, never its text.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Collection
from datetime import UTC, datetime

from attendance_mcp.http.asgi import App, Message, Receive, Scope, Send
from attendance_mcp.http.asked import SCHOOL, Asked

_TRUSTED = ("attendance_mcp", "uvicorn.error")  # uvicorn's are about ports and signals, but for its tracebacks

events = logging.getLogger("attendance_mcp.http.events")


def log_as_json() -> None:
    """Every log of this process becomes JSON lines on stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    events.setLevel(logging.INFO)


def tell(event: str, **facts: object) -> None:
    """Writes one line. The facts are words of ours, numbers and addresses of ours."""
    events.info(event, extra={"facts": facts})


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        if record.name == events.name:
            line |= {"event": record.msg, **getattr(record, "facts", {})}
        else:
            line |= {"event": "log", "logger": record.name}
            if record.name.partition(".")[0] == "attendance_mcp" or (
                record.name in _TRUSTED and record.exc_info is None
            ):
                line["message"] = record.getMessage()
            else:
                line["place"] = f"{record.module}, line {record.lineno}"
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line)


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
        tell("request", **facts, ms=round(1000 * (time.monotonic() - self._begun)))


async def logged(app: App, scope: Scope, receive: Receive, send: Send, *, asked: Asked, known: Collection[str]) -> None:
    """Lets the app answer, and tells of it."""
    line = Logged(send, known=known)
    try:
        await app(scope, receive, line.send)
    finally:
        line.told(asked, school=scope.get(SCHOOL, ""))
