"""The one way to build a tool's result: text and structure of the same facts, the budget, errors."""

from __future__ import annotations

from mcp.types import CallToolResult, TextContent

from attendance_mcp.digest.facts import Facts
from attendance_mcp.errors import AttendanceError

# About 4,000 tokens. Digests stay far below by leaving the usual out; this only catches what they did not foresee.
MOST_TEXT = 15_000
NOTHING_WRITTEN = "Nothing was written."
DEMO_NOTICE = "Demo school: invented people."
LIMITED_NOTICE = "Only of the students whom the school's policy lets you see."


def answer(facts: Facts, *, demo: bool = False, limited: bool = False) -> CallToolResult:
    """The facts as a short text and as structured content, each complete for a host that shows only one of them.

    `limited` where the caller may not see every student: counts are then of those whom they see.
    """
    structured = facts.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    lines = list(facts.lines())
    notices = [DEMO_NOTICE] * demo + [LIMITED_NOTICE] * limited
    if notices:
        structured = {"notice": " ".join(notices), **structured}
        lines = [*notices, *lines]
    return CallToolResult(
        content=[TextContent(type="text", text=_within_budget(lines))],
        structured_content=structured,
    )


def refusal(error: AttendanceError, *, wrote: str = NOTHING_WRITTEN) -> CallToolResult:
    """What happened and what to do next, and always whether anything was written."""
    message = str(error)
    text = message if wrote in message else f"{message} {wrote}"
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


def _within_budget(lines: list[str]) -> str:
    text = "\n".join(lines)
    if len(text) <= MOST_TEXT:
        return text
    kept: list[str] = []
    room = MOST_TEXT - 100
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join([*kept, f"… {len(lines) - len(kept)} more lines: ask for less with detail, a group or a page."])
