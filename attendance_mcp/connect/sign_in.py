"""Signing the person of this machine in at a school's server: in their browser, by the code flow with PKCE.

The SDK's own client goes the way: the server's metadata (RFC 9728) names the issuer, the issuer's names its addresses,
and the token is asked for this server alone (RFC 8707) where the issuer has words for it. Here is what it leaves open:
one attempt at a time, for which all requests wait and which outlives the one that began it; and what is kept from start
to start.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import anyio
import httpx2
from anyio.abc import TaskGroup
from mcp.client.auth import OAuthClientProvider, OAuthFlowError
from mcp.client.auth.oauth2 import OAuthContext
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthMetadata, OAuthToken
from mcp.shared.auth import ProtectedResourceMetadata as ResourceMetadata
from pydantic import AnyUrl, ValidationError

from attendance_mcp.connect.browser import Visit
from attendance_mcp.connect.keeping import Keeping, Kept
from attendance_mcp.connect.web import Astray, open_web
from attendance_mcp.errors import AttendanceError, NotAllowed, Unavailable
from attendance_mcp.scopes import of_another

_KNOCK = {"jsonrpc": "2.0", "id": 0, "method": "ping"}  # what needs a sign-in and does nothing
_HEADERS = {"accept": "application/json, text/event-stream"}
_PATIENCE = 20.0  # seconds
_PAST = 1.0  # seconds of the epoch; the SDK takes 0 for "never"
_UNUSABLE = (
    "Signing in failed: the school's server or its sign-in service answered otherwise than expected. Ask whoever runs "
    "it whether this client is registered there. Nothing was written."
)


@dataclass(frozen=True, slots=True)
class Client:
    """As which client the person signs in. `secret` is none for one that has none, as most on laptops."""

    id: str
    secret: str | None = None

    @property
    def method(self) -> Literal["none", "client_secret_basic"]:
        return "none" if self.secret is None else "client_secret_basic"


@dataclass(eq=False)
class _Attempt:
    """A sign-in or a renewal under way, and what came of it."""

    done: anyio.Event = field(default_factory=anyio.Event)
    token: str | None = None
    error: AttendanceError | None = None


class SignIn:
    """The person's sign-in at one server, whose address ends with its path."""

    def __init__(self, server: str, *, client: Client, keeping: Keeping, tasks: TaskGroup) -> None:
        self._server, self._client, self._keeping, self._tasks = server, client, keeping, tasks
        self._kept: Kept | None = None
        self._open = False  # the server asks nobody who they are
        self._under_way: _Attempt | None = None

    @classmethod
    @asynccontextmanager
    async def at(cls, server: str, *, client: Client) -> AsyncIterator[SignIn]:
        async with anyio.create_task_group() as tasks:
            yield cls(server, client=client, keeping=keeping_of(server, client.id), tasks=tasks)
            tasks.cancel_scope.cancel()

    async def token(self, *, instead_of: str | None = None) -> str | None:
        """An access token, another than one that was refused; None where the server wants none.

        The person is asked where it can't be had otherwise. Raises AttendanceError where there is none.
        """
        if (token := self._usable(self._kept, instead_of)) or (self._open and instead_of is None):
            return token
        attempt = self._under_way
        if attempt is None:
            attempt = self._under_way = _Attempt()
            self._tasks.start_soon(self._try, attempt, instead_of)
        await attempt.done.wait()
        if attempt.error is not None:
            raise attempt.error
        return attempt.token

    @staticmethod
    def _usable(kept: Kept | None, instead_of: str | None) -> str | None:
        if kept is None or kept.expired or kept.tokens.access_token == instead_of:
            return None
        return kept.tokens.access_token

    async def _try(self, attempt: _Attempt, instead_of: str | None) -> None:
        try:
            self._kept = await self._keeping.read()  # another process may have renewed it, or signed in
            if not self._usable(self._kept, instead_of):
                await self._go(instead_of)
            attempt.token = self._kept.tokens.access_token if self._kept else None
        except AttendanceError as error:
            attempt.error = error
        finally:
            self._under_way = None
            attempt.done.set()

    async def _go(self, instead_of: str | None) -> None:
        """Renews what is kept or asks the person, and has it in `_kept`."""
        async with Visit.open() as visit:
            metadata = OAuthClientMetadata(
                client_name="attendance-mcp",
                redirect_uris=[AnyUrl(visit.redirect)],
                token_endpoint_auth_method=self._client.method,
                grant_types=["authorization_code", "refresh_token"],
            )
            storage = _Storage(self._keeping, self._client, self._kept, metadata)
            auth = OAuthClientProvider(self._server, metadata, storage, visit.go, visit.back)
            auth.context = storage.context = _Context(**vars(auth.context))
            status = await self._knock(auth)
        self._open = status == 200 and storage.kept is None
        if self._open:
            self._kept = None
        elif storage.kept is None or self._usable(storage.kept, instead_of) is None or status == 401:
            raise Unavailable(_UNUSABLE)
        else:
            self._kept = storage.kept

    async def _knock(self, auth: OAuthClientProvider) -> int:
        try:
            async with open_web(self._server, auth=auth, seconds=_PATIENCE) as web:
                return (await web.post(self._server, json=_KNOCK, headers=_HEADERS)).status_code
        except httpx2.HTTPError:
            raise Unavailable(
                "The school's server, or its sign-in service, does not answer. Nothing was written."
            ) from None
        except Astray:
            raise NotAllowed(
                "The school's server names a sign-in service that can't be reached safely: https:// is expected. "
                "Nothing was written."
            ) from None
        except (OAuthFlowError, ValidationError, ValueError):
            raise Unavailable(_UNUSABLE) from None


def keeping_of(server: str, client_id: str) -> Keeping:
    return Keeping(f"connect {server} {client_id}")


class _Context(OAuthContext):
    """The SDK's, which would name the resource to issuers that refuse it beside such scopes."""

    def should_include_resource_param(self, protocol_version: str | None = None) -> bool:
        metadata = self.protected_resource_metadata
        if metadata is not None and of_another(metadata.scopes_supported or (), str(metadata.resource)):
            return False
        return super().should_include_resource_param(protocol_version)


class _Storage:
    """What the SDK's client reads and writes: the client as it was registered, and the tokens."""

    context: OAuthContext

    def __init__(self, keeping: Keeping, client: Client, kept: Kept | None, metadata: OAuthClientMetadata) -> None:
        self._keeping, self._client, self.kept, self._metadata = keeping, client, kept, metadata

    async def get_tokens(self) -> OAuthToken | None:
        if self.kept is None:
            return None
        # The SDK remembers neither whose tokens they are nor that they have had their time.
        self.context.oauth_metadata = self.kept.issuer
        self.context.protected_resource_metadata = self.kept.resource
        self.context.token_expiry_time = _PAST
        return self.kept.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        resource, issuer = self.context.protected_resource_metadata, self.context.oauth_metadata
        if resource is None or issuer is None:
            raise OAuthFlowError("no metadata")
        self.kept = Kept(
            tokens=tokens,
            expires_at=None if tokens.expires_in is None else time.time() + tokens.expires_in,
            resource=ResourceMetadata(
                resource=resource.resource,
                authorization_servers=resource.authorization_servers,
                scopes_supported=resource.scopes_supported,
            ),
            issuer=OAuthMetadata(
                issuer=issuer.issuer,
                authorization_endpoint=issuer.authorization_endpoint,
                token_endpoint=issuer.token_endpoint,
            ),
        )
        await self._keeping.write(self.kept)

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return OAuthClientInformationFull(
            client_id=self._client.id,
            client_secret=self._client.secret,
            redirect_uris=self._metadata.redirect_uris,
            token_endpoint_auth_method=self._client.method,
        )

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:  # noqa: ARG002 the SDK's
        raise OAuthFlowError("nothing is registered here")  # pragma: no cover  the SDK finds a client above
