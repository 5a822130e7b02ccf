"""A request whole, as it arrives, and what is said of an address or a version that none can be sent to."""

from __future__ import annotations

import json
import socket
from datetime import date

import pytest

from attendance_mcp import __version__
from attendance_mcp.api.transport import Transport
from attendance_mcp.errors import AttendanceError, SettingsError, Unavailable, UnexpectedAnswer
from tests.api.conftest import CANARY, Connect
from tests.api.upstream import Upstream, raw_server, read_request

pytestmark = pytest.mark.anyio

ALWAYS = {
    "accept": "application/json",
    "accept-encoding": "gzip",
    "auth-token": CANARY,
    "connection": "keep-alive",
    "user-agent": f"attendance-mcp/{__version__}",
}


async def test_a_read_and_a_write_say_who_asks_and_what_can_be_read(upstream: Upstream, connect: Connect) -> None:
    excusal = {"start_date": "2026-11-24", "end_date": "2026-11-24", "student_id": 7, "parent_id": 5}
    upstream.answers_json({"excusal": {"id": 9, **excusal}})
    client = connect()
    await client.delete_excusal(7, 9)
    await client.create_excusal(7, parent_id=5, start_date=date(2026, 11, 24), comment="Zoë hustet")
    gone, made = upstream.seen
    host = upstream.url.removeprefix("http://")
    assert (gone.method, gone.path, gone.query, gone.body) == ("DELETE", "/v2p1/students/7/excusals/9", "", b"")
    assert gone.headers == {"host": host, **ALWAYS}
    length = str(len(made.body))
    assert made.headers == {"host": host, "content-type": "application/json", "content-length": length, **ALWAYS}
    assert "Zoë hustet" in made.body.decode()
    assert json.loads(made.body)


async def test_what_is_not_json_is_said_to_come_from_elsewhere(upstream: Upstream, connect: Connect) -> None:
    upstream.answers_json({"school": {"name": "Harbour"}}, headers={"content-type": "Text/JSON"})
    with pytest.raises(UnexpectedAnswer) as caught:
        await connect().get_school()
    assert str(caught.value) == (
        "The school's API gave an unexpected answer to get_school: it is not JSON; ATTENDANCE_API_URL may point to "
        "something else."
    )
    upstream.answers_json({"school": {"name": "Harbour"}}, headers={"content-type": "Application/JSON ; charset=utf-8"})
    assert (await connect().get_school()).name == "Harbour"


async def test_silence_and_a_connection_that_breaks_are_told_apart(connect: Connect) -> None:
    def break_off(connection: socket.socket) -> None:
        read_request(connection)

    def say_nothing(connection: socket.socket) -> None:
        read_request(connection)
        connection.recv(1)  # until the client hangs up

    said = []
    for talk in (break_off, say_nothing):
        with raw_server(talk) as port, pytest.raises(Unavailable) as caught:
            await connect(f"http://127.0.0.1:{port}", read_timeout=0.2).delete_excusal(7, 9)
        said.append(str(caught.value).partition(" Try again later.")[0])
    assert said == ["The connection to the school's API broke.", "The school's API did not answer in time."]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"version": "v2/../.."}, "The version of the school's API is of the form v2p1."),
        ({"version": "vp1"}, "The version of the school's API is of the form v2p1."),
        (
            {"base_url": "ftp://school.example"},
            "The address of the school's API must begin with https://, or the token could be read on its way.",
        ),
    ],
)
def test_an_address_or_a_version_that_nothing_can_be_sent_to_is_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Transport(**{"base_url": "https://school.example", "token": lambda: CANARY, **given})
    assert str(caught.value) == said


@pytest.mark.parametrize(("kept", "length"), [(True, 64 * 1024), (False, 64 * 1024 + 1)])
async def test_of_a_refusal_64_kibibytes_are_read(upstream: Upstream, connect: Connect, kept, length) -> None:
    filled = {"error": "no such year", "more": ""}
    filled["more"] = "x" * (length - len(json.dumps(filled, separators=(",", ":"))))
    upstream.answers_json(filled, status=422)
    with pytest.raises(AttendanceError) as caught:
        await connect().get_student(7)
    assert ("no such year" in str(caught.value)) is kept
