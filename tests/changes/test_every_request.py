"""Whatever goes wrong at whichever request of an apply: nothing is written twice, lost, or called done that isn't."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from attendance_mcp.server import open_app
from tests.upstream_school import Asking, text

from .errands import apply
from .faulty import Fault
from .mixed import NOTHING, ROWS, Lane, plan_all

pytestmark = pytest.mark.anyio

FAULTS: tuple[Fault, ...] = (
    "hang after",
    "refused",
    "reset before",
    "reset after",
    "500 after",
    "429",
    "cut after",
    "html after",
)
REQUESTS = 15  # of an apply whose names are known: five reads, five writes, five reads
A_WRITE = 9
ALL_DONE = {"done": len(ROWS)}


async def cell(lane: Lane, ask: Asking, later: Asking, fault: Fault, number: int) -> Counter[str]:
    """One plan carried out with that fault at that request; another server makes it, and is asked for it later.

    Answers what became of its rows, of none where it still waited.
    """
    where = (fault, number)
    lane.put_back()
    plan = await plan_all(later)
    lane.way.arm(number, fault)
    with anyio.fail_after(30):
        result = await apply(ask, plan)
        told = Counter[str]()
        if result.is_error:
            assert text(result).endswith(NOTHING), (where, text(result))
            assert lane.check(plan["confirmation"], where=where) == {"planned": len(ROWS)}, where
        else:
            told = lane.check(plan["confirmation"], result, where=where)
        await anyio.to_thread.run_sync(lane.way.mend)
        again = await apply(later, plan)
        (entry,) = (await later.facts("list_changes", limit=1))["entries"]
    settled = lane.check(plan["confirmation"], again, where=where)
    assert settled == (told or ALL_DONE), where
    assert bool(again.structured_content.get("repeated")) == bool(told), where
    assert (entry["state"], entry["outcomes"]) == ("carried out", settled), where
    return told


async def test_a_fault_at_any_request_of_an_apply_is_told_as_what_can_be_known(tmp_path: Path) -> None:
    told: dict[Fault, list[Counter[str]]] = {}
    at_once = anyio.CapacityLimiter(3)  # more would make each other late

    async def every_request(fault: Fault) -> None:
        async with at_once:
            with Lane.open(tmp_path / fault) as lane:
                async with lane.school.client(api_url=lane.way.url, approval="token") as patient:
                    told[fault] = await cells(lane, patient, fault)
                    await cell(lane, patient, patient, fault, A_WRITE)  # with the shipped times
                    assert lane.way.reached.is_set()

    async with anyio.create_task_group() as group:
        for fault in FAULTS:
            group.start_soon(every_request, fault)
    for fault, of_fault in told.items():
        assert ALL_DONE in of_fault, fault
    # A record that could not be read back is unknown; the others are told all the same.
    assert any(cell.keys() == {"done", "unknown"} for cell in told["html after"][REQUESTS - 5 : REQUESTS])


async def cells(lane: Lane, later: Asking, fault: Fault) -> list[Counter[str]]:
    """The fault at every request of an apply, and at last at none, with a tenth of the shipped times."""
    short = lane.school.settings(api_url=lane.way.url, read_timeout=1.0, connect_timeout=0.3, approval="token")
    app, told = open_app(short), list[Counter[str]]()
    app.desk.carrying_out = timedelta(seconds=2.5)
    async with lane.school.client(app=app) as ask:
        await apply(ask, await plan_all(later))  # it knows the names from then on
        reached = 0
        for number in range(1, REQUESTS + 2):
            told.append(await cell(lane, ask, later, fault, number))
            reached += lane.way.reached.is_set()
    assert reached >= REQUESTS - 3, fault  # on a slow machine the time may end before the last ones are sent
    return told
