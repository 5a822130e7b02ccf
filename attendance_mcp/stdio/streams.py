"""The two directions of the wire, and how much of it may be open at once.

At most 64 requests are unanswered; some more are held, then reading stops until one is answered. What is no request
passes those that are held: a cancellation, and the answer to a question of the server's own. While such a question is
open reading never stops, or its answer could stand behind the requests that wait for it; a request that finds
everything full then is refused.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import anyio
from mcp.shared.dispatcher import coerce_request_id
from mcp.shared.jsonrpc_dispatcher import cancelled_request_id_from_params
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from mcp.types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse, RequestId

from attendance_mcp.stdio.lines import LONGEST, Line, Lines
from attendance_mcp.stdio.messages import TOO_LARGE, Refused, error, message_of, weight

MOST_UNANSWERED = 64
MOST_HELD = 64
_MOST_BYTES = LONGEST  # of the unanswered requests together, unless it is one, and half of it of the held ones
_TOO_MANY = -32000  # JSON-RPC leaves this code to the server
_FULL = (
    f"Refused, and nothing written: too many requests are unanswered. This server takes {MOST_UNANSWERED} at once and "
    f"holds {MOST_HELD} more; send this one again when some are answered."
)
_CANCELLED = "notifications/cancelled"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    message: JSONRPCRequest
    size: int  # bytes, about


@dataclass(eq=False)
class Open:
    """What is unanswered: the client's requests here, the server's questions there."""

    stir: Callable[[], None]
    sizes: dict[RequestId, list[int]] = field(default_factory=dict)  # an id may come twice
    count: int = 0
    bytes: int = 0
    questions: set[RequestId] = field(default_factory=set)

    def room_for(self, request: Request) -> bool:
        return not self.count or (self.count < MOST_UNANSWERED and self.bytes + request.size <= _MOST_BYTES)

    def admit(self, request: Request) -> SessionMessage:
        id = request.message.id
        self.sizes.setdefault(id, []).append(request.size)
        self.count += 1
        self.bytes += request.size

        async def unanswered() -> None:  # a cancelled request is never answered
            self.settle(id)

        return SessionMessage(request.message, ServerMessageMetadata(on_request_unanswered=unanswered))

    def settle(self, id: RequestId | None) -> None:
        if id is None or id not in self.sizes:
            return
        self.count -= 1
        self.bytes -= self.sizes[id].pop()
        if not self.sizes[id]:
            del self.sizes[id]
        self.stir()

    def ask(self, id: RequestId) -> None:
        self.questions.add(coerce_request_id(id))
        self.stir()

    def hear(self, id: RequestId | None) -> None:
        """The question was answered, or is asked no longer."""
        if id is not None:
            self.questions.discard(coerce_request_id(id))


class _Stream:
    async def aclose(self) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class Outgoing(_Stream):
    """What the server says."""

    def __init__(self, wire: Any, open: Open) -> None:
        self._wire, self._open = wire, open

    async def send(self, item: SessionMessage) -> None:
        message = item.message
        if isinstance(message, JSONRPCRequest):
            self._open.ask(message.id)
        elif isinstance(message, JSONRPCNotification) and message.method == _CANCELLED:
            self._open.hear(cancelled_request_id_from_params(message.params))
        try:
            await self._wire.send(item)
        finally:
            if isinstance(message, JSONRPCResponse | JSONRPCError):
                self._open.settle(message.id)

    async def aclose(self) -> None:
        await self._wire.aclose()


class Incoming(_Stream):
    """What the client says, as much of it as may be open at once; `outgoing` takes the refusals."""

    def __init__(self, fd: int, outgoing: Any, *, on_end: Callable[[], None]) -> None:
        self.open = Open(self._stir)
        self._outgoing, self._on_end = outgoing, on_end
        self._news = anyio.Event()
        self._held: deque[Request] = deque()
        self._lines = Lines(fd, self._stir)
        self._noted = False

    def close(self) -> None:
        """Ends the stream as the end of the input does."""
        self._lines.close()

    def _stir(self) -> None:
        self._news.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def receive(self) -> SessionMessage | Exception:
        while not self._lines.ended:
            found = self._next()
            if isinstance(found, SessionMessage):
                return found
            if found is not None:
                await self._outgoing.send(SessionMessage(found))
            elif not self._lines.ended:
                self._news = anyio.Event()
                await self._news.wait()
        self._on_end()
        raise anyio.EndOfStream

    def _next(self) -> SessionMessage | JSONRPCError | None:
        """The next message for the server, or refusal for the client; None where there is none now."""
        if self._held and self.open.room_for(self._held[0]):
            return self.open.admit(self._held.popleft())
        while not self._full() or self.open.questions:
            line = self._lines.take()
            if line is None:
                break
            found = self._sort(line)
            if found is not None:
                return found
        return None

    def _full(self) -> bool:
        return len(self._held) >= MOST_HELD or sum(held.size for held in self._held) >= _MOST_BYTES // 2

    def _sort(self, line: Line) -> SessionMessage | JSONRPCError | None:
        message = message_of(line)
        if isinstance(message, Refused):
            return self._refuse(message)
        if isinstance(message, JSONRPCRequest):
            return self._sort_request(Request(message, weight(line)))
        if isinstance(message, JSONRPCResponse | JSONRPCError):
            self.open.hear(message.id)
        elif message.method == _CANCELLED and self._drop(cancelled_request_id_from_params(message.params)):
            return None
        return SessionMessage(message)

    def _refuse(self, refused: Refused) -> JSONRPCError | None:
        if refused.id is None and refused.why == TOO_LARGE and not self._noted:
            self._noted = True  # once: nobody may read what is noted, and then the pipe for notes is full
            log.warning("Refused a message that is too large: %s.", TOO_LARGE)
        return refused.answer()

    def _sort_request(self, request: Request) -> SessionMessage | JSONRPCError | None:
        if not self._held and self.open.room_for(request):
            return self.open.admit(request)
        if self._full():
            return error(request.message.id, _TOO_MANY, _FULL)
        self._held.append(request)
        return None

    def _drop(self, id: RequestId | None) -> bool:
        """Whether a request that was held is gone with this."""
        key = None if id is None else coerce_request_id(id)
        kept = [held for held in self._held if coerce_request_id(held.message.id) != key]
        dropped = len(kept) < len(self._held)
        self._held = deque(kept)
        return dropped
