"""A school's server with sign-in by a real identity provider."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from attendance_mcp.http import http_app
from attendance_mcp.http.app import page_of, sign_in_of
from attendance_mcp.http.asgi import App
from attendance_mcp.server import build
from tests.upstream_school import Era, UpstreamSchool, on_a_port

from .identity import MISSING, IdentityProvider, free_port

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
    "ben": {"email": "ben@school.example", "groups": ["advisors-7-shen"]},
    "cai": {"email": "cai@school.example", "groups": ["staff", "heads-8"]},
    "dia": {"email": "Dia@School.example", "groups": ["staff"]},
    "eli": {"email": "eli@school.example", "groups": ["counsellors"]},
    "fay": {"email": "fay@school.example", "groups": ["visitors"]},
}
# An advisor of Grade 7 who also reads the other homeroom's class, the head of Grade 8, a teacher of Grade 9's science.
POLICY = """
[[allow]]
claim = "groups"
value = "office"
read = "whole school"
write = "whole school"

[[allow]]
claim = "groups"
value = "counsellors"
read = "whole school"

[[allow]]
claim = "groups"
value = "advisors-7-shen"
write.homerooms = ["Grade 7 Yichen Shen"]

[[allow]]
claim = "groups"
value = ["heads-8", "heads-9"]
read.year_groups = ["Grade 8"]
write.year_groups = ["Grade 8"]

[[allow]]
claim = "email"
value = "dia@school.example"
read.classes = ["Combined Science 9"]
"""


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    """The provider that most tests share."""
    if MISSING:
        pytest.skip(MISSING)
    resources = {RESOURCE: RESOURCE, ELSEWHERE: ELSEWHERE, OTHER_AUDIENCE: "another-audience"}
    folder = tmp_path_factory.mktemp("identity")
    pages = tuple(f"{origin}/approvals/signed-in" for origin in (PUBLIC, f"http://127.0.0.1:{free_port()}"))
    with IdentityProvider.open(folder, resources=resources, people=PEOPLE, pages=pages) as provider:
        yield provider


@dataclass
class Guarded:
    """A server with sign-in, behind a proxy that tells it by which name it was asked."""

    url: str
    web: httpx.Client
    path: str = "/mcp"

    def at(self, path: str) -> Guarded:
        """The same server at another of its addresses."""
        return replace(self, path=path)

    def send(
        self, method: str, token: str | None, *, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """A request for MCP with this token."""
        bearer = {"authorization": f"Bearer {token}"} if token is not None else {}
        return self.web.request(method, self.url + self.path, headers={**HEADERS, **bearer, **(headers or {})}, **more)

    def get(self, path: str) -> httpx.Response:
        return self.web.get(self.url + path, headers={"host": HEADERS["host"]})

    def post(
        self, token: str | None, method: str = "tools/list", params: dict[str, Any] | None = None, **headers: str
    ) -> httpx.Response:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
        return self.send("POST", token, headers=headers, json=body)

    def call(self, token: str | None, tool: str, **arguments: Any) -> httpx.Response:
        return self.post(token, "tools/call", {"name": tool, "arguments": arguments})

    def tools(self, token: str) -> set[str]:
        """What is listed for this token."""
        return {tool["name"] for tool in self.post(token).json()["result"]["tools"]}

    def told(self, token: str, tool: str, **arguments: Any) -> tuple[bool, str]:
        """Whether a call was answered, and all that it said."""
        result = self.call(token, tool, **arguments).json()["result"]
        return not result["isError"], json.dumps(result, ensure_ascii=False)

    def facts(self, token: str, tool: str, **arguments: Any) -> dict[str, Any]:
        result = self.call(token, tool, **arguments).json()["result"]
        assert not result["isError"], result
        return dict(result["structuredContent"])

    @asynccontextmanager
    async def client(self, token: str, era: Era = "auto") -> AsyncIterator[Client]:
        """An MCP client that brings this token."""
        headers = {"authorization": f"Bearer {token}", "host": HEADERS["host"]}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=httpx2.Timeout(30), trust_env=False) as web,
            Client(streamable_http_client(self.url + self.path, http_client=web), mode=era) as client,
        ):
            yield client


@pytest.fixture
def guarded_app(identity: IdentityProvider, tmp_path: Path) -> Callable[..., App]:
    """The app of a server with sign-in over a school: `guarded_app(school, writes="confirm")`."""
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)

    def app_of(school: UpstreamSchool, *, again: float = 30.0, **settings: Any) -> App:
        given = school.settings(**{"oidc_issuer": identity.issuer, "public_url": PUBLIC, "policy": policy, **settings})
        sign_in = sign_in_of(given, again=again)
        return http_app(build(given, http=True), host="0.0.0.0", sign_in=sign_in, page=page_of(given, sign_in))

    return app_of


@pytest.fixture
def guard(guarded_app: Callable[..., App]) -> Iterator[Callable[..., Guarded]]:
    """Opens a server with sign-in over a school: `guard(school, writes="confirm")`."""
    with ExitStack() as stack:

        def open_one(school: UpstreamSchool, **settings: Any) -> Guarded:
            url = stack.enter_context(on_a_port(guarded_app(school, **settings)))
            return Guarded(url, stack.enter_context(httpx.Client(trust_env=False, verify=False, timeout=20)))

        yield open_one


@pytest.fixture
def secret(tmp_path):
    """The file with the secret of the client that is registered for the page."""
    path = tmp_path / "secret"
    path.write_text("a-secret-of-the-approvals-page\n")
    path.chmod(0o600)
    return path
