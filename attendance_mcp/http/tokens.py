"""Whether a bearer token is one that the school's issuer gave for this server, and what it says of its bearer."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mcp.server.auth.provider import AccessToken, TokenVerifier

from attendance_mcp.http.readers import LEEWAY, Claims, Reader, texts

MOST_CALLER = 400  # characters of issuer and subject; a plan is stored with them


class Tokens(TokenVerifier):
    """Checks access tokens for one resource."""

    def __init__(self, reader: Reader, *, audience: Collection[str], resource: str, subject: str = "sub") -> None:
        """A token names one of the `audience`, or the resource where it is empty; `subject` the claim of a person."""
        self._reader, self._subject = reader, subject
        self._audience, self._resource = audience, resource

    def of(self, resource: str) -> Tokens:
        """For another resource of the same server; what reads tokens is shared."""
        return Tokens(self._reader, audience=self._audience, resource=resource, subject=self._subject)

    async def verify_token(self, token: str) -> AccessToken | None:
        """What the token says; None for one that is not good here. Raises IssuerAway."""
        claims = await self._reader.read(token, audience=self._audience or [self._resource])
        if claims is None or not isinstance(claims.get(self._subject), str):
            return None
        claims = {**claims, "sub": claims[self._subject]}
        return self._access(claims) if self._good_here(claims) else None

    def _good_here(self, claims: Claims) -> bool:
        """Whether it may be used here by whoever brings it."""
        resources = texts(claims.get("resource", self._resource))
        bound = "cnf" in claims  # to a key that a bearer need not have
        return self._resource in resources and not bound and 0 < len(_caller(claims)) <= MOST_CALLER

    def _access(self, claims: Claims) -> AccessToken:
        return AccessToken(
            token="",  # nobody needs it any more
            client_id=str(claims.get("client_id") or claims.get("azp") or claims.get("appid") or ""),
            scopes=[*_scopes(claims)],
            expires_at=int(claims["exp"]) + LEEWAY,
            resource=self._resource,
            subject=claims["sub"],
            claims=claims,
        )


def _caller(claims: Claims) -> str:
    return f"{claims['iss']}|{claims['sub']}" if claims["sub"] else ""


def _scopes(claims: Claims) -> Iterable[str]:
    """`scope` as RFC 9068 has it, `scp` as Entra and Okta write it: words, or a list of them."""
    for value in (claims.get("scope"), claims.get("scp")):
        for text in texts(value):
            yield from text.split()
