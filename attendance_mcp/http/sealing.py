"""The seal on the state that a client brings back with its user's answer: of one key, which all replicas share.

The key stands in the store and is read when a call may need it. The SDK's codec waits for nothing, so that it is read
before: a call that waits for the store must not hold up the others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.request_state import AESGCMRequestStateCodec, InvalidRequestState
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR

from attendance_mcp.answer import NOTHING_WRITTEN
from attendance_mcp.errors import StoreUnavailable


class SharedSeal:
    """The SDK's own codec, under a key that is read at first need; `before` is the middleware that reads it."""

    def __init__(self, key: Callable[[], Awaitable[bytes]], *, asking_nobody: Collection[str] = ()) -> None:
        """`asking_nobody` names the tools that seal nothing: for them alone the store is not opened."""
        self._key, self._asking_nobody = key, asking_nobody
        self._codec: AESGCMRequestStateCodec | None = None

    async def before(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Lets a call in that asks nobody or whose state can be sealed and opened."""
        given = ctx.params or {}
        brings_back = given.get("requestState") is not None
        may_ask = ctx.method == "tools/call" and given.get("name") not in self._asking_nobody
        if self._codec is None and (brings_back or may_ask):
            try:
                self._codec = AESGCMRequestStateCodec([await self._key()])
            except StoreUnavailable as error:
                if brings_back:  # else its tool says so, once it needs the store
                    raise MCPError(code=INTERNAL_ERROR, message=f"{error} {NOTHING_WRITTEN}") from None
        return await call_next(ctx)

    def seal(self, payload: bytes) -> str:
        """As the SDK's codec does."""
        if self._codec is None:
            raise StoreUnavailable("The key of the seal was not read.")
        return self._codec.seal(payload)

    def unseal(self, token: str) -> bytes:
        """As the SDK's codec does. Raises InvalidRequestState."""
        if self._codec is None:
            raise InvalidRequestState("no key")
        return self._codec.unseal(token)
