"""Writes `schemas.json` anew from the tools' code: `python -m attendance_mcp.tools.publish`."""

from __future__ import annotations

import json

from attendance_mcp.tools.registry import all_tools
from attendance_mcp.tools.schema import PUBLISHED, made


def rendered() -> str:
    """The file's text: a tool a block, so that a change of a schema shows in review."""
    schemas = {}
    for tool in all_tools(writes=True):
        arguments, output = made(tool.fn_metadata.arg_model, tool.facts)
        schemas[tool.name] = {"input": arguments, "output": output}
    return json.dumps(schemas, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PUBLISHED.write_text(rendered(), "utf-8")
