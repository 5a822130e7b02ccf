"""An answer without end costs the server little memory, however many of them come at once."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.server.process import Wire, running
from tests.tools.examples import Known
from tests.upstream_school import UpstreamSchool

from .hostile_school import Fault, HostileSchool

MOST_GROWTH = 64 * 1024  # kB


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's peak of memory")
@pytest.mark.parametrize("fault", ["50 MB", "50 MB of unstated length", "gzip of 500 MB"])
def test_all_tools_at_once_grow_the_server_by_less_than_64_mb(
    fault: Fault, same_school: UpstreamSchool, tmp_path: Path
) -> None:
    known = Known.of(same_school)
    hostile = HostileSchool(same_school.url)
    with hostile.open():
        settings = same_school.environment(api_url=hostile.url, store=tmp_path / "plans.db")
        with running("serve", settings=settings) as process:
            wire = Wire(process)
            wire.begin()
            wire.ask("tools/call", name="get_class_timetable", arguments={"class_id": known.class_})
            Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # the peak is counted from here on
            before = memory(process.pid, "VmHWM")
            hostile.fault = fault
            errors = wire.ask_at_once("tools/call", calls(known))
            assert {error["result"]["isError"] for error in errors} == {True}
            print(
                json.dumps(sorted({e["result"]["content"][0]["text"] for e in errors})),
                memory(process.pid, "VmHWM") - before,
            )
            assert memory(process.pid, "VmHWM") - before < MOST_GROWTH
            hostile.mend()
            found = wire.ask("tools/call", name="find_in_school", arguments={"names_or_ids": [known.group_name]})
            assert not found["result"]["isError"]


def calls(known: Known) -> list[dict[str, object]]:
    reads = {tool: arguments for tool, arguments in known.reads().items() if tool != "list_changes"}
    return [{"name": tool, "arguments": arguments} for tool, arguments in {**reads, **known.writes()}.items()]


def memory(pid: int, what: str) -> int:
    """kB, as the kernel counts it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:"))
