"""How the server on stdio ends: at once, by whatever ends it, but for a write on its way."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from attendance_mcp.stdio.lines import Lines
from tests.changes.errands import absent, homeroom
from tests.changes.faulty import FaultyWay
from tests.upstream_school import UpstreamSchool

from .process import COMMAND, Wire, environment, fill, running
from .silent import settings_of_silence, silence

AT_ONCE = 5.0  # seconds, on a machine that is busy with other tests: what hangs takes longer
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without a signal that it could hear")
Ending = Callable[[subprocess.Popen[str]], None]


def close_input(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()


def send(number: signal.Signals) -> Ending:
    return lambda process: process.send_signal(number)


def twice(number: signal.Signals) -> Ending:
    def both(process: subprocess.Popen[str]) -> None:
        process.send_signal(number)
        process.send_signal(number)

    return both


ENDINGS = [
    pytest.param(close_input, 0, id="the end of its input"),
    pytest.param(send(signal.SIGTERM), 143, id="SIGTERM", marks=POSIX),
    pytest.param(send(signal.SIGINT), 130, id="Ctrl+C", marks=POSIX),
    pytest.param(send(signal.SIGHUP), 129, id="the terminal's end", marks=POSIX),
]


@pytest.mark.parametrize(("end", "status"), ENDINGS)
def test_calls_under_way_end_at_once(school, end, status):
    with silence() as quiet, running(settings=settings_of_silence(school, quiet)) as process:
        wire = Wire(process)
        wire.begin()
        call = wire.request("tools/call", name="get_class_timetable", arguments={"class_id": 1})
        quiet.wait()
        began = time.monotonic()
        end(process)
        answer = wire.hear_of(call)
        assert process.wait(20) == status
        assert time.monotonic() - began < AT_ONCE
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert answer["error"]["message"] == "Connection closed"


@POSIX
def test_under_nohup_the_terminals_end_ends_nothing(school):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does: a child inherits it
    try:
        with running(settings=school.environment()) as process:
            wire = Wire(process)
            wire.begin()
            process.send_signal(signal.SIGHUP)
            assert wire.ask("ping")["result"] == {}
            close_input(process)
            assert process.wait(20) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


async def states(school: UpstreamSchool, url: str) -> list[str]:
    """What the next server is told of the plans."""
    async with school.client(api_url=url) as ask:
        return [entry["state"] for entry in (await ask.facts("list_changes"))["entries"]]


@pytest.mark.parametrize(
    ("end", "status"),
    [
        pytest.param(close_input, 0, id="the end of its input"),
        pytest.param(twice(signal.SIGINT), 130, id="Ctrl+C twice", marks=POSIX),
    ],
)
def test_a_write_on_its_way_is_finished_and_recorded(school, end, status):
    student = absent(school)[0]
    arguments = {"student_id": student, "date": "today", "status": 2}
    with (
        FaultyWay.to(school.url) as way,
        running(settings=school.environment(api_url=way.url, approval="token")) as process,
    ):
        wire = Wire(process)
        wire.begin()
        plan = wire.ask("tools/call", name="set_homeroom_attendance", arguments=arguments)["result"]
        agreed = {name: plan["structuredContent"][name] for name in ("confirmation", "summary")}
        way.arm(2, "held")  # it is carried out, and the answer is late
        wire.request("tools/call", name="apply_changes", arguments=agreed)
        assert way.reached.wait(20)
        end(process)
        assert process.stderr is not None
        said = process.stderr.readline()
        assert process.poll() is None
        way.release.set()
        assert process.wait(20) == status
        rest = process.stderr.read()
    assert (said, rest) == (
        "WARNING attendance_mcp.stdio: Ending: what is on its way to the school is finished and recorded first.\n",
        "",
    )
    assert homeroom(school, student) == (2, None)
    assert [method for method, _ in school.writes] == ["PUT"]
    assert anyio.run(states, school, way.url) == ["carried out"]


@POSIX
def test_a_client_that_reads_no_answers_holds_nothing_up(school):
    with running(settings=school.environment()) as process:
        wire = Wire(process)
        wire.begin()
        listing = json.dumps({"jsonrpc": "2.0", "id": 5, "method": "tools/list"}).encode() + b"\n"
        assert fill(process, listing * 20_000)  # neither side reads now
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert process.wait(20) == 143
        assert time.monotonic() - began < AT_ONCE


@POSIX
def test_a_client_that_closes_its_end_for_answers_ends_it_without_a_traceback(school):
    with running(settings=school.environment()) as process:
        wire = Wire(process)
        wire.begin()
        assert process.stdout is not None
        process.stdout.close()
        wire.request("ping")
        assert process.stderr is not None
        assert process.stderr.read() == (
            "ERROR attendance_mcp.stdio: Nobody reads what this server answers any more.\n"
        )
        assert process.wait(20) == 1


PARENT = """
import subprocess, sys
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
for line in sys.stdin.buffer:
    server.stdin.write(line)
    server.stdin.flush()
    if b"initialize" in line:
        print(server.stdout.readline(), flush=True)
"""


@POSIX
@pytest.mark.parametrize("requests", [0, 1000], ids=["idle", "while reading has stopped"])
def test_the_death_of_its_parent_ends_it(school, requests):
    """The server holds the writing end of a pipe as its stderr: when it is gone, so is the pipe."""
    reading, writing = os.pipe()
    with silence() as quiet:
        settings = environment(settings_of_silence(school, quiet))
        with subprocess.Popen(
            [sys.executable, "-c", PARENT, *COMMAND],
            env=settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=writing,
            encoding="utf-8",
        ) as parent:
            os.close(writing)
            wire = Wire(parent)
            wire.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}))
            assert parent.stdout is not None
            assert "attendance" in parent.stdout.readline()
            for _ in range(requests):
                wire.request("tools/call", name="get_class_timetable", arguments={"class_id": 1})
            if requests:
                quiet.wait()
            parent.kill()
            began = time.monotonic()
            said = b""
            while select.select([reading], [], [], 20)[0] and (part := os.read(reading, 1000)):
                said += part
            # It may notice first that its answers are not read any more, or that its input has ended.
            assert said in (b"", b"ERROR attendance_mcp.stdio: Nobody reads what this server answers any more.\n")
            assert time.monotonic() - began < AT_ONCE
    os.close(reading)


HELLO: dict[str, Any] = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


@POSIX
@pytest.mark.anyio
async def test_a_line_that_nobody_took_is_not_waited_for_when_its_sender_is_gone():
    """Somebody who looks for a line while it is on its way takes none: the reader must not go on to the pipe's end."""
    reading, writing = os.pipe()
    news = anyio.Event()
    lines = Lines(reading, lambda: news.set())
    os.write(writing, b"{}\n")
    for _ in range(200_000):  # the loop does nothing else meanwhile, so that the line can't arrive
        assert lines.take() is None
    with anyio.fail_after(AT_ONCE):
        await news.wait()
        news = anyio.Event()
        os.close(writing)
        await news.wait()
    assert lines.ended
    os.close(reading)
