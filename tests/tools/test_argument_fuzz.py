"""Any arguments, of a tool's schema and outside it: a clear answer, only the endpoints' own paths, and never a write.

The strategies are made of the published schemas, with what attackers and careless hosts send mixed in at every place.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot
from mcp.types import Tool

from attendance_mcp.api.endpoints import ENDPOINTS
from attendance_mcp.tools.registry import all_tools
from tests.changes.playing import Running, Stage
from tests.sandbox import tiny
from tests.upstream_school import text

Schema = dict[str, Any]
TOOLS = [tool.name for tool in all_tools(writes=True)]
EXAMPLES = int(os.environ.get("ARGUMENT_EXAMPLES", "40"))  # a tool; `make soak` tries more

IDS = st.sampled_from(
    [tiny.MIA, tiny.OMAR, tiny.LENA, tiny.GRADE_8, tiny.MATHEMATICS, tiny.TERM_1, tiny.RIN, tiny.FEVER, 5, 2**53 - 1]
)
WORDS = st.sampled_from(
    ["Mia", "Tanaka", "Grade 8", "Mathematics", "Late", "today", "2025-11-24", "2025-11-21", "09:00", "ABCDEFGHJK"]
)
HOSTILE_NUMBERS = st.sampled_from([True, False, 0, -1, -0.0, 1.0, 5.5, 2**53, 2**63, -(2**63), 10**40, 1e308])
HOSTILE_TEXTS = st.sampled_from(
    [
        "",
        " ",
        "1; DROP TABLE students",
        "' or '1'='1",
        "5/../../students",
        "..%2f..%2fschool",
        "5?include=all#",
        "%s%n{0}{class}",
        "2026-02-30",
        "0000-00-00",
        "9999-12-31",
        "0001-01-01",
        "2025-11-24T10:00:00Z",
        "２０２５-11-24",
        "٣",
        "NaN",
        "-1",
        "1e5",
        "\x00",
        "Mia\x00Tanaka",
        "a\u202eb\u2066c\ufeff\U000e0041",
        "line\r\n\r\nHTTP/1.1 200 OK",
        "x" * 10_000,
        "é" * 10_000,
        "[" * 10_000,
        "[" * 500 + "]" * 500,
        "[1, 2, 3]",
        '{"student_id": 5}',
        "9" * 5_000,
    ]
)
HOSTILE: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    HOSTILE_NUMBERS,
    HOSTILE_TEXTS,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),  # no transport carries those: see stdio
    st.sampled_from([[], {}, [[]], [{}], [None], {"": ""}, {"$ref": "#"}, [5] * 1_000, ["Mia"] * 1_000]),
    st.integers(1, 200).map(lambda depth: json.loads("[" * depth + "]" * depth)),
    st.integers(1, 200).map(lambda depth: json.loads('{"a":' * depth + "1" + "}" * depth)),
)


def inside(schema: Schema) -> st.SearchStrategy[Any]:
    """What the schema allows, from the tiny school as far as it can be."""
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([inside(one) for one in schema["anyOf"]])
    match schema.get("type"):
        case "integer":
            return IDS | st.integers(schema.get("minimum", 0), schema.get("maximum", 2**53 - 1))
        case "number":
            return st.floats(schema.get("minimum"), schema.get("maximum"))
        case "boolean":
            return st.booleans()
        case "array":
            return st.lists(anything(schema["items"]), max_size=min(schema.get("maxItems", 3), 3))
        case "object":
            return objects(schema)
    return WORDS | IDS.map(str)


def anything(schema: Schema) -> st.SearchStrategy[Any]:
    """Mostly what the schema allows, so that the hostile value meets code that was let in by its neighbours."""
    return st.integers(0, 7).flatmap(lambda dice: HOSTILE if dice == 0 else inside(schema))


@st.composite
def objects(draw: st.DrawFn, schema: Schema) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in schema.get("properties", {}).items():
        if draw(st.integers(0, 9)) < (9 if name in schema.get("required", ()) else 5):
            made[name] = draw(anything(value))
    if draw(st.integers(0, 9)) == 0:
        made[draw(HOSTILE_TEXTS)] = draw(HOSTILE)
    return made


PATHS = re.compile(
    "|".join(
        "/v2p1"
        + re.sub(
            r"\\\{(\w+)\\\}",
            lambda name: {"date": r"\d{4}-\d\d-\d\d", "program_code": r"(myp|pyp)"}.get(name[1], r"[1-9]\d{0,15}"),
            re.escape(endpoint.path),
        )
        for endpoint in ENDPOINTS.values()
    )
)
LEAKS = re.compile(
    r"Traceback|pydantic|mistake of its own|Input should|Value error|Assertion|sqlalchemy|sqlite|[a-z_]+Error\b|/site-packages/"
)


class Playing:
    """One server over the tiny school, and a client, for all the examples of this module."""

    def __init__(self, stage: Stage, loop: asyncio.Runner) -> None:
        self.stage, self.loop = stage, loop
        self.server = Running(stage, "token", asks=False, era="legacy")
        loop.run(self.server.start())
        self.tools: dict[str, Tool] = {tool.name: tool for tool in loop.run(self.server.client.list_tools()).tools}

    @cache  # noqa: B019 it lives as long as the module
    def arguments_of(self, tool: str) -> st.SearchStrategy[dict[str, Any]]:
        return objects(self.tools[tool].input_schema)

    def call(self, tool: str, arguments: dict[str, Any]) -> tuple[bool, str]:
        """Whether it is an error, and what it says; what went to the school is looked at."""
        self.stage.log.clear()
        result = self.loop.run(self.server.client.call_tool(tool, arguments))
        for entry in self.stage.log:
            assert entry.method == "GET", entry
            assert PATHS.fullmatch(entry.path), entry
        return bool(result.is_error), text(result)


@pytest.fixture(scope="module")
def playing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playing]:
    with Stage.open(tmp_path_factory.mktemp("fuzz")) as stage, asyncio.Runner() as loop:
        stage.reset()
        playing = Playing(stage, loop)
        before = stage.tables()
        yield playing
        loop.run(playing.server.end())
        assert stage.tables() == before


@pytest.mark.parametrize("tool", TOOLS)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_arguments_get_a_clear_answer_and_write_nothing(
    playing: Playing, caplog: Any, tool: str, data: Any
) -> None:
    caplog.clear()
    arguments = data.draw(playing.arguments_of(tool))
    with caplog.at_level(logging.WARNING):
        wrong, said = playing.call(tool, arguments)
    assert said
    assert not LEAKS.search(said), said
    assert not wrong or said.endswith("Nothing was written."), said
    assert len(said) < 20_000, said
    assert caplog.records == []


WRONG = {
    "integer": ["5; DROP", 5.5, True, [], -5, 2**53],
    "number": ["many", [], {}],
    "string": [[5], {}],
    "boolean": ["yes", 1, []],
    "array": [5, {}, True],
}


def test_an_argument_of_another_type_or_out_of_bounds_is_told_what_was_expected(playing: Playing) -> None:
    """Every argument of every tool, each by itself: the error names it, and what it should have been."""
    expected = set()
    for name, tool in playing.tools.items():
        for argument, schema in tool.input_schema.get("properties", {}).items():
            kinds = {one.get("type", "integer") for one in schema.get("anyOf", [schema])}
            for value in WRONG["string" if "string" in kinds else kinds.pop()]:
                wrong, said = playing.call(name, {argument: value})
                assert wrong, (name, argument, value)
                told = re.fullmatch(rf"{name} can't take these arguments: (.+)\. Nothing was written\.", said)
                assert told, said
                problems = dict(problem.split(": ", 1) for problem in told[1].split("; "))
                expected.add(problems[argument])
    assert sorted(expected) == snapshot(
        [
            "a day is yyyy-mm-dd, today, yesterday or tomorrow",
            "a list is expected",
            "a percentage above 0 and up to 100 is expected, such as 90",
            "a status is one of the codes 0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16, 17, 18, or a label of the school's such as Late",
            "a text is expected",
            "a whole number above 0 is expected",
            "a whole number is expected",
            "an id is a whole number above 0, such as 10423411",
            "at least 0 is expected",
            "at least 2 is expected",
            "at most 15 is expected",
            "at most 50 is expected",
            "one of 'counts', 'exceptions' or 'full' is expected",
            "one of 'homeroom' or 'class' is expected",
            "one of 'register', 'term' or 'changes' is expected",
            "one of 'student', 'parent', 'teacher', 'year group', 'homeroom', 'class', 'programme' or 'term' is expected",
            "true or false is expected",
        ]
    )


def test_a_list_of_just_as_many_as_are_allowed_is_taken(playing: Playing) -> None:
    wrong, said = playing.call("find_in_school", {"names_or_ids": ["Mia"] * 60})
    assert not wrong, said
