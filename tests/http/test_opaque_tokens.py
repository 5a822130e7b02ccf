"""Tokens that only their issuer can read: introspected by a real provider, and by one that says what it shouldn't."""

from __future__ import annotations

import gzip
import signal
import sys
import time
from collections import Counter
from functools import partial

import anyio
import httpx
import pytest
from inline_snapshot import snapshot
from starlette.responses import JSONResponse, RedirectResponse, Response

from attendance_mcp.http.issuer import Client, Issuer
from attendance_mcp.http.keys import IssuerAway
from attendance_mcp.http.readers import Introspected, Opaque

from .browser import Browser
from .conftest import ELSEWHERE, HEADERS, PEOPLE, POLICY, PUBLIC, RESOURCE
from .identity import READ, WRITE, IdentityProvider
from .odd_issuer import CLIENT, SECRET, Dripping, OddIssuer
from .served import served
from .test_sign_in import REFUSED, challenge

pytestmark = pytest.mark.anyio
GOOGLE = {"oidc_tokens": "google", "oidc_audience": "a-desktop-client a-web-client"}
EMAIL = "https://www.googleapis.com/auth/userinfo.email"


@pytest.fixture
def asking(tmp_path):
    """The settings with which a server asks its issuer about tokens."""
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    return {"oidc_tokens": "introspection", "oidc_client_id": CLIENT, "oidc_client_secret_file": path}


@pytest.fixture
def odd():
    with OddIssuer.open() as issuer:
        yield issuer


def statuses(server, tokens):
    return {name: server.post(name).status_code for name in tokens}


# --- a real provider ---


@pytest.fixture(scope="module")
def provider(identity, tmp_path_factory):
    """One whose access tokens say nothing; it is skipped where `identity` is."""
    pages = (f"{PUBLIC}/approvals/signed-in",)
    folder, resources = tmp_path_factory.mktemp("opaque"), {RESOURCE: RESOURCE, ELSEWHERE: ELSEWHERE}
    with IdentityProvider.open(folder, resources=resources, people=PEOPLE, pages=pages, opaque=True) as one:
        yield one


def test_an_opaque_token_is_let_in_as_far_as_its_scopes_go_and_its_issuer_asked_once(guard, school, provider, asking):
    server = guard(school, writes="confirm", oidc_issuer=provider.issuer, **asking)
    reading, writing = (
        provider.token("ben", READ, resource=RESOURCE),
        provider.token("ana", READ, WRITE, resource=RESOURCE),
    )
    assert "." not in reading
    before = provider.asked("/token/introspection", "POST")
    for _ in range(3):
        good, said = server.told(reading, "get_school_context")
        assert good
        assert "Grade 7" in said
        assert "Grade 8" not in said
    assert provider.asked("/token/introspection", "POST") == before + 1
    assert server.call(reading, "apply_changes").status_code == 403
    assert server.call(writing, "apply_changes").status_code == 200
    assert server.post(provider.token("ana", resource=RESOURCE)).status_code == 403


def test_what_is_no_access_token_for_this_server_is_refused(guard, same_school, provider, identity, asking):
    server = guard(same_school, oidc_issuer=provider.issuer, **asking)
    more = {"client": "laptop", "prompt": "consent"}
    given = provider.tokens("ana", READ, "offline_access", resource=RESOURCE, **more)
    revoked = provider.tokens("ana", READ, resource=RESOURCE)
    form = {"client_id": "assistant", "token": revoked["access_token"]}
    server.web.post(f"{provider.issuer}/token/revocation", data=form).raise_for_status()
    bad = {
        "made up": "made-up",
        "a refresh token": given["refresh_token"],
        "an ID token": given["id_token"],
        "withdrawn": revoked["access_token"],
        "for another resource": provider.token("ana", READ, resource=ELSEWHERE),
        "of another provider, which can be read": identity.token("ana", READ, resource=RESOURCE),
    }
    answers = {name: server.post(token) for name, token in bad.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(bad, 401)
    assert [challenge(answer) for answer in answers.values()] == [REFUSED] * len(bad)
    assert server.post(given["access_token"]).status_code == 200


def test_people_sign_in_on_the_page_with_opaque_tokens_too(guard, school, provider, asking):
    server = guard(school, writes="confirm", oidc_issuer=provider.issuer, **asking)
    assert "No plan of yours waits" in Browser(server, provider, "cai").open().text


# --- an issuer that says what it shouldn't ---


def described(odd, **changed):
    """What an issuer says of a good token, but for this."""
    good = {
        "active": True,
        "token_type": "Bearer",
        "iss": odd.url,
        "aud": [RESOURCE],
        "sub": "ana",
        "exp": int(time.time()) + 3600,
        "scope": READ,
        "client_id": "assistant",
        "groups": ["office"],
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not ...}


def test_what_an_issuer_says_of_a_token_must_all_be_good_here(guard, same_school, odd, asking, caplog):
    now = int(time.time())
    good = {
        "plain": {},
        "of.one.audience": {"aud": RESOURCE},
        "of.a.small.letter": {"token_type": "bearer"},
        "of.whom.it.asked": {"iss": ...},
        "just.over": {"exp": now - 5},
        "with.scp": {"scope": ..., "scp": [READ]},
    }
    bad = {
        "inactive": {"active": False},
        "active.as.a.word": {"active": "true"},
        "over": {"exp": now - 120},
        "without.an.end": {"exp": ...},
        "without.end": {"exp": float("inf")},
        "of.no.number": {"exp": float("nan")},
        "of.a.long.number": {"exp": "9" * 5000},
        "not.yet": {"nbf": now + 600},
        "of.another.issuer": {"iss": "https://login.elsewhere.example"},
        "of.an.issuer.with.a.slash": {"iss": f"{odd.url}/"},
        "for.another": {"aud": ["another-audience"]},
        "for.the.host": {"aud": PUBLIC},
        "for.nobody": {"aud": ...},
        "to.another.resource": {"resource": ELSEWHERE},
        "bound": {"cnf": {"jkt": "x"}},
        "of.no.type": {"token_type": ...},
        "of.another.type": {"token_type": "DPoP"},
        "of.nobody": {"sub": ""},
        "without.a.subject": {"sub": ...},
        "of.a.number": {"sub": 7},
        "of.a.long.name": {"sub": "x" * 1000},
        "of%20other%20signs": {},
        "long" * 2500: {},
    }
    short = {"without.scopes": {"scope": ...}, "of.another.scope": {"scope": "openid email"}}
    odd.said = {name: described(odd, **changed) for name, changed in {**good, **bad, **short}.items()}
    odd.said["refused"] = Response('{"error": "unsupported_token_type"}', 400, media_type="application/json")
    server = guard(same_school, oidc_issuer=odd.url, **asking)
    expected = {**dict.fromkeys(good, 200), **dict.fromkeys(bad, 401), **dict.fromkeys(short, 403), "refused": 401}
    assert statuses(server, odd.said) == expected
    why = [record.getMessage().removeprefix("A token was refused: ") for record in caplog.records]
    assert dict(zip((*bad, "refused"), why, strict=True)) == snapshot(
        {
            "inactive": "the issuer doesn't call it active, or not to the client of ATTENDANCE_OIDC_CLIENT_ID.",
            "active.as.a.word": "the issuer doesn't call it active, or not to the client of ATTENDANCE_OIDC_CLIENT_ID.",
            "over": "it has run out, says no end, or is not valid yet.",
            "without.an.end": "it has run out, says no end, or is not valid yet.",
            "without.end": "it has run out, says no end, or is not valid yet.",
            "of.no.number": "it has run out, says no end, or is not valid yet.",
            "of.a.long.number": "it has run out, says no end, or is not valid yet.",
            "not.yet": "it has run out, says no end, or is not valid yet.",
            "of.another.issuer": "its iss is not ATTENDANCE_OIDC_ISSUER to the letter.",
            "of.an.issuer.with.a.slash": "its iss is not ATTENDANCE_OIDC_ISSUER to the letter.",
            "for.another": "its aud names neither ATTENDANCE_OIDC_AUDIENCE nor, where that is unset, this server's address.",
            "for.the.host": "its aud names neither ATTENDANCE_OIDC_AUDIENCE nor, where that is unset, this server's address.",
            "for.nobody": "its aud names neither ATTENDANCE_OIDC_AUDIENCE nor, where that is unset, this server's address.",
            "to.another.resource": "its resource is another than the address that it came to.",
            "bound": "it is bound to a key, which a bearer need not have.",
            "of.no.type": "the issuer's answer has no token_type Bearer.",
            "of.another.type": "the issuer's answer has no token_type Bearer.",
            "of.nobody": "it names nobody, or somebody by more than 400 characters.",
            "without.a.subject": "it lacks the claim of ATTENDANCE_OIDC_SUBJECT.",
            "of.a.number": "it lacks the claim of ATTENDANCE_OIDC_SUBJECT.",
            "of.a.long.name": "it names nobody, or somebody by more than 400 characters.",
            "of%20other%20signs": "no bearer token is written like that.",
            "longlonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglong": "no bearer token is written like that.",
            "refused": "the issuer doesn't call it active, or not to the client of ATTENDANCE_OIDC_CLIENT_ID.",
        }
    )
    statuses(server, odd.said)
    asked = Counter(token for _, _, token in odd.asked)
    over = {"just.over", "over", "without.an.end", "without.end", "of.no.number", "of.a.long.number"}
    unsaid = {"refused", "inactive", "active.as.a.word", "of.another.issuer", "of.an.issuer.with.a.slash"}
    assert {name for name in odd.said if asked[name] == 2} == {*over, *unsaid, "of.no.type", "of.another.type"}
    assert set(asked.values()) == {1, 2}


def test_an_issuer_that_does_not_answer_as_it_should_is_told_as_one_that_is_away(guard, same_school, odd, asking):
    whole = str(described(odd)).replace("'", '"').replace("True", "true")
    packed = {"content-encoding": "gzip"}
    odd.said = {
        **{f"{status}": Response(whole, status) for status in (201, 401, 403, 404, 429, 500, 502)},
        "moved": RedirectResponse(f"{odd.url}/userinfo"),
        "a.page": Response("<h1>Sign in</h1>", media_type="text/html"),
        "a.list": [described(odd)],
        "cut": Response(whole[:-9]),
        "deep": Response("[" * 100_000),
        "huge": Response(whole + " " * 300_000),
        "packed.huge": Response(gzip.compress(whole.encode() + b" " * 3_000_000), headers=packed),
        "packed.cut": Response(gzip.compress(whole.encode())[:-9], headers=packed),
    }
    server = guard(same_school, oidc_issuer=odd.url, **asking)
    assert statuses(server, odd.said) == dict.fromkeys(odd.said, 503)
    assert {path for _, path, _ in odd.asked} == {"/introspect"}
    answer = server.post("moved")
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["error_description"].startswith("The school's sign-in service does not answer")
    odd.said = {"good": described(odd)}
    assert server.post("good").status_code == 200


@pytest.mark.parametrize("where", ["http://me@127.0.0.1:{port}/introspect", "http://0.0.0.0:{port}/introspect", "introspect"])  # fmt: skip
def test_an_issuer_is_asked_only_where_it_can_be_asked_safely(guard, same_school, odd, asking, where):
    odd.said = {"good": described(odd)}
    odd.named["introspection_endpoint"] = where.format(port=odd.url.rpartition(":")[2])
    assert guard(same_school, oidc_issuer=odd.url, **asking).post("good").status_code == 503
    assert odd.asked == []


def test_whoever_answers_for_another_issuer_is_not_asked(guard, same_school, odd, asking):
    odd.said = {"good": described(odd)}
    odd.named["issuer"] = "https://login.elsewhere.example"
    assert guard(same_school, oidc_issuer=odd.url, **asking).post("good").status_code == 503
    assert odd.asked == []


async def test_an_answer_that_comes_too_slowly_is_not_waited_for_and_nobody_waits_for_the_others(odd):
    odd.said = {"slow": Dripping()}
    issuer, client = Issuer(odd.url, patience=0.3), Client(CLIENT, SECRET)
    reader = Introspected(issuer, client)

    async def read():
        with pytest.raises(IssuerAway):
            await reader.read("slow", audience=[RESOURCE])

    with anyio.fail_after(10):
        with pytest.raises(IssuerAway):
            await issuer.post(f"{odd.url}/introspect", {"token": "slow"}, client)
        async with anyio.create_task_group() as tasks:
            for _ in range(100):
                tasks.start_soon(read)
    assert len(odd.asked) == 1 + 8  # who had to wait for these comes too late to ask


async def test_many_who_come_at_once_with_one_token_share_what_is_said_of_it(odd):
    odd.said = {"good": described(odd)}
    reader = Introspected(Issuer(odd.url), Client(CLIENT, SECRET))
    async with anyio.create_task_group() as tasks:
        for _ in range(24):
            tasks.start_soon(partial(reader.read, "good", audience=[RESOURCE]))
    assert len(odd.asked) <= 8


async def test_what_is_kept_of_tokens_is_bounded():
    class Counting(Opaque):
        async def _ask(self, token):
            asked.append(token)
            return {"exp": time.time() + 60, "aud": "here"}

    asked: list[str] = []
    reader = Counting(Issuer("https://login.school.example"))
    for number in [*range(2001), 2000, 1, 0]:
        await reader.read(f"t{number}", audience=["here"])
    assert asked == [*(f"t{number}" for number in range(2001)), "t0"]


# --- Google ---


def google_says(**changed):
    """Google's tokeninfo of an access token, in its own words, but for this."""
    end = int(time.time()) + 3599
    good = {
        "azp": "a-desktop-client",
        "aud": "a-desktop-client",
        "sub": "110248495921238986420",
        "scope": f"openid {EMAIL}",
        "exp": str(end),
        "expires_in": "3599",
        "email": "dia@school.example",
        "email_verified": "true",
        "access_type": "online",
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not ...}


PERSON = {
    "sub": "110248495921238986420",
    "picture": "https://lh3.googleusercontent.com/a/none",
    "email": "dia@school.example",
    "email_verified": True,
    "hd": "school.example",
}


def test_tokens_of_google_are_good_for_the_clients_registered_there_and_the_policy_alone_decides(
    guard, school, odd, tmp_path
):
    odd.said = {"ya29.good": google_says(), "ya29.web": google_says(aud="a-web-client", azp="a-web-client")}
    odd.people = dict.fromkeys(odd.said, PERSON)
    server = guard(school, oidc_issuer=odd.url, writes="confirm", **GOOGLE)
    asked = f"openid {EMAIL}"
    assert challenge(server.post(None))[1]["scope"] == asked
    assert server.get("/.well-known/oauth-protected-resource/mcp").json()["scopes_supported"] == asked.split()
    for token in odd.said:
        good, said = server.told(token, "find_in_school", names_or_ids=["Combined Science 9"])
        assert good
        assert "Combined Science 9" in said
    assert not server.told("ya29.good", "get_homeroom_attendance", group="Grade 8")[0]
    assert "plan_changes" not in server.tools("ya29.good")
    assert odd.asked[:2] == [("POST", "/tokeninfo", "ya29.good"), ("GET", "/userinfo", "ya29.good")]
    assert len(odd.asked) == 4

    policy = tmp_path / "domain.toml"
    policy.write_text('[[allow]]\nclaim = "hd"\nvalue = "school.example"\nread = "whole school"\n')
    of_domain = guard(school, oidc_issuer=odd.url, policy=policy, **GOOGLE)
    assert of_domain.told("ya29.good", "list_absences", group="Grade 8")[0]


def test_what_google_says_of_a_token_must_all_be_good_here(guard, same_school, odd):
    now = int(time.time())
    bad = {
        "ya29.of-another-client": google_says(aud="a-client-of-others", azp="a-desktop-client"),
        "ya29.of-no-client": google_says(aud=...),
        "ya29.over": google_says(exp=str(now - 120)),
        "ya29.without-an-end": google_says(exp=...),
        "ya29.of-a-long-number": google_says(exp="9" * 5000),
        "ya29.of-nobody": google_says(sub=...),
        "ya29.of-somebody-else": google_says(sub="42"),
    }
    bad["ya29.refused"] = JSONResponse(google_says(), 400)
    odd.said = {**bad, "ya29.short": google_says(scope=EMAIL), "ya29.away": Response("", 500)}
    odd.people = dict.fromkeys((*bad, "ya29.short"), PERSON) | {"ya29.of-nobody": {}}
    server = guard(same_school, oidc_issuer=odd.url, **GOOGLE)
    expected = {**dict.fromkeys((*bad, "made-up"), 401), "ya29.short": 403, "ya29.away": 503}
    assert statuses(server, [*odd.said, "made-up"]) == expected
    odd.said = odd.people = {"ya29.busy": Response("", 429)}
    assert statuses(server, odd.said) == {"ya29.busy": 503}
    assert {path for _, path, _ in odd.asked} == {"/tokeninfo", "/userinfo"}


@pytest.mark.parametrize(
    ("verified", "status"), [({"email_verified": "true"}, "listed"), ({"email_verified": "false"}, "none")]
)
def test_an_address_that_google_has_not_verified_counts_for_nothing(guard, same_school, odd, verified, status):
    odd.said, odd.people = {"ya29.x": google_says(**verified)}, {"ya29.x": {**PERSON, "email_verified": True}}
    server = guard(same_school, oidc_issuer=odd.url, **GOOGLE)
    assert bool(server.tools("ya29.x")) == (status == "listed")


# --- what is written down ---


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without a signal that it could hear")
def test_neither_a_token_nor_the_clients_secret_comes_into_the_log_or_an_answer(school, odd, asking, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    asking["oidc_client_secret_file"].write_text("a-wrong-secret")
    odd.said = {"a-token-of-ana": described(odd)}
    given = {"oidc_issuer": odd.url, "public_url": PUBLIC, "policy": policy, **asking}
    with served(school.environment(**given)) as server:
        headers = {**HEADERS, "authorization": "Bearer a-token-of-ana"}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
        answer = httpx.post(f"{server.url}/mcp", headers=headers, json=body, trust_env=False)
        server.process.send_signal(signal.SIGTERM)
        lines = server.rest()
    assert answer.status_code == 503
    said = "The issuer refuses the client of ATTENDANCE_OIDC_CLIENT_ID: is its secret the right one?"
    assert said in [line.get("message") for line in lines]
    for secret in ("a-token-of-ana", "a-wrong-secret"):
        assert secret not in f"{lines} {answer.text} {answer.headers}"
