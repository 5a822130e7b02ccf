"""What the commands share: settings and servers, and how a command ends that can't go on."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click
from pydantic import ValidationError

from attendance_mcp.errors import AttendanceError
from attendance_mcp.schools_file import schools_of
from attendance_mcp.settings import NO_TOKEN, Settings, explain

if TYPE_CHECKING:
    from attendance_mcp.server import AttendanceServer

T = TypeVar("T")
WRONG_SETTINGS = 2

demo_option = click.option("--demo", is_flag=True, help="Use the embedded school with invented people.")


school_option = click.option("--school", default="", metavar="NAME", help="Of several schools, this one.")


def settings_of(context: click.Context, *, demo: bool) -> Settings:
    """The settings of the only school. Else ends."""
    settings = settings_of_all(context, demo=demo)
    if settings.schools is not None:
        end(
            "ATTENDANCE_SCHOOLS names several schools, which are served over HTTP: attendance-mcp serve --http. This "
            "command is for one school."
        )
    return settings


def settings_of_one(context: click.Context, *, demo: bool, token: bool = True, school: str) -> Settings:
    """The settings of the only school, or of the one of several that is named. Else ends."""
    settings = settings_of_all(context, demo=demo, token=token)
    schools = named_schools(settings, school)
    if len(schools) > 1:
        end(f"There are several schools: --school says which one. {_listed(schools)}")
    return schools[0]


def named_schools(settings: Settings, school: str) -> list[Settings]:
    """The settings of each school, or of the one that is named. Else ends."""
    schools = or_end(lambda: schools_of(settings))
    found = [one for one in schools if school in ("", one.among.name)]
    if not found:
        end(_listed(schools) if settings.schools else "--school is for several schools: ATTENDANCE_SCHOOLS is not set.")
    return found


def _listed(schools: Iterable[Settings]) -> str:
    return f"There are: {', '.join(one.among.name for one in schools)}."


def settings_of_all(context: click.Context, *, demo: bool, token: bool = True) -> Settings:
    """The settings of the environment, in demo mode where the command or the whole line says so. Else ends.

    They may be of several schools. Without `token` those of a command that asks the school nothing.
    """
    try:
        settings = Settings(demo=True) if demo or context.obj else Settings()
    except ValidationError as error:
        end(*explain(error))
    if token and not settings.demo and not settings.has_token and settings.schools is None:
        end(NO_TOKEN)
    return settings


def server_of(settings: Settings) -> AttendanceServer:
    """The server over the school that the settings name. Else ends."""
    from attendance_mcp.server import build

    return _built(settings, lambda: build(settings))


def servers_of(settings: Settings) -> list[AttendanceServer]:
    """A server over HTTP for each school that the settings name. Else ends."""
    from attendance_mcp.server import build_schools

    return _built(settings, lambda: build_schools(settings))


def _built(settings: Settings, build: Callable[[], T]) -> T:
    try:
        built = or_end(build)
        for one in or_end(lambda: schools_of(settings)):
            if warning := one.token_warning:
                click.echo(f"attendance-mcp: {warning}", err=True)
        return built
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
