"""The server on stdio as a host runs it: stdout belongs to the protocol, and it ends when it is told to."""

from __future__ import annotations

import signal
import sys
import time

import pytest

from .process import Wire, running

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without a signal that it could hear")


def test_stdout_holds_the_protocol_alone_and_stderr_nothing_of_a_child(school):
    with running("serve", settings=school.environment()) as process:
        wire = Wire(process)
        wire.begin()
        wire.send("this is no JSON")
        wire.send('{"jsonrpc": "2.0", "id": 77}')
        absent = wire.ask("tools/call", name="list_absences", arguments={})
        wire.ask("tools/call", name="set_homeroom_attendance", arguments={"student_id": "Mia Tanaka"})
        wire.ask("tools/call", name="get_class_attendance", arguments={"class_id": 5})
        wire.ask("prompts/get", name="no-such-prompt", arguments={})
        rest, said = process.communicate(timeout=20)
    assert "students looked at" in absent["result"]["content"][0]["text"]
    assert rest == ""
    assert "Mia" not in said
    assert "Traceback" not in said
    assert process.returncode == 0


def test_without_a_command_it_serves_on_stdio(school):
    with running(settings=school.environment()) as process:
        wire = Wire(process)
        wire.begin()
        assert wire.ask("tools/list")["result"]["tools"]


def test_the_end_of_its_input_ends_it(school):
    with running("serve", settings=school.environment()) as process:
        Wire(process).begin()
        began = time.monotonic()
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")
    assert time.monotonic() - began < 3


@POSIX
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_signal_ends_it(school, number):
    with running("serve", settings=school.environment()) as process:
        wire = Wire(process)
        wire.begin()
        wire.ask("tools/call", name="get_school_context", arguments={})
        began = time.monotonic()
        process.send_signal(number)
        assert process.wait(20) in (0, 128 + number)
        assert time.monotonic() - began < 3
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
