"""What a request asks for, read from its body before anybody answers it: the method, and the tool of a call.

The body is read once and handed on whole. Headers say the same in the newest era only, and nobody has checked them yet.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from attendance_mcp.http.asgi import Message, Receive

ASKED = "attendance.asked"  # where the scope of a request holds what it asks for
SCHOOL = "attendance.school"  # and the name of the school that answers, where there are several and it is known
MOST_BYTES = 4 * 1024 * 1024  # the SDK's own bound, which answers 413
# What a line of the log may say: a method is the client's word and may be anything.
_METHODS = frozenset(
    {
        "completion/complete",
        "initialize",
        "logging/setLevel",
        "notifications/cancelled",
        "notifications/initialized",
        "ping",
        "prompts/get",
        "prompts/list",
        "resources/list",
        "resources/read",
        "resources/templates/list",
        "server/discover",
        "tools/call",
        "tools/list",
    }
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The methods and tools that a body names; a batch, which older clients may send, names several.

    An unclear one can't be read here. Another parser may read it, so that it may ask for anything.
    """

    methods: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    unclear: bool = False
    ids: tuple[str | int, ...] = ()  # of those that want an answer
    batch: bool = False

    def told(self, known: Collection[str]) -> dict[str, str]:
        """What the log may say of it: words of the protocol and names of our tools, none of the client's own."""
        if not self.methods:
            return {}
        method = self.methods[0] if self.methods[0] in _METHODS else "another"
        told = {"method": method if len(self.methods) == 1 else "a batch"}
        if self.tools:
            told["tool"] = self.tools[0] if self.tools[0] in known else "another"
        return told


async def read_body(receive: Receive) -> tuple[Asked, Receive]:
    """What the body asks for, and a `receive` that gives it whole.

    Of a body over the bound only its beginning is read; whoever answers it reads on, and refuses it.
    """
    read: list[Message] = []
    size, more = 0, True
    while more and size <= MOST_BYTES:
        message = await receive()
        read.append(message)
        size += len(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)
    whole = b"".join(message.get("body", b"") for message in read)
    waiting = iter(read)

    async def again() -> Message:
        return next(waiting, None) or await receive()

    return (_asked(whole) if size <= MOST_BYTES else Asked(unclear=True)), again


def _asked(body: bytes) -> Asked:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        return Asked(unclear=True)
    batch = isinstance(given, list)
    methods: list[str] = []
    tools: list[str] = []
    ids: list[str | int] = []
    for one in given if batch else [given]:
        method = one.get("method") if isinstance(one, dict) else None
        if not isinstance(method, str):
            continue
        methods.append(method)
        if isinstance(id := one.get("id"), str | int):
            ids.append(id)
        params = one.get("params") if method == "tools/call" else None
        name = params.get("name") if isinstance(params, dict) else None
        if isinstance(name, str):
            tools.append(name)
    return Asked(tuple(methods), tuple(tools), ids=tuple(ids), batch=batch)
