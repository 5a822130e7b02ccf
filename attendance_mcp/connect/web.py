"""The HTTP client towards the school's server and the issuer: whom it trusts and where it goes."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import httpx2
import truststore

from attendance_mcp.settings import is_loopback


class Astray(Exception):  # noqa: N818 as in errors.py
    """A request would go where nothing of a sign-in may go."""


def open_web(server: str, *, auth: httpx2.Auth | None = None, seconds: float) -> httpx2.AsyncClient:
    """A client that trusts whom this machine trusts, follows nothing, and brings a token to this server alone.

    It raises Astray for a request over plain http to another machine.
    """
    origin = _origin(httpx2.URL(server))

    async def check(request: httpx2.Request) -> None:
        url = request.url
        if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.host)):
            raise Astray
        # "Basic" is the client's own secret, for the issuer, to whom codes and refresh tokens go too.
        shown = request.headers.get("authorization", "Basic ")
        if not shown.startswith("Basic ") and _origin(url) != origin:
            raise Astray

    return httpx2.AsyncClient(
        auth=auth,
        verify=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        trust_env=not is_loopback(urlsplit(server).hostname or ""),
        timeout=httpx2.Timeout(seconds, connect=10),
        event_hooks={"request": [check]},
    )


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
