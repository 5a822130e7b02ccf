"""The sandbox school behind a loopback port, with its log and its database, and ways to reach the product over it."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
import uvicorn
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.types import CallToolResult

from attendance_mcp.http import http_app
from attendance_mcp.sandbox.app import create_app
from attendance_mcp.sandbox.database import open_engine
from attendance_mcp.sandbox.log import RequestLog
from attendance_mcp.server import build
from attendance_mcp.settings import Settings
from tests.measured import measured

TOKEN = "a-token-of-the-sandbox"
TODAY = datetime(2026, 11, 24, 10, 30)
Way = Literal["memory", "stdio", "http"]
Era = Literal["auto", "legacy"]


@contextmanager
def on_a_port(app: Any, port: int = 0) -> Iterator[str]:
    """Serves an ASGI app on a loopback port from a thread, a free one unless it is told; answers its origin."""
    with Serving(app, port=port).open() as server:
        yield f"http://127.0.0.1:{server.port}"


class Serving(uvicorn.Server):
    """An app on a loopback port that ends when it is told to; uvicorn would look ten times a second, and wait besides."""

    def __init__(self, app: Any, *, port: int = 0, **options: Any) -> None:
        # It binds by itself: on a socket made beforehand each answer would wait 40 ms for the delayed acknowledgement.
        way = {"host": "127.0.0.1", "port": port, "log_level": "critical", "access_log": False}
        super().__init__(uvicorn.Config(app, **way, **options))
        self._ready = threading.Event()

    @contextmanager
    def open(self) -> Iterator[Serving]:
        thread = threading.Thread(target=self.run, daemon=True)
        thread.start()
        assert self._ready.wait(10)
        try:
            yield self
        finally:
            self.loop.call_soon_threadsafe(self._told.set)
            thread.join(10)

    @property
    def port(self) -> int:
        return int(self.servers[0].sockets[0].getsockname()[1])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.loop, self._told = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)  # the headers of every answer
        await self._told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)  # those that were idle are gone now
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
        else:
            await self.lifespan.shutdown()


@dataclass
class UpstreamSchool:
    """One school; everything that a test looks at is here: what was asked of it, and what stands in its database."""

    url: str
    path: Path
    engine: sa.Engine
    log: RequestLog
    today: datetime
    store: str = field(init=False)  # where the product keeps its plans

    def __post_init__(self) -> None:
        self.store = str(self.path.with_name("plans.db"))

    @classmethod
    @contextmanager
    def open(cls, path: Path, *, today: datetime, **options: Any) -> Iterator[UpstreamSchool]:
        engine, log = open_engine(path), RequestLog()
        app = create_app(engine, token=TOKEN, today=today, log=log, **options)
        with on_a_port(app) as url:
            yield cls(url, path, engine, log, today)
        engine.dispose()

    # --- what stands in it ---

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query), values)]

    def one(self, query: str, **values: Any) -> tuple[Any, ...]:
        return self.rows(query, **values)[0]

    def change(self, statement: str, **values: Any) -> None:
        """Changes the school behind the product's back, as its own staff does."""
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), values)

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Every request that was no GET."""
        return [(entry.method, entry.path) for entry in self.log if entry.method != "GET"]

    # --- the product over it ---

    def settings(self, **settings: Any) -> Settings:
        return Settings(
            **{
                "api_url": self.url,
                "api_token": TOKEN,
                "today": self.today,
                "timezone": "Asia/Singapore",
                "store": self.store,
                "rate": 1000,
                **settings,
            }
        )

    def environment(self, **settings: Any) -> dict[str, str]:
        values = {
            "api_url": self.url,
            "api_token": TOKEN,
            "today": self.today.isoformat(timespec="minutes"),
            "timezone": "Asia/Singapore",
            "store": self.store,
            "rate": "1000",
            **settings,
        }
        return measured() | {f"ATTENDANCE_{name.upper()}": str(value) for name, value in values.items()}

    @asynccontextmanager
    async def client(
        self, way: Way = "memory", era: Era = "auto", *, app: Any = None, **settings: Any
    ) -> AsyncIterator[Asking]:
        """A client of the server over this school."""
        if way == "stdio":
            server = StdioServerParameters(
                command=sys.executable, args=["-m", "attendance_mcp"], env=self.environment(**settings)
            )
            async with Client(stdio_client(server), mode=era) as client:
                yield Asking(client)
        elif way == "http":
            built = build(self.settings(**{"writes": "confirm", **settings}), http=True, app=app)
            with on_a_port(http_app(built, host="127.0.0.1")) as url:
                async with Client(f"{url}/mcp", mode=era) as client:
                    yield Asking(client)
        else:
            async with Client(build(self.settings(**settings), app=app), mode=era) as client:
                yield Asking(client)


@dataclass
class Asking:
    """A client with the two things that a test wants of an answer."""

    client: Client

    async def __call__(self, tool: str, **arguments: Any) -> CallToolResult:
        return await self.client.call_tool(tool, arguments)

    async def facts(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = await self(tool, **arguments)
        assert not result.is_error, text(result)
        assert result.structured_content is not None
        return result.structured_content

    async def text(self, tool: str, **arguments: Any) -> str:
        result = await self(tool, **arguments)
        assert not result.is_error, text(result)
        return text(result)

    async def error(self, tool: str, **arguments: Any) -> str:
        result = await self(tool, **arguments)
        assert result.is_error, text(result)
        return text(result)


def text(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if block.type == "text")
