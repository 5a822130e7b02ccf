"""`python -m tests.window.pictures` takes the documents' pictures: a real plan and a register, shown by the real server in Chromium.

It needs Debian's packages chromium and chromium-driver, and Pillow, which makes the pictures small.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from anyio.from_thread import BlockingPortal, start_blocking_portal
from PIL import Image

from attendance_mcp.sandbox.database import open_engine
from attendance_mcp.sandbox.population import prepare
from attendance_mcp.server import App, open_app
from attendance_mcp.window.window import Window
from tests.changes.errands import apply, museum_trip
from tests.upstream_school import TODAY, Asking, UpstreamSchool

from .chromium import Chromium, chromium
from .conftest import WatchedDesktop

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
NOW = TODAY.replace(tzinfo=ZoneInfo("Asia/Singapore"))
COLOURS = 64


def main() -> None:
    """Writes every picture anew."""
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder, school_in(Path(folder)) as school:
        app = open_app(school.settings(ask_seconds=300))
        app.desk.now = lambda: NOW
        app.demo = True
        with chromium(Path(folder, "chromium")) as browser, start_blocking_portal() as portal:
            desktop = WatchedDesktop()
            app.window = portal.call(lambda: opened(desktop))
            with portal.wrap_async_context_manager(school.client(app=app)) as ask:
                take(school, app, browser, portal, ask, desktop)


@contextmanager
def school_in(folder: Path) -> Iterator[UpstreamSchool]:
    path = folder / "school.db"
    engine = open_engine(path)
    prepare(engine, size="small", today=TODAY)
    engine.dispose()
    with UpstreamSchool.open(path, today=TODAY) as school:
        yield school


async def opened(desktop: WatchedDesktop) -> Window:
    return Window(desktop.open, now=lambda: NOW)


def take(
    school: UpstreamSchool,
    app: App,
    browser: Chromium,
    portal: BlockingPortal,
    ask: Asking,
    desktop: WatchedDesktop,
) -> None:
    async def plan() -> dict[str, object]:
        return await ask.facts("plan_changes", changes=museum_trip(school))

    call = portal.start_task_soon(apply, ask, portal.call(plan))
    assert desktop.told.wait(20)
    browser.look(width=880)
    browser.open(desktop.opened[-1])
    browser.wait_for("12 changes")
    picture(browser, "plan-window.png")
    browser.look(width=360, dark=True)
    picture(browser, "plan-window-narrow-dark.png", most=900)
    browser.click("Apply 12 changes")
    browser.wait_for("12 done.")
    call.result(30)
    browser.look(width=880)
    picture(browser, "plan-window-done.png")
    portal.call(partial(ask.text, "show_in_window", view="register", group="Grade 9"))
    browser.look(width=880)
    browser.open(desktop.opened[-1])
    browser.wait_for("This page is served by your own computer")
    picture(browser, "register.png", most=760)


def picture(browser: Chromium, name: str, *, most: int = 2000) -> None:
    """The whole page, or its upper part, in few colours."""
    place = FOLDER / name
    browser.stretch(most)
    browser.picture(place)
    with Image.open(place) as taken:
        taken.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(place, optimize=True)
    sys.stdout.write(f"{name}: {place.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
