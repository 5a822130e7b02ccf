"""A way to the school that counts what is in flight, and where some paths answer an error or never."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from attendance_mcp.sandbox.app import create_app
from tests.upstream_school import TOKEN, UpstreamSchool, on_a_port


@dataclass
class Filtered:
    """An ASGI filter; a path belongs to the first part of `answers` that it contains (None: no answer at all).

    What a path of `altered` answers is changed in place by its function. `asked` are the paths as they came in: the sandbox's own log has a request only some time after its answer.
    """

    app: Any
    answers: dict[str, int | None] = field(default_factory=dict)
    altered: dict[str, Callable[[Any], None]] = field(default_factory=dict)
    url: str = ""
    asked: list[str] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.asked.append(scope["path"])
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self._answer(scope, receive, send)
        finally:
            self.in_flight -= 1

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        part = next((part for part in self.answers if part in scope["path"]), None)
        status = self.answers[part] if part else 0
        if status is None:
            while (await receive())["type"] != "http.disconnect":
                pass
        elif status:
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": b'{"error":"Something went wrong."}'})
        elif alter := self.altered.get(scope["path"]):
            await self._altered(alter, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _altered(self, alter: Callable[[Any], None], scope: Any, receive: Any, send: Any) -> None:
        messages: list[Any] = []

        async def hold(message: Any) -> None:
            messages.append(message)

        await self.app(scope, receive, hold)
        answer = json.loads(b"".join(message.get("body", b"") for message in messages))
        alter(answer)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": messages[0]["status"], "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


@contextmanager
def filtered(school: UpstreamSchool, **answers: int | None) -> Iterator[Filtered]:
    """The same school behind a filter; ask it with `school.client(api_url=filter.url)`."""
    way = Filtered(create_app(school.engine, token=TOKEN, today=school.today, log=school.log), answers)
    with on_a_port(way) as url:
        way.url = url
        yield way
