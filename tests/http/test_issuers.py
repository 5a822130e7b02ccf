"""Issuers that give no scopes of ours, or tokens that only they can read."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from .browser import Browser
from .conftest import PUBLIC, RESOURCE
from .identity import READ, WRITE, free_port
from .test_sign_in import METADATA, challenge, claims_of

# --- scopes that are addresses, as Entra ID's ---

APP = "api://attendance"
BOTH = [f"{APP}/Attendance.Read", f"{APP}/Attendance.Write"]
ENTRA = {"oidc_audience": APP, "oidc_read_scope": BOTH[0], "oidc_write_scope": BOTH[1]}


def test_the_scopes_to_ask_for_can_be_others_than_those_in_the_token(guard, same_school, identity):
    server = guard(same_school, writes="confirm", **ENTRA)
    assert server.get(METADATA.removeprefix(PUBLIC)).json()["scopes_supported"] == BOTH
    assert challenge(server.post(None))[1]["scope"] == " ".join(BOTH)
    reading, writing = identity.token("ana", BOTH[0], resource=None), identity.token("ana", *BOTH, resource=None)
    assert {name: claims_of(reading).get(name) for name in ("scp", "scope", "aud")} == {
        "scp": "Attendance.Read",
        "scope": None,
        "aud": APP,
    }
    assert server.post(reading).status_code == 200
    refused = server.call(reading, "apply_changes")
    assert refused.status_code == 403
    assert challenge(refused)[1]["scope"] == " ".join(BOTH)
    assert challenge(refused)[1]["error_description"] == f"The scope {BOTH[1]} is missing."
    assert server.call(writing, "apply_changes").status_code == 200


def test_while_the_issuer_is_away_the_page_says_so_and_sends_nobody_there(guard, school, secret):
    given = {"oidc_client_id": "approvals", "oidc_client_secret_file": secret, "writes": "confirm"}
    server = guard(school, oidc_issuer=f"http://127.0.0.1:{free_port()}", **given)
    answer = server.get("/approvals")
    assert answer.status_code == 503
    assert "sign-in service does not answer. Reload this page in a moment. Nothing was written." in answer.text


def test_the_metadata_is_only_read(guard, same_school):
    server = guard(same_school)
    answer = server.at(METADATA.removeprefix(PUBLIC)).send("POST", None)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_the_page_names_no_resource_where_the_scopes_name_another(guard, school, identity, secret):
    given = {"oidc_client_id": "approvals", "oidc_client_secret_file": secret, "writes": "confirm", **ENTRA}
    server = guard(school, **given)
    where = server.get("/approvals").headers["location"]
    assert "resource=" not in where
    assert "No plan of yours waits" in Browser(server, identity, "cai").open().text
    own = {"oidc_read_scope": f"{RESOURCE}/{READ}", "oidc_write_scope": f"{RESOURCE}/{WRITE}", "oidc_audience": None}
    same = guard(school, **{**given, **own})
    assert "resource=" in same.get("/approvals").headers["location"]
    assert "No plan of yours waits" in Browser(same, identity, "cai").open().text
    unset = {"oidc_read_scope": None, "oidc_write_scope": None}
    google = guard(school, **{**given, **unset, "oidc_tokens": "google"})
    asked = parse_qs(urlsplit(google.get("/approvals").headers["location"]).query)
    assert asked["scope"] == ["openid https://www.googleapis.com/auth/userinfo.email"]
    assert "resource" not in asked
