"""The server over HTTP: this machine only, POST only, and no page of another site may speak to it."""

from __future__ import annotations

import json
import socket

import httpx
import pytest

from attendance_mcp.errors import SettingsError
from attendance_mcp.http import http_app
from attendance_mcp.server import build
from tests.upstream_school import on_a_port

from .process import run

JSON = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
STRANGERS = ["0.0.0.0", "192.168.1.20", "::", "attendance.school.example"]


@pytest.fixture
def origin(same_school):
    with on_a_port(http_app(build(same_school.settings(), http=True), host="127.0.0.1")) as url:
        yield url


def ask(url: str, method: str = "POST", **headers: str) -> httpx.Response:
    json = LIST if method == "POST" else None
    return httpx.request(method, f"{url}/mcp", headers={**JSON, **headers}, json=json, trust_env=False, timeout=10)


def test_it_answers_json_without_a_session(origin):
    answer = ask(origin)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert "mcp-session-id" not in answer.headers
    assert [tool["name"] for tool in answer.json()["result"]["tools"]][:2] == ["get_school_context", "find_in_school"]


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "HEAD"])
def test_only_post_is_answered(origin, method):
    answer = ask(origin, method)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.text == ""


@pytest.mark.parametrize("host", ["attendance.school.example", "127.0.0.1.school.example:80", "169.254.169.254"])
def test_a_name_that_was_made_to_point_here_is_refused(origin, host):
    assert ask(origin, host=host).status_code in (403, 421)


@pytest.mark.parametrize("site", ["https://school.example", "null", "http://localhost.school.example"])
def test_a_page_of_another_site_is_refused(origin, site):
    assert ask(origin, origin=site).status_code == 403


def test_a_page_of_this_machine_is_not(origin):
    assert ask(origin, origin="http://localhost:6274").status_code == 200


def test_there_is_nothing_beside_its_one_path(origin):
    assert httpx.post(f"{origin}/", json=LIST, trust_env=False).status_code == 404


@pytest.mark.parametrize("host", STRANGERS)
def test_an_address_that_others_reach_is_refused(school, host):
    with pytest.raises(SettingsError, match="this machine only"):
        http_app(build(school.settings(), http=True), host=host)


def test_the_command_refuses_an_address_that_others_reach(school):
    done = run("serve", "--http", "--host", "0.0.0.0", settings=school.environment())
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "attendance-mcp: Without sign-in the server listens on this machine only, not on 0.0.0.0: whoever reaches the "
        "port would see every student. Use --host 127.0.0.1, or set ATTENDANCE_OIDC_ISSUER.\n"
    )


def test_a_port_that_is_taken_is_said(school):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run("serve", "--http", "--port", str(port), settings=school.environment())
    assert done.returncode != 0
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "address already in use" in json.loads(line)["message"]
