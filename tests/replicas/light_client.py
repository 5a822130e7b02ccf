"""A client of the newer era that is no more than its requests: the SDK's own takes more of a processor than a server."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from mcp.types import CallToolResult

ERA = "2026-07-28"
_ABOUT = {
    "io.modelcontextprotocol/protocolVersion": ERA,
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


@dataclass
class LightClient:
    """Calls tools at one address."""

    web: httpx.AsyncClient
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @classmethod
    @asynccontextmanager
    async def of(cls, url: str) -> AsyncIterator[LightClient]:
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=60) as web:
            yield cls(web)

    async def __call__(self, tool: str, **arguments: Any) -> CallToolResult:
        """What the tool answers. Raises HTTPError where nothing does."""
        number = next(self._numbers)
        params = {"name": tool, "arguments": arguments, "_meta": _ABOUT}
        headers = {
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": ERA,
            "mcp-method": "tools/call",
            "mcp-name": tool,
        }
        body = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
        answer = (await self.web.post("/mcp", headers=headers, json=body)).raise_for_status().json()
        assert answer["id"] == number
        return CallToolResult.model_validate(answer["result"])
