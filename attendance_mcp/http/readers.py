"""How the claims of an access token are learnt: from the token itself, or from its issuer, who alone can read it.

A reader is made once for an issuer and shared by all resources. What an issuer says of a token is kept for a minute, so
that a token that was withdrawn is good for a minute more.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Any, Protocol
from urllib.parse import urljoin

import anyio
import jwt

from attendance_mcp.http.issuer import Client, Issuer
from attendance_mcp.http.keys import IssuerAway, Keys
from attendance_mcp.settings import Settings

# By public keys only: with "none" or a shared secret anybody could sign.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LEEWAY = 30  # seconds that two clocks may differ
_TYPES = (None, "jwt", "at+jwt", "application/at+jwt")  # an ID token is a JWT too, and has no scope
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,8192}=*")  # as RFC 6750 has them
_KEPT_SECONDS = 60.0
_MOST_KEPT = 2000
_AT_ONCE = 8  # questions to the issuer; whoever comes with an invented token makes one

OTHER_AUDIENCE = "its aud names neither ATTENDANCE_OIDC_AUDIENCE nor, where that is unset, this server's address"
OTHER_ISSUER = "its iss is not ATTENDANCE_OIDC_ISSUER to the letter"
RUN_OUT = "it has run out"
_WHY: dict[type[Exception], str] = {
    jwt.ExpiredSignatureError: RUN_OUT,
    jwt.ImmatureSignatureError: "it is not valid yet; the clocks of issuer and server may differ",
    jwt.InvalidAudienceError: OTHER_AUDIENCE,
    jwt.InvalidIssuerError: OTHER_ISSUER,
    jwt.MissingRequiredClaimError: "it lacks exp, iss or aud",
}
_NO_JWT = "it is no JWT that the issuer signed, as ATTENDANCE_OIDC_TOKENS has it"

Claims = dict[str, Any]
log = logging.getLogger(__name__)


def tell_refused(why: str) -> None:
    """Tells whoever runs the server why a token was refused, in words that are none of the token's."""
    log.warning("A token was refused: %s.", why)


class Reader(Protocol):
    """Reads tokens of one issuer."""

    async def read(self, token: str, *, audience: Collection[str]) -> Claims | None:
        """The claims of a token that is the issuer's, in its time and for one of these audiences, else None.

        `iss`, `aud` and `exp` are among them. Raises IssuerAway.
        """


def reader_of(settings: Settings, issuer: str, *, again: float) -> Reader:
    """The one that the settings name. Raises SettingsError for a secret that can't be read. For `again` see Keys."""
    if settings.oidc_tokens == "google":
        return OfGoogle(Issuer(issuer, again=again))
    if settings.oidc_tokens == "introspection" and (client := Client.of(settings)) is not None:
        return Introspected(Issuer(issuer, again=again), client)
    return Signed(Keys(issuer, again=again), issuer)


class Signed:
    """Reads JWTs, which the issuer's keys prove to be its own."""

    def __init__(self, keys: Keys, issuer: str) -> None:
        self._keys, self._issuer = keys, issuer

    async def read(self, token: str, *, audience: Collection[str]) -> Claims | None:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS or str(header.get("typ", "jwt")).lower() not in _TYPES:
                tell_refused(_NO_JWT)
                return None
            key = await self._keys.find(header.get("kid"))
            if key is None:
                tell_refused("the issuer publishes no key of the name that it is signed with")
                return None
            claims: Claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=[*audience],
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            tell_refused(_WHY.get(type(error), _NO_JWT))
            return None
        return claims


class Opaque(ABC):
    """Asks the issuer what a token says."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._kept: dict[bytes, tuple[float, Claims]] = {}  # by hash, until a moment of the monotonic clock
        self._limiter = anyio.CapacityLimiter(_AT_ONCE)

    async def read(self, token: str, *, audience: Collection[str]) -> Claims | None:
        if not _TOKEN.fullmatch(token):
            tell_refused("no bearer token is written like that")
            return None
        name = hashlib.sha256(token.encode()).digest()
        claims = self._known(name) or await self._look(name, token)
        if claims is None:  # whoever asked has told why
            return None
        if set(audience).isdisjoint(texts(claims.get("aud"))):
            tell_refused(OTHER_AUDIENCE)
        elif not _in_time(claims):
            tell_refused(f"{RUN_OUT}, says no end, or is not valid yet")
        else:
            return claims
        return None

    @abstractmethod
    async def _ask(self, token: str) -> Claims | None:
        """What the issuer says of it; None for one that it calls bad. Raises IssuerAway."""

    def _known(self, name: bytes) -> Claims | None:
        until, claims = self._kept.get(name, (0.0, None))
        return claims if time.monotonic() < until else None

    async def _look(self, name: bytes, token: str) -> Claims | None:
        try:
            with anyio.fail_after(self._issuer.patience) as limit:
                async with self._limiter:
                    # Whoever had to wait for others can't expect a slow issuer to answer in what is left.
                    if limit.deadline - anyio.current_time() < self._issuer.patience / 2:
                        raise IssuerAway
                    claims = self._known(name) or await self._ask(token)
        except TimeoutError:
            raise IssuerAway from None
        if claims is None:
            return None
        claims = {**claims, "exp": _moment(claims, "exp")}
        left = min(_KEPT_SECONDS, claims["exp"] - time.time())
        if left > 0:
            self._kept.pop(name, None)
            while len(self._kept) >= _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[name] = time.monotonic() + left, claims
        return claims


class Introspected(Opaque):
    """By the issuer's introspection endpoint (RFC 7662), as a client of its."""

    def __init__(self, issuer: Issuer, client: Client) -> None:
        super().__init__(issuer)
        self._client = client

    async def _ask(self, token: str) -> Claims | None:
        where = await self._issuer.endpoint("introspection_endpoint")
        form = {"token": token, "token_type_hint": "access_token"}
        status, said = await self._issuer.post(where, form, self._client)
        if status in (401, 403):
            raise IssuerAway
        if said.get("active") is not True:
            tell_refused("the issuer doesn't call it active, or not to the client of ATTENDANCE_OIDC_CLIENT_ID")
            return None
        # A refresh token is active too, and is not of this type.
        if str(said.get("token_type")).lower() != "bearer":
            tell_refused("the issuer's answer has no token_type Bearer")
            return None
        if said.get("iss", self._issuer.address) != self._issuer.address:
            tell_refused(OTHER_ISSUER)
            return None
        return {**said, "iss": self._issuer.address}


class OfGoogle(Opaque):
    """By Google's tokeninfo, and its userinfo for what that doesn't tell, such as `hd`."""

    async def _ask(self, token: str) -> Claims | None:
        # The one address that Google's discovery document leaves out: it stands beside the others.
        where = urljoin(await self._issuer.endpoint("token_endpoint"), "tokeninfo")
        status, said = await self._issuer.show("POST", where, token)
        if status != 200:
            tell_refused("the issuer knows no such token")
            return None
        status, person = await self._issuer.show("GET", await self._issuer.endpoint("userinfo_endpoint"), token)
        if status == 200 and person.get("sub") != said.get("sub"):
            tell_refused("the issuer names two people for it")
            return None
        claims = {**(person if status == 200 else {}), **said}
        verified = claims.get("email_verified") in (True, "true")  # tokeninfo writes words
        return {**claims, "email_verified": verified, "iss": self._issuer.address}


def texts(value: object) -> list[str]:
    """A claim that is a text, or a list of them."""
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]


def _in_time(claims: Claims) -> bool:
    now = time.time()
    return now < _moment(claims, "exp") + LEEWAY and _moment(claims, "nbf") - LEEWAY <= now


def _moment(claims: Claims, name: str) -> int:
    """Seconds of the epoch, 0 where there is no such claim; Google writes them as a text."""
    value = claims.get(name)
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value):
        return int(value)
    return int(value) if isinstance(value, int | float) and abs(value) < 1e12 else 0
