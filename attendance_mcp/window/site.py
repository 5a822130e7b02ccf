"""The site on loopback: who may read a page and click on it.

Three things are asked of a request, since every program of the machine and every page of the browser can reach the
port: the Host that only this site has (a foreign name that was made to point here is refused), the session that the
one-time address gave to one browser, and for a click the page's own ticket and an origin that is this site.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from importlib.resources import files
from typing import Any, TypeVar
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from attendance_mcp.errors import AttendanceError
from attendance_mcp.window import document, sheet_document, table
from attendance_mcp.window.open_pages import Pages
from attendance_mcp.window.opened import Opened
from attendance_mcp.window.pages import Page
from attendance_mcp.window.sheets import Sheet

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
P = TypeVar("P", bound=Opened)
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_MOST_BYTES = 4096  # a click is a ticket of 43 characters
_COOKIE = "attendance-plan"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Under `no-referrer` a browser sends `Origin: null` with a form, which is what a foreign frame sends too. Nothing
    # leaves the site under this one either.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def site(pages: Pages, *, host: str) -> App:
    """The ASGI app for these pages, which answers to this `Host` alone."""
    views = _Views(pages)
    inner = Starlette(
        routes=[
            Route("/window.css", asset("window.css", "text/css")),
            Route("/window.js", asset("window.js", "text/javascript")),
            Route("/sheet.js", asset("sheet.js", "text/javascript")),
            Route("/sheet/{id}", views.sheet),
            Route("/sheet/{id}/colors.css", views.colors),
            Route("/sheet/{id}/table.csv", views.table),
            Route("/sheet/{id}/{what}", views.open_plan, methods=["POST"]),
            Route("/plan/{id}", views.plan),
            Route("/plan/{id}/{what}", views.click, methods=["POST"]),
            Route("/{token}", views.exchange),
        ],
        exception_handlers={HTTPException: _refusal, AttendanceError: _trouble, Exception: _broken},
    )

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        refused = _refused(request, host=host)
        app: App = refused if refused is not None else inner

        async def send_guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                named = {key for key, _ in message["headers"]}
                more = [(key.lower().encode(), value.encode()) for key, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *(pair for pair in more if pair[0] not in named)]
            await send(message)

        await app(scope, receive, send_guarded)
        pages.changed.set()

    return guarded


def _refused(request: Request, *, host: str) -> Response | None:
    """What is refused before anything looks at it; None lets the request in."""
    if request.headers.getlist("host") != [host]:
        return _plain(421, "This address is not the window's", "Open the plan again from the assistant.")
    if request.method == "POST":
        origin, fetched_by = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        # A browser sends at least one of the two with a form, and a page can forge neither.
        if (
            origin not in (None, f"http://{host}")
            or fetched_by not in (None, "same-origin")
            or not (origin or fetched_by)
        ):
            return _plain(403, "This click came from another page", "Nothing was done. Click on the plan's own page.")
    elif request.method != "GET":
        return _plain(405, "Not offered here", "A plan is read and clicked on, nothing else.")
    return None


class _Views:
    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def exchange(self, request: Request) -> Response:
        """The one-time address becomes a session of this browser."""
        token = request.path_params["token"]
        page = self._pages.spend(token)
        if page is None:
            if self._pages.was_spent(token):
                return _plain(
                    410,
                    "This address was used already, or too late",
                    "It serves once, within a minute. The plan is as it was. If it was not you who opened it, discard "
                    "the plan; else ask the assistant to show it again.",
                )
            raise HTTPException(404)
        return self._admitted(page)

    def _admitted(self, page: Opened) -> Response:
        # Not a redirect: coming from a file that would be a foreign site's, and browsers keep strict cookies from it.
        response = HTMLResponse(document.going_on(page.path), headers={"Referrer-Policy": "no-referrer"})
        # Cookies know no ports: the path keeps this one from other programs' sites on 127.0.0.1.
        response.set_cookie(_COOKIE, page.admit(), path=page.path, httponly=True, samesite="strict")
        return response

    async def plan(self, request: Request) -> Response:
        page = self._page(request, Page)
        view = await page.look()
        return HTMLResponse(document.plan(view, path=page.path, ticket=page.ticket))

    async def click(self, request: Request) -> Response:
        page, what = self._page(request, Page), request.path_params["what"]
        if what not in ("agree", "discard", "undo"):
            raise HTTPException(404)
        if not await page.click(what, ticket=(await fields_of(request)).get("ticket", "")):
            raise HTTPException(403)
        return RedirectResponse(page.path, status_code=303)

    async def sheet(self, request: Request) -> Response:
        page = self._page(request, Sheet)
        content = await page.look()
        return HTMLResponse(sheet_document.sheet(content, path=page.path, ticket=page.ticket, demo=page.port.demo))

    async def colors(self, request: Request) -> Response:
        """The school's own colours: a style in the page itself is not allowed there."""
        content = await self._page(request, Sheet).as_shown()
        return Response(sheet_document.colors(content), media_type="text/css")

    async def table(self, request: Request) -> Response:
        content = await self._page(request, Sheet).as_shown()
        if not (rows := table.rows(content)):
            raise HTTPException(404)
        headers = {"Content-Disposition": f'attachment; filename="{table.file_name(content)}"'}
        return Response(table.as_csv(rows), media_type="text/csv; charset=utf-8", headers=headers)

    async def open_plan(self, request: Request) -> Response:
        """A plan of the journal, or the way back of one, on a page of its own in the same browser."""
        page, what, fields = self._page(request, Sheet), request.path_params["what"], await fields_of(request)
        if what not in ("look", "undo"):
            raise HTTPException(404)
        if not page.is_own(fields.get("ticket", "")):
            raise HTTPException(403)
        port = await page.port.plan(fields.get("confirmation", ""))
        if what == "undo":
            port = await port.undo()
        return self._admitted(self._pages.page_of(port, await port.view()))

    def _page(self, request: Request, kind: type[P]) -> P:
        """The page of the path, for the browser that opened it."""
        id = request.path_params["id"]
        page = self._pages.find(id)
        if not isinstance(page, kind):
            raise HTTPException(410 if self._pages.was_open(id) else 404)
        if not page.knows(request.cookies.get(_COOKIE, "")):
            raise HTTPException(403)
        return page


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form, the first of each name. Raises HTTPException for what is no form."""
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/x-www-form-urlencoded":
        raise HTTPException(415)
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > _MOST_BYTES:
                raise HTTPException(413)
        fields = parse_qs(body.decode("ascii", "replace"), max_num_fields=4)
    except (ClientDisconnect, ValueError):
        raise HTTPException(400) from None
    return {name: values[0] for name, values in fields.items()}


_REFUSALS = {
    403: (
        "This page is not open here",
        "Only the browser that the assistant opened it in can show it. Nothing was done. Ask for the plan again.",
    ),
    404: ("There is no such page", "Open the plan again from the assistant. Nothing was done."),
    410: (
        "This page is gone",
        "Its plan ended some minutes ago. What became of it is in the assistant's list_changes.",
    ),
    413: ("That was too much", "Nothing was done. Go back to the plan's page."),
}


async def _refusal(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _plain(
        status, *_REFUSALS.get(status, ("That can't be done", "Nothing was done. Go back to the plan's page."))
    )


async def _trouble(_request: Request, error: Exception) -> Response:
    return _plain(503, "The plan can't be shown now", f"{error} Reload this page in a moment.")


async def _broken(_request: Request, _error: Exception) -> Response:
    return _plain(500, "Something went wrong here", "Ask the assistant for list_changes: it tells what was written.")


def _plain(status: int, heading: str, text: str) -> Response:
    return HTMLResponse(document.notice(heading, text), status_code=status)


def asset(name: str, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    """Serves a file that the pages need."""
    content = files("attendance_mcp.window").joinpath(name).read_bytes()

    async def serve(_request: Request) -> Response:
        return Response(content, media_type=media_type)

    return serve
