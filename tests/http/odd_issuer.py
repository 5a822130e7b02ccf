"""An issuer on loopback that says of each token what the test has it say: by introspection, or as Google does."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tests.upstream_school import on_a_port

CLIENT, SECRET = "approvals", "a-secret-of-the-approvals-page"
# Google's answers to a token that is none, as its two endpoints give them.
NO_TOKEN = JSONResponse({"error": "invalid_token", "error_description": "Invalid Value"}, 400)
NO_PERSON = JSONResponse({"error": "invalid_request", "error_description": "Invalid Credentials"}, 401)


@dataclass
class OddIssuer:
    """What it says by token: an object, or a whole answer. `asked` holds its requests, `named` what it names itself."""

    url: str = ""
    said: dict[str, Any] = field(default_factory=dict)
    people: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # method, path with query, token
    named: dict[str, str] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[OddIssuer]:
        odd = cls()

        async def app(scope, receive, send):
            if scope["type"] == "http":
                await (await odd._answer(Request(scope, receive)))(scope, receive, send)

        with on_a_port(app) as odd.url:
            endpoints = {"introspection": "introspect", "token": "token", "userinfo": "userinfo"}
            odd.named = {"issuer": odd.url, **{f"{name}_endpoint": f"{odd.url}/{at}" for name, at in endpoints.items()}}
            yield odd

    async def _answer(self, request: Request) -> Response:
        path, kind = request.url.path, request.headers.get("authorization", "")
        if path.startswith("/.well-known/"):
            return JSONResponse(self.named)
        form = await request.form()
        token = str(form.get("token") or kind.removeprefix("Bearer "))
        self.asked.append((request.method, str(request.url).removeprefix(self.url), token))
        if path == "/introspect":
            if kind != "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode():
                return JSONResponse({"error": "invalid_client"}, 401)
            return _whole(self.said.get(token, {"active": False}))
        if path == "/tokeninfo":
            return _whole(self.said.get(token, NO_TOKEN))
        return _whole(self.people.get(token, NO_PERSON))


def _whole(said: Any) -> Response:
    if isinstance(said, Response):
        return said
    return Response(json.dumps(said), media_type="application/json")


class Dripping(Response):
    """An answer without end, a blank at a time, to whoever asks."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def blanks() -> AsyncIterator[str]:
            while True:
                yield " "
                await asyncio.sleep(0.02)

        await StreamingResponse(blanks(), media_type="application/json")(scope, receive, send)
