"""The two directions of the wire, and how much of it may be open at once.

At most 64 requests are unanswered; some more are held, then reading stops until one is answered. What is no request
passes those that are held: a cancellation, and the answer to a question of the server's own. While such a question is
open reading never stops, or its answer could stand behind the requests that wait for it; a request that finds
everything full then is refused.
"""

from __future__ import annotations

import json
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
from mcp.types import (
    INVALID_REQUEST,
    ErrorData,
    JSONRPCError,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    RequestId,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError
from pydantic_core import from_json

from attendance_mcp.stdio.lines import HEAD, LONGEST, Line, Lines, TooLong

MOST_UNANSWERED = 64
MOST_HELD = 64
_MOST_BYTES = LONGEST  # of the unanswered requests together, unless it is one, and half of it of the held ones
_TOO_MANY = -32000  # JSON-RPC leaves this code to the server
_MOST_VALUES = 100_000  # of one line: each becomes an object, and the SDK makes several copies
_BYTES_A_VALUE = 64
_CAP = f"a line of the protocol may have {LONGEST:,} bytes and {_MOST_VALUES:,} values at most"
_CANCELLED = "notifications/cancelled"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    message: JSONRPCRequest
    size: int  # bytes, about: of its line and of what is made of it


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
        if isinstance(line, TooLong):
            return self._too_much(line.head)
        values = _values(line)
        if values > _MOST_VALUES:
            return self._too_much(line[:HEAD])
        try:
            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValidationError:
            return _refused(line)
        if isinstance(message, JSONRPCRequest):
            return self._sort_request(Request(message, len(line) + _BYTES_A_VALUE * values))
        if isinstance(message, JSONRPCResponse | JSONRPCError):
            self.open.hear(message.id)
        elif message.method == _CANCELLED and self._drop(cancelled_request_id_from_params(message.params)):
            return None
        return SessionMessage(message)

    def _too_much(self, head: bytes) -> JSONRPCError | None:
        id = _id_of(head)
        if id is not None:
            return _error(id, INVALID_REQUEST, f"Refused, and nothing written: {_CAP}.")
        if not self._noted:  # once: nobody may read what is written there
            self._noted = True
            log.warning("Refused a message that is too large: %s.", _CAP)
        return None

    def _sort_request(self, request: Request) -> SessionMessage | JSONRPCError | None:
        if not self._held and self.open.room_for(request):
            return self.open.admit(request)
        if self._full():
            return _error(
                request.message.id,
                _TOO_MANY,
                f"Refused: {MOST_UNANSWERED} requests are unanswered and {MOST_HELD} wait. Nothing was written. "
                "Send it again when some are answered.",
            )
        self._held.append(request)
        return None

    def _drop(self, id: RequestId | None) -> bool:
        """Whether a request that was held is gone with this."""
        kept = [
            held for held in self._held if id is None or coerce_request_id(held.message.id) != coerce_request_id(id)
        ]
        dropped = len(kept) < len(self._held)
        self._held = deque(kept)
        return dropped


def _values(line: bytes) -> int:
    """How many values there are in it at most; in a short one too few to be counted."""
    return sum(map(line.count, (b",", b"[", b"{"))) if len(line) > HEAD else 0


def _id_of(head: bytes) -> RequestId | None:
    """The id of a request of which only the start is known."""
    try:
        begun = from_json(head, allow_partial=True)
    except ValueError:
        return None
    # The last value may be cut in the middle, and a cut id is another's.
    if not isinstance(begun, dict) or "method" not in begun or "id" not in list(begun)[:-1]:
        return None
    id = begun["id"]
    return id if _is_id(id) else None


def _is_id(id: object) -> bool:
    return isinstance(id, int | str) and not isinstance(id, bool)


def _refused(line: bytes) -> JSONRPCError | None:
    """The error for what is no message but looks like a request: whoever sent it waits for an answer."""
    if b'"id"' not in line:
        return None
    try:
        found = json.loads(line)  # is laxer than the protocol, on half surrogates too
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or "method" not in found or not _is_id(found.get("id")):
        return None
    words = "Refused, and nothing written: a JSON-RPC 2.0 request in valid Unicode is expected."
    return _error(found["id"], INVALID_REQUEST, words)


def _error(id: Any, code: int, message: str) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=id, error=ErrorData(code=code, message=message))
