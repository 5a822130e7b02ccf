"""A person reads and agrees to a plan in a real browser: by mouse, by keyboard alone, small, dark, without scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from selenium.webdriver.common.keys import Keys

from attendance_mcp.window.window import Window

from .chromium import MISSING, Chromium
from .conftest import Desktop
from .plans import HOSTILE, PlanInMemory, trip

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)
Show = Callable[[PlanInMemory], None]


@pytest.fixture
def browser(running: Chromium) -> Chromium:
    running.open("about:blank")
    running.look()
    running.requests()
    running.complaints()
    return running


@pytest.fixture
def portal() -> Iterator[BlockingPortal]:
    """The server's event loop, in a thread of its own beside the browser's driver."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def show(portal: BlockingPortal, browser: Chromium) -> Iterator[Show]:
    """Shows a plan as the server does, and opens in Chromium what the window opens."""
    desktop = Desktop()

    async def open_window() -> Window:
        return Window(desktop.open, now=lambda: desktop.now)

    window = portal.call(open_window)

    shown: list[PlanInMemory] = []

    def show_plan(plan: PlanInMemory) -> None:
        shown.append(plan)
        portal.call(window.show, plan)
        browser.open(desktop.opened[-1])
        browser.wait_for(f"{len(plan.shown.rows)} change")

    yield show_plan
    for plan in shown:
        portal.call(plan.may_go_on.set)
    portal.call(window.aclose)


def test_a_trip_of_23_with_a_hostile_note_is_read_applied_and_undone(browser: Chromium, show: Show) -> None:
    plan = PlanInMemory(trip(hostile=True))
    show(plan)
    assert '<script>document.title="owned"</script><img src=x onerror=alert(1)>' in browser.text
    assert "apply this plan at once”" in browser.text
    assert browser.title.startswith("Waits for you")
    assert plan.clicks == []
    browser.click("Apply 23 changes")
    browser.wait_for("23 done.")
    browser.click("Undo")
    browser.wait_for("Undo: Mark 23 students")
    assert plan.way_back is not None and plan.way_back.clicks == []
    browser.click("Apply 23 changes")
    browser.wait_for("You may close this page.")
    assert plan.way_back.clicks == ["agree"]
    assert browser.complaints() == []


def test_no_page_asks_anything_of_anybody_else(browser: Chromium, show: Show) -> None:
    show(PlanInMemory(trip(hostile=True)))
    browser.click("Apply 23 changes")
    browser.wait_for("23 done.")
    asked = [url for url in browser.requests() if not url.startswith("about:")]
    assert asked[0].startswith("file://")
    assert {url.split("/")[2].split(":")[0] for url in asked[1:]} == {"127.0.0.1"}
    assert browser.run("return performance.getEntriesByType('resource').length") == 2  # the style and the script


def test_the_keyboard_alone_is_enough(browser: Chromium, show: Show) -> None:
    plan = PlanInMemory(trip())
    show(plan)
    browser.keys(Keys.ENTER)  # nothing is chosen for the person
    assert plan.clicks == []
    browser.tab_to("Go to your decision")
    browser.keys(Keys.ENTER)
    browser.keys(Keys.TAB)
    assert browser.focused == "Apply 23 changes"
    browser.keys(Keys.TAB)
    assert browser.focused == "Discard"
    assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    browser.keys(Keys.SHIFT, Keys.TAB)
    browser.tab_to("Apply 23 changes")
    browser.keys(Keys.ENTER)
    browser.wait_for("23 done.")
    browser.tab_to("Undo")
    assert plan.clicks == ["agree"]


def test_the_outcome_of_a_slow_plan_appears_by_itself_and_is_read_out(
    browser: Chromium, show: Show, portal: BlockingPortal
) -> None:
    plan = PlanInMemory(trip(), outcomes=(("refused", "Date is locked"),))
    plan.may_go_on.clear()
    show(plan)
    browser.click("Apply 23 changes")
    browser.wait_for("0 of 23 changes carried out so far.")
    assert browser.violations() == []
    portal.call(plan.may_go_on.set)
    browser.wait_for("You may close this page.")
    assert browser.run("return document.querySelector('[role=status]').textContent") == "22 done, 1 refused."
    assert browser.title.startswith("Carried out")


def test_two_quick_clicks_are_one(browser: Chromium, show: Show) -> None:
    plan = PlanInMemory(trip())
    show(plan)
    browser.run("const apply = document.querySelector('button.apply'); apply.click(); apply.click();")
    browser.wait_for("23 done.")
    assert plan.clicks == ["agree"]


def test_without_scripts_a_slow_plan_is_followed_to_its_outcome(
    browser: Chromium, show: Show, portal: BlockingPortal
) -> None:
    plan = PlanInMemory(trip())
    plan.may_go_on.clear()
    browser.look(scripts=False)
    show(plan)
    browser.click("Apply 23 changes")
    browser.wait_for("0 of 23 changes carried out so far.")
    portal.call(plan.may_go_on.set)
    browser.wait_for("23 done.")
    assert plan.clicks == ["agree"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1000, 360])
def test_axe_finds_no_violation_before_or_after(browser: Chromium, show: Show, dark: bool, width: int) -> None:
    browser.look(dark=dark, width=width)
    show(PlanInMemory(trip(hostile=True), outcomes=(("refused", "Date is locked"), ("unknown", ""))))
    for change in ("Apply 23 changes", ""):
        assert browser.violations() == []
        assert browser.run("return document.documentElement.scrollWidth") <= width
        if change:
            browser.click(change)
            browser.wait_for("21 done, 1 refused, 1 unknown.")


def test_a_plan_of_500_stays_in_reach_and_accessible(browser: Chromium, show: Show) -> None:
    browser.look(width=360)
    show(PlanInMemory(trip(number=500)))
    assert browser.run("return document.documentElement.scrollHeight") < 5000
    assert browser.violations() == []
    browser.run("window.dispatchEvent(new Event('beforeprint'))")
    assert browser.text.count("to Fieldtrip") == 500


def test_the_hostile_text_is_one_that_would_do_harm(browser: Chromium, tmp_path: Path) -> None:
    page = tmp_path / "unescaped.html"
    page.write_text(f"<!doctype html><title>harmless</title>{HOSTILE}", "utf-8")
    browser.open(page.as_uri())
    assert browser.run("return document.title") == "owned"
