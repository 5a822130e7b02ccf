"""With writes off nothing but GET ever leaves, whatever is called."""

from __future__ import annotations

import pytest

from tests.upstream_school import text

from .examples import WRITING_TOOLS, Known

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("way", "era"), [("memory", "auto"), ("stdio", "auto"), ("http", "legacy")])
async def test_nothing_but_get_leaves_whatever_is_called(school, way, era):
    known = Known.of(school)
    before = school.rows("select * from homeroom_marks"), school.rows("select * from excusals")
    async with school.client(way, era, writes="off", approval="token") as ask:
        for tool, arguments in known.reads().items():
            assert await ask.facts(tool, **arguments)
        for tool, arguments in known.writes().items():
            assert tool in await ask.error(tool, **arguments)
        assert "apply_changes" in await ask.error("apply_changes", confirmation="AAAAAAAAAA", summary="x")
    assert {entry.method for entry in school.log} == {"GET"}
    assert before == (school.rows("select * from homeroom_marks"), school.rows("select * from excusals"))


async def test_a_plan_made_while_writes_were_on_is_not_carried_out_once_they_are_off(school):
    known = Known.of(school)
    async with school.client(approval="token") as ask:
        plan = await ask.facts("set_homeroom_attendance", **known.writes()["set_homeroom_attendance"])
    confirmation = {"confirmation": plan["confirmation"], "summary": plan["summary"]}
    async with school.client(writes="off", approval="token") as ask:
        result = await ask("apply_changes", **confirmation)
    assert result.is_error, text(result)
    assert school.writes == []


async def test_the_school_at_a_glance_says_that_writing_is_off(school):
    async with school.client(writes="off") as ask:
        facts = await ask.facts("get_school_context")
    assert facts["writing"] == "Writing is off here: only reading tools are offered."


def test_the_examples_call_every_tool_that_writes(school):
    assert [*Known.of(school).writes(), "apply_changes"] == WRITING_TOOLS
