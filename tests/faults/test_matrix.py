"""Every tool meets every trouble of the school's API, over real sockets and through a real MCP client."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from mcp.types import CallToolResult

from attendance_mcp.server import App, open_app
from tests.certificates import Certificates
from tests.tools.examples import Arguments, Known
from tests.upstream_school import Asking, UpstreamSchool, text

from .hostile_school import FAULTS, LONGEST, SECRET, TENTH, Fault, HostileSchool

pytestmark = pytest.mark.anyio

AT_ONCE = 6

NO_CONNECTION = (
    "The school's API can't be reached; the network, a proxy or ATTENDANCE_API_URL may be the reason. Try again later."
)
BROKE = "The connection to the school's API broke. Try again later."
NOT_IN_TIME = "The school's API did not answer in time. Try again later."
DEADLINE = "The school's system did not answer within 2.5 seconds. Try again, or ask for less."
UNEXPECTED = "The school's API gave an unexpected answer to …: "
NOT_JSON = UNEXPECTED + "it is not JSON; ATTENDANCE_API_URL may point to something else."
OTHER_FORM = UNEXPECTED + "its JSON is not of the expected form."
TOO_LONG = UNEXPECTED + "it is longer than 8 MiB."
REDIRECTED = (
    UNEXPECTED + "it points to another address (30x), which is not followed, since the token is for the one in "
    "ATTENDANCE_API_URL."
)
NOT_TRUSTED = "The certificate of the school's API is not trusted by this machine. Ask whoever manages it."
SAID: dict[Fault, set[str]] = {
    "refused": {NO_CONNECTION},
    "reset at once": {BROKE, NO_CONNECTION},
    "reset in the body": {BROKE},
    "silent": {NOT_IN_TIME, DEADLINE},
    "one byte at a time": {NOT_IN_TIME, DEADLINE},
    "500 with HTML": {"The school's API is out of order (500). Try again later."},
    "200 with HTML": {NOT_JSON},
    "truncated JSON": {OTHER_FORM},
    "JSON of another shape": {OTHER_FORM},
    "an object of other keys": {OTHER_FORM},
    "null": {OTHER_FORM},
    "50 MB": {TOO_LONG},
    "50 MB of unstated length": {TOO_LONG, NOT_IN_TIME, DEADLINE},
    "gzip of 500 MB": {TOO_LONG},
    "redirect to another host": {REDIRECTED},
    "redirect to itself": {REDIRECTED},
    "another content type": {NOT_JSON},
    "invalid UTF-8": {OTHER_FORM},
    "NaN": {OTHER_FORM},
    "nested 10,000 deep": {OTHER_FORM},
    "certificate of an unknown authority": {NOT_TRUSTED},
}
# A tenth of the time may be too short for anything on a busy machine, and the waits between tries are not a tenth.
BUSY = {
    NO_CONNECTION,
    NOT_IN_TIME,
    DEADLINE,
    "The school's system was too slow to read these records. Try again, or plan less.",
}
CANARY = "canary-7c21-token"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def calls(same_school: UpstreamSchool) -> dict[str, Arguments]:
    """A call of every tool that reads the school, those that plan among them."""
    known = Known.of(same_school)
    calls = {**known.reads(), **known.writes()}
    del calls["list_changes"]  # reads the journal of this installation only
    return calls


@pytest.fixture(scope="module")
async def healthy(
    same_school: UpstreamSchool, calls: dict[str, Arguments], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """What each tool answers where nothing is wrong."""
    answers: dict[str, str] = {}

    async def work(ask: Asking, tool: str) -> None:
        answers[tool] = lasting(await ask(tool, **calls[tool]))

    hostile = HostileSchool(same_school.url)
    with hostile.open():
        async with Servers.over(same_school, hostile.url, calls, tmp_path_factory.mktemp("healthy")) as servers:
            servers.take_time()
            await servers.all_do(work, at_once=1)
    return answers


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Certificates, Certificates]:
    """One that the machine trusts, and one that it doesn't."""
    trusted, unknown = (
        Certificates.made_in(tmp_path_factory.mktemp(name), authority=name) for name in ("trusted", "unknown")
    )
    return trusted, unknown


def lasting(result: CallToolResult) -> str:
    """An answer without what is new each time: the confirmation, until when it serves, and the time of day."""
    whole = text(result) + json.dumps(result.structured_content, ensure_ascii=False)
    code = (result.structured_content or {}).get("confirmation")
    known = whole.replace(code, "CODE") if code else whole
    return re.sub(r"\d\d:\d\d:\d\d|(?<=until )\d\d:\d\d|(?<=\"expires\": \")\d\d:\d\d", "then", known)


def sentence(result: CallToolResult) -> str:
    """What an error says, without the name of the operation that was asked for."""
    assert result.is_error
    said = re.sub(r"answer to [a-z_]+:", "answer to …:", text(result))
    assert said.endswith(" Nothing was written.")
    return re.sub(r"\(30\d\)", "(30x)", said.removesuffix(" Nothing was written."))


@dataclass
class Servers:
    """A server for each tool, so that none knows what another has read."""

    asking: dict[str, Asking] = field(default_factory=dict)
    apps: list[App] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def over(cls, school: UpstreamSchool, url: str, tools: Iterable[str], folder: Path) -> AsyncIterator[Servers]:
        servers = cls()
        async with AsyncExitStack() as stack:
            for tool in tools:
                settings = school.settings(api_url=url, api_token=CANARY, store=str(folder / f"{tool}.db"), **TENTH)
                servers.apps.append(open_app(settings))
                client = school.client(app=servers.apps[-1], writes="confirm")
                servers.asking[tool] = await stack.enter_async_context(client)
            yield servers

    async def all_do(self, job: Callable[[Asking, str], Awaitable[None]], *, at_once: int) -> None:
        turn = anyio.CapacityLimiter(at_once)

        async def one(tool: str, ask: Asking) -> None:
            async with turn:
                await job(ask, tool)

        async with anyio.create_task_group() as group:
            for tool, ask in self.asking.items():
                group.start_soon(one, tool, ask)

    def take_time(self) -> None:
        """From here on the deadline is the shipped one: a busy machine may need longer than a tenth of it."""
        for app in self.apps:
            app.connection.deadline = 25.0


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_tool_says_what_went_wrong_and_works_again_at_once(
    fault: Fault,
    same_school: UpstreamSchool,
    calls: dict[str, Arguments],
    healthy: dict[str, str],
    authorities: tuple[Certificates, Certificates],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    trusted, unknown = authorities
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.authority))
    tls = fault == "certificate of an unknown authority"
    hostile = HostileSchool(same_school.url, fault, tls=unknown.context() if tls else None)
    errors: dict[str, CallToolResult] = {}
    answers: dict[str, str] = {}
    took: dict[str, float] = {}

    async def meet(ask: Asking, tool: str) -> None:
        began = time.monotonic()
        errors[tool] = await ask(tool, **calls[tool])
        took[tool] = time.monotonic() - began

    async def work(ask: Asking, tool: str) -> None:
        answers[tool] = lasting(await ask(tool, **calls[tool]))

    with hostile.open():
        async with Servers.over(same_school, hostile.url, calls, tmp_path) as servers:
            await servers.all_do(meet, at_once=AT_ONCE)
            hostile.mend(tls=trusted.context() if tls else None)
            servers.take_time()
            await servers.all_do(work, at_once=1)
    said = {tool: sentence(error) for tool, error in errors.items()}
    assert {tool: words for tool, words in said.items() if words not in SAID[fault] | BUSY} == {}
    assert SAID[fault] & set(said.values())
    assert max(took.values()) < LONGEST
    assert {tool: (said, healthy[tool]) for tool, said in answers.items() if said != healthy[tool]} == {}
    told = "".join(error.model_dump_json() for error in errors.values())
    assert [word for word in (CANARY, SECRET, "Traceback", ".py") if word in told] == []
    assert [word for word in (CANARY, SECRET) if word in caplog.text] == []
    assert not any(SECRET in path for path in hostile.asked)  # no redirect was followed


# At full size these two take 10 and 23 seconds: `make soak` waits for them.
LONG: set[Fault] = {"silent", "one byte at a time"}
MEANT = set(FAULTS) if os.environ.get("FULL_SIZE") else set(FAULTS) - LONG


async def test_with_the_shipped_timeouts_no_fault_takes_longer_than_half_a_minute(
    same_school: UpstreamSchool,
    calls: dict[str, Arguments],
    authorities: tuple[Certificates, Certificates],
    tmp_path: Path,
) -> None:
    met: dict[Fault, CallToolResult] = {}

    async def meet(fault: Fault) -> None:
        tls = fault == "certificate of an unknown authority"
        hostile = HostileSchool(same_school.url, fault, tls=authorities[1].context() if tls else None)
        with hostile.open():
            way = same_school.client(api_url=hostile.url, api_token=CANARY, store=str(tmp_path / f"{fault}.db"))
            async with way as ask:
                met[fault] = await ask("list_absences", **calls["list_absences"])

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for fault in MEANT:
                group.start_soon(meet, fault)
    said = {fault: sentence(result) for fault, result in met.items()}
    assert {fault: words for fault, words in said.items() if words not in SAID[fault]} == {}


def test_every_fault_of_the_hostile_school_has_its_words() -> None:
    assert set(SAID) == set(FAULTS)
