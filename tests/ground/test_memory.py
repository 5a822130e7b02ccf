"""What was read is kept within bounds, and whoever waits for another's read is never left without one."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from attendance_mcp.school.memory import KEPT_SECONDS, Memory

pytestmark = pytest.mark.anyio


async def test_what_is_kept_is_bounded_and_the_oldest_goes_first() -> None:
    now = 0.0
    memory = Memory(clock=lambda: now)

    async def value() -> str:
        return "read"

    for number in range(20_001):
        await memory.get(number, value, keep=True)
    assert (memory.peek(0), memory.peek(1), memory.peek(20_000)) == (None, "read", "read")
    now = KEPT_SECONDS
    await memory.get("after a while", value, keep=True)
    assert memory.peek(20_000) is None
    assert memory.peek("after a while") == "read"


async def test_who_waits_for_a_read_that_is_given_up_reads_anew_and_a_failure_is_told_to_all() -> None:
    memory, begun, asked = Memory(), anyio.Event(), 0

    async def once() -> str:
        nonlocal asked
        asked += 1
        if asked == 1:
            begun.set()
            await anyio.sleep_forever()
        return "read"

    async def other(found: list[Any]) -> None:
        found.append(await memory.get("key", once, keep=True))

    found: list[Any] = []
    async with anyio.create_task_group() as group, anyio.create_task_group() as first:
        first.start_soon(other, [])
        await begun.wait()
        group.start_soon(other, found)
        await anyio.wait_all_tasks_blocked()
        first.cancel_scope.cancel()
    assert (found, asked) == (["read"], 2)
    assert await memory.get("key", once, keep=True) == "read"
    assert asked == 2
