"""Each prompt, played by a client that does what its text says, on a real school."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.questions import truth
from tests.questions.test_absences import PROFILE
from tests.questions.truth import TODAY
from tests.upstream_school import Asking, UpstreamSchool

pytestmark = pytest.mark.anyio
Facts = dict[str, Any]


@dataclass
class Player:
    """A client that has been given a prompt's text."""

    school: UpstreamSchool
    ask: Asking
    text: str
    called: list[str] = field(default_factory=list)

    async def __call__(self, tool: str, **arguments: Any) -> Facts:
        assert tool in self.text, f"the prompt doesn't name {tool}"
        self.called.append(tool)
        return await self.ask.facts(tool, **arguments)

    async def apply(self, plan: Facts) -> Facts:
        return await self("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])


Play = Callable[[Player], Awaitable[None]]


async def who_was_absent(player: Player) -> None:
    assert "on this day: today, in this group: the whole school" in player.text
    facts = await player("list_absences", date="today", group="the whole school")
    assert facts["day"] == "Tue 2026-11-24"
    assert truth.told(facts) == truth.sections(player.school, profile=truth.PROFILE)


async def missing_registers(player: Player) -> None:
    assert "on this day: today, in this group: Grade 7" in player.text
    facts = await player("list_missing_registers", date="today", group="Grade 7")
    assert "Theresa Löwenstein" in str(facts)  # whose homeroom nobody has marked


async def parents_meeting(player: Player) -> None:
    assert "meet the parents of Georgia Featherstone. What does the attendance of the current term say?" in player.text
    facts = await player("get_student_attendance", student="Georgia Featherstone", term="the current term")
    assert "Georgia Featherstone" in str(facts)


async def weekly_concerns(player: Player) -> None:
    assert "for this group: the whole school" in player.text
    assert "with the threshold 90" in player.text
    concerns = await player("list_attendance_concerns", term="current", threshold=90, group="the whole school")
    assert concerns
    facts = await player(
        "list_absences", start_date="2026-11-18", end_date="today", group="the whole school", unexplained_only=True
    )
    assert all(set(row["days"]) == {"Absent"} for row in facts["rows"])


async def reconcile_homeroom(player: Player) -> None:
    """The school has a student who is absent in homeroom and present in class afterwards."""
    facts = await player("reconcile_homeroom", date=TODAY, group="Grade 9")
    (change,) = [one for one in facts["changes"] if "class_id" not in one][:1]
    plan = await player("set_homeroom_attendance", student_id=change["student_id"], date=TODAY, status=change["to"])
    await player.apply(plan)
    assert truth.homeroom(player.school, TODAY)[change["student_id"]] == change["to"]
    id, class_id, period = player.school.one(
        "select student_id, class_id, period from class_marks where date = :day and status = 1 order by 1, 2", day=TODAY
    )
    mark = {"student_id": id, "date": TODAY, "period": period, "status": 2}
    await player.apply(await player("set_class_attendance", class_id=class_id, marks=[mark]))
    query = "select status from class_marks where student_id = :id and class_id = :class_id and date = :day and period = :period"
    assert player.school.one(query, id=id, class_id=class_id, day=TODAY, period=period) == (2,)


async def draft_excusal(player: Player) -> None:
    assert "Georgia Featherstone will be away, from 2026-11-26 to 2026-11-27." in player.text
    assert "“Down with a cold, back on Monday.”" in player.text
    (student,) = (await player("find_in_school", names_or_ids=["Georgia Featherstone"]))["found"]
    existing = await player("list_student_excusals", student_id=student["id"])
    assert not [row for row in existing.get("excusals", []) if row["end"] >= "2026-11-26"]
    parent = int(next(iter(student["parents"])))
    plan = await player(
        "plan_changes",
        changes=[
            {
                "kind": "new excusal",
                "student_ids": [student["id"]],
                "parent_id": parent,
                "dates": ["2026-11-26"],
                "end_date": "2026-11-27",
                "comment": "Down with a cold, back on Monday.",
            }
        ],
    )
    assert not player.school.writes
    await player.apply(plan)
    row = player.school.one(
        "select student_id, parent_id, start_date, end_date, comment from excusals order by id desc limit 1"
    )
    assert row == (student["id"], parent, "2026-11-26", "2026-11-27", "Down with a cold, back on Monday.")


PLAYS: dict[str, tuple[Play, dict[str, str]]] = {
    "draft-excusal": (
        draft_excusal,
        {
            "student": "Georgia Featherstone",
            "said": "Down with a cold, back on Monday.",
            "start": "2026-11-26",
            "end": "2026-11-27",
        },
    ),
    "missing-registers": (missing_registers, {"group": "Grade 7"}),
    "parents-meeting": (parents_meeting, {"student": "Georgia Featherstone"}),
    "reconcile-homeroom": (reconcile_homeroom, {"date": TODAY, "group": "Grade 9"}),
    "weekly-concerns": (weekly_concerns, {}),
    "who-was-absent": (who_was_absent, {}),
}


def tools_named(text: str) -> list[str]:
    """The tools that a text tells to call, in its order."""
    told = re.findall(r"[Cc]all ((?:[a-z]+(?:_[a-z]+)+)(?: or [a-z]+(?:_[a-z]+)+)?)|with (apply_changes)", text)
    return list(dict.fromkeys(name for found in told for part in found if part for name in part.split(" or ")))


def contradict(school: UpstreamSchool) -> None:
    """Makes a student of Grade 9 absent in homeroom today, whom every class marks as present."""
    (pupil,) = school.one(
        """select m.student_id from class_marks m join students s on s.id = m.student_id
           join homeroom_marks h on h.student_id = m.student_id and h.date = m.date
           where m.date = :day and s.year_group_id = 22400031 and h.status = 1
           group by 1 having min(m.status) = 1 and max(m.status) = 1 order by 1 limit 1""",
        day=TODAY,
    )
    school.change("update homeroom_marks set status = 0 where student_id = :id and date = :day", id=pupil, day=TODAY)


async def test_there_is_a_play_of_every_prompt(standing):
    async with standing.client() as ask:
        assert {prompt.name for prompt in (await ask.client.list_prompts()).prompts} == set(PLAYS)


@pytest.mark.parametrize("name", sorted(PLAYS))
async def test_a_prompt_can_be_played_as_it_says(school, name):
    play, arguments = PLAYS[name]
    contradict(school)
    async with school.client(profile=PROFILE, approval="token") as ask:
        text = (await ask.client.get_prompt(name, arguments)).messages[0].content.text
        assert not re.search(r"\{\w+\}", text)
        known = {tool.name for tool in (await ask.client.list_tools()).tools}
        named = tools_named(text)
        assert named
        assert set(named) <= known
        player = Player(school, ask, text)
        await play(player)
    assert list(dict.fromkeys(player.called)) == sorted(named, key=player.called.index)
    assert set(player.called) == set(named)


@pytest.mark.parametrize("name", sorted(PLAYS))
async def test_without_writes_every_reading_step_of_a_prompt_still_stands(standing, name):
    async with standing.client(writes="off") as ask:
        text = (await ask.client.get_prompt(name, PLAYS[name][1])).messages[0].content.text
        known = {tool.name for tool in (await ask.client.list_tools()).tools}
    writing = {"plan_changes", "set_homeroom_attendance", "set_class_attendance", "apply_changes"}
    assert set(tools_named(text)) - writing <= known
    assert not known & writing
