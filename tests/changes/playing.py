"""The tiny school, and a server over it that can be killed at any request and started again on the same store."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from mcp import Client
from mcp.types import CallToolResult, ElicitResult

from attendance_mcp.api.client import Client as ApiClient
from attendance_mcp.api.transport import Transport
from attendance_mcp.changes.store import Store
from attendance_mcp.sandbox.app import create_app
from attendance_mcp.sandbox.database import open_engine
from attendance_mcp.sandbox.log import LogEntry, RequestLog
from attendance_mcp.server import App, build, open_app
from attendance_mcp.settings import Settings
from tests.sandbox import tiny
from tests.upstream_school import Era

Answer = Literal["yes", "no", "cancel", "nothing"]
Key = tuple[Any, ...]  # of one record: its kind, its student, and the rest
Value = tuple[Any, ...] | None
URL = "https://school.invalid"
BEGAN = datetime(2025, 11, 24, 2, 0, tzinfo=UTC)


class Killed(BaseException):
    """The process ends here: nothing of ours catches it, and nothing that follows runs."""


@dataclass(eq=False)
class Wire:
    """The way to the school; `arm` names the request, counted from then on, at which the server is killed."""

    school: Any
    countdown: int = 0
    after: bool = False  # whether the request is still carried out
    killed: bool = False

    def arm(self, number: int, *, after: bool) -> None:
        self.countdown, self.after, self.killed = number, after, False

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        self.countdown -= 1
        if self.countdown != 0:
            await self.school(scope, receive, send)
            return
        if self.after:
            with suppress(Exception):
                await self.school(scope, receive, send)
        self.killed = True
        raise Killed


@dataclass(eq=False)
class Running:
    """One process of the server with one client, and a clock that both share with the store."""

    stage: Stage
    policy: str
    asks: bool
    era: Era
    answer: Answer = "yes"
    questions: int = 0
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        self.app = self.stage.app(self.policy)
        self._stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def live() -> None:
            callback = self._asked if self.asks else None
            async with Client(build(self.stage.settings, app=self.app), mode=self.era, elicitation_callback=callback) as client:  # fmt: skip
                ready.set_result(client)
                await self._stop.wait()

        self._life = asyncio.create_task(live())
        await asyncio.wait([self._life, ready], return_when=asyncio.FIRST_COMPLETED)
        self.client: Client = ready.result()

    async def call(self, tool: str, **arguments: Any) -> CallToolResult | None:
        """The answer; None where the server was killed under way or the client hung up without answering."""
        self.hung_up.clear()
        call = asyncio.create_task(self.client.call_tool(tool, arguments))
        gone = asyncio.create_task(self.hung_up.wait())
        await asyncio.wait([call, gone, self._life], return_when=asyncio.FIRST_COMPLETED)
        told = None
        if call.done() and not self.stage.wire.killed:
            told = call.result()
        for task in (call, gone):
            task.cancel()
            with suppress(BaseException):
                await task
        return told

    async def end(self) -> None:
        """Ends the server as its host does, or clears away what is left of a killed one."""
        self._stop.set()
        with suppress(BaseException):
            await self._life
        await self.app.aclose()

    async def _asked(self, _context: Any, _params: Any) -> ElicitResult:
        self.questions += 1
        match self.answer:
            case "yes":
                return ElicitResult(action="accept", content=self._ticked(_params))
            case "no":
                return ElicitResult(action="decline")
            case "cancel":
                return ElicitResult(action="cancel")
        self.hung_up.set()
        return await asyncio.Event().wait()  # type: ignore[return-value]

    def _ticked(self, params: Any) -> dict[str, Any]:
        return {"deletions": 1} if "deletions" in params.requested_schema["properties"] else {"apply": True}


@dataclass(eq=False)
class Stage:
    """The school, made once and put back for every run, and a store of plans of the run's own."""

    folder: Path
    engine: sa.Engine
    founded: dict[str, list[tuple[Any, ...]]]
    template: Path
    log: RequestLog = field(default_factory=RequestLog)
    now: datetime = BEGAN

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator[Stage]:
        engine, template = open_engine(folder / "school.db"), folder / "empty.db"
        tiny.fill(engine)
        store = Store.at(template)
        asyncio.run(store.began("none"))  # makes the tables
        store.close()
        stage = cls(folder, engine, {}, template)
        stage.founded = stage.tables()
        stage.wire = Wire(create_app(engine, token=tiny.TOKEN, today=tiny.TODAY, log=stage.log))
        yield stage
        engine.dispose()

    wire: Wire = field(init=False)

    def reset(self) -> None:
        with self.engine.begin() as connection:
            for table, rows in self.founded.items():
                connection.execute(sa.text(f"delete from {table}"))
                connection.execute(sa.text(f"delete from sqlite_sequence where name = '{table}'"))
                marks = ", ".join(f":c{n}" for n in range(len(rows[0])))
                values = [{f"c{n}": cell for n, cell in enumerate(row)} for row in rows]
                connection.execute(sa.text(f"insert into {table} values ({marks})"), values)
        self.log.clear()
        self.now = BEGAN
        self.wire.arm(0, after=False)
        for old in self.folder.glob(f"{self.store.name}*"):  # the store, and when outside text was heard beside it
            old.unlink()
        shutil.copy(self.template, self.store)

    @property
    def store(self) -> Path:
        return self.folder / "plans.db"

    @cached_property
    def settings(self) -> Settings:
        return Settings(api_url=URL, api_token=tiny.TOKEN, today=tiny.TODAY, timezone="Asia/Singapore", store=str(self.store))  # fmt: skip

    def app(self, policy: str) -> App:
        """The server's parts as the composition root makes them, on this school and this clock."""
        app = open_app(self.settings)
        app.connection.connect = lambda: ApiClient(Transport(base_url=URL, token=lambda: tiny.TOKEN, app=self.wire))
        app.desk.policy, app.desk.now = policy, lambda: self.now
        return app

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        with self.engine.connect() as connection:
            return {
                table: [tuple(row) for row in connection.execute(sa.text(f"select * from {table} order by 1, 2, 3, 4"))]
                for table in ("homeroom_marks", "class_marks", "excusals")
            }

    def records(self) -> dict[Key, Value]:
        """Everything that a write could touch, as it stands in the school's database."""
        tables = self.tables()
        found: dict[Key, Value] = {}
        for day, student, status, note in tables["homeroom_marks"]:
            found["homeroom", student, day] = (status, note)
        for class_id, day, period, student, status, note in tables["class_marks"]:
            found["class", student, class_id, day, period] = (status, note)
        for id, student, parent, start, end, comment, *_ in tables["excusals"]:
            found["excusal", student, id] = (start, end, parent, comment)
        return found

    def change(self, statement: str, **values: Any) -> None:
        """Changes the school behind the product's back, as its own staff does."""
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), values)

    def planned(self) -> list[dict[str, Any]]:
        """The rows of every plan, as another process sees them in the store."""
        with closing(sqlite3.connect(self.store)) as store:
            store.row_factory = sqlite3.Row
            query = "select p.code, p.state, p.lease_until, c.* from plans p join changes c on c.plan_id = p.id order by p.id, c.row"
            return [dict(row) for row in store.execute(query)]

    def elapse(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass(eq=False)
class Planned:
    """A plan as the model knows it: what each row makes of its record."""

    code: str
    summary: str
    rows: dict[Key, tuple[Value, Value]]
    expires: datetime
    waits: bool = True
    pending: Counter[tuple[Key, Value]] = field(default_factory=Counter)
    arrived: set[Key] = field(default_factory=set)
    undone: bool = False

    def __post_init__(self) -> None:
        self.pending = Counter((key, after) for key, (_, after) in self.rows.items())


def key_of(row: dict[str, Any]) -> Key:
    """Which record a row of the store is of."""
    target = json.loads(row["target"])
    match row["kind"]:
        case "homeroom mark":
            return ("homeroom", target["student_id"], target["day"])
        case "class mark":
            return ("class", target["student_id"], target["class_id"], target["day"], target["period"])
        case _:
            return ("excusal", target["student_id"], target.get("excusal_id"))


def lane(key: Key) -> tuple[str, int]:
    """What one plan at a time has the lease on: the class of a class mark, else the student."""
    return ("class", key[2]) if key[0] == "class" else ("student", key[1])


def sent(entry: LogEntry, records: dict[Key, Value]) -> Iterator[tuple[Key, Value]]:
    """What a write that came to the school was to make of which record, seen on the wire alone."""
    _, _, kind, id, *rest = entry.path.split("/")
    body = entry.body or {}
    body = body.get("excusal", body)
    if kind == "classes":
        for row in body["attendances"]:
            key = ("class", row["student_id"], int(id), row["date"], row["period"])
            yield key, (row["status"], row.get("notes") or None)
    elif rest[0] == "set_homeroom_attendance":
        yield ("homeroom", int(id), body["date"]), (body["status"], body.get("notes") or None)
    elif entry.method == "POST":
        made = (body["start_date"], body["end_date"], body["parent_id"], body.get("comment") or None)
        yield ("excusal", int(id), None), made
    else:
        key = ("excusal", int(id), int(rest[1]))
        start, end, parent, comment = records[key] or ("", "", 0, None)
        altered = (start, body.get("end_date", end), parent, body.get("comment", comment) or None)
        yield key, None if entry.method == "DELETE" else altered
