"""Sign-in in front of the server: an OAuth 2.1 resource server, whose tokens a known issuer gives.

Refused before the server sees it: 401 without a good token, 403 where the token's scopes don't cover what is asked,
503 while the issuer can't be asked. Each answer names the metadata from which a client learns where to sign in.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser, BearerAuthBackend
from mcp.server.auth.routes import build_resource_metadata_url
from mcp.shared.auth import ProtectedResourceMetadata
from pydantic import AnyHttpUrl
from starlette.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError, BaseUser
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response

from attendance_mcp.http.asgi import App, Receive, Scope, Send, not_allowed, send_json
from attendance_mcp.http.asked import ASKED, Asked
from attendance_mcp.http.keys import IssuerAway
from attendance_mcp.http.readers import reader_of
from attendance_mcp.http.tokens import Tokens
from attendance_mcp.scopes import Scopes
from attendance_mcp.settings import Settings


@dataclass(eq=False)
class SignIn:
    """Who may come in, and what they are told who may not. `writing` are the tools that need the scope for writing."""

    tokens: Tokens
    issuer: str
    resource: str
    writing: frozenset[str]
    granting: Scopes
    metadata_url: str = field(init=False)

    def __post_init__(self) -> None:
        self.metadata_url = str(build_resource_metadata_url(AnyHttpUrl(self.resource)))

    @classmethod
    def of(cls, settings: Settings, *, path: str, writing: Collection[str], again: float) -> SignIn | None:
        """The sign-in that the settings name, None where they name none. For `again` see Keys.

        Raises SettingsError for a client's secret that can't be read.
        """
        if settings.oidc_issuer is None or settings.public_url is None:
            return None
        resource = settings.public_url + path
        reader = reader_of(settings, settings.oidc_issuer, again=again)
        audience = (settings.oidc_audience or "").split()
        tokens = Tokens(reader, audience=audience, resource=resource, subject=settings.oidc_subject)
        return cls(tokens, settings.oidc_issuer, resource, frozenset(writing), settings.scopes)

    def at(self, path: str) -> SignIn:
        """The same sign-in at another address of this server, which is a resource of its own."""
        resource = self.origin + path
        return replace(self, tokens=self.tokens.of(resource), resource=resource)

    @property
    def origin(self) -> str:
        """The server's address, without a path."""
        parts = urlsplit(self.resource)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def scopes(self) -> list[str]:
        """What one asks the issuer for to do all that can be done here."""
        return self.granting.needed(writes=bool(self.writing))

    def before(self, inner: App) -> App:
        """The app behind sign-in."""
        backend = _Backend(BearerAuthBackend(self.tokens, resource_server_url=AnyHttpUrl(self.resource)))

        async def door(scope: Scope, receive: Receive, send: Send) -> None:
            user = scope["user"]
            if not isinstance(user, AuthenticatedUser):
                await self._unknown(scope, send)
            elif missing := self.granting.missing(user.scopes, writes=self._writes(scope[ASKED])):
                await self._not_enough(scope[ASKED], missing, send)
            else:
                await inner(scope, receive, send)

        return AuthenticationMiddleware(AuthContextMiddleware(door), backend=backend, on_error=_away)

    async def metadata(self, scope: Scope, send: Send) -> None:
        """The protected resource's metadata (RFC 9728)."""
        if scope["method"] not in ("GET", "HEAD"):
            await not_allowed(send, allow=b"GET, HEAD")
            return
        told = ProtectedResourceMetadata.model_validate(
            {
                "resource": self.resource,
                "authorization_servers": [self.issuer],
                "scopes_supported": self.scopes,
                "resource_name": "School attendance",
            }
        )
        # Clients that are pages of a browser read it from wherever they are.
        anybody = [(b"access-control-allow-origin", b"*")]
        await send_json(send, 200, told.model_dump(mode="json", exclude_none=True), anybody)

    def _writes(self, asked: Asked) -> bool:
        return bool(self.writing) and (asked.unclear or not self.writing.isdisjoint(asked.tools))

    async def _unknown(self, scope: Scope, send: Send) -> None:
        # A client that brought nothing made no mistake (RFC 6750): it is only told where to sign in.
        brought = any(name == b"authorization" for name, _ in scope["headers"])
        said = {"error": "invalid_token", "error_description": "The token is not good here."} if brought else {}
        await self._refuse(send, 401, {**said, "scope": " ".join(self.scopes)})

    async def _not_enough(self, asked: Asked, missing: list[str], send: Send) -> None:
        needed = self.granting.needed(writes=self._writes(asked))
        said = {"error": "insufficient_scope", "error_description": f"The scope {' '.join(missing)} is missing."}
        await self._refuse(send, 403, {**said, "scope": " ".join(needed)})

    async def _refuse(self, send: Send, status: int, said: dict[str, str]) -> None:
        told = {**said, "resource_metadata": self.metadata_url}
        challenge = "Bearer " + ", ".join(f'{name}="{value}"' for name, value in told.items())
        body = {"error": "unauthorized", "error_description": "Sign in first."}
        body |= {name: said[name] for name in body if name in said}
        await send_json(send, status, body, [(b"www-authenticate", challenge.encode())])


@dataclass(frozen=True, slots=True)
class _Backend(AuthenticationBackend):
    """The SDK's reading of the header, where the issuer can be asked."""

    bearer: BearerAuthBackend

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        try:
            found: tuple[AuthCredentials, BaseUser] | None = await self.bearer.authenticate(conn)
        except IssuerAway:
            raise AuthenticationError from None
        return found


def _away(_connection: HTTPConnection, _error: AuthenticationError) -> Response:
    said = "The school's sign-in service does not answer, so that nobody's token can be checked. Nothing was written."
    return JSONResponse(
        {"error": "temporarily_unavailable", "error_description": said},
        status_code=503,
        headers={"retry-after": "5"},
    )
