"""Three replicas on one PostgreSQL, of which one is killed again and again while clients plan and apply.

A client repeats what broke, at whichever replica its call then comes to. `REPLICA_PAIRS` is how many pairs of plan and
apply there are.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult

from tests.changes.errands import Facts, Family, absent, apply
from tests.changes.stores import school, store_of
from tests.upstream_school import Asking, UpstreamSchool, text

from .replica import Replicas
from .round_robin import round_robin

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("school", ["postgresql"], indirect=True)]
__all__ = ["school"]

ALL_PAIRS = int(os.environ.get("REPLICA_PAIRS", "60"))
PAIRS = min(ALL_PAIRS, 500)  # in one school; the next ones find a new one
AT_ONCE, KILL_EVERY = 6, 15  # pairs under way, and between two kills
KILLS = PAIRS // KILL_EVERY
AWAY = "The store of plans and changes can't be used"


@dataclass
class Pair:
    """What one plan is to write, once, and its plan where one was made."""

    tool: str
    arguments: Facts
    plan: Facts | None = None


def pairs_of(school: UpstreamSchool, count: int) -> list[Pair]:
    """Marks of past days, each of another record, and an excusal in ten."""
    marks = school.rows(
        "select date, student_id from homeroom_marks where date > '2026-10-26' and status = 1 order by 1, 2"
    )
    pairs = []
    for number, (day, student) in zip(range(count), marks, strict=False):
        if number % 10 == 5:
            family, later = Family.of(school, number // 10 % 20), timedelta(days=number // 200)
            arguments = {"student_id": family.student, "parent_id": family.parent, "comment": "Dentist"}
            pairs.append(Pair("create_excusal", {**arguments, "start_date": f"{date(2027, 1, 4) + later}"}))
        else:
            arguments = {"student_id": student, "date": day, "status": 2}
            pairs.append(Pair("set_homeroom_attendance", arguments))
    assert len(pairs) == count
    return pairs


def wanted(pairs: list[Pair]) -> Counter[tuple[Any, ...]]:
    return Counter(_key(one.arguments) for one in pairs)


def written(school: UpstreamSchool) -> Counter[tuple[Any, ...]]:
    """The writes that came to the school, by what they ask for."""
    found: Counter[tuple[Any, ...]] = Counter()
    for entry in school.log.writes():
        student, body = int(entry.path.split("/")[3]), entry.body.get("excusal", entry.body)
        found[_key({"student_id": student, **body})] += 1
    return found


def _key(given: Facts) -> tuple[Any, ...]:
    return given["student_id"], given.get("date") or given["start_date"], given.get("status")


@dataclass
class Storm:
    """The clients, and what befalls the replicas and the store meanwhile."""

    school: UpstreamSchool
    url: str
    replicas: Replicas
    ended: int = 0
    allowed: int = KILL_EVERY  # pairs that may begin: the clients run ahead of no kill
    begun: int = 0
    left: list[Pair] = field(default_factory=list)
    broken: int = 0
    store_up: anyio.Event = field(default_factory=anyio.Event)
    more: anyio.Event = field(default_factory=anyio.Event)

    async def carry_out(self, pairs: list[Pair], *, befalls: Any = None) -> None:
        """Every pair, by several clients; those whose outcome nobody can tell yet are left."""
        waiting = iter(pairs)
        async with anyio.create_task_group() as everything:
            if befalls is not None:
                everything.start_soon(befalls)
            async with anyio.create_task_group() as clients:
                for _ in range(AT_ONCE):
                    clients.start_soon(self._client, waiting)
            everything.cancel_scope.cancel()

    async def _client(self, waiting: Iterator[Pair]) -> None:
        async with self.asking() as ask:
            for pair in waiting:
                self.begun += 1
                await self.until(lambda: self.begun <= self.allowed)
                if not await self._ends(ask, pair):
                    self.left.append(pair)
                self.ended += 1
                self.go_on()

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[Asking]:
        async with Client(f"{self.url}/mcp", mode="2026-07-28") as client:
            yield Asking(client)

    async def _ends(self, ask: Asking, pair: Pair) -> bool:
        """Whether the pair was written; false while a plan of a replica that was killed still counts as under way."""
        while True:
            if pair.plan is None:
                planned = await self.repeated(ask, pair.tool, pair.arguments)
                assert not planned.is_error, text(planned)
                assert planned.structured_content is not None
                pair.plan = planned.structured_content
                assert len(pair.plan["changes"]) == 1, pair
            codes = {name: pair.plan[name] for name in ("confirmation", "summary")}
            told = await self.repeated(ask, "apply_changes", codes)
            if told.is_error or told.structured_content is None or told.structured_content["state"] == "applying":
                return False
            if told.structured_content["outcomes"] == {"done": 1}:
                return True
            assert told.structured_content["outcomes"].keys() <= {"not sent", "unknown"}, text(told)
            pair.plan = None  # nothing was written, as the plan's end tells: the person plans anew

    async def repeated(self, ask: Asking, tool: str, arguments: Facts) -> CallToolResult:
        """The answer; a call that broke, or that found the store away, comes again."""
        while True:
            await self.store_up.wait()
            try:
                told = await ask(tool, **arguments)
            except (MCPError, httpx.HTTPError):
                self.broken += 1
                continue
            if not (told.is_error and AWAY in text(told)):
                return told
            await anyio.lowlevel.checkpoint()

    async def until(self, so: Callable[[], bool]) -> None:
        while not so():
            await self.more.wait()

    def has_ended(self, pairs: int) -> bool:
        return self.ended >= pairs

    def go_on(self, allowed: int = 0) -> None:
        """Lets everybody look again who waits."""
        self.allowed += allowed
        self.more.set()
        self.more = anyio.Event()


def time_passes(school: UpstreamSchool) -> set[str]:
    """The plans that were cut off; their leases lapse, as they do after a minute."""
    with store_of(school) as store:
        store.exec_driver_sql("update leases set until = '2026-01-01'")
        cut_off = "update plans set lease_until = '2026-01-01' where state = 'applying' returning code"
        return {code for (code,) in store.exec_driver_sql(cut_off)}


@pytest.mark.parametrize("_again", range(ALL_PAIRS // PAIRS))
async def test_no_write_is_lost_or_doubled_whichever_replica_is_killed_and_though_the_store_goes_away(
    school, cluster, _again
):
    pairs = pairs_of(school, PAIRS)
    settings = school.environment(writes="confirm", approval="token")
    with Replicas.open(3, settings) as replicas, round_robin(replicas.urls) as url:
        storm = Storm(school, url, replicas)
        storm.store_up.set()

        async def kills() -> None:
            for number in range(KILLS):
                await storm.until(partial(storm.has_ended, number * KILL_EVERY + AT_ONCE))
                await anyio.to_thread.run_sync(replicas.kill, number % 3)
                if number == KILLS // 2:
                    await store_goes_away()
                await anyio.to_thread.run_sync(replicas.start, number % 3)
                storm.go_on(allowed=KILL_EVERY)
            storm.go_on(allowed=PAIRS)

        async def store_goes_away() -> None:
            async with storm.asking() as ask:
                plan = await storm.repeated(ask, "set_homeroom_attendance", {"student_id": absent(school)[0], "date": "2026-11-24", "status": 2})  # fmt: skip
                assert plan.structured_content is not None
                storm.store_up = anyio.Event()
                cluster.stop()
                try:
                    for _ in replicas.urls:
                        refused = text(await apply(ask, plan.structured_content))
                        assert AWAY in refused
                        assert "Nothing was written." in refused
                        await ask.facts("list_excusals", date="today")
                finally:
                    cluster.start()
                    storm.store_up.set()

        with anyio.fail_after(90 + 2 * PAIRS):
            await storm.carry_out(pairs, befalls=kills)
            storm.go_on(allowed=PAIRS)
            for _ in range(3):
                again, storm.left = storm.left, []
                # What was told and could not be recorded is asked for once more too.
                lapsed = time_passes(school)
                await storm.carry_out([pair for pair in pairs if pair in again or (pair.plan or {}).get("confirmation", "").replace("-", "") in lapsed])  # fmt: skip
        assert storm.left == []
        assert replicas.killed == KILLS
    assert written(school) == wanted(pairs)
    with store_of(school) as store:
        found = store.exec_driver_sql("select state, count(*) from plans where state <> 'waiting' group by 1").all()
    assert [state for state, _ in found] == ["settled"]
