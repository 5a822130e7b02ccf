"""A server over the tiny school, a client of either era, the person behind it, and what is left of a plan."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from typing import Any

import pytest
from mcp import Client
from mcp.types import CallToolResult, ElicitResult, InputRequiredResult

from attendance_mcp.server import App, build
from tests.upstream_school import Asking, Era, text

from .errands import Facts
from .playing import Key, Stage, Value, sent
from .ways_to_write import WAYS, WayToWrite

Answering = Callable[[dict[str, Any]], Awaitable[ElicitResult]]  # from the form's fields to the answer
ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])
EVERY_WAY = pytest.mark.parametrize("way", WAYS, ids=str)


def by_turns(ways: Sequence[WayToWrite]) -> pytest.MarkDecorator:
    """Each way in one era, the eras by turns: for what differs by the way and not by the era."""
    eras = ("auto", "legacy")
    return pytest.mark.parametrize(
        ("way", "era"), [pytest.param(way, eras[n % 2], id=f"{way}-{eras[n % 2]}") for n, way in enumerate(ways)]
    )


DECLINED = "The person did not agree, and the plan is discarded. Nothing was written."
ENDED = "This plan was declined. Plan the changes again if they are still wanted. Nothing was written."
EXPIRED = "This plan has expired. Plan it again: the records are read afresh then. Nothing was written."
WAITS = "The plan waits until 11:00; call this again to ask once more. Nothing was written."
UNKNOWN = "No plan of yours has this confirmation. Plan the changes again. Nothing was written."
BY_THE_CLIENT = "a person whom the client asked"


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage.open(tmp_path_factory.mktemp("matrix")) as stage:
        yield stage


@pytest.fixture
def stage(founded: Stage) -> Stage:
    """The tiny school as it was founded, with an empty store; it is Monday, 10:00."""
    founded.reset()
    return founded


async def yes(form: dict[str, Any]) -> ElicitResult:
    return ElicitResult(action="accept", content={"deletions": 1} if "deletions" in form else {"apply": True})


async def unticked(form: dict[str, Any]) -> ElicitResult:
    return ElicitResult(action="accept", content={"deletions": 0} if "deletions" in form else {"apply": False})


async def no(_form: dict[str, Any]) -> ElicitResult:
    return ElicitResult(action="decline")


async def cancel(_form: dict[str, Any]) -> ElicitResult:
    return ElicitResult(action="cancel")


def one_after_another(*answers: Answering) -> Answering:
    """A person who answers each question in its own way."""
    left = iter(answers)

    async def answer(form: dict[str, Any]) -> ElicitResult:
        return await next(left)(form)

    return answer


@dataclass(frozen=True)
class Left:
    """What a plan has left behind.

    `wire` is what each write that came to the school was to make of which record, sorted; `school` holds the records
    that read otherwise than before; `store` is the plan's state and approval.
    """

    wire: list[tuple[Key, Value]]
    school: dict[Key, Value]
    store: tuple[str, str]

    @classmethod
    def unwritten(cls, state: str, approval: str = "none") -> Left:
        return cls([], {}, (state, approval))

    @classmethod
    def written(cls, way: WayToWrite, approval: str) -> Left:
        return cls(sorted(way.becomes.items(), key=repr), way.becomes, ("settled", approval))


@dataclass(frozen=True)
class Question:
    """One question of the 2026 era, as a client holds it."""

    client: Client
    tool: str
    arguments: dict[str, Any]
    asked: InputRequiredResult

    async def bring(self, answering: Answering, **instead: Any) -> CallToolResult:
        """The call once more with the answer; `instead` replaces what an honest client sends along."""
        ((key, request),) = (self.asked.input_requests or {}).items()
        answer = await answering(request.params.requested_schema["properties"])  # type: ignore[union-attr]
        brought = {"input_responses": {key: answer}, "request_state": self.asked.request_state, **instead}
        return await self.client.session.call_tool(self.tool, self.arguments, **brought)


@dataclass(eq=False)
class Office:
    """One server with one client over the stage's school and store."""

    stage: Stage
    app: App
    ask: Asking
    questions: list[str] = field(default_factory=list)  # what the person was asked
    before: dict[Key, Value] = field(init=False)

    def __post_init__(self) -> None:
        self.before = self.stage.records()

    async def plan(self, way: WayToWrite) -> Facts:
        """The plan; for an undo, after that which it takes back."""
        arguments = way.arguments
        if way.undoes:
            arguments = {"changes": [{"kind": "undo", "confirmation": await self._carried_out(way.undoes)}]}
        facts = await self.ask.facts(way.tool, **arguments)
        assert self.left(facts) == Left.unwritten("waiting")
        assert self.questions == []
        return facts

    async def _carried_out(self, item: dict[str, Any]) -> str:
        policy, self.app.desk.policy = self.app.desk.policy, "token"
        first = await self.ask.facts("plan_changes", changes=[item])
        await self.ask.facts("apply_changes", confirmation=first["confirmation"], summary=first["summary"])
        self.app.desk.policy = policy
        self.stage.log.clear()
        self.before = self.stage.records()
        return str(first["confirmation"])

    def call(self, way: WayToWrite, plan: Facts) -> tuple[str, dict[str, Any]]:
        """The call that carries the plan out: the same once more with its confirmation, or apply_changes."""
        if way.by_itself:
            return way.tool, {**way.arguments, "confirmation": plan["confirmation"]}
        return "apply_changes", {"confirmation": plan["confirmation"], "summary": plan["summary"]}

    async def apply(self, way: WayToWrite, plan: Facts) -> CallToolResult:
        tool, arguments = self.call(way, plan)
        return await self.ask(tool, **arguments)

    async def question(self, way: WayToWrite, plan: Facts) -> Question:
        """What the call is answered in the 2026 era: a question, which the client may bring back answered or not."""
        tool, arguments = self.call(way, plan)
        result = await self.ask.client.session.call_tool(tool, arguments, allow_input_required=True)
        assert isinstance(result, InputRequiredResult)
        return Question(self.ask.client, tool, arguments, result)

    def edit(self, statement: str) -> None:
        """Somebody at the school changes a record."""
        self.stage.change(statement)
        self.before = self.stage.records()

    def left(self, plan: Facts) -> Left:
        now = self.stage.records()
        changed = {key: value for key, value in now.items() if self.before.get(key) != value}
        changed |= dict.fromkeys(key for key in self.before if key not in now)
        # The number of a new excusal is the school's affair.
        named = {
            key if key in self.before or key[0] != "excusal" else (*key[:2], None): changed[key] for key in changed
        }
        wire = [pair for entry in self.stage.log.writes() for pair in sent(entry, self.before)]
        return Left(sorted(wire, key=repr), named, self.stored(plan))

    def stored(self, plan: Facts) -> tuple[str, str]:
        with closing(sqlite3.connect(self.stage.store)) as store:
            query = "select state, approval from plans where code = ?"
            return tuple(store.execute(query, [plan["confirmation"]]).fetchone())


@asynccontextmanager
async def office(
    stage: Stage,
    era: Era,
    answering: Answering | None = None,
    *,
    policy: str = "auto",
    prepare: Callable[[App], None] = lambda _: None,
) -> AsyncIterator[Office]:
    """Opens one; without `answering` its client can't ask anybody."""
    app = stage.app(policy)
    prepare(app)
    questions: list[str] = []

    async def asked(_context: Any, params: Any) -> ElicitResult:
        questions.append(params.message)
        assert answering is not None
        return await answering(params.requested_schema["properties"])

    server = build(stage.settings, app=app)
    async with Client(server, mode=era, elicitation_callback=asked if answering else None) as client:
        yield Office(stage, app, Asking(client), questions)


def opening(result: CallToolResult) -> str:
    """The first line of an answer."""
    return text(result).partition("\n")[0]


def carried_out(way: WayToWrite, by: str) -> str:
    return f"Carried out at 10:00, agreed by {by}: {len(way.becomes)} done. The records were read back."


def already(way: WayToWrite) -> str:
    return f"Already carried out at 10:00: {len(way.becomes)} done. This call wrote nothing more."
