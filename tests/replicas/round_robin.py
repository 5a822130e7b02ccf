"""A proxy that gives each request to the next server, as a school's load balancer does without affinity."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.upstream_school import on_a_port

_OF_ONE_CONNECTION = {"connection", "content-length", "keep-alive", "transfer-encoding"}


@contextmanager
def round_robin(servers: Sequence[str]) -> Iterator[str]:
    """The proxy's origin; `servers` are read anew for each request, and may change."""
    turn = 0

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as web:
            yield {"web": web}

    async def pass_on(request: Request) -> Response:
        nonlocal turn
        web: httpx.AsyncClient = request.state.web
        headers = {name: value for name, value in request.headers.items() if name not in _OF_ONE_CONNECTION}
        body = await request.body()
        for _ in servers:
            turn += 1
            url = servers[turn % len(servers)] + request.url.path
            with suppress(httpx.ConnectError):  # nobody heard it: the next one may
                return _answer(await web.request(request.method, url, content=body, headers=headers))
        return Response(status_code=502)

    async def front(request: Request) -> Response:
        try:
            return await pass_on(request)
        except httpx.TransportError:
            return Response(status_code=502)  # perhaps it was carried out: whether to ask again is the client's to say

    routes = [Route("/{path:path}", front, methods=["GET", "POST", "DELETE"])]
    with on_a_port(Starlette(routes=routes, lifespan=life)) as url:
        yield url


def _answer(found: httpx.Response) -> Response:
    headers: dict[str, Any] = {
        name: value for name, value in found.headers.items() if name not in _OF_ONE_CONNECTION | {"content-encoding"}
    }
    return Response(found.content, found.status_code, headers)
