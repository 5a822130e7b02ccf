"""Exchanges as the documents show them: what a person says, which tool is called, what it answers and who is asked."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mcp.types import CallToolResult, ElicitResult

from attendance_mcp.answer import DEMO_NOTICE
from tests.upstream_school import Asking, text

Facts = dict[str, Any]
WIDTH = 108
FIRST_LINES = 4  # of an answer, beside its last
_CONFIRMATION = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{10}\b")
_TIME = re.compile(r"\b\d\d:\d\d(:\d\d)?\b( on [A-Z][a-z]{2} \d{4}-\d\d-\d\d)?")


@dataclass(eq=False)
class Exchange:
    """One conversation as it goes on, line by line; each tool is really called."""

    ask: Asking | None = None
    lines: list[str] = field(default_factory=list)
    whole: bool = False  # whether answers keep all their lines: `only` chooses among them

    def says(self, words: str) -> None:
        self.lines += [""] if self.lines else []
        self.lines.append(f"You: {words}")

    def tells(self, *lines: str) -> None:
        """What happens beside the conversation."""
        self.lines += lines

    async def calls(self, tool: str, **arguments: Any) -> Facts:
        """The facts of an answer, which is shown; of an error, none."""
        self.shows_call(tool, **arguments)
        assert self.ask is not None
        result = await self.ask(tool, **arguments)
        self.shows(result)
        return {} if result.is_error else dict(result.structured_content or {})

    def shows_call(self, tool: str, **arguments: Any) -> None:
        given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        line = f"  → {tool}({given})"
        self.lines.append(cut(line) if len(line) > 2 * WIDTH else line)

    def shows(self, result: CallToolResult) -> None:
        """An answer, cut as the documents say; an error is shown whole."""
        told = textwrap.wrap(text(result), WIDTH) if result.is_error else shortened(text(result), whole=self.whole)
        self.lines += [f"  {line}" for line in told]

    async def answers(self, params: Any, **content: Any) -> ElicitResult:
        """The server asks, and the person agrees by filling this in."""
        self.lines += ["  ← The server asks you:", *(f"    {line}" for line in params.message.splitlines())]
        for name, value in content.items():
            title = params.requested_schema["properties"][name]["title"]
            self.lines.append(f"    ☑ {title}" if value is True else f"    {title}: {value}")
        return ElicitResult(action="accept", content=content)

    @property
    def block(self) -> str:
        return fenced(self.lines)

    def only(self, *wanted: str) -> str:
        """The block with nothing but the person's words and the lines that begin so; what is left out shows as “…”."""
        kept: list[str] = []
        for line in self.lines:
            if not line or line.strip().startswith(("You: ", *wanted)):
                kept.append(line)
            elif kept and kept[-1].strip() != "…":
                kept.append(f"{line[: len(line) - len(line.lstrip())]}…")
        return fenced(kept)


def fenced(lines: Sequence[str]) -> str:
    return "\n".join(["```text", *lines, "```"])


def agreed(plan: Facts) -> Facts:
    """What apply_changes is given."""
    return {"confirmation": plan["confirmation"], "summary": plan["summary"]}


def shortened(answer: str, *, whole: bool = False) -> list[str]:
    """The answer as the documents say that it is cut, and no other way; `whole` cuts its long lines alone."""
    lines = [line for line in answer.splitlines() if line != DEMO_NOTICE]
    left_out = 0 if whole else len(lines) - FIRST_LINES - 1
    if left_out > 0:
        more = f"… {left_out} more line{'s' if left_out > 1 else ''}"
        lines = [*lines[:FIRST_LINES], more, lines[-1]]
    return [cut(line) for line in lines]


def cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[:WIDTH].rsplit(" ", 1)[0].rstrip(",;:") + " …"


def without_chance(made: str) -> str:
    """The same text without what is another at every run: confirmations and times."""
    return _TIME.sub("hh:mm", _CONFIRMATION.sub("CODE", made))
