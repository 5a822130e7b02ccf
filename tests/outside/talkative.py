"""Upstreams that know the token, since it is sent to them, and tell it in every place of their answers."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.api.upstream import read_request

CANARY = "canary-7c1f90e2-token-of-the-school"


@dataclass
class Talkative:
    """The school's own API, but that what it is asked by these methods is answered with this status and the token.

    `where` is the place in the body: as the error, as the reason of a field, in a list, or in no JSON at all.
    """

    app: Any
    methods: frozenset[str] = frozenset()
    status: int = 500
    where: str = "error"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] not in self.methods:
            await self.app(scope, receive, send)
            return
        while (await receive()).get("more_body"):
            pass
        sent = {name.decode(): value.decode() for name, value in scope["headers"]}
        token = sent["auth-token"]
        bodies: dict[str, Any] = {
            "error": {"error": f"not with {token}, sent as {sent}"},
            "field": {"errors": {"notes": [f"{token} is too short"], token: ["is unknown"]}},
            "list": {"errors": [f"{token} can't be blank", {"message": token}]},
        }
        content = json.dumps(bodies[self.where]) if self.where in bodies else f"<html>Traceback: {token}</html>"
        headers = {
            "content-type": "application/json" if self.where in bodies else "text/html",
            "location": f"http://127.0.0.1:9/{token}?auth_token={token}",
            "retry-after": token,
            "set-cookie": f"session={token}",
            "x-echo": json.dumps(sent),
        }
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": encoded})
        await send({"type": "http.response.body", "body": content.encode()})


def _says(answer: Callable[[str], str]) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        head = read_request(connection).decode("latin-1")
        token = next((line.partition(": ")[2] for line in head.splitlines() if line.startswith("auth-token")), "")
        connection.sendall(answer(token).encode())

    return talk


# What no HTTP server would say by itself; the library's own errors repeat some of it.
RAW: dict[str, Callable[[socket.socket], None]] = {
    "no status line": _says(lambda token: f"{token}\r\n\r\n"),
    "a header without a colon": _says(lambda token: f"HTTP/1.1 200 OK\r\nauth-token {token}\r\n\r\n"),
    "a status that is no number": _says(lambda token: f"HTTP/1.1 {token} OK\r\n\r\n"),
    "a length that is none": _says(lambda token: f"HTTP/1.1 200 OK\r\ncontent-length: {token}\r\n\r\n{token}"),
    "a body that is cut off": _says(
        lambda token: f'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n["{token}'
    ),
    "JSON of another kind": _says(
        lambda token: (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            f'content-length: {len(token) + 13}\r\n\r\n{{"school":"{token}"}}'
        )
    ),
}
