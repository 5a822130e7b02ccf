"""An assistant on a laptop, `connect` beside it, and a school's server with a real identity provider."""

from __future__ import annotations

import sys

import httpx
import pytest
from mcp.types import ElicitResult

from tests.changes.errands import DAY, homeroom
from tests.http.identity import free_port
from tests.server.process import Wire, running
from tests.upstream_school import TOKEN, text

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a browser of our own is named as on Linux"),
]
ENTRA = {
    "oidc_audience": "api://attendance",
    "oidc_read_scope": "api://attendance/attendance:read",
    "oidc_write_scope": "api://attendance/attendance:write",
}
GRADE_8 = "select id from students where year_group_id = 22400018 and archived = 0 order by id"


def secrets_of(laptop) -> list[str]:
    tokens = laptop.kept["tokens"]
    return [tokens["access_token"], *tokens["access_token"].split(".")[1:], tokens["refresh_token"], TOKEN]


def revoke(identity, refresh_token: str) -> None:
    form = {"client_id": "laptop", "token": refresh_token}
    httpx.post(f"{identity.issuer}/token/revocation", data=form, trust_env=False).raise_for_status()


async def test_a_person_signs_in_once_reads_plans_and_applies_and_the_next_start_asks_nobody(laptop, school):
    student = school.one(GRADE_8)[0]
    async with laptop.assistant() as ask:
        assert ask.client.protocol_version >= "2026"  # no header of the era is missing
        tools = (await ask.client.list_tools()).tools
        found = await ask("list_absences", group="Grade 8")
        plan = await ask.facts("set_homeroom_attendance", student_id=student, date=DAY, status=2)
        done = await ask("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
        prompts = (await ask.client.list_prompts()).prompts
    assert {"list_absences", "apply_changes"} <= {tool.name for tool in tools}
    assert prompts
    assert not found.is_error
    assert not done.is_error, text(done)
    assert homeroom(school, student)[0] == 2
    (opened,) = laptop.opened
    assert opened.startswith("200 http://127.0.0.1:")
    assert opened.endswith(f"/signed-in attendance:read attendance:write offline_access {laptop.url}/mcp")
    async with laptop.assistant("legacy") as ask:
        assert not (await ask("list_absences", group="Grade 8")).is_error
    assert laptop.opened == [opened]
    for secret in secrets_of(laptop):
        assert secret not in f"{found} {plan} {done} {laptop.notes} {opened}"


async def test_a_token_that_ran_out_or_is_refused_is_renewed_and_where_it_cannot_be_the_person_signs_in_again(
    laptop, identity
):
    assert laptop.run("--sign-in").stderr.splitlines()[-1] == "Signed in."
    first = laptop.kept["tokens"]
    laptop.keep(expires_at=1.0)
    assert laptop.run("--sign-in").returncode == 0
    second = laptop.kept["tokens"]
    assert first["access_token"] != second["access_token"]
    assert len(laptop.opened) == 1

    laptop.keep(tokens={**second, "access_token": "what-the-server-refuses"})
    async with laptop.assistant() as ask:
        assert not (await ask("list_absences", group="Grade 8")).is_error
        assert len(laptop.opened) == 1

        third = laptop.kept["tokens"]
        revoke(identity, third["refresh_token"])
        assert not (await ask("list_absences", group="Grade 8")).is_error  # this token lasts until its end
    laptop.keep(expires_at=1.0)
    async with laptop.assistant() as ask:
        assert not (await ask("list_absences", group="Grade 8")).is_error
    assert len(laptop.opened) == 2
    for secret in (first, second, third):
        assert secret["refresh_token"] not in laptop.notes

    assert laptop.run("--sign-out").returncode == 0
    assert laptop.kept == {}


@pytest.mark.parametrize("server", [ENTRA], indirect=True)
async def test_a_client_with_a_secret_signs_in_and_names_no_resource_where_the_scopes_name_another(laptop):
    laptop.client, laptop.secret = "laptop with a secret", laptop.folder / "secret"
    laptop.secret.write_text("not:quite a secret+\n")
    for _ in ("by the browser", "renewed"):
        done = laptop.run("--sign-in")
        assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "Signed in.")
        assert "quite a secret" not in done.stderr + str(laptop.kept)
        laptop.keep(expires_at=1.0)
    (opened,) = laptop.opened
    assert opened.endswith(f" {ENTRA['oidc_read_scope']} {ENTRA['oidc_write_scope']} offline_access none")

    laptop.secret.unlink()
    done = laptop.run("--sign-in")
    assert (done.returncode, done.stdout) == (2, "")
    assert "The file of --client-secret-file can't be read" in done.stderr


async def test_who_turns_back_is_told_so_and_the_next_call_asks_again(laptop):
    laptop.person = ""
    with running(*laptop.arguments, settings=laptop.environment) as process:
        wire = Wire(process)
        for asked in (1, 2):
            answer = wire.ask("tools/call", name="list_absences", arguments={})
            assert answer["result"]["isError"]
            assert answer["result"]["content"][0]["text"].startswith("You are not signed in")
            assert len(laptop.opened) == asked
        assert wire.ask("ping")["error"]["message"].startswith("You are not signed in")
    assert laptop.opened[-1].startswith("403 ")


async def test_without_a_keyring_the_sign_in_is_kept_in_memory_and_that_is_said(laptop):
    laptop.more = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    async with laptop.assistant() as ask:
        for _ in range(2):
            assert not (await ask("list_absences", group="Grade 8")).is_error
    assert laptop.notes.count("is kept in memory only, so that the next start asks for it again") == 1
    assert len(laptop.opened) == 1
    assert laptop.kept == {}


async def test_a_server_that_does_not_answer_is_told_as_that(laptop):
    laptop.url = f"http://127.0.0.1:{free_port()}"
    with running(*laptop.arguments, settings=laptop.environment) as process:
        wire = Wire(process)
        call = wire.ask("tools/call", name="list_absences", arguments={})
        other = wire.ask("tools/list")
    said = "The school's server, or its sign-in service, does not answer. Nothing was written."
    assert call["result"] == {"content": [{"type": "text", "text": said}], "isError": True}
    assert other["error"]["message"] == said
    assert laptop.opened == []


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_requests_that_were_given_up_leave_their_places_to_others(laptop, era):
    meta = {
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    }
    more = meta if era == "auto" else {}
    with running(*laptop.arguments, settings=laptop.environment) as process:
        wire = Wire(process)
        if era == "legacy":
            wire.begin()
        for _ in range(70):
            id = wire.request("prompts/list", **more)
            wire.notify("notifications/cancelled", requestId=id)
        last = wire.request("tools/list", **more)
        answer = wire.hear_of(last)
    assert answer["result"]["tools"]


@pytest.mark.parametrize("server", [{"approval": "human", "oidc_client_id": "approvals"}], indirect=True)
async def test_a_question_reaches_the_person_in_the_newest_era_and_else_the_answer_names_the_page(laptop, school):
    async def agree(_context, question):
        asked.append(question.message)
        return ElicitResult(action="accept", content={"apply": True})

    asked: list[str] = []
    student = school.one(GRADE_8)[0]
    for era in ("legacy", "auto"):
        async with laptop.assistant(era, elicitation_callback=agree) as ask:
            plan = await ask.facts("set_homeroom_attendance", student_id=student, date=DAY, status=2)
            result = await ask("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
        if era == "legacy":
            assert f"{laptop.url}/approvals" in text(result)
            assert (asked, school.writes) == ([], [])
    (question,) = asked
    assert question.startswith(plan["summary"])
    assert "1 done" in text(result)
    assert len(school.writes) == 1
