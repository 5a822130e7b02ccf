"""`demo`: a real exchange with the embedded school."""

from __future__ import annotations

import anyio
import click


@click.command("demo")
@click.option("--reset", is_flag=True, help="Make the embedded school anew first.")
def command(*, reset: bool) -> None:
    """Show a real exchange: a client starts the server on the embedded school, asks, and has a mark changed."""
    from attendance_mcp.demo import demo_file
    from attendance_mcp.exchange import show

    if reset:
        for path in demo_file().parent.glob(demo_file().name + "*"):
            path.unlink()
    anyio.run(show, click.echo)
