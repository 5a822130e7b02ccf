"""The peer: a server that FastMCP generates from the same OpenAPI file, over the same sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.upstream import TOKEN, Upstream

OPENAPI = Path(__file__).parent.parent / "tests" / "sandbox" / "openapi.yaml"
NO_PEER = "FastMCP can't be installed here, so there is no generated server beside it."


@dataclass(frozen=True, slots=True)
class Peer:
    """A client of the generated server."""

    client: Any

    async def tools(self) -> list[Any]:
        listed: list[Any] = await self.client.list_tools()
        return listed

    async def call(self, tool: str, **arguments: Any) -> Any:
        """The raw result, as a host gets it."""
        return await self.client.call_tool_mcp(tool, arguments)


@asynccontextmanager
async def open_peer(school: Upstream) -> AsyncIterator[Peer | None]:
    """The generated server over the school; None where FastMCP is not installed."""
    try:
        import httpx2
        import yaml
        from fastmcp import Client, FastMCP
    except ImportError:
        yield None
        return
    spec = yaml.safe_load(OPENAPI.read_text("utf-8"))
    async with httpx2.AsyncClient(base_url=school.url, headers={"auth-token": TOKEN}, timeout=120) as http:
        server = FastMCP.from_openapi(spec, client=http, name="generated")
        async with Client(server) as client:
            yield Peer(client)
