"""When the API is in trouble: what each status means, and what is known of a write."""

from __future__ import annotations

import socket
import struct
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from attendance_mcp.api.client import Client
from attendance_mcp.errors import (
    NotAuthorised,
    NotFound,
    NotOffered,
    RateLimited,
    Refused,
    Unavailable,
    UnexpectedAnswer,
    UpstreamError,
)
from tests.api.conftest import Connect
from tests.api.upstream import Upstream, raw_server, read_request

pytestmark = pytest.mark.anyio

DAY = date(2026, 11, 24)
SCHOOL = {"school": {"name": "Harbour School"}}
Call = Callable[[Client], Awaitable[Any]]
READ: Call = lambda client: client.get_school()  # noqa: E731
WRITE: Call = lambda client: client.set_homeroom_attendance(7, DAY, 2)  # noqa: E731
TROUBLED = JSONResponse({"error": "down"}, status_code=503)
PACKAGE: Call = lambda client: client.get_permissions()  # noqa: E731


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, UnexpectedAnswer),
        (400, Refused),
        (401, NotAuthorised),
        (403, NotAuthorised),
        (404, NotFound),
        (405, UnexpectedAnswer),
        (409, UnexpectedAnswer),
        (422, Refused),
        (429, RateLimited),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
async def test_each_status_means_one_error_and_a_write_is_sent_once(
    status: int, error: type[UpstreamError], upstream: Upstream, connect: Connect
) -> None:
    upstream.answers_json({"error": "no"}, status=status, headers={"retry-after": "0"})
    with pytest.raises(error) as caught:
        await WRITE(connect())
    assert type(caught.value) is error
    assert len(upstream.seen) == 1
    # The API's plain refusals leave no doubt; all else may have come after the change.
    assert getattr(caught.value, "maybe_sent", False) == (error in (Unavailable, UnexpectedAnswer))


async def test_a_refused_token_is_told_what_may_be_missing(upstream: Upstream, connect: Connect) -> None:
    upstream.answers_json({"error": "Access Denied"}, status=401)
    for call in (READ, WRITE):
        with pytest.raises(NotAuthorised, match=r"permissions.*Extended APIs package"):
            await call(connect())


async def test_a_missing_record_is_named_by_its_ids(upstream: Upstream, connect: Connect) -> None:
    upstream.answers_json({"error": "Couldn't find AcademicTerm with 'id'=7001"}, status=404)
    with pytest.raises(NotFound, match=r"\(class_id 5, term_id 7001\), it says, no academic term 7001\."):
        await connect().get_class_term_attendance(5, 7001)


async def test_a_missing_operation_that_is_only_assumed_is_not_offered(upstream: Upstream, connect: Connect) -> None:
    upstream.answers_json({"error": "Not found"}, status=404)
    client = connect()
    for call in (PACKAGE, lambda c: c.list_teachers(), lambda c: c.list_attendance_categories(4)):
        with pytest.raises(NotOffered):
            await call(client)


@pytest.mark.parametrize(
    ("status", "body", "fields"),
    [
        (422, {"errors": {"duration": ["must be 1 to 12"]}}, {"duration": ["must be 1 to 12"]}),
        (400, {"error": "Invalid payload data structure."}, {"base": ["Invalid payload data structure."]}),
        (422, {"error": {"parent_id": "is not linked"}}, {"parent_id": ["is not linked"]}),
        (
            422,
            {"error": "Unpermitted", "allowed_params": ["end_date", "comment"]},
            {"base": ["Unpermitted", "it takes only end_date, comment"]},
        ),
        (
            422,
            {"errors": {"base": ["<script>x</script>\u202e" + "y" * 500]}},
            {"base": ["script x /script " + "y" * 142 + "…"]},
        ),
        (422, ["nothing of use"], {}),
    ],
)
async def test_a_refusal_gives_its_reasons_by_field(
    status: int, body: object, fields: dict[str, list[str]], upstream: Upstream, connect: Connect
) -> None:
    upstream.answers_json(body, status=status)
    with pytest.raises(Refused) as caught:
        await connect().create_excusal(7, parent_id=3, start_date=DAY)
    assert caught.value.fields == fields
    assert all(message in str(caught.value) for messages in fields.values() for message in messages)


async def test_a_refusal_too_long_to_read_is_still_a_refusal(upstream: Upstream, connect: Connect) -> None:
    upstream.answers_json({"errors": {"base": ["x" * 100_000]}}, status=422)
    with pytest.raises(Refused) as caught:
        await WRITE(connect())
    assert caught.value.fields == {}


async def test_a_refusal_that_can_not_be_unpacked_is_still_a_refusal(upstream: Upstream, connect: Connect) -> None:
    packed = {"content-type": "application/json", "content-encoding": "gzip"}
    upstream.answers(Response(b"no gzip", 422, packed))
    with pytest.raises(Refused) as caught:
        await WRITE(connect())
    assert caught.value.fields == {}


@pytest.mark.parametrize("body", [b"[1]", b"{", b"[" * 100_000], ids=["a list", "cut", "deep"])
async def test_what_is_asked_for_as_it_came_is_an_object(body: bytes, upstream: Upstream, connect: Connect) -> None:
    upstream.answers(Response(body, media_type="application/json"))
    with pytest.raises(UnexpectedAnswer, match="it is no JSON object"):
        await connect().as_sent("get_class_timetable", {"class_id": 7})


async def test_a_write_that_found_no_server_certainly_never_left(connect: Connect) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # bound and not listening: every connection is refused
        client = connect(f"http://127.0.0.1:{unheard.getsockname()[1]}")
        with pytest.raises(Unavailable, match="can't be reached") as caught:
            await WRITE(client)
        assert not caught.value.maybe_sent
        with pytest.raises(Unavailable, match="can't be reached"):
            await READ(client)


def _hang_up(connection: socket.socket) -> None:
    """A reset instead of a polite end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    "said",
    [b"", b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{", b"nonsense\r\n\r\n"],
    ids=["nothing", "half an answer", "no HTTP"],
)
async def test_a_write_whose_connection_broke_may_have_been_carried_out_and_is_not_sent_again(
    said: bytes, connect: Connect
) -> None:
    asked = []

    def break_off(connection: socket.socket) -> None:
        asked.append(read_request(connection))
        connection.sendall(said)
        _hang_up(connection)

    with raw_server(break_off) as port:
        client = connect(f"http://127.0.0.1:{port}")
        with pytest.raises(Unavailable, match=r"broke.*not known") as caught:
            await WRITE(client)
        assert caught.value.maybe_sent
        assert len(asked) == 1
        with pytest.raises(Unavailable, match="broke"):
            await READ(client)
        assert len(asked) == 4


async def test_a_write_that_is_not_answered_in_time_may_have_been_carried_out(connect: Connect) -> None:
    def say_nothing(connection: socket.socket) -> None:
        read_request(connection)
        connection.recv(65536)
        connection.recv(1)

    with raw_server(say_nothing) as port, pytest.raises(Unavailable, match="in time") as caught:
        await WRITE(connect(f"http://127.0.0.1:{port}", read_timeout=0.2))
    assert caught.value.maybe_sent


async def test_a_write_with_a_garbled_answer_may_have_been_carried_out(upstream: Upstream, connect: Connect) -> None:
    upstream.answers(Response(b'{"status":', media_type="application/json"))
    with pytest.raises(UnexpectedAnswer, match="not known") as caught:
        await WRITE(connect())
    assert caught.value.maybe_sent
