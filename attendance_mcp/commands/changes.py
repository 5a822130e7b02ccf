"""`changes`: the journal, as its keeper sees it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import click

from attendance_mcp.commands.common import demo_option, end, or_end, school_option, settings_of_all, settings_of_one
from attendance_mcp.settings import Settings

if TYPE_CHECKING:
    from attendance_mcp.changes.store import Store


@click.command("changes")
@demo_option
@click.option(
    "--export",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="Write each plan as a line of JSON, by ids and codes; without a file to stdout.",
)
@click.option("--texts", is_flag=True, help="Export notes, comments and reasons too, while they are kept.")
@click.option("--verify", is_flag=True, help="Check the chain; ends with status 1 where it is broken.")
@click.option("--student", type=click.IntRange(min=1), metavar="ID", help="Only what is of this student.")
@school_option
@click.option("--erase", is_flag=True, help="Take all that is of the student out of the store, for good.")
@click.option("--yes", is_flag=True, help="Erase without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_context
def command(
    context: click.Context,
    *,
    demo: bool,
    export: Path | None,
    texts: bool,
    verify: bool,
    student: int | None,
    school: str,
    erase: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Show, export and check what was changed through this installation, or take a student out of it.

    Only the list needs the school's token, since it tells names; the others work on the store alone. Where there are
    several schools, the list is of one, and so is a student.

    \b
    attendance-mcp changes
    attendance-mcp changes --export journal.jsonl
    attendance-mcp changes --export --student 4711 --texts
    attendance-mcp changes --verify
    attendance-mcp changes --student 4711 --erase
    """
    if sum((export is not None, verify, erase)) > 1:
        raise click.UsageError("--export, --verify and --erase are three things: do one of them.")
    if (erase and student is None) or (verify and student is not None):
        raise click.UsageError("--erase needs --student; --verify checks the whole chain, so it takes none.")
    if verify and school:
        raise click.UsageError("--verify checks every school's chain, so it takes no --school.")
    if (texts and export is None) or (yes and not erase):
        raise click.UsageError("--texts goes with --export, and --yes with --erase.")
    alone = export is not None or verify or erase
    if not alone:
        settings = settings_of_one(context, demo=demo, school=school)
        or_end(lambda: anyio.run(_list, settings, student, as_json))
        return
    settings = settings_of_all(context, demo=demo, token=False)
    if verify:
        sys.exit(_verify(settings, as_json=as_json))
    at = ""
    if school or (settings.schools is not None and student is not None):  # an id may be another's at another school
        at = settings_of_one(context, demo=demo, token=False, school=school).bound_to
    if export is not None:
        _export(settings, export, student=student, texts=texts, school=at)
    elif student is not None:
        _erase(settings, student, school=at, sure=yes, as_json=as_json)


def _export(settings: Settings, file: Path, *, student: int | None, texts: bool, school: str) -> None:
    from attendance_mcp.changes.auditing import records

    found = _on_store(settings, lambda connection: records(connection, student_id=student, texts=texts, school=school))
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in found)
    if str(file) == "-":
        click.echo(lines, nl=False)
        return
    try:
        file.touch(mode=0o600)  # children's records are in it
        file.write_text(lines, "utf-8")
    except OSError as error:
        end(f"The export can't be written: {error.strerror}.")
    click.echo(f"{_counted(len(found), 'plan')} exported.", err=True)


def _verify(settings: Settings, *, as_json: bool) -> int:
    from dataclasses import asdict

    from attendance_mcp.changes.auditing import check

    checked = _on_store(settings, check)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in checked]))
    elif not checked:
        click.echo("No plan has ended yet: there is nothing to check.")
    else:
        for one in checked:
            held = "broken" if one.broken else "the chain holds"
            erased = f", {_counted(one.erased, 'row')} of them erased" if one.erased else ""
            click.echo(f"{one.school}: {held}; {_counted(one.plans, 'plan')}{erased}; last link {one.last}")
            for fault in one.broken:
                click.echo(f"- {fault}")
    return 1 if any(one.broken for one in checked) else 0


def _erase(settings: Settings, student: int, *, school: str, sure: bool, as_json: bool) -> None:
    from attendance_mcp.changes.keeping import rows_of_student

    rows = _on_store(settings, lambda connection: rows_of_student(connection, student, school=school))
    if rows and not sure:
        if not sys.stdin.isatty():
            end("To erase, type the student's id at a terminal, or give --yes. Nothing was erased.")
        # On stderr, so that stdout holds the answer alone.
        click.echo(
            f"{_counted(rows, 'change')} of student {student} in the store. What is erased can't be undone or told.",
            err=True,
        )
        if _typed("Type the student's id to erase them") != str(student):
            end("That is not the id. Nothing was erased.")
    erased, wiped = _with_store(settings, lambda store: store.erase(student, school=school)) if rows else (None, True)
    told = {"student_id": student, "rows": erased.rows if erased else 0, "plans": erased.plans if erased else 0}
    if as_json:
        click.echo(json.dumps({**told, "wiped": wiped}))
    elif not rows:
        click.echo(f"Nothing of student {student} stands in the store.")
    else:
        click.echo(
            f"Erased: {_counted(told['rows'], 'row')} of student {student}, and {_counted(told['plans'], 'plan')} that "
            "nobody carried out."
        )
    if not wiped:
        end(
            "Another process uses the file, so old pages of it may stay until the next try: within an hour, or when "
            "this is called again with the servers stopped."
        )


def _counted(number: int, what: str) -> str:
    from attendance_mcp.digest.facts import counted

    return counted(number, what)


def _typed(asked: str) -> str:
    try:
        return str(click.prompt(asked, default="", show_default=False, err=True)).strip()
    except click.Abort:
        click.echo(err=True)
        end("No answer. Nothing was erased.")


def _on_store(settings: Settings, query: Any) -> Any:
    return _with_store(settings, lambda store: store.read(query))


def _with_store(settings: Settings, work: Any) -> Any:
    """What is done with the store alone; the school isn't asked."""
    from attendance_mcp.from_settings import open_desk

    async def run() -> Any:
        desk = open_desk(settings)
        try:
            store: Store = desk.store
            return await work(store)
        finally:
            desk.close()

    return or_end(lambda: anyio.run(run))


async def _list(settings: Settings, student: int | None, as_json: bool) -> None:  # noqa: FBT001 anyio.run passes by position
    from attendance_mcp.answer import answer
    from attendance_mcp.changes.journal import journal
    from attendance_mcp.server import open_app

    app = open_app(settings)
    app.connection.writes = settings.writes_on(http=False)
    try:
        facts = await journal(app.own_errand(), since=None, student_id=student, limit=100)
    finally:
        await app.aclose()
    told = answer(facts, demo=settings.demo)
    click.echo(json.dumps(told.structured_content, ensure_ascii=False) if as_json else told.content[0].text)  # type: ignore[union-attr]
