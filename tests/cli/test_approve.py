"""`attendance-mcp approve`: a person at a terminal reads a waiting plan, and only their own answer carries it out."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.changes.errands import absent, homeroom, label, named, plans_of, present
from tests.upstream_school import UpstreamSchool

from .shell import command
from .terminal import CTRL_C, CTRL_D, Terminal, terminal

QUESTION = "Type yes to write these changes, or no to discard the plan: "
COUNT = "Type how many excusals are deleted to write these changes, or no to discard the plan: "
DAY = "2026-11-24"


def planned(school: UpstreamSchool, *items: dict[str, object]) -> dict[str, object]:
    """A plan that waits, made by another process than the one that asks."""
    done = command("call", "plan_changes", json.dumps({"changes": items}), "--json", settings=school.environment())
    return dict(json.loads(done.stdout))


def late(*students: int, **more: object) -> dict[str, object]:
    return {"kind": "homeroom", "student_ids": list(students), "dates": [DAY], "status": 2, **more}


def state(school: UpstreamSchool) -> tuple[str, str]:
    with plans_of(school) as store:
        return tuple(store.execute("select state, approval from plans").fetchone())


def approve(school: UpstreamSchool, *arguments: str, anew: bool = False, **settings: str):
    return terminal("approve", *arguments, environment=school.environment(**settings), anew=anew)


def ended(at: Terminal, last: str) -> int:
    status = at.end()
    assert at.screen.rstrip().splitlines()[-1].startswith(last), at.screen
    return status


def test_a_yes_carries_out_what_was_shown_and_prints_each_outcome(school):
    student = absent(school)[0]
    late_here = label(school, student, 2)
    plan = planned(school, late(student, notes="Bus 4"))
    with approve(school, str(plan["confirmation"]), anew=True) as at:
        at.wait_for(QUESTION)
        assert str(plan["summary"]) in at.screen
        assert f"- {named(school, student)}: homeroom, Tue {DAY}: Absent → {late_here}, note “Bus 4”" in at.screen
        assert school.writes == []
        at.type("yes\n")
        assert ended(at, f"- done: homeroom, Tue {DAY}: Absent → {late_here}, note “Bus 4”: ") == 0
    assert "agreed by a person at the terminal: 1 done. The records were read back." in at.screen
    assert homeroom(school, student) == (2, "Bus 4")
    assert state(school) == ("settled", "human terminal")
    assert len(school.writes) == 1


def test_without_a_code_it_lists_what_waits_and_asks_which(school):
    one, other = absent(school)[:2]
    planned(school, late(one))
    plan = planned(school, late(other))
    with approve(school) as at:
        at.wait_for("Which plan? Type its code: ")
        assert named(school, one) in at.screen and str(plan["summary"]) in at.screen
        at.type(f"{str(plan['confirmation']).lower()}\n")
        at.wait_for(QUESTION)
        at.type("yes\n")
        assert at.end() == 0
    assert (homeroom(school, one), homeroom(school, other)) == ((0, None), (2, None))


def test_every_change_of_a_long_plan_is_shown(school):
    students = present(school)[:23]
    plan = planned(school, late(*students))
    with approve(school, str(plan["confirmation"])) as at:
        at.wait_for(QUESTION)
        assert all(f"- {named(school, student)}" in at.screen for student in students)
        at.type("no\n")
        at.end()


def test_a_no_discards_the_plan(school):
    plan = planned(school, late(absent(school)[0]))
    with approve(school, str(plan["confirmation"])) as at:
        at.wait_for(QUESTION)
        at.type("no\n")
        assert ended(at, "The plan is discarded. Nothing was written.") == 1
    assert state(school)[0] == "discarded"
    with approve(school, str(plan["confirmation"])) as at:
        assert ended(at, "attendance-mcp: This plan was declined.") == 2
    assert school.writes == []


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D], ids=["Ctrl+C", "Ctrl+D"])
def test_whoever_leaves_the_question_leaves_the_plan_waiting(school, key):
    plan = planned(school, late(absent(school)[0]))
    with approve(school, str(plan["confirmation"]), anew=True) as at:
        at.wait_for(QUESTION)
        at.type(key)
        assert ended(at, "No answer. Nothing was written, and the plan goes on waiting.") == 1
    assert "Traceback" not in at.screen
    assert state(school) == ("waiting", "none")
    assert school.writes == []


def test_what_was_typed_before_the_question_is_no_answer(school):
    plan = planned(school, late(absent(school)[0]))
    with approve(school, str(plan["confirmation"])) as at:
        at.type("yes\n")
        at.wait_for(QUESTION)
        at.type(CTRL_D)
        assert ended(at, "No answer. Nothing was written, and the plan goes on waiting.") == 1
    assert state(school) == ("waiting", "none")
    assert school.writes == []


@pytest.mark.parametrize("typed", ["", "y", "yes please", "ja", "1"])
def test_anything_but_the_whole_word_is_asked_again(school, typed):
    plan = planned(school, late(absent(school)[0]))
    with approve(school, str(plan["confirmation"])) as at:
        at.wait_for(QUESTION)
        at.type(f"{typed}\n")
        at.wait_for(f"{QUESTION}{typed}\n{QUESTION}")
        assert state(school) == ("waiting", "none")
    assert school.writes == []


def test_a_deletion_wants_the_number_of_deletions(school):
    excusal, student = school.one("select id, student_id from excusals order by id")
    plan = planned(school, {"kind": "delete excusal", "student_ids": [student], "excusal_id": excusal})
    with approve(school, str(plan["confirmation"])) as at:
        at.wait_for(COUNT)
        for wrong in ("yes", "2"):
            at.type(f"{wrong}\n")
            at.wait_for(f"{COUNT}{wrong}\n{COUNT}")
        assert school.writes == []
        at.type("1\n")
        assert at.end() == 0
    assert school.rows("select 1 from excusals where id = :id", id=excusal) == []


def test_a_name_cannot_steer_the_terminal(school):
    student = absent(school)[0]
    name = "Mia\x1b[2J\x1b]0;owned\x07\u202eTanaka\r"
    school.change("update students set first_name = :name where id = :id", name=name, id=student)
    plan = planned(school, late(student))
    with approve(school, str(plan["confirmation"])) as at:
        at.wait_for(QUESTION)
        at.type("yes\n")
        assert at.end() == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(at.screen)
    assert "\r" not in at.screen


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("set caller = 'somebody else'", "No plan of yours has this confirmation."),
        ("set school = 'https://another.example.invalid'", "No plan of yours has this confirmation."),
        (
            "set expires = strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now', '-1 minute')",
            "This plan has expired, and nothing was written.",
        ),
        ("set state = 'stale'", "This plan is stale: a record had changed since it was made."),
    ],
)
def test_a_plan_that_is_not_the_persons_to_agree_to_is_told_as_what_it_is(school, change, told):
    plan = planned(school, late(absent(school)[0]))
    with plans_of(school) as store:
        store.execute(f"update plans {change}")
    with approve(school, str(plan["confirmation"])) as at:
        assert ended(at, f"attendance-mcp: {told}") == 2
    with approve(school) as at:
        assert ended(at, "No plan of yours waits.") == 1
    assert school.writes == []


def test_a_settled_plan_tells_what_became_of_it_and_writes_nothing_more(school):
    plan = planned(school, late(absent(school)[0]))
    for expected in (0, 1):
        with approve(school, str(plan["confirmation"])) as at:
            if not expected:
                at.wait_for(QUESTION)
                at.type("yes\n")
            assert at.end() == expected
    assert "Already carried out at " in at.screen
    assert len(school.writes) == 1


def test_a_plan_that_was_cut_off_is_settled_and_told(school):
    plan = planned(school, late(absent(school)[0]))
    with plans_of(school) as store:
        store.execute("update plans set state = 'applying', approval = 'token', lease_until = '2026-01-01'")
    with approve(school, str(plan["confirmation"])) as at:
        assert ended(at, "Not sent: plan these again to go on.") == 1
    assert state(school) == ("settled", "token")
    assert school.writes == []


def test_a_plan_that_ended_while_the_person_read_can_no_longer_be_discarded(school):
    plan = planned(school, late(absent(school)[0]))
    with approve(school, str(plan["confirmation"])) as at:
        at.wait_for(QUESTION)
        with plans_of(school) as store:
            store.execute("update plans set state = 'stale'")
        at.type("no\n")
        assert (
            ended(at, f"attendance-mcp: The plan no longer waits: attendance-mcp approve {plan['confirmation']}") == 2
        )


def test_a_record_that_moved_while_the_person_read_is_not_written(school):
    student = absent(school)[0]
    plan = planned(school, late(student))
    with approve(school, str(plan["confirmation"])) as at:
        at.wait_for(QUESTION)
        school.change("update homeroom_marks set status = 3 where student_id = :id and date = :d", id=student, d=DAY)
        at.type("yes\n")
        assert ended(at, "attendance-mcp: Changed in the school's system since the plan: ") == 2
    assert school.writes == []


def test_an_answer_that_comes_from_no_terminal_is_none(school):
    plan = planned(school, late(absent(school)[0]))
    line = [sys.executable, "-m", "attendance_mcp", "approve", str(plan["confirmation"])]
    done = subprocess.run(line, input="yes\n", env=school.environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "attendance-mcp: approve asks a person, so it takes its answer from a terminal only. Nothing was written.\n"
    )
    assert state(school) == ("waiting", "none")


def test_with_writes_off_nothing_can_be_approved(school):
    with approve(school, "K7Q2M9XW4B", writes="off") as at:
        assert ended(at, "attendance-mcp: Writing is off here (ATTENDANCE_WRITES=off)") == 2
