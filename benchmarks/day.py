"""A whole school's day, with nothing in memory, against the same requests replayed at 8 in flight by a bare client."""

from __future__ import annotations

import time
from statistics import median

import anyio
import httpx

from benchmarks.counting import text_of
from benchmarks.table import Table, within
from benchmarks.upstream import TOKEN, Upstream, open_upstream

IN_FLIGHT = 8
RUNS = 5
TIMES_IDEAL = 1.5
SHIPPED_RATE, TIMES_PACED = 20, 1.2


async def measure() -> list[Table]:
    """The table of this part."""
    table = Table(
        f"A whole school's day (list_absences, cold), school size, median of {RUNS}",
        ("run", "requests", "seconds", "ideal, seconds", "ratio", "budget", ""),
    )
    with open_upstream("school") as school:
        paths = await _requests(school)
        await _replay(school, paths)  # the sandbox's own caches and pages are warm for both
        ours, ideal = [], []
        for _ in range(RUNS):  # in turns, so that a slow moment of the machine falls on both alike
            ideal.append(await _replay(school, paths))
            ours.append(await _asked(school, rate=1000))
        ratio = median(ours) / median(ideal)
        table.add("ATTENDANCE_RATE=1000", len(paths), median(ours), median(ideal), ratio, TIMES_IDEAL,
                  within(ratio, TIMES_IDEAL))  # fmt: skip
        shipped, paced = await _asked(school), len(paths) / SHIPPED_RATE
        table.add("as shipped (20 a second)", len(paths), shipped, paced, shipped / paced, TIMES_PACED,
                  within(shipped / paced, TIMES_PACED))  # fmt: skip
    table.note(
        f"Ideal: the same {len(paths)} requests by a bare httpx client, {IN_FLIGHT} in flight, over the same sandbox in"
        " the same run, with no request waiting for another's answer; as shipped: requests ÷ 20 s."
    )
    return [table]


async def _asked(school: Upstream, **settings: float) -> float:
    """Seconds of the one call, from a server that has read nothing yet."""
    if not settings:
        settings = {"rate": SHIPPED_RATE}
    async with school.client(**settings) as client:
        await client.list_tools()
        started = time.perf_counter()
        result = await client.call_tool("list_absences", {}, read_timeout_seconds=150)
        took = time.perf_counter() - started
    if result.is_error:
        raise RuntimeError(text_of(result))
    return took


async def _requests(school: Upstream) -> list[str]:
    before = school.requests
    await _asked(school, rate=1000)
    return school.asked(before)


async def _replay(school: Upstream, paths: list[str]) -> float:
    """Seconds of the same requests, 8 in flight, each answer read to its end and left unparsed."""
    left = iter(paths)

    async def work(client: httpx.AsyncClient) -> None:
        for path in left:
            (await client.get(path)).raise_for_status()

    async with httpx.AsyncClient(base_url=school.url, headers={"auth-token": TOKEN}, trust_env=False) as client:
        started = time.perf_counter()
        async with anyio.create_task_group() as group:
            for _ in range(IN_FLIGHT):
                group.start_soon(work, client)
        return time.perf_counter() - started
