"""Many calls in flight over stdio and HTTP: errors, memory, and throughput beside a bare SDK tool."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.counting import text_of
from benchmarks.noise import spent
from benchmarks.start import memory
from benchmarks.table import Table, at_least, within
from benchmarks.upstream import Size, Upstream, open_upstream
from benchmarks.wires import TOOL, Round, Wire, over_http, over_stdio

IN_FLIGHT = 50
TIMES_BARE = 0.6
MOST_GROWTH = 8.0  # MB
STUDENTS = 20
_TURN = 2.0  # seconds; short, so that what else the machine does hits both alike
OURS, BARE = "attendance-mcp", "bare SDK tool"
WAYS = ("stdio", "HTTP")


def seconds() -> float:
    """How long each server is loaded in each way: LOAD_SECONDS, or a minute."""
    return float(os.environ.get("LOAD_SECONDS", "60"))


def size() -> Size:
    return "school" if seconds() >= 10 else "small"


async def measure() -> list[Table]:
    """The tables of this part."""
    each = seconds()
    table = Table(f"{TOOL} by id under load, {each:g} s for each server in turns",
                  ("way", "in flight", "calls", "errors", "budget", "", "calls a second", "bare SDK tool", "ratio",
                   "floor", "", "processor, ms a call", "bare SDK tool"))  # fmt: skip
    kept = Table("Memory of the servers under this load, MB",
                 ("server", "warm", "at the end", "growth", "budget", ""))  # fmt: skip
    with open_upstream(size()) as school:
        for way in WAYS:
            async with pair(school, way) as both:
                await both.load(IN_FLIGHT, seconds=each / 4)  # warm: what grows to its size has grown
                before = {name: memory(wire.process) for name, wire in both.wires.items()}
                loaded = await both.load(IN_FLIGHT, seconds=each)
                table.add(way, IN_FLIGHT, loaded.calls, loaded.errors, 0, within(loaded.errors, 0),
                          loaded.a_second(OURS), loaded.a_second(BARE), loaded.ratio, TIMES_BARE,
                          at_least(loaded.ratio, TIMES_BARE),
                          loaded.processor(OURS), loaded.processor(BARE))  # fmt: skip
                for name, wire in both.wires.items():
                    after = memory(wire.process)
                    budget = MOST_GROWTH if name == OURS else None
                    grown = after - before[name]
                    kept.add(f"{name}, {way}", before[name], after, grown, budget, within(grown, budget))
    table.note(f"Of {STUDENTS} students of a {size()} school, whom the server has read by then. {ABOUT_THE_BARE}")
    return [table, kept]


ABOUT_THE_BARE = (
    "The bare tool has the same answers ready, and its server is the SDK's own. Both are asked by one light client, in"
    f" turns of {_TURN:g} s; the ratio is the median of the turns' own."
)


@dataclass
class Loaded:
    """The rounds of both servers, turn by turn."""

    rounds: dict[str, list[Round]] = field(default_factory=lambda: {OURS: [], BARE: []})
    spent: dict[str, list[float]] = field(default_factory=lambda: {OURS: [], BARE: []})  # ms of a processor a call

    @property
    def calls(self) -> int:
        return sum(one.calls for rounds in self.rounds.values() for one in rounds)

    @property
    def errors(self) -> int:
        return sum(one.errors for rounds in self.rounds.values() for one in rounds)

    def a_second(self, name: str) -> float:
        return median(one.a_second for one in self.rounds[name])

    @property
    def ratio(self) -> float:
        return self._beside([(ours.a_second, bare.a_second) for ours, bare in self._turns()])

    def processor(self, name: str) -> float:
        """Milliseconds of a processor that a call took of the server, median of the turns."""
        return median(self.spent[name])

    def within(self, name: str, share: float) -> float:
        """Milliseconds in which this share of the calls was answered, median of the turns."""
        return median(one.within(share) for one in self.rounds[name])

    def ratio_within(self, share: float) -> float:
        return self._beside([(ours.within(share), bare.within(share)) for ours, bare in self._turns()])

    def _turns(self) -> list[tuple[Round, Round]]:
        return list(zip(self.rounds[OURS], self.rounds[BARE], strict=True))

    @staticmethod
    def _beside(turns: list[tuple[float, float]]) -> float:
        return median(ours / bare for ours, bare in turns)


@dataclass
class Pair:
    """Our server and the bare one, both running, both asked for the same students."""

    wires: dict[str, Wire]
    ids: list[int]

    async def load(self, in_flight: int, *, seconds: float) -> Loaded:
        """Loads each for this time, a short turn of the one after one of the other, each of them first in half."""
        turn = min(_TURN, seconds)
        loaded = Loaded()
        for number in range(max(1, round(seconds / turn))):
            for name in (OURS, BARE) if number % 2 else (BARE, OURS):
                wire = self.wires[name]
                before = spent(wire.process)
                done = await wire.round(self.ids, in_flight=in_flight, seconds=turn)
                loaded.rounds[name].append(done)
                loaded.spent[name].append((spent(wire.process) - before) / done.calls * 1000)
        return loaded


@asynccontextmanager
async def pair(school: Upstream, way: str) -> AsyncIterator[Pair]:
    """Both servers, served in this way; each has answered for every student once."""
    ids = [id for (id,) in school.rows("SELECT id FROM students WHERE archived = 0 ORDER BY id LIMIT :n", n=STUDENTS)]
    answers = await _answers(school, ids)
    async with AsyncExitStack() as stack:
        opened = over_http if way == "HTTP" else over_stdio
        http = ["--http"] if way == "HTTP" else []
        port = ["--port", "0"] if http else []
        environment = school.environment()
        ours = opened(["-m", "attendance_mcp", "serve", *http, *port], environment)
        bare = opened(["-m", "benchmarks.bare", str(answers), *http], environment)
        wires: dict[str, Wire] = {OURS: await stack.enter_async_context(ours),
                                  BARE: await stack.enter_async_context(bare)}  # fmt: skip
        for wire in wires.values():
            await wire.round(ids, in_flight=len(ids), seconds=0)
        yield Pair(wires, ids)


async def _answers(school: Upstream, ids: list[int]) -> Path:
    """What our server answers for each of them, in a file for the bare one."""
    found = {}
    async with school.client() as client:
        for id in map(str, ids):
            result = await client.call_tool(TOOL, {"names_or_ids": [id]})
            found[id] = {"text": text_of(result), "structured": result.structured_content}
    path = school.path.with_name("answers.json")
    path.write_text(json.dumps(found), "utf-8")
    return path
