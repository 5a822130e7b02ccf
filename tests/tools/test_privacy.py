"""What may never be in an answer or in the log: the token, a path, a traceback, an upstream's body."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.upstream_school import TOKEN, UpstreamSchool, on_a_port

from .examples import Known

pytestmark = pytest.mark.anyio

SECRETS = (TOKEN, "canary", "Traceback", "/srv/", "auth-token", "auth_token", ".py", "?page", "http://")


class Blabbing:
    """An upstream that fails and tells all it knows of it, the token that it was sent included."""

    def __init__(self, status: int) -> None:
        self.status = status

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        sent = {name.decode(): value.decode() for name, value in scope["headers"]}
        body = {"error": f"canary {TOKEN} /srv/app/models.py auth-token: {sent}"}
        content = json.dumps(body).encode() if self.status != 200 else f"<html>canary {TOKEN} Traceback</html>".encode()
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": content})


@pytest.mark.parametrize("status", [200, 301, 401, 403, 404, 500])
async def test_a_failing_upstream_is_told_in_our_own_words(school, status, caplog, capfd):
    known = Known.of(school)
    calls = {**known.reads(), **known.writes()}
    del calls["list_changes"]  # it reads this installation's own store
    with on_a_port(Blabbing(status)) as url:
        async with school.client(api_url=url, deadline=0.3) as ask:
            answers = [await ask.error(tool, **arguments) for tool, arguments in calls.items()]
    for answered in answers:
        assert answered.endswith("Nothing was written.")
        nothing_of(SECRETS, answered)
    nothing_of(SECRETS, *caplog.messages, *capfd.readouterr())


async def test_an_upstream_that_is_not_there_is_told_without_its_address(school, caplog, capfd):
    async with school.client(api_url="http://127.0.0.1:9", deadline=1) as ask:
        answered = await ask.error("get_school_context")
    assert answered.endswith("Nothing was written.")
    nothing_of(SECRETS, answered, *caplog.messages, *capfd.readouterr())


@pytest.mark.parametrize("what", ["a file that is no store", "a folder"])
async def test_a_broken_store_is_told_without_its_path_and_nothing_is_sent(school, tmp_path, what, caplog, capfd):
    place = tmp_path / "canary"
    if what == "a folder":
        place.mkdir()
    else:
        place.write_bytes(b"no SQLite" * 1000)
    answered = await plan_with_store(school, str(place))
    assert school.writes == []
    assert answered.endswith("Nothing was written.")
    nothing_of((*SECRETS, str(tmp_path)), answered, *caplog.messages, *capfd.readouterr())


async def plan_with_store(school: UpstreamSchool, place: str) -> str:
    arguments = Known.of(school).writes()["set_homeroom_attendance"]
    async with school.client(store=place) as ask:
        return await ask.error("set_homeroom_attendance", **arguments)


async def test_a_wrong_token_is_told_by_what_to_do(school, caplog):
    async with school.client(api_token="canary-of-a-token") as ask:
        answered = await ask.error("get_school_context")
    assert "token" in answered
    nothing_of(("canary",), answered, *caplog.messages)


def nothing_of(secrets: tuple[str, ...], *texts: str) -> None:
    for words in texts:
        for secret in secrets:
            assert secret not in words, (secret, words)
