"""The page `/approvals`: where a person agrees to a plan of theirs that waits, for clients that can't be asked.

Its address is fixed and holds no plan's code. Whoever comes signs in as an assistant's person does, and sees the plans
of that caller alone, at every school where they may see anybody. Nothing of a page is kept here: the cookie says who
looks, and a click must bring the ticket that only the page which was shown has.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import anyio
import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from attendance_mcp.changes.model import Plan, PlanState
from attendance_mcp.errors import AttendanceError, Unavailable
from attendance_mcp.http.app import APPROVALS as PATH
from attendance_mcp.http.asgi import App, Message, Receive, Scope, Send
from attendance_mcp.http.code_flow import Attempt, CodeFlow
from attendance_mcp.server import App as Office
from attendance_mcp.server import Person, nothing_granted
from attendance_mcp.window import document
from attendance_mcp.window.plans import StoredPlan
from attendance_mcp.window.site import HEADERS, asset, fields_of

BACK = f"{PATH}/signed-in"
_SESSION, _ATTEMPT = "attendance-approvals", "attendance-sign-in"
_SESSION_SECONDS, _ATTEMPT_SECONDS = 1800, 600
_MOST_SHOWN = 50
_MOST_COOKIE = 3800  # browsers drop one of more than 4 KB
_SITE = document.Site(PATH, "This page is served by the school's attendance server, to you alone.")
_View = Callable[[Request, "Visitor"], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks, as their cookie holds them: by the numbers of the policy's rules that fit them."""

    caller: str
    rules: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Owned:
    """A plan of a visitor's, and the school that it is of."""

    plan: Plan
    office: Office
    person: Person

    def stored(self) -> StoredPlan:
        office, person = self.office, self.person
        return StoredPlan(self.plan.code, lambda: office.errand_of(person), demo=office.demo, school=office.among.title)


@dataclass(eq=False)
class Approvals:
    """The page of one server, of however many schools. They have one desk and one policy."""

    offices: Sequence[Office]
    flow: CodeFlow
    key: bytes = b""  # seals cookies, tickets and plans' addresses; read from the store when somebody comes

    def app(self) -> App:
        """The ASGI app below `/approvals`."""
        inner = Starlette(
            routes=[
                Route(PATH, self._signed(self._list)),
                Route(BACK, self._back),
                Route(f"{PATH}/window.css", asset("window.css", "text/css")),
                Route(f"{PATH}/window.js", asset("window.js", "text/javascript")),
                Route(f"{PATH}/{{id}}", self._signed(self._plan)),
                Route(f"{PATH}/{{id}}/{{what}}", self._signed(self._click), methods=["POST"]),
            ],
            exception_handlers={404: _nothing_there, 405: _nothing_there, AttendanceError: _trouble},
        )

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            async def send_guarded(message: Message) -> None:
                if message["type"] == "http.response.start":
                    headers = [(key.lower().encode(), value.encode()) for key, value in HEADERS.items()]
                    message["headers"] = [*message["headers"], *headers]
                await send(message)

            refused = _refused(Request(scope), origin=self.flow.origin)
            await (refused or inner)(scope, receive, send_guarded)

        return guarded

    # --- who looks ---

    def _signed(self, view: _View) -> Callable[[Request], Awaitable[Response]]:
        """The view for whoever is signed in; others sign in first, and come back to the list."""

        async def signed(request: Request) -> Response:
            await self._has_key()
            claims = self._open(request.cookies.get(_SESSION), purpose="session")
            if claims is not None:
                return await view(request, Visitor(claims["caller"], tuple(claims["rules"])))
            if request.method == "POST":
                return _notice(403, "You are no longer signed in", "Nothing was done. Open the page again.")
            attempt = Attempt.new()
            response = RedirectResponse(await self.flow.address(attempt), status_code=302)
            sealed = {"state": attempt.state, "verifier": attempt.verifier}
            self._keep(response, _ATTEMPT, self._seal(sealed, purpose="attempt", seconds=_ATTEMPT_SECONDS), path=BACK)
            return response

        return signed

    async def _back(self, request: Request) -> Response:
        """The way back from the issuer: the code becomes a session."""
        await self._has_key()
        kept = self._open(request.cookies.get(_ATTEMPT), purpose="attempt")
        state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
        if kept is None or not code or not hmac.compare_digest(kept["state"].encode(), state.encode()):
            return _notice(403, "The sign-in did not work", f"Nothing was done. Open {PATH} again.")
        access = await self.flow.finish(Attempt(kept["state"], kept["verifier"]), code)
        granting = self.flow.sign_in.granting
        if access is None or granting.missing(access.scopes, writes=True) or not access.claims:
            return _notice(403, "You may not agree to plans", "Your account has no right to write attendance here.")
        response = RedirectResponse(PATH, status_code=303)
        response.delete_cookie(_ATTEMPT, path=BACK, httponly=True, samesite="lax", secure=self._secure)
        office = self.offices[0]
        told = {"caller": office.person(access.claims).caller, "rules": office.fitting(access.claims)}
        session = self._seal(told, purpose="session", seconds=_SESSION_SECONDS)
        if len(session) > _MOST_COOKIE:
            return _notice(403, "Too many rules", "More rules of the policy fit you than this page can hold.")
        self._keep(response, _SESSION, session, path=PATH)
        return response

    # --- what they see ---

    async def _list(self, _request: Request, visitor: Visitor) -> Response:
        shown, troubles = [], dict[str, AttendanceError]()
        for owned in await self._plans(visitor):
            if owned.plan.state in (PlanState.WAITING, PlanState.APPLYING):
                try:
                    shown.append((f"{PATH}/{self._id(owned.plan)}", await owned.stored().view()))
                except AttendanceError as error:  # its school is away; the others' plans are there
                    troubles[owned.office.among.title] = error
        if troubles and len(self.offices) == 1:
            raise next(iter(troubles.values()))
        missing = [f"Plans of {title} can't be shown now. {error}" for title, error in troubles.items()]
        if missing and not shown:
            raise Unavailable(" ".join(missing))
        return HTMLResponse(document.waiting(shown, site=_SITE, missing=missing))

    async def _plan(self, request: Request, visitor: Visitor) -> Response:
        owned = await self._find(request, visitor)
        if owned is None:
            return _nothing()
        view = await owned.stored().view()
        ticket = self._ticket(visitor, owned.plan)
        path = f"{PATH}/{self._id(owned.plan)}"
        return HTMLResponse(document.plan(view, path=path, ticket=ticket, site=_SITE))

    async def _click(self, request: Request, visitor: Visitor) -> Response:
        owned, what = await self._find(request, visitor), request.path_params["what"]
        if owned is None or what not in ("agree", "discard", "undo"):
            return _nothing()
        plan, port = owned.plan, owned.stored()
        given = (await fields_of(request)).get("ticket", "")
        if not hmac.compare_digest(given.encode(), self._ticket(visitor, plan).encode()):
            # What was shown is no longer what is: the page as it is now is the answer.
            return RedirectResponse(f"{PATH}/{self._id(plan)}", status_code=303)
        if what == "undo":
            back = await port.undo()
            plan = await owned.office.errand_of(owned.person).find(back.key)
        elif plan.state is PlanState.WAITING:
            with anyio.CancelScope(shield=True):
                await (port.agree() if what == "agree" else port.discard())
        return RedirectResponse(f"{PATH}/{self._id(plan)}", status_code=303)

    async def _plans(self, visitor: Visitor) -> list[Owned]:
        """Theirs, school by school. Raises NotAllowed for whoever may see nobody at any."""
        seen = [(office, office.person_of(visitor.caller, visitor.rules)) for office in self.offices]
        if all(person.grants.nothing for _, person in seen):
            raise nothing_granted()
        return [
            Owned(plan, office, person)
            for office, person in seen
            if not person.grants.nothing
            for plan in await _newest(office, person)
        ]

    async def _find(self, request: Request, visitor: Visitor) -> Owned | None:
        """The plan of the address, where it is one of theirs."""
        id, plans = request.path_params["id"], await self._plans(visitor)
        return next((owned for owned in plans if hmac.compare_digest(self._id(owned.plan), id)), None)

    # --- seals ---

    async def _has_key(self) -> None:
        """Whoever signed in at one replica is known at the others, until the policy changes: a cookie holds its rules.

        Raises StoreUnavailable.
        """
        if not self.key:
            office = self.offices[0]
            policy = office.policy.digest() if office.policy else ""
            shared = await office.desk.sealing_key()
            self.key = hmac.new(shared, f"{PATH} {policy}".encode(), hashlib.sha256).digest()

    def _id(self, plan: Plan) -> str:
        """What stands for the plan in an address: nobody gets from it to the confirmation."""
        return self._mac("plan", plan.code)[:32]

    def _ticket(self, visitor: Visitor, plan: Plan) -> str:
        """For this person, this plan, and the state that was shown."""
        return self._mac("ticket", visitor.caller, plan.code, plan.state)

    def _mac(self, *parts: str) -> str:
        return hmac.new(self.key, "\0".join(parts).encode(), hashlib.sha256).hexdigest()

    def _seal(self, content: Mapping[str, object], *, purpose: str, seconds: int) -> str:
        return jwt.encode({**content, "aud": purpose, "exp": int(time.time()) + seconds}, self.key, algorithm="HS256")

    def _open(self, sealed: str | None, *, purpose: str) -> dict[str, Any] | None:
        try:
            opened: dict[str, Any] = jwt.decode(sealed or "", self.key, algorithms=["HS256"], audience=purpose)
        except jwt.PyJWTError:
            return None
        return opened

    def _keep(self, response: Response, name: str, value: str, *, path: str) -> None:
        # Lax: the way back from the issuer comes from another site. A click needs its ticket beside the cookie.
        response.set_cookie(name, value, path=path, httponly=True, samesite="lax", secure=self._secure)

    @property
    def _secure(self) -> bool:
        return self.flow.origin.startswith("https://")


async def _newest(office: Office, person: Person) -> list[Plan]:
    errand = office.errand_of(person)
    plans, _ = await errand.desk.store.journal(
        errand.school.connection.name,
        now=errand.desk.now(),
        since=None,
        student_id=None,
        limit=_MOST_SHOWN,
        caller=errand.school.caller,
    )
    return plans


def _refused(request: Request, *, origin: str) -> Response | None:
    """What is refused before anything looks at it; None lets the request in."""
    if request.headers.getlist("host") != [urlsplit(origin).netloc]:
        return _notice(421, "This address is not the server's", "Nothing was done.")
    if request.method == "POST" and request.headers.get("origin") != origin:
        return _notice(403, "This click came from another page", "Nothing was done. Click on the plan's own page.")
    return None


def _notice(status: int, heading: str, text: str) -> Response:
    return HTMLResponse(document.notice(heading, text, site=_SITE), status_code=status)


def _nothing() -> Response:
    return _notice(404, "There is no such plan of yours", f"Nothing was done. {PATH} lists those that wait.")


async def _nothing_there(_request: Request, _error: Exception) -> Response:
    return _nothing()


async def _trouble(_request: Request, error: Exception) -> Response:
    return _notice(503, "That can't be done now", str(error))
