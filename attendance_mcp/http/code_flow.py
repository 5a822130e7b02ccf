"""Signing a person in on a page of this server: the OIDC code flow, as a client that was registered beforehand.

What comes back is an access token for this server itself, which is checked as an assistant's is: so a person is the
same caller, with the same rights, on the page and through an assistant.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from urllib.parse import urlencode

from mcp.server.auth.provider import AccessToken

from attendance_mcp.errors import Unavailable
from attendance_mcp.http.issuer import Client, Issuer
from attendance_mcp.http.keys import IssuerAway
from attendance_mcp.http.sign_in import SignIn
from attendance_mcp.scopes import of_another
from attendance_mcp.settings import Settings

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
    """The way to the issuer and back."""

    sign_in: SignIn
    client: Client
    origin: str
    path: str  # of the page that they come from and go back to
    issuer: Issuer

    @property
    def address_of_page(self) -> str:
        return self.origin + self.path

    @property
    def redirect(self) -> str:
        return f"{self.address_of_page}/signed-in"

    @classmethod
    def of(cls, settings: Settings, sign_in: SignIn, *, path: str) -> CodeFlow | None:
        """None where no client is registered for it. Raises SettingsError for a secret that can't be read."""
        client = Client.of(settings)
        if client is None:
            return None
        return cls(sign_in, client, sign_in.origin, path, Issuer(sign_in.issuer))

    @property
    def _resource(self) -> dict[str, str]:
        """What says for which resource the token shall be (RFC 8707), where the scopes don't."""
        another = of_another(self.sign_in.scopes, self.sign_in.resource)
        return {} if another else {"resource": self.sign_in.resource}

    async def address(self, attempt: Attempt) -> str:
        """Where the person signs in. Raises Unavailable."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=")
        asked = {
            "response_type": "code",
            "client_id": self.client.id,
            "redirect_uri": self.redirect,
            "scope": " ".join(dict.fromkeys(("openid", *self.sign_in.scopes))),
            "state": attempt.state,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
            **self._resource,
        }
        try:
            where = await self.issuer.endpoint("authorization_endpoint")
        except IssuerAway:
            raise Unavailable(_AWAY) from None
        return f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}"

    async def finish(self, attempt: Attempt, code: str) -> AccessToken | None:
        """Who signed in, by the code that they came back with; None where it is not good. Raises Unavailable."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect,
            "code_verifier": attempt.verifier,
            **self._resource,
        }
        try:
            _, answer = await self.issuer.post(await self.issuer.endpoint("token_endpoint"), form, self.client)
            token = answer.get("access_token")
            return await self.sign_in.tokens.verify_token(token) if isinstance(token, str) else None
        except IssuerAway:
            raise Unavailable(_AWAY) from None
