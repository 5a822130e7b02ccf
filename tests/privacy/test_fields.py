"""Answers are made of a list of fields: whatever else a school's system gives of a person goes no further."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from attendance_mcp.sandbox.app import create_app
from tests.tools.examples import Known
from tests.upstream_school import TOKEN, UpstreamSchool, on_a_port

from .everything import answers, plans, reads

pytestmark = pytest.mark.anyio

# What the vendor's API gives of people beside their names, or may some day.
NAMES = [
    "birthday",
    "date_of_birth",
    "photo_url",
    "avatar",
    "phone",
    "street_address",
    "gender",
    "nationality",
    "ui_language",
    "notes_private",
    "medical",
    "display_name",
    "middle_name",
    "identifiers",
]
CANARIES = {name: f"canary-{name}" for name in NAMES} | {
    "custom_fields": [{"name": "canary-field", "value": "canary-value"}],
    "profile": {"photo": "canary-photo"},
}


class Generous:
    """The sandbox's school with every canary in every object that it answers."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.planted = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start: dict[str, Any] = {}
        body = b""

        async def hold(message: Any) -> None:
            nonlocal body
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send(start, body, send)

        await self.app(scope, receive, hold)

    async def _send(self, start: dict[str, Any], body: bytes, send: Any) -> None:
        if body and b"json" in dict(start["headers"]).get(b"content-type", b""):
            body = json.dumps(self._with_canaries(json.loads(body))).encode()
        headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        await send({**start, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _with_canaries(self, value: Any) -> Any:
        match value:
            case list():
                return [self._with_canaries(one) for one in value]
            case dict() if "id" in value or "student_id" in value:
                self.planted += 1
                own = {key: self._with_canaries(one) for key, one in value.items()}
                return {**CANARIES, **own, "email": "canary-email"}
            case dict():
                return {key: self._with_canaries(one) for key, one in value.items()}
            case _:
                return value


@pytest.fixture
def generous(same_school: UpstreamSchool) -> Iterator[tuple[Generous, str]]:
    app = Generous(create_app(same_school.engine, token=TOKEN, today=same_school.today))
    with on_a_port(app) as url:
        yield app, url


async def test_what_no_answer_is_made_of_never_passes(same_school, generous, tmp_path):
    app, url = generous
    known = Known.of(same_school)
    own_address = re.compile(r"@students\.example\.org|canary")
    async with same_school.client(api_url=url, store=str(tmp_path / "plans.db")) as ask:
        read = await answers(ask, [*reads(same_school, known), *plans(known), ("list_changes", {"limit": 3})])
        read["find"] = await ask.text("find_in_school", names_or_ids=[str(known.parent)], kind="parent")
        read["teacher"] = await ask.text("find_in_school", names_or_ids=["a", "e", "i"], kind="teacher")
    assert app.planted > 1_000
    assert {call: own_address.findall(words) for call, words in read.items() if own_address.search(words)} == {}
