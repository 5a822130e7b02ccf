"""A client that sends without waiting: fuzzed lines among well-formed ones. The server answers each request once."""

from __future__ import annotations

import json
import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from mcp.types import jsonrpc_message_adapter

from .process import Wire, peak_memory, running

LINES = int(os.environ.get("STDIO_LINES", "40000"))  # `make soak` sends more
FUZZED = 5  # to one that is well formed
FIRST = 1_000_000  # the well-formed requests' ids are counted from here, where no fuzzed line gets to

CALLS: list[dict[str, Any]] = [
    {"method": "ping"},
    {"method": "tools/call", "params": {"name": "no_such_tool", "arguments": {}}},
    {"method": "tools/call", "params": {"name": "get_class_timetable", "arguments": {"class_id": True}}},
    {"method": "tools/call", "params": {"name": "apply_changes", "arguments": {"confirmation": "x" * 100}}},
    {"method": "prompts/get", "params": {"name": "no-such-prompt"}},
    {"method": "no/such/method", "params": {}},
]
MESSAGES: list[Any] = [
    None,
    [],
    [{"jsonrpc": "2.0", "method": "ping", "id": 1}],
    {"id": 1},
    {"jsonrpc": "1.0", "id": 1, "method": "ping"},
    {"jsonrpc": "2.0", "id": 1.5, "method": "ping"},
    {"jsonrpc": "2.0", "id": None, "method": "ping"},
    {"jsonrpc": "2.0", "id": 1, "result": {}},
    {"jsonrpc": "2.0", "id": None, "error": {"code": 1, "message": "x"}},
    {"jsonrpc": "2.0", "method": "notifications/cancelled"},
    {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "progress": "half"}},
    {"jsonrpc": "2.0", "method": "notifications/no-such-thing", "params": {"x": [[[]]]}},
]


def request(id: int, call: dict[str, Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": id, **call}).encode()


def fuzzed(pick: random.Random) -> bytes:
    """Bytes that are no line of the protocol, or hardly one."""
    line = bytearray(request(pick.randrange(100), pick.choice(CALLS)))
    match pick.randrange(6):
        case 0:
            return pick.randbytes(pick.randrange(200)).replace(b"\n", b"")
        case 1:
            return bytes(line[: pick.randrange(len(line))])
        case 2:
            line[pick.randrange(len(line))] = pick.randrange(11, 256)
            return bytes(line)
        case 3:
            return pick.choice([b"[", b'{"a":', b'"\\ud800', b"\xff\xfe", b"\x00", b"1e999,"]) * pick.randrange(300)
        case 4:
            return bytes(line) * 2
        case _:
            return json.dumps(pick.choice(MESSAGES)).encode()


def lines(pick: random.Random) -> Iterator[bytes]:
    """Fuzzed lines without end, every sixth in their midst well formed."""
    number = 0
    while True:
        place = pick.randrange(FUZZED + 1)
        for turn in range(FUZZED + 1):
            if turn == place:
                yield request(FIRST + number, CALLS[number % len(CALLS)])
                number += 1
            else:
                yield fuzzed(pick)


def test_a_flood_of_fuzzed_and_well_formed_lines_leaves_it_answering_within_its_memory(school):
    flood = islice(lines(random.Random(1)), LINES)
    with running(settings=school.environment(), seconds=60 + LINES // 500) as process:
        wire = Wire(process)
        wire.begin()

        def send() -> None:
            while batch := list(islice(flood, 500)):
                wire.send_bytes(b"\n".join(batch) + b"\n")

        sending = threading.Thread(target=send)
        sending.start()
        answered: Counter[Any] = Counter()
        wanted = LINES // (FUZZED + 1)
        while wanted:
            message = wire.hear()
            jsonrpc_message_adapter.validate_python(message)
            answered[message["id"]] += 1
            wanted -= isinstance(message["id"], int) and message["id"] >= FIRST
        sending.join()
        absent = wire.ask("tools/call", name="list_absences", arguments={})
        memory = peak_memory(process)
        rest, said = process.communicate(timeout=20)
    assert (rest, process.returncode) == ("", 0)
    assert {count for id, count in answered.items() if id >= FIRST} == {1}
    assert "students looked at" in absent["result"]["content"][0]["text"]
    assert memory < 150
    assert said == ""
    assert school.writes == []
