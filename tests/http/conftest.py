"""A school's server with sign-in by a real identity provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from attendance_mcp.http import http_app
from attendance_mcp.http.app import sign_in_of
from attendance_mcp.server import build
from tests.upstream_school import UpstreamSchool, on_a_port

from .identity import MISSING, IdentityProvider

PUBLIC = "https://attendance.school.example"
RESOURCE = f"{PUBLIC}/mcp"
ELSEWHERE = "https://elsewhere.school.example/mcp"
OTHER_AUDIENCE = "https://attendance.school.example/other"
HEADERS = {
    "accept": "application/json, text/event-stream",
    "content-type": "application/json",
    "host": "attendance.school.example",
}
PEOPLE: dict[str, dict[str, Any]] = {
    "ana": {"email": "ana@school.example", "groups": ["office"]},
    "ben": {"email": "ben@school.example", "groups": ["advisors"]},
}


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    """The provider that most tests share."""
    if MISSING:
        pytest.skip(MISSING)
    resources = {RESOURCE: RESOURCE, ELSEWHERE: ELSEWHERE, OTHER_AUDIENCE: "another-audience"}
    with IdentityProvider.open(tmp_path_factory.mktemp("identity"), resources=resources, people=PEOPLE) as provider:
        yield provider


@dataclass
class Guarded:
    """A server with sign-in, behind a proxy that tells it by which name it was asked."""

    url: str
    web: httpx.Client

    def send(
        self, method: str, token: str | None, *, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """A request to `/mcp` with this token."""
        bearer = {"authorization": f"Bearer {token}"} if token is not None else {}
        return self.web.request(method, f"{self.url}/mcp", headers={**HEADERS, **bearer, **(headers or {})}, **more)

    def get(self, path: str) -> httpx.Response:
        return self.web.get(self.url + path, headers={"host": HEADERS["host"]})

    def post(
        self, token: str | None, method: str = "tools/list", params: dict[str, Any] | None = None, **headers: str
    ) -> httpx.Response:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
        return self.send("POST", token, headers=headers, json=body)

    def call(self, token: str | None, tool: str, **arguments: Any) -> httpx.Response:
        return self.post(token, "tools/call", {"name": tool, "arguments": arguments})

    @contextmanager
    def client(self, token: str, mode: str = "auto") -> Iterator[Client]:
        """An MCP client that brings this token."""
        headers = {"authorization": f"Bearer {token}", "host": HEADERS["host"]}
        web = httpx2.AsyncClient(headers=headers, timeout=httpx2.Timeout(30), trust_env=False)
        yield Client(streamable_http_client(f"{self.url}/mcp", http_client=web), mode=mode)


@pytest.fixture
def guard(identity: IdentityProvider) -> Iterator[Callable[..., Guarded]]:
    """Opens a server with sign-in over a school: `guard(school, writes="confirm")`."""
    with ExitStack() as stack:

        def open_one(school: UpstreamSchool, *, again: float = 30.0, **settings: Any) -> Guarded:
            given = school.settings(**{"oidc_issuer": identity.issuer, "public_url": PUBLIC, **settings})
            app = http_app(build(given, http=True), host="0.0.0.0", sign_in=sign_in_of(given, again=again))
            web = stack.enter_context(httpx.Client(trust_env=False, verify=False, timeout=20))
            return Guarded(stack.enter_context(on_a_port(app)), web)

        yield open_one
