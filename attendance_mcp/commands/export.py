"""`export`: lists for the office, as a table or a page, from the school's system as it is now."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, cast

import anyio
import click

from attendance_mcp.commands.common import demo_option, end, or_end, settings_of
from attendance_mcp.settings import Settings

if TYPE_CHECKING:
    from attendance_mcp.school.clock import DayWord
    from attendance_mcp.school.groups import Group
    from attendance_mcp.school.school import School
    from attendance_mcp.window.ports import SheetContent

Read = Callable[["School", "Group", str, str], Awaitable["SheetContent"]]


@click.command("export")
@demo_option
@click.argument("what", type=click.Choice(("absences", "roll", "concerns")))
@click.option("--group", default="", help="A programme, year group, homeroom (by its advisor) or class; none is all.")
@click.option("--date", "day", default="today", help="yyyy-mm-dd, today or yesterday; of absences and roll.")
@click.option("--term", default="", help="A term of the school's; of concerns. None is the current one.")
@click.option("--csv", "form", flag_value="csv", default=True, help="A table for a spreadsheet (the default).")
@click.option("--html", "form", flag_value="html", help="A page to be read or printed.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="A file; without it stdout.")
@click.pass_context
def command(
    context: click.Context,
    *,
    demo: bool,
    what: str,
    group: str,
    day: str,
    term: str,
    form: str,
    output: Path | None,
) -> None:
    """Write who is away, a register with everybody, or a term's ranking, with names: for people, not for assistants.

    A file that it makes can be read by you alone. Ends with status 2 where the list can't be made.

    \b
    attendance-mcp export absences --csv --output away.csv
    attendance-mcp export roll --group "Grade 8" --html --output roll.html
    attendance-mcp export concerns --group "Grade 8" --term "Term 1"
    """
    settings = settings_of(context, demo=demo)
    written = or_end(lambda: anyio.run(_export, settings, what, group, day, term, form))
    if output is None:
        sys.stdout.buffer.write(written)
        sys.stdout.buffer.flush()
        return
    try:
        # Made anew, for its owner alone: it holds the names of children.
        number = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(written)
    except FileExistsError:
        end(f"{output} is there already, and is not written over.")
    except OSError as error:
        end(f"{output} can't be written: {error.strerror}.")


async def _export(settings: Settings, what: str, group: str, day: str, term: str, form: str) -> bytes:
    from attendance_mcp.school.groups import find_group
    from attendance_mcp.school.school import School
    from attendance_mcp.server import open_app
    from attendance_mcp.window import table
    from attendance_mcp.window.sheet_document import standing_alone

    app = open_app(settings)
    try:
        school = School(app.connection).for_person()
        content = await _LISTS[what](school, await find_group(school, group), day, term)
    finally:
        await app.aclose()
    if form == "html":
        return standing_alone(content, demo=settings.demo).encode()
    for line in getattr(content, "remarks", ()):  # a table has no room for what has to be said of it
        click.echo(line, err=True)
    return table.as_csv(table.rows(content))


async def _absences(school: School, group: Group, day: str, _term: str) -> SheetContent:
    from attendance_mcp.school.sheets import absence_sheet

    return await absence_sheet(school, group, _day(school, day))


async def _roll(school: School, group: Group, day: str, _term: str) -> SheetContent:
    from attendance_mcp.school.sheets import register_sheet

    return await register_sheet(school, group, _day(school, day))


async def _concerns(school: School, group: Group, _day: str, term: str) -> SheetContent:
    from attendance_mcp.digest.sheets import group_term
    from attendance_mcp.school.concerns import gather_term

    evidence = await gather_term(school, group, term)
    return group_term(evidence, of=group.name, not_read=school.not_read)


_LISTS: dict[str, Read] = {"absences": _absences, "roll": _roll, "concerns": _concerns}


def _day(school: School, words: str) -> date:
    """Raises ArgumentError for what is no day."""
    try:
        return date.fromisoformat(words)
    except ValueError:
        return school.clock.day(cast("DayWord", words))  # it says itself which words it takes
