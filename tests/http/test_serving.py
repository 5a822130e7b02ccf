"""The process that serves: it says where and what in JSON lines, and finishes the writes under way before it ends."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from datetime import datetime
from functools import partial

import anyio
import httpx
import pytest
from mcp import Client

from tests.changes.errands import absent, apply, homeroom, mark_late, plans_of
from tests.changes.faulty import FaultyWay
from tests.upstream_school import Asking

from .served import served

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without a signal that it could hear"),
]
ERAS = ["auto", "legacy"]


def told(lines):
    """The lines without what differs from run to run."""
    for line in lines:
        assert datetime.fromisoformat(line["time"]).tzinfo is not None
    return [{key: value for key, value in line.items() if key not in ("time", "ms", "level")} for line in lines]


def fetch(url):
    return httpx.get(url, trust_env=False, timeout=5)


@contextmanager
def way_and_server(school):
    """A server that writes without asking anybody, over a school whose requests can be held."""
    with (
        FaultyWay.to(school.url) as way,
        served(school.environment(api_url=way.url, writes="confirm", approval="token")) as server,
    ):
        yield way, server


async def test_a_request_is_one_line_that_holds_none_of_what_was_asked_or_answered(school):
    student = absent(school)[0]
    name = school.one("select last_name from students where id = :id", id=student)[0]
    with served(school.environment()) as server:
        async with Client(f"{server.url}/mcp") as client:
            await Asking(client).text("find_in_school", names_or_ids=[name])
            await Asking(client).error(f"tell_me_of_{name}")
        fetch(f"{server.url}/{name}")
        server.process.send_signal(signal.SIGTERM)
        lines = told(server.rest())
    assert lines == [
        {"event": "request", "method": "server/discover", "status": 200},
        {"event": "request", "method": "tools/call", "tool": "find_in_school", "status": 200},
        {"event": "request", "method": "tools/list", "status": 200},
        {"event": "request", "method": "tools/call", "tool": "another", "status": 200},
        {"event": "request", "status": 404},
        {"event": "stopping", "open_requests": 0},
        {"event": "stopped"},
    ]
    assert server.process.returncode in (0, -signal.SIGTERM)


def test_what_breaks_in_a_request_is_told_by_its_kind_and_place_alone(school):
    with served(school.environment()) as server:
        body = '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "Mia", "arguments": "Mia"}}'
        headers = {"accept": "application/json", "content-type": "application/json"}
        of_nothing = body.partition(', "params"')[0] + "}"
        for content in (body, body[:-9], of_nothing, "[null]", "[" * 100_000, "[]", "\xff\xfe"):
            answer = httpx.post(f"{server.url}/mcp", content=content, headers=headers, trust_env=False)
            assert answer.status_code in (200, 400)
        server.process.send_signal(signal.SIGTERM)
        lines = server.rest()
    assert "Mia" not in str(lines)
    assert [line["event"] for line in lines] == ["request"] * 7 + ["stopping", "stopped"]


@pytest.mark.parametrize("era", ERAS)
async def test_a_write_under_way_is_finished_and_answered_before_the_process_ends(school, era):
    student = absent(school)[0]
    with way_and_server(school) as (way, server):
        async with Client(f"{server.url}/mcp", mode=era) as client:
            ask = Asking(client)
            plan = await mark_late(ask, student)
            way.arm(2, "held")  # the record is read once more, and then written
            answers = []
            async with anyio.create_task_group() as group:

                async def carry_out() -> None:
                    answers.append(await apply(ask, plan))

                group.start_soon(carry_out)
                assert await anyio.to_thread.run_sync(partial(way.reached.wait, 10))
                server.process.send_signal(signal.SIGTERM)
                while server.line()["event"] != "stopping":
                    pass
                with pytest.raises(httpx.ConnectError):
                    while True:
                        fetch(f"{server.url}/healthz")
                assert server.process.poll() is None
                way.release.set()
        assert [told(server.rest())[-1]["event"]] == ["stopped"]
    assert answers[0].structured_content["outcomes"] == {"done": 1}
    assert homeroom(school, student) == (2, None)
    assert len(school.writes) == 1


async def test_a_write_whose_client_has_gone_is_finished_before_the_process_ends(school):
    student = absent(school)[0]
    with way_and_server(school) as (way, server):
        async with Client(f"{server.url}/mcp") as client:
            plan = await mark_late(Asking(client), student)
            way.arm(2, "held")
            async with anyio.create_task_group() as group:
                group.start_soon(apply, Asking(client), plan)
                assert await anyio.to_thread.run_sync(partial(way.reached.wait, 10))
                group.cancel_scope.cancel()
        server.process.send_signal(signal.SIGTERM)
        while server.line()["event"] != "stopping":
            pass
        way.release.set()
        server.rest()
    with plans_of(school) as store:
        assert store.execute("select state, outcome from plans join changes on plan_id = plans.id").fetchall() == [
            ("settled", "done")
        ]
    assert homeroom(school, student) == (2, None)
    assert len(school.writes) == 1
