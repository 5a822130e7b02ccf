"""The settings of sign-in: whole or not at all, and to the letter."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

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
    for name, half in (("PUBLIC_URL", PUBLIC), ("OIDC_AUDIENCE", "api://attendance"), ("POLICY", POLICY)):
        assert wrong(**{name.lower(): half}) == f"ATTENDANCE_{name} needs ATTENDANCE_OIDC_ISSUER too."
