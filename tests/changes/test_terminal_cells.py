"""A client's plan at the terminal of its machine, as the client sees it.

What the command itself does is held in tests/cli: it knows nothing of the client's era.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from attendance_mcp.server import App
from tests.cli.terminal import terminal
from tests.sandbox import tiny
from tests.upstream_school import on_a_port, text

from .offices import ENDED, Left, founded, office, opening, stage
from .playing import Stage
from .ways_to_write import DELETION, MARK, WayToWrite

pytestmark = pytest.mark.anyio
__all__ = ["founded", "stage"]


def answered(stage: Stage, url: str, code: str, answer: str) -> str:
    """What stands on the screen of a person who types this answer to the question about the plan."""
    environment = {"API_URL": url, "API_TOKEN": tiny.TOKEN, "TODAY": tiny.TODAY.isoformat(timespec="minutes")}
    environment |= {"TIMEZONE": "Asia/Singapore", "STORE": str(stage.store)}
    with terminal(
        "approve", code, environment={f"ATTENDANCE_{name}": value for name, value in environment.items()}
    ) as at:
        at.wait_for("or no to discard the plan: ")
        at.type(f"{answer}\n")
        at.end()
        return at.screen


@pytest.mark.parametrize(
    ("era", "way", "answer", "agreed"),
    [
        ("auto", MARK, "yes", True),
        ("legacy", DELETION, "no", False),
    ],
)
async def test_what_a_person_types_at_the_terminal_is_what_becomes_of_the_plan_of_a_client(
    stage: Stage, era: Any, way: WayToWrite, answer: str, agreed: bool
) -> None:
    stage.now = datetime.now(UTC)  # the command has a clock of its own
    with on_a_port(stage.wire) as url:

        def at_this_address(app: App) -> None:
            app.connection.name = url  # a plan is bound to its school

        async with office(stage, era, policy="human", prepare=at_this_address) as at:
            plan = await at.plan(way)
            told = text(await at.apply(way, plan))
            assert f"run `attendance-mcp approve {plan['confirmation']}` in a terminal" in told
            screen = await asyncio.to_thread(answered, stage, url, plan["confirmation"], answer)
            after = await at.apply(way, plan)
    if agreed:
        assert "agreed by a person at the terminal: 1 done. The records were read back." in screen
        assert opening(after).startswith("Already carried out at ")
        assert at.left(plan) == Left.written(way, "human terminal")
    else:
        assert "The plan is discarded. Nothing was written." in screen
        assert text(after) == ENDED
        assert at.left(plan) == Left.unwritten("discarded")
