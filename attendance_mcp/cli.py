"""The command `attendance-mcp`: what every call of it needs; the commands but `serve` are in `commands/`."""

from __future__ import annotations

import gc

# Importing makes many objects that all stay: looking through them for garbage costs a sixth of the start.
gc.disable()

import logging  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from importlib import import_module  # noqa: E402

import click  # noqa: E402

from attendance_mcp import __version__  # noqa: E402
from attendance_mcp.commands.common import (  # noqa: E402
    demo_option,
    end,
    or_end,
    server_of,
    servers_of,
    settings_of,
    settings_of_all,
)

COMMANDS = (
    "approve",
    "call",
    "changes",
    "connect",
    "demo",
    "doctor",
    "export",
    "install",
    "sandbox",
)  # each a module of commands/


class Commands(click.Group):
    """Loads a command's module when it is called: a host starts a server for every chat."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *COMMANDS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        command: click.Command = import_module(f"attendance_mcp.commands.{cmd_name}").command
        return command


@click.group(cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
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
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address; without sign-in this machine's own only.",
)
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
    if http:
        settings = settings_of_all(context, demo=demo)
        from attendance_mcp.http import app, serving

        sign_in = or_end(lambda: app.sign_in_of(settings))
        if sign_in is None:
            or_end(lambda: app.refuse_strangers(host))
        if not settings.demo and settings.zone is None and settings.schools is None:
            end("Over HTTP the school's time zone must be set, since clients may be anywhere: ATTENDANCE_TIMEZONE.")
        page = or_end(lambda: app.page_of(settings, sign_in))
        served = app.http_app(servers_of(settings), host=host, sign_in=sign_in, page=page)
        serving.run(served, host=host, port=port)
    else:
        from attendance_mcp import stdio

        sys.exit(stdio.run(server_of(settings_of(context, demo=demo))))


if os.name == "nt":  # the console's code page can't print every name
    for stream in (sys.stdout, sys.stderr):
        getattr(stream, "reconfigure", lambda **_: None)(encoding="utf-8")
