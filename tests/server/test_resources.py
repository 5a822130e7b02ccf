"""What a host may attach or suggest before anything is asked: resources, and completions of prompts' arguments."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, PromptReference

from tests.upstream_school import UpstreamSchool, text

pytestmark = pytest.mark.anyio


@pytest.fixture
def school(same_school: UpstreamSchool) -> UpstreamSchool:
    """Nothing here changes the school."""
    return same_school


@pytest.fixture(params=["auto", "legacy"])
def era(request):
    return request.param


async def suggested(ask, prompt: str, argument: str, typed: str = "") -> list[str]:
    given = {"name": argument, "value": typed}
    return (await ask.client.complete(PromptReference(name=prompt), given)).completion.values


async def read(ask, uri: str) -> str:
    (content,) = (await ask.client.read_resource(uri)).contents
    assert content.mime_type == "text/plain"
    return content.text


async def test_the_resources_are_listed_over_stdio_and_name_nobody(school, era):
    async with school.client("stdio", era) as ask:
        listed = (await ask.client.list_resources()).resources
        templates = (await ask.client.list_resource_templates()).resource_templates
    assert [(one.uri, one.title) for one in listed] == snapshot(
        [("attendance://context", "The school at a glance"), ("attendance://status-codes", "Status codes and labels")]
    )
    assert templates == []


async def test_the_context_reads_as_the_tool_answers_it(school, era):
    async with school.client("memory", era) as ask:
        assert await read(ask, "attendance://context") == text(await ask("get_school_context"))


async def test_the_status_codes_are_the_schools_own_labels(school, era):
    async with school.client("http", era) as ask:
        told = await read(ask, "attendance://status-codes")
    assert told.splitlines() == snapshot(
        [
            "-1 Not taken: nobody took the register. It is evidence of nothing, and is never written.",
            "absent: 0 Absent",
            "present: 1 Present, 3 Dress Code (igcse)",
            "late: 2 Late (igcse), 4 Late & Dress Code (myp)",
            "unclassified: 2 Tardy (myp), 3 Present online (myp), 4 Late (igcse), 15 Study leave (igcse), 15 School event (myp), 16 Mock exam (igcse)",
            "left: 5 Dismissed",
            "health: 10 Health",
            "out: 11 Sports, 12 Fieldtrip",
            "excused: 13 Excused",
            "other: 14 Other",
        ]
    )


async def test_another_resource_is_refused_with_those_that_there_are(school, era):
    async with school.client("memory", era) as ask:
        with pytest.raises(MCPError) as refused:
            await ask.client.read_resource("attendance://students/1")
    assert (refused.value.code, refused.value.message) == (
        INVALID_PARAMS,
        "There is no such resource. There are: attendance://context, attendance://status-codes.",
    )


async def test_a_school_that_does_not_answer_is_told_as_such(school, era):
    async with school.client("memory", era, api_token="not-the-token") as ask:
        with pytest.raises(MCPError) as refused:
            await ask.client.read_resource("attendance://context")
        assert await suggested(ask, "who-was-absent", "group", "gr") == []
    assert "not-the-token" not in refused.value.message
    assert refused.value.message == snapshot(
        "The school's API does not allow list_year_groups with this token (401): the token may be wrong, its permissions may not cover this, or the school's Extended APIs package may be off. Ask whoever manages the school's API tokens."
    )


async def test_days_groups_terms_and_students_are_suggested_as_they_are_typed(school, era):
    student, last = school.one(
        "select first_name || ' ' || last_name, last_name from students where archived = 0 order by id"
    )
    async with school.client("memory", era) as ask:
        assert await suggested(ask, "who-was-absent", "date") == snapshot(
            [
                "today",
                "yesterday",
                "2026-11-24",
                "2026-11-23",
                "2026-11-22",
                "2026-11-21",
                "2026-11-20",
                "2026-11-19",
                "2026-11-18",
            ]
        )
        assert await suggested(ask, "who-was-absent", "date", "y") == ["yesterday"]
        assert await suggested(ask, "who-was-absent", "group", "grade") == snapshot(
            [
                "Grade 7",
                "Grade 8",
                "Grade 9",
                "Grade 10",
                "Grade 7 Yichen Shen",
                "Grade 9 Jürgen Hölzl",
                "Grade 8 Callum Ashdown",
                "Grade 10 Aarav Upadhyay",
                "Grade 9 Estêvão Conceição",
                "Grade 7 Theresa Löwenstein",
            ]
        )
        assert await suggested(ask, "parents-meeting", "term") == snapshot(["Term 1", "Term 2", "Term 3", "Term 4"])
        assert student in await suggested(ask, "parents-meeting", "student", last[:4].lower())
        assert await suggested(ask, "draft-excusal", "said", "ill") == []


async def test_one_letter_lists_no_children_and_no_more_than_a_hundred_are_suggested(open_school, era):
    async with open_school("school").client("memory", era) as ask:
        assert await suggested(ask, "parents-meeting", "student", "a") == []
        assert len(await suggested(ask, "who-was-absent", "group")) == 100
