"""`doctor`: a look at the school's system, by reads alone."""

from __future__ import annotations

import anyio
import click

from attendance_mcp.commands.common import demo_option, or_end, settings_of
from attendance_mcp.settings import Settings


@click.command("doctor")
@demo_option
@click.option("--learn", is_flag=True, required=True, help="Propose a school profile from reads alone.")
@click.pass_context
def command(context: click.Context, *, demo: bool, learn: bool) -> None:  # noqa: ARG001 the only thing it does so far
    """Look at the school's system, by reads alone.

    \b
    attendance-mcp doctor --learn > school.toml
    """
    settings = settings_of(context, demo=demo)
    or_end(lambda: anyio.run(_learn, settings))


async def _learn(settings: Settings) -> None:
    from attendance_mcp.school.learn import learn_profile
    from attendance_mcp.school.school import School
    from attendance_mcp.server import open_app

    app = open_app(settings)
    try:
        click.echo(await learn_profile(School(app.connection)), nl=False)
    finally:
        await app.aclose()
