"""Every exchange of `docs/writing-safely.md` is carried out: each way to agree, a record that moved, an undoing.

The README shows each way to agree too, cut to the lines that matter.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import anyio.to_thread
import httpx
import pytest
from mcp import Client

from attendance_mcp.server import App, build, open_app
from attendance_mcp.window.window import Window
from tests.changes.errands import DAY, absent, homeroom, museum_trip
from tests.cli.terminal import terminal
from tests.upstream_school import TODAY, Asking, UpstreamSchool
from tests.window.conftest import Browser, Desktop

from .documents import ROOT, hold, read
from .exchanges import Exchange, agreed, cut, without_chance

pytestmark = pytest.mark.anyio

PAGE = "docs/writing-safely.md"
NOW = TODAY.replace(tzinfo=ZoneInfo("Asia/Singapore"))


def holds(name: str, exchange: Exchange) -> None:
    hold(PAGE, name, exchange.block, plain=without_chance)


def readme_holds(name: str, exchange: Exchange, *wanted: str, plain: Callable[[str], str] = without_chance) -> None:
    """The README's shorter form of an exchange."""
    hold("README.md", name, exchange.only("Plan, nothing is written yet", "Carried out", *wanted), plain=plain)


def office(school: UpstreamSchool, **settings: str) -> App:
    """The server's app, whose clock stands at the school's own moment."""
    app = open_app(school.settings(**settings))
    app.desk.now = lambda: NOW
    return app


@asynccontextmanager
async def talking(school: UpstreamSchool, **settings: str) -> AsyncIterator[Exchange]:
    """An exchange over a client that can't ask its user."""
    async with school.client(app=office(school, **settings)) as ask:
        yield Exchange(ask)


async def test_a_client_that_can_be_asked_asks(school):
    excusal, student = school.one("select id, student_id from excusals where start_date >= :day order by id", day=DAY)
    exchange = Exchange()

    async def answer(_: object, params: object) -> object:
        return await exchange.answers(params, deletions=1)

    async with Client(build(school.settings(), app=office(school)), elicitation_callback=answer) as client:
        exchange.ask = Asking(client)
        exchange.says("That excusal was sent for the wrong child. Delete it.")
        plan = await exchange.calls("delete_excusal", student_id=student, excusal_id=excusal)
        exchange.says("Yes.")
        exchange.shows_call("apply_changes", **agreed(plan))
        exchange.shows(await exchange.ask("apply_changes", **agreed(plan)))
    assert school.rows("select 1 from excusals where id = :id", id=excusal) == []
    holds("client", exchange)
    readme_holds("client", exchange, "→ ", "← The server asks you", "Delete the", "To delete")


@dataclass(eq=False)
class TellingDesktop(Desktop):
    """A desktop that tells when a page was opened."""

    told: anyio.Event = field(default_factory=anyio.Event)

    def open(self, address: str) -> bool:
        self.told.set()
        return super().open(address)


async def test_where_the_client_cannot_ask_a_risky_plan_opens_the_window(school):
    trip, desktop, app = museum_trip(school), TellingDesktop(), office(school, ask_seconds=300)
    app.window = Window(desktop.open, now=lambda: NOW)
    async with school.client(app=app) as ask, httpx.AsyncClient(follow_redirects=True, trust_env=False) as http:
        exchange = Exchange(ask)
        exchange.says("These twelve are on the museum trip today. Mark them; Dorothée will be back at 15:00.")
        plan = await exchange.calls("plan_changes", changes=trip)
        exchange.says("Go ahead.")
        exchange.shows_call("apply_changes", **agreed(plan))
        results = []

        async def call() -> None:
            results.append(await ask("apply_changes", **agreed(plan)))

        async with anyio.create_task_group() as group:
            group.start_soon(call)
            with anyio.fail_after(20):
                await desktop.told.wait()
            page = await Browser(http).open(desktop.address)
            assert "Apply 12 changes" in page.text
            exchange.tells("  ← A page opens in your browser; you read it, and click “Apply 12 changes”.")
            await page.click("agree")
        exchange.shows(results[0])
    assert marked(school, trip) == [12] * 12
    holds("window", exchange)
    readme_holds("window", exchange, "→ ", "← A page opens")


def marked(school: UpstreamSchool, trip: list[dict[str, Any]]) -> list[int]:
    return [homeroom(school, student)[0] for item in trip for student in item["student_ids"]]


async def test_where_there_is_no_browser_either_a_person_agrees_at_a_terminal(school):
    trip = museum_trip(school)
    async with school.client() as ask:  # by the real clock, as the command that follows
        exchange = Exchange(ask)
        plan = await ask.facts("plan_changes", changes=trip)
        exchange.says("Go ahead.")
        assert await exchange.calls("apply_changes", **agreed(plan)) == {}
    screen = await anyio.to_thread.run_sync(partial(approved, school, str(plan["confirmation"])))
    exchange.tells("", f"$ attendance-mcp approve {plan['confirmation']}", *map(cut, screen.rstrip().splitlines()))
    assert marked(school, trip) == [12] * 12

    # The real clock's time may be tomorrow's, which breaks the lines elsewhere.
    def plain(made: str) -> str:
        return without_chance(" ".join(made.split()))

    hold(PAGE, "terminal", exchange.block, plain=plain)
    readme_holds("terminal", exchange, "A person must", "$ ", "Mark 12", "Warning", "Type yes", plain=plain)


def approved(school: UpstreamSchool, code: str) -> str:
    with terminal("approve", code, environment=school.environment()) as at:
        at.wait_for("Type yes to write these changes, or no to discard the plan: ")
        at.type("yes\n")
        assert at.end() == 0
        return at.screen


async def test_another_plan_goes_by_its_confirmation_alone_and_is_done_once(school):
    student = absent(school)[0]
    async with talking(school) as exchange:
        exchange.says("She has just come in, the bus was late.")
        call = {"student_id": student, "date": "today", "status": "Late", "notes": "Bus 4"}
        plan = await exchange.calls("set_homeroom_attendance", **call)
        exchange.says("Yes, do that.")
        await exchange.calls("apply_changes", **agreed(plan))
        await exchange.calls("apply_changes", **agreed(plan))
    assert len(school.writes) == 1
    holds("confirmation", exchange)
    readme_holds("confirmation", exchange, "→ ", "Already carried out")


async def test_a_record_that_moved_stops_the_plan_and_a_plan_carried_out_is_undone(school):
    one, other = absent(school)[:2]
    async with talking(school, approval="token") as exchange:
        plans = [
            await exchange.ask.facts("set_homeroom_attendance", student_id=student, date="today", status=2)
            for student in (one, other)
        ]
        school.change("update homeroom_marks set status = 3 where student_id = :id and date = :day", id=other, day=DAY)
        assert await exchange.calls("apply_changes", **agreed(plans[1])) == {}
        holds("stale", exchange)
        await exchange.ask("apply_changes", **agreed(plans[0]))
        exchange.lines.clear()
        exchange.says("That was the wrong child. What did we change last, and can it be taken back?")
        await exchange.calls("list_changes", limit=1)
        undo = [{"kind": "undo", "confirmation": plans[0]["confirmation"]}]
        back = await exchange.calls("plan_changes", changes=undo)
        exchange.says("Yes, take it back.")
        await exchange.calls("apply_changes", **agreed(back))
    assert homeroom(school, one) == (0, None)
    holds("undo", exchange)


def test_each_picture_is_small_and_is_shown():
    pictures = list((ROOT / "docs" / "pictures").iterdir())
    told = read("README.md") + read(PAGE)
    assert pictures
    assert all(picture.suffix == ".png" and picture.stat().st_size < 80_000 for picture in pictures)
    assert [picture.name for picture in pictures if f"pictures/{picture.name})" not in told] == []
