"""What goes over the wire and what comes back, against a real server."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import traceback
import tracemalloc
import zlib
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from attendance_mcp.api.body import MOST_BYTES
from attendance_mcp.api.client import Client
from attendance_mcp.api.endpoints import ENDPOINTS
from attendance_mcp.api.transport import MOST_IN_FLIGHT, Transport
from attendance_mcp.errors import (
    ArgumentError,
    AttendanceError,
    NotAuthorised,
    SettingsError,
    Unavailable,
    UnexpectedAnswer,
)
from attendance_mcp.settings import Settings
from tests.api.conftest import CANARY, Connect
from tests.api.upstream import Upstream, raw_server, read_request

pytestmark = pytest.mark.anyio

SCHOOL = {"school": {"name": "Harbour School"}}


def gzipped(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    return packer.compress(content) + packer.flush()


def packed(content: bytes, *, encoding: str = "gzip") -> Response:
    return Response(content, media_type="application/json", headers={"content-encoding": encoding})


async def test_the_token_goes_in_its_header_and_nowhere_else(upstream: Upstream, connect: Connect) -> None:
    upstream.answers_json(SCHOOL)
    assert (await connect().get_school()).name == "Harbour School"
    (seen,) = upstream.seen
    assert (seen.method, seen.path, seen.query) == ("GET", "/v2p1/school", "")
    assert {name for name, value in seen.headers.items() if CANARY in value} == {"auth-token"}
    assert seen.headers["accept"] == "application/json"


async def test_a_rotated_token_holds_from_the_next_request_on(
    upstream: Upstream, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.answers_json(SCHOOL)
    file = tmp_path / "token"
    file.touch(mode=0o600)
    monkeypatch.setenv("ATTENDANCE_API_TOKEN_FILE", str(file))
    client = connect(token=Settings().token)
    for token in ("first-of-autumn", "second-of-autumn"):
        file.write_text(token + "\n")
        await client.get_school()
    assert [seen.headers["auth-token"] for seen in upstream.seen] == ["first-of-autumn", "second-of-autumn"]
    file.unlink()
    with pytest.raises(NotAuthorised, match="ATTENDANCE_API_TOKEN_FILE can't be read"):
        await client.get_school()
    assert len(upstream.seen) == 2


async def test_a_redirect_is_refused_and_its_target_is_neither_asked_nor_named(
    upstream: Upstream, connect: Connect
) -> None:
    elsewhere = upstream.url.replace("127.0.0.1", "localhost") + "/elsewhere"
    upstream.answers(RedirectResponse(elsewhere, status_code=307))
    with pytest.raises(UnexpectedAnswer, match="another address") as caught:
        await connect().get_school()
    assert "elsewhere" not in str(caught.value)
    assert [seen.path for seen in upstream.seen] == ["/v2p1/school"]


async def test_a_gzip_bomb_is_refused_while_it_streams_in(upstream: Upstream, connect: Connect) -> None:
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    megabyte = b" " * 1024 * 1024
    bomb = b"".join(packer.compress(megabyte) for _ in range(200)) + packer.flush()
    assert len(bomb) < 300_000
    upstream.answers(packed(bomb))
    tracemalloc.start()
    try:
        with pytest.raises(UnexpectedAnswer, match="longer than 8 MiB"):
            await connect().get_school()
        assert tracemalloc.get_traced_memory()[1] < 5 * MOST_BYTES
    finally:
        tracemalloc.stop()


async def test_eight_answers_that_stop_short_of_the_bound_are_not_held_together(
    upstream: Upstream, connect: Connect
) -> None:
    megabyte = b" " * 1024 * 1024
    begun: list[None] = []

    async def stuck(_: Request) -> Response:
        async def most_of_it():  # type: ignore[no-untyped-def]
            for _ in range(7):
                yield megabyte
            begun.append(None)
            await anyio.sleep(5)

        return StreamingResponse(most_of_it(), media_type="application/json")

    upstream.handler = stuck
    client = connect(read_timeout=1)
    tracemalloc.start()
    try:
        async with anyio.create_task_group() as group:
            for _ in range(MOST_IN_FLIGHT):
                group.start_soon(unavailable, client)
        assert begun
        assert tracemalloc.get_traced_memory()[1] < 5 * MOST_BYTES
    finally:
        tracemalloc.stop()


async def unavailable(client: Client) -> None:
    with pytest.raises(Unavailable, match="in time"):
        await client.get_school()


async def test_a_plain_answer_beyond_eight_mebibytes_is_refused(upstream: Upstream, connect: Connect) -> None:
    upstream.answers(Response(b" " * (MOST_BYTES + 1), media_type="application/json"))
    with pytest.raises(UnexpectedAnswer, match="longer than 8 MiB"):
        await connect().get_school()


async def test_a_packed_answer_is_read(upstream: Upstream, connect: Connect) -> None:
    upstream.answers(packed(gzipped(b'{"school":{"name":"Harbour School"}}')))
    assert (await connect().get_school()).name == "Harbour School"


@pytest.mark.parametrize(
    "response",
    [
        packed(gzipped(b'{"school":{"name":"Harbour School"}}')[:-9]),
        packed(b"no gzip at all"),
        packed(b"packed otherwise", encoding="br"),
        HTMLResponse("<h1>secret-of-the-body</h1>"),
        Response(b'{"school":{"name":"secret-of-the-body"', media_type="application/json"),
        JSONResponse({"school": {"title": "secret-of-the-body"}}),
        JSONResponse(["secret-of-the-body"]),
        Response(b"\xff\xfe", media_type="application/json"),
        Response(b"[" * 100_000, media_type="application/json"),
        Response(status_code=204),
        Response(b"secret-of-the-body", status_code=418),
    ],
    ids=[
        "cut gzip",
        "no gzip",
        "brotli",
        "html",
        "cut json",
        "other keys",
        "a list",
        "bytes",
        "depth",
        "empty",
        "teapot",
    ],
)
async def test_an_answer_that_is_not_of_the_contract_is_unexpected_and_not_shown(
    response: Response, upstream: Upstream, connect: Connect
) -> None:
    upstream.answers(response)
    with pytest.raises(UnexpectedAnswer) as caught:
        await connect().get_school()
    assert "secret-of-the-body" not in "".join(traceback.format_exception(caught.value))
    assert not caught.value.maybe_sent


async def test_a_body_that_drips_ends_in_time(upstream: Upstream, connect: Connect) -> None:
    async def drip(_: Request) -> Response:
        async def drops():  # type: ignore[no-untyped-def]
            while True:
                yield b" "
                await anyio.sleep(0.05)

        return StreamingResponse(drops(), media_type="application/json")

    upstream.handler = drip
    with anyio.fail_after(3), pytest.raises(Unavailable, match="did not answer in time"):
        await connect(connect_timeout=0.1, read_timeout=0.2).get_school()


async def test_a_server_that_says_nothing_is_not_waited_for_and_not_asked_again(connect: Connect) -> None:
    asked = []

    def say_nothing(connection) -> None:  # type: ignore[no-untyped-def]
        asked.append(read_request(connection))
        connection.recv(1)  # until the client hangs up

    with raw_server(say_nothing) as port, pytest.raises(Unavailable, match="in time"):
        await connect(f"http://127.0.0.1:{port}", read_timeout=0.2).get_school()
    assert len(asked) == 1


@pytest.mark.parametrize("begun", [False, True], ids=["before the answer", "in the body"])
async def test_a_hundred_cancelled_requests_leave_every_connection_free(
    begun: bool, upstream: Upstream, connect: Connect
) -> None:
    async def endless(_: Request) -> Response:
        async def nothing():  # type: ignore[no-untyped-def]
            yield b"{"
            await anyio.sleep(5)

        if not begun:
            await anyio.sleep(5)
        return StreamingResponse(nothing(), media_type="application/json")

    client = connect(connect_timeout=10, read_timeout=10)
    upstream.handler = endless
    with anyio.fail_after(5):
        for _ in range(5):  # eight of each twenty are on the wire, the others wait their turn
            async with anyio.create_task_group() as group:
                for _ in range(20):
                    group.start_soon(client.get_school)
                arrived, hurry = len(upstream.seen), anyio.current_time() + 1
                while len(upstream.seen) < arrived + MOST_IN_FLIGHT and anyio.current_time() < hurry:
                    await anyio.lowlevel.checkpoint()
                group.cancel_scope.cancel()
    assert len(upstream.seen) == 5 * MOST_IN_FLIGHT
    await all_connections_are_free(client, upstream)


async def test_answers_turned_away_unread_leave_every_connection_free(upstream: Upstream, connect: Connect) -> None:
    async def endless(_: Request) -> Response:
        async def page():  # type: ignore[no-untyped-def]
            yield b"<html>"
            await anyio.sleep(5)

        return StreamingResponse(page(), media_type="text/html")

    client = connect()
    upstream.handler = endless
    for _ in range(MOST_IN_FLIGHT + 1):
        with pytest.raises(UnexpectedAnswer, match="not JSON"):
            await client.get_school()
    await all_connections_are_free(client, upstream)


async def all_connections_are_free(client: Client, upstream: Upstream) -> None:
    """As many requests as may be in flight arrive at the same time: each is answered when all are there."""
    everybody = asyncio.Barrier(MOST_IN_FLIGHT)

    async def together(_: Request) -> Response:
        await everybody.wait()
        return JSONResponse(SCHOOL)

    upstream.handler = together
    with anyio.fail_after(2):
        async with anyio.create_task_group() as group:
            for _ in range(MOST_IN_FLIGHT):
                group.start_soon(client.get_school)


@pytest.mark.parametrize("code", ["../students", "PYP", "p y p", "", "a" * 33, "pyp/../..", True, 0, -4, None, 2.0])
async def test_nothing_but_ids_dates_and_programme_codes_gets_into_a_path(
    code: object, upstream: Upstream, connect: Connect
) -> None:
    with pytest.raises(ArgumentError, match="program_code"):
        await connect().get_calendar(code, 4)  # type: ignore[arg-type]
    assert upstream.seen == []


@pytest.mark.parametrize(
    "url",
    [
        "http://school.example",
        "https://user:pass@school.example",
        "https://school.example/api",
        "https://school.example?x=1",
        "https://",
        "ftp://school.example",
        "https://school.example\\@other.example",
        "http://127.0.0.1.school.example",
    ],
)
def test_only_https_or_loopback_is_ever_talked_to(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Transport(base_url=url, token=lambda: CANARY)
    assert "pass" not in str(caught.value).replace("password", "")


@pytest.mark.parametrize("version", ["", "v2p1/students", "../v1", "2.1"])
def test_a_version_is_a_version_and_no_path(version: str) -> None:
    with pytest.raises(SettingsError, match="of the form v2p1"):
        Transport(base_url="https://school.example", version=version, token=lambda: CANARY)


async def test_the_proxy_of_the_environment_is_asked_for_a_tunnel_and_never_sees_the_token(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = []

    def refuse(connection) -> None:  # type: ignore[no-untyped-def]
        heard.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")

    with raw_server(refuse) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(Unavailable, match="can't be reached") as caught:
            await connect("https://school.example").delete_excusal(7, 9)
    assert not caught.value.maybe_sent
    assert heard[0].startswith(b"CONNECT school.example:443 ")
    assert CANARY.encode() not in b"".join(heard)


async def test_no_proxy_is_asked_for_what_is_on_this_machine(
    upstream: Upstream, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    upstream.answers_json(SCHOOL)
    assert await connect().get_school()


async def test_a_proxy_that_is_no_address_is_said_so(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://user:secret@proxy.example")
    with pytest.raises(SettingsError, match="HTTPS_PROXY") as caught:
        await connect("https://school.example").get_school()
    assert "secret" not in str(caught.value)


async def test_netrc_and_cookies_are_left_alone(
    upstream: Upstream, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    upstream.answers_json(SCHOOL, headers={"set-cookie": "session=abc; Path=/"})
    client = connect()
    await client.get_school()
    await client.get_school()
    assert not {"authorization", "cookie"} & {name for seen in upstream.seen for name in seen.headers}


async def test_an_app_in_this_process_is_asked_with_the_same_checks() -> None:
    async def school(request: Request) -> Response:
        return JSONResponse({"school": {"name": request.headers["auth-token"]}})

    async def students(_: Request) -> Response:
        raise RuntimeError("a fault of the app's")

    async def classes(_: Request) -> Response:
        return packed(gzipped(b" " * (MOST_BYTES + 1)))

    routes = [Route("/v2p1/school", school), Route("/v2p1/students/7", students), Route("/v2p1/classes/8", classes)]
    transport = Transport(base_url="https://demo.invalid", token=lambda: "t", rate=0.001, app=Starlette(routes=routes))
    async with Client(transport) as client:
        assert (await client.get_school()).name == "t"
        assert (await client.get_school()).name == "t"  # unspaced: at this rate it would take a quarter of an hour
        with pytest.raises(Unavailable):
            await client.get_student(7)
        with pytest.raises(UnexpectedAnswer, match="8 MiB"):
            await client.get_class(8)


async def test_no_error_and_no_log_line_holds_the_token_or_what_was_searched_for(
    upstream: Upstream, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    searched = "".join(["Mia ", "Tanaka"])  # not a literal: a traceback shows the test's own lines
    said = []

    async def search(client: Client) -> None:
        with pytest.raises(AttendanceError) as caught:
            await client.list_students(q=searched)
        said.extend(traceback.format_exception(caught.value))

    for status in (200, 302, 401, 404, 422, 429, 500):
        body = {"error": f"{CANARY} {searched}"} if status != 422 else {}
        upstream.answers_json(body, status=status, headers={"retry-after": "0"})
        await search(connect())
    await search(connect("http://127.0.0.1:9"))
    said += [repr(vars(record)) for record in caplog.records if not record.name.startswith("uvicorn")]
    assert said
    assert not [text for text in said if CANARY in text or "Tanaka" in text]


async def test_a_token_that_no_header_can_hold_is_refused_without_showing_it(
    upstream: Upstream, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTENDANCE_API_TOKEN", f"{CANARY}\nx: y")
    with pytest.raises(NotAuthorised) as caught:
        await connect(token=Settings().token).get_school()
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert upstream.seen == []


def test_the_http_library_is_not_loaded_before_the_first_request() -> None:
    code = (
        "import sys; from attendance_mcp.api.client import Client; from attendance_mcp.api.transport import MOST_IN_FLIGHT, Transport\n"
        "Client(Transport(base_url='https://school.example', token=lambda: ''))\n"
        "print([name for name in ('httpx', 'stamina', 'truststore') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_the_queries_of_a_request_are_encoded_by_the_library(upstream: Upstream) -> None:
    upstream.answers_json(SCHOOL)
    transport = Transport(base_url=upstream.url, token=lambda: CANARY)
    query = {"q": "Zoë & Bo=1", "archived": False, "class_ids[]": [1, 2], "left_out": None}
    await transport.send(ENDPOINTS["get_school"], query=query)
    await transport.aclose()
    assert upstream.seen[0].query == "q=Zo%C3%AB+%26+Bo%3D1&archived=false&class_ids%5B%5D=1&class_ids%5B%5D=2"
    assert CANARY not in repr(transport)
