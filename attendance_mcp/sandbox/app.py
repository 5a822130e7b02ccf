"""The school's API as an ASGI app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from attendance_mcp.sandbox.assumptions import Assumptions
from attendance_mcp.sandbox.database import reading
from attendance_mcp.sandbox.errors import RefusedError, access_denied, forbidden, no_such_route
from attendance_mcp.sandbox.gate import Gate
from attendance_mcp.sandbox.log import RequestLog
from attendance_mcp.sandbox.operations import OPERATIONS, Operation
from attendance_mcp.sandbox.requests import Call


@dataclass(frozen=True, slots=True)
class _School:
    """What every request is answered with."""

    engine: sa.Engine
    today: datetime
    assumptions: Assumptions
    without: frozenset[str]

    def answer(self, operation: Operation, request: Request, body: bytes) -> Response:
        """Answer from one transaction, which a refusal takes back."""
        if operation.part is not None and operation.part in self.without:
            raise self._not_offered(operation)
        with self._transaction(operation) as db:
            call = Call(
                db=db,
                today=self.today,
                assumptions=self.assumptions,
                without=self.without,
                path=request.path_params,
                query=request.query_params,
                body=body,
            )
            answer = operation.answer(call)
        return JSONResponse(answer, status_code=operation.status)

    def _transaction(self, operation: Operation) -> AbstractContextManager[sa.Connection]:
        return self.engine.begin() if operation.writes else reading(self.engine)

    def _not_offered(self, operation: Operation) -> RefusedError:
        if operation.part != "extended":
            return no_such_route()
        return access_denied() if self.assumptions.extended_off == "401" else forbidden()


def create_app(
    engine: sa.Engine,
    *,
    token: str,
    today: datetime,
    assumptions: Assumptions | None = None,
    without: frozenset[str] = frozenset(),
    rate_limit: int | None = None,
    log: RequestLog | None = None,
) -> Starlette:
    """Build the app over a school that `database.open_engine` opened.

    `today` is naive, the school's local time, and stands still; `rate_limit` is in requests a second;
    `app.state.log` holds what was asked.
    """
    school = _School(engine, today, assumptions or Assumptions(), without)
    log = RequestLog() if log is None else log
    app = Starlette(
        routes=[Route(path, endpoint, methods=methods) for path, endpoint, methods in _endpoints(school)],
        middleware=[Middleware(Gate, token=token, log=log, rate_limit=rate_limit)],
        exception_handlers={RefusedError: _refuse, HTTPException: _refuse_http},
    )
    app.router.redirect_slashes = False
    app.state.log = log
    return app


Endpoint = Callable[[Request], Awaitable[Response]]


def _endpoints(school: _School) -> list[tuple[str, Endpoint, list[str]]]:
    """One endpoint a path, so that a method that it lacks is answered with all that it has."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    return [(path, _endpoint(school, operations), list(operations)) for path, operations in by_path.items()]


def _endpoint(school: _School, operations: dict[str, Operation]) -> Endpoint:
    async def answer(request: Request) -> Response:
        operation = operations["GET" if request.method == "HEAD" else request.method]
        body = await request.body()
        # SQLite may wait for another process that writes; the event loop must not.
        return await run_in_threadpool(school.answer, operation, request, body)

    return answer


async def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return JSONResponse(dict(error.body), status_code=error.status)


async def _refuse_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    body: dict[str, Any] = {"error": error.detail}
    return JSONResponse(body, status_code=error.status_code, headers=error.headers)
