"""ATTENDANCE_PRIVACY=codes: what a person opens has names, and the assistant who opened it for them is told codes."""

from __future__ import annotations

import json

import anyio
import pytest

from attendance_mcp.server import open_app
from attendance_mcp.window.window import Window
from tests.changes.errands import DAY, absent, named
from tests.cli.shell import command
from tests.window.conftest import Browser, Desktop, browser

from .everything import whole
from .people import CODE, People, codes_of

pytestmark = pytest.mark.anyio
__all__ = ["browser"]
CODES = {"privacy": "codes"}


async def test_the_sheets_of_the_window_have_names(school, browser: Browser):
    student, desktop = absent(school)[0], Desktop()
    first, last, advisor = school.one(
        """select s.first_name, s.last_name, t.first_name || ' ' || t.last_name from students s
           join teachers t on t.id = s.homeroom_advisor_id where s.id = :id""",
        id=student,
    )
    app = open_app(school.settings(**CODES))
    app.window = Window(desktop.open)
    pages, read = [], []
    async with school.client(app=app, **CODES) as ask:
        code = (await codes_of(ask, "student", [student]))[student]
        (found,) = (await ask.facts("find_in_school", names_or_ids=[code]))["found"]
        await ask.facts("set_homeroom_attendance", student_id=code, date=DAY, status=2)
        homeroom = f"{found['of']} {found['homeroom']}"
        for arguments in (
            {"view": "term", "student": code},
            {"view": "register", "group": homeroom},
            {"view": "term", "group": homeroom},
            {"view": "changes"},
        ):
            read.append(whole(await ask("show_in_window", **arguments)))
            await browser.open(desktop.address)
            pages.append(browser.text)
    assert all(f"{first} {last}" in page and not CODE.search(page) for page in pages)
    assert all(f"{found['of']} {advisor}" in page for page in pages[1:3])
    assert "has changed since" not in pages[3]  # the plan that waits there can be agreed to
    assert code in read[0] and homeroom in read[1]
    assert People(school).in_("\n".join(read)) == set()


async def test_an_export_has_names_and_a_call_from_the_shell_codes(same_school, tmp_path):
    student = absent(same_school)[0]
    settings = same_school.environment(**CODES, store=str(tmp_path / "plans.db"))

    def run(*words: str):
        return command(*words, settings=settings)

    exported = await anyio.to_thread.run_sync(run, "export", "absences")
    called = await anyio.to_thread.run_sync(run, "call", "list_absences", json.dumps({"date": DAY}))
    assert named(same_school, student).partition(" (")[0] in exported.stdout
    assert not CODE.search(exported.stdout)
    assert CODE.search(called.stdout)
    assert People(same_school).in_(called.stdout) == set()
