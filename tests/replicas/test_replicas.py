"""Three replicas on one PostgreSQL, of which one is killed again and again while clients plan and apply.

A client repeats what broke, at whichever replica its call then comes to. `REPLICA_PAIRS` is how many pairs of plan and
apply there are.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
from mcp.types import CallToolResult

from tests.changes.errands import Facts, Family, absent, apply
from tests.changes.stores import school, store_of
from tests.upstream_school import UpstreamSchool, text

from .light_client import LightClient
from .replica import Replicas
from .round_robin import round_robin

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("school", ["postgresql"], indirect=True)]
__all__ = ["school"]

ALL_PAIRS = int(os.environ.get("REPLICA_PAIRS", "500"))
PAIRS = min(ALL_PAIRS, 500)  # in one school; the next ones find a new one
AT_ONCE, KILL_EVERY, BLOCK = 6, 25, 100  # pairs under way, between two kills, and until leases lapse
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
    families = Family.all_of(school)
    pairs = []
    for number, (day, student) in zip(range(count), marks, strict=False):
        if number % 10 == 5:
            later, which = divmod(number // 10, len(families))
            family, day = families[which], date(2027, 1, 4) + timedelta(days=later)
            arguments = {"student_id": family.student, "parent_id": family.parent, "comment": "Dentist"}
            pairs.append(Pair("create_excusal", {**arguments, "start_date": f"{day}"}))
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
    allowed: int = 0  # pairs that may begin: the clients run ahead of no kill
    begun: int = 0
    left: list[Pair] = field(default_factory=list)
    broken: int = 0
    store_up: anyio.Event = field(default_factory=anyio.Event)
    more: anyio.Event = field(default_factory=anyio.Event)

    async def carry_out(self, pairs: list[Pair], *, befalls: Callable[[], Awaitable[None]] | None = None) -> None:
        """Every pair, by several clients; those whose outcome nobody can tell yet are left."""
        self.ended = self.begun = 0
        self.allowed = len(pairs) if befalls is None else KILL_EVERY
        waiting = iter(pairs)
        async with anyio.create_task_group() as group:
            if befalls is not None:
                group.start_soon(befalls)
            for _ in range(AT_ONCE):
                group.start_soon(self._client, waiting)

    async def _client(self, waiting: Iterator[Pair]) -> None:
        async with LightClient.of(self.url) as ask:
            for pair in waiting:
                self.begun += 1
                await self.until(lambda: self.begun <= self.allowed)
                if not await self._ends(ask, pair):
                    self.left.append(pair)
                self.ended += 1
                self.go_on()

    async def _ends(self, ask: LightClient, pair: Pair) -> bool:
        """Whether the pair was written; false while a plan of a replica that was killed still counts as under way."""
        while True:
            if pair.plan is None:
                planned = await self.repeated(ask, pair.tool, pair.arguments)
                assert not planned.is_error, text(planned)
                assert planned.structured_content is not None
                pair.plan = planned.structured_content
                assert len(pair.plan.get("changes", [])) == 1, pair
            codes = {name: pair.plan[name] for name in ("confirmation", "summary")}
            told = await self.repeated(ask, "apply_changes", codes)
            if told.is_error or told.structured_content is None or told.structured_content["state"] == "applying":
                return False
            if told.structured_content["outcomes"] == {"done": 1}:
                return True
            assert told.structured_content["outcomes"].keys() <= {"not sent", "unknown"}, text(told)
            pair.plan = None  # nothing was written, as the plan's end tells: the person plans anew

    async def repeated(self, ask: LightClient, tool: str, arguments: Facts) -> CallToolResult:
        """The answer; a call that broke, or that found the store away, comes again."""
        while True:
            await self.store_up.wait()
            try:
                told = await ask(tool, **arguments)
            except httpx.HTTPError:
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

        async def kills(block: int, count: int, store_too: bool) -> None:
            for number in range(count):
                await storm.until(partial(storm.has_ended, number * KILL_EVERY + AT_ONCE))
                await anyio.to_thread.run_sync(replicas.kill, (block + number) % 3)
                if store_too and number == count - 1:
                    await store_goes_away()
                await anyio.to_thread.run_sync(replicas.start, (block + number) % 3)
                storm.go_on(allowed=KILL_EVERY)
            storm.go_on(allowed=BLOCK)

        async def store_goes_away() -> None:
            async with LightClient.of(url) as ask:
                plan = await storm.repeated(ask, "set_homeroom_attendance", {"student_id": absent(school)[0], "date": "2026-11-24", "status": 2})  # fmt: skip
                assert plan.structured_content is not None
                storm.store_up = anyio.Event()
                cluster.stop()
                try:
                    for _ in replicas.urls:
                        refused = text(await apply(ask, plan.structured_content))
                        assert AWAY in refused
                        assert "Nothing was written." in refused
                        assert not (await ask("list_excusals", date="today")).is_error
                finally:
                    cluster.start()
                    storm.store_up.set()

        blocks = [pairs[start : start + BLOCK] for start in range(0, PAIRS, BLOCK)]
        with anyio.fail_after(90 + 2 * PAIRS):
            for number, block in enumerate(blocks):
                count = max(1, len(block) // KILL_EVERY - 1)
                await storm.carry_out(block, befalls=partial(kills, number, count, number == len(blocks) // 2))
                for _ in range(3):
                    again, storm.left = storm.left, []
                    # What was told and could not be recorded is asked for once more too.
                    lapsed = time_passes(school)
                    await storm.carry_out([pair for pair in block if pair in again or (pair.plan or {}).get("confirmation", "").replace("-", "") in lapsed])  # fmt: skip
                assert storm.left == []
        assert replicas.killed >= PAIRS // BLOCK * (BLOCK // KILL_EVERY - 1)
    assert written(school) == wanted(pairs)
    with store_of(school) as store:
        found = store.exec_driver_sql("select state, count(*) from plans where state <> 'waiting' group by 1").all()
    assert [state for state, _ in found] == ["settled"]
