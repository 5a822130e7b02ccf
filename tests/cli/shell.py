"""The command as a shell calls it, in this process: its words on stdout and stderr, and its status."""

from __future__ import annotations

import gc

from click.testing import CliRunner, Result

from attendance_mcp.cli import main

gc.enable()  # the command's own start leaves it off


def command(*arguments: str, settings: dict[str, str] | None = None) -> Result:
    """Runs the command to its end."""
    done = CliRunner().invoke(main, list(arguments), env=settings)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done
