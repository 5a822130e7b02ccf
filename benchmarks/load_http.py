"""Calls a second over HTTP, and how long they take, with 1, 50 and 200 in flight, beside a bare SDK tool."""

from __future__ import annotations

from benchmarks.load import ABOUT_THE_BARE, BARE, OURS, STUDENTS, pair, seconds, size
from benchmarks.table import Table, at_least, within
from benchmarks.upstream import open_upstream
from benchmarks.wires import TOOL

IN_FLIGHT = (1, 50, 200)
TIMES_BARE, TIMES_P99 = 0.7, 2.0


async def measure() -> list[Table]:
    """The tables of this part."""
    each = seconds()
    speed = Table(f"{TOOL} by id over HTTP, {each:g} s for each server in turns",
                  ("in flight", "calls", "errors", "budget", "", "calls a second", "bare SDK tool", "ratio", "floor",
                   "", "processor, ms a call", "bare SDK tool"))  # fmt: skip
    times = Table("How long these calls took, ms",
                  ("in flight", "p50", "bare SDK tool", "p99", "bare SDK tool", "ratio of p99", "budget",
                   ""))  # fmt: skip
    with open_upstream(size()) as school:
        async with pair(school, "HTTP") as both:
            await both.load(max(IN_FLIGHT), seconds=each / 10)
            for in_flight in IN_FLIGHT:
                loaded = await both.load(in_flight, seconds=each)
                speed.add(in_flight, loaded.calls, loaded.errors, 0, within(loaded.errors, 0), loaded.a_second(OURS),
                          loaded.a_second(BARE), loaded.ratio, TIMES_BARE, at_least(loaded.ratio, TIMES_BARE),
                          loaded.processor(OURS), loaded.processor(BARE))  # fmt: skip
                slowest = loaded.ratio_within(0.99)
                times.add(in_flight, loaded.within(OURS, 0.5), loaded.within(BARE, 0.5), loaded.within(OURS, 0.99),
                          loaded.within(BARE, 0.99), slowest, TIMES_P99, within(slowest, TIMES_P99))  # fmt: skip
    speed.note(f"Of {STUDENTS} students of a {size()} school, whom the server has read by then. {ABOUT_THE_BARE}")
    times.note("Medians of the turns; so is the ratio.")
    return [speed, times]
