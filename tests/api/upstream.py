"""A real HTTP server on a loopback port, whose answers each test writes down itself."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.upstream_school import Serving

Handler = Callable[[Request], Awaitable[Response]]


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Upstream:
    """Answers every request with `handler`, and remembers what arrived."""

    url: str
    handler: Handler
    seen: list[Seen] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        self.seen.append(
            Seen(
                method=request.method,
                path=request.url.path,
                query=request.url.query,
                headers=dict(request.headers),
                body=await request.body(),
                at=time.monotonic(),
            )
        )
        response = await self.handler(request)
        await response(scope, receive, send)

    def answers(self, *responses: Response) -> None:
        """One response after the other; the last one from then on."""
        left = list(responses)

        async def handler(_: Request) -> Response:
            return left.pop(0) if len(left) > 1 else left[0]

        self.handler = handler

    def answers_json(self, content: object, *, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.answers(JSONResponse(content, status_code=status, headers=headers))


async def nothing_scripted(_: Request) -> Response:
    return JSONResponse({"error": "nothing scripted"}, status_code=500)


@contextmanager
def serve(app: Any, **options: Any) -> Iterator[int]:
    """Runs an ASGI app on a free loopback port until the block ends."""
    with Serving(app, lifespan="off", ws="none", timeout_graceful_shutdown=0, **options).open() as server:
        yield server.port


@contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that says exactly the bytes that `talk` sends, for what no HTTP server would do by itself."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    talk(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=5)


def read_request(connection: socket.socket) -> bytes:
    """The head of a request."""
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65536)
        if not chunk:
            break
        received += chunk
    return received
