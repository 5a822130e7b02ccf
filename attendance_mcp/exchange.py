"""What `attendance-mcp demo` shows: a real client starts the server over stdio, asks, plans and carries out a mark."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from mcp import Client
from mcp.client import ClientRequestContext
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult

Say = Callable[[str], None]


async def show(say: Say) -> None:
    """The exchange, step by step. Raises RuntimeError where a step did not go as it should."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "attendance_mcp", "serve", "--demo"], env=_environment()
    )

    async def answer(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG001 the SDK passes it by name
        say("  ← The server asks you:")
        for line in params.message.splitlines():
            say(f"    {line}")
        say("You: tick “Write these changes”, and accept.")
        return ElicitResult(action="accept", content={"apply": True})

    async with Client(stdio_client(server), elicitation_callback=answer) as client:
        tools = (await client.list_tools()).tools
        say(f"Started the server over stdio; it offers {len(tools)} tools.\n")

        async def ask(question: str, tool: str, arguments: dict[str, object]) -> CallToolResult:
            given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
            say(f"You: {question}\n  → {tool}({given})")
            result = await client.call_tool(tool, arguments)
            for line in _text(result).splitlines():
                say(f"  {line}")
            say("")
            if result.is_error:
                raise RuntimeError(f"{tool} answered an error")
            return result

        absent = await ask("Who was absent today?", "list_absences", {})
        someone = _someone(absent)
        await ask("Has a parent written about them?", "list_student_excusals", {"student_id": someone})
        planned = await ask(
            "They have just come in. Mark them late.",
            "set_homeroom_attendance",
            {"student_id": someone, "date": "today", "status": "Late"},
        )
        plan = planned.structured_content or {}
        if not plan.get("confirmation"):
            raise RuntimeError("there is nothing to carry out")
        say("You read the plan, and agree.\n")
        await ask(
            "Yes, go ahead.",
            "apply_changes",
            {"confirmation": plan["confirmation"], "summary": plan["summary"]},
        )


def _environment() -> dict[str, str]:
    """The own one, so that both processes find the same data folder, without a real school's settings."""
    kept = ("ATTENDANCE_TODAY", "ATTENDANCE_TIMEZONE", "ATTENDANCE_STORE")
    return {name: value for name, value in os.environ.items() if not name.startswith("ATTENDANCE_") or name in kept}


def _text(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if block.type == "text")


def _someone(absent: CallToolResult) -> int:
    """The first student whom the answer names as absent. Raises RuntimeError where nobody is."""
    for section in (absent.structured_content or {}).get("sections", []):
        for students in section.get("students", {}).values():
            for id in students:
                return int(id)
    raise RuntimeError("nobody is absent on this day")
