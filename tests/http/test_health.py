"""What a load balancer asks: whether the process lives, and whether it can serve; without a name of anything."""

from __future__ import annotations

import time

import httpx
import pytest
from inline_snapshot import snapshot

from attendance_mcp.http import http_app
from attendance_mcp.server import build
from tests.changes.faulty import FaultyWay
from tests.http.identity import free_port
from tests.upstream_school import on_a_port

GOOD = {"status": "ok", "upstream": "ok", "store": "ok"}


def get(url, path, method="GET", **headers):
    answer = httpx.request(method, f"{url}{path}", headers=headers, trust_env=False, timeout=10)
    return answer.status_code, answer.json() if answer.text else None


def told(caplog):
    """What the log says of it to whoever runs the server."""
    return [record.getMessage() for record in caplog.records if record.name == "attendance_mcp.http.health"]


@pytest.fixture
def ready(school):
    """A server over a school that can be cut off, and its probes."""
    with FaultyWay.to(school.url) as way:
        server = build(school.settings(api_url=way.url, writes="confirm"), http=True)
        with on_a_port(http_app(server, host="127.0.0.1")) as url:
            yield way, url


def test_a_server_that_can_serve_says_so_to_any_host_that_asks(ready, school):
    _, url = ready
    assert get(url, "/healthz", host="10.0.0.7:8750") == (200, {"status": "ok"})
    assert get(url, "/readyz", host="10.0.0.7:8750") == (200, GOOD)
    assert get(url, "/readyz", "HEAD") == (200, None)
    assert get(url, "/healthz", "POST") == (405, None)


def test_probes_within_ten_seconds_share_one_look_at_the_school(ready, school):
    _, url = ready
    begun = time.monotonic()
    for _ in range(30):
        assert get(url, "/readyz") == (200, GOOD)
    assert time.monotonic() - begun < 9
    assert len(list(school.log)) == 1


def test_it_lives_but_is_not_ready_while_the_school_does_not_answer(ready, caplog):
    way, url = ready
    way.arm(1, "refused")
    assert get(url, "/readyz") == (503, {**GOOD, "status": "not ready", "upstream": "unavailable"})
    assert get(url, "/healthz") == (200, {"status": "ok"})
    assert told(caplog) == snapshot(
        [
            "/readyz: school's system: The school's API can't be reached; the network, a proxy or ATTENDANCE_API_URL may be the reason. Try again later."
        ]
    )


def test_it_is_not_ready_where_plans_cannot_be_stored_and_the_log_says_why(school, tmp_path, caplog):
    (tmp_path / "no folder").write_text("")
    settings = school.settings(writes="confirm", store=str(tmp_path / "no folder" / "plans.db"))
    with on_a_port(http_app(build(settings, http=True), host="127.0.0.1")) as url:
        assert get(url, "/readyz") == (503, {**GOOD, "status": "not ready", "store": "unavailable"})
    assert told(caplog) == snapshot(
        [
            "/readyz: store: The store of plans and changes can't be used (FileExistsError): check that its place exists, is writable and has room (setting ATTENDANCE_STORE)."
        ]
    )


def test_of_a_database_that_cannot_be_used_the_log_says_what_to_look_at_and_no_password(school, caplog):
    pytest.importorskip("psycopg")
    settings = school.settings(writes="confirm", store=f"postgresql://office:a-password@127.0.0.1:{free_port()}/plans")
    with on_a_port(http_app(build(settings, http=True), host="127.0.0.1")) as url:
        assert get(url, "/readyz") == (503, {**GOOD, "status": "not ready", "store": "unavailable"})
    assert told(caplog) == snapshot(
        [
            "/readyz: store: The store of plans and changes can't be used (OperationalError): check that PostgreSQL runs there, has room, and takes this user, password and database (setting ATTENDANCE_STORE)."
        ]
    )


def test_without_writing_the_store_is_not_asked(school, tmp_path):
    (tmp_path / "no folder").write_text("")
    settings = school.settings(store=str(tmp_path / "no folder" / "plans.db"))
    with on_a_port(http_app(build(settings, http=True), host="127.0.0.1")) as url:
        assert get(url, "/readyz") == (200, {**GOOD, "store": "not used"})
