"""Whether a bearer token is one that the school's issuer gave for this server, and what it says of its bearer."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mcp.server.auth.provider import AccessToken, TokenVerifier

from attendance_mcp.http.readers import LEEWAY, Claims, Reader, tell_refused, texts

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
        if claims is None:
            return None
        if not isinstance(claims.get(self._subject), str):
            tell_refused("it lacks the claim of ATTENDANCE_OIDC_SUBJECT")
            return None
        claims = {**claims, "sub": claims[self._subject]}
        if (why := self._not_good(claims)) is not None:
            tell_refused(why)
            return None
        return self._access(claims)

    def _not_good(self, claims: Claims) -> str | None:
        """Why it may not be used here by whoever brings it."""
        if self._resource not in texts(claims.get("resource", self._resource)):
            return "its resource is another than the address that it came to"
        if "cnf" in claims:
            return "it is bound to a key, which a bearer need not have"
        if not 0 < len(_caller(claims)) <= MOST_CALLER:
            return f"it names nobody, or somebody by more than {MOST_CALLER} characters"
        return None

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
