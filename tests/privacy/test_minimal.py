"""ATTENDANCE_PRIVACY=minimal: what people typed is left out, and nothing tells that an absence is for health."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from mcp import Client
from mcp.types import ElicitResult

from attendance_mcp.outside import LEFT_OUT
from attendance_mcp.rules.contradictions import ContradictionKind
from attendance_mcp.server import build
from tests.changes.errands import Family, apply, homeroom, label, named, present
from tests.tools.examples import DAY, Known
from tests.upstream_school import Asking, UpstreamSchool, text

from .everything import answers, plans, reads

pytestmark = pytest.mark.anyio

NOTE, COMMENT, LABEL = "canarynote", "canarycomment", "Canary bay"
PROFILE = f'[school]\nexcused_code = 13\n[school.kinds]\n"{LABEL}" = "health"\n'


@pytest.fixture
def ill(school: UpstreamSchool) -> list[int]:
    """Four students marked today with the code for health, two by a label of the school's own; texts everywhere."""
    students = present(school)[:2] + present(school)[-2:]
    school.change("update homeroom_marks set note = :note where status <> 1", note=f"{NOTE} in a note")
    school.change("update class_marks set note = :note where status <> 1", note=f"{NOTE} in a note")
    school.change("update excusals set comment = :comment", comment=f"{COMMENT} in a comment")
    school.change("update categories set label = :label where status = 10 and label = 'Health'", label=LABEL)
    school.change(
        "insert into adjustments values (1, :id, :term, :name, -2)",
        id=students[0],
        term=term_of(school, students[0]),
        name=LABEL,
    )
    for id in students:
        school.change(
            "update homeroom_marks set status = 10, note = :note where student_id = :id and date = :day",
            id=id,
            day=DAY,
            note=NOTE,
        )
        school.change("update class_marks set status = 10 where student_id = :id and date = :day", id=id, day=DAY)
    return students


def term_of(school: UpstreamSchool, student: int) -> int:
    query = """select t.id from terms t join academic_years y on y.id = t.academic_year_id
               join year_groups g on g.program_code = y.program_code join students s on s.year_group_id = g.id
               where s.id = :id and :day between t.starts_on and t.ends_on"""
    return int(school.one(query, id=student, day=DAY)[0])


@pytest.fixture
def minimal(school: UpstreamSchool, tmp_path) -> dict[str, Any]:
    profile = tmp_path / "school.toml"
    profile.write_text(PROFILE, "utf-8")
    return {"privacy": "minimal", "profile": profile}


def told_of(words: str) -> list[str]:
    return [canary for canary in (NOTE, COMMENT, LABEL.casefold(), "health") if canary in words.casefold()]


async def test_no_answer_of_any_tool_holds_a_text_or_tells_of_health(school, ill, minimal):
    known = Known.of(school)
    async with school.client(**minimal) as ask:
        read = await answers(ask, [*reads(school, known), *plans(known), ("list_changes", {"limit": 3})])
        for uri in ("attendance://context", "attendance://status-codes"):
            contents = (await ask.client.read_resource(uri)).contents
            read[uri] = "\n".join(one.text for one in contents)
    assert {call: told_of(words) for call, words in read.items() if told_of(words)} == {}
    # Nor does the code tell it, be it of a record or in the list of labels.
    assert {
        call for call, words in read.items() if re.search(r'"(from|to)": 10\b|\b10 (Excused|Unclass)', words)
    } == set()


async def test_without_the_setting_the_same_answers_hold_them_all(school, ill, minimal):
    known = Known.of(school)
    async with school.client(**{**minimal, "privacy": "names"}) as ask:
        read = await answers(ask, reads(school, known)[:16])
    assert {canary for words in read.values() for canary in told_of(words)} >= {
        NOTE,
        COMMENT,
        LABEL.casefold(),
        "health",
    }


async def test_an_endpoint_tool_says_that_there_is_a_text_and_no_person_is_needed_for_it(school, ill, minimal):
    known = Known.of(school)
    async with school.client(**minimal) as ask:
        excusals = await ask.facts("list_student_excusals", student_id=known.excused)
        marks = await ask.facts("get_homeroom_attendance", year_group_id=known.group, detail="full")
        assert f" {LEFT_OUT}" in await ask.text("get_homeroom_attendance", year_group_id=known.group, detail="full")
        assert "⟪" not in await ask.text("list_student_excusals", student_id=known.excused)
        plan = await ask.facts("set_homeroom_attendance", student_id=known.student, date=DAY, status=2)
        done = await apply(ask, plan)  # nobody has read what parents typed
    assert {row["comment"] for row in excusals["excusals"]} == {LEFT_OUT}
    assert {mark.get("note", "") for group in marks["marks"] for mark in group["students"]} == {"", LEFT_OUT}
    assert not done.is_error


async def test_a_mark_of_health_counts_and_reads_as_excused(school, ill, minimal):
    async with school.client(**{**minimal, "privacy": "names"}) as ask:
        apart = (await ask.facts("list_absences"))["counts"]
    async with school.client(**minimal) as ask:
        absences = await ask.facts("list_absences")
        rule = (await ask.facts("list_attendance_concerns"))["rules"]
        adjusted = [
            await ask.text("get_homeroom_adjustments", year_group_id=group, term_id=term_of(school, ill[0]))
            for (group,) in school.rows("select year_group_id from students where id = :id", id=ill[0])
        ]
    assert absences["counts"] == {kind: number for kind, number in apart.items() if kind != "health"} | {
        "excused": apart["health"] + apart["excused"]
    }
    assert apart["health"] >= len(ill)
    assert all("excused" in one for one in rule)
    assert "Excused -2" in adjusted[0]


async def test_a_mark_of_health_is_not_made_nor_overwritten_by_the_label_it_is_told_as(school, ill, minimal):
    other = present(school)[4]
    async with school.client(**minimal) as ask:
        for status in (10, LABEL, LABEL.lower()):
            said = await ask.error("set_homeroom_attendance", student_id=other, date=DAY, status=status)
            assert said.startswith("Marks that tell of somebody's health are neither told nor made here")
            assert said.endswith("Nothing was written.")
        same = await ask.facts("set_homeroom_attendance", student_id=ill[0], date=DAY, status=13)
        noted = await ask.facts("set_homeroom_attendance", student_id=ill[0], date=DAY, status=13, notes="Back at noon")
        await apply(ask, noted)
    assert same == {"summary": "every record already is so.", "already_so": 1}
    assert homeroom(school, ill[0]) == (10, "Back at noon")


async def test_the_person_is_told_what_is_really_done_and_the_way_back_to_health_needs_one(school, ill, minimal):
    asked: list[str] = []

    async def answer(context: Any, params: Any) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action="accept", content={"apply": True})

    async with school.client(**minimal) as ask:
        plan = await ask.facts("set_homeroom_attendance", student_id=ill[0], date=DAY, status=1)
        assert plan["summary"].startswith(f"Mark {named(school, ill[0])} Present on Tue 24 Nov, was Excused")
        await apply(ask, plan)
        undo = await ask.facts("plan_changes", changes=[{"kind": "undo", "confirmation": plan["confirmation"]}])
        assert undo["summary"].startswith(f"Mark {named(school, ill[0])} Excused on Tue 24 Nov, was Present")
        refused = text(await apply(ask, undo))
    assert "A person must agree to this plan (it puts back a mark that its summary does not tell)" in refused
    async with Client(build(school.settings(**minimal)), elicitation_callback=answer) as client:
        done = await apply(Asking(client), undo)
    assert LABEL in asked[0]
    assert told_of(text(done) + json.dumps(done.structured_content)) == []
    assert homeroom(school, ill[0]) == (10, NOTE)
    assert label(school, ill[0], 10) == LABEL


async def test_what_may_be_of_health_is_no_reason_to_propose_an_absence(school, ill, minimal):
    school.change("delete from excusals")
    async with school.client(**minimal) as ask:
        reconciled = await ask.facts("reconcile_homeroom")
    (found,) = [one for one in reconciled["found"] if one["kind"] == ContradictionKind.NO_EXCUSAL]
    assert {row["id"] for row in found["students"]} > set(ill[:2])
    assert [change for change in reconciled.get("changes", []) if change["to"] == 0] == []


async def test_an_excusal_hides_no_mark_so_that_its_confirmation_is_enough(school: UpstreamSchool) -> None:
    family = Family.of(school)
    async with school.client(privacy="minimal") as ask:
        plan = await ask.facts(
            "create_excusal", student_id=family.student, parent_id=family.parent, start_date="tomorrow"
        )
        result = await apply(ask, plan)
    assert result.structured_content is not None
    assert result.structured_content["outcomes"] == {"done": 1}
