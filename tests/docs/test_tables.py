"""The documents' tables hold what the code offers, whole: tools, prompts, settings."""

from __future__ import annotations

from typing import get_args

from attendance_mcp.api.endpoints import ENDPOINTS
from attendance_mcp.prompts import load_prompts
from attendance_mcp.settings import PREFIX, Settings
from attendance_mcp.tools.registry import all_tools

from .documents import SET_UP, hold, part, table, table_rows

NONE = "—"


def test_every_tool_is_listed_with_what_it_does_and_its_endpoint():
    reading = {tool.name for tool in all_tools(writes=False)}
    rows = [
        (f"`{tool.name}`", first_sentence(tool.description), "" if tool.name in reading else "yes", endpoint(tool.name))
        for tool in all_tools(writes=True)
    ]
    hold("README.md", "tools", table(("tool", "what it does", "writes", "endpoint"), rows))


def test_every_prompt_is_listed_with_its_arguments():
    rows = [
        (
            f"[{prompt.name}](prompts/{prompt.name}.md)",
            prompt.description or "",
            ", ".join(f"`{one.name}`" + ("" if one.required else "?") for one in prompt.arguments or []),
        )
        for prompt in load_prompts()
    ]
    hold("README.md", "prompts", table(("prompt", "what it does", "arguments (? may be left out)"), rows))


def test_every_setting_is_listed_with_its_default_and_its_choices():
    tables = [*table_rows(part(SET_UP, "settings")), *table_rows(part("docs/school-server.md", "settings"))]
    listed = {row[0].strip("`"): row[1:] for row in tables}
    defaults = {PREFIX + name.upper(): shown(field.default) for name, field in Settings.model_fields.items()}
    assert {name: default for name, (default, _) in listed.items()} == defaults
    for name, field in Settings.model_fields.items():
        told = " ".join(listed[PREFIX + name.upper()])
        assert all(f"`{choice}`" in told for choice in choices(field.annotation)), name


def first_sentence(description: str) -> str:
    """The docstring's first sentence: there the tool says what it does, and then only what surprises."""
    return " ".join(description.split()).split(". ")[0].removesuffix(".") + "."


def endpoint(tool: str) -> str:
    row = ENDPOINTS.get(tool)
    if row is None:
        return ""
    return f"{row.method} {row.path.removeprefix('/')}{' †' if row.extended else ''}"


def shown(default: object) -> str:
    match default:
        case None:
            return NONE
        case bool():
            return f"`{default:d}`"
        case float():
            return f"`{default:g}`"
        case _:
            return f"`{default}`"


def choices(annotation: object) -> list[str]:
    """The texts that a Literal allows, also inside an optional one."""
    if isinstance(annotation, str):
        return [annotation]
    return [choice for inner in get_args(annotation) for choice in choices(inner)]
