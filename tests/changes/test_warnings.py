"""What a person is warned of, in the plan and in the question alike, exactly when it is due; and which texts are shown."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.tiny import AMINA, EMILIE, FEVER, LENA, MATHEMATICS, MIA, NOAH, OMAR
from tests.upstream_school import text

from .offices import Office, founded, no, office, stage, yes
from .playing import Stage
from .ways_to_write import MIAS_NOTE, TODAY

pytestmark = pytest.mark.anyio
__all__ = ["founded", "stage"]

EMPTY = "2025-11-18"  # a Tuesday on which nobody has a mark
PARENTS = "1 mark of Absent made or undone: the school's system may tell the parents."
MARK = "Overwrites 1 mark that somebody made."
NOTE = "Overwrites 1 note that somebody typed."
ERASED = "Erases 1 note that somebody typed."
NAME = "The school's system shows the notice as sent by that parent."
FOR_GOOD = "Deleting is for good: undoing makes a new excusal with a new id."
COMMENT = "The comment that stands there, a parent's own words perhaps, is overwritten."


def mark(student: int, day: str, status: int, **more: Any) -> dict[str, Any]:
    return {"kind": "homeroom", "student_ids": [student], "dates": [day], "status": status, **more}


def of_the_fever(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "student_ids": [MIA], "excusal_id": FEVER, **more}


def excusal(day: str, end: str = "") -> dict[str, Any]:
    return {
        "kind": "new excusal",
        "student_ids": [OMAR],
        "parent_id": AMINA,
        "dates": [day],
        **({"end_date": end} if end else {}),
    }


WARNINGS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a mark where none was": (mark(MIA, EMPTY, 1), []),
    "Absent where none was": (mark(MIA, EMPTY, 0), [PARENTS]),
    "Absent undone": (mark(MIA, TODAY, 1), [PARENTS, MARK]),
    "Absent made of a mark": (mark(EMILIE, TODAY, 0), [PARENTS, MARK]),
    "a note added": (mark(EMILIE, TODAY, 1, notes="Bus 4"), []),
    "a note overwritten": (mark(MIA, TODAY, 0, notes="Ill"), [NOTE]),
    "a note erased": (mark(MIA, TODAY, 0, erase_notes=True), [ERASED]),
    "a mark and its note overwritten": (mark(MIA, TODAY, 1, notes="Ill"), [PARENTS, MARK, NOTE]),
    "a mark of a class": (
        {"kind": "class", "class_id": MATHEMATICS, "student_ids": [MIA], "dates": [TODAY], "periods": [1], "status": 1},
        [PARENTS, MARK],
    ),
    "a code that is disabled": (
        mark(MIA, EMPTY, 4),
        ["Disabled in this school: Tardy.", "What it counts as is not known here: Tardy."],
    ),
    "a code that counts as nothing known": (mark(MIA, EMPTY, 2), ["What it counts as is not known here: Tardy."]),
    "a weekend": (mark(MIA, "2025-11-22", 1), ["No school day: Sat 2025-11-22 (weekend)."]),
    "a holiday": (mark(MIA, "2025-11-20", 1), ["No school day: Thu 2025-11-20 (holiday)."]),
    "a weekend of another programme alone": (mark(NOAH, "2025-11-23", 1), []),
    "30 days back": (mark(MIA, "2025-10-25", 1), ["No school day: Sat 2025-10-25 (weekend)."]),
    "31 days back": (
        mark(MIA, "2025-10-24", 1),
        ["More than 30 days back: Fri 2025-10-24.", "No school day: Fri 2025-10-24 (holiday)."],
    ),
    "a day to come": (mark(MIA, "2025-11-25", 1), ["Still to come: Tue 2025-11-25."]),
    "somebody archived": (mark(LENA, EMPTY, 1), ["Archived: Lena Vogt."]),
    "an excusal in a parent's name": (excusal("2025-11-26"), [NAME]),
    "an excusal of 12 days": (excusal("2025-11-24", "2025-12-05"), [NAME]),
    "an excusal of 13 days": (
        excusal("2025-11-24", "2025-12-06"),
        [NAME, "It covers 13 days; the school's system takes at most 12 and may refuse it."],
    ),
    "an excusal 30 days back": (excusal("2025-10-25", "2025-11-03"), [NAME]),
    "an excusal 31 days back": (excusal("2025-10-24", "2025-11-03"), [NAME, "It begins more than 30 days back."]),
    "an excusal of a holiday": (
        excusal("2025-11-20"),
        [NAME, "No day of it is a school day: Thu 2025-11-20."],
    ),
    "an excusal of a weekend": (
        excusal("2025-11-29", "2025-11-30"),
        [NAME, "No day of it is a school day: Sat 2025-11-29 to Sun 2025-11-30."],
    ),
    "an excusal over a weekend": (excusal("2025-11-28", "2025-11-30"), [NAME]),
    "an excusal's end altered": (of_the_fever("alter excusal", end_date="2025-11-26"), []),
    "an excusal's comment altered": (of_the_fever("alter excusal", comment="Ill"), [COMMENT]),
    "an excusal deleted": (of_the_fever("delete excusal"), [FOR_GOOD]),
}


@pytest.mark.parametrize(("item", "due"), WARNINGS.values(), ids=WARNINGS)
async def test_a_warning_is_told_exactly_when_it_is_due(stage: Stage, item: dict[str, Any], due: list[str]) -> None:
    async with office(stage, "auto", no) as at:
        plan = await at.ask.facts("plan_changes", changes=[item])
        question = await asked(at, plan)
    assert plan.get("warnings", []) == due
    assert [line for line in question if line.startswith("Warning: ")] == [f"Warning: {warning}" for warning in due]


async def asked(at: Office, plan: dict[str, Any]) -> list[str]:
    """The question about the plan, in lines, when it was answered."""
    await at.ask("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
    return at.questions[-1].splitlines()


async def test_deleting_warns_of_a_day_long_ago_and_of_somebody_archived_too(stage: Stage) -> None:
    stage.change(f"update excusals set start_date = '2025-10-24', student_id = {LENA}")
    item = {"kind": "delete excusal", "student_ids": [LENA], "excusal_id": FEVER}
    async with office(stage, "auto", yes) as at:
        plan = await at.ask.facts("plan_changes", changes=[item])
    assert plan["warnings"] == [FOR_GOOD, "It begins more than 30 days back.", "Lena Vogt is archived."]


async def test_many_of_one_kind_are_counted_and_told_once(stage: Stage) -> None:
    items = [
        mark(MIA, TODAY, 1),
        mark(EMILIE, TODAY, 0),
        mark(OMAR, TODAY, 0),
        *(mark(OMAR, f"2025-11-{n}", 1) for n in (15, 16, 22)),
    ]
    async with office(stage, "auto", yes) as at:
        plan = await at.ask.facts("plan_changes", changes=items)
    assert plan["warnings"] == [
        "3 marks of Absent made or undone: the school's system may tell the parents.",
        "Overwrites 2 marks that somebody made.",
        "No school day: Sat 2025-11-15 (weekend), Sun 2025-11-16 (weekend), Sat 2025-11-22 (weekend).",
    ]


UNSENT = "Undoing unsends nothing: parents whom the school's system has told stay told."
AGAIN = "The excusal gets its former end and comment again."


@pytest.mark.parametrize(
    ("made", "comment", "due"),
    [
        (mark(MIA, TODAY, 1), "Fever", [UNSENT, PARENTS, MARK]),
        (excusal("2025-11-26"), "Fever", ["The excusal that the plan made is deleted for good.", UNSENT]),
        (
            of_the_fever("delete excusal"),
            "Fever",
            ["A deleted excusal is made anew, with a new id, and shown as sent by that parent.", UNSENT],
        ),
        (of_the_fever("alter excusal", end_date="2025-11-26"), "Fever", [AGAIN, UNSENT]),
        (of_the_fever("alter excusal", comment="Ill"), "Fever", [AGAIN, COMMENT, UNSENT]),
        (of_the_fever("alter excusal", comment="Ill"), None, [AGAIN, COMMENT.replace("overwritten", "erased"), UNSENT]),
    ],
    ids=["a mark", "a new excusal", "a deletion", "an end", "a comment", "a comment where none was"],
)
async def test_the_way_back_warns_of_what_it_does_itself(
    stage: Stage, made: dict[str, Any], comment: str | None, due: list[str]
) -> None:
    stage.change("update excusals set comment = :comment", comment=comment)
    async with office(stage, "auto", policy="token") as at:
        plan = await at.ask.facts("plan_changes", changes=[made])
        await at.ask.facts("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
        back = await at.ask.facts("plan_changes", changes=[{"kind": "undo", "confirmation": plan["confirmation"]}])
    assert back["warnings"] == due


# --- which texts are shown ---

WHOLE = ("A note of just 500 characters, told whole: " + "word " * 100)[:499] + "!"
PLACES: dict[str, tuple[str, dict[str, Any], str]] = {
    "homeroom": ("set_homeroom_attendance", {"student_id": MIA, "date": TODAY, "status": 1}, "notes"),
    "a new excusal": (
        "create_excusal",
        {"student_id": OMAR, "parent_id": AMINA, "start_date": "2025-11-26"},
        "comment",
    ),
    "an altered excusal": ("update_excusal", {"student_id": MIA, "excusal_id": FEVER}, "comment"),
}
ITEMS: dict[str, dict[str, Any]] = {
    "homeroom": mark(MIA, TODAY, 1),
    "class": {
        "kind": "class",
        "class_id": MATHEMATICS,
        "student_ids": [MIA],
        "dates": [TODAY],
        "periods": [1],
        "status": 1,
    },
    "new excusal": excusal("2025-11-26"),
    "alter excusal": of_the_fever("alter excusal"),
}


def planning(place: str, words: str) -> tuple[str, dict[str, Any]]:
    """A call that plans to write these words there."""
    if place in PLACES:
        tool, arguments, name = PLACES[place]
        return tool, {**arguments, name: words}
    if place == "class register":
        row = {"student_id": MIA, "date": TODAY, "period": 1, "status": 1, "notes": words}
        return "set_class_attendance", {"class_id": MATHEMATICS, "marks": [row]}
    item = ITEMS[place.removeprefix("item, ")]
    return "plan_changes", {"changes": [{**item, ("comment" if "excusal" in place else "notes"): words}]}


EVERY_PLACE = pytest.mark.parametrize("place", [*PLACES, "class register", *(f"item, {kind}" for kind in ITEMS)])


@EVERY_PLACE
async def test_what_will_be_written_is_shown_whole_and_quoted_up_to_500_characters(stage: Stage, place: str) -> None:
    tool, arguments = planning(place, WHOLE)
    async with office(stage, "auto", yes) as at:
        result = await at.ask(tool, **arguments)
        question = await asked(at, result.structured_content)
    assert f"“{WHOLE}”" in result.structured_content["changes"][0]["becomes"]
    assert all(f"“{WHOLE}”" in told for told in (text(result), question[0], question[1]))
    written = [str(entry.body) for entry in stage.log.writes()]
    assert len(written) == 1
    assert WHOLE in written[0]


@EVERY_PLACE
async def test_a_text_of_501_characters_is_refused(stage: Stage, place: str) -> None:
    tool, arguments = planning(place, WHOLE + "!")
    async with office(stage, "auto", yes) as at:
        told = text(await at.ask(tool, **arguments))
    assert "at most 500 characters on one line can be written. Nothing was written." in told
    assert WHOLE[:40] not in told
    assert stage.planned() == []


@pytest.mark.parametrize(
    ("item", "was", "becomes"),
    [
        (mark(MIA, TODAY, 1), "Absent with a note of 17 characters", "Present, note kept"),
        (mark(MIA, TODAY, 0, erase_notes=True), "Absent with a note of 17 characters", "Absent, note erased"),
        (
            mark(MIA, TODAY, 0, notes="Ill"),
            "Absent with a note of 17 characters",
            "Absent, note “Ill” in its place",
        ),
        (
            of_the_fever("alter excusal", end_date="2025-11-26"),
            "Mon 24 Nov to Tue 25 Nov, in the name of Rin Tanaka, a comment of 5 characters",
            "Mon 24 Nov to Wed 26 Nov, in the name of Rin Tanaka, the comment kept",
        ),
        (
            of_the_fever("delete excusal"),
            "Mon 24 Nov to Tue 25 Nov, in the name of Rin Tanaka, a comment of 5 characters",
            "deleted",
        ),
    ],
    ids=["a note kept", "a note erased", "a note overwritten", "a comment kept", "a comment deleted"],
)
async def test_of_a_text_that_stood_there_only_its_length_is_told(
    stage: Stage, item: dict[str, Any], was: str, becomes: str
) -> None:
    """In the plan, the question, the outcome and the journal, and so for its way back."""
    async with office(stage, "auto", yes) as at:
        plan = await at.ask("plan_changes", changes=[item])
        facts = plan.structured_content
        done = await at.ask("apply_changes", confirmation=facts["confirmation"], summary=facts["summary"])
        back = await at.ask("plan_changes", changes=[{"kind": "undo", "confirmation": facts["confirmation"]}])
        question = await asked(at, back.structured_content)
        listed = await at.ask("list_changes", limit=3)
    assert [(row["was"], row["becomes"]) for row in facts["changes"]] == [(was, becomes)]
    told = [str(result) for result in (plan, done, back, listed)] + [*at.questions, *question]
    assert not [one for one in told if MIAS_NOTE in one or "Fever" in one]


# --- a long plan ---

LONG = ["2025-11-03", "2025-11-04", "2025-11-05", "2025-11-06", "2025-11-07", "2025-11-12", "2025-11-13"]


async def test_a_question_shows_twenty_changes_one_by_one_and_groups_more_of_them_under_a_fingerprint(
    stage: Stage,
) -> None:
    of_all = {"kind": "homeroom", "student_ids": [MIA, EMILIE, OMAR], "dates": LONG[:6], "status": 1}
    twenty = [of_all, {**of_all, "student_ids": [MIA, OMAR], "dates": LONG[6:]}]
    async with office(stage, "auto", yes) as at:
        short = await at.ask.facts("plan_changes", changes=twenty)
        one_by_one = await asked(at, short)
        stage.change("delete from homeroom_marks where note is null")
        long = await at.ask.facts("plan_changes", changes=[{**of_all, "dates": LONG}])
        grouped = await asked(at, long)
    assert "fingerprint" not in short
    assert len([line for line in one_by_one if line.startswith("- ")]) == 20
    assert one_by_one[1] == "- Mia Tanaka (Grade 8): homeroom, Mon 2025-11-03: not taken → Present"
    assert [line for line in grouped if line.startswith("- ")] == [
        f"- {'; '.join(row['record'] for row in long['changes'])}: not taken → Present (3 students)"
    ]
    assert grouped[2] == f"Fingerprint of all 21 changes: {long['fingerprint']}"
