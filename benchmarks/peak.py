"""A district's peak, 08:25 to 08:35: two hundred teachers open their assistants, and the school's API has a limit.

Each signs in as themselves and sees their own homeroom alone. The server is cold, as it is at that hour.
"""

from __future__ import annotations

import json
import os
import random
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import anyio
import httpx

from attendance_mcp.sandbox.log import read_log
from benchmarks.issuer import Issuer, open_issuer
from benchmarks.noise import spent
from benchmarks.table import Table, within
from benchmarks.upstream import Size, Upstream, open_upstream
from benchmarks.wires import ABOUT, ERA, Http, over_http

TEACHERS = 200
LIMIT = 50  # requests a second
LONGEST = 5.0  # seconds
MORNING = datetime.fromisoformat("2026-11-24T08:30")
_PUBLIC = "https://attendance.district.example"
_OPENED, _ALL = "the assistant opens", "all"


@dataclass(frozen=True, slots=True)
class Teacher:
    """An advisor, and the homeroom that is theirs."""

    advisor_id: int
    year_group_id: int

    @property
    def email(self) -> str:
        return f"advisor-{self.advisor_id}@district.example"

    def questions(self) -> Sequence[tuple[str, dict[str, Any]]]:
        """What they ask before the first lesson: is my register taken, who is away, and whose parent has written?"""
        return (
            ("list_missing_registers", {}),
            ("get_homeroom_attendance", {"year_group_id": self.year_group_id}),
            ("list_absences", {}),
            ("list_excusals", {}),
        )


@dataclass
class Waited:
    """How long each call was waited for, in seconds, by what was asked; and what was no answer."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, asked: str, began: float, error: str = "") -> None:
        for name in (asked, _ALL):
            self.seconds[name].append(time.perf_counter() - began)
            if error:
                self.errors[name].append(error)

    def within(self, asked: str, share: float) -> float:
        took = sorted(self.seconds[asked])
        return took[min(int(len(took) * share), len(took) - 1)]


def window() -> float:
    """The seconds in which all of them come: PEAK_SECONDS, or a minute, which is ten times as hard as the real ten."""
    return float(os.environ.get("PEAK_SECONDS", "60"))


def size() -> Size:
    return "district" if window() >= 10 else "small"


async def measure() -> list[Table]:
    """The tables of this part."""
    with open_upstream(size(), today=MORNING, rate_limit=LIMIT) as school, open_issuer() as issuer:
        teachers = teachers_of(school)
        async with serving(school, issuer, teachers) as server:
            began, ours, theirs = time.perf_counter(), spent(server.process), spent(school.process)
            waited = await morning(server, issuer, teachers)
            took = time.perf_counter() - began
            ours, theirs = spent(server.process) - ours, spent(school.process) - theirs
        times = _times(waited, len(teachers))
        shares = f"{ours / took:.0%} of the time with the server, {theirs / took:.0%} with the school's API"
        times.note(f"A processor was busy for {shares}.")
        return [times, _upstream(school)]


def teachers_of(school: Upstream) -> list[Teacher]:
    """As many advisors as there are teachers to ask, of all year groups alike, who have one homeroom each."""
    rows = school.rows(
        "SELECT homeroom_advisor_id, min(year_group_id) FROM students WHERE archived = 0"
        " AND homeroom_advisor_id IS NOT NULL GROUP BY 1 HAVING count(DISTINCT year_group_id) = 1 ORDER BY 1"
    )
    chosen = random.Random(1).sample(rows, min(TEACHERS, len(rows)))
    return [Teacher(advisor, group) for advisor, group in chosen]


@asynccontextmanager
async def serving(school: Upstream, issuer: Issuer, teachers: Sequence[Teacher]) -> AsyncIterator[Http]:
    """The server with sign-in and a policy by which each teacher sees their own homeroom."""
    policy = school.path.with_name("policy.toml")
    rule = '[[allow]]\nclaim = "email"\nvalue = "{}"\nwrite.homerooms = ["{}"]\n'
    policy.write_text("\n".join(rule.format(one.email, one.advisor_id) for one in teachers), "utf-8")
    settings = {
        "OIDC_ISSUER": issuer.address,
        "PUBLIC_URL": _PUBLIC,
        "POLICY": str(policy),
        "RATE": str(LIMIT),
        "DEADLINE": "25",
    }
    environment = school.environment() | {f"ATTENDANCE_{name}": value for name, value in settings.items()}
    async with over_http(["-m", "attendance_mcp", "serve", "--http", "--port", "0"], environment) as server:
        yield server


async def morning(server: Http, issuer: Issuer, teachers: Sequence[Teacher]) -> Waited:
    """All of them come, each at a time of their own, with a client so light that only the server is timed."""
    waited, chance = Waited(), random.Random(2)  # the same morning in every run
    tokens = {
        one: issuer.token(one.email, audience=f"{_PUBLIC}/mcp", scope="attendance:read", email=one.email)
        for one in teachers
    }
    async with (
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{server.port}", timeout=60, trust_env=False, limits=httpx.Limits()
        ) as web,
        anyio.create_task_group() as group,
    ):
        for teacher, token in tokens.items():
            group.start_soon(_teacher, web, token, teacher, waited, chance.uniform(0, window()))
    return waited


async def _teacher(web: httpx.AsyncClient, token: str, teacher: Teacher, waited: Waited, comes: float) -> None:
    await anyio.sleep(comes)
    began = time.perf_counter()
    listed = await _ask(web, token, "tools/list", {})
    waited.add(_OPENED, began, "" if listed.get("tools") else json.dumps(listed))
    for tool, arguments in teacher.questions():
        began = time.perf_counter()
        result = await _ask(web, token, "tools/call", {"name": tool, "arguments": arguments})
        missing = result.get("structuredContent", {}).get("not_read")
        waited.add(tool, began, json.dumps(missing or result) if missing or result.get("isError", True) else "")


async def _ask(web: httpx.AsyncClient, token: str, method: str, params: dict[str, Any]) -> dict[str, Any]:
    """The result of one request in the newer era, which needs no handshake, or else the error."""
    headers = {
        "host": _PUBLIC.removeprefix("https://"),
        "authorization": f"Bearer {token}",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": ERA,
        "mcp-method": method,
        **({"mcp-name": params["name"]} if "name" in params else {}),
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": ABOUT}}
    answered: dict[str, Any] = (await web.post("/mcp", headers=headers, json=body)).json()
    result: dict[str, Any] = answered.get("result", answered)
    return result


def _times(waited: Waited, teachers: int) -> Table:
    table = Table(f"A district's peak: {teachers} teachers in {window():g} s, each with an assistant of their own",
                  ("asked", "calls", "errors", "budget", "", "p50, s", "p99, s", "longest, s", "budget",
                   ""))  # fmt: skip
    for asked in (*(name for name in waited.seconds if name != _ALL), _ALL):
        errors, longest = len(waited.errors[asked]), waited.within(asked, 1)
        table.add(asked, len(waited.seconds[asked]), errors, 0, within(errors, 0), waited.within(asked, 0.5),
                  waited.within(asked, 0.99), longest, LONGEST, within(longest, LONGEST))  # fmt: skip
    for error in dict.fromkeys(waited.errors[_ALL]):
        table.note(f"An error: {error}")
    table.note("Each signs in and sees their own homeroom alone, by a policy of as many rules. Nothing is read before.")
    return table


def _upstream(school: Upstream) -> Table:
    entries = read_log(school.log)
    came = sorted(entry.at for entry in entries)
    most = max(index + 1 - bisect_left(came, moment - 1) for index, moment in enumerate(came))
    refused = sum(entry.status == 429 for entry in entries)
    table = Table("What the school's API was asked meanwhile",
                  ("requests", "most in one second", "its limit", "", "refused (429)", "budget", ""))  # fmt: skip
    table.add(len(came), most, LIMIT, within(most, LIMIT), refused, 0, within(refused, 0))
    return table
