"""The prompts: Markdown files with a small TOML header, offered as MCP prompts.

They stand in `prompts/` of a checkout and inside the package of a wheel. A wrong name or argument is the caller's
mistake and answers invalid-params; the SDK would call it an internal error.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts import Prompt
from mcp.server.mcpserver.prompts.base import Message, PromptArgument, UserMessage
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, GetPromptResult, InputRequiredResult
from pydantic import BaseModel, ConfigDict, Field

from attendance_mcp.errors import AttendanceError
from attendance_mcp.outside import one_line
from attendance_mcp.school.groups import find_group
from attendance_mcp.school.people import find_student
from attendance_mcp.school.school import School, student_name
from attendance_mcp.tools.tool import Office

_FILE = re.compile(r"\A\+\+\+\n(?P<header>.*?)\n\+\+\+\n(?P<body>.*)\Z", re.DOTALL)
_MOST_CHARACTERS = 300


class ArgumentHeader(BaseModel):
    """One argument; without a default it is required."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str
    type: Literal["day", "student", "group", "text"] = "text"
    default: str | None = None


class PromptHeader(BaseModel):
    """What stands above a prompt's text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    description: str
    arguments: dict[str, ArgumentHeader] = Field(default_factory=dict)


class FilePrompt(Prompt):
    """A prompt of a file."""

    header: PromptHeader
    body: str

    async def render(
        self,
        arguments: dict[str, Any] | None,
        context: Context[Any, Any],
    ) -> list[Message] | InputRequiredResult:
        given = arguments or {}
        if unknown := sorted(set(given) - set(self.header.arguments)):
            known = ", ".join(self.header.arguments) or "none"
            raise _invalid(f"{self.name} knows no argument {one_line(unknown[0], limit=40)!r}; it has: {known}.")
        values = {name: _value(name, header, given.get(name)) for name, header in self.header.arguments.items()}
        office: Office = context.request_context.lifespan_context
        if office.disclosure.codes is not None:
            for name, header in self.header.arguments.items():
                values[name] = await _called(office.school(context), header.type, values[name])
        return [UserMessage(re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), self.body).strip())]


class PromptServer(MCPServer[Any]):
    """An MCPServer whose prompts are files."""

    def __init__(self, name: str, *, prompts: Sequence[FilePrompt], **options: Any) -> None:
        super().__init__(name, **options)
        for prompt in prompts:
            self.add_prompt(prompt)

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Any, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        known = sorted(prompt.name for prompt in self._prompt_manager.list_prompts())
        if name not in known:
            raise _invalid(f"There is no prompt {one_line(name, limit=40)!r}; there are: {', '.join(known)}.")
        return await super().get_prompt(name, arguments, context)


@cache
def load_prompts() -> tuple[FilePrompt, ...]:
    """Every prompt, by name. Raises ValueError where a file is not of the form."""
    return tuple(_parsed(path.stem, path.read_text("utf-8")) for path in _files())


def _files() -> Iterable[Path]:
    package = Path(__file__).parent
    for folder in (package / "_prompts", package.parent / "prompts"):
        if folder.is_dir():
            return sorted(folder.glob("*.md"))
    return []


def _parsed(name: str, text: str) -> FilePrompt:
    found = _FILE.match(text.replace("\r\n", "\n"))
    if found is None:
        raise ValueError(f"prompts/{name}.md has no header between two lines of +++")
    header = PromptHeader.model_validate(tomllib.loads(found["header"]))
    return FilePrompt(
        name=name,
        title=header.title,
        description=header.description,
        arguments=[
            PromptArgument(name=key, description=argument.description, required=argument.default is None)
            for key, argument in header.arguments.items()
        ],
        fn=str,
        context_kwarg=None,
        header=header,
        body=found["body"],
    )


def _value(name: str, header: ArgumentHeader, given: Any) -> str:
    text = one_line(str(given), limit=_MOST_CHARACTERS) if given is not None else ""
    if not text:
        if header.default is None:
            raise _invalid(f"The argument {name} is missing: {header.description}")
        return header.default
    if header.type == "day" and text not in ("today", "yesterday", "tomorrow"):
        try:
            date.fromisoformat(text)
        except ValueError:
            raise _invalid(f"{name} is a day: yyyy-mm-dd, today, yesterday or tomorrow.") from None
    return text


async def _called(school: School, type: str, value: str) -> str:
    """What a person typed, as an assistant may read it. Nothing is put in for what it can't be read from."""
    try:
        match type:
            case "student":
                return student_name(await find_student(school, value))
            case "group":
                return (await find_group(school, value)).name
            case _:
                return value
    except AttendanceError as error:
        raise _invalid(str(error)) from None


def _invalid(message: str) -> MCPError:
    return MCPError(code=INVALID_PARAMS, message=message)
