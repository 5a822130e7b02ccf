"""One student taken out of the store for good, and the chain that shows every other gap."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from attendance_mcp.digest.facts import counted
from tests.upstream_school import UpstreamSchool

from .errands import DAY, Family, absent, apply, mark_late
from .journals import carried_out, checked, opened, shell, states
from .stores import BOTH, everything_stored, school, store_of

pytestmark = pytest.mark.anyio
__all__ = ["school"]

COMMENT = "Zanzibar flu"


async def erase(school: UpstreamSchool, student: int, *, rows: int, plans: int) -> None:
    done = await shell(school, "--student", str(student), "--erase", "--yes")
    told = (
        f"Erased: {counted(rows, 'row')} of student {student}, and {counted(plans, 'plan')} that nobody carried out.\n"
    )
    assert (done.exit_code, done.stdout) == (0, told), done.output


def bytes_of(school: UpstreamSchool) -> bytes:
    return b"".join(file.read_bytes() for file in school.path.parent.glob("plans.db*"))


@BOTH
async def test_of_an_erased_student_only_digests_are_left_and_the_chain_holds(school):
    family, other = Family.of(school), absent(school)[0]
    async with school.client(approval="token") as ask:
        of = {"student_ids": [family.student], "dates": [DAY]}
        plan = await ask.facts(
            "plan_changes",
            changes=[
                {"kind": "homeroom", "student_ids": [other], "dates": [DAY], "status": 2},
                {"kind": "new excusal", **of, "parent_id": family.parent, "comment": COMMENT},
            ],
        )
        await apply(ask, plan)
        await ask.facts("plan_changes", changes=[{"kind": "homeroom", "student_ids": [family.student, other], "dates": [DAY], "status": 13}])  # fmt: skip
    (made,) = school.one("select id from excusals where student_id = :id", id=family.student)
    await erase(school, family.student, rows=1, plans=1)
    stored = everything_stored(school)
    assert [text for text in (str(family.student), str(made), str(family.parent), COMMENT) if text in stored] == []
    assert states(school) == {plan["confirmation"]: "settled"}
    assert await checked(school) == {**await checked(school), "plans": 1, "erased": 1, "broken": []}
    async with school.client(approval="token") as ask:
        back = await ask.facts("plan_changes", changes=[{"kind": "undo", "confirmation": plan["confirmation"]}])
    assert [change["students"] for change in back["changes"]] == [change["students"] for change in plan["changes"][:1]]


@BOTH
async def test_a_student_of_a_plan_under_way_is_erased_only_when_it_is_settled(school):
    student = absent(school)[0]
    async with school.client(approval="token") as ask:
        plan = await mark_late(ask, student)
        with store_of(school) as store:  # as a crash leaves it
            store.exec_driver_sql("update plans set state = 'applying', approval = 'token', lease_until = '2026-01-01'")
        before = everything_stored(school)
        refused = await shell(school, "--student", str(student), "--erase", "--yes")
        assert everything_stored(school) == before
        assert (await ask.facts("list_changes"))["entries"][0]["outcomes"] == {"not sent": 1}
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"attendance-mcp: A plan with student {student} is being carried out or was cut off, so nothing was erased. "
        "Call list_changes, which settles it, and erase again.\n"
    )
    assert states(school) == {plan["confirmation"]: "settled"}
    await erase(school, student, rows=1, plans=0)
    async with school.client() as ask:
        (entry,) = (await ask.facts("list_changes"))["entries"]
    assert entry["summary"] == "All that stood here was erased."


async def test_what_another_process_keeps_from_being_wiped_is_wiped_at_the_next_start(school):
    student = absent(school)[0]
    async with school.client(approval="token") as server:
        await apply(server, await mark_late(server, student, notes=COMMENT))
        with closing(sqlite3.connect(school.store, isolation_level=None)) as reader:
            reader.execute("begin")
            reader.execute("select * from changes").fetchall()
            done = await shell(school, "--student", str(student), "--erase", "--yes")
        assert (done.exit_code, COMMENT.encode() in bytes_of(school)) == (2, True)
        assert done.stderr.startswith("attendance-mcp: Another process uses the file, so old pages of it may stay ")
        await opened(school)
        assert COMMENT.encode() not in bytes_of(school)


@pytest.fixture
async def copies(school: UpstreamSchool, tmp_path: Path):
    """Copies of a journal of three plans, each to be altered by itself."""
    for student in absent(school)[:3]:
        await carried_out(school, student, notes="Bus 4")

    def copy(statement: str) -> UpstreamSchool:
        altered = replace(school)
        altered.store = str(tmp_path / "altered.db")
        with closing(sqlite3.connect(school.store)) as store, closing(sqlite3.connect(altered.store)) as other:
            store.backup(other)
        with store_of(altered) as store:
            store.exec_driver_sql(statement)
        return altered

    return copy


async def test_whatever_is_altered_in_a_journal_shows(copies):
    of_2 = "(select id from plans where place = 2)"
    altered, link = "row 1: it was altered", "its link does not hold"
    ends = "The chain ends at place "
    for statement, told in {
        f"update changes set after = replace(after, '2', '1') where plan_id = {of_2}": [altered],
        f"update changes set target = replace(target, '1', '2') where plan_id = {of_2}": [altered],
        f"update changes set before = '{{' where plan_id = {of_2}": [altered],
        f"update changes set outcome = 'refused' where plan_id = {of_2}": [altered],
        f"update changes set outcome = 'erased' where plan_id = {of_2}": [altered],
        f"update changes set digest = salt where plan_id = {of_2}": [altered, link],
        f"delete from changes where plan_id = {of_2}": [link],
        "update plans set approval = 'human client' where place = 2": [link],
        "update plans set settled = created where place = 2": [link],
        "update plans set place = 7 where place = 2": ["does not follow", link, "does not follow", ends],
        "delete from plans where place = 2": ["does not follow", link],
        "delete from plans where place = 3": [ends],
        "update plans set state = 'discarded' where place = 3": [ends],
        "update plans set state = 'settled', place = null, link = null where place = 3": ["does not follow", link],
        "delete from chains": ["The school's chain has no record."],
    }.items():
        broken = (await checked(copies(statement)))["broken"]
        missing = [words for words in told if not any(words in fault for fault in broken)]
        assert not missing, (statement, broken)
    assert (await shell(copies("delete from chains"), "--verify")).exit_code == 1
    assert (await checked(copies("update plans set summary_hash = ''")))["broken"] == []


async def test_texts_are_no_part_of_the_chain(copies):
    gone = """update changes set reason = '', after = replace(after, '"note": "Bus 4"', '"note": null')"""
    assert (await checked(copies(gone)))["broken"] == []
