"""What people typed changes nothing but its own fields: two schools that differ in it alone are told alike."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import terminal
from tests.tools.examples import Known
from tests.upstream_school import Asking, UpstreamSchool
from tests.window.conftest import Browser, browser

from .corpus import CANARY
from .twins import DAYS, TEXTS, Twins, at_a_desktop, page_of, questions, told

pytestmark = pytest.mark.anyio
__all__ = ["browser"]
Arguments = dict[str, Any]


@pytest.fixture(scope="module")
def twins(school_files: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    with Twins.open(school_files(), tmp_path_factory.mktemp("twins")) as twins:
        yield twins
        assert [school.writes for school in twins.schools] == [[], []]


def of_marks(school: UpstreamSchool, *days: str) -> Arguments:
    """Every homeroom mark of these days that has a text as its note, to be Late."""
    query = "select student_id from homeroom_marks where date = :day and status <> 2 order by student_id"
    return {
        "changes": [
            {
                "kind": "homeroom",
                "student_ids": [id for (id,) in school.rows(query, day=day)],
                "dates": [day],
                "status": 2,
            }
            for day in days
        ]
    }


def errands(twins: Twins) -> dict[str, Arguments]:
    """Two plans: each text as the note of a mark; some as comments too, that go or are replaced."""
    kinds = [{"kind": "delete excusal"}] * 20 + [{"kind": "alter excusal", "comment": "At the dentist's"}] * 20
    excusals = [
        {"student_ids": [student], "excusal_id": excusal, **kind}
        for (student, excusal), kind in zip(twins.excusals, kinds, strict=False)
    ]
    marks = of_marks(twins.schools[0], DAYS[-1])["changes"]
    return {
        "marks of five days": of_marks(twins.schools[0], *DAYS),
        "a bit of everything": {"changes": [{**marks[0], "notes": "Bus 4"}, *excusals]},
    }


async def test_every_answer_of_a_reading_tool_is_the_same_but_between_the_fences(twins, caplog):
    caplog.set_level(logging.DEBUG, "attendance_mcp")
    known = Known.of(twins.schools[0])
    calls = [
        *known.reads().items(),
        *(("list_excusals", {"date": day}) for day in DAYS),
        *(("list_absences", {"date": day, "detail": "full"}) for day in DAYS),
        *(
            ("list_student_excusals", {"student_id": twins.student, "per_page": 40, "page": 1 + page})
            for page in range(8)
        ),
        ("get_student_attendance", {"student": str(twins.student)}),
        ("get_homeroom_attendance", {"year_group_id": known.group, "date": DAYS[0], "detail": "full"}),
    ]
    answers = []
    for school in twins.schools:
        async with school.client() as ask:
            answers.append([(name, arguments, told(await ask(name, **arguments))) for name, arguments in calls])
    hostile, harmless = answers
    assert hostile == harmless
    assert all(CANARY not in answer.casefold() for _, _, answer in hostile)
    assert sum("⟪⟫" in answer for _, _, answer in hostile) > 10
    assert CANARY not in caplog.text.casefold()


async def test_tools_prompts_and_resources_are_the_same(twins):
    lists = []
    for school in twins.schools:
        async with school.client() as ask:
            client = ask.client
            resources = (await client.list_resources()).resources
            lists.append(
                [
                    await client.list_tools(),
                    await client.list_prompts(),
                    resources,
                    client.instructions,
                    *[await client.read_resource(resource.uri) for resource in resources],
                ]
            )
    assert lists[0] == lists[1]
    assert CANARY not in str(lists[0]).casefold()


async def test_every_plan_and_the_question_about_it_are_the_same(twins):
    seen = []
    for school in twins.schools:
        async with questions(school) as person:
            plans = {name: await person.ask("plan_changes", **wanted) for name, wanted in errands(twins).items()}
            asked = {name: await person.about(plan.structured_content) for name, plan in plans.items()}
            seen.append({name: told(plan, asked[name]) for name, plan in plans.items()})
    assert seen[0] == seen[1]
    whole = str(seen[0])
    assert CANARY not in whole.casefold()
    assert "⟪" not in whole
    assert whole.count(" with a note of ") > 50 and whole.count(" a comment of ") > 30


async def test_the_page_of_the_window_is_the_same(twins, browser: Browser):
    for name, wanted in errands(twins).items():

        async def make(ask: Asking, wanted: Arguments = wanted) -> Arguments:
            return await ask.facts("plan_changes", **wanted)

        pages = [await page_of(school, browser, make) for school in twins.schools]
        assert without_secrets(pages[0]) == without_secrets(pages[1]), name
        assert CANARY not in str(pages[0]).casefold()


async def test_the_sheets_in_the_persons_browser_are_the_same(twins, browser: Browser):
    known = Known.of(twins.schools[0])
    sheets = [
        {"view": "register", "group": known.group_name, "date": DAYS[-1]},
        {"view": "register", "date": DAYS[0]},
        {"view": "term", "student": str(twins.student)},
        {"view": "term", "group": known.group_name},
        {"view": "changes"},
    ]
    seen = []
    for school in twins.schools:
        async with at_a_desktop(school) as (ask, desktop):
            plan = await ask.facts("plan_changes", **errands(twins)["a bit of everything"])
            seen.append([])
            for sheet in sheets:
                result = await ask("show_in_window", **sheet)
                page = (await browser.open(desktop.address)).text
                seen[-1].append(without_secrets((page, result)))
                assert CANARY not in f"{page} {result}".casefold()
    assert seen[0] == seen[1]
    assert told(plan["summary"]) in unescape(seen[0][-1])


def without_secrets(page: tuple[str, Any]) -> str:
    """A page's tickets, addresses and codes are new each time."""
    return told(re.sub(r'(value|action|href|src|nonce|content)="[^"]*"', "", page[0]), page[1])


async def test_the_terminal_shows_the_same_and_is_not_steered(twins):
    screens = []
    for school in twins.schools:
        async with school.client() as ask:
            plan = await ask.facts("plan_changes", **of_marks(school, *DAYS))
        with terminal("approve", plan["confirmation"], environment=school.environment()) as at:
            at.wait_for("or no to discard the plan: ")
            at.type("no\n")
            assert at.end() == 1
            screens.append(told(at.screen))
    assert screens[0] == screens[1]
    assert screens[0].count(" with a note of ") == screens[0].count("\n- ") > len(TEXTS)
    assert not [char for char in screens[0] if char < " " and char != "\n"]
    assert CANARY not in screens[0].casefold()
