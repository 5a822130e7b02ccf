"""Where one thing can't be read, the answer is an error or says what is missing; it never leaves it out silently."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.tools.examples import Known
from tests.upstream_school import UpstreamSchool, text

from .hostile_school import LONGEST, TENTH, Fault, HostileSchool

pytestmark = pytest.mark.anyio

READING_TOOLS = [
    "get_school_context",
    "find_in_school",
    "list_absences",
    "list_missing_registers",
    "reconcile_homeroom",
    "list_attendance_concerns",
    "get_student_attendance",
    "get_homeroom_attendance",
    "get_homeroom_term_attendance",
    "get_homeroom_adjustments",
    "get_class_attendance",
    "get_class_term_attendance",
    "get_class_timetable",
    "list_excusals",
    "list_student_excusals",
]


def operation(path: str) -> str:
    """A path without what it asks for: ids, dates, codes and the query."""
    return re.sub(r"/(\d[\d-]*|pyp|myp|diploma|igcse)(?=/|$)", "/…", path.partition("?")[0]).removeprefix("/v2p1")


@pytest.mark.parametrize("tool", READING_TOOLS)
async def test_an_answer_without_one_of_its_operations_says_so(
    tool: str, same_school: UpstreamSchool, tmp_path: Path
) -> None:
    arguments = Known.of(same_school).reads()[tool]
    hostile = HostileSchool(same_school.url)
    silent: list[str] = []
    with hostile.open():

        async def answer() -> str | None:
            """The answer to a server that knows nothing yet; None for an error."""
            async with same_school.client(api_url=hostile.url, store=str(tmp_path / "plans.db")) as ask:
                result = await ask(tool, **arguments)
            return None if result.is_error else re.sub(r"as of [\d:]+", "as of now", text(result))

        whole = await answer()
        assert whole is not None
        operations = sorted({operation(path) for path in hostile.asked})
        hostile.fault = "500 with HTML"
        for name in operations:
            hostile.bad = lambda path, name=name: operation(path) == name  # type: ignore[misc]
            said = await answer()
            if said not in (None, whole) and "could not be read" not in said:
                silent.append(name)
    assert silent == []


@pytest.mark.parametrize("fault", ["one byte at a time", "silent"])
async def test_within_the_deadline_an_answer_tells_the_rest_and_what_is_missing(
    fault: Fault, same_school: UpstreamSchool, tmp_path: Path
) -> None:
    known = Known.of(same_school)
    hostile = HostileSchool(same_school.url)
    drips = f"/v2p1/year-groups/{known.group}/homeroom/attendance/date/"
    hostile.bad = lambda path: path.startswith(drips)
    hostile.fault = fault
    with hostile.open():
        way = same_school.client(api_url=hostile.url, store=str(tmp_path / "plans.db"), **TENTH)
        async with way as ask:
            began = time.monotonic()
            said = await ask.text("list_absences", date="today")
            assert time.monotonic() - began < LONGEST
    assert f"Homeroom of {known.group_name} on Tue 2026-11-24 could not be read: The school's" in said
