"""A way to the school that breaks at the n-th request: a small proxy on a port of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import httpx

from tests.upstream_school import Serving

ASGIApp = Callable[..., Awaitable[None]]
Fault = Literal[
    "reset before",
    "reset after",
    "500 before",
    "500 after",
    "429",
    "html after",
    "cut after",
    "hang before",
    "hang after",
    "refused",
    "held",
    "killed before",
]
LIMITED = [(b"x-ratelimit-limit", b"20"), (b"x-ratelimit-period", b"1"), (b"x-ratelimit-reset", b"1")]


class FaultyWay:
    """Forwards to the school; `arm` names the request, counted from then on, that goes wrong.

    A held request waits, carried out, until `release`; `reached` tells a test that it has come so far. One "killed
    before" waits too and never arrives.
    """

    def __init__(self, upstream: str | ASGIApp) -> None:
        self.url = ""
        self.writes: list[tuple[str, str, bytes]] = []  # those that came so far, whether the school saw them or not
        self.reached = threading.Event()
        self.release = threading.Event()
        self._upstream = upstream
        self._countdown = 0
        self._fault: Fault | None = None
        self._server: Any = None
        self._onward = httpx.AsyncClient(verify=False)

    @classmethod
    @contextmanager
    def to(cls, upstream: str | ASGIApp) -> Iterator[FaultyWay]:
        """A way to the school at an address, or to one that no other way leads to."""
        way = cls(upstream)
        way._server = Serving(way, timeout_graceful_shutdown=1)
        with way._server.open():
            way.url = f"http://127.0.0.1:{way._server.port}"
            try:
                yield way
            finally:
                way.release.set()

    def arm(self, number: int, fault: Fault) -> None:
        """The `number`-th request from now on, counted from 1, meets this fault; the others pass."""
        self.reached.clear()
        self.release.clear()
        self._countdown, self._fault = number, fault
        if fault == "refused" and number == 1:
            self._refuse()

    def mend(self) -> None:
        """Nothing goes wrong any more, and whoever was refused is let in again."""
        self.release.set()
        self._countdown, self._fault = 0, None
        asyncio.run_coroutine_threadsafe(self._listen(), self._server.loop).result(10)

    async def _listen(self) -> None:
        server = self._server
        if not server.servers[0].is_serving():
            make, config = server.config.http_protocol_class, server.config
            port = int(self.url.rpartition(":")[2])
            server.servers[0] = await self._server.loop.create_server(
                lambda: make(config=config, server_state=server.server_state, app_state={}), config.host, port
            )

    def _refuse(self) -> None:
        """From now on nobody is let in, and nobody who was is served another time."""
        self.reached.set()

        def close() -> None:
            for server in self._server.servers:
                server.close()
            for connection in list(self._server.server_state.connections):
                connection.shutdown()

        self._server.loop.call_soon_threadsafe(close)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            where: dict[str, Any] = {"base_url": self._upstream}
            if not isinstance(self._upstream, str):
                where = {"base_url": "http://school", "transport": httpx.ASGITransport(self._upstream)}
            async with httpx.AsyncClient(**where, trust_env=False, verify=False) as self._onward:
                await send({"type": "lifespan.startup.complete"})
                await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message.get("more_body"):
                break
        if scope["method"] != "GET":
            self.writes.append((scope["method"], scope["path"], body))
        self._countdown -= 1
        fault = self._fault if self._countdown == 0 else None
        if fault and fault != "held":
            self.reached.set()
        if not await self._broken_before(fault, receive, send):
            await self._carried_out(await self._forward(scope, body), fault, receive, send)

    async def _broken_before(self, fault: Fault | None, receive: Any, send: Any) -> bool:
        """Whether the request met its end before the school saw it."""
        match fault:
            case "reset before" | "refused":
                _abort(send)
            case "500 before":
                await _answer(send, 500, b'{"error":"Something went wrong."}')
            case "429":
                await _answer(send, 429, b'{"error":"Rate limit reached."}', LIMITED)
            case "hang before":
                await _hang(receive)
            case "killed before":
                await asyncio.to_thread(self.release.wait)
                _abort(send)
            case _:
                return False
        return True

    async def _carried_out(self, answer: httpx.Response, fault: Fault | None, receive: Any, send: Any) -> None:
        status, content = answer.status_code, answer.content
        match fault:
            case "reset after":
                _abort(send)
            case "500 after":
                await _answer(send, 500, b"")
            case "html after":
                await _answer(send, 200, b"<html>Welcome</html>", kind=b"text/html")
            case "cut after":
                await _answer(send, status, content[: len(content) // 2])
            case "hang after":
                await _hang(receive)
            case "held":
                self.reached.set()
                await asyncio.to_thread(self.release.wait)
                await _answer(send, status, content)
            case _ if self._fault == "refused" and self._countdown == 1:
                self._refuse()
                await asyncio.sleep(0)  # until it is so: this connection must not serve the next one either
                await _answer(send, status, content)
            case _:
                await _answer(send, status, content)

    async def _forward(self, scope: Any, body: bytes) -> httpx.Response:
        url = f"{scope['path']}?{scope['query_string'].decode()}"
        wanted = {b"auth-token", b"content-type"}
        headers = [(name, value) for name, value in scope["headers"] if name in wanted]
        return await self._onward.request(scope["method"], url, content=body, headers=headers)


async def _hang(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _abort(send: Any) -> None:
    """Ends the connection without an answer: no ASGI message can, so the server's own transport does."""
    send.__self__.transport.abort()


async def _answer(send: Any, status: int, body: bytes, headers: Any = (), *, kind: bytes = b"application/json") -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind), *headers]})
    await send({"type": "http.response.body", "body": body})
