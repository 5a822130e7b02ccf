"""`connect`: a school's server for an assistant on this machine, as the person who signs in."""

from __future__ import annotations

import gc
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import click

from attendance_mcp.commands.common import end, or_end
from attendance_mcp.errors import AttendanceError
from attendance_mcp.schools_file import NAME
from attendance_mcp.settings import checked_origin, read_secret

if TYPE_CHECKING:
    from attendance_mcp.connect.sign_in import Client


@click.command("connect")
@click.argument("url")
@click.option("--client-id", required=True, help="The client that is registered with the school's issuer for laptops.")
@click.option(
    "--client-secret-file",
    type=click.Path(path_type=Path),
    help="A file that holds that client's secret, where it has one, as with Google.",
)
@click.option("--sign-in", "only_sign_in", is_flag=True, help="Sign in now, keep it in the keyring, and end.")
@click.option("--sign-out", is_flag=True, help="Forget the sign-in that is kept, and end.")
def command(*, url: str, client_id: str, client_secret_file: Path | None, only_sign_in: bool, sign_out: bool) -> None:
    """Serve the school's server at URL on stdio: you sign in in your browser, and everything is passed on.

    \b
    attendance-mcp connect https://attendance.school.example --client-id attendance-laptop
    attendance-mcp connect https://attendance.school.example --client-id attendance-laptop --sign-in
    attendance-mcp connect https://attendance.school.example/mcp/north --client-id attendance-laptop
    """
    try:
        server = address_of(url)
    except ValueError as error:
        end(f"URL {error}")
    # What an issuer answers may stand in its notes.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    if sign_out:
        anyio.run(_sign_out, server, client_id)
        click.echo("Signed out on this machine.", err=True)
        return
    from attendance_mcp.connect.sign_in import Client

    path = client_secret_file
    secret = None if path is None else or_end(lambda: read_secret(path, name="--client-secret-file"))
    client = Client(client_id, secret)
    if only_sign_in:
        good, said = anyio.run(_sign_in, server, client)
        if not good:
            end(said)
        click.echo(said, err=True)
    else:
        from attendance_mcp import stdio
        from attendance_mcp.connect.relay import Relay

        gc.freeze()
        sys.exit(stdio.run(Relay(server, client=client)))


def address_of(url: str) -> str:
    """Where a school's server speaks MCP: `https://host/mcp`, or `https://host/mcp/north` of one among several.

    The host alone will do for the first one. Raises ValueError for another address.
    """
    host, mcp, name = url.strip().removesuffix("/").partition("/mcp/")
    if not mcp or not NAME.fullmatch(name):
        host, name = url.strip().removesuffix("/").removesuffix("/mcp"), ""
    try:
        origin = checked_origin(host)
    except ValueError as error:
        raise ValueError(str(error).replace("https://api.managebac.com", "https://attendance.school.example")) from None
    return f"{origin}/mcp/{name}" if name else f"{origin}/mcp"


async def _sign_in(server: str, client: Client) -> tuple[bool, str]:
    """Whether all is well, and what there is to say."""
    from attendance_mcp.connect.sign_in import SignIn

    async with SignIn.at(server, client=client) as sign_in:
        try:
            wanted = await sign_in.token() is not None
        except AttendanceError as error:
            return False, str(error)
    return True, "Signed in." if wanted else "This server asks nobody to sign in."


async def _sign_out(server: str, client_id: str) -> None:
    from attendance_mcp.connect.sign_in import keeping_of

    await keeping_of(server, client_id).forget()
