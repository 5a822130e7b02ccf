"""From a line to a message of the protocol, or to the refusal of which its sender is told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mcp.types import INVALID_REQUEST, ErrorData, JSONRPCError, JSONRPCMessage, RequestId, jsonrpc_message_adapter
from pydantic import ValidationError
from pydantic_core import from_json

from attendance_mcp.stdio.lines import HEAD, LONGEST, Line, TooLong

MOST_VALUES = 100_000  # of one line: each becomes an object, and the SDK makes several copies
TOO_LARGE = f"a line of the protocol may have {LONGEST:,} bytes and {MOST_VALUES:,} values at most"
_BYTES_A_VALUE = 64
_NO_MESSAGE = "a JSON-RPC 2.0 request in valid Unicode is expected"


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that is not taken; `id` is that of the request which it may be: whoever sent that waits for an answer."""

    why: str
    id: RequestId | None

    def answer(self) -> JSONRPCError | None:
        if self.id is None:
            return None
        return error(self.id, INVALID_REQUEST, f"Refused, and nothing written: {self.why}.")


def message_of(line: Line) -> JSONRPCMessage | Refused:
    if isinstance(line, TooLong):
        return Refused(TOO_LARGE, _id_in_head(line.head))
    if _values_in(line) > MOST_VALUES:
        return Refused(TOO_LARGE, _id_in_head(line[:HEAD]))
    try:
        return jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValidationError:
        return Refused(_NO_MESSAGE, _id_in(line))


def weight(line: Line) -> int:
    """The bytes that are held for it, about: its own, and those of the objects that are made of it."""
    return len(line) + _BYTES_A_VALUE * _values_in(line) if isinstance(line, bytes) else 0


def error(id: RequestId, code: int, message: str) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=id, error=ErrorData(code=code, message=message))


def _values_in(line: bytes) -> int:
    """How many values stand in it at most; in a short one too few to be counted."""
    return sum(map(line.count, (b",", b"[", b"{"))) if len(line) > HEAD else 0


def _id_in_head(head: bytes) -> RequestId | None:
    """The id of a request of which only the start is known."""
    try:
        begun = from_json(head, allow_partial=True)
    except ValueError:
        return None
    # The last value may be cut in the middle, and a cut id is another's.
    return _id_of(begun) if isinstance(begun, dict) and "id" in list(begun)[:-1] else None


def _id_in(line: bytes) -> RequestId | None:
    if b'"id"' not in line:
        return None
    try:
        return _id_of(json.loads(line))  # is laxer than the protocol, on half surrogates too
    except (ValueError, RecursionError):
        return None


def _id_of(found: Any) -> RequestId | None:
    if not isinstance(found, dict) or "method" not in found:
        return None
    id = found.get("id")
    return id if isinstance(id, int | str) and not isinstance(id, bool) else None
