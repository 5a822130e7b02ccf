"""The settings of sign-in: whole or not at all, and to the letter."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from attendance_mcp.scopes import Scopes
from attendance_mcp.settings import Settings, explain

ISSUER, PUBLIC = "https://login.school.example/tenant/v2.0", "https://attendance.school.example"
POLICY = Path("policy.toml")


def wrong(**settings):
    with pytest.raises(ValidationError) as caught:
        Settings(**settings)
    (line,) = explain(caught.value)
    return line


def test_an_issuer_stays_as_it_is_given():
    for issuer in (ISSUER, ISSUER + "/", "http://127.0.0.1:8080/realms/school"):
        assert Settings(oidc_issuer=issuer, public_url=PUBLIC + "/", policy=POLICY).oidc_issuer == issuer


@pytest.mark.parametrize("issuer", ["http://login.school.example", "login.school.example", "https://a.example/?t=1", "https://me:word@a.example", ""])  # fmt: skip
def test_an_address_that_can_be_no_issuer_is_refused(issuer):
    assert wrong(oidc_issuer=issuer, public_url=PUBLIC, policy=POLICY).startswith("ATTENDANCE_OIDC_ISSUER: ")


def test_one_half_of_sign_in_asks_for_the_other():
    assert wrong(oidc_issuer=ISSUER, policy=POLICY) == (
        "ATTENDANCE_OIDC_ISSUER needs ATTENDANCE_PUBLIC_URL too: the address by which clients know this server."
    )
    assert wrong(oidc_issuer=ISSUER, public_url=PUBLIC) == (
        "ATTENDANCE_OIDC_ISSUER needs ATTENDANCE_POLICY too: the file that says who sees whom."
    )
    halves = {"PUBLIC_URL": PUBLIC, "POLICY": POLICY, "OIDC_TOKENS": "google", "OIDC_READ_SCOPE": "openid"}
    for name, half in {**halves, "OIDC_AUDIENCE": "api://attendance"}.items():
        assert wrong(**{name.lower(): half}) == f"ATTENDANCE_{name} needs ATTENDANCE_OIDC_ISSUER too."


def test_what_is_asked_of_an_issuer_needs_what_it_is_asked_with():
    whole = {"oidc_issuer": ISSUER, "public_url": PUBLIC, "policy": POLICY}
    for given in ({}, {"oidc_client_id": "attendance"}, {"oidc_client_secret_file": POLICY}):
        assert wrong(**whole, oidc_tokens="introspection", **given) == (
            "ATTENDANCE_OIDC_TOKENS=introspection needs ATTENDANCE_OIDC_CLIENT_ID and "
            "ATTENDANCE_OIDC_CLIENT_SECRET_FILE too: as whom this server asks the issuer."
        )
    assert wrong(**whole, oidc_tokens="google") == (
        "ATTENDANCE_OIDC_TOKENS=google needs ATTENDANCE_OIDC_AUDIENCE too: the ids of the clients that are registered "
        "with Google for this server."
    )


def test_scopes_are_words_and_what_is_none_is_refused():
    whole = {"oidc_issuer": ISSUER, "public_url": PUBLIC, "policy": POLICY}
    assert Settings(**whole).scopes == Scopes(("attendance:read",), ("attendance:write",))
    assert Settings(**whole, oidc_read_scope=" a  api://b/c ").scopes == Scopes(
        ("a", "api://b/c"), ("attendance:write",)
    )
    google = ("openid", "https://www.googleapis.com/auth/userinfo.email")
    assert Settings(**whole, oidc_tokens="google", oidc_audience="a b").scopes == Scopes(google, google)
    for text in (" ", 'a"b', "a\\b", "a\u00e4", "x" * 201, "a " * 11):
        assert wrong(**whole, oidc_write_scope=text) == (
            "ATTENDANCE_OIDC_WRITE_SCOPE: is a scope, or up to 10 of them with blanks between, such as attendance:read"
        )
