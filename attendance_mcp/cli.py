"""The command `attendance-mcp`."""

from __future__ import annotations

import gc

# Importing makes many objects that all stay: looking through them for garbage costs a sixth of the start.
gc.disable()

import json  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from datetime import datetime  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar  # noqa: E402

import anyio  # noqa: E402
import click  # noqa: E402
from pydantic import ValidationError  # noqa: E402

from attendance_mcp import __version__  # noqa: E402
from attendance_mcp.errors import AttendanceError  # noqa: E402
from attendance_mcp.settings import NO_TOKEN, Settings, explain  # noqa: E402

if TYPE_CHECKING:
    from mcp.server import MCPServer

T = TypeVar("T")
WRONG_SETTINGS = 2

demo_option = click.option("--demo", is_flag=True, help="Use the embedded school with invented people.")


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@demo_option
@click.version_option(__version__)
@click.pass_context
def main(context: click.Context, *, demo: bool) -> None:
    """A school's attendance for AI assistants, over MCP. Without a command it serves on stdio."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    context.obj = demo
    if context.invoked_subcommand not in (None, "serve", "call"):
        gc.enable()  # these import no server that would enable it once it is built
    if context.invoked_subcommand is None:
        context.invoke(serve)


@main.command()
@demo_option
@click.option("--http", is_flag=True, help="Serve streamable HTTP instead of stdio.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address for HTTP; this machine's own only.")
@click.option("--port", default=8750, show_default=True, type=click.IntRange(0, 65535))
@click.pass_context
def serve(
    context: click.Context, *, demo: bool = False, http: bool = False, host: str = "127.0.0.1", port: int = 8750
) -> None:
    """Serve MCP: on stdio, as assistants start it, or over HTTP.

    \b
    attendance-mcp serve --demo
    attendance-mcp serve --http --port 8750
    """
    settings = _settings(demo=demo or context.obj)
    if http:
        from attendance_mcp import http as over_http

        _or_end(lambda: over_http.refuse_strangers(host))
        if not settings.demo and settings.zone is None:
            _end("Over HTTP the school's time zone must be set, since clients may be anywhere: ATTENDANCE_TIMEZONE.")
        over_http.run(_server(settings, http=True), host=host, port=port)
    else:
        from attendance_mcp import stdio

        server = _server(settings)
        anyio.run(stdio.serve, server)


@main.command()
@click.option("--reset", is_flag=True, help="Make the embedded school anew first.")
def demo(*, reset: bool) -> None:
    """Show a real exchange: a client starts the server on the embedded school, asks, and has a mark changed."""
    from attendance_mcp.demo import demo_file
    from attendance_mcp.exchange import show

    if reset:
        for path in demo_file().parent.glob(demo_file().name + "*"):
            path.unlink()
    anyio.run(show, click.echo)


@main.command()
@demo_option
@click.argument("tool")
@click.argument("arguments", default="{}")
@click.option("--json", "as_json", is_flag=True, help="Print the structured content.")
@click.pass_context
def call(context: click.Context, tool: str, arguments: str, *, demo: bool, as_json: bool) -> None:
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
    server = _server(_settings(demo=demo or context.obj))
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


@main.command()
@demo_option
@click.option("--learn", is_flag=True, required=True, help="Propose a school profile from reads alone.")
@click.pass_context
def doctor(context: click.Context, *, demo: bool, learn: bool) -> None:  # noqa: ARG001 the only thing it does so far
    """Look at the school's system, by reads alone.

    \b
    attendance-mcp doctor --learn > school.toml
    """
    settings = _settings(demo=demo or context.obj)
    _or_end(lambda: anyio.run(_learn, settings))


async def _learn(settings: Settings) -> None:
    from attendance_mcp.school.learn import learn_profile
    from attendance_mcp.school.school import School
    from attendance_mcp.server import open_app

    app = open_app(settings)
    try:
        click.echo(await learn_profile(School(app.connection)), nl=False)
    finally:
        await app.aclose()


@main.command()
@click.option("--port", default=8751, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--token", default="sandbox", show_default=True, help="The token that the school's API accepts.")
@click.option("--size", type=click.Choice(["small", "school", "district"]), default="school", show_default=True)
@click.option("--today", metavar="DATE[THH:MM]", help="The school's day and time; else this machine's.")
@click.option("--file", type=click.Path(dir_okay=False, path_type=Path), help="Keep the school in this SQLite file.")
@click.option("--without", default="", help="Comma-separated: calendar,categories,teachers,permissions,extended.")
@click.option("--assume", multiple=True, metavar="KEY=VALUE", help="How the API behaves where its contract is silent.")
@click.option("--rate-limit", type=click.IntRange(min=1), help="Requests a second before it answers 429.")
@click.option("--log", type=click.Path(dir_okay=False, path_type=Path), help="Write each request to this file.")
def sandbox(
    *,
    port: int,
    token: str,
    size: Literal["small", "school", "district"],
    today: str | None,
    file: Path | None,
    without: str,
    assume: tuple[str, ...],
    rate_limit: int | None,
    log: Path | None,
) -> None:
    """Serve an invented school's API on this machine.

    \b
    attendance-mcp sandbox --port 8751 --size small --today 2026-11-24T10:30
    """
    from attendance_mcp.sandbox import serve as school
    from attendance_mcp.sandbox.assumptions import parse_assumptions, parse_without

    try:
        assumptions = parse_assumptions(assume)
        parts = parse_without(without)
        moment = datetime.fromisoformat(today) if today else datetime.now()  # noqa: DTZ005 the school's local time
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if moment == datetime.combine(moment.date(), datetime.min.time()):
        moment = moment.replace(hour=12)
    school.run(
        port=port,
        token=token,
        size=size,
        today=moment,
        file=file,
        without=parts,
        assume=assumptions,
        rate_limit=rate_limit,
        log_file=log,
    )


def _settings(*, demo: bool) -> Settings:
    try:
        settings = Settings(demo=True) if demo else Settings()
    except ValidationError as error:
        _end(*explain(error))
    if not settings.demo and not settings.has_token:
        _end(NO_TOKEN)
    return settings


def _server(settings: Settings, *, http: bool = False) -> MCPServer[Any]:
    from attendance_mcp.server import build

    try:
        return _or_end(lambda: build(settings, http=http))
    finally:
        gc.enable()
        gc.freeze()


def _or_end(make: Callable[[], T]) -> T:
    try:
        return make()
    except AttendanceError as error:
        _end(str(error))


def _end(*lines: str) -> NoReturn:
    """Says what is wrong on stderr, since stdout belongs to the protocol, and ends with status 2."""
    for line in lines:
        click.echo(f"attendance-mcp: {line}", err=True)
    sys.exit(WRONG_SETTINGS)


if os.name == "nt":  # the console's code page can't print every name
    for stream in (sys.stdout, sys.stderr):
        getattr(stream, "reconfigure", lambda **_: None)(encoding="utf-8")
