"""A plan of the store in the window: only the person who opened the page and clicks Apply on it lets a write out.

Who may enter the page at all is held in tests/window, over a plan in memory; here it is the plan that is looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from mcp.types import CallToolResult

from attendance_mcp.server import App
from attendance_mcp.window.window import Window
from tests.upstream_school import text
from tests.window.conftest import Browser, Desktop, browser, stranger

from .errands import Facts
from .offices import ENDED, ERAS, Left, Office, already, by_turns, carried_out, founded, office, opening, stage
from .playing import Stage
from .ways_to_write import MARK, WAYS, WayToWrite

pytestmark = pytest.mark.anyio
__all__ = ["browser", "founded", "stage", "stranger"]

IN_THE_WINDOW = "a person in the window"


def undecided(plan: Facts) -> str:
    return (
        "The plan is open in the person's browser, and they have not decided yet. It waits there until 11:00. Call this "
        "again later: it tells the outcome, or shows the page once more. list_changes tells what became of it; the "
        f"person may also run `attendance-mcp approve {plan['confirmation']}` in a terminal of that machine. "
        "Nothing was written."
    )


@dataclass(eq=False)
class Watched(Desktop):
    """A desktop that tells the test's event loop when something was opened."""

    told: asyncio.Event = field(default_factory=asyncio.Event)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    def open(self, address: str) -> bool:
        answer = super().open(address)
        self.loop.call_soon_threadsafe(self.told.set)
        return answer


@asynccontextmanager
async def at_a_desktop(stage: Stage, era: Any, *, waits: float = 20) -> AsyncIterator[tuple[Office, Watched]]:
    """A server on a person's machine, whose client can't ask; a person must agree to everything."""
    desktop = Watched()

    def with_a_window(app: App) -> None:
        app.window = Window(desktop.open, now=lambda: app.desk.now())
        app.desk.ask_seconds = waits

    async with office(stage, era, policy="human", prepare=with_a_window) as at:
        yield at, desktop


async def while_it_is_open(
    at: Office, desktop: Watched, way: WayToWrite, plan: Facts, act: Callable[[], Awaitable[object]]
) -> CallToolResult:
    """What the call is told that waits while the person acts."""
    desktop.told.clear()
    call = asyncio.create_task(at.apply(way, plan))
    await asyncio.wait_for(desktop.told.wait(), 30)
    await act()
    return await call


async def agree(browser: Browser, ticket: str | None = None) -> None:
    """Clicks on Apply and looks until the page tells what became of it."""
    await browser.click("agree", ticket=ticket)
    while 'data-state="applying"' in browser.text:
        await browser.reload()


@by_turns(WAYS)
async def test_apply_writes_exactly_the_plan_and_the_call_that_waits_tells_it(
    stage: Stage, browser: Browser, era: Any, way: WayToWrite
) -> None:
    async with at_a_desktop(stage, era) as (at, desktop):
        plan = await at.plan(way)

        async def click() -> None:
            await browser.open(desktop.address)
            assert 'data-state="waiting"' in browser.text
            assert at.left(plan) == Left.unwritten("waiting")  # looking is no approval
            await agree(browser)

        told = opening(await while_it_is_open(at, desktop, way, plan, click))
        again = opening(await at.apply(way, plan))
    assert told.startswith(carried_out(way, IN_THE_WINDOW).removesuffix(" The records were read back."))
    assert again == already(way)
    assert at.left(plan) == Left.written(way, "human window")


@ERAS
async def test_discard_ends_the_plan_for_good(stage: Stage, browser: Browser, era: Any) -> None:
    async with at_a_desktop(stage, era) as (at, desktop):
        plan = await at.plan(MARK)

        async def click() -> None:
            await (await browser.open(desktop.address)).click("discard")

        told = [text(await while_it_is_open(at, desktop, MARK, plan, click)), text(await at.apply(MARK, plan))]
    assert told == [ENDED, ENDED]
    assert at.left(plan) == Left.unwritten("discarded")


@ERAS
async def test_a_page_that_is_never_opened_or_closed_again_leaves_the_plan_waiting(
    stage: Stage, browser: Browser, era: Any
) -> None:
    async with at_a_desktop(stage, era, waits=0.02) as (at, desktop):
        plan = await at.plan(MARK)
        never = text(await at.apply(MARK, plan))
        first = desktop.address

        async def look() -> None:
            await browser.open(desktop.address)

        closed = text(await while_it_is_open(at, desktop, MARK, plan, look))
        assert at.left(plan) == Left.unwritten("waiting")
        assert desktop.opened[0] != desktop.opened[1]
        assert first not in closed
        await agree(browser)  # the person comes back to the page after the call has ended
        later = opening(await at.apply(MARK, plan))
    assert [never, closed] == [undecided(plan)] * 2
    assert later == already(MARK)
    assert at.left(plan) == Left.written(MARK, "human window")


@ERAS
async def test_where_no_browser_answers_the_call_says_what_else_there_is(stage: Stage, era: Any) -> None:
    async with at_a_desktop(stage, era) as (at, desktop):
        desktop.answers = False
        plan = await at.plan(MARK)
        told = text(await at.apply(MARK, plan))
    assert told.startswith(
        "A person must agree to this plan (ATTENDANCE_APPROVAL=human), and the window could not be opened: no browser "
        "answered. It waits until 11:00. Ask the person to run "
    )
    assert told.endswith(" Nothing was written.")
    assert at.left(plan) == Left.unwritten("waiting")


@ERAS
async def test_no_other_program_or_page_can_agree(stage: Stage, browser: Browser, stranger: Browser, era: Any) -> None:
    """A guessed address, a used one, a foreign Host, and clicks from a foreign page or with another browser's cookie."""
    statuses: list[int] = []

    def note(who: Browser) -> None:
        assert who.page is not None
        assert "Mia" not in who.text
        statuses.append(who.page.status_code)

    async with at_a_desktop(stage, era) as (at, desktop):
        plan = await at.plan(MARK)

        async def attack() -> None:
            address = httpx.URL(desktop.address)
            note(await stranger.open(str(address.join("/" + "A" * 43))))
            stranger.page = await stranger.client.get(address, headers={"host": "attendance.example"})
            note(stranger)
            await browser.open(str(address))
            page, ticket = browser.page, browser.ticket()
            assert page is not None
            note(await stranger.open(str(address)))  # opened twice
            note(await stranger.open(str(page.url)))
            stranger.page = page  # it knows the page's address and even its ticket
            note(await stranger.click("agree", ticket=ticket))
            for headers in (
                {"origin": "https://evil.example"},
                {"sec_fetch_site": "cross-site"},
                {"host": "attendance.example"},
            ):
                browser.page = page
                note(await browser.click("agree", ticket=ticket, **headers))
            assert at.left(plan) == Left.unwritten("waiting")
            browser.page = page
            await browser.click("discard", ticket=ticket)

        told = text(await while_it_is_open(at, desktop, MARK, plan, attack))
    assert statuses == [404, 421, 410, 403, 403, 403, 403, 421]
    assert told == ENDED
    assert at.left(plan) == Left.unwritten("discarded")


@ERAS
async def test_a_second_click_and_a_second_window_write_nothing_more(stage: Stage, browser: Browser, era: Any) -> None:
    async with at_a_desktop(stage, era, waits=0.02) as (at, desktop):
        plan = await at.plan(MARK)
        pages: list[tuple[httpx.Response, str]] = []
        for _ in range(2):  # two calls show one page twice

            async def look() -> None:
                await browser.open(desktop.address)

            await while_it_is_open(at, desktop, MARK, plan, look)
            assert browser.page is not None
            pages.append((browser.page, browser.ticket()))
        for page, ticket in [*pages, *pages]:
            browser.page = page
            await agree(browser, ticket)
            assert 'data-state="settled"' in browser.text
    assert at.left(plan) == Left.written(MARK, "human window")


@ERAS
async def test_an_apply_after_the_plans_hour_is_too_late(stage: Stage, browser: Browser, era: Any) -> None:
    async with at_a_desktop(stage, era, waits=0.02) as (at, desktop):
        plan = await at.plan(MARK)

        async def look() -> None:
            await browser.open(desktop.address)

        await while_it_is_open(at, desktop, MARK, plan, look)
        stage.elapse(minutes=60)
        await agree(browser)
    assert 'data-state="expired"' in browser.text
    assert at.left(plan) == Left.unwritten("waiting")


@ERAS
async def test_a_record_that_moved_while_the_page_was_open_is_left_alone(
    stage: Stage, browser: Browser, era: Any
) -> None:
    async with at_a_desktop(stage, era) as (at, desktop):
        plan = await at.plan(MARK)

        async def click() -> None:
            await browser.open(desktop.address)
            at.edit(MARK.edited)
            await agree(browser)

        told = text(await while_it_is_open(at, desktop, MARK, plan, click))
    assert "Changed in the school" in browser.text
    assert told == (
        "This plan is stale: a record had changed since it was made. Plan the changes again. Nothing was written."
    )
    assert at.left(plan) == Left.unwritten("stale", "human window")
