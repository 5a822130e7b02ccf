"""`sandbox`: the embedded school's API on this machine."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

import click


@click.command("sandbox")
@click.option("--port", default=8751, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--token", default="sandbox", show_default=True, help="The token that the school's API accepts.")
@click.option("--size", type=click.Choice(["small", "school", "district"]), default="school", show_default=True)
@click.option("--today", metavar="DATE[THH:MM]", help="The school's day and time; else this machine's.")
@click.option("--file", type=click.Path(dir_okay=False, path_type=Path), help="Keep the school in this SQLite file.")
@click.option("--without", default="", help="Comma-separated: calendar,categories,teachers,permissions,extended.")
@click.option("--assume", multiple=True, metavar="KEY=VALUE", help="How the API behaves where its contract is silent.")
@click.option("--rate-limit", type=click.IntRange(min=1), help="Requests a second before it answers 429.")
@click.option("--log", type=click.Path(dir_okay=False, path_type=Path), help="Write each request to this file.")
def command(
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
