"""The sandbox as a server of its own, and the log of what it was asked."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from attendance_mcp.sandbox.app import create_app
from attendance_mcp.sandbox.log import LogEntry, RequestLog, read_log
from attendance_mcp.sandbox.serve import open_school
from tests.measured import measured

from .conftest import Ask
from .tiny import MIA, TODAY, TOKEN

SERVE = """
from datetime import datetime
from pathlib import Path
from attendance_mcp.sandbox.serve import run
run(port=0, token="a-token", size="small", today=datetime(2025, 11, 24, 10, 0), log_file=Path("requests.jsonl"))
"""


def test_the_log_holds_every_request_and_never_the_token(school: Ask):
    api = school()
    del api.headers["auth-token"]
    body = {"date": "2025-11-24", "status": 1}
    api.get("/v2p1/school", params={"auth_token": "wrong"})
    api.get("/v2p1/students", params={"q": "mia", "auth_token": TOKEN})
    api.put(f"/v2p1/students/{MIA}/set_homeroom_attendance", params={"auth_token": TOKEN}, json=body)
    log = api.app.state.log
    assert list(log) == [
        LogEntry("GET", "/v2p1/school", "", 401),
        LogEntry("GET", "/v2p1/students", "q=mia", 200),
        LogEntry("PUT", f"/v2p1/students/{MIA}/set_homeroom_attendance", "", 200, body),
    ]
    assert log.writes() == [log[2]]
    log.clear()
    assert len(log) == 0


def test_the_log_is_kept_in_a_file_for_other_processes(engine: sa.Engine, tmp_path: Path):
    file = tmp_path / "requests.jsonl"
    assert read_log(file) == []
    log = RequestLog(file)
    with TestClient(create_app(engine, token=TOKEN, today=TODAY, log=log), headers={"auth-token": TOKEN}) as api:
        api.get("/v2p1/school")
        api.post(f"/v2p1/students/{MIA}/excusals", content=b"\xff no JSON")
    assert read_log(file) == list(log)
    assert log[1].body == "\ufffd no JSON"


def test_a_school_in_a_file_is_found_as_it_was_left(tmp_path: Path):
    monday, tuesday = (datetime(2025, 11, day, 10, 0) for day in (24, 25))
    file = tmp_path / "new" / "school.db"
    listed = []
    for today in (monday, monday, tuesday):
        with open_school(size="small", today=today, file=file) as engine:
            api = TestClient(create_app(engine, token=TOKEN, today=today), headers={"auth-token": TOKEN})
            listed.append(api.get("/v2p1/students").json()["meta"]["total_count"])
    assert listed[0] == listed[1] == listed[2] > 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without letting it tidy up")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_server_names_its_port_once_it_listens_and_leaves_no_file_behind(tmp_path: Path, end: signal.Signals):
    with subprocess.Popen(
        [sys.executable, "-c", SERVE],
        cwd=tmp_path,
        env={"TMPDIR": str(tmp_path), **measured()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        line = server.stdout.readline()
        found = re.fullmatch(r"Sandbox school on (http://127\.0\.0\.1:\d+), token a-token\n", line)
        assert found, line + server.stderr.read()
        answer = httpx.get(f"{found[1]}/v2p1/school", headers={"auth-token": "a-token"}, trust_env=False)
        server.send_signal(end)
        out, err = server.communicate(timeout=20)
    assert answer.status_code == 200
    assert (server.returncode, out, err) == (0, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["requests.jsonl"]
    assert [entry.path for entry in read_log(tmp_path / "requests.jsonl")] == ["/v2p1/school"]
