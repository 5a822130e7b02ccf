"""What passes between the assistant on stdio and the school's server over HTTP, message by message.

Nothing is read into a message that only passes, beyond what HTTP wants to have in headers. The newest era has no
notifications to a server over HTTP: a cancellation there ends the request's own exchange, the others stay here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.inbound import (
    MCP_METHOD_HEADER,
    MCP_NAME_HEADER,
    MCP_PROTOCOL_VERSION_HEADER,
    NAME_BEARING_METHODS,
    encode_header_value,
)
from mcp.shared.jsonrpc_dispatcher import cancelled_request_id_from_params
from mcp.shared.message import ClientMessageMetadata, ServerMessageMetadata, SessionMessage
from mcp.types import (
    PROTOCOL_VERSION_META_KEY,
    JSONRPCError,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    RequestId,
)

from attendance_mcp.connect.sign_in import Client, SignIn
from attendance_mcp.connect.way import Way

if TYPE_CHECKING:
    from mcp.shared._stream_protocols import ReadStream, WriteStream

_CANCELLED = "notifications/cancelled"
Settle = Callable[[], Awaitable[None]]


async def _nothing() -> None:
    pass


class Relay:
    """One assistant's connection to the server at this address, which ends with its path."""

    longest_write = timedelta()  # the server finishes what it has begun, whoever is gone

    def __init__(self, server: str, *, client: Client) -> None:
        self._server, self._client = server, client
        self._unanswered: dict[RequestId, Settle] = {}
        self._begins: RequestId | None = None  # the request that an older era begins with
        self._version: str | None = None  # of an older era, once it is agreed

    async def run_over(
        self, incoming: ReadStream[SessionMessage | Exception], outgoing: WriteStream[SessionMessage]
    ) -> None:
        """Passes on until the incoming stream ends; what is unanswered then is not waited for."""
        async with (
            incoming,
            outgoing,
            SignIn.at(self._server, client=self._client) as sign_in,
            httpx2.AsyncClient(transport=Way(self._server, sign_in), timeout=None) as web,
            streamable_http_client(self._server, http_client=web) as (read, write),
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(self._down, read, outgoing)
            async for item in incoming:
                if isinstance(item, SessionMessage):
                    await self._up(item, write)
            tasks.cancel_scope.cancel()

    async def _up(self, item: SessionMessage, write: WriteStream[SessionMessage]) -> None:
        message = item.message
        if isinstance(message, JSONRPCRequest):
            await self._unanswered.pop(message.id, _nothing)()  # of an id that comes twice the first one is given up
            if message.method == "initialize":
                self._begins, self._version = message.id, None
            settle = item.metadata.on_request_unanswered if isinstance(item.metadata, ServerMessageMetadata) else None
            self._unanswered[message.id] = settle or _nothing
            headers = self._headers(message.method, message.params or {})
            await write.send(SessionMessage(message, ClientMessageMetadata(headers=headers)))
        elif isinstance(message, JSONRPCNotification) and message.method == _CANCELLED:
            await write.send(SessionMessage(message))
            if (id := cancelled_request_id_from_params(message.params)) is not None:
                await self._unanswered.pop(id, _nothing)()
        elif self._version is not None:
            await write.send(SessionMessage(message))

    def _headers(self, method: str, params: dict[str, Any]) -> dict[str, str]:
        version = (params.get("_meta") or {}).get(PROTOCOL_VERSION_META_KEY)
        if not isinstance(version, str):
            return {MCP_PROTOCOL_VERSION_HEADER: self._version} if self._version else {}
        headers = {MCP_PROTOCOL_VERSION_HEADER: version, MCP_METHOD_HEADER: method}
        name = params.get(NAME_BEARING_METHODS.get(method, ""))
        if isinstance(name, str):
            headers[MCP_NAME_HEADER] = encode_header_value(name)
        return headers

    async def _down(self, read: ReadStream[SessionMessage | Exception], outgoing: WriteStream[SessionMessage]) -> None:
        async for item in read:
            if not isinstance(item, SessionMessage):
                continue
            message = item.message
            if isinstance(message, JSONRPCResponse | JSONRPCError):
                if message.id is None or self._unanswered.pop(message.id, None) is None:
                    continue  # the assistant gave it up
                if message.id == self._begins and isinstance(message, JSONRPCResponse):
                    self._version = str(message.result.get("protocolVersion"))
            await outgoing.send(item)
