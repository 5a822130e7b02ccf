"""The server on stdio as a host runs it: stdout belongs to the protocol."""

from __future__ import annotations

from .process import Wire, running


def test_stdout_holds_the_protocol_alone_and_stderr_nothing_of_a_child(school):
    with running("serve", settings=school.environment()) as process:
        wire = Wire(process)
        wire.begin()
        wire.send("this is no JSON")
        wire.send('{"jsonrpc": "2.0", "id": 77}')
        absent = wire.ask("tools/call", name="list_absences", arguments={})
        wire.ask("tools/call", name="set_homeroom_attendance", arguments={"student_id": "Mia Tanaka"})
        wire.ask("tools/call", name="get_class_attendance", arguments={"class_id": 5})
        wire.ask("prompts/get", name="no-such-prompt", arguments={})
        rest, said = process.communicate(timeout=20)
    assert "students looked at" in absent["result"]["content"][0]["text"]
    assert rest == ""
    assert "Mia" not in said
    assert "Traceback" not in said
    assert process.returncode == 0


def test_without_a_command_it_serves_on_stdio(school):
    with running(settings=school.environment()) as process:
        wire = Wire(process)
        wire.begin()
        assert wire.ask("tools/list")["result"]["tools"]
