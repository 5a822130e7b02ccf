"""Answers as text that fits a page, so that a person can read the snapshots."""

from __future__ import annotations

import json
from textwrap import fill
from typing import Any

from mcp.types import CallToolResult

from tests.upstream_school import text

WIDTH = 112


def wrapped(words: str) -> str:
    """The text with its long lines broken; a broken line goes on four spaces further in."""
    return "\n".join(
        fill(line, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
        for line in words.splitlines()
    )


def shown(result: CallToolResult) -> str:
    """What a model gets: the text, then the structured content."""
    return wrapped(f"{text(result)}\n---\n{json.dumps(result.structured_content, ensure_ascii=False)}")


def by_answer(answers: dict[str, str]) -> str:
    """What is answered, each time with the cases that are answered so."""
    groups: dict[str, list[str]] = {}
    for name, answered in answers.items():
        groups.setdefault(answered, []).append(name)
    return "\n".join(wrapped(f"{answered}\n  ({', '.join(names)})") for answered, names in groups.items())


def words_of(value: Any) -> set[str]:
    """Every name, number and text of some structured content, without the keys that are the same in each answer."""
    match value:
        case dict():
            return set().union(*map(words_of, value.values()), *(words_of(key) for key in value if _is_data(key)))
        case list():
            return set().union(*map(words_of, value))
        case bool() | None:
            return set()
        case _:
            return {str(value)}


def _is_data(key: str) -> bool:
    return not (key.isidentifier() and key.islower() and key.isascii())
