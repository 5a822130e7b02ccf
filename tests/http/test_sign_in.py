"""Who is let in: tokens of a real identity provider, and those that it never gave."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from contextlib import contextmanager

import jwt
import pytest
from inline_snapshot import snapshot

from tests.changes.errands import DAY, absent, plans_of
from tests.upstream_school import UpstreamSchool

from .conftest import ELSEWHERE, OTHER_AUDIENCE, PUBLIC, RESOURCE
from .identity import READ, WRITE, IdentityProvider, new_keys

METADATA = f"{PUBLIC}/.well-known/oauth-protected-resource/mcp"


@pytest.fixture(scope="module")
def good(identity):
    return identity.token("ana", READ, resource=RESOURCE)


@pytest.fixture
def server(guard, same_school):
    return guard(same_school)


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def challenge(answer):
    """The scheme and the parameters of the header that says why."""
    scheme, _, rest = answer.headers["www-authenticate"].partition(" ")
    return scheme, dict(part.split("=", 1) for part in rest.replace('"', "").split(", "))


REFUSED = ("Bearer", {"error": "invalid_token", "error_description": "The token is not good here.", "scope": READ, "resource_metadata": METADATA})  # fmt: skip


def test_a_good_token_is_let_in(server, good):
    answer = server.post(good)
    assert answer.status_code == 200
    assert "find_in_school" in answer.text


def test_without_a_token_one_is_told_where_to_sign_in(server):
    answer = server.post(None)
    assert answer.status_code == 401
    assert challenge(answer) == ("Bearer", {"scope": READ, "resource_metadata": METADATA})
    assert server.get(METADATA.removeprefix(PUBLIC)).status_code == 200


def test_the_metadata_names_the_resource_its_issuer_to_the_letter_and_the_scopes(guard, same_school, identity):
    path = METADATA.removeprefix(PUBLIC)
    expected = {
        "resource": RESOURCE,
        "authorization_servers": [identity.issuer],
        "scopes_supported": [READ],
        "bearer_methods_supported": ["header"],
        "resource_name": "School attendance",
    }
    reading, writing = guard(same_school), guard(same_school, writes="confirm")
    assert reading.get(path).json() == expected
    assert writing.get(path).json() == {**expected, "scopes_supported": [READ, WRITE]}


def forged(identity, good):
    """Tokens that are wrong in one thing each."""
    claims, now = claims_of(good), int(time.time())
    head, body, signature = good.split(".")

    def unsigned(alg):
        header = base64.urlsafe_b64encode(json.dumps({"alg": alg, "typ": "JWT"}).encode()).rstrip(b"=").decode()
        return f"{header}.{body}."

    public = jwt.PyJWK({key: value for key, value in identity.key.items() if key in ("kty", "n", "e", "alg", "kid")})
    shared = base64.urlsafe_b64encode(public.key.public_numbers().n.to_bytes(256, "big")).decode()
    stranger = IdentityProvider(identity.issuer, new_keys(), identity.log)
    posing = IdentityProvider(identity.issuer, {**new_keys(), "kid": identity.key["kid"]}, identity.log)
    without = {name: {key: value for key, value in claims.items() if key != name} for name in claims}
    return {
        "expired": identity.signed({**claims, "exp": now - 120}),
        "not yet valid": identity.signed({**claims, "nbf": now + 600}),
        "of another issuer": identity.signed({**claims, "iss": "https://login.elsewhere.example"}),
        "of the issuer with a slash": identity.signed({**claims, "iss": claims["iss"] + "/"}),
        "for another audience": identity.signed({**claims, "aud": "another-audience"}),
        "for the same host only": identity.signed({**claims, "aud": PUBLIC}),
        "bound to another resource": identity.signed({**claims, "resource": ELSEWHERE}),
        "bound to a key of the client's": identity.signed({**claims, "cnf": {"jkt": "x"}}),
        "of nobody": identity.signed({**claims, "sub": ""}),
        "of a name without end": identity.signed({**claims, "sub": "x" * 1000}),
        "of a number": identity.signed({**claims, "sub": 7}),
        "without an end": identity.signed(without["exp"]),
        "without an audience": identity.signed(without["aud"]),
        "without an issuer": identity.signed(without["iss"]),
        "without a subject": identity.signed(without["sub"]),
        "a logout token": identity.signed(claims, typ="logout+jwt"),
        "alg none": unsigned("none"),
        "alg nOnE": unsigned("nOnE"),
        "signed with the public key as a secret": jwt.encode(claims, shared, "HS256", {"kid": identity.key["kid"]}),
        "signed by a stranger": stranger.signed(claims),
        "signed by a stranger under the key's name": posing.signed(claims),
        "cut short": f"{head}.{body}.{signature[:-8]}",
        "without a signature": f"{head}.{body}.",
        "of another body": f"{head}.{identity.signed({**claims, 'sub': 'ben'}).split('.')[1]}.{signature}",
        "no token": "x",
    }


def test_a_token_that_is_wrong_in_one_thing_is_refused_whatever_the_thing(server, identity, good, caplog):
    answers = {name: server.post(token) for name, token in forged(identity, good).items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 401)
    assert [challenge(answer) for answer in answers.values()] == [REFUSED] * len(answers)
    for answer in answers.values():
        assert answer.json() == {"error": "invalid_token", "error_description": "The token is not good here."}
    # The client is told no more; whoever runs the server finds in the log what to mend.
    why = [record.getMessage().removeprefix("A token was refused: ") for record in caplog.records]
    assert dict(zip(answers, why, strict=True)) == snapshot(
        {
            "expired": "it has run out.",
            "not yet valid": "it is not valid yet; the clocks of issuer and server may differ.",
            "of another issuer": "its iss is not ATTENDANCE_OIDC_ISSUER to the letter.",
            "of the issuer with a slash": "its iss is not ATTENDANCE_OIDC_ISSUER to the letter.",
            "for another audience": "its aud names neither ATTENDANCE_OIDC_AUDIENCE nor, where that is unset, this server's address.",
            "for the same host only": "its aud names neither ATTENDANCE_OIDC_AUDIENCE nor, where that is unset, this server's address.",
            "bound to another resource": "its resource is another than the address that it came to.",
            "bound to a key of the client's": "it is bound to a key, which a bearer need not have.",
            "of nobody": "it names nobody, or somebody by more than 400 characters.",
            "of a name without end": "it names nobody, or somebody by more than 400 characters.",
            "of a number": "it is no JWT that the issuer signed, as ATTENDANCE_OIDC_TOKENS has it.",
            "without an end": "it lacks exp, iss or aud.",
            "without an audience": "it lacks exp, iss or aud.",
            "without an issuer": "it lacks exp, iss or aud.",
            "without a subject": "it lacks the claim of ATTENDANCE_OIDC_SUBJECT.",
            "a logout token": "it is no JWT that the issuer signed, as ATTENDANCE_OIDC_TOKENS has it.",
            "alg none": "it is no JWT that the issuer signed, as ATTENDANCE_OIDC_TOKENS has it.",
            "alg nOnE": "it is no JWT that the issuer signed, as ATTENDANCE_OIDC_TOKENS has it.",
            "signed with the public key as a secret": "it is no JWT that the issuer signed, as ATTENDANCE_OIDC_TOKENS has it.",
            "signed by a stranger": "the issuer publishes no key of the name that it is signed with.",
            "signed by a stranger under the key's name": "it is no JWT that the issuer signed, as ATTENDANCE_OIDC_TOKENS has it.",
            "cut short": "it is no JWT that the issuer signed, as ATTENDANCE_OIDC_TOKENS has it.",
            "without a signature": "it is no JWT that the issuer signed, as ATTENDANCE_OIDC_TOKENS has it.",
            "of another body": "it is no JWT that the issuer signed, as ATTENDANCE_OIDC_TOKENS has it.",
            "no token": "it is no JWT that the issuer signed, as ATTENDANCE_OIDC_TOKENS has it.",
        }
    )
    assert server.post(identity.signed({**claims_of(good), "exp": int(time.time()) + 60})).status_code == 200


@pytest.mark.parametrize("resource", [ELSEWHERE, OTHER_AUDIENCE])
def test_a_token_that_the_provider_gave_for_another_resource_is_refused(server, identity, resource):
    answer = server.post(identity.token("ana", READ, resource=resource))
    assert answer.status_code == 401


def test_an_audience_of_the_providers_own_is_set_where_it_knows_no_resources(guard, same_school, identity, good):
    server = guard(same_school, oidc_audience="another-audience")
    assert server.post(identity.token("ana", READ, resource=OTHER_AUDIENCE)).status_code == 200
    assert server.post(good).status_code == 401


@pytest.mark.parametrize("scope", [{"scp": f"openid {READ}"}, {"scp": [READ]}, {"scope": [READ, "email"]}])
def test_scopes_are_read_as_the_great_providers_write_them(server, identity, good, scope):
    claims = claims_of(good)
    del claims["scope"]
    assert server.post(identity.signed({**claims, **scope})).status_code == 200
    assert server.post(identity.signed(claims)).status_code == 403


def test_the_claim_that_names_a_person_can_be_another(guard, same_school, identity, good):
    server = guard(same_school, oidc_subject="oid")
    claims = claims_of(good)
    assert server.post(identity.signed({**claims, "oid": "a-person"})).status_code == 200
    for token in (good, identity.signed({**claims, "oid": ""}), identity.signed({**claims, "oid": 7})):
        assert server.post(token).status_code == 401


def test_without_the_scope_for_reading_nothing_is_answered(server, identity):
    answer = server.post(identity.token("ana", resource=RESOURCE))
    assert answer.status_code == 403
    assert challenge(answer) == (
        "Bearer",
        {
            "error": "insufficient_scope",
            "error_description": f"The scope {READ} is missing.",
            "scope": READ,
            "resource_metadata": METADATA,
        },
    )


def test_without_the_scope_for_writing_no_writing_tool_can_be_called(guard, school, identity, good):
    server = guard(school, writes="confirm", approval="token")
    both = identity.token("ana", READ, WRITE, resource=RESOURCE)
    mark = {"student_id": absent(school)[0], "date": DAY, "status": 2}
    refused = server.call(good, "set_homeroom_attendance", **mark)
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "apply_changes"}}
    batch = server.send("POST", good, json=[call])
    assert (refused.status_code, batch.status_code) == (403, 403)
    assert challenge(refused)[1]["scope"] == f"{READ} {WRITE}"
    assert server.call(good, "list_absences").status_code == 200
    assert server.call(both, "set_homeroom_attendance", **mark).status_code == 200
    assert school.writes == []


def test_a_body_that_only_another_parser_can_read_may_ask_for_a_write_and_needs_its_scope(
    guard, school, identity, good
):
    server = guard(school, writes="confirm", approval="token")
    mark = {"student_id": absent(school)[0], "date": DAY, "status": 2}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    whole = json.dumps({**call, "params": {"name": "set_homeroom_attendance", "arguments": mark}})
    for more in ("9" * 5000, "[" * 3000 + "]" * 3000):
        body = whole.removesuffix("}") + f', "more": {more}}}'
        assert server.send("POST", good, content=body).status_code == 403
    assert server.send("POST", good, content=b"{" + b" " * 5_000_000 + b"}").status_code == 403
    with plans_of(school) as store:
        assert store.execute("select name from sqlite_master").fetchall() == []


def test_host_and_origin_are_checked_behind_sign_in_too(server, good):
    assert server.post(good, host="127.0.0.1:8750").status_code == 421
    assert server.post(good, host="attendance.school.example.elsewhere.example").status_code == 421
    assert server.post(good, origin="https://elsewhere.example").status_code == 403
    assert server.post(good, origin=PUBLIC).status_code == 200


def test_a_token_in_the_address_is_none(server, good):
    assert server.send("POST", None, params={"access_token": good}, json={}).status_code == 401


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_only_post_is_answered_with_a_token_too(server, good, method):
    assert server.send(method, good).status_code == 405


# --- the issuer's keys ---


@contextmanager
def provider(folder, identity=None, **more):
    """A provider that the test may stop and start again at the same address, with a key of its own each time."""
    port = int(identity.issuer.rpartition(":")[2]) if identity else 0
    with IdentityProvider.open(folder, resources={RESOURCE: RESOURCE}, port=port, **more) as one:
        yield one


@pytest.fixture
def moving(guard, same_school: UpstreamSchool, tmp_path):
    """A server whose provider comes and goes."""

    def server_of(one, **settings):
        return guard(same_school, oidc_issuer=one.issuer, **settings)

    return server_of


def test_a_key_that_was_changed_is_read_and_the_one_before_no_longer_good(moving, tmp_path):
    with provider(tmp_path) as one:
        server = moving(one, again=0)
        old = one.token("ana", READ, resource=RESOURCE)
        assert server.post(old).status_code == 200
    with provider(tmp_path, one) as one:
        assert server.post(one.token("ana", READ, resource=RESOURCE)).status_code == 200
        assert server.post(old).status_code == 401


def test_names_of_keys_that_nobody_knows_make_the_issuer_be_asked_once(moving, tmp_path):
    with provider(tmp_path) as one:
        server = moving(one)
        token = one.token("ana", READ, resource=RESOURCE)
        assert server.post(token).status_code == 200
        claims = claims_of(token)
        for number in range(10):
            assert server.post(one.signed(claims, kid=f"unknown-{number}")).status_code == 401
        assert server.post(token).status_code == 200
        assert (one.asked("/.well-known/openid-configuration"), one.asked("/jwks")) == (1, 1)


def test_while_the_issuer_is_away_known_keys_serve_and_without_any_one_is_told_so(moving, tmp_path):
    with provider(tmp_path) as one:
        server, other = moving(one, again=0), moving(one, again=0)
        token = one.token("ana", READ, resource=RESOURCE)
        assert server.post(token).status_code == 200
    assert server.post(token).status_code == 200
    answer = other.post(token)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["error_description"].startswith("The school's sign-in service does not answer")


def test_whoever_answers_for_another_issuer_names_no_keys(moving, identity, same_school, guard, good, caplog):
    server = guard(same_school, oidc_issuer=identity.issuer.replace("127.0.0.1", "localhost"))
    assert server.post(good).status_code == 503
    assert [record.getMessage() for record in caplog.records] == snapshot(
        [
            "The issuer of ATTENDANCE_OIDC_ISSUER can't be used (ValueError): its /.well-known/openid-configuration must answer this machine, name it to the letter and say where its keys are."
        ]
    )


def test_a_start_on_stdio_loads_neither_the_sign_in_nor_its_library():
    code = (
        "import sys, attendance_mcp.cli, attendance_mcp.stdio, attendance_mcp.server;"
        "print(sorted(name for name in sys.modules if name == 'jwt' or name.startswith('attendance_mcp.http')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
