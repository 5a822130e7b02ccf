"""The API's reasons, made fit to show: by field, sanitised and cut, since they may echo what people typed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import JsonValue, TypeAdapter, ValidationError

from attendance_mcp.outside import sanitise

BASE = "base"  # what is about no field
_MOST_FIELDS = 10
_MOST_MESSAGES = 5
_LONGEST = 160
_BODY: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])


def refusal_fields(body: bytes) -> dict[str, list[str]]:
    """The reasons in the body of a refusal, in each of the contract's forms; empty where it gives none."""
    try:
        content = _BODY.validate_json(body)
    except ValidationError:
        return {}
    fields = field_messages(content.get("errors"))
    for field, messages in field_messages(content.get("error")).items():
        fields.setdefault(field, messages)
    allowed = content.get("allowed_params")
    if isinstance(allowed, list):
        known = ", ".join(_key(name) for name in allowed[:_MOST_FIELDS])
        fields.setdefault(BASE, []).append(f"it takes only {known}")
    return fields


def field_messages(errors: Any) -> dict[str, list[str]]:
    """Reasons by field from an object, a list or a text."""
    if isinstance(errors, Mapping):
        fields = ((_key(field), _messages(value)) for field, value in list(errors.items())[:_MOST_FIELDS])
        return {field: messages for field, messages in fields if messages}
    messages = _messages(errors)
    return {BASE: messages} if messages else {}


def without_words(fields: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """What was refused, without the API's own words about it, which may name somebody."""
    return {field: ["not accepted"] for field in fields}


def in_words(fields: Mapping[str, Iterable[str]]) -> str:
    """`duration: must be between 1 and 12; parent_id: is not linked`."""
    return "; ".join(
        ("" if field == BASE else f"{field}: ") + ", ".join(messages) for field, messages in fields.items()
    )


def _messages(value: Any) -> list[str]:
    match value:
        case None | "":
            return []
        case Mapping():
            return [
                f"{_key(key)}: {text}" for key, inner in list(value.items())[:_MOST_FIELDS] for text in _messages(inner)
            ]
        case list():
            return [text for inner in value[:_MOST_MESSAGES] for text in _messages(inner)][:_MOST_MESSAGES]
        case _:
            text = sanitise(str(value))
            return [text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"]


def _key(name: Any) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "_", str(name))[:40].strip("_") or BASE
