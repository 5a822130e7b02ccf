"""The address serves once and stands nowhere; the page opens for one browser, and only its own clicks count."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import stat
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import anyio
import httpx
import pytest

from attendance_mcp.errors import AttendanceError
from attendance_mcp.window.window import Window
from tests.measured import measured

from .conftest import Browser, Desktop
from .plans import PlanInMemory, one_mark

pytestmark = pytest.mark.anyio


@pytest.fixture
def plan() -> PlanInMemory:
    return PlanInMemory(one_mark())


@pytest.fixture
async def page(window: Window, desktop: Desktop, browser: Browser, plan: PlanInMemory) -> Browser:
    """The plan's page, open in the person's browser."""
    await window.show(plan)
    return await browser.open(desktop.address)


def status(browser: Browser) -> int:
    assert browser.page is not None
    return browser.page.status_code


def url(browser: Browser) -> httpx.URL:
    assert browser.page is not None
    return browser.page.url


def unharmed(browser: Browser, plan: PlanInMemory) -> bool:
    """A refusal shows nothing of the plan, and the plan still waits."""
    return "Mia" not in browser.text and "<form" not in browser.text and not plan.clicks


async def test_the_address_is_loopback_with_a_256_bit_token(
    window: Window, desktop: Desktop, plan: PlanInMemory
) -> None:
    await window.show(plan)
    address = httpx.URL(desktop.address)
    assert (address.scheme, address.host) == ("http", "127.0.0.1")
    assert address.port and address.port > 1023
    assert len(address.path.removeprefix("/")) == 43  # 32 bytes in base64
    assert plan.key not in desktop.address


async def test_the_browser_is_told_of_a_private_file_not_of_the_address(
    window: Window, desktop: Desktop, plan: PlanInMemory
) -> None:
    await window.show(plan)
    token = desktop.address.rsplit("/", 1)[1]
    assert desktop.opened[-1].startswith("file://")
    assert token not in desktop.opened[-1] and "127.0.0.1" not in desktop.opened[-1]
    if os.name == "posix":
        assert stat.S_IMODE(desktop.file.stat().st_mode) == 0o600
        assert stat.S_IMODE(desktop.file.parent.stat().st_mode) == 0o700


async def test_the_file_is_deleted_once_it_served(page: Browser, desktop: Desktop) -> None:
    assert status(page) == 200
    assert not desktop.file.exists() and not desktop.file.parent.exists()


async def test_the_file_and_its_address_last_a_minute(
    window: Window, desktop: Desktop, browser: Browser, plan: PlanInMemory
) -> None:
    await window.show(plan)
    address = desktop.address
    desktop.now += timedelta(seconds=60)
    await browser.open(address)
    assert status(browser) == 410 and unharmed(browser, plan)
    assert not desktop.file.exists()


async def test_an_address_that_was_used_says_so_and_shows_no_plan(
    window: Window, desktop: Desktop, browser: Browser, stranger: Browser, plan: PlanInMemory
) -> None:
    await window.show(plan)
    address = desktop.address
    await browser.open(address)
    await stranger.open(address)
    assert status(stranger) == 410 and unharmed(stranger, plan)
    assert "used already" in stranger.text
    await browser.click("agree")
    assert plan.clicks == ["agree"]


async def test_a_guessed_address_shows_no_plan_and_spends_none(
    window: Window, desktop: Desktop, browser: Browser, stranger: Browser, plan: PlanInMemory
) -> None:
    await window.show(plan)
    address = desktop.address
    for guess in ("A" * 43, "%F0%9F%97%9D", "plan", ".."):
        await stranger.open(str(httpx.URL(address).join(f"/{guess}")))
        assert status(stranger) == 404 and unharmed(stranger, plan)
    assert "Mia" in (await browser.open(address)).text


async def test_asking_for_the_head_of_an_address_spends_nothing(
    window: Window, desktop: Desktop, browser: Browser, stranger: Browser, plan: PlanInMemory
) -> None:
    await window.show(plan)
    address = desktop.address
    for method in ("HEAD", "OPTIONS", "PUT", "DELETE"):
        assert (await stranger.client.request(method, address)).status_code == 405
    assert "Mia" in (await browser.open(address)).text


async def test_the_page_opens_only_with_the_cookie_of_the_browser_that_opened_it(
    page: Browser, stranger: Browser, plan: PlanInMemory
) -> None:
    await stranger.open(str(url(page)))
    assert status(stranger) == 403 and unharmed(stranger, plan)
    stranger.client.cookies.set("attendance-plan", "A" * 43, domain="127.0.0.1")
    await stranger.open(str(url(page)))
    assert status(stranger) == 403 and unharmed(stranger, plan)
    await stranger.click("agree", ticket=page.ticket())
    assert status(stranger) == 403 and unharmed(stranger, plan)


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(
    window: Window, desktop: Desktop, stranger: Browser, plan: PlanInMemory
) -> None:
    await window.show(plan)
    answer = await stranger.client.get(desktop.address)
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert len(name.partition("=")[2]) == 43
    path = next(one for one in attributes if one.startswith("Path=")).removeprefix("Path=")
    assert path.startswith("/plan/") and plan.key not in path
    assert {"HttpOnly", "SameSite=strict"} <= set(attributes)


async def test_a_foreign_host_name_reaches_nothing(
    window: Window, desktop: Desktop, browser: Browser, plan: PlanInMemory
) -> None:
    await window.show(plan)
    address = desktop.address
    port = httpx.URL(address).port
    for host in (
        "evil.example",
        f"evil.example:{port}",
        f"localhost:{port}",
        "127.0.0.1",
        f"127.0.0.1:{port}.evil.example",
    ):
        browser.page = await browser.client.get(address, headers={"host": host})
        assert status(browser) == 421 and unharmed(browser, plan)
    assert "Mia" in (await browser.open(address)).text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
    ],
    ids=str,
)
async def test_a_click_from_another_page_does_nothing(
    page: Browser, plan: PlanInMemory, headers: dict[str, str]
) -> None:
    await page.click("agree", **headers)
    assert status(page) == 403 and unharmed(page, plan)


async def test_a_click_that_names_no_origin_at_all_does_nothing(page: Browser, plan: PlanInMemory) -> None:
    answer = await page.client.post(f"{url(page)}/agree", data={"ticket": page.ticket()})
    assert answer.status_code == 403 and not plan.clicks


@pytest.mark.parametrize("ticket", ["A" * 43, "é", " "])
async def test_a_click_without_the_pages_own_ticket_does_nothing(
    page: Browser, plan: PlanInMemory, ticket: str
) -> None:
    await page.click("agree", ticket=ticket)
    assert status(page) == 403 and unharmed(page, plan)


async def test_the_ticket_of_another_plan_does_nothing(
    window: Window, desktop: Desktop, page: Browser, plan: PlanInMemory
) -> None:
    own = url(page)
    other = PlanInMemory(one_mark(), key="another")
    await window.show(other)
    ticket = (await page.open(desktop.address)).ticket()
    await page.open(str(own))
    await page.click("agree", ticket=ticket)
    assert status(page) == 403 and not plan.clicks and not other.clicks


async def test_too_long_a_body_or_another_kind_of_body_is_refused(page: Browser, plan: PlanInMemory) -> None:
    headers = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
    where, ticket = f"{url(page)}/agree", page.ticket()
    long = await page.client.post(where, content=f"ticket={ticket}&more=" + "x" * 5000, headers=headers)
    many = await page.client.post(where, content=f"ticket={ticket}" + "&a=1" * 10, headers=headers)
    json = await page.client.post(where, json={"ticket": ticket}, headers={"sec-fetch-site": "same-origin"})
    assert (long.status_code, many.status_code, json.status_code) == (413, 400, 415)
    assert not plan.clicks


async def test_an_unknown_click_and_a_click_by_get_do_nothing(page: Browser, plan: PlanInMemory) -> None:
    where = str(url(page))
    ticket = page.ticket()
    assert (await page.client.get(f"{where}/agree", params={"ticket": ticket})).status_code == 405
    await page.click("destroy")
    assert status(page) == 404 and not plan.clicks


async def test_every_answer_forbids_frames_foreign_content_and_keeping(
    window: Window, desktop: Desktop, browser: Browser, plan: PlanInMemory
) -> None:
    await window.show(plan)
    address = desktop.address
    first = await browser.client.get(address)
    page = (await browser.open(str(httpx.URL(address).join(first.text.split("0;url=")[1].split('"')[0])))).page
    assert page is not None and page.status_code == 200
    others = [await browser.client.get(httpx.URL(address).join(path)) for path in ("/window.css", "/window.js", "/no")]
    for answer in (first, page, *others):
        policy = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin")
        assert "server" not in answer.headers
    assert first.headers["referrer-policy"] == "no-referrer"  # its own address is the one that must not travel


async def test_nothing_of_the_address_is_logged_or_printed(
    window: Window,
    desktop: Desktop,
    browser: Browser,
    plan: PlanInMemory,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    await window.show(plan)
    address = desktop.address
    await (await browser.open(address)).click("agree")
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert not [record for record in ours if record.name.startswith("uvicorn")]
    assert address.rsplit("/", 1)[1] not in " ".join(record.getMessage() for record in ours)
    assert capfd.readouterr() == ("", "")


async def test_showing_a_plan_again_gives_a_new_address_to_the_same_page(
    window: Window, desktop: Desktop, page: Browser, stranger: Browser, plan: PlanInMemory
) -> None:
    await window.show(plan)
    address = desktop.address
    await stranger.open(address)
    assert url(stranger) == url(page)
    await stranger.click("discard")
    assert "was discarded" in (await page.reload()).text


async def test_where_no_browser_opens_the_window_says_so_and_leaves_nothing_behind(
    window: Window, desktop: Desktop, plan: PlanInMemory
) -> None:
    desktop.answers = False
    with pytest.raises(AttendanceError, match="no browser"):
        await window.show(plan)
    assert not desktop.file.parent.exists()
    assert not plan.clicks


async def test_the_port_is_closed_when_no_page_is_left(desktop: Desktop, browser: Browser, plan: PlanInMemory) -> None:
    window = Window(desktop.open, now=lambda: desktop.now, linger=timedelta(0))
    await window.show(plan)
    await browser.open(desktop.address)
    await browser.click("agree")
    with anyio.fail_after(5), pytest.raises(httpx.TransportError):
        while True:
            await browser.client.get(url(browser))
    await window.show(PlanInMemory(one_mark(), key="another"))
    assert "Mia" in (await browser.open(desktop.address)).text
    await window.aclose()


async def test_closing_waits_for_what_is_under_way_and_leaves_no_file_and_no_port(
    desktop: Desktop, browser: Browser, plan: PlanInMemory
) -> None:
    window = Window(desktop.open, now=lambda: desktop.now)
    await window.show(plan)
    await browser.open(desktop.address)
    plan.may_go_on.clear()
    await browser.click("agree")
    await window.show(PlanInMemory(one_mark(), key="another"))
    closing = asyncio.create_task(window.aclose())
    await asyncio.wait([closing], timeout=0.05)
    assert not closing.done() and not desktop.file.exists()
    plan.may_go_on.set()
    await closing
    assert plan.shown.state == "settled"
    with pytest.raises(httpx.TransportError):
        await browser.client.get(url(browser))


async def test_the_window_takes_no_signal_from_the_server_that_it_lives_in(
    window: Window, desktop: Desktop, plan: PlanInMemory
) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    await window.show(plan)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


async def test_a_window_that_showed_nothing_closes_and_has_loaded_no_web_server(desktop: Desktop) -> None:
    code = (
        "import asyncio, sys\n"
        "from attendance_mcp.window.window import Window\n"
        "asyncio.run(Window().aclose())\n"
        "print([name for name in ('uvicorn', 'starlette', 'webbrowser') if name in sys.modules])"
    )
    ended = await anyio.run_process([sys.executable, "-c", code])
    assert ended.stdout.decode().strip() == "[]"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="these variables tell of a desktop on Linux only")
@pytest.mark.parametrize(
    ("desk", "there"),
    [
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, True),
        ({}, False),
        ({"DISPLAY": ":0", "CI": "true"}, False),
        ({"DISPLAY": ":10", "SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}, False),
        ({"DISPLAY": ":0", "BROWSER": "w3m"}, False),
    ],
    ids=str,
)
async def test_a_browser_can_be_opened_only_where_a_person_sits_at_a_desktop(
    tmp_path: Path, desk: dict[str, str], there: bool
) -> None:
    for name in ("a-browser", "w3m"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    env = {"PATH": str(tmp_path), "BROWSER": "a-browser", **desk, **measured()}
    code = "from attendance_mcp.window.window import Window\nprint(Window().available())"
    ended = await anyio.run_process([sys.executable, "-c", code], env=env)
    assert ended.stdout.decode().strip() == str(there)


async def test_with_an_opener_of_ones_own_the_window_is_available(window: Window) -> None:
    assert window.available()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a browser of our own is named as on Linux")
async def test_the_desktops_browser_gets_the_file_alone_and_cannot_write_on_our_output(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, plan: PlanInMemory, capfd: pytest.CaptureFixture[str]
) -> None:
    told = tmp_path / "told"
    browser = tmp_path / "a-browser"
    browser.write_text(f'#!/bin/sh\necho Opening in existing browser session.\necho "$@" > {told}\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    monkeypatch.setenv("DISPLAY", ":0")
    window = Window()
    await window.show(plan)
    try:
        with anyio.fail_after(5):
            while not told.exists() or not told.read_text():
                await anyio.lowlevel.checkpoint()
        assert told.read_text().startswith(f"file://{tempfile.gettempdir()}/attendance-")
        assert "127.0.0.1" not in told.read_text()
        assert capfd.readouterr() == ("", "")
    finally:
        await window.aclose()
