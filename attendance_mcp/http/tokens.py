"""Whether a bearer token is one that the school's issuer gave for this server, and what it says of its bearer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jwt
from mcp.server.auth.provider import AccessToken, TokenVerifier

from attendance_mcp.http.keys import Keys

# By public keys only: with "none" or a shared secret anybody could sign.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_TYPES = (None, "jwt", "at+jwt", "application/at+jwt")  # an ID token is a JWT too, and has no scope
_LEEWAY = 30  # seconds that two clocks may differ
MOST_CALLER = 400  # characters of issuer and subject; a plan is stored with them


class Tokens(TokenVerifier):
    """Checks signature, issuer, audience, resource and times of access tokens."""

    def __init__(self, keys: Keys, *, issuer: str, audience: str | None, resource: str, subject: str = "sub") -> None:
        """Without an audience it is the resource; `subject` is the claim that names a person."""
        self._keys, self._subject = keys, subject
        self._issuer, self._audience, self._resource = issuer, audience, resource

    def of(self, resource: str) -> Tokens:
        """For another resource of the same server; the issuer's keys are shared."""
        return Tokens(
            self._keys, issuer=self._issuer, audience=self._audience, resource=resource, subject=self._subject
        )

    async def verify_token(self, token: str) -> AccessToken | None:
        """What the token says; None for one that is not good here. Raises KeysUnavailable."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS or str(header.get("typ", "jwt")).lower() not in _TYPES:
                return None
            key = await self._keys.find(header.get("kid"))
            if key is None:
                return None
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._audience or self._resource,
                issuer=self._issuer,
                leeway=_LEEWAY,
                options={"require": ["exp", "iss", "aud", self._subject]},
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            return None
        if not isinstance(claims[self._subject], str):
            return None
        claims = {**claims, "sub": claims[self._subject]}
        return self._access(claims) if self._good_here(claims) else None

    def _good_here(self, claims: dict[str, Any]) -> bool:
        """Whether it may be used here by whoever brings it."""
        resources = _texts(claims.get("resource", self._resource))
        bound = "cnf" in claims  # to a key that a bearer need not have
        return self._resource in resources and not bound and 0 < len(_caller(claims)) <= MOST_CALLER

    def _access(self, claims: dict[str, Any]) -> AccessToken:
        return AccessToken(
            token="",  # nobody needs it any more
            client_id=str(claims.get("client_id") or claims.get("azp") or claims.get("appid") or ""),
            scopes=[*_scopes(claims)],
            expires_at=int(claims["exp"]) + _LEEWAY,
            resource=self._resource,
            subject=claims["sub"],
            claims=claims,
        )


def _caller(claims: dict[str, Any]) -> str:
    return f"{claims['iss']}|{claims['sub']}" if claims["sub"] else ""


def _scopes(claims: dict[str, Any]) -> Iterable[str]:
    """`scope` as RFC 9068 has it, `scp` as Entra and Okta write it: words, or a list of them."""
    for value in (claims.get("scope"), claims.get("scp")):
        for text in _texts(value):
            yield from text.split()


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]
