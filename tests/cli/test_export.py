"""`attendance-mcp export`: lists for the office, whole, and nothing written over."""

from __future__ import annotations

import csv
import io
import stat

import pytest

from tests.changes.errands import absent
from tests.upstream_school import UpstreamSchool

from .shell import command


def export(school: UpstreamSchool, *arguments: str):
    return command("export", *arguments, settings=school.environment())


def rows(text: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))


def test_absences_name_everybody_who_is_away_late_or_out(same_school):
    done = export(same_school, "absences")
    head, *told = rows(done.stdout_bytes)
    assert head == ["Student", "Year group", "Register", "Mark", "Counts as", "Excusal"]
    names = {" ".join(row) for row in same_school.rows("select first_name, last_name from students where archived = 0")}
    assert {row[0] for row in told} <= names
    away = [row for row in told if row[4] == "absent"]
    assert len(away) >= len(absent(same_school)) > 0
    assert {row[4] for row in told}.isdisjoint({"present", "not taken"})
    assert "Not taken: " in done.stderr


def test_a_roll_holds_every_student_of_the_group_with_homeroom_and_periods(same_school):
    head, *told = rows(export(same_school, "roll", "--group", "Grade 8").stdout_bytes)
    assert head[:5] == ["Student", "Year group", "Register", "Homeroom", "Homeroom counts as"]
    assert head[-1] == "Excusal" and "Period 1" in head
    query = """select count(*) from students s join year_groups g on g.id = s.year_group_id
               where g.name = 'Grade 8' and s.archived = 0"""
    assert len(told) == same_school.one(query)[0]


def test_concerns_rank_a_terms_rates(same_school):
    head, *told = rows(export(same_school, "concerns", "--group", "Grade 8").stdout_bytes)
    assert head == ["Student", "Year group", "Class", "Rate", "Away", "Of counted days", "Adjusted"]
    rates = [float(row[3].split("–")[0].removesuffix(" %")) for row in told]
    assert rates == sorted(rates) != []


@pytest.mark.parametrize("what", ["absences", "roll", "concerns"])
def test_a_page_stands_alone(same_school, tmp_path, what):
    page = tmp_path / f"{what}.html"
    assert export(same_school, what, "--group", "Grade 8", "--html", "--output", str(page)).exit_code == 0
    text = page.read_text("utf-8")
    assert "Grade 8" in text and "<style>" in text
    assert not any(sign in text for sign in ("<script", "<link", "src=", "href=", "<form"))
    assert stat.S_IMODE(page.stat().st_mode) == 0o600


def test_on_a_day_off_nobody_is_away_and_the_page_says_so(same_school):
    done = export(same_school, "absences", "--date", "2026-11-28", "--html")
    assert done.exit_code == 0
    assert "0 students, as of " in done.stdout
    assert "<table" not in done.stdout


def test_without_the_schools_colours_a_page_goes_by_its_own(open_school):
    done = export(open_school(without={"categories"}), "roll", "--group", "Grade 8", "--html")
    assert done.exit_code == 0, done.output
    assert "--chip: #" not in done.stdout


def test_a_file_is_never_written_over(same_school, tmp_path):
    kept = tmp_path / "roll.csv"
    kept.write_text("mine")
    done = export(same_school, "roll", "--group", "Grade 8", "--output", str(kept))
    assert (done.exit_code, kept.read_text()) == (2, "mine")
    assert done.stderr == f"attendance-mcp: {kept} is there already, and is not written over.\n"


def test_the_demo_can_be_exported_too_into_a_file_that_can_be_made(tmp_path):
    file, nowhere = tmp_path / "roll.csv", tmp_path / "nowhere" / "roll.csv"
    arguments = ["export", "roll", "--group", "Grade 8", "--demo", "--output"]
    told = [command(*arguments, str(path)).stderr.splitlines()[-1:] for path in (file, file, nowhere)]
    assert told[1:] == [
        [f"attendance-mcp: {file} is there already, and is not written over."],
        [f"attendance-mcp: {nowhere} can't be written: No such file or directory."],
    ]
    assert len(rows(file.read_bytes())) > 10


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("roll", "--date", "2026-02-30"), "'2026-02-30' is no day: give yyyy-mm-dd, today, yesterday or tomorrow."),
        (("roll", "--group", "Grade 99"), "Grade 99"),
        (("concerns", "--term", "Term 99"), "Term 99"),
        (("pupils",), "'pupils' is not one of 'absences', 'roll', 'concerns'"),
    ],
)
def test_what_can_not_be_exported_is_said(same_school, arguments, told):
    done = export(same_school, *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in done.stderr
