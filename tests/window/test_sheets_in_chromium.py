"""A person reads a register, a term and the journal in a real browser: narrowed down, small, dark, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from selenium.webdriver.common.keys import Keys

from attendance_mcp.server import open_app
from attendance_mcp.window.window import Window
from tests.changes.errands import DAY, absent
from tests.upstream_school import Asking, UpstreamSchool, text

from .chromium import MISSING, Chromium
from .conftest import Desktop
from .plans import HOSTILE

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)
SHOWN = "return [...document.querySelectorAll('tbody tr')].filter(row => row.offsetParent).length"


@dataclass(eq=False)
class Office:
    school: UpstreamSchool
    browser: Chromium
    portal: BlockingPortal
    ask: Asking
    desktop: Desktop

    def show(self, **arguments: Any) -> None:
        async def show() -> str:
            return text(await self.ask.client.call_tool("show_in_window", arguments))

        assert "open in the person's browser" in self.portal.call(show)
        self.browser.open(self.desktop.opened[-1])
        self.browser.wait_while("Opening the page")  # the file leads to the sheet by itself
        self.browser.wait_for("This page is served by your own computer")


@pytest.fixture
def at(school: UpstreamSchool, running: Chromium) -> Iterator[Office]:
    running.open("about:blank")
    running.look()
    running.requests()
    running.complaints()
    desktop = Desktop()
    app = open_app(school.settings())
    with start_blocking_portal() as portal:

        async def open_window() -> Window:
            return Window(desktop.open, now=lambda: desktop.now)

        app.window = portal.call(open_window)
        with portal.wrap_async_context_manager(school.client(app=app)) as ask:
            yield Office(school, running, portal, ask, desktop)


def test_a_register_with_a_hostile_name_is_narrowed_down_and_holds_what_the_school_does(at: Office) -> None:
    student = absent(at.school)[0]
    at.school.change("update students set last_name = :name where id = :id", name=HOSTILE[:250], id=student)
    (group,) = at.school.one(
        "select g.name from students s join year_groups g on g.id = s.year_group_id where s.id = :id", id=student
    )
    missing = at.school.one(
        "select count(*) from homeroom_marks m join students s on s.id = m.student_id join year_groups g "
        "on g.id = s.year_group_id where g.name = :group and m.date = :day and m.status = 0 and s.archived = 0",
        group=group,
        day=DAY,
    )[0]
    at.show(view="register", group=group)
    browser = at.browser
    assert "<script>document.title" in browser.text
    assert browser.title == "Register · Attendance"
    everybody = browser.run(SHOWN)
    browser.tab_to("every kind\n" + "\n".join(_options(browser, "kind")[1:]))
    browser.run(
        "const kind = document.getElementById('kind'); kind.value = 'absent'; "
        "document.getElementById('column').value = 'h'; kind.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    assert browser.run(SHOWN) == missing
    assert f"{missing} shown" in browser.text
    browser.run(
        "document.getElementById('kind').value = ''; document.getElementById('column').value = ''; "
        "document.getElementById('name').focus()"
    )
    browser.keys("zzzz")
    assert browser.run(SHOWN) == 0
    browser.keys(*[Keys.BACKSPACE] * 4)
    assert browser.run(SHOWN) == everybody
    assert browser.violations() == []
    assert browser.complaints() == []
    host = browser.run("return location.host")
    assert {
        address for address in browser.requests() if host not in address and not address.startswith(("file:", "about:"))
    } == set()


def _options(browser: Chromium, id: str) -> list[str]:
    return list(browser.run(f"return [...document.getElementById('{id}').options].map(option => option.text)"))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_sheet_can_be_read_on_a_small_screen_and_by_a_screen_reader(at: Office, dark: bool) -> None:
    student = str(absent(at.school)[0])
    at.browser.look(width=360, dark=dark)
    for arguments in (
        {"view": "register"},
        {"view": "term", "student": student},
        {"view": "term", "group": "Grade 8"},
        {"view": "changes"},
    ):
        at.show(**arguments)
        assert at.browser.violations() == [], arguments
        assert at.browser.run("return document.documentElement.scrollWidth") <= 360, arguments
    assert at.browser.complaints() == []


def test_a_register_is_a_roll_on_paper_and_says_that_it_is_no_evacuation_register(at: Office) -> None:
    at.show(view="register", group="Grade 8")
    at.browser.on_paper()
    assert at.browser.run("return getComputedStyle(document.querySelector('td.paper')).display") == "table-cell"
    assert at.browser.run("return document.getElementById('filters').offsetParent") is None
    assert "It is no evacuation register." in at.browser.text


def test_a_register_is_whole_without_scripts(at: Office) -> None:
    at.browser.look(scripts=False)
    at.show(view="register", group="Grade 8")
    at.browser.look()
    assert f"Register of Grade 8, Tue {DAY}" in at.browser.text
    assert at.browser.run("return document.getElementById('filters').hidden") is True
