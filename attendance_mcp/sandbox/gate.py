"""What every request passes on its way in: the rate limit, the token and the log."""

from __future__ import annotations

import json
import secrets
import time
from collections import deque
from math import ceil
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from attendance_mcp.sandbox.errors import access_denied
from attendance_mcp.sandbox.log import LogEntry, RequestLog

PERIOD_SECONDS = 1


class RateLimit:
    """So many requests in any one second, counted over the whole app."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._taken: deque[float] = deque()

    def wait(self) -> float:
        """Take a place and answer 0, or answer the seconds until one is free."""
        now = time.monotonic()
        while self._taken and self._taken[0] <= now - PERIOD_SECONDS:
            self._taken.popleft()
        if len(self._taken) < self.limit:
            self._taken.append(now)
            return 0.0
        return self._taken[0] + PERIOD_SECONDS - now


class Gate:
    """Counts, then asks for the token, then lets in; records how each request was answered."""

    def __init__(self, app: ASGIApp, *, token: str, log: RequestLog, rate_limit: int | None) -> None:
        self._app = app
        self._token = token.encode()
        self._log = log
        self._limit = None if rate_limit is None else RateLimit(rate_limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        at, body, recorded = time.time(), bytearray(), False

        def record(status: int) -> None:
            nonlocal recorded
            recorded = True
            query = _without_token(scope["query_string"].decode("latin-1"))
            written = _as_json(body) if scope["method"] not in ("GET", "HEAD") else None
            self._log.record(LogEntry(scope["method"], scope["path"], query, status, written, at))

        async def hear() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                record(message["status"])  # first, so that whoever has the answer finds it in the log
            await send(message)

        try:
            await (self._refusal(scope) or self._app)(scope, hear, answer)
        finally:
            if not recorded:
                record(500)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        if self._limit is not None and (wait := self._limit.wait()):
            headers = {
                "X-RateLimit-Limit": str(self._limit.limit),
                "X-RateLimit-Period": str(PERIOD_SECONDS),
                "X-RateLimit-Reset": str(ceil(time.time() + wait)),
            }
            return JSONResponse({"error": "Rate limit reached."}, status_code=429, headers=headers)
        if not self._has_token(scope):
            denied = access_denied()
            return JSONResponse(denied.body, status_code=denied.status)
        return None

    def _has_token(self, scope: Scope) -> bool:
        given = Headers(scope=scope).get("auth-token")
        if given is None:
            given = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("auth_token", "")
        return secrets.compare_digest(given.encode(), self._token)


def _without_token(query: str) -> str:
    parts = (part for part in query.split("&") if unquote_plus(part.partition("=")[0]) != "auth_token")
    return "&".join(parts)


def _as_json(body: bytes | bytearray) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")
