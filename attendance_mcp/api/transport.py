"""The way to the school's API: the token, TLS and limits; the only room that knows httpx.

How fast it is asked and what is asked again is told in `policy.py`.
"""

from __future__ import annotations

import datetime
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import anyio

from attendance_mcp import __version__
from attendance_mcp.api import body as bodies
from attendance_mcp.api.endpoints import Endpoint
from attendance_mcp.api.policy import MOST_TRIES, PASSING, Passing, Policy
from attendance_mcp.api.trouble import SUCCESS, Answer, error_of, unavailable, unexpected
from attendance_mcp.errors import ArgumentError, NotAuthorised, SettingsError, Unavailable
from attendance_mcp.measure import measured
from attendance_mcp.settings import checked_origin, is_loopback

if TYPE_CHECKING:
    import httpx

PathValue = int | str | datetime.date
QueryValue = int | str | bool | datetime.date | list[int] | None
ASGIApp = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]

MOST_IN_FLIGHT = 8
_MOST_OF_A_REFUSAL = 64 * 1024
_NO_CONNECTION = "The school's API can't be reached; the network, a proxy or ATTENDANCE_API_URL may be the reason."
_NOT_TRUSTED = "The certificate of the school's API is not trusted by this machine. Ask whoever manages it."
# At INFO httpx logs each address with its query, at DEBUG httpcore logs headers, where an API may echo the token. Each
# is named: a level that somebody set on one of them would hold against the one above it.
_LOGGERS = ("httpx", "httpcore", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))
_VERSION = re.compile(r"v[0-9][0-9a-z]{0,7}")
_PROGRAM_CODE = re.compile(r"[a-z_]{1,32}")


@dataclass(frozen=True, slots=True)
class _Request:
    """One request, whole but for the token."""

    endpoint: Endpoint
    url: str
    ids: Mapping[str, PathValue]
    query: Mapping[str, str | list[str]]
    content: bytes | None


class Transport:
    """Sends requests to one origin; `send` answers the bytes of a successful answer and raises AttendanceErrors only.

    With `app` requests go to that ASGI application in this process, unspaced, with all checks. Without `about_people`
    no error says whom it is about or repeats the API's own words. `school` is what measuring calls it among several.
    """

    def __init__(
        self,
        *,
        base_url: str,
        token: Callable[[], str],
        version: str = "v2p1",
        rate: float = 20.0,
        connect_timeout: float = 3.0,
        read_timeout: float = 10.0,
        app: ASGIApp | None = None,
        about_people: bool = True,
        school: str = "",
    ) -> None:
        try:
            self._origin = checked_origin(base_url)
        except ValueError as error:
            raise SettingsError(f"The address of the school's API {error}.") from None
        if not _VERSION.fullmatch(version):
            raise SettingsError("The version of the school's API is of the form v2p1.")
        self._root = f"{self._origin}/{version}"
        self._token = token
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._app = app
        self._policy = Policy(None if app else rate)
        self.about_people = about_people
        self._measured = {"school": school} if school else {}
        self._in_flight = anyio.Semaphore(MOST_IN_FLIGHT)
        self._bodies = bodies.Reader()
        self._http: httpx.AsyncClient | None = None

    def __repr__(self) -> str:
        return f"Transport({self._root!r})"

    async def send(
        self,
        endpoint: Endpoint,
        *,
        path: Mapping[str, PathValue] | None = None,
        query: Mapping[str, QueryValue] | None = None,
        body: object | None = None,
    ) -> bytes:
        """Sends one request; a read that fails in passing is sent up to three times, a write only ever once."""
        ids = path or {}
        request = _Request(
            endpoint=endpoint,
            url=self._root + endpoint.path.format(**{name: _in_path(name, value) for name, value in ids.items()}),
            ids=ids,
            query={name: _in_query(value) for name, value in (query or {}).items() if value is not None},
            content=None if body is None else json.dumps(body, ensure_ascii=False).encode(),
        )
        try:
            return await (self._once(request) if endpoint.writes else self._with_retries(request))
        except Passing as passing:
            raise passing.error from None

    async def aclose(self) -> None:
        """Closes the connections; the transport opens anew if it is used again."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def _with_retries(self, request: _Request) -> bytes:
        import stamina  # not needed before the first read

        async for attempt in stamina.retry_context(on=self._policy.again(), attempts=MOST_TRIES, timeout=None):
            with attempt:
                return await self._once(request)
        raise AssertionError("a retry either returns or raises")  # pragma: no cover  for the types' sake

    async def _once(self, request: _Request) -> bytes:
        http, token = self._open(), self._current_token()
        async with self._in_flight:
            left = await self._policy.slot()
            with measured("upstream", operation=request.endpoint.name, status="none", **self._measured) as facts:
                answer = await self._exchange(http, request, token)
                facts["status"] = answer.status
        if answer.status in SUCCESS:
            self._policy.succeeded()
            return answer.body
        error = error_of(replace(answer, about_people=self.about_people))
        if answer.status not in PASSING:
            raise error
        raise Passing(error, self._policy.troubled(answer.status, answer.headers, left=left))

    async def _exchange(self, http: httpx.AsyncClient, request: _Request, token: str) -> Answer:
        import httpx  # loaded by `_open`

        endpoint = request.endpoint
        try:
            # httpx bounds each read, so that a body which drips would never end. Twice the wait for one read is time
            # for 8 MiB on any line that an office has.
            with anyio.fail_after(self._connect_timeout + 2 * self._read_timeout):
                return (await self._ask(http, request, token)).without(token)
        # No error of httpx is chained on: their texts and requests hold the address with its query, or the token.
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise Unavailable(_NOT_TRUSTED) from None
            raise Passing(unavailable(endpoint, what=_NO_CONNECTION, left=False)) from None
        except (TimeoutError, httpx.TimeoutException):
            raise unavailable(endpoint, what="The school's API did not answer in time.") from None
        except (httpx.HTTPError, httpx.StreamError, OSError):
            raise Passing(unavailable(endpoint, what="The connection to the school's API broke.")) from None

    async def _ask(self, http: httpx.AsyncClient, request: _Request, token: str) -> Answer:
        headers = {"auth-token": token}
        if request.content is not None:
            headers["content-type"] = "application/json"
        built = http.build_request(
            request.endpoint.method, request.url, params=request.query, content=request.content, headers=headers
        )
        response = await http.send(built, stream=True)
        try:
            return await self._answer(response, request)
        finally:
            # Nothing here waits for the other side; cut short, it would keep one of the few connections for ever.
            with anyio.CancelScope(shield=True):
                await response.aclose()

    async def _answer(self, response: httpx.Response, request: _Request) -> Answer:
        """Reads a success whole and of the others only what tells the reason."""
        endpoint, status = request.endpoint, response.status_code
        headers = {name.lower(): value for name, value in response.headers.items()}
        success = status in SUCCESS
        if success and headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise unexpected(endpoint, what="it is not JSON; ATTENDANCE_API_URL may point to something else")
        limit = bodies.MOST_BYTES if success else _MOST_OF_A_REFUSAL
        try:
            bodies.check_length(headers.get("content-length", ""), limit=limit)
            body = await self._bodies.read(
                response.aiter_raw(), encoding=headers.get("content-encoding", ""), limit=limit
            )
        except bodies.TooLong:
            if success:
                raise unexpected(endpoint, what=f"it is longer than {limit // 1024 // 1024} MiB") from None
            body = b""
        except bodies.Undecodable:
            if success:
                raise unexpected(endpoint, what="it is cut short or garbled") from None
            body = b""
        return Answer(endpoint=endpoint, status=status, headers=headers, body=body, ids=request.ids)

    def _current_token(self) -> str:
        try:
            return self._token()
        except SettingsError as error:
            # A token file that can't be read just now is one row's failure, and certainly nothing was sent.
            raise NotAuthorised(str(error)) from None

    def _open(self) -> httpx.AsyncClient:
        if self._http is None:
            self._http = _make_client(
                origin=self._origin,
                app=self._app,
                connect_timeout=self._connect_timeout,
                read_timeout=self._read_timeout,
            )
        return self._http


def _make_client(*, origin: str, app: ASGIApp | None, connect_timeout: float, read_timeout: float) -> httpx.AsyncClient:
    import ssl  # a host starts a server for every chat, and most never get this far
    from http.cookiejar import CookieJar, DefaultCookiePolicy

    import httpx
    import truststore

    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    host = re.sub(r"^https?://|:\d+$", "", origin)
    try:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False) if app else None,
            verify=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            # The proxies of the environment, but never for this machine itself: plain http would show them the token.
            trust_env=not is_loopback(host),
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            limits=httpx.Limits(max_connections=MOST_IN_FLIGHT, max_keepalive_connections=MOST_IN_FLIGHT),
            timeout=httpx.Timeout(read_timeout, connect=connect_timeout),
            headers={
                "accept": "application/json",
                "accept-encoding": bodies.ACCEPTED_ENCODING,
                "user-agent": f"attendance-mcp/{__version__}",
            },
        )
    except (ValueError, ImportError, httpx.InvalidURL):
        raise SettingsError(
            "The proxy in HTTPS_PROXY (or ALL_PROXY) can't be used; its address may be wrong."
        ) from None


def _in_path(name: str, value: PathValue) -> str:
    """A path is made of ids, dates and programme codes only, so that no text of anybody's can reach another address."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return str(value)
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, str) and _PROGRAM_CODE.fullmatch(value):
        return value
    raise ArgumentError(f"{name} must be a whole number above 0, a date or a programme's code.")


def _in_query(value: QueryValue) -> str | list[str]:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime.date():
            return value.isoformat()
        case list():
            return [str(int(item)) for item in value]
        case _:
            return str(value)
