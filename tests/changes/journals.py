"""The journal as a test makes it, lets it grow old and looks at it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import anyio.to_thread
from click.testing import Result

from attendance_mcp.server import App, open_app
from tests.cli.shell import command
from tests.upstream_school import UpstreamSchool

from .errands import Facts, apply, mark_late
from .stores import store_of


def later(school: UpstreamSchool, *, days: float, **settings: Any) -> App:
    """A process that starts so many days from now."""
    app = open_app(school.settings(approval="token", **settings))
    app.desk.now = lambda: datetime.now(UTC) + timedelta(days=days)
    return app


async def carried_out(school: UpstreamSchool, student: int, *, days: float = 0, **arguments: Any) -> Facts:
    """A plan of one mark, made and carried out so many days from now."""
    async with school.client(app=later(school, days=days)) as ask:
        plan = await mark_late(ask, student, **arguments)
        assert (await apply(ask, plan)).structured_content["outcomes"] == {"done": 1}
    return plan


async def opened(school: UpstreamSchool, *, days: float = 0) -> None:
    """A process opens the store so many days from now; doing so takes out what is past its time."""
    app = later(school, days=days)
    await app.desk.store.began("any school")
    await app.aclose()


async def shell(school: UpstreamSchool, *arguments: str) -> Result:
    """`attendance-mcp changes` with these arguments, called beside the test's event loop."""
    run = partial(command, "changes", *arguments, settings=school.environment())
    return await anyio.to_thread.run_sync(run)


async def checked(school: UpstreamSchool) -> Facts:
    """What `changes --verify` tells of the one chain."""
    (chain,) = json.loads((await shell(school, "--verify", "--json")).stdout)
    return dict(chain)


def states(school: UpstreamSchool) -> dict[str, str]:
    """The plans that stand in the store, by their confirmations."""
    with store_of(school) as store:
        return dict(tuple(row) for row in store.exec_driver_sql("select code, state from plans order by id"))


def places(school: UpstreamSchool) -> list[int]:
    """The places in the chain, of all plans that have one."""
    with store_of(school) as store:
        found = store.exec_driver_sql("select place from plans where place is not null order by place")
        return [place for (place,) in found]
