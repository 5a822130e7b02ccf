from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from attendance_mcp.api.client import Client
from attendance_mcp.api.transport import Transport
from tests.api.upstream import Upstream, nothing_scripted, serve

CANARY = "canary-5f1d9c-token"


@pytest.fixture(scope="package")
def _server() -> Iterator[Upstream]:
    upstream = Upstream(url="", handler=nothing_scripted)
    with serve(upstream) as port:
        upstream.url = f"http://127.0.0.1:{port}"
        yield upstream


@pytest.fixture
def upstream(_server: Upstream) -> Upstream:
    _server.handler = nothing_scripted
    _server.seen = []
    return _server


@pytest.fixture(autouse=True)
def _no_proxies_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


Connect = Callable[..., Client]


@pytest.fixture
async def connect(upstream: Upstream) -> AsyncIterator[Connect]:
    """Makes clients of the scripted upstream, or of another address, and closes them at the end."""
    async with AsyncExitStack() as stack:

        def make(base_url: str | None = None, **options: Any) -> Client:
            options = {"rate": 1000, "token": lambda: CANARY, "connect_timeout": 1, "read_timeout": 2, **options}
            client = Client(Transport(base_url=base_url or upstream.url, **options))
            stack.push_async_callback(client.aclose)
            return client

        yield make
