"""`attendance-mcp changes`: the journal told, exported, checked, and a student taken out of it."""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from click.testing import Result

from tests.changes.errands import Facts, absent, apply, label, mark_late, named, present
from tests.changes.stores import everything_stored, store_of
from tests.upstream_school import UpstreamSchool

from .shell import command
from .terminal import CTRL_D, terminal

NOTE = "Bus 4 broke down"


@dataclass(eq=False)
class Journal:
    """A school of which one mark was changed, with a note, and another is planned."""

    school: UpstreamSchool
    student: int
    other: int
    done: Facts
    waits: Facts

    def __call__(self, *arguments: str, **settings: str) -> Result:
        return command("changes", *arguments, settings=self.school.environment(**settings))

    def without_token(self, *arguments: str) -> Result:
        settings = {name: text for name, text in self.school.environment().items() if "TOKEN" not in name}
        return command("changes", *arguments, settings=settings)


@pytest.fixture
def journal(school: UpstreamSchool) -> Journal:
    student, other = absent(school)[0], present(school)[0]

    async def made() -> tuple[Facts, Facts]:
        async with school.client(approval="token") as ask:
            done, waits = await mark_late(ask, student, notes=NOTE), await mark_late(ask, other)
            await apply(ask, done)
        return done, waits

    return Journal(school, student, other, *anyio.run(made))


def failed(result: Result) -> str:
    """What stands on stderr of a command that ended with status 2 and said nothing else."""
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert "Traceback" not in result.stderr
    return result.stderr


def test_the_list_tells_names_and_what_can_be_undone_in_words_or_as_json(journal):
    told = journal()
    assert told.exit_code == 0
    assert told.stdout.startswith("Changes made through this installation since ")
    assert str(journal.done["summary"]) in told.stdout
    assert f"row 1, done: homeroom, Tue 2026-11-24: Absent → {label(journal.school, journal.student, 2)}" in (
        journal("--student", str(journal.student)).stdout
    )
    facts = json.loads(journal("--json").stdout)
    assert [(entry["state"], entry["confirmation"]) for entry in facts["entries"]] == [
        ("waiting", journal.waits["confirmation"]),
        ("carried out", journal.done["confirmation"]),
    ]
    assert json.loads(journal("--student", str(journal.other), "--json").stdout)["plans"] == 1
    assert "Undo: no, writing is off here." in journal(writes="off").stdout


def test_an_export_is_a_line_of_ids_and_codes_for_each_plan_and_texts_only_where_asked_for(journal):
    done = journal("--export")
    first, second = map(json.loads, done.stdout.splitlines())
    assert (done.exit_code, done.stderr) == (0, "")
    assert (first["code"], second["code"]) == (journal.done["confirmation"], journal.waits["confirmation"])
    assert (first["state"], first["approval"], first["place"], second["place"]) == ("settled", "token", 1, None)
    (row,) = first["changes"]
    assert {name: row[name] for name in ("row", "kind", "outcome", "before", "after")} == {
        "row": 1,
        "kind": "homeroom mark",
        "outcome": "done",
        "before": {"status": 0},
        "after": {"status": 2},
    }
    assert row["target"]["student_id"] == journal.student
    assert NOTE not in done.stdout
    assert named(journal.school, journal.student).split()[0] not in done.stdout
    (one,) = journal("--export", "--texts", "--student", str(journal.student)).stdout.splitlines()
    assert json.loads(one)["changes"][0]["after"] == {"status": 2, "note": NOTE}


def test_an_export_to_a_file_is_its_users_alone_and_where_it_cannot_be_written_that_is_said(journal, tmp_path):
    place = tmp_path / "journal.jsonl"
    done = journal("--export", str(place))
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "2 plans exported.\n")
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert place.read_text("utf-8") == journal("--export").stdout
    assert failed(journal("--export", str(tmp_path / "nowhere" / "journal.jsonl"))) == (
        "attendance-mcp: The export can't be written: No such file or directory.\n"
    )


def test_a_check_says_whether_the_chain_holds_and_its_status_too(journal):
    done = journal("--verify")
    (told,) = json.loads(journal("--verify", "--json").stdout)
    school = journal.school.url
    assert told == {"school": told["school"], "plans": 1, "erased": 0, "last": told["last"], "broken": []}
    assert told["school"].startswith(school)
    assert (done.exit_code, done.stdout) == (
        0,
        f"{told['school']}: the chain holds; 1 plan; last link {told['last']}\n",
    )
    with store_of(journal.school) as store:
        store.exec_driver_sql("update plans set approval = 'human window' where state = 'settled'")
    broken = journal("--verify")
    assert broken.exit_code == journal("--verify", "--json").exit_code == 1
    assert f"- Plan {journal.done['confirmation']}: its link does not hold" in broken.stdout


def test_without_the_schools_token_everything_but_the_list_works(journal):
    assert journal.without_token("--verify").exit_code == 0
    assert journal.without_token("--export").stdout.count("\n") == 2
    assert journal.without_token("--student", str(journal.student), "--erase", "--yes").exit_code == 0
    assert "ATTENDANCE_API_TOKEN" in failed(journal.without_token())


def test_an_installation_that_never_planned_anything_says_so(school):
    settings = school.environment()
    assert command("changes", "--verify", settings=settings).stdout == (
        "No plan has ended yet: there is nothing to check.\n"
    )
    assert command("changes", "--export", settings=settings).stdout == ""
    assert command("changes", "--student", "5", "--erase", settings=settings).stdout == (
        "Nothing of student 5 stands in the store.\n"
    )
    assert "no plan was carried out, and none waits" in command("changes", settings=settings).stdout


def test_to_erase_a_student_the_person_types_the_id_and_nothing_else_does(journal):
    erase = ("changes", "--student", str(journal.student), "--erase")
    question = "Type the student's id to erase them: "
    before = everything_stored(journal.school)
    assert failed(journal(*erase[1:])) == (
        "attendance-mcp: To erase, type the student's id at a terminal, or give --yes. Nothing was erased.\n"
    )
    for typed, told in (("yes\n", "That is not the id."), (CTRL_D, "No answer.")):
        with terminal(*erase, environment=journal.school.environment()) as at:
            at.wait_for(question)
            at.type(typed)
            assert at.end() == 2
        assert at.screen.endswith(f"attendance-mcp: {told} Nothing was erased.\n")
    assert everything_stored(journal.school) == before
    with terminal(*erase, environment=journal.school.environment()) as at:
        at.wait_for(f"1 change of student {journal.student} in the store. What is erased can't be undone or told.")
        at.wait_for(question)
        at.type(f"{journal.student}\n")
        assert at.end() == 0
    assert str(journal.student) not in everything_stored(journal.school)
    assert json.loads(journal(*erase[1:], "--json").stdout) == {
        "student_id": journal.student,
        "rows": 0,
        "plans": 0,
        "wiped": True,
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--export --verify", "--export, --verify and --erase are three things: do one of them."),
        ("--erase", "--erase needs --student; --verify checks the whole chain, so it takes none."),
        ("--verify --student 5", "--erase needs --student; --verify checks the whole chain, so it takes none."),
        ("--texts", "--texts goes with --export, and --yes with --erase."),
        ("--yes --student 5", "--texts goes with --export, and --yes with --erase."),
        ("--student 0", "Invalid value for '--student': 0 is not in the range x>=1."),
        ("--student Mia", "Invalid value for '--student': 'Mia' is not a valid integer range."),
        ("--export .", "Invalid value for '--export': File '.' is a directory."),
        ("K7Q2M9XW4B", "Got unexpected extra argument (K7Q2M9XW4B)"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_the_store_is_opened(arguments, told, tmp_path):
    place = tmp_path / "plans.db"
    assert told in failed(command("changes", *arguments.split(), settings={"ATTENDANCE_STORE": str(place)}))
    assert not place.exists()


@pytest.mark.parametrize("ask", ["--verify", "--export", "--student 5 --erase --yes"])
def test_a_store_that_is_none_is_told_without_its_place(ask, tmp_path):
    place: Path = tmp_path / "letter.txt"
    place.write_text("Dear parents, " * 200)
    told = failed(command("changes", *ask.split(), settings={"ATTENDANCE_STORE": str(place)}))
    assert told.startswith("attendance-mcp: The store of plans and changes can't be used")
    assert str(tmp_path) not in told
    assert place.read_text() == "Dear parents, " * 200
