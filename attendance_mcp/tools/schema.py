"""JSON schemas that a model pays for at every start of a chat, without what costs tokens and says nothing."""

from __future__ import annotations

import json
from typing import Any

_EMPTY: tuple[Any, ...] = ("", False, None, [], {})
_REF = "#/$defs/"


def lean(schema: dict[str, Any], *, output: bool = False) -> dict[str, Any]:
    """The schema without generated titles (those of a `const` are labels and stay), models' docstrings, empty defaults
    and definitions that are used once; of an output, without `required` too: a reader takes what is there.
    """
    definitions = schema.get("$defs", {})
    text = json.dumps(schema)
    once = {name: part for name, part in definitions.items() if text.count(f'"{_REF}{name}"') == 1}
    kept = {name: part for name, part in definitions.items() if name not in once}
    whole = {key: value for key, value in schema.items() if key != "$defs"}
    if kept:
        whole["$defs"] = kept
    slim = _slim(whole, once, output=output)
    assert isinstance(slim, dict)
    return slim


def _slim(node: Any, once: dict[str, Any], *, output: bool, names: bool = False) -> Any:
    """`names` is true for a mapping of names to schemas, where a key such as `title` is a name."""
    if isinstance(node, list):
        return [_slim(item, once, output=output) for item in node]
    if not isinstance(node, dict):
        return node
    reference = str(node.get("$ref", "")).removeprefix(_REF)
    if not names and reference in once:
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return _slim({**once[reference], **beside}, once, output=output)
    return {
        key: _slim(value, once, output=output, names=not names and key in ("properties", "$defs"))
        for key, value in node.items()
        if names or not _idle(key, value, node, output=output)
    }


def _idle(key: str, value: Any, node: dict[str, Any], *, output: bool) -> bool:
    match key:
        case "title":
            return "const" not in node
        case "description":
            return "properties" in node
        case "default":
            return value in _EMPTY
        case "additionalProperties":
            return value is True
        case "required":
            return output
        case _:
            return False
