"""An answer goes to whoever asked, though another caller's call of the same id and words is under way."""

from __future__ import annotations

import gc
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import anyio
import pytest

from attendance_mcp.http.asgi import App, Message

from .conftest import HEADERS, RESOURCE
from .identity import READ

pytestmark = pytest.mark.anyio
# Of both callers, and how many of each are under way at once. One of the older era costs half as much again.
CALLS = {"older": 2_000, "newer": 8_000}
AT_ONCE = {"older": 2, "newer": 8}
TOOL, NEWER = "find_in_school", "2026-07-28"
ERAS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "older": ({}, {}),
    "newer": (
        {"mcp-protocol-version": NEWER, "mcp-method": "tools/call", "mcp-name": TOOL},
        {
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": NEWER,
                "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {},
            }
        },
    ),
}
OF = {
    "ben": "select id from students where year_group_id = 22400005 and homeroom_advisor_id = 14200044 and archived = 0",
    "cai": "select id from students where year_group_id = 22400018 and archived = 0",
}


@asynccontextmanager
async def alive(app: App) -> AsyncIterator[None]:
    """The app from its start to its end, as a web server keeps it."""
    told, ending = anyio.Event(), anyio.Event()
    began = False

    async def receive() -> Message:
        nonlocal began
        if began:
            await ending.wait()
        began = True
        return {"type": "lifespan.shutdown" if ending.is_set() else "lifespan.startup"}

    async def send(_: Message) -> None:
        told.set()

    async with anyio.create_task_group() as group:
        group.start_soon(app, {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
        await told.wait()
        yield
        ending.set()


async def posted(app: App, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    """The answer to one request, without a network in between: what is left is the server's own work."""
    given = iter([{"type": "http.request", "body": body, "more_body": False}])
    answer = b""

    async def receive() -> Message:
        return next(given, None) or await anyio.sleep_forever()

    async def send(message: Message) -> None:
        nonlocal answer
        answer += message.get("body", b"")

    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http", "path": "/mcp", "raw_path": b"/mcp", "root_path": "", "query_string": b"", "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {}}  # fmt: skip
    await app(scope, receive, send)
    return answer


def call(number: int, student: int, more: dict[str, Any]) -> bytes:
    params = {"name": TOOL, "arguments": {"names_or_ids": [str(student)]}, **more}
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}).encode()


def found(answer: bytes) -> list[int]:
    return [one["id"] for one in json.loads(answer)["result"]["structuredContent"].get("found", [])]


async def test_of_10_000_interleaved_calls_with_equal_ids_and_words_none_is_answered_with_another_ones_answer(
    guarded_app, same_school, identity
):
    app = guarded_app(same_school)
    students = {person: [id for (id,) in same_school.rows(f"{query} order by id limit 4")] for person, query in OF.items()}  # fmt: skip
    asked = [student for both in zip(*students.values(), strict=True) for student in both]
    headers = {}
    for person in OF:
        bearer = {**HEADERS, "authorization": f"Bearer {identity.token(person, READ, resource=RESOURCE)}"}
        for era, (more, _) in ERAS.items():
            headers[person, era] = [(name.encode(), value.encode()) for name, value in {**bearer, **more}.items()]
    wrong: list[tuple[str, str, int]] = []
    order: list[str] = []

    async with alive(app):
        alone = {
            (person, era, student): await posted(app, own, call(0, student, ERAS[era][1]))
            for (person, era), own in headers.items()
            for student in asked
        }

        async def ask(person: str, era: str, numbers: Iterator[int]) -> None:
            for number in numbers:
                student = asked[number % len(asked)]
                answer = await posted(app, headers[person, era], call(number, student, ERAS[era][1]))
                order.append(person)
                if answer != alone[person, era, student].replace(b'"id":0,', b'"id":%d,' % number, 1):
                    wrong.append((person, era, number))

        gc.freeze()  # as the command does once it is built: the tests around this hold many objects
        async with anyio.create_task_group() as group:
            for era, calls in CALLS.items():
                numbers = {person: iter(range(1, 1 + calls // len(OF))) for person in OF}
                for person in AT_ONCE[era] * sorted(OF):
                    group.start_soon(ask, person, era, numbers[person])
        gc.unfreeze()

    for (person, _, student), answer in alone.items():
        assert found(answer) == [student] * (student in students[person])
        assert str(student).encode() in answer
    assert wrong == []
    assert len(order) == sum(CALLS.values())
    # They are interleaved: an answer to the one follows one to the other again and again.
    assert sum(one != other for one, other in pairwise(order)) > len(order) / 4
