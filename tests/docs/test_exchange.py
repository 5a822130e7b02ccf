"""The README's exchange is carried out, and every line of it must be what the demo answers."""

from __future__ import annotations

import ast
from datetime import date
from typing import Any

import pytest
from mcp import Client
from mcp.types import ElicitResult

from attendance_mcp.server import build
from attendance_mcp.settings import Settings
from tests.upstream_school import text

from .documents import hold, part
from .exchanges import shortened, without_chance

DAY = date(2026, 11, 24)


@pytest.mark.anyio
async def test_the_exchange_is_what_the_demo_answers():
    asked = [line for line in part("README.md", "exchange").splitlines() if line.startswith(("You: ", "  → "))]
    lines: list[str] = []
    plan: dict[str, Any] = {}
    question: list[str] = []

    async def agree(_: Any, params: Any) -> ElicitResult:
        question[:] = params.message.splitlines()
        return ElicitResult(action="accept", content={"apply": True})

    async with Client(build(Settings(demo=True, today=DAY)), elicitation_callback=agree) as client:
        for line in asked:
            if line.startswith("You: "):
                lines += ["", line]
                continue
            tool, arguments = call(line)
            if plan:
                arguments = {"confirmation": plan["confirmation"], "summary": plan["summary"]}
            result = await client.call_tool(tool, arguments)
            assert not result.is_error, text(result)
            plan = result.structured_content if "confirmation" in (result.structured_content or {}) else {}
            given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
            asks = ["  ← The server asks you:", *(f"    {shown}" for shown in question)] if question else []
            asks += ["    ☑ Write these changes"] if question else []
            lines += [f"  → {tool}({given})", *asks, *(f"  {shown}" for shown in shortened(text(result)))]
    assert lines[-1].startswith("  - done: ")
    hold("README.md", "exchange", "\n".join(["```text", *lines[1:], "```"]), plain=without_chance)


def call(line: str) -> tuple[str, dict[str, Any]]:
    """`  → tool(name=value)` as a call; the values are literals."""
    node = ast.parse(line.removeprefix("  → "), mode="eval").body
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    return node.func.id, {str(one.arg): ast.literal_eval(one.value) for one in node.keywords}
