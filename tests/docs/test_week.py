"""The school's week of `docs/use.md`: each question is asked of the demo on its day, each change made and kept."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import anyio.to_thread
import pytest
from mcp import Client

from attendance_mcp.demo import demo_file
from attendance_mcp.server import build, open_app
from attendance_mcp.settings import Settings
from attendance_mcp.window.window import Window
from tests.cli.shell import command
from tests.upstream_school import Asking
from tests.window.conftest import Desktop

from .documents import hold
from .exchanges import Exchange, agreed, fenced, without_chance

pytestmark = pytest.mark.anyio

PAGE = "docs/use.md"
ZONE = "Asia/Singapore"
MONDAY = datetime(2026, 11, 23)


@asynccontextmanager
async def office(days: int, time: str, desktop: Desktop | None = None) -> AsyncIterator[Exchange]:
    """The demo's office on a day of that week, with a client that can ask its user."""
    today = datetime.fromisoformat(f"{MONDAY + timedelta(days=days):%Y-%m-%d}T{time}")
    exchange = Exchange(whole=True)

    async def answer(_: object, params: object) -> object:
        return await exchange.answers(params, apply=True)

    settings = Settings(demo=True, today=today, timezone=ZONE)
    app = open_app(settings)
    app.desk.now = lambda: today.replace(tzinfo=ZoneInfo(ZONE))
    if desktop is not None:
        app.window = Window(desktop.open, now=app.desk.now)
    async with Client(build(settings, app=app), elicitation_callback=answer) as client:
        exchange.ask = Asking(client)
        yield exchange


async def agrees(exchange: Exchange, plan: dict[str, object], words: str) -> None:
    exchange.says(words)
    exchange.shows_call("apply_changes", **agreed(plan))
    assert exchange.ask is not None
    exchange.shows(await exchange.ask("apply_changes", **agreed(plan)))


def holds(name: str, exchange: Exchange, *wanted: str) -> None:
    hold(PAGE, name, exchange.only("→ ", *wanted), plain=without_chance)


async def test_each_question_of_the_week_is_answered_as_the_page_shows():
    await monday()
    await tuesday()
    await thursday()
    await friday()


async def monday() -> None:
    async with office(0, "08:45") as at:
        at.says("Which registers are still missing?")
        await at.calls("list_missing_registers")
        holds("registers", at, "wholly taken", "Grade")
    async with office(0, "09:10") as at:
        at.says("Who is absent, and nobody has told us why?")
        await at.calls("list_absences", unexplained_only=True)
        holds("absent", at, "absent ", "Absent,", "Registers not")
    async with office(0, "10:00") as at:
        at.says("Daisy Sedgwick's mother is on the phone: a stomach bug, home until Wednesday. Write the excusal.")
        found = await at.calls("find_in_school", names_or_ids=["Daisy Sedgwick"])
        student = found["found"][0]
        plan = await at.calls(
            "create_excusal",
            student_id=student["id"],
            parent_id=int(next(iter(student["parents"]))),
            start_date="today",
            end_date="2026-11-25",
            comment="Stomach bug, told by telephone.",
        )
        await agrees(at, plan, "Yes.")
        holds("excusal", at, "Daisy", "Plan, nothing", "Warning", "← The", "Add", "☑", "Carried out")


async def tuesday() -> None:
    async with office(1, "08:50") as at:
        at.says("These 23 of Grade 8 are on the geography trip all day. Mark them, in homeroom and in every class.")
        found = await at.calls("find_in_school", names_or_ids=names_of("Grade 8")[:23])
        trip = {
            "student_ids": [one["id"] for one in found["found"]],
            "dates": ["today"],
            "status": "Fieldtrip",
        }
        changes = [{"kind": kind, **trip} for kind in ("homeroom", "class")]
        plan = await at.calls("plan_changes", changes=changes)
        await agrees(at, plan, "Yes, all of them.")
        holds(
            "trip",
            at,
            "Clear",
            "Plan, nothing",
            "- homeroom",
            "- and",
            "Warning",
            "← The",
            "Fingerprint",
            "☑",
            "Carried out",
        )
    async with office(1, "10:30") as at:
        at.says("Does homeroom agree with the classes this morning?")
        found = await at.calls("reconcile_homeroom")
        late = [one["student_id"] for one in found["changes"] if "class_id" not in one][:2]
        at.says("The first two came late, then. Mark them so.")
        plan = await at.calls(
            "plan_changes",
            changes=[{"kind": "homeroom", "student_ids": late, "dates": ["today"], "status": "Late"}],
        )
        await agrees(at, plan, "Yes.")
        holds(
            "reconcile",
            at,
            "Absent in homeroom",
            "Éloïse",
            "Hüseyin",
            "Plan, nothing",
            "← The",
            "Mark",
            "☑",
            "Carried out",
        )


def names_of(group: str) -> list[str]:
    """The names of a group's students as a teacher's list has them."""
    query = """select s.first_name || ' ' || s.last_name from students s join year_groups g on g.id = s.year_group_id
               where g.name = ? and s.archived = 0 order by s.id"""
    with closing(sqlite3.connect(demo_file())) as school:
        return [name for (name,) in school.execute(query, (group,))]


async def thursday() -> None:
    async with office(3, "14:00") as at:
        at.says("Who in Grade 7 should we talk about in the weekly meeting?")
        await at.calls("list_attendance_concerns", group="Grade 7")
        at.says("What does Ruben's term look like?")
        await at.calls("get_student_attendance", student="Ruben Hoekstra")
        holds("concerns", at, "Below", "Ruben", "思远", "Away", "Rosalind", "Rate", "Days", "Absent without", "Classes")


async def friday() -> None:
    desktop = Desktop()
    async with office(4, "15:30", desktop) as at:
        at.says("What have we changed this week?")
        await at.calls("list_changes", since="2026-11-23")
        holds("journal", at, "Changes", "- ")
        at.lines.clear()
        at.says("Open the register of Grade 8.")
        await at.calls("show_in_window", view="register", group="Grade 8")
        holds("register", at, "The register")
    assert len(desktop.opened) == 1
    line = 'attendance-mcp export absences --group "Grade 8" --demo'
    settings = {"ATTENDANCE_TODAY": "2026-11-27T15:30", "ATTENDANCE_TIMEZONE": ZONE}
    written = await anyio.to_thread.run_sync(lambda: command(*shlex.split(line)[1:], settings=settings))
    rows = written.stdout.lstrip("\ufeff").splitlines()
    hold(PAGE, "export", fenced([f"$ {line}", *rows[:4], "…"]))
