"""A plan is read on the page, agreed to or discarded there, and its outcome told, without any script."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from attendance_mcp.errors import AttendanceError, PlanStale
from attendance_mcp.window.window import Window

from .conftest import Browser, Desktop
from .plans import HOSTILE, PlanInMemory, one_mark, trip

pytestmark = pytest.mark.anyio
MAY_CLOSE = "You may close this page."
NOTHING = "Nothing was written."


class Reader(HTMLParser):
    """The words and the elements of a page as a browser takes them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words, self.elements = "", list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]

    def handle_data(self, data: str) -> None:
        self.words += data


def words(browser: Browser) -> str:
    return " ".join(Reader(browser.text).words.split())


async def test_every_change_is_read_before_anything_is_written(
    window: Window, desktop: Desktop, browser: Browser
) -> None:
    plan = PlanInMemory(trip())
    await window.show(plan)
    await browser.open(desktop.address)
    text = words(browser)
    assert plan.shown.summary in text
    for row in plan.shown.rows:
        assert row.student in text
    assert text.count("homeroom, Tue 24 Nov") == 23
    assert "from Absent → to Fieldtrip" in text
    assert "note “Back at 15:00 with Ms Lindqvist”" in text
    for warning in plan.shown.warnings:
        assert warning in text
    assert "Left out: 2 records already so." in text
    assert "waits until 11:30 on Tue 2026-11-24." in text
    assert "Demonstration" in text and "Lakeside School" in text
    assert "Apply 23 changes" in text
    assert plan.clicks == []


async def test_a_real_school_shows_no_word_of_a_demonstration(
    window: Window, desktop: Desktop, browser: Browser
) -> None:
    await window.show(PlanInMemory(one_mark()))
    assert "Demonstration" not in words(await browser.open(desktop.address))


async def test_apply_carries_the_plan_out_and_tells_each_outcome(
    window: Window, desktop: Desktop, browser: Browser
) -> None:
    plan = PlanInMemory(trip(), outcomes=(("refused", "Date is locked"), ("unknown", ""), ("not sent", "time ran out")))
    await window.show(plan)
    await (await browser.open(desktop.address)).click("agree")
    text = words(browser)
    assert plan.clicks == ["agree"]
    assert "20 done, 1 refused, 1 unknown, 1 not sent." in text
    assert "refused Date is locked" in text and "not sent time ran out" in text
    assert text.index("3 changes not done") < text.index("20 changes done")
    assert "Read these records before anything is sent again" in text
    assert NOTHING not in text
    assert MAY_CLOSE in text
    assert "Apply 23" not in text


async def test_nothing_was_written_is_said_where_no_row_was_sent(
    window: Window, desktop: Desktop, browser: Browser
) -> None:
    plan = PlanInMemory(one_mark(), outcomes=(("not sent", "time ran out"),))
    await window.show(plan)
    await (await browser.open(desktop.address)).click("agree")
    assert NOTHING in words(browser)


async def test_discard_ends_the_plan_and_says_that_nothing_was_written(
    window: Window, desktop: Desktop, browser: Browser
) -> None:
    plan = PlanInMemory(trip())
    await window.show(plan)
    await (await browser.open(desktop.address)).click("discard")
    assert plan.clicks == ["discard"]
    assert NOTHING in words(browser) and MAY_CLOSE in words(browser)
    assert "<form" not in browser.text


@pytest.mark.parametrize("state", ["stale", "discarded", "expired"])
async def test_a_plan_that_ended_without_a_write_says_so_and_offers_no_buttons(
    window: Window, desktop: Desktop, browser: Browser, state: str
) -> None:
    await window.show(PlanInMemory(one_mark(state=state)))
    await browser.open(desktop.address)
    assert NOTHING in words(browser)
    assert "<button" not in browser.text


async def test_a_plan_past_its_time_can_no_longer_be_agreed_to(
    window: Window, desktop: Desktop, browser: Browser
) -> None:
    plan = PlanInMemory(one_mark())
    await window.show(plan)
    await browser.open(desktop.address)
    ticket = browser.ticket()
    desktop.now = plan.shown.expires
    await browser.reload()
    assert "Nobody agreed to this plan in time" in words(browser)
    await browser.click("agree", ticket=ticket)
    assert plan.clicks == []


async def test_a_plan_under_way_shows_its_progress_and_a_second_click_adds_nothing(
    window: Window, desktop: Desktop, browser: Browser
) -> None:
    plan = PlanInMemory(trip())
    plan.may_go_on.clear()
    await window.show(plan)
    await browser.open(desktop.address)
    ticket = browser.ticket()
    await browser.click("agree")
    first = plan.shown.rows[0]
    plan.shown = replace(plan.shown, rows=(replace(first, outcome="done"), *plan.shown.rows[1:]))
    await browser.reload()
    assert "1 of 23 changes carried out so far." in words(browser)
    assert '<noscript><meta http-equiv="refresh"' in browser.text
    for what in ("agree", "discard", "undo"):
        await browser.click(what, ticket=ticket)
    plan.may_go_on.set()
    await browser.reload()
    assert "23 done." in words(browser)
    assert plan.clicks == ["agree"]


async def test_two_clicks_at_once_carry_the_plan_out_once(window: Window, desktop: Desktop, browser: Browser) -> None:
    plan = PlanInMemory(one_mark())
    await window.show(plan)
    await browser.open(desktop.address)
    other = Browser(browser.client, browser.page)
    await asyncio.gather(browser.click("agree"), other.click("agree"))
    assert plan.clicks == ["agree"]
    assert "1 done." in words(browser) and "1 done." in words(other)


async def test_a_page_that_was_asked_for_before_a_click_shows_what_came_of_it(
    window: Window, desktop: Desktop, browser: Browser
) -> None:
    plan = PlanInMemory(one_mark())
    await window.show(plan)
    await browser.open(desktop.address)
    other = Browser(browser.client, browser.page)
    plan.may_be_read.clear()
    plan.asked.clear()
    looking = asyncio.create_task(other.reload())
    await plan.asked.wait()
    plan.asked.clear()
    clicking = asyncio.create_task(browser.click("agree"))
    await plan.asked.wait()
    plan.may_be_read.set()
    await asyncio.gather(looking, clicking)
    assert "1 done." in words(other) and "1 done." in words(browser)


async def test_what_went_wrong_is_said_and_the_plan_can_be_tried_again(
    window: Window, desktop: Desktop, browser: Browser
) -> None:
    plan = PlanInMemory(one_mark(), fails_with=AttendanceError("The school's system was too slow. The plan waits."))
    await window.show(plan)
    await (await browser.open(desktop.address)).click("agree")
    assert "The school's system was too slow. The plan waits." in words(browser)
    plan.fails_with = None
    await browser.click("agree")
    assert "1 done." in words(browser)


async def test_a_plan_that_turned_out_stale_says_what_has_changed(
    window: Window, desktop: Desktop, browser: Browser
) -> None:
    plan = PlanInMemory(one_mark(), fails_with=PlanStale("Changed in the school's system since the plan: homeroom."))
    await window.show(plan)
    await browser.open(desktop.address)
    ticket = browser.ticket()
    plan.shown = replace(plan.shown, state="stale")
    await browser.click("agree", ticket=ticket)
    assert "since the plan: homeroom." in words(browser) and NOTHING in words(browser)


async def test_a_fault_of_ours_shows_no_traceback_and_claims_nothing(
    window: Window, desktop: Desktop, browser: Browser
) -> None:
    plan = PlanInMemory(one_mark(), fails_with=RuntimeError("secret detail"))
    await window.show(plan)
    await (await browser.open(desktop.address)).click("agree")
    assert "list_changes" in words(browser)
    assert "secret detail" not in browser.text and NOTHING not in words(browser)


async def test_undo_is_a_plan_of_the_way_back_on_the_same_page(
    window: Window, desktop: Desktop, browser: Browser
) -> None:
    plan = PlanInMemory(one_mark())
    await window.show(plan)
    await (await browser.open(desktop.address)).click("agree")
    old = browser.ticket()
    await browser.click("undo")
    assert plan.way_back is not None
    assert "from Late → to Absent" in words(browser)
    assert plan.way_back.clicks == []
    await browser.click("agree", ticket=old)  # from another tab, which still shows the first plan
    assert plan.way_back.clicks == [] and plan.clicks == ["agree", "undo"]
    await browser.click("agree")
    assert plan.way_back.clicks == ["agree"]
    assert "1 done." in words(browser)


async def test_hostile_text_is_words_and_nothing_else(window: Window, desktop: Desktop, browser: Browser) -> None:
    plain, hostile = PlanInMemory(one_mark()), PlanInMemory(one_mark(), key="another")
    row = replace(plain.shown.rows[0], student=HOSTILE, record=HOSTILE, was=HOSTILE, becomes=HOSTILE)
    told = {"summary": HOSTILE, "message": HOSTILE, "school": HOSTILE, "warnings": (HOSTILE,), "rows": (row,)}
    hostile.shown = one_mark(**told)
    plain.shown = one_mark(**{**told, **dict.fromkeys(("summary", "message", "school"), "."), "warnings": (".",)})
    plain.shown = replace(plain.shown, rows=(replace(row, student=".", record=".", was=".", becomes="."),))
    pages = []
    for plan in (plain, hostile):
        await window.show(plan)
        pages.append(Reader((await browser.open(desktop.address)).text))
    assert pages[0].elements == pages[1].elements
    assert '<script>document.title="owned"</script>' in pages[1].words
    assert "\u202e" not in browser.text
    assert browser.text.count("<script") == 1


async def test_a_plan_of_500_changes_is_folded_by_student_and_whole(
    window: Window, desktop: Desktop, browser: Browser
) -> None:
    view = trip(number=250)
    twice = tuple(replace(row, record=record) for record in ("homeroom", "period 1") for row in view.rows)
    await window.show(PlanInMemory(replace(view, rows=twice)))
    await browser.open(desktop.address)
    assert browser.text.count("<details>") == 10
    assert words(browser).count("→") == 500
    assert browser.text.count("<h3>") == len({row.student for row in twice})


async def test_the_title_names_nobody(window: Window, desktop: Desktop, browser: Browser) -> None:
    await window.show(PlanInMemory(one_mark()))
    await browser.open(desktop.address)
    assert "<title>Waits for you: plan of changes · Attendance</title>" in browser.text


async def test_the_page_is_gone_some_minutes_after_its_outcome_was_seen(
    window: Window, desktop: Desktop, browser: Browser
) -> None:
    await window.show(PlanInMemory(one_mark()))
    await (await browser.open(desktop.address)).click("agree")
    other = PlanInMemory(one_mark(), key="another")  # keeps the port open
    await window.show(other)
    desktop.now += timedelta(minutes=9)
    assert "1 done." in words(await browser.reload())
    desktop.now += timedelta(minutes=1)
    await browser.reload()
    assert browser.page is not None and browser.page.status_code == 410
    assert "Mia" not in browser.text


async def test_the_page_is_gone_some_minutes_after_the_plan_expired(
    window: Window, desktop: Desktop, browser: Browser
) -> None:
    plan = PlanInMemory(one_mark())
    await window.show(plan)
    await browser.open(desktop.address)
    desktop.now = plan.shown.expires + timedelta(minutes=10)
    await window.show(PlanInMemory(replace(plan.shown, expires=desktop.now + timedelta(hours=1)), key="another"))
    await browser.reload()
    assert browser.page is not None and browser.page.status_code == 410
    assert plan.clicks == []
