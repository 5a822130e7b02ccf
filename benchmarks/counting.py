"""Tokens as the o200k vocabulary counts them, and what is counted of a tool and of an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

ESTIMATE = "bpe-openai is not installed: tokens are estimated as characters ÷ 4."


@cache
def _encoder() -> Callable[[str], int] | None:
    try:
        from bpe_openai import get_encoding
    except ImportError:
        return None
    encode: Callable[[str], list[int]] = get_encoding("o200k_base").encode
    return lambda text: len(encode(text))


def exact() -> bool:
    """Whether tokens are counted and not estimated."""
    return _encoder() is not None


def tokens(text: str) -> int:
    """How many o200k tokens the text has."""
    count = _encoder()
    return count(text) if count else (len(text) + 3) // 4


def of_json(value: Any) -> int:
    """The tokens of a value as a host hands it on: compact JSON, letters as they are."""
    return tokens(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def of_tool(tool: Any) -> tuple[int, int]:
    """A tool of `tools/list`: whole, and without its output schema."""
    listed = tool.model_dump(mode="json", by_alias=True, exclude_none=True)
    return of_json(listed), of_json({key: value for key, value in listed.items() if key != "outputSchema"})


def text_of(result: Any) -> str:
    """All text blocks of a tool's result."""
    return "\n".join(block.text for block in result.content if block.type == "text")


def of_answer(result: Any) -> tuple[int, int]:
    """An answer's text and its structured content."""
    structured = result.structured_content
    return tokens(text_of(result)), of_json(structured) if structured is not None else 0
