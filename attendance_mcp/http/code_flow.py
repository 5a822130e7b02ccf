"""Signing a person in on a page of this server: the OIDC code flow, as a client that was registered beforehand.

What comes back is an access token for this server itself, which is checked as an assistant's is: so a person is the
same caller, with the same rights, on the page and through an assistant.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import ssl
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import anyio
import anyio.to_thread
import httpx
import jwt
import truststore
from mcp.server.auth.provider import AccessToken

from attendance_mcp.errors import SettingsError, Unavailable
from attendance_mcp.http.keys import KEPT_SECONDS, KeysUnavailable, discovered
from attendance_mcp.http.sign_in import SignIn
from attendance_mcp.settings import Settings, checked_issuer, is_loopback, read_private

_PATIENCE = 10.0  # seconds
_AWAY = "The school's sign-in service does not answer. Reload this page in a moment. Nothing was written."


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sign-in under way: what its browser keeps until it comes back."""

    state: str
    verifier: str

    @classmethod
    def new(cls) -> Attempt:
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(48))


@dataclass(eq=False)
class CodeFlow:
    """The way to the issuer and back. `secret` is none for a client that has no secret."""

    sign_in: SignIn
    client_id: str
    secret: str | None
    origin: str
    path: str  # of the page that they come from and go back to
    _issuer: dict[str, object] = field(default_factory=dict)  # what it says of itself
    _read: float = -KEPT_SECONDS
    _one_at_a_time: anyio.Lock = field(default_factory=anyio.Lock)

    @property
    def address_of_page(self) -> str:
        return self.origin + self.path

    @property
    def redirect(self) -> str:
        return f"{self.address_of_page}/signed-in"

    @classmethod
    def of(cls, settings: Settings, sign_in: SignIn, *, path: str) -> CodeFlow | None:
        """None where no client is registered for it. Raises SettingsError for a secret that can't be read."""
        if settings.oidc_client_id is None:
            return None
        secret = None
        if settings.oidc_client_secret_file is not None:
            secret = read_private(settings.oidc_client_secret_file, name="ATTENDANCE_OIDC_CLIENT_SECRET_FILE").strip()
            if not secret:
                raise SettingsError("There is no secret in the file of ATTENDANCE_OIDC_CLIENT_SECRET_FILE.")
        return cls(sign_in, settings.oidc_client_id, secret, sign_in.origin, path)

    async def address(self, attempt: Attempt) -> str:
        """Where the person signs in. Raises Unavailable."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=")
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect,
            "scope": " ".join(("openid", *self.sign_in.scopes)),
            "resource": self.sign_in.resource,
            "state": attempt.state,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        where = await self._endpoint("authorization_endpoint")
        return f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}"

    async def finish(self, attempt: Attempt, code: str) -> AccessToken | None:
        """Who signed in, by the code that they came back with; None where it is not good. Raises Unavailable."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect,
            "code_verifier": attempt.verifier,
            "resource": self.sign_in.resource,
        }
        answer = await self._post(await self._endpoint("token_endpoint"), form)
        token = answer.get("access_token")
        if not isinstance(token, str):
            return None
        try:
            return await self.sign_in.tokens.verify_token(token)
        except KeysUnavailable:
            raise Unavailable(_AWAY) from None

    async def _post(self, address: str, form: dict[str, str]) -> dict[str, object]:
        auth = httpx.BasicAuth(self.client_id, self.secret) if self.secret else httpx.Auth()
        named = form if self.secret else {**form, "client_id": self.client_id}
        trusted = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        direct = is_loopback(urlsplit(address).hostname or "")
        try:
            async with httpx.AsyncClient(verify=trusted, trust_env=not direct, timeout=_PATIENCE) as client:
                answer = await client.post(address, data=named, auth=auth)
                found = answer.json() if answer.is_success else {}
        except (httpx.HTTPError, ValueError):
            raise Unavailable(_AWAY) from None
        return found if isinstance(found, dict) else {}

    async def _endpoint(self, name: str) -> str:
        try:
            # Anybody may come to the page, and each would make the issuer be asked.
            async with self._one_at_a_time:
                if time.monotonic() - self._read >= KEPT_SECONDS:
                    self._issuer = await anyio.to_thread.run_sync(discovered, self.sign_in.issuer)
                    self._read = time.monotonic()
            return checked_endpoint(str(self._issuer.get(name)))
        except (jwt.PyJWTError, ValueError, OSError):
            raise Unavailable(_AWAY) from None


def checked_endpoint(address: str) -> str:
    """An address of the issuer's, which may have a query. Raises ValueError for one that can't be."""
    checked_issuer(address.partition("?")[0])
    return address
