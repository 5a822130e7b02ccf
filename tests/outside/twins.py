"""Two schools that differ in what people typed alone: hostile in the one, harmless words of the same lengths in the other.

Whatever is told of both must be the same, but for what stands between the fences.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import anyio
import sqlalchemy as sa
from mcp import Client
from mcp.types import CallToolResult, ElicitResult

from attendance_mcp.outside import LIMIT, sanitise
from attendance_mcp.server import build, open_app
from attendance_mcp.window.window import Window
from tests.changes.errands import apply
from tests.upstream_school import TODAY, Asking, UpstreamSchool
from tests.window.conftest import Browser, Desktop

from .corpus import HOSTILE, SILENT

TEXTS = (*HOSTILE, *SILENT)
DAYS = (
    "2026-11-18",
    "2026-11-19",
    "2026-11-20",
    "2026-11-23",
    "2026-11-24",
)  # of homeroom marks, whose notes are texts
FENCED = re.compile("⟪[^⟪⟫]*⟫")
# A plan's code, its fingerprint (of the texts too) and the hours of the real clock differ at every run.
_CHANCE = re.compile(r"\b(?:[0-9A-F]{5}-){3}[0-9A-F]{5}\b|\b[A-Z0-9]{10}\b|\d\d:\d\d(?::\d\d)?(?: on \w{3} [\d-]{10})?")


def harmless(text: str) -> str:
    """A text as long as this one, of which as many characters may be shown."""
    if text.isspace():
        return " " * len(text)
    shown = len(sanitise(text))
    return "a" * len(text) if shown == LIMIT else "a" * shown + "\u200b" * (len(text) - shown)


def told(*parts: object) -> str:
    """What was told, without what differs at every run and without what stands between the fences."""
    words = [part.model_dump_json() if isinstance(part, CallToolResult) else str(part) for part in parts]
    return _CHANCE.sub("…", FENCED.sub("⟪⟫", "\n".join(words)))


@dataclass(frozen=True)
class Twins:
    """The hostile school, then the harmless one."""

    schools: tuple[UpstreamSchool, UpstreamSchool]
    student: int  # who has an excusal for each text
    excusals: tuple[tuple[int, int], ...]  # of the others: student and excusal, each with a text

    @classmethod
    @contextmanager
    def open(cls, file: Path, folder: Path) -> Iterator[Twins]:
        with ExitStack() as stack:
            schools = []
            for name in ("hostile", "harmless"):
                (folder / name).mkdir()
                path = Path(shutil.copy(file, folder / name / "school.db"))
                schools.append(stack.enter_context(UpstreamSchool.open(path, today=TODAY)))
            for school, text_of in zip(schools, (str, harmless), strict=True):
                student = _typed(school, [text_of(text) for text in TEXTS])
            others = schools[0].rows("select student_id, id from excusals where student_id <> :id", id=student)
            yield cls((schools[0], schools[1]), student, tuple((student, excusal) for student, excusal in others))


def _typed(school: UpstreamSchool, texts: list[str]) -> int:
    """Puts the texts into every excusal, into the notes of five days and of the classes of two.

    Answers the student who has got an excusal for each text.
    """
    student, parent = school.one("select student_id, min(parent_id) from child_links group by 1 order by 1 limit 1")
    marks = [
        (table, keys, school.rows(f"select {keys} from {table} where date >= :day order by {keys}", day=day))
        for table, keys, day in (
            ("homeroom_marks", "date, student_id", DAYS[0]),
            ("class_marks", "date, class_id, period, student_id", DAYS[-2]),
        )
    ]
    with school.engine.begin() as connection:
        connection.execute(sa.text("delete from excusals where student_id = :id"), {"id": student})
        others = [id for (id,) in connection.execute(sa.text("select id from excusals order by id"))]
        connection.execute(
            sa.text("update excusals set comment = :text where id = :id"),
            [{"id": id, "text": texts[number % len(texts)]} for number, id in enumerate(others)],
        )
        days = [f"{date(2026, 4, 1) + timedelta(days=number)}" for number in range(len(texts))]
        connection.execute(
            sa.text(
                """insert into excusals (student_id, parent_id, start_date, end_date, comment, created_at, updated_at)
                   values (:student, :parent, :day, :day, :text, :day, :day)"""
            ),
            [
                {"student": student, "parent": parent, "day": day, "text": text}
                for day, text in zip(days, texts, strict=True)
            ],
        )
        for table, keys, rows in marks:
            names = keys.split(", ")
            which = " and ".join(f"{name} = :{name}" for name in names)
            connection.execute(
                sa.text(f"update {table} set note = :text where {which}"),
                [
                    dict(zip(names, row, strict=True)) | {"text": texts[number % len(texts)]}
                    for number, row in enumerate(rows)
                ],
            )
    return int(student)


@dataclass
class Questions:
    """A client that is asked and gives no answer, with what it was asked."""

    ask: Asking
    asked: list[str] = field(default_factory=list)

    async def about(self, plan: dict[str, Any]) -> str:
        """What the person is asked about this plan, which goes on waiting."""
        await apply(self.ask, plan)
        return self.asked.pop()


@asynccontextmanager
async def questions(school: UpstreamSchool) -> AsyncIterator[Questions]:
    asked: list[str] = []

    async def cancel(_: Any, params: Any) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action="cancel")

    async with Client(build(school.settings()), mode="auto", elicitation_callback=cancel) as client:
        yield Questions(Asking(client), asked)


@asynccontextmanager
async def at_a_desktop(school: UpstreamSchool, **settings: Any) -> AsyncIterator[tuple[Asking, Desktop]]:
    """A client of a server that opens pages on this desktop."""
    desktop = Desktop()
    app = open_app(school.settings(**settings))
    app.window = Window(desktop.open)
    async with school.client(app=app) as ask:
        yield ask, desktop


async def page_of(
    school: UpstreamSchool, browser: Browser, make: Callable[[Asking], Any]
) -> tuple[str, CallToolResult]:
    """The window's page of a plan that is made, as the browser has it, and what the call answered once it was discarded."""
    results: list[CallToolResult] = []
    async with at_a_desktop(school, approval="human", ask_seconds=60) as (ask, desktop):
        plan = await make(ask)

        async def call() -> None:
            results.append(await apply(ask, plan))

        async with anyio.create_task_group() as group:
            group.start_soon(call)
            while not desktop.opened:
                await anyio.lowlevel.checkpoint()
            page = (await browser.open(desktop.address)).text
            await browser.click("discard")
    return page, results[0]
