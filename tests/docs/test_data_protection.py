"""What `docs/data-protection.md` says of files and times is what the code does."""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from attendance_mcp.changes.keeping import NEVER_CARRIED_OUT, Keeps
from attendance_mcp.demo import demo_file
from attendance_mcp.digest.facts import counted
from attendance_mcp.settings import PREFIX, Settings, config_folder, data_folder
from tests.changes.errands import absent, mark_late

from .documents import hold, read, table

PAGE = "docs/data-protection.md"


@pytest.mark.anyio
async def test_every_file_that_a_server_makes_is_on_the_page(school):
    student = absent(school)[0]
    for privacy in ("names", "codes"):
        async with school.client(store=None, privacy=privacy) as ask:
            if privacy == "names":
                await ask.text("list_student_excusals", student_id=student)
                await mark_late(ask, student)
                during = names_in(data_folder())
            else:
                await ask.text("list_absences")
    made = names_in(data_folder()) | during | {demo_file().name}
    told = " ".join(re.findall(r"^\| (.*?) \|", read(PAGE), re.MULTILINE))
    assert {"attendance.db", "attendance.db-wal", "privacy.key"} < made
    for name in made:
        shown = re.sub(r"(heard-)\w+", r"\1…", name.removesuffix("-wal").removesuffix("-shm"))
        assert f"`{shown}`" in told, name


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.skipif(sys.platform != "linux", reason="the page's paths of Linux")
def test_the_folders_are_where_the_page_says(monkeypatch):
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    told, home = read(PAGE), Path.home()
    assert f"`~/{data_folder().relative_to(home)}` on Linux" in told
    assert f"on Linux `~/{config_folder().relative_to(home)}`" in told


def test_how_long_things_are_kept_is_what_the_code_keeps():
    keeps, fields = Keeps(), Settings.model_fields
    assert (keeps.texts, keeps.rows) == tuple(timedelta(days=fields[f"{what}_days"].default) for what in KEPT)
    rows = [
        ("a plan that nobody carried out", f"{days(NEVER_CARRIED_OUT)} after it lapsed or was declined"),
        (
            "notes, comments and reasons of a plan",
            f"{days(keeps.texts)} after its end (`{PREFIX}TEXT_DAYS`); {days(NEVER_CARRIED_OUT)} where it was stale",
        ),
        ("its rows of ids and codes", f"{days(keeps.rows)} after its end (`{PREFIX}JOURNAL_DAYS`)"),
    ]
    hold(PAGE, "retention", table(("what", "how long it is kept"), rows))


KEPT = ("text", "journal")


def days(kept: timedelta) -> str:
    return counted(kept.days, "day")
