"""The store in a file: whose it is, where it may stand, and that a start does not pay for it."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import anyio
import pytest

from .errands import DAY, absent, mark_late

pytestmark = pytest.mark.anyio

NOTHING = "Nothing was written."
ONLY_POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has no such bits")


@ONLY_POSIX
async def test_the_store_is_its_users_alone(school, tmp_path):
    place = tmp_path / "a folder?of 100%" / "plans.db"
    async with school.client(store=str(place)) as ask:
        await mark_late(ask, absent(school)[0])
        assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
        assert {stat.S_IMODE(file.stat().st_mode) for file in place.parent.iterdir()} == {0o600}


async def test_nothing_is_stored_before_the_first_plan(school):
    async with school.client() as ask:
        await ask("list_absences")
    assert not school.path.with_name("plans.db").exists()


async def test_where_the_store_cant_be_made_the_plan_is_refused(school, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    async with school.client(store=str(tmp_path / "file" / "plans.db")) as ask:
        told = await ask.error("set_homeroom_attendance", student_id=absent(school)[0], date=DAY, status=2)
    assert told.startswith("The store of plans and changes can't be used")
    assert "ATTENDANCE_STORE" in told
    assert str(tmp_path) not in told
    assert told.endswith(NOTHING)


async def test_a_file_that_is_no_store_is_refused_and_left_alone(school, tmp_path):
    place = tmp_path / "letter.txt"
    place.write_text("Dear parents, " * 200)
    async with school.client(store=str(place)) as ask:
        told = await ask.error("set_homeroom_attendance", student_id=absent(school)[0], date=DAY, status=2)
    assert told.startswith("The store of plans and changes can't be used")
    assert place.read_text() == "Dear parents, " * 200


async def test_sqlalchemy_is_not_loaded_before_the_first_plan(school):
    script = """
import sys, anyio
from mcp import Client
from attendance_mcp.server import build
from attendance_mcp.settings import Settings

async def main():
    async with Client(build(Settings())) as client:
        await client.list_tools()
        result = await client.call_tool("list_absences", {})
        assert not result.is_error, result
        print("sqlalchemy" in sys.modules)
        student = {"student_id": int(sys.argv[1]), "date": "today", "status": 2}
        await client.call_tool("set_homeroom_attendance", student)
        print("sqlalchemy" in sys.modules)

anyio.run(main)
"""
    environment = {**os.environ, **school.environment()}
    command = [sys.executable, "-c", script, str(absent(school)[0])]
    ran = await anyio.run_process(command, env=environment, cwd=Path(__file__).parents[2])
    assert ran.stdout.decode().split() == ["False", "True"]


@pytest.mark.parametrize(
    ("folder", "service"),
    [
        ("OneDrive", "OneDrive"),
        ("OneDrive - Rosewood School/Office", "OneDrive"),
        ("Dropbox (Rosewood)", "Dropbox"),
        ("iCloudDrive", "iCloud Drive"),
        ("Library/Mobile Documents/com~apple~CloudDocs", "iCloud Drive"),
        ("Google Drive/My Drive", "Google Drive"),
        ("Library/CloudStorage/GoogleDrive-office@rosewood.example/My Drive", "Google Drive"),
    ],
)
async def test_a_folder_that_is_copied_to_other_machines_is_refused(school, tmp_path, folder, service):
    place = tmp_path / folder / "plans.db"
    async with school.client(store=str(place)) as ask:
        told = await ask.error("set_homeroom_attendance", student_id=absent(school)[0], date=DAY, status=2)
    assert told == (
        f"The store of plans and changes stands in a folder that {service} copies to other machines: children's records "
        f"must stay on this one. Set ATTENDANCE_STORE to a file where nothing copies it. {NOTHING}"
    )
    assert not place.exists()


@ONLY_POSIX
async def test_a_link_to_such_a_folder_is_refused_too(school, tmp_path):
    (tmp_path / "Dropbox").mkdir()
    (tmp_path / "plans").symlink_to(tmp_path / "Dropbox")
    async with school.client(store=str(tmp_path / "plans" / "plans.db")) as ask:
        told = await ask.error("set_homeroom_attendance", student_id=absent(school)[0], date=DAY, status=2)
    assert "a folder that Dropbox copies to other machines" in told
    assert list((tmp_path / "Dropbox").iterdir()) == []


@pytest.mark.parametrize("folder", ["Dropbox notes", "My OneDrive plans", "drive", "cloud"])
async def test_a_folder_that_only_sounds_so_is_taken(school, tmp_path, folder):
    async with school.client(store=str(tmp_path / folder / "plans.db")) as ask:
        await mark_late(ask, absent(school)[0])
    assert (tmp_path / folder / "plans.db").exists()
