"""What stdio takes: lines of 4 MiB, 64 unanswered requests; and that neither bound can lock anybody out."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.changes.errands import absent
from tests.measured import measured
from tests.upstream_school import UpstreamSchool

from .process import Wire, fill, peak_memory, running
from .silent import settings_of_silence, silence

CAP = 4 * 2**20
BOUNDS = "a line of the protocol may have 4,194,304 bytes and 100,000 values at most"
FULL = -32000


def ping(id: int) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": "ping"})


def too_long(id: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "x" * CAP}})


@dataclass
class Served:
    process: Any
    wire: Wire


@pytest.fixture(scope="module")
def served(same_school: UpstreamSchool) -> Iterator[Served]:
    """A server for the tests that leave it as it was."""
    with running(settings=same_school.environment(), seconds=300) as process:
        wire = Wire(process)
        wire.begin()
        yield Served(process, wire)


def call(wire: Wire, number: int = 1) -> list[int]:
    """Calls that ask the school something."""
    return [
        wire.request("tools/call", name="get_class_timetable", arguments={"class_id": id})
        for id in range(1, number + 1)
    ]


def test_a_line_of_four_mebibytes_is_taken_and_a_longer_one_refused_under_its_own_id(served):
    frame = len(ping(7)) + len(', "params": {"_meta": {"x": ""}}')
    just = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "ping", "params": {"_meta": {"x": "a" * (CAP - frame)}}})
    assert len(just) == CAP
    served.wire.send(just)
    assert served.wire.hear() == {"jsonrpc": "2.0", "id": 7, "result": {}}
    served.wire.send(too_long("b"))
    served.wire.send(ping(8))
    assert served.wire.hear() == {
        "jsonrpc": "2.0",
        "id": "b",
        "error": {
            "code": -32600,
            "message": f"Refused, and nothing written: {BOUNDS}.",
        },
    }
    assert served.wire.hear() == {"jsonrpc": "2.0", "id": 8, "result": {}}


def test_long_lines_whose_id_cannot_be_told_are_noted_once_and_the_next_line_works(school):
    filling = "x" * CAP
    lines = [
        filling,
        "[" * (CAP + 1),
        json.dumps({"params": {"name": filling}, "method": "tools/call", "jsonrpc": "2.0", "id": 5}),
        json.dumps({"jsonrpc": "2.0", "id": 1.5, "method": "ping", "params": {"x": filling}}),
        json.dumps({"jsonrpc": "2.0", "id": True, "method": "ping", "params": {"x": filling}}),
        json.dumps({"jsonrpc": "2.0", "method": "ping", "id": "5" * CAP}),
        '{"jsonrpc": "2.0", "method": "ping", "id": ' + "5" * CAP + "}",
        json.dumps({"jsonrpc": "2.0", "id": 6, "result": {"x": filling}}),
    ]
    with running(settings=school.environment()) as process:
        wire = Wire(process)
        wire.begin()
        for number, line in enumerate(lines):
            wire.send(line)
            wire.send(ping(100 + number))
            assert wire.hear() == {"jsonrpc": "2.0", "id": 100 + number, "result": {}}
        out, err = process.communicate(timeout=20)
    assert out == ""
    assert err == f"WARNING attendance_mcp.stdio.streams: Refused a message that is too large: {BOUNDS}.\n"


def test_a_line_of_200_megabytes_is_not_held(served):
    before = peak_memory(served.process)
    for _ in range(200):
        served.wire.send_bytes(b"x" * 1_000_000)
    served.wire.send("")
    served.wire.send(ping(8))
    assert served.wire.hear()["id"] == 8
    assert peak_memory(served.process) - before < 16


@pytest.mark.parametrize("item", ["[]", "{}", "1"])
def test_a_line_of_a_million_values_is_not_made_into_objects(served, item):
    before = peak_memory(served.process)
    for id, number in enumerate([1_000_000, 1_000_000, 49_000, 49_000]):
        params = f'{{"name": "plan_changes", "arguments": {{"changes": [{", ".join([item] * number)}]}}}}'
        served.wire.send(
            f'{{"jsonrpc": "2.0", "id": {id}, "method": "tools/call", "params": {params}}}'.replace(", ", ",")
        )
    heard = {message["id"]: message for message in (served.wire.hear() for _ in range(4))}
    assert heard[0]["error"]["message"] == heard[1]["error"]["message"] == f"Refused, and nothing written: {BOUNDS}."
    assert "at most 60 are expected at once" in heard[3]["result"]["content"][0]["text"]
    assert peak_memory(served.process) - before < 50


@pytest.mark.parametrize(
    "line",
    [
        '{"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"name": "\\ud800"}}',
        '{"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"arguments": {"\\udfff": 1}}}',
        '{"jsonrpc": "2.0", "id": 9, "method": "ping", "params": 5}',
        '{"jsonrpc": "1.0", "id": 9, "method": "ping"}',
        '{"id": 9, "method": "ping"}',
    ],
)
def test_a_request_that_is_none_is_refused_under_its_own_id(served, line):
    """Half a surrogate among them: whoever pasted it waits for an answer."""
    served.wire.send(line)
    assert served.wire.hear() == {
        "jsonrpc": "2.0",
        "id": 9,
        "error": {
            "code": -32600,
            "message": "Refused, and nothing written: a JSON-RPC 2.0 request in valid Unicode is expected.",
        },
    }


def test_the_65th_request_waits_until_one_is_answered(school):
    with silence() as quiet, running(settings=settings_of_silence(school, quiet)) as process:
        wire = Wire(process)
        wire.begin()
        calls = call(wire, 63)
        assert wire.ask("ping")["result"] == {}  # the 64th
        calls += call(wire)
        waiting = wire.request("ping")
        wire.send(too_long("mark"))  # is answered when everything before it was read
        assert wire.hear()["id"] == "mark"
        quiet.end()
        assert wire.hear()["id"] in calls
        answered = {wire.hear()["id"] for _ in calls}
    assert waiting in answered


def test_reading_stops_while_64_are_unanswered_and_64_wait_and_goes_on_with_the_next_line(school):
    with silence() as quiet, running(settings=settings_of_silence(school, quiet)) as process:
        wire = Wire(process)
        wire.begin()
        calls = call(wire, 64)
        pings = [
            {"jsonrpc": "2.0", "id": f"p{id}", "method": "ping", "params": {"x": "x" * 1000}} for id in range(1000)
        ]
        wire.send(too_long("mark"))
        assert wire.hear()["id"] == "mark"
        quiet.wait()  # the server has the calls, and nothing to do any more
        rest = b"".join(json.dumps(ping).encode() + b"\n" for ping in pings)
        left = fill(process, rest)
        assert len(rest) - len(left) < 400_000  # what was read, 64 kB in the pipe and as much in the server
        quiet.end()
        sending = threading.Thread(target=wire.send_bytes, args=(left,))
        sending.start()
        heard = [wire.hear()["id"] for _ in range(64 + 1000)]
        sending.join()
    assert heard[0] in calls
    assert set(heard) == {*calls, *(ping["id"] for ping in pings)}


def test_requests_of_many_megabytes_wait_in_the_pipe_while_some_are_unanswered(school):
    large = {"x": "x" * (CAP - 1000)}
    with silence() as quiet, running(settings=settings_of_silence(school, quiet)) as process:
        wire = Wire(process)
        wire.begin()

        def send() -> None:
            for _ in range(20):
                wire.request("tools/call", name="get_class_timetable", arguments={"class_id": 1}, _meta=large)

        sending = threading.Thread(target=send)
        sending.start()
        quiet.wait()
        quiet.end()
        heard = [wire.hear() for _ in range(20)]
        sending.join()
        assert peak_memory(process) < (160 if measured() else 150)  # what measures has memory of its own
    assert all(answer["result"]["isError"] for answer in heard)


def test_a_cancellation_passes_the_requests_that_wait_and_lets_the_next_one_in(school):
    with silence() as quiet, running(settings=settings_of_silence(school, quiet)) as process:
        wire = Wire(process)
        wire.begin()
        calls = call(wire, 64)
        dropped, waiting = wire.request("ping"), wire.request("ping")
        wire.notify("notifications/cancelled", requestId=dropped)
        wire.notify("notifications/cancelled", requestId=calls[0])
        assert wire.hear() == {"jsonrpc": "2.0", "id": waiting, "result": {}}
        quiet.end()
        assert {wire.hear()["id"] for _ in calls[1:]} == set(calls[1:])
        out, _ = process.communicate(timeout=20)
    assert out == ""  # a cancelled request is never answered


def test_the_same_id_many_times_and_ids_of_every_kind_are_all_answered(served):
    ids = [1, 1, 1, "1", "", 0, -1, 2**63, 2**200, "ﷺ", "\u0000"]
    for _ in range(20):
        for id in ids:
            served.wire.send(json.dumps({"jsonrpc": "2.0", "id": id, "method": "ping"}))
    heard = [served.wire.hear()["id"] for _ in range(20 * len(ids))]
    assert sorted(map(repr, heard)) == sorted(map(repr, 20 * ids))


def test_a_child_of_the_server_and_a_stray_print_cannot_touch_the_protocol(served):
    """Descriptors 0 and 1 are what children inherit."""
    descriptors = Path(f"/proc/{served.process.pid}/fd")
    assert (descriptors / "0").readlink() == Path(os.devnull)
    assert (descriptors / "1").readlink() == (descriptors / "2").readlink()


def test_an_answer_to_a_question_is_read_however_many_requests_stand_before_it(school):
    """64 calls wait for their user's answers, behind more requests than are ever held."""
    student = absent(school)[0]
    arguments = {"student_id": student, "date": "today", "status": 2}
    with running(settings=school.environment()) as process:
        wire = Wire(process)
        wire.begin(elicitation={})
        plan = wire.ask("tools/call", name="set_homeroom_attendance", arguments=arguments)["result"]
        agreed = {name: plan["structuredContent"][name] for name in ("confirmation", "summary")}
        applies = [wire.request("tools/call", name="apply_changes", arguments=agreed) for _ in range(64)]
        questions = [wire.hear() for _ in applies]
        assert {question["method"] for question in questions} == {"elicitation/create"}
        pings = [wire.request("ping") for _ in range(100)]
        refused = [wire.hear() for _ in range(36)]
        yes = {"action": "accept", "content": {"apply": True}}
        for question in questions:
            wire.send(json.dumps({"jsonrpc": "2.0", "id": question["id"], "result": yes}))
        heard = {message["id"]: message for message in (wire.hear() for _ in range(64 + 64))}
    assert [answer["id"] for answer in refused] == pings[64:]
    assert refused[0]["error"] == {
        "code": FULL,
        "message": "Refused, and nothing written: too many requests are unanswered. This server takes 64 at once and "
        "holds 64 more; send this one again when some are answered.",
    }
    assert set(heard) == {*applies, *pings[:64]}
    told = [heard[id]["result"]["structuredContent"] for id in applies]
    assert all(facts["state"] == "applying" or facts["outcomes"] == {"done": 1} for facts in told)
    assert len(school.writes) == 1


def test_a_question_that_nobody_answers_lets_requests_in_again_when_it_is_given_up(school):
    student = absent(school)[0]
    arguments = {"student_id": student, "date": "today", "status": 2}
    with running(settings=school.environment(ask_seconds=1)) as process:
        wire = Wire(process)
        wire.begin(elicitation={})
        plan = wire.ask("tools/call", name="set_homeroom_attendance", arguments=arguments)["result"]
        agreed = {name: plan["structuredContent"][name] for name in ("confirmation", "summary")}
        applies = [wire.request("tools/call", name="apply_changes", arguments=agreed) for _ in range(64)]
        waiting = wire.request("ping")
        answered: list[Any] = []
        while len(answered) < 65:
            message = wire.hear()
            if "method" not in message:
                answered.append(message["id"])
    assert set(answered) == {*applies, waiting}
    assert answered[0] in applies
    assert school.writes == []
