"""What `connect` does with servers that are not what they should be, and with whoever knocks at its own port."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import httpx2
import keyring
import keyring.backends.fail
import pytest
from mcp.client.auth import AuthorizationCodeResult
from starlette.requests import Request
from starlette.responses import Response

from attendance_mcp.commands.connect import address_of
from attendance_mcp.connect.browser import Visit
from attendance_mcp.connect.keeping import Kept
from attendance_mcp.connect.sign_in import Client, SignIn
from attendance_mcp.connect.way import Way
from attendance_mcp.connect.web import Astray, open_web
from attendance_mcp.errors import NotAllowed
from attendance_mcp.http import http_app
from attendance_mcp.server import build
from tests.api.upstream import raw_server, read_request
from tests.http.identity import free_port
from tests.server.process import run
from tests.upstream_school import on_a_port

pytestmark = pytest.mark.anyio
TOKEN = "a-token-that-nobody-else-may-see"
CALL = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "list_absences", "arguments": {}}}


@pytest.fixture(autouse=True)
def _no_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)


@dataclass
class Odd:
    """A server that answers as it is told, and remembers what came."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    pages: dict[str, dict[str, Any]] = field(default_factory=dict)
    came: list[dict[str, str]] = field(default_factory=list)

    async def __call__(self, scope, receive, send) -> None:
        request = Request(scope)
        self.came.append(dict(request.headers))
        page = self.pages.get(request.url.path)
        said = Response(json.dumps(page), 200, {"content-type": "application/json"}) if page else None
        await (said or Response(self.body, self.status, self.headers))(scope, receive, send)


@contextmanager
def listening(odd: Odd) -> Iterator[str]:
    async def app(scope, receive, send):
        if scope["type"] == "http":
            await odd(scope, receive, send)

    with on_a_port(app) as url:
        yield url


@asynccontextmanager
async def to(url: str, *, kept: bool = True) -> AsyncIterator[httpx2.AsyncClient]:
    """A client over the way to a server, with a sign-in that is kept or none."""
    server = f"{url}/mcp"
    async with SignIn.at(server, client=Client("laptop")) as sign_in:
        if kept:
            await sign_in._keeping.write(
                Kept.model_validate(
                    {
                        "tokens": {"access_token": TOKEN, "token_type": "Bearer"},
                        "expires_at": time.time() + 3600,
                        "resource": {"resource": server, "authorization_servers": [url]},
                        "issuer": {
                            "issuer": url,
                            "authorization_endpoint": f"{url}/auth",
                            "token_endpoint": f"{url}/token",
                        },
                    }
                )
            )
        async with httpx2.AsyncClient(transport=Way(server, sign_in)) as web:
            yield web


async def told(web: httpx2.AsyncClient, url: str) -> str:
    """The error that the assistant reads."""
    answer = (await web.post(f"{url}/mcp", json=CALL)).json()
    assert answer["id"] == 7
    assert answer["result"]["isError"]
    return str(answer["result"]["content"][0]["text"])


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, "Your sign-in does not allow this: it was not given the scope for it. Nothing was written."),
        (404, "There is no such server at this address. Nothing was written."),
        (503, "The school's server, or its sign-in service, can't be used at the moment. Nothing was written."),
        (500, "The school's server broke off before it answered. If this was a write, it may have been carried out"),
    ],
)
async def test_what_a_server_or_a_proxy_refuses_becomes_words_and_none_of_its_own(status, said):
    odd = Odd(status, body="<h1>a proxy's own words</h1>")
    with listening(odd) as url:
        async with to(url) as web:
            assert (await told(web, url)).startswith(said)
    assert [came["authorization"] for came in odd.came] == [f"Bearer {TOKEN}"]


@pytest.mark.parametrize(
    "odd", [Odd(body=" " * (17 * 2**20)), Odd(headers={"content-length": "9"})], ids=["endless", "cut"]
)
async def test_an_answer_that_is_not_whole_says_that_a_write_may_have_been_carried_out(odd):
    odd.headers["content-type"] = "application/json"
    with listening(odd) as url:
        async with to(url) as web:
            assert (await told(web, url)).startswith("The school's server broke off")


async def test_whatever_goes_wrong_on_the_way_is_an_answer_of_the_protocol_to_any_request():
    away = f"http://127.0.0.1:{free_port()}"
    async with to(away) as web:
        assert (await told(web, away)).startswith("The school's server does not answer.")
        listed = await web.post(f"{away}/mcp", json={**CALL, "method": "tools/list"})
        stream = await web.get(f"{away}/mcp")
    said = {"code": -32000, "message": "The school's server does not answer. Nothing was written."}
    assert (listed.status_code, listed.json()) == (503, {"jsonrpc": "2.0", "id": 7, "error": said})
    assert (stream.status_code, stream.json()) == (503, {"jsonrpc": "2.0", "id": None, "error": said})
    with raw_server(read_request) as port:
        async with to(f"http://127.0.0.1:{port}") as web:
            assert (await told(web, f"http://127.0.0.1:{port}")).startswith("The school's server broke off")
    plain = "http://attendance.school.example"
    async with to(plain) as web:
        assert await told(web, plain) == "This address can't be reached safely. Nothing was written."


@pytest.mark.parametrize(
    "odd",
    [
        Odd(400, {"content-type": "application/json"}, '{"jsonrpc": "2.0", "id": 7, "error": {"code": -32600}}'),
        Odd(200, {"content-type": "text/event-stream"}, 'data: {"jsonrpc": "2.0", "id": 7}\n\n'),
    ],
    ids=["an error of the protocol", "a stream"],
)
async def test_what_the_server_itself_says_passes_as_it_is(odd):
    with listening(odd) as url:
        async with to(url) as web:
            answer = await web.post(f"{url}/mcp", json=CALL)
    assert (answer.status_code, answer.text) == (odd.status, odd.body)
    assert answer.headers["content-type"].startswith(odd.headers["content-type"])


async def test_without_the_keyrings_package_the_sign_in_is_kept_in_memory(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with listening(Odd(headers={"content-type": "application/json"}, body="{}")) as url:
        async with to(url) as web:
            assert (await web.post(f"{url}/mcp", json=CALL)).status_code == 200
    (warning,) = [record.message for record in caplog.records if "keyring" in record.message]
    assert warning.startswith("The keyring needs one more package: attendance-mcp[keyring]. The sign-in is kept in")


async def test_a_token_goes_to_its_own_server_and_a_clients_secret_to_the_issuer():
    with listening(Odd()) as own, listening(other := Odd()) as elsewhere:
        async with open_web(f"{own}/mcp", seconds=5) as web:
            assert (await web.get(own, headers={"authorization": f"Bearer {TOKEN}"})).status_code == 200
            for shown in (f"Bearer {TOKEN}", f"bearer {TOKEN}", TOKEN):
                with pytest.raises(Astray):
                    await web.get(elsewhere, headers={"authorization": shown})
            assert (await web.post(elsewhere, headers={"authorization": "Basic eDp5"})).status_code == 200
    assert [came["authorization"] for came in other.came] == ["Basic eDp5"]


async def test_a_token_follows_no_redirect():
    other = Odd()
    with listening(other) as elsewhere, listening(Odd(307, {"location": f"{elsewhere}/mcp"})) as url:
        async with to(url) as web:
            assert (await told(web, url)).startswith("The school's server sends its clients to another address")
    assert other.came == []


@pytest.mark.parametrize("named", ["http://login.elsewhere.example", "https://login.elsewhere.example"])
async def test_a_sign_in_service_over_plain_http_is_not_asked_and_one_that_is_away_is_said(named):
    odd = Odd(401)
    with listening(odd) as url:
        where = f"{url}/.well-known/oauth-protected-resource/mcp"
        odd.headers = {"www-authenticate": f'Bearer resource_metadata="{where}"'}
        odd.pages["/.well-known/oauth-protected-resource/mcp"] = {
            "resource": f"{url}/mcp",
            "authorization_servers": [named],
        }
        async with to(url, kept=False) as web:
            said = await told(web, url)
    safe = named.startswith("https")
    assert said.startswith(
        "The school's server, or its sign-in service, does not answer" if safe else "The school's server names a"
    )


async def test_metadata_for_another_resource_signs_nobody_in_nor_does_a_server_that_is_not_there():
    with listening(Odd(404)) as url:
        async with to(url, kept=False) as web:
            assert (await told(web, url)).startswith("Signing in failed")
    odd = Odd(401)
    with listening(odd) as url:
        odd.pages["/.well-known/oauth-protected-resource/mcp"] = {
            "resource": "https://another.school.example/mcp",
            "authorization_servers": [url],
        }
        async with to(url, kept=False) as web:
            assert (await told(web, url)).startswith("Signing in failed")


async def test_a_server_that_asks_nobody_gets_no_token_and_needs_none(same_school):
    app = http_app(build(same_school.settings(), http=True), host="127.0.0.1")
    with on_a_port(app) as url:
        async with to(url, kept=False) as web:
            headers = {"accept": "application/json, text/event-stream"}
            answer = (await web.post(f"{url}/mcp", json=CALL, headers=headers)).json()
    assert not answer["result"]["isError"]


async def test_only_the_browser_that_was_sent_comes_back():
    async with Visit.open() as visit:
        await visit.go("https://login.school.example/auth?state=of-this-visit")
        async with httpx.AsyncClient(trust_env=False) as web:

            async def comes(path="/signed-in", headers=None, **query):
                address = visit.redirect.removesuffix("/signed-in") + path
                return (await web.get(address, params=query, headers=headers)).status_code

            assert await comes(code="another-ones") == 403
            assert await comes(code="another-ones", state="of-another") == 403
            assert await comes("/", code="x", state="of-this-visit") == 404
            assert await comes(headers={"host": "elsewhere.example"}, code="x", state="of-this-visit") == 404
            assert await comes(code="the-code", state="of-this-visit") == 200
            assert await comes(code="a-second-one", state="of-this-visit") == 200
        back = await visit.back()
    assert back == AuthorizationCodeResult(code="the-code", state="of-this-visit", iss=None)


async def test_whoever_turns_back_is_not_signed_in():
    async with Visit.open() as visit:
        await visit.go("https://login.school.example/auth?state=of-this-visit")
        async with httpx.AsyncClient(trust_env=False) as web:
            await web.get(visit.redirect, params={"error": "access_denied", "state": "of-this-visit"})
        with pytest.raises(NotAllowed, match="You are not signed in"):
            await visit.back()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://attendance.school.example", "URL must begin with https://, or the token could be read on its way"),
        ("https://attendance.school.example/other", "URL must end after the host, such as https://attendance.school.example"),
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_used_ends_the_command(url, said):
    done = run("connect", url, "--client-id", "laptop")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"attendance-mcp: {said}\n")


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("https://Attendance.school.example", "https://attendance.school.example/mcp"),
        ("https://attendance.school.example/mcp/", "https://attendance.school.example/mcp"),
        ("https://attendance.school.example/mcp/north", "https://attendance.school.example/mcp/north"),
        ("http://127.0.0.1:8750/mcp/north/", "http://127.0.0.1:8750/mcp/north"),
    ],
)
def test_an_address_may_end_with_its_path_or_the_name_of_one_of_several_schools(given, address):
    assert address_of(given) == address


@pytest.mark.parametrize("given", ["http://school.example/mcp/north", "https://school.example/mcp/a/b", "https://school.example/mcp/North", "https://school.example/mcp/north?a=1", "https://me:word@school.example/mcp/north", "https://school.example/north", "https://school.example/a/mcp/north", "school.example", "https://[::1/mcp/north"])  # fmt: skip
def test_an_address_that_is_more_or_less_than_that_is_refused(given):
    with pytest.raises(ValueError, match=r"school\.example|https://|must hold no user"):
        address_of(given)
