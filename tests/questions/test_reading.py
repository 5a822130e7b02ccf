"""The rules for reading: how much is asked, what is kept, what is shared, and when an answer ends."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import pytest
from mcp import Client

from attendance_mcp.school.memory import KEPT_SECONDS, Memory
from attendance_mcp.school.recall import Recall
from attendance_mcp.server import build, open_app
from tests.questions import truth
from tests.questions.filtered import Filtered, filtered
from tests.questions.test_absences import PROFILE, same
from tests.questions.truth import TODAY
from tests.upstream_school import Asking, UpstreamSchool

pytestmark = pytest.mark.anyio
YESTERDAY = "2026-11-23"
KEEPING = ("IB Primary Years", "IB Middle Years", "Cambridge IGCSE")


class Ticking:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Counting:
    """A client that tells what went over the wire for each call."""

    ask: Asking
    way: Filtered

    async def __call__(self, tool: str, **arguments: Any) -> list[str]:
        before = len(self.way.asked)
        await self.ask.facts(tool, **arguments)
        return self.way.asked[before:]


@asynccontextmanager
async def counting(school: UpstreamSchool, *, clock: Callable[[], float] | None = None, **settings: Any):
    """A client of the product whose requests are counted, its memory on a clock of the test's."""
    with filtered(school) as way:
        app = open_app(school.settings(api_url=way.url, **settings))
        app.connection.memory = Memory(clock=clock or time.monotonic)
        async with school.client(app=app, **settings) as ask:
            yield Counting(ask, way)


# --- how much is asked ---


async def test_a_whole_schools_day_of_homeroom_takes_at_most_40_requests_cold_and_15_warm(large):
    """The programmes that keep homeroom; each class of the one that doesn't comes on top."""
    async with counting(large, profile=PROFILE) as count:
        cold, warm = await count("list_absences"), await count("list_absences")
    (classes,) = large.one("select count(*) from classes where program_code = 'dp' and archived = 0")
    for asked, most in ((cold, 40), (warm, 15)):
        of_classes = [path for path in asked if "/classes/" in path]
        assert len(asked) - len(of_classes) <= most
        assert len(of_classes) == len(set(of_classes)) <= classes


@pytest.mark.parametrize("programme", KEEPING)
async def test_a_programme_with_homeroom_is_asked_for_its_year_groups_alone(large, programme):
    async with counting(large, profile=PROFILE) as count:
        cold, warm = [await count("list_absences", group=programme) for _ in range(2)]
    (groups,) = large.one(
        "select count(*) from year_groups g join programs p on p.code = g.program_code where p.name = :name",
        name=programme,
    )
    assert len(cold) <= 40
    assert len(warm) == groups + 1  # each year group, and the excusals
    assert not [path for path in cold if "/classes/" in path]


async def test_names_are_found_without_asking_twice(large):
    async with counting(large) as count:
        cold = await count("find_in_school", names_or_ids=["Grade 7"])
        warm = await count("find_in_school", names_or_ids=["Grade 8", "Term 1", "Zzz Yyy"])
        parents = await count("find_in_school", names_or_ids=["Grade 9"], kind="parent")
    assert len(cold) <= 12
    assert warm == []
    assert set(parents) <= {"/v2p1/parents"}


# --- what is kept ---


async def test_past_days_are_kept_for_ten_minutes_and_today_never(school):
    clock = Ticking()
    async with counting(school, clock=clock) as count:
        await count("list_absences", date=YESTERDAY)
        await count("list_absences", date=TODAY)
        past = await count("list_absences", date=YESTERDAY)
        today = await count("list_absences", date=TODAY)
        clock.now += KEPT_SECONDS - 1
        nearly = await count("list_absences", date=YESTERDAY)
        clock.now += 2
        over = await count("list_absences", date=YESTERDAY)
    assert past == nearly == [f"/v2p1/students/excusals/{YESTERDAY}"]  # excusals of any day may still come
    assert len([path for path in today if "/homeroom/" in path]) == 3
    assert [path for path in today if "/classes/" in path]
    assert len([path for path in over if "/homeroom/" in path]) >= 3
    assert "/v2p1/students" in over


async def test_what_is_shown_of_today_is_what_stands_there_now(school):
    pupil = min(truth.sections(school)["absent", "Absent", False])
    async with school.client() as ask:
        same(await ask.facts("list_absences"), school)
        school.change(
            "update homeroom_marks set status = 1 where student_id = :id and date = :day", id=pupil, day=TODAY
        )
        same(await ask.facts("list_absences"), school)


async def test_a_write_drops_what_it_touched(school):
    pupil = next(id for id, (kind, _) in truth.states(school, YESTERDAY).items() if kind == "present")
    async with school.client() as ask:
        same(await ask.facts("list_absences", date=YESTERDAY), school, YESTERDAY)
        plan = await ask.facts("set_homeroom_attendance", student_id=pupil, date=YESTERDAY, status=0)
        await ask.facts("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
        assert truth.states(school, YESTERDAY)[pupil][0] == "absent"
        same(await ask.facts("list_absences", date=YESTERDAY), school, YESTERDAY)


async def test_the_first_homeroom_mark_of_a_year_group_makes_it_one_that_keeps_homeroom(school):
    pupil = min(id for id, one in truth.pupils(school).items() if one.group == "Grade 10")
    async with school.client() as ask:
        before = await ask.facts("list_absences", group="Grade 10")
        plan = await ask.facts("set_homeroom_attendance", student_id=pupil, date=TODAY, status=0)
        await ask.facts("apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
        after = await ask.facts("list_absences", group="Grade 10")
    assert "told from taken class marks" in str(before["remarks"])
    assert "told from taken class marks" not in str(after.get("remarks"))
    assert after["counts"] == {"absent": 1, "not taken": before["students"] - 1}


# --- what is shared ---


async def test_twenty_who_ask_at_once_cost_no_more_than_one(standing):
    async with counting(standing) as count:
        alone = await count("list_absences")
    answers: list[dict[str, Any]] = []
    async with counting(standing) as crowd:

        async def one() -> None:
            answers.append(await crowd.ask.facts("list_absences"))

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(one)
    assert Counter(crowd.way.asked) == Counter(alone)
    assert len(answers) == 20
    for facts in answers:
        same(facts, standing)


async def test_at_most_eight_requests_are_in_flight(large):
    with filtered(large) as way:
        async with large.client(api_url=way.url, profile=PROFILE) as ask:
            await ask.facts("list_absences")
            await ask.facts("list_absences", start_date="2026-11-12", end_date=TODAY)
    assert 2 <= way.most_in_flight <= 8


async def test_progress_is_told_beyond_five_requests_and_only_grows(large, standing):
    async def heard(school: UpstreamSchool, **arguments: Any) -> list[tuple[float, float | None]]:
        told: list[tuple[float, float | None]] = []

        async def hear(progress: float, total: float | None, message: str | None) -> None:
            told.append((progress, total))

        async with Client(build(school.settings(profile=PROFILE))) as client:
            await client.call_tool("list_absences", arguments, progress_callback=hear)
        return told

    many = await heard(large)
    assert len(many) > 20  # the year groups, then the classes of the programme without homeroom
    assert [done for done, _ in many] == sorted({done for done, _ in many})
    assert all(total is not None and done <= total for done, total in many)
    assert many[-1][0] == many[-1][1]
    assert await heard(standing, group="Grade 8") == []


# --- when it ends ---


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ("/year-groups/22400018/homeroom/attendance/date", "Homeroom of Grade 8"),
        ("/students/excusals", "The excusals of Tue 2026-11-24"),
        ("/teachers", "Teachers' names"),
        ("/calendar", "Whether Tue 2026-11-24 is a school day"),
        ("/attendance_categories", ""),
    ],
)
async def test_an_answer_comes_within_the_deadline_and_names_what_never_came(standing, path, missing):
    with filtered(standing, **{path: None}) as way:
        async with standing.client(api_url=way.url, deadline=0.5, read_timeout=5) as ask:
            began = time.monotonic()
            facts = await ask.facts("list_absences", group="" if missing else "Grade 7")
            assert time.monotonic() - began < 4  # on a busy machine, and below the read's own limit
    if missing:
        (said,) = [line for line in facts["not_read"] if line.startswith(missing)]
        assert "did not answer within 0.5 seconds" in said
    others = [id for id, pupil in truth.pupils(standing).items() if pupil.group in ("Grade 7", "Grade 9")]
    states = truth.states(standing)
    named = {int(id) for part in facts["sections"] for own in part["students"].values() for id in own}
    if "Grade 7" in str(facts["of"]):
        others = [id for id in others if truth.pupils(standing)[id].group == "Grade 7"]
    assert {id for id in others if states[id][0] in truth.TOLD} <= named


async def test_where_nothing_comes_the_answer_is_an_error_in_time(standing):
    with filtered(standing, **{"/v2p1/": None}) as way:
        async with standing.client(api_url=way.url, deadline=0.3, read_timeout=5) as ask:
            began = time.monotonic()
            error = await ask.error("list_absences")
            assert time.monotonic() - began < 4
    assert "did not answer within 0.3 seconds" in error
    assert error.endswith("Nothing was written.")


async def test_a_token_that_is_refused_is_an_error_and_no_gap(standing):
    async with standing.client(api_token="another-token") as ask:
        for tool, arguments in (
            ("list_absences", {}),
            ("find_in_school", {"names_or_ids": ["Grade 7"]}),
            ("get_school_context", {}),
        ):
            error = await ask.error(tool, **arguments)
            assert "token" in error
            assert "another-token" not in error


# --- the memory and the recall alone ---


async def test_who_waits_for_a_read_that_is_cancelled_reads_by_himself():
    memory, begun, reads = Memory(), anyio.Event(), []

    async def never() -> str:
        reads.append("never")
        begun.set()
        await anyio.sleep_forever()
        raise AssertionError

    async def now() -> str:
        reads.append("now")
        return "value"

    async with anyio.create_task_group() as group:
        with anyio.CancelScope() as scope:
            group.start_soon(_cancel_when, begun, scope)
            await memory.get("key", never, keep=True)
        assert await memory.get("key", now, keep=True) == "value"
    assert reads == ["never", "now"]


async def _cancel_when(begun: anyio.Event, scope: anyio.CancelScope) -> None:
    await begun.wait()
    scope.cancel()


async def test_a_read_that_began_before_a_write_is_not_kept():
    memory, release = Memory(), anyio.Event()

    async def slow() -> str:
        await release.wait()
        return "before"

    async def fresh() -> str:
        return "after"

    async with anyio.create_task_group() as group:
        group.start_soon(_get, memory, slow)
        await anyio.wait_all_tasks_blocked()
        memory.drop(lambda key: key == "key")
        assert await memory.get("key", fresh, keep=True) == "after"
        release.set()
    assert memory.peek("key") == "after"


async def _get(memory: Memory, fetch: Callable[[], Any]) -> None:
    assert await memory.get("key", fetch, keep=True) == "before"


async def test_a_failure_is_shared_and_not_kept():
    memory, asked = Memory(), []

    async def fails() -> str:
        asked.append(1)
        await anyio.lowlevel.checkpoint()
        raise LookupError("gone")

    async def one() -> None:
        with pytest.raises(LookupError):
            await memory.get("key", fails, keep=True)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(one)
    assert len(asked) == 1
    await one()
    assert len(asked) == 2


def test_an_earlier_answer_is_remembered_for_twelve_hours_and_only_for_its_question():
    clock = Ticking()
    recall = Recall(clock=clock)
    assert recall.compare("Grade 7", since="", as_of="08:00:00", states={1: "Absent"}) is None
    assert recall.compare("Grade 8", since="08:00:00", as_of="08:01:00", states={}) is None
    assert recall.compare("Grade 7", since=" 08:00:00 ", as_of="08:02:00", states={1: "Late"}) == {1: "Absent"}
    clock.now += 12 * 3600 + 1
    assert recall.compare("Grade 7", since="08:00:00", as_of="20:02:00", states={}) is None


def test_of_two_answers_in_one_second_the_first_is_remembered():
    recall = Recall()
    recall.compare("school", since="", as_of="08:00:00", states={1: "Absent"})
    recall.compare("school", since="", as_of="08:00:00", states={1: "Late"})
    assert recall.compare("school", since="08:00:00", as_of="08:00:05", states={1: "Late"}) == {1: "Absent"}


def test_only_the_latest_fifty_answers_are_remembered():
    recall = Recall()
    for number in range(60):
        recall.compare("school", since="", as_of=f"08:00:{number:02}", states={1: str(number)})
    assert recall.compare("school", since="08:00:05", as_of="09", states={}) is None
    assert recall.compare("school", since="08:00:59", as_of="10", states={}) == {1: "59"}
