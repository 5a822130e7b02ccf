"""Plan and apply against the bare requests that they make, and plan+apply pairs a second on both stores."""

from __future__ import annotations

import itertools
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from statistics import median
from typing import Any

import anyio
import httpx
from mcp import Client

from attendance_mcp.sandbox.log import LogEntry, read_log
from benchmarks.counting import text_of
from benchmarks.table import Table, within
from benchmarks.upstream import TOKEN, Upstream, open_upstream
from tests import postgresql

RUNS = 11
ROUNDS, PAIRS = 5, 16  # of each store and number at once
AT_ONCE = 8
READS_IN_FLIGHT, WRITES_IN_FLIGHT = 8, 4  # as many as the product has at once
TIMES_BARE = 4.0
Arguments = dict[str, Any]


@dataclass(frozen=True)
class Errand:
    """What is written, a little otherwise at every turn, so that there always is something to write."""

    called: str
    tool: str
    arguments: Callable[[int], Arguments]
    changes: int
    once: bool = False  # what was made must go before it can be made again


@dataclass
class Phases:
    """The requests of one errand in the order in which they must be: those of a phase wait for no answer in it."""

    requests: list[list[LogEntry]] = field(default_factory=list)

    def add(self, entries: list[LogEntry]) -> None:
        for _, run in itertools.groupby(entries, key=lambda entry: entry.method == "GET"):
            self.requests.append(list(run))

    @property
    def counts(self) -> tuple[int, int]:
        """Reads and writes."""
        methods = [entry.method for phase in self.requests for entry in phase]
        return methods.count("GET"), len(methods) - methods.count("GET")


async def measure() -> list[Table]:
    """The tables of this part."""
    with open_upstream("school") as school, ExitStack() as opened:
        stores = {"SQLite": str(school.path.with_name("plans.db"))}
        if not postgresql.MISSING:
            stores["PostgreSQL"] = opened.enter_context(postgresql.Cluster.open(durable=True)).database()
        tables = [await _errands(school, stores["SQLite"]), await _pairs(school, stores)]
    if postgresql.MISSING:
        tables[-1].note(f"PostgreSQL is left out: it {postgresql.MISSING}.")
    return tables


async def _errands(school: Upstream, store: str) -> Table:
    table = Table(
        f"Plan and apply against their bare requests, school size, plans on SQLite, median of {RUNS}",
        ("errand", "changes", "reads", "writes", "plan, ms", "apply, ms", "bare requests, ms", "ratio", "budget", ""),
    )
    async with school.client(approval="token", store=store) as client, _bare(school) as bare:
        for errand in _asked(school):
            planned, applied, replayed, ratios = [], [], [], []
            for turn in range(RUNS + 1):  # in turns, so that a slow moment of the machine falls on both alike
                phases = Phases()
                before, plan = len(read_log(school.log)), await _timed(_plan, client, errand, turn)
                between, done = len(read_log(school.log)), await _timed(_apply, client, plan[1], errand.changes)
                entries = read_log(school.log)
                phases.add(entries[before:between])
                phases.add(entries[between:])
                if turn == 0:
                    continue  # names, labels and the timetable come into memory
                planned.append(plan[0])
                applied.append(done[0])
                if errand.once:
                    await _take_away(bare, entries[-1].path)
                replayed.append((await _timed(_replay, bare, phases))[0])
                ratios.append((plan[0] + done[0]) / replayed[-1])
            ratio = median(ratios)
            table.add(errand.called, errand.changes, *phases.counts, *(1000 * median(own) for own in
                      (planned, applied, replayed)), ratio, TIMES_BARE, within(ratio, TIMES_BARE))  # fmt: skip
    table.note(
        "Bare: the same requests by a bare httpx client, in the same order and as many at once, each answer left"
        " unparsed. Names and labels are in memory. The ratio is the median of each run's own."
    )
    return table


async def _pairs(school: Upstream, stores: dict[str, str]) -> Table:
    table = Table(
        f"Plan+apply pairs a second, one homeroom mark each, median of {ROUNDS} rounds of {PAIRS}",
        ("store", "at once", "pairs a second", "bare requests: pairs a second", "ratio"),
    )
    students = _absent(school)[: AT_ONCE + 1]  # the last one's requests are those that are repeated bare
    errands = [_one_mark(school, student) for student in students]
    turns = [itertools.count() for _ in errands]
    for name, store in stores.items():
        async with school.client(approval="token", store=store) as client, _bare(school) as bare:
            for errand, turn in zip(errands, turns, strict=True):
                await _pair(client, errand, next(turn))
            before = len(read_log(school.log))
            await _pair(client, errands[-1], next(turns[-1]))
            phases = Phases()
            phases.add(read_log(school.log)[before:])

            async def one(number: int, client: Client = client) -> None:
                await _pair(client, errands[number], next(turns[number]))

            for at_once in (1, AT_ONCE):
                ours, alone = await _in_turns(at_once, one, partial(_replay, bare, phases))
                ratio = median(own / other for own, other in zip(ours, alone, strict=True))
                table.add(name, at_once, PAIRS / median(ours), PAIRS / median(alone), ratio)
    table.note(
        "At 1,000 requests a second: as shipped, at 20, the four requests of a pair take 200 ms. Both stores write"
        " through to the disk at every step; PostgreSQL listens on a socket of this machine."
    )
    return table


async def _in_turns(
    at_once: int, one: Callable[[int], Awaitable[None]], replay: Callable[[], Awaitable[None]]
) -> tuple[list[float], list[float]]:
    """Seconds of each round: ours, and the bare requests'."""
    ours, alone = [], []
    for _ in range(ROUNDS):
        alone.append(await _side_by_side(at_once, lambda _: replay()))
        ours.append(await _side_by_side(at_once, one))
    return ours, alone


async def _side_by_side(at_once: int, work: Callable[[int], Awaitable[None]]) -> float:
    """Seconds that so many workers take for one round's pairs."""
    left = iter(range(PAIRS))

    async def worker(number: int) -> None:
        for _ in left:
            await work(number)

    started = time.perf_counter()
    async with anyio.create_task_group() as group:
        for number in range(at_once):
            group.start_soon(worker, number)
    return time.perf_counter() - started


async def _pair(client: Client, errand: Errand, turn: int) -> None:
    await _apply(client, await _plan(client, errand, turn), errand.changes)


async def _plan(client: Client, errand: Errand, turn: int) -> Arguments:
    result = await client.call_tool(errand.tool, errand.arguments(turn))
    if result.is_error or "confirmation" not in (result.structured_content or {}):
        raise RuntimeError(text_of(result))
    return {name: (result.structured_content or {})[name] for name in ("confirmation", "summary")}


async def _apply(client: Client, plan: Arguments, changes: int) -> None:
    result = await client.call_tool("apply_changes", plan)
    if result.is_error or (result.structured_content or {}).get("outcomes") != {"done": changes}:
        raise RuntimeError(text_of(result))


async def _timed(work: Callable[..., Awaitable[Any]], *arguments: Any) -> tuple[float, Any]:
    started = time.perf_counter()
    made = await work(*arguments)
    return time.perf_counter() - started, made


def _bare(school: Upstream) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=school.url, headers={"auth-token": TOKEN}, trust_env=False, timeout=60)


async def _replay(bare: httpx.AsyncClient, phases: Phases) -> None:
    for phase in phases.requests:
        left = iter(phase)
        most = READS_IN_FLIGHT if phase[0].method == "GET" else WRITES_IN_FLIGHT
        async with anyio.create_task_group() as group:
            for _ in range(min(most, len(phase))):
                group.start_soon(_send_each, bare, left)


async def _send_each(bare: httpx.AsyncClient, left: Iterator[LogEntry]) -> None:
    for entry in left:
        address = entry.path + (f"?{entry.query}" if entry.query else "")
        (await bare.request(entry.method, address, json=entry.body)).raise_for_status()


async def _take_away(bare: httpx.AsyncClient, excusals: str) -> None:
    (made,) = (await bare.get(excusals)).raise_for_status().json()["excusals"]
    (await bare.delete(f"{excusals}/{made['id']}")).raise_for_status()


# --- what is written ---


def _asked(school: Upstream) -> list[Errand]:
    return [
        _one_mark(school, _absent(school)[0]),
        _class_marks(school, 23),
        _trip(school, 23, days=2),
        _excusal(school),
    ]


def _absent(school: Upstream) -> list[int]:
    found = school.rows(
        "select student_id from homeroom_marks where date = :day and status = 0 order by 1", day=_day(school)
    )
    return [id for (id,) in found]


def _one_mark(school: Upstream, student: int) -> Errand:
    return Errand(
        "one homeroom mark",
        "set_homeroom_attendance",
        lambda turn: {"student_id": student, "date": _day(school), "status": (2, 13)[turn % 2]},
        1,
    )


def _class_marks(school: Upstream, number: int) -> Errand:
    query = """select class_id, period from class_marks where date = :day
               group by 1, 2 having count(*) >= :number order by 1, 2 limit 1"""
    class_id, period = school.rows(query, day=_day(school), number=number)[0]
    query = "select student_id from class_marks where date = :day and class_id = :id and period = :period order by 1"
    students = [id for (id,) in school.rows(query, day=_day(school), id=class_id, period=period)][:number]

    def arguments(turn: int) -> Arguments:
        one = {"date": _day(school), "period": period, "status": (2, 13)[turn % 2]}
        return {"class_id": class_id, "marks": [{"student_id": student, **one} for student in students]}

    return Errand(f"a class, {number} marks", "set_class_attendance", arguments, number)


def _trip(school: Upstream, number: int, *, days: int) -> Errand:
    dates = [(school.today.date() - timedelta(days=back)).isoformat() for back in range(days)]
    query = """select m.student_id from homeroom_marks m join homeroom_marks n on n.student_id = m.student_id
               where m.date = :first and n.date = :last and m.status = 1 and n.status = 1 order by 1"""
    students = [id for (id,) in school.rows(query, first=dates[0], last=dates[-1])][:number]

    def arguments(turn: int) -> Arguments:
        item = {"kind": "homeroom", "student_ids": students, "dates": dates, "status": (12, 2)[turn % 2]}
        return {"changes": [item]}

    return Errand(f"a trip of {number} over {days} days", "plan_changes", arguments, number * days)


def _excusal(school: Upstream) -> Errand:
    query = """select l.student_id, min(l.parent_id) from child_links l join students s on s.id = l.student_id
               where s.archived = 0 and l.student_id not in (select student_id from excusals) group by 1 order by 1"""
    families = school.rows(query)

    def arguments(turn: int) -> Arguments:
        student, parent = families[turn]
        return {"student_id": student, "parent_id": parent, "start_date": _day(school), "comment": "Flu"}

    return Errand("an excusal", "create_excusal", arguments, 1, once=True)


def _day(school: Upstream) -> str:
    return school.today.date().isoformat()
