"""JSON schemas that a model pays for at every start of a chat, without what costs tokens and says nothing."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

Schemas = tuple[dict[str, Any], dict[str, Any]]
PUBLISHED = Path(__file__).with_name("schemas.json")
_EMPTY: tuple[Any, ...] = ("", False, None, [], {})
_REF = "#/$defs/"


def schemas_of(tool: str, arguments: type[BaseModel], facts: type[BaseModel], *, codes: bool = False) -> Schemas:
    """The schemas of a tool's arguments and of its facts, as published in `schemas.json`.

    Making them costs more than everything else at a start, and a host starts a server for every chat; so they stand in
    a file, which a test holds against the code (`make schemas` writes it anew).
    """
    published = _published().get(tool)
    of_input, of_output = (published["input"], published["output"]) if published else made(arguments, facts)
    return _of_people(of_input, codes=codes), _of_people(of_output, codes=codes)


def made(arguments: type[BaseModel], facts: type[BaseModel]) -> Schemas:
    """The schemas of a tool, from its code. Ids of people are marked `"person": "student"`, which no client sees."""
    output = lean(facts.model_json_schema(mode="serialization"), output=True)
    return lean(arguments.model_json_schema()), output


@cache
def _published() -> dict[str, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(PUBLISHED.read_text("utf-8")) if PUBLISHED.exists() else {}
    return found


def _of_people(node: Any, *, codes: bool) -> Any:
    """The schema without the marks of people's ids, which are codes where people go by those."""
    if isinstance(node, list):
        return [_of_people(item, codes=codes) for item in node]
    if not isinstance(node, dict):
        return node
    person = node.get("person")
    if codes and isinstance(person, str):
        kept = {key: value for key, value in node.items() if key not in ("person", "type", "minimum")}
        return {**_CODES[person], **kept}
    return {
        key: _of_people(value, codes=codes) for key, value in node.items() if key != "person" or isinstance(value, dict)
    }


_CODES: dict[str, dict[str, Any]] = {
    "student": {"type": "string", "pattern": "^stu_"},
    "parent": {"type": "string", "pattern": "^par_"},
    "any": {"type": ["integer", "string"]},
}


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
