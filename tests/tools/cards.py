"""A tool as a card that a person reads in half a minute: what a model is told of it, without the JSON around it."""

from __future__ import annotations

from typing import Any

from mcp.types import Tool

from .reading import wrapped


def card(tool: Tool) -> str:
    """Its title and hints, what it says of itself, each argument on a line, and the fields of its answer."""
    assert tool.annotations is not None
    assert tool.output_schema is not None
    hints = tool.annotations
    marks = [
        "reads" if hints.read_only_hint else "writes",
        *(["destructive"] if hints.destructive_hint else []),
        *(["idempotent"] if hints.idempotent_hint else []),
        *(["open world"] if hints.open_world_hint else []),
    ]
    required = tool.input_schema.get("required", [])
    arguments = [
        f"  {name}{'' if name in required else '?'}: {kind(schema)}"
        for name, schema in tool.input_schema["properties"].items()
    ]
    description = " ".join((tool.description or "").split())
    fields = ", ".join(fields_of(tool.output_schema))
    return wrapped("\n".join([f"{tool.title} [{', '.join(marks)}]", description, *arguments, f"  → {fields}"]))


def kind(schema: dict[str, Any]) -> str:
    """A schema in words: `integer ≥ 1`, `array of {student_id, date, …}`."""
    if "anyOf" in schema:
        words = " | ".join(f"{one['const']} {one['title']}" if "const" in one else kind(one) for one in schema["anyOf"])
    elif "enum" in schema:
        words = " | ".join(map(str, schema["enum"]))
    elif schema.get("type") == "array":
        words = f"up to {schema.get('maxItems', 'any number')} of {kind(schema['items'])}"
    elif "properties" in schema:
        needed = schema.get("required", [])
        inner = (f"{name}{'' if name in needed else '?'}: {kind(one)}" for name, one in schema["properties"].items())
        words = "{" + ", ".join(inner) + "}"
    else:
        words = str(schema.get("type", "any"))
    bounds = [f"{sign} {schema[key]}" for key, sign in BOUNDS.items() if key in schema]
    default = [f"= {schema['default']}"] if "default" in schema else []
    return ", ".join(
        [" ".join([words, *bounds, *default]), *([schema["description"]] if "description" in schema else [])]
    )


BOUNDS = {
    "minimum": "≥",
    "exclusiveMinimum": ">",
    "maximum": "≤",
    "maxLength": "characters ≤",
}


def fields_of(schema: dict[str, Any]) -> list[str]:
    """The names at the top of an answer; of one that may have several shapes, those of each."""
    shapes = [schema, *schema.get("anyOf", [])]
    definitions = schema.get("$defs", {})
    shapes = [definitions.get(str(shape.get("$ref", "")).rpartition("/")[2], shape) for shape in shapes]
    return list(dict.fromkeys(name for shape in shapes for name in shape.get("properties", {})))
