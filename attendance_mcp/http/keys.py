"""The keys of the token issuer: found through its discovery document, kept, and asked for again when they change.

A token that names an unknown key makes the issuer be asked once more, but not again within half a minute: anybody can
invent the name of a key. While the issuer is away the keys that are known go on serving for a day.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time

import anyio
import anyio.to_thread
import jwt
import truststore
from jwt import PyJWK, PyJWKClient, PyJWKSet

from attendance_mcp.settings import checked_issuer

KEPT_SECONDS = 600.0
LONGEST_KEPT_SECONDS = 86_400.0
AGAIN_AFTER_FAILURE = 5.0
_PATIENCE = 5.0  # seconds for each of the two documents
_AT_ONCE = 4  # threads that may wait for the issuer; those of the store are others

log = logging.getLogger(__name__)


class IssuerAway(Exception):  # noqa: N818  no mistake of the caller's
    """The issuer does not answer, or not as it should, so that no token can be checked."""


class Keys:
    """What an issuer signs with now. Shared by all requests; it is not asked again within `again` seconds."""

    def __init__(self, issuer: str, *, again: float) -> None:
        self._issuer, self._again = issuer, again
        self._keys: PyJWKSet | None = None
        self._read = self._next_try = 0.0
        self._one_at_a_time = threading.Lock()
        self._limiter = anyio.CapacityLimiter(_AT_ONCE)

    async def find(self, name: str | None) -> PyJWK | None:
        """The key of this name (`kid`); without a name the only one. Raises IssuerAway."""
        if time.monotonic() - self._read < KEPT_SECONDS and (known := self._known(name)) is not None:
            return known
        return await anyio.to_thread.run_sync(self._look, name, limiter=self._limiter)

    def _look(self, name: str | None) -> PyJWK | None:
        with self._one_at_a_time:
            old = time.monotonic() - self._read >= KEPT_SECONDS
            if (old or self._known(name) is None) and time.monotonic() >= self._next_try:
                self._fetch()
            if self._keys is None or time.monotonic() - self._read >= LONGEST_KEPT_SECONDS:
                raise IssuerAway
            return self._known(name)

    def _known(self, name: str | None) -> PyJWK | None:
        keys = [key for key in (self._keys.keys if self._keys else ()) if key.public_key_use in ("sig", None)]
        if name is None:
            return keys[0] if len(keys) == 1 else None
        return next((key for key in keys if key.key_id == name), None)

    def _fetch(self) -> None:
        try:
            self._keys = PyJWKSet.from_dict(_read(checked_issuer(str(discovered(self._issuer).get("jwks_uri")))))
            self._read = time.monotonic()
            self._next_try = self._read + self._again
        except (jwt.PyJWTError, ValueError, OSError) as error:
            tell_away(error)
            self._next_try = time.monotonic() + min(self._again, AGAIN_AFTER_FAILURE)


def discovered(issuer: str) -> dict[str, object]:
    """What the issuer says of itself. Raises PyJWTError, ValueError or OSError where it can't be had."""
    found = _read(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    # Who answers for another issuer may not name the keys of this one.
    if found.get("issuer") != issuer:
        raise ValueError("the document is of another issuer")
    return found


def tell_away(error: Exception) -> None:
    """Tells whoever runs the server that the issuer can't be used, and of the error its kind."""
    log.warning(
        "The issuer of ATTENDANCE_OIDC_ISSUER can't be used (%s): its /.well-known/openid-configuration must answer "
        "this machine, name it to the letter and say where its keys are.",
        type(error).__name__,
    )


def _read(address: str) -> dict[str, object]:
    """A JSON object from the issuer, by PyJWT's client for such documents: it follows no redirect."""
    trusted = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client = PyJWKClient(address, cache_jwk_set=False, timeout=_PATIENCE, ssl_context=trusted)
    found: dict[str, object] = client.fetch_data()
    return found
