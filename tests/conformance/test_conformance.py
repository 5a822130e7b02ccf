"""The protocol's own conformance suite over HTTP, in both eras, and the Inspector's command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest

from attendance_mcp.http import http_app
from attendance_mcp.server import build
from tests.upstream_school import TOKEN, UpstreamSchool, on_a_port

from .fixtures import add_fixtures
from .suite import INSPECTOR, needs_npm_packages, required, run

pytestmark = [pytest.mark.anyio, needs_npm_packages]
OLDER, NEWER = "2025-11-25", "2026-07-28"

LIST = (INSPECTOR, "--cli", "--method", "tools/list")
CALL = (INSPECTOR, "--cli", "--method", "tools/call")

# What the suite asks of every server, whatever its tools are.
GENERIC = {
    OLDER: [
        "server-initialize",
        "ping",
        "tools-list",
        "prompts-list",
        "resources-list",
        "dns-rebinding-protection",
    ],
    NEWER: [
        "tools-list",
        "prompts-list",
        "resources-list",
        "dns-rebinding-protection",
        "server-sse-multiple-streams",
        "sep-2164-resource-not-found",
        "caching",
        "http-header-validation",
        "input-required-result-missing-input-response",
        "input-required-result-unsupported-methods",
        "input-required-result-ignore-extra-params",
        "input-required-result-validate-input",
    ],
}
# What the suite runs without scoring it, and this server does not offer: tasks are an extension of the protocol, and
# a stream that is taken up again (a scenario that the suite calls pending) needs a store of events.
NOT_OFFERED = {OLDER: {"server-sse-polling"}, NEWER: {"tasks-"}}


@pytest.fixture
def shipped(same_school: UpstreamSchool) -> Iterator[str]:
    """The address of the server as `serve --http` serves it."""
    server = build(same_school.settings(writes="confirm"), http=True)
    with on_a_port(http_app(server, host="127.0.0.1")) as url:
        yield f"{url}/mcp"


@pytest.fixture
def with_fixtures(same_school: UpstreamSchool) -> Iterator[str]:
    """The address of the same server with the suite's names, and with sessions: without, nobody older can be asked."""
    server = build(same_school.settings(writes="confirm"), http=True)
    add_fixtures(server)
    with on_a_port(server.streamable_http_app()) as url:
        yield f"{url}/mcp"


@pytest.mark.parametrize("revision", [OLDER, NEWER])
async def test_the_shipped_server_passes_every_scenario_that_is_asked_of_any_server(
    shipped: str, revision: str, tmp_path: Path
) -> None:
    _, told = await anyio.to_thread.run_sync(required, tmp_path, shipped, revision)
    met = {name: told.get(name, "not run") for name in GENERIC[revision]}
    assert {name: how for name, how in met.items() if not how.startswith("0 of ") or how == "0 of 0"} == {}


@pytest.mark.parametrize("revision", [OLDER, NEWER])
async def test_with_the_suites_fixtures_the_whole_suite_passes(
    with_fixtures: str, revision: str, tmp_path: Path
) -> None:
    status, told = await anyio.to_thread.run_sync(required, tmp_path, with_fixtures, revision)
    failed = {name for name, how in told.items() if not how.startswith("0 of ")}
    assert {name for name in failed if not name.startswith(tuple(NOT_OFFERED[revision]))} == set()
    assert status == 0
    assert len(told) >= 30


@pytest.mark.parametrize("way", ["stdio", "http"])
async def test_the_inspector_finds_no_fault_in_the_tools_and_calls_one(
    shipped: str, same_school: UpstreamSchool, way: str, tmp_path: Path
) -> None:
    told = [part for name, value in same_school.environment().items() for part in ("-e", f"{name}={value}")]
    server: list[Any] = [*told, sys.executable, "-m", "attendance_mcp"] if way == "stdio" else ["--server-url", shipped]
    listed = await anyio.to_thread.run_sync(lambda: run(tmp_path, *LIST, "--strict", *server))
    assert (listed.status, listed.err) == (0, "")
    assert len(json.loads(listed.out)["tools"]) == {"stdio": 24, "http": 23}[way]  # over HTTP no browser is opened
    called = await anyio.to_thread.run_sync(
        lambda: run(tmp_path, *CALL, "--tool-name", "list_absences", "--tool-arg", "date=today", *server)
    )
    assert called.status == 0, called.err
    assert "Absent, no excusal" in json.loads(called.out)["content"][0]["text"]
    assert TOKEN not in called.out + called.err
