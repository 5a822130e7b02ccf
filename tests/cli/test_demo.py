"""`attendance-mcp demo`: a real exchange on the embedded school, whose file keeps what was written."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.server.process import run

from .shell import command

TODAY = {"ATTENDANCE_TODAY": "2026-11-24T10:30"}


def test_the_demo_shows_an_exchange_and_keeps_what_was_written_until_it_is_reset(tmp_path):
    first = run("demo", settings=TODAY)
    assert (first.returncode, first.stderr) == (0, "")
    assert_an_exchange(first.stdout)
    student = student_of(first.stdout)
    assert mark_of(student, tmp_path) == 2

    seen = command("call", "--demo", "list_student_excusals", f'{{"student_id": {student}}}', settings=TODAY)
    assert (seen.exit_code, seen.stderr) == (0, "")
    assert seen.stdout.startswith("Demo school: invented people.\n")

    again = run("demo", "--reset", settings=TODAY)
    assert (again.returncode, again.stderr) == (0, "")
    assert student_of(again.stdout) == student, "made anew, the school is the same"
    assert mark_of(student, tmp_path) == 2


def assert_an_exchange(told: str) -> None:
    """Who was absent, one student's excusals, a plan, and the plan carried out and read back."""
    asked = [line.strip() for line in told.splitlines() if line.startswith("  → ")]
    tools = [re.match(r"→ (\w+)\(", line)[1] for line in asked]  # type: ignore[index]
    assert tools == ["list_absences", "list_student_excusals", "set_homeroom_attendance", "apply_changes"]
    assert told.count("Demo school: invented people.") == len(tools)
    assert "Plan, nothing is written yet: Mark " in told
    assert "1 done" in told
    assert "Traceback" not in told


def student_of(told: str) -> int:
    return int(re.findall(r"student_id=(\d+)", told)[-1])


def mark_of(student: int, tmp_path: Path) -> int:
    """The mark of today in the demo's own file."""
    [file] = tmp_path.rglob("demo-school.db")
    with closing(sqlite3.connect(file)) as school:
        query = "select status from homeroom_marks where student_id = ? and date = '2026-11-24'"
        return int(school.execute(query, (student,)).fetchone()[0])
