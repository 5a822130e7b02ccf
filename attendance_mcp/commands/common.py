"""What the commands share: settings and servers, and how a command ends that can't go on."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click
from pydantic import ValidationError

from attendance_mcp.errors import AttendanceError
from attendance_mcp.settings import NO_TOKEN, Settings, explain

if TYPE_CHECKING:
    from attendance_mcp.server import AttendanceServer

T = TypeVar("T")
WRONG_SETTINGS = 2

demo_option = click.option("--demo", is_flag=True, help="Use the embedded school with invented people.")


def settings_of(context: click.Context, *, demo: bool, token: bool = True) -> Settings:
    """The settings of the environment, in demo mode where the command or the whole line says so. Else ends.

    Without `token` those of a command that asks the school nothing.
    """
    try:
        settings = Settings(demo=True) if demo or context.obj else Settings()
    except ValidationError as error:
        end(*explain(error))
    if token and not settings.demo and not settings.has_token:
        end(NO_TOKEN)
    return settings


def server_of(settings: Settings, *, http: bool = False) -> AttendanceServer:
    """The server over the school that the settings name. Else ends."""
    from attendance_mcp.server import build

    try:
        server = or_end(lambda: build(settings, http=http))
        if warning := settings.token_warning:
            click.echo(f"attendance-mcp: {warning}", err=True)
        return server
    finally:
        gc.enable()  # cli.py switched it off
        gc.freeze()


def or_end(make: Callable[[], T]) -> T:
    """What `make` gives; where it raises one of our errors, that is said and the command ends."""
    try:
        return make()
    except AttendanceError as error:
        end(str(error))


def end(*lines: str) -> NoReturn:
    """Says what is wrong on stderr, since stdout belongs to the protocol, and ends with status 2."""
    for line in lines:
        click.echo(f"attendance-mcp: {line}", err=True)
    sys.exit(WRONG_SETTINGS)
