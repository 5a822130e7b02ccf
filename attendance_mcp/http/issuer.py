"""What is asked of the token issuer beside its keys, at the addresses that it names itself.

Its answers are bounded in time and size and no redirect is followed. Neither a token nor a word of the issuer's comes
into a log or an error.
"""

from __future__ import annotations

import json
import logging
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import anyio
import anyio.to_thread
import httpx
import jwt
import truststore

from attendance_mcp.api import body
from attendance_mcp.http.keys import AGAIN_AFTER_FAILURE, KEPT_SECONDS, IssuerAway, discovered, tell_away
from attendance_mcp.settings import Settings, checked_issuer, is_loopback, read_secret

_MOST_BYTES = 256 * 1024
_REFUSED = frozenset({400, 401, 403})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Client:
    """As whom this server asks. `secret` is none for a client that has no secret."""

    id: str
    secret: str | None

    @classmethod
    def of(cls, settings: Settings) -> Client | None:
        """The one that the settings name. Raises SettingsError for a secret that can't be read."""
        if settings.oidc_client_id is None:
            return None
        path = settings.oidc_client_secret_file
        secret = None if path is None else read_secret(path, name="ATTENDANCE_OIDC_CLIENT_SECRET_FILE")
        return cls(settings.oidc_client_id, secret)

    def signed(self, form: Mapping[str, str]) -> tuple[dict[str, str], httpx.Auth]:
        """A form as this client sends it, and what goes into its header (RFC 6749, 2.3.1)."""
        if self.secret is None:
            return {**form, "client_id": self.id}, httpx.Auth()
        return dict(form), httpx.BasicAuth(quote(self.id, safe=""), quote(self.secret, safe=""))


class Issuer:
    """One issuer, by its address to the letter. Shared by all requests; it is not asked again soon after a failure.

    `patience` is how many seconds an answer may take, from the first to the last byte.
    """

    def __init__(self, address: str, *, again: float = AGAIN_AFTER_FAILURE, patience: float = 10.0) -> None:
        self.address, self.patience = address, patience
        self._again = min(again, AGAIN_AFTER_FAILURE)
        self._said: dict[str, object] = {}
        self._read, self._next_try = -KEPT_SECONDS, 0.0
        self._one_at_a_time = anyio.Lock()
        self._bodies = body.Reader()
        self._trusted = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    async def endpoint(self, name: str) -> str:
        """The address that the issuer's discovery document has under this name. Raises IssuerAway."""
        # Anybody may come with a token or to a page, and each would make the issuer be asked.
        async with self._one_at_a_time:
            if time.monotonic() - self._read >= KEPT_SECONDS:
                await self._discover()
        try:
            return checked_endpoint(str(self._said.get(name)))
        except ValueError:
            log.warning("The issuer of ATTENDANCE_OIDC_ISSUER names no %s that can be used.", name)
            raise IssuerAway from None

    async def _discover(self) -> None:
        if time.monotonic() < self._next_try:
            raise IssuerAway
        try:
            self._said = await anyio.to_thread.run_sync(discovered, self.address)
            self._read = time.monotonic()
        except (jwt.PyJWTError, ValueError, OSError) as error:
            tell_away(error)
            self._next_try = time.monotonic() + self._again
            raise IssuerAway from None

    async def post(self, address: str, form: Mapping[str, str], client: Client) -> tuple[int, dict[str, object]]:
        """What this client is answered: status and object. Raises IssuerAway but for 200 and a refusal."""
        data, auth = client.signed(form)
        status, said = await self._ask("POST", address, data=data, auth=auth)
        if status in (401, 403):
            log.warning("The issuer refuses the client of ATTENDANCE_OIDC_CLIENT_ID: is its secret the right one?")
        return status, said

    async def show(self, method: str, address: str, token: str) -> tuple[int, dict[str, object]]:
        """What is answered to whoever brings this token. Raises IssuerAway but for 200 and a refusal."""
        # In the header as Google's own library does it: addresses come into logs.
        return await self._ask(method, address, headers={"authorization": f"Bearer {token}"})

    async def _ask(
        self,
        method: str,
        address: str,
        *,
        data: dict[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: httpx.Auth | None = None,
    ) -> tuple[int, dict[str, object]]:
        named = {"accept": "application/json", "accept-encoding": body.ACCEPTED_ENCODING, **(headers or {})}
        direct = is_loopback(urlsplit(address).hostname or "")
        try:
            with anyio.fail_after(self.patience):
                async with (
                    httpx.AsyncClient(verify=self._trusted, trust_env=not direct, timeout=self.patience) as web,
                    web.stream(method, address, data=data, headers=named, auth=auth or httpx.Auth()) as answer,
                ):
                    if answer.status_code != 200 and answer.status_code not in _REFUSED:
                        raise IssuerAway
                    content = await self._bodies.read(
                        answer.aiter_raw(), encoding=answer.headers.get("content-encoding", ""), limit=_MOST_BYTES
                    )
            return answer.status_code, _object(content)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, body.TooLong, body.Undecodable, ValueError):
            raise IssuerAway from None


def _object(content: bytes) -> dict[str, object]:
    """Raises ValueError for what is no JSON object."""
    try:
        found = json.loads(content)
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(found, dict):
        raise ValueError("no object")  # noqa: TRY004  all that is no JSON object is one kind of trouble
    return found


def checked_endpoint(address: str) -> str:
    """An address of the issuer's, which may have a query. Raises ValueError for one that can't be."""
    checked_issuer(address.partition("?")[0])
    return address
