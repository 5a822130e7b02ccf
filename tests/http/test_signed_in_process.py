"""The command with sign-in, as a school runs it: whole settings, a client registered beforehand, a log without secrets."""

from __future__ import annotations

import signal
import sys
from urllib.parse import parse_qs, urlsplit

import anyio.to_thread
import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.oauth2 import AuthorizationCodeResult
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from attendance_mcp.http import http_app
from attendance_mcp.http.app import page_of, sign_in_of
from attendance_mcp.server import build
from tests.changes.errands import DAY
from tests.server.process import run
from tests.upstream_school import TOKEN, on_a_port

from .conftest import HEADERS, PEOPLE, POLICY, PUBLIC, RESOURCE
from .identity import READ, REDIRECT, free_port
from .served import served

pytestmark = pytest.mark.anyio
GRADE_8 = "select id from students where year_group_id = 22400018 and archived = 0 order by id"


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without a signal that it could hear")
def test_the_command_serves_others_behind_sign_in_and_its_log_holds_no_token_and_nobody(school, identity, policy):
    settings = school.environment(oidc_issuer=identity.issuer, public_url=PUBLIC, policy=policy)
    token = identity.token("ana", READ, resource=RESOURCE)
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_absences", "arguments": {}}}
    with served(settings, "--host", "0.0.0.0") as server:
        url = server.url.replace("0.0.0.0", "127.0.0.1")
        statuses = [
            httpx.post(f"{url}/mcp", headers={**HEADERS, **bearer}, json=body, trust_env=False).status_code
            for bearer in ({}, {"authorization": f"Bearer {token}x"}, {"authorization": f"Bearer {token}"})
        ]
        server.process.send_signal(signal.SIGTERM)
        lines = server.rest()
    assert statuses == [401, 401, 200]
    assert [line.get("status") for line in lines if line["event"] == "request"] == statuses
    for secret in (token, *token.split("."), TOKEN, "ana", PEOPLE["ana"]["email"]):
        assert secret not in str(lines)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"policy": "missing.toml"}, "The policy of ATTENDANCE_POLICY can't be read: a text file is expected."),
        ({"oidc_client_id": "x", "writes": "confirm", "oidc_client_secret_file": "missing"}, "The file of ATTENDANCE_OIDC_CLIENT_SECRET_FILE can't be read"),
    ],
)  # fmt: skip
def test_what_of_sign_in_cannot_be_used_ends_the_command_before_it_serves(same_school, policy, wrong, said):
    given = {"oidc_issuer": "https://login.school.example", "public_url": PUBLIC, "policy": policy, **wrong}
    done = run("serve", "--http", settings=same_school.environment(**given))
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


class Registered:
    """A client's storage that holds what it was registered as beforehand."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return OAuthClientInformationFull(
            client_id="assistant", redirect_uris=[REDIRECT], token_endpoint_auth_method="none"
        )

    async def set_client_info(self, client_info):
        raise AssertionError("nothing is registered here")


async def test_a_client_that_was_registered_beforehand_finds_its_way_by_itself(school, identity, policy):
    port = free_port()
    public = f"http://127.0.0.1:{port}"
    given = school.settings(oidc_issuer=identity.issuer, public_url=public, policy=policy, writes="confirm")
    sign_in = sign_in_of(given)
    app = http_app(build(given, http=True), host="127.0.0.1", sign_in=sign_in, page=page_of(given, sign_in))
    went = []

    def sign_in_as_cai(address):
        with httpx.Client(trust_env=False, verify=False) as web:
            where = httpx.URL(address).copy_add_param("login_hint", "cai")
            while not str(where).startswith(REDIRECT):
                where = httpx.URL(identity.issuer).join(web.get(where).headers["location"])
        return str(where)

    async def redirect(address):
        went.append(await anyio.to_thread.run_sync(sign_in_as_cai, address))

    async def callback():
        found = parse_qs(urlsplit(went[-1]).query)
        return AuthorizationCodeResult(code=found["code"][0], state=found["state"][0], iss=found["iss"][0])

    metadata = OAuthClientMetadata(redirect_uris=[REDIRECT], token_endpoint_auth_method="none")
    auth = OAuthClientProvider(f"{public}/mcp", metadata, Registered(), redirect, callback)
    student = school.one(GRADE_8)[0]
    with on_a_port(app, port):
        async with (
            httpx2.AsyncClient(auth=auth, trust_env=False, timeout=20) as web,
            Client(streamable_http_client(f"{public}/mcp", http_client=web)) as client,
        ):
            found = await client.call_tool("list_absences", {"group": "Grade 8"})
            planned = await client.call_tool(
                "set_homeroom_attendance", {"student_id": student, "date": DAY, "status": 2}
            )
    assert not found.is_error
    assert not planned.is_error
    assert len(went) == 1
