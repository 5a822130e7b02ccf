"""`attendance-mcp sandbox`: an invented school's API on this machine."""

from __future__ import annotations

import re
import signal
import sys

import httpx
import pytest

from attendance_mcp.sandbox.log import read_log
from tests.server.process import running

from .shell import command


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without a signal that it could hear")
def test_it_says_where_it_is_answers_and_ends(tmp_path):
    log = tmp_path / "requests.jsonl"
    options = ["--port", "0", "--size", "small", "--token", "a-token", "--today", "2026-11-24", "--log", str(log)]
    options += ["--without", "teachers", "--assume", "periods_from=0", "--assume", "no_record=-1"]
    with running("sandbox", *options, settings={}) as process:
        assert process.stdout is not None
        found = re.fullmatch(r"Sandbox school on (http://127\.0\.0\.1:\d+), token a-token\n", process.stdout.readline())
        assert found
        with httpx.Client(base_url=found[1], headers={"auth-token": "a-token"}, trust_env=False) as school:
            students = school.get("/v2p1/students").json()["meta"]["total_count"]
            teachers = school.get("/v2p1/teachers").status_code
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert (students, teachers) == (96, 404)
    assert (process.returncode, out, err) == (0, "", "")
    assert [entry.path for entry in read_log(log)] == ["/v2p1/students", "/v2p1/teachers"]


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (["--assume", "weather=fine"], "there is no assumption 'weather'; known are no_record, "),
        (["--assume", "archived=never"], "archived is one of only, also, not 'never'"),
        (["--without", "roof"], "a school can't be without roof; known are calendar, "),
        (["--today", "soon"], "soon"),
        (["--size", "huge"], "huge"),
    ],
)
def test_a_wrong_option_is_told_before_anything_starts(option, told):
    done = command("sandbox", "--port", "0", *option)
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in done.stderr
