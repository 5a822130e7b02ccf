"""A real identity provider on loopback, with people in it, and the tokens that it gives them."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.conformance.suite import NODE

HERE = Path(__file__).parent
MISSING = (
    ""
    if NODE.exists() and (HERE / "node_modules" / "oidc-provider").exists()
    else "the npm packages are missing: npm ci in tests/conformance and tests/http/identity (as .ci/run does)"
)
needs_identity_provider = pytest.mark.skipif(bool(MISSING), reason=MISSING)
READ, WRITE = "attendance:read", "attendance:write"
REDIRECT = "http://127.0.0.1:1/signed-in"  # nobody listens: the tests read the code off the address


def new_keys() -> dict[str, Any]:
    """A new key pair for signing, as a private JWK."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key))
    return {**jwk, "use": "sig", "alg": "RS256", "kid": secrets.token_hex(4)}


@dataclass
class IdentityProvider:
    """The provider's issuer, what it signs with, and where it sends people back to who signed in for a page."""

    issuer: str
    key: dict[str, Any]
    log: Path
    pages: tuple[str, ...] = ()

    @classmethod
    @contextmanager
    def open(
        cls,
        folder: Path,
        *,
        resources: dict[str, str],
        people: dict[str, dict[str, Any]] | None = None,
        port: int = 0,
        key: dict[str, Any] | None = None,
        pages: tuple[str, ...] = ("https://a.example/signed-in",),
        opaque: bool = False,
    ) -> Iterator[IdentityProvider]:
        """Resource indicators with the audience that a token for each names; people with their claims.

        The access tokens are JWTs, or `opaque`.
        """
        port, key, log = port or free_port(), key or new_keys(), folder / f"identity-{secrets.token_hex(4)}.log"
        given = {
            "port": port,
            "jwks": {"keys": [key]},
            "resources": resources,
            "people": people or {},
            "redirects": [REDIRECT],
            "pages": pages,
            "opaque": opaque,
        }
        with (
            log.open("w") as out,
            subprocess.Popen([NODE, HERE / "provider.js", json.dumps(given)], stdout=out, stderr=out) as process,
        ):
            try:
                while "listening" not in log.read_text():
                    assert process.poll() is None, log.read_text()
                yield cls(f"http://127.0.0.1:{port}", key, log, pages)
            finally:
                process.kill()

    def asked(self, path: str, method: str = "GET") -> int:
        """How often a path was asked for."""
        return self.log.read_text().splitlines().count(f"{method} {path}")

    def token(self, person: str, *scopes: str, resource: str | None) -> str:
        """An access token, as an assistant gets it: by the code flow with PKCE, as a client registered beforehand."""
        return str(self.tokens(person, *scopes, resource=resource)["access_token"])

    def tokens(
        self, person: str, *scopes: str, resource: str | None, client: str = "assistant", **more: str
    ) -> dict[str, Any]:
        """All that such a client gets."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "client_id": client,
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": " ".join(("openid", *scopes)),
            **({"resource": resource} if resource else {}),
            "login_hint": person,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **more,
        }
        with httpx.Client(trust_env=False, verify=False, timeout=10) as browser:
            answer = browser.get(f"{self.issuer}/auth", params=asked)
            while not (where := answer.headers.get("location", "")).startswith(REDIRECT):
                assert answer.is_redirect, answer.text
                answer = browser.get(httpx.URL(self.issuer).join(where))
            code = parse_qs(urlsplit(where).query)["code"][0]
            form = {
                "client_id": client,
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": REDIRECT,
                "code_verifier": verifier,
            }
            given = browser.post(f"{self.issuer}/token", data=form).json()
        return dict(given)

    def signed(self, claims: dict[str, Any], **header: Any) -> str:
        """Claims signed with the provider's own key, which it would never give."""
        key = jwt.PyJWK(self.key).key
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": self.key["kid"], **header})


def free_port() -> int:
    """A port that nobody has now: an issuer's address holds it before anybody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
