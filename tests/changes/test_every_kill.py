"""A server that is killed at any moment of an apply: whoever comes next finds nothing doubled, lost or called done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
import sqlalchemy as sa

from attendance_mcp.server import open_app
from tests.upstream_school import Asking, text

from .errands import Facts, apply
from .killing import Child, CommitWay, When
from .mixed import ITEMS, ROWS, Lane

pytestmark = pytest.mark.anyio

A_MARK_AND_AN_EXCUSAL = [ITEMS[0], ITEMS[2]]
Kill = Callable[[When, Lane, Facts, int], bool]  # whether a server that applies the plan was killed at that moment
Left = dict[When, list[Counter[str]]]


async def test_a_server_killed_at_any_request_leaves_what_the_next_one_tells(tmp_path: Path) -> None:
    def kill(when: When, lane: Lane, plan: Facts, number: int) -> bool:
        lane.way.arm(number, "killed before" if when == "before" else "held")
        return Child(environment(lane), plan).is_killed(lane.way)

    left = await at_every_moment(tmp_path, ITEMS, kill)
    for when, cells in left.items():
        # Names, labels and the timetable, then five reads, five writes, five reads; and at last one that nobody killed.
        assert len(cells) > 20, when
        assert (cells[0], cells[-1]) == ({"not sent": len(ROWS)}, {"done": len(ROWS)}), when
        assert {outcome for cell in cells for outcome in cell} >= {"done", "not sent"}, when
    assert {"unknown"} <= {outcome for cell in left["before"] for outcome in cell}


async def test_a_server_killed_at_any_commit_to_sqlite_leaves_what_the_next_one_tells(tmp_path: Path) -> None:
    def kill(when: When, lane: Lane, plan: Facts, number: int) -> bool:
        return Child(environment(lane), plan, commit=number, when=when).is_killed()

    check_commits(await at_every_moment(tmp_path, A_MARK_AND_AN_EXCUSAL, kill))


async def test_a_server_killed_at_any_commit_to_postgresql_leaves_what_the_next_one_tells(tmp_path, cluster) -> None:
    def kill(when: When, lane: Lane, plan: Facts, number: int) -> bool:
        ways[when].arm(number, when)
        through = f"postgresql://attendance@127.0.0.1:{ways[when].port}/{sa.make_url(lane.school.store).database}"
        return Child(environment(lane, store=through), plan).is_killed(ways[when])

    place = Path(str(sa.make_url(cluster.database()).query["host"]))
    with CommitWay.to(place) as one, CommitWay.to(place) as two:
        ways: dict[When, CommitWay] = {"before": one, "after": two}
        check_commits(await at_every_moment(tmp_path, A_MARK_AND_AN_EXCUSAL, kill, store=cluster.database))


def check_commits(left: Left) -> None:
    """Two open the store; then the plan is looked up, claimed, sent row by row, told row by row, and settled."""
    for when, cells in left.items():
        assert len(cells) > 9, when
        assert (cells[0], cells[-1]) == ({"planned": 2}, {"done": 2}), when
        assert {"not sent": 2} in cells, when


def environment(lane: Lane, **settings: Any) -> dict[str, str]:
    return lane.school.environment(api_url=lane.way.url, approval="token", **settings)


async def at_every_moment(
    folder: Path, items: list[dict[str, Any]], kill: Kill, *, store: Callable[[], str] | None = None
) -> Left:
    """What the kills before and after every moment left, on a school each, side by side."""
    left: Left = {}

    async def lane_of(when: When) -> None:
        with Lane.open(folder / when) as lane:
            lane.school.store = store() if store else lane.school.store
            left[when] = await every_moment(lane, items, partial(kill, when))

    async with anyio.create_task_group() as group:
        group.start_soon(lane_of, "before")
        group.start_soon(lane_of, "after")
    return left


async def every_moment(
    lane: Lane, items: list[dict[str, Any]], kill: Callable[[Lane, Facts, int], bool]
) -> list[Counter[str]]:
    """For each moment a plan, a server that is killed while it carries it out, and who comes two minutes later."""
    app, left = open_app(lane.school.settings(api_url=lane.way.url, approval="token")), list[Counter[str]]()
    ahead = timedelta()
    app.desk.now = lambda: datetime.now(UTC) + ahead
    async with lane.school.client(app=app) as ask:
        killed = True
        while killed:
            lane.put_back()
            ahead = timedelta()
            plan = await ask.facts("plan_changes", changes=items)
            killed = await anyio.to_thread.run_sync(kill, lane, plan, len(left) + 1)
            ahead = timedelta(minutes=2)
            with anyio.fail_after(30):
                left.append(await found(lane, ask, plan, number=len(left) + 1))
    return left


async def found(lane: Lane, ask: Asking, plan: Facts, *, number: int) -> Counter[str]:
    """What the next one finds out, by list_changes and by applying the plan again."""
    (entry,) = (await ask.facts("list_changes", limit=1))["entries"]
    left = lane.check(plan["confirmation"], where=number)
    waits = left.keys() == {"planned"}
    assert entry["state"] == ("waiting" if waits else "carried out"), (number, entry)
    assert waits or entry["outcomes"] == left, (number, entry)
    again = await apply(ask, plan)
    told = lane.check(plan["confirmation"], again, where=number)
    assert told == ({"done": left.total()} if waits else left), number
    assert waits or again.structured_content["repeated"], (number, text(again))
    return left
