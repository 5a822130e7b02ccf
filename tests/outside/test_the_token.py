"""The token goes to the school's API and nowhere else: sought in all that the product says, logs and keeps."""

from __future__ import annotations

import base64
import json
import logging
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from attendance_mcp.api.client import Client
from attendance_mcp.api.endpoints import ENDPOINTS
from attendance_mcp.api.transport import Transport
from attendance_mcp.api.trouble import Answer
from attendance_mcp.errors import AttendanceError
from attendance_mcp.sandbox.app import create_app
from attendance_mcp.server import open_app
from tests.api.upstream import raw_server
from tests.changes.errands import apply
from tests.changes.stores import everything_stored
from tests.cli.shell import command
from tests.server.process import Wire, running
from tests.tools.examples import Known
from tests.upstream_school import UpstreamSchool, on_a_port

from .talkative import CANARY, RAW, Talkative

pytestmark = pytest.mark.anyio
FORMS = (CANARY, base64.b64encode(CANARY.encode()).decode(), CANARY.encode().hex(), CANARY[::-1])
# They come into being at the first request.
HTTP_LOGGERS = ["httpx", "httpcore", *(f"httpcore.{part}" for part in ("connection", "http11", "proxy"))]


def nowhere_in(*texts: object) -> None:
    for words in map(str, texts):
        for form in FORMS:
            assert form not in words, words[max(0, words.index(form) - 300) : words.index(form) + 100]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Every line of every library, at the level that tells most."""
    for name in ["", *logging.root.manager.loggerDict, *HTTP_LOGGERS]:
        caplog.set_level(logging.DEBUG, name)
    yield caplog
    # A record keeps what it was made of: a formatter could print the arguments and the traceback too.
    for record in caplog.get_records("call"):
        nowhere_in(record.getMessage(), record.args, record.exc_text or "")
        if record.exc_info:
            nowhere_in("".join(traceback.format_exception(*record.exc_info)))


@pytest.fixture
def talkative(school: UpstreamSchool) -> Iterator[tuple[Talkative, str]]:
    """The school behind an upstream that can be made to tell the token, and its address."""
    way = Talkative(create_app(school.engine, token=CANARY, today=school.today, log=school.log))
    with on_a_port(way) as url:
        yield way, url


# --- over faults of the upstream, in this process ---

TOLD = [
    *((status, where) for status in (200, 400, 422) for where in ("error", "field", "list", "html")),
    *((status, "error") for status in (302, 401, 403, 404, 409, 429, 500)),
]


async def test_no_answer_log_line_or_row_of_the_store_holds_it_whatever_a_write_is_answered(
    school, talkative, logged, capfd
):
    way, url = talkative
    calls = list(Known.of(school).writes().items())[:3]
    async with school.client(api_url=url, api_token=CANARY, approval="token", deadline=2) as ask:
        for number, (way.status, way.where) in enumerate(TOLD):
            tool, arguments = calls[number % len(calls)]
            plan = await ask.facts(tool, **arguments)
            way.methods = frozenset({"POST", "PUT"})
            nowhere_in(plan, await apply(ask, plan))
            way.methods = frozenset()
            nowhere_in(await apply(ask, plan))
        nowhere_in(await ask("list_changes", limit=50))
    nowhere_in(everything_stored(school), *capfd.readouterr())
    assert len([entry for entry in logged.records if entry.name.startswith("sqlalchemy")]) > 100


async def test_no_answer_or_log_line_holds_it_whatever_a_read_is_answered(school, talkative, logged, capfd):
    way, url = talkative
    way.methods = frozenset({"GET"})
    async with school.client(api_url=url, api_token=CANARY, deadline=0.2) as ask:
        for way.status, way.where in TOLD:
            nowhere_in(await ask("list_excusals", date="today"), await ask("get_class_timetable", class_id=5))
    nowhere_in(*capfd.readouterr())


async def test_a_record_that_holds_it_is_read_without_it(school, talkative):
    _, url = talkative
    student, excusal = school.one("select student_id, id from excusals order by 2")
    school.change("update students set first_name = :token where id = :id", token=CANARY, id=student)
    school.change("update excusals set comment = :token where id = :id", token=f"see {CANARY}", id=excusal)
    async with school.client(api_url=url, api_token=CANARY) as ask:
        told = await ask.text("list_student_excusals", student_id=student)
        plan = await ask("delete_excusal", student_id=student, excusal_id=excusal)
    assert "⟪see (token)⟫" in told
    nowhere_in(told, plan, everything_stored(school))


@pytest.mark.parametrize(
    ("token", "body", "left"),
    [
        ("abcdef/ghi+jkl==", b'{"a":"abcdef/ghi+jkl=="}', b'{"a":"(token)"}'),
        ("abcdef/ghi+jkl==", b'{"a":"abcdef\\/ghi+jkl=="}', b'{"a":"(token)"}'),  # as PHP writes a slash
        ('abc"def\\ghijkl', json.dumps('abc"def\\ghijkl').encode(), b'"(token)"'),
        ("123456789012", b'["123456789012",123456789012]', b'["(token)",(token)]'),
        ("present", b'{"label":"present"}', b'{"label":"present"}'),  # too short to be told from a word
    ],
)
def test_it_is_taken_out_of_an_answer_however_json_writes_it(token, body, left):
    answer = Answer(endpoint=ENDPOINTS["list_excusals"], status=200, headers={}, body=body)
    assert answer.without(token).body == left


@pytest.mark.parametrize("what", RAW)
async def test_no_error_traceback_or_log_line_holds_it_where_the_answer_is_no_http(what, logged):
    with raw_server(RAW[what]) as port:
        nowhere_in(
            *await told_by(Transport(base_url=f"http://127.0.0.1:{port}", token=lambda: CANARY, read_timeout=0.5))
        )


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "https://127.0.0.1:9", "https://localhost:{port}", "http://127.0.0.1:{port}"])  # fmt: skip
async def test_no_error_traceback_or_log_line_holds_it_where_nobody_answers_or_not_in_tls(url, logged):
    with raw_server(lambda connection: connection.recv(65536) and None) as port:
        transport = Transport(
            base_url=url.format(port=port), token=lambda: CANARY, connect_timeout=0.3, read_timeout=0.3
        )
        nowhere_in(*await told_by(transport))


async def told_by(transport: Transport) -> list[str]:
    """The errors of a read and of a write with their tracebacks, and what the parts say of themselves."""
    told = []
    client = Client(transport)
    try:
        for call in (client.get_school, lambda: client.delete_excusal(1, 2)):
            with pytest.raises(AttendanceError) as caught:
                await call()
            error = caught.value
            told += [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)]
        told += [repr(transport), repr(client), repr(vars(client))]
    finally:
        await client.aclose()
    return told


async def test_no_part_of_the_server_says_it_of_itself(school):
    settings = school.settings(api_token=CANARY)
    app = open_app(settings)
    try:
        nowhere_in(settings, repr(settings), settings.model_dump(), repr(app), vars(app))
        nowhere_in(repr(app.connection), vars(app.connection))
    finally:
        await app.aclose()


# --- the process ---


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")
@pytest.mark.parametrize("kept", ["in a file", "in the environment"])
def test_it_stands_in_no_command_line_or_output_and_with_a_file_not_in_the_environment(
    school, talkative, tmp_path, kept
):
    way, url = talkative
    settings = school.environment(api_url=url, api_token=CANARY)
    if kept == "in a file":
        file = tmp_path / "token"
        file.touch(mode=0o600)
        file.write_text(CANARY)
        del settings["ATTENDANCE_API_TOKEN"]
        settings["ATTENDANCE_API_TOKEN_FILE"] = str(file)
    with running("serve", settings=settings) as process:
        wire = Wire(process)
        wire.begin()
        answers = [wire.ask("tools/call", name="get_school_context", arguments={})]
        assert "result" in answers[0] and not answers[0]["result"].get("isError")
        way.methods = frozenset({"GET"})
        answers.append(wire.ask("tools/call", name="list_excusals", arguments={"date": "today"}))
        proc = Path("/proc") / str(process.pid)
        nowhere_in((proc / "cmdline").read_text(), (proc / "comm").read_text(), (proc / "maps").read_text())
        assert (CANARY in (proc / "environ").read_text()) is (kept == "in the environment")
        rest, said = process.communicate(timeout=20)
    nowhere_in(json.dumps(answers), rest, said)


def test_no_command_prints_it_or_leaves_it_in_a_file(school, talkative, tmp_path):
    way, url = talkative
    settings = school.environment(api_url=url, api_token=CANARY)
    arguments = json.dumps(Known.of(school).writes()["set_homeroom_attendance"])
    for failing in (False, True):
        way.methods = frozenset({"GET"}) if failing else frozenset()
        for line in (
            ["call", "set_homeroom_attendance", arguments],
            ["call", "list_excusals", '{"date": "today"}', "--json"],
            ["doctor"],
            ["doctor", "--json"],
            ["doctor", "--learn"],
            ["changes"],
        ):
            done = command(*line, settings=settings)
            nowhere_in(done.output, done.stderr)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path != school.path]
    assert files
    for path in files:
        nowhere_in(path.read_bytes())
