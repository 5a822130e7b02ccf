"""The ASGI app: stateless, JSON responses, both eras; on loopback only while there is no sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mcp.server.transport_security import TransportSecuritySettings

from attendance_mcp.errors import SettingsError
from attendance_mcp.http.asgi import App, Receive, Scope, Send, not_allowed
from attendance_mcp.http.asked import ASKED, Asked, read_body
from attendance_mcp.http.health import PATHS, Health
from attendance_mcp.http.log import logged
from attendance_mcp.server import AttendanceServer
from attendance_mcp.settings import Settings, is_loopback
from attendance_mcp.tools.registry import WRITING

if TYPE_CHECKING:
    from attendance_mcp.http.code_flow import CodeFlow
    from attendance_mcp.http.sign_in import SignIn

PATH, APPROVALS = "/mcp", "/approvals"
_LOOPBACK = ("127.0.0.1:*", "localhost:*", "[::1]:*")


def sign_in_of(settings: Settings, *, again: float = 30.0) -> SignIn | None:
    """The sign-in that the settings name; its libraries are loaded only where there is one. For `again` see Keys."""
    if settings.oidc_issuer is None:
        return None
    from attendance_mcp.http.sign_in import SignIn

    return SignIn.of(settings, path=PATH, writing=WRITING if settings.writes_on(http=True) else (), again=again)


def page_of(settings: Settings, sign_in: SignIn | None) -> CodeFlow | None:
    """How people sign in on the page where they agree to plans; None where no client is registered for it.

    Raises SettingsError for a client's secret that can't be read.
    """
    if sign_in is None or not sign_in.writing:
        return None
    from attendance_mcp.http.code_flow import CodeFlow

    return CodeFlow.of(settings, sign_in, path=APPROVALS)


def http_app(
    server: AttendanceServer, *, host: str, sign_in: SignIn | None = None, page: CodeFlow | None = None
) -> App:
    """The ASGI app. Without sign-in raises SettingsError for an address that others can reach."""
    if sign_in is None:
        refuse_strangers(host)
    server.office.signed_in = sign_in is not None
    mcp: App = server.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        json_response=True,
        transport_security=_hosts(sign_in),
    )
    # What comes to the one path that there is needs no search for its route.
    answering: App = server.session_manager.handle_request
    inner = sign_in.before(answering) if sign_in else answering
    metadata = urlsplit(sign_in.metadata_url).path if sign_in else None
    approvals = _approvals(server, page)
    health = Health(server.office)
    known = server.tool_names()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await mcp(scope, receive, send)
        elif scope["path"] in PATHS:
            await health.answer(scope, send)
        elif scope["path"] == PATH and scope["method"] == "POST":
            asked, again = await read_body(receive)
            scope[ASKED] = asked
            await logged(inner, scope, again, send, asked=asked, known=known)
        else:
            await logged(beside, scope, receive, send, asked=Asked(), known=known)

    async def beside(scope: Scope, receive: Receive, send: Send) -> None:
        if sign_in is not None and scope["path"] == metadata:
            await sign_in.metadata(scope, send)
        elif approvals is not None and (scope["path"] + "/").startswith(f"{APPROVALS}/"):
            await approvals(scope, receive, send)
        elif scope["path"] == PATH:
            # A stateless server has no stream to offer; the SDK would hold a GET open for ever.
            await not_allowed(send, allow=b"POST")
        else:
            await mcp(scope, receive, send)

    return app


def _approvals(server: AttendanceServer, page: CodeFlow | None) -> App | None:
    if page is None:
        return None
    from attendance_mcp.http.approvals import Approvals

    server.office.page = page.address_of_page
    return Approvals(server.office, page).app()


def _hosts(sign_in: SignIn | None) -> TransportSecuritySettings:
    """The names that the server answers to; a proxy before it must leave `Host` as it is."""
    if sign_in is None:
        return TransportSecuritySettings(
            allowed_hosts=[*_LOOPBACK], allowed_origins=[f"http://{name}" for name in _LOOPBACK]
        )
    parts = urlsplit(sign_in.resource)
    return TransportSecuritySettings(allowed_hosts=[parts.netloc], allowed_origins=[f"{parts.scheme}://{parts.netloc}"])


def refuse_strangers(host: str) -> None:
    """Raises SettingsError unless the address is this machine's own: whoever reaches the port sees every child."""
    if not is_loopback(host):
        raise SettingsError(
            f"Without sign-in the server listens on this machine only, not on {host}: whoever reaches the port would "
            "see every student. Use --host 127.0.0.1, or set ATTENDANCE_OIDC_ISSUER."
        )
