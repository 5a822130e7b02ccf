"""What a writing tool answers, line by line: a plan, and what became of it."""

from __future__ import annotations

from typing import Any

import pytest
from inline_snapshot import snapshot

from attendance_mcp.changes.facts import ChangeGroup, WriteFacts

ROW = ChangeGroup(
    record="homeroom, Tue 2026-11-24", was="Absent", becomes="Tardy", students=["Mia Tanaka", "Noah Okafor"]
)
REFUSED = ChangeGroup(
    record="excusal 77", was="none", becomes="deleted", students=["Mia Tanaka"], outcome="refused", reason="no"
)
PLAN = {"summary": "Mark all.", "confirmation": "ABCDEFGHJK", "expires": "11:04", "changes": [ROW]}
ENDED = {"summary": "Mark all.", "state": "settled", "carried_out": "10:30", "changes": [REFUSED]}


def told(**facts: Any) -> list[str]:
    return list(WriteFacts(**facts).lines())


def test_a_plan_ends_with_how_to_go_on():
    assert told(**PLAN) == snapshot(
        [
            "Plan, nothing is written yet: Mark all.",
            "- homeroom, Tue 2026-11-24: Absent → Tardy (2): Mia Tanaka, Noah Okafor",
            "If the person agrees, call apply_changes with confirmation ABCDEFGHJK and this summary, word for word. It waits until 11:04.",
        ]
    )
    assert told(**PLAN, already_so=2, warnings=["Mind."], fingerprint="AAAAA-BBBBB") == snapshot(
        [
            "Plan, nothing is written yet: Mark all.",
            "- homeroom, Tue 2026-11-24: Absent → Tardy (2): Mia Tanaka, Noah Okafor",
            "Left out: 2 records already so.",
            "Warning: Mind.",
            "Fingerprint of these changes: AAAAA-BBBBB",
            "If the person agrees, call apply_changes with confirmation ABCDEFGHJK and this summary, word for word. It waits until 11:04.",
        ]
    )


def test_where_nothing_is_to_change_nothing_was_written():
    assert told(summary="every record already is so.", already_so=1) == snapshot(
        ["Nothing to change: every record already is so. Nothing was written."]
    )


def test_a_plan_that_is_under_way_is_not_told_as_carried_out():
    assert told(summary="Mark all.", state="applying") == snapshot(
        [
            "This plan is being carried out right now by another call: Mark all. This call wrote nothing; repeat it in a minute for the outcome."
        ]
    )


def test_a_person_of_whom_an_older_store_does_not_say_where_is_a_person():
    first = told(**ENDED, approval="human", outcomes={"done": 1}, read_back=True)[0]
    assert first == "Carried out at 10:30, agreed by a person: 1 done. The records were read back."


@pytest.mark.parametrize(
    ("facts", "lines"),
    [
        (
            {"approval": "token", "outcomes": {"done": 3}, "read_back": True},
            snapshot(
                [
                    "Carried out at 10:30, agreed by its confirmation alone: 3 done. The records were read back.",
                    "- refused: excusal 77: none → deleted: Mia Tanaka — no",
                ]
            ),
        ),
        (
            {"approval": "human", "way": "client", "outcomes": {"done": 1, "unknown": 1}},
            snapshot(
                [
                    "Carried out at 10:30, agreed by a person whom the client asked: 1 done, 1 unknown. Not every record could be read back.",
                    "- refused: excusal 77: none → deleted: Mia Tanaka — no",
                    "Unknown: no answer could be relied on. Read these records before anything is sent again.",
                ]
            ),
        ),
        (
            {"approval": "human", "way": "window", "outcomes": {"unknown": 2}},
            snapshot(
                [
                    "Carried out at 10:30, agreed by a person in the window: 2 unknown. The records could not be read back.",
                    "- refused: excusal 77: none → deleted: Mia Tanaka — no",
                    "Unknown: no answer could be relied on. Read these records before anything is sent again.",
                ]
            ),
        ),
        (
            {"approval": "human", "way": "terminal", "outcomes": {"refused": 1}},
            snapshot(
                [
                    "Carried out at 10:30, agreed by a person at the terminal: 1 refused.",
                    "- refused: excusal 77: none → deleted: Mia Tanaka — no",
                    "The school's system took none of it.",
                ]
            ),
        ),
        (
            {"approval": "token", "outcomes": {"not sent": 2}, "warnings": ["Mind."]},
            snapshot(
                [
                    "Carried out at 10:30, agreed by its confirmation alone: 2 not sent.",
                    "- refused: excusal 77: none → deleted: Mia Tanaka — no",
                    "Warning: Mind.",
                    "Not sent: plan these again to go on.",
                    "Nothing was written.",
                ]
            ),
        ),
        (
            {"approval": "token", "outcomes": {"done": 2, "not sent": 1}},
            snapshot(
                [
                    "Carried out at 10:30, agreed by its confirmation alone: 2 done, 1 not sent.",
                    "- refused: excusal 77: none → deleted: Mia Tanaka — no",
                    "Not sent: plan these again to go on.",
                ]
            ),
        ),
        (
            {"approval": "token", "outcomes": {"refused": 2, "not sent": 1}, "repeated": True},
            snapshot(
                [
                    "Already carried out at 10:30: 2 refused, 1 not sent. This call wrote nothing more.",
                    "- refused: excusal 77: none → deleted: Mia Tanaka — no",
                    "Not sent: plan these again to go on.",
                ]
            ),
        ),
        (
            {"approval": "token", "outcomes": {"done": 1, "unknown": 1}, "repeated": True},
            snapshot(
                [
                    "Already carried out at 10:30: 1 done, 1 unknown. This call wrote nothing more.",
                    "- refused: excusal 77: none → deleted: Mia Tanaka — no",
                    "Unknown: no answer could be relied on. Read these records before anything is sent again.",
                ]
            ),
        ),
    ],
)
def test_an_outcome_says_what_is_known_and_what_is_left_to_do(facts, lines):
    assert told(**ENDED, **facts) == lines


def test_many_students_stand_below_their_row_forty_a_line():
    names = [f"S{number}" for number in range(1, 82)]
    assert list(ROW.model_copy(update={"students": names[:40]}).lines()) == [
        f"- homeroom, Tue 2026-11-24: Absent → Tardy (40): {', '.join(names[:40])}"
    ]
    assert list(REFUSED.model_copy(update={"students": names}).lines()) == [
        "- refused: excusal 77: none → deleted (81) — no:",
        f"  {', '.join(names[:40])}",
        f"  {', '.join(names[40:80])}",
        "  S81",
    ]


def test_rows_that_may_be_cut_stand_last():
    for length, order in ((10_000, ["Plan", "- ho", "If t"]), (10_001, ["Plan", "If t", "- ho"])):
        rest = len("".join(ROW.model_copy(update={"students": [""]}).lines()))
        row = ROW.model_copy(update={"students": ["x" * (length - rest)]})
        assert [line[:4] for line in told(**{**PLAN, "changes": [row]})] == order
