"""`call`: one tool from the shell."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import anyio
import click

from attendance_mcp.commands.common import demo_option, server_of, settings_of

if TYPE_CHECKING:
    from mcp.server import MCPServer


@click.command("call")
@demo_option
@click.argument("tool")
@click.argument("arguments", default="{}")
@click.option("--json", "as_json", is_flag=True, help="Print the structured content.")
@click.pass_context
def command(context: click.Context, tool: str, arguments: str, *, demo: bool, as_json: bool) -> None:
    """Call one TOOL with ARGUMENTS, a JSON object; ends with status 1 on an error.

    \b
    attendance-mcp call list_absences --demo
    attendance-mcp call list_excusals '{"date": "2026-11-24"}' --json
    """
    try:
        given = json.loads(arguments)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise click.UsageError('ARGUMENTS is a JSON object, such as \'{"date": "today"}\'. Nothing was written.')
    server = server_of(settings_of(context, demo=demo))
    sys.exit(anyio.run(_call, server, tool, given, as_json))


async def _call(server: MCPServer[Any], tool: str, arguments: dict[str, Any], as_json: bool) -> int:  # noqa: FBT001 anyio.run passes by position
    from mcp import Client

    async with Client(server) as client:
        known = [item.name for item in (await client.list_tools()).tools]
        if tool not in known:
            click.echo(f"There is no tool {tool!r} here. There are: {', '.join(known)}. Nothing was written.", err=True)
            return 1
        result = await client.call_tool(tool, arguments)
    text = "\n".join(block.text for block in result.content if block.type == "text")
    if as_json and not result.is_error:
        text = json.dumps(result.structured_content, ensure_ascii=False)
    click.echo(text, err=result.is_error is True)
    return 1 if result.is_error else 0
