"""`install`: writes this server into an assistant's configuration, and the token where only its owner can read it."""

from __future__ import annotations

import difflib
import json
import os
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from attendance_mcp.commands.common import demo_option, end
from attendance_mcp.commands.connect import address_of
from attendance_mcp.commands.hosts import Host, hosts
from attendance_mcp.errors import SettingsError
from attendance_mcp.settings import KEYRING_SERVICE, Settings, checked_origin, checked_token, config_folder, zone_name

_CLIENTS = {"claude-desktop": "Claude Desktop", "claude-code": "Claude Code", "vscode": "VS Code"}
_DEFAULT_URL = str(Settings.model_fields["api_url"].default)


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What the person wants; what is None is asked where somebody can be asked."""

    url: str | None
    zone: str | None
    writes: str | None
    privacy: str | None
    token_file: Path | None
    keyring: bool
    demo: bool
    connect: str | None
    client_id: str | None
    client_secret_file: Path | None


@click.command("install")
@demo_option
@click.option("--client", type=click.Choice(tuple(_CLIENTS)), required=True, help="The assistant to set up.")
@click.option("--name", default="attendance", show_default=True, help="What the assistant calls this server.")
@click.option("--api-url", help=f"The school's API; {_DEFAULT_URL} unless it is another.")
@click.option("--timezone", help="The school's time zone, such as Asia/Singapore.")
@click.option("--writes", type=click.Choice(("confirm", "off")), help="Whether the assistant may plan changes.")
@click.option("--privacy", type=click.Choice(("names", "minimal", "codes")), help="What the assistant may read.")
@click.option("--token-file", type=click.Path(path_type=Path), help="A file that holds the token already.")
@click.option("--keyring", is_flag=True, help="Keep the token in the system's keyring; needs attendance-mcp[keyring].")
@click.option("--connect", metavar="URL", help="A school's own server, where you sign in: no token is on this machine.")
@click.option("--client-id", help="With --connect: the client that is registered with the school's issuer.")
@click.option("--client-secret-file", type=click.Path(path_type=Path), help="With --connect: a file with its secret.")
@click.option("--yes", is_flag=True, help="Ask nothing: what is not given stays at its default.")
@click.pass_context
def command(
    context: click.Context,
    *,
    demo: bool,
    client: str,
    name: str,
    api_url: str | None,
    timezone: str | None,
    writes: str | None,
    privacy: str | None,
    token_file: Path | None,
    keyring: bool,
    connect: str | None,
    client_id: str | None,
    client_secret_file: Path | None,
    yes: bool,
) -> None:
    """Write this server into an assistant's configuration: shows the difference, asks, and keeps a backup.

    The token goes into the keyring or a file of yours alone, never into the configuration.

    \b
    attendance-mcp install --client claude-desktop
    attendance-mcp install --client vscode --demo --yes
    attendance-mcp install --client claude-code --token-file ~/.config/attendance-mcp/token --timezone Europe/Vienna
    attendance-mcp install --client claude-desktop --connect https://attendance.school.example --client-id a-laptop
    """
    wishes = _Wishes(
        api_url,
        timezone,
        writes,
        privacy,
        token_file,
        keyring,
        demo or bool(context.obj),
        connect,
        client_id,
        client_secret_file,
    )
    host = next(host for host in hosts() if host.name == _CLIENTS[client])
    before = _read(host)
    entry = _entry(wishes, ask=not yes)
    after = _with(before, host, name, entry)
    if not _show(before, after, host):
        click.echo(f"{host.name} is set up like this already. Its configuration was not changed.")
        return
    if not (yes or click.confirm(f"Write this to {host.path}?", default=True)):
        end(f"The configuration of {host.name} was not changed.")
    kept = _write(host, after)
    click.echo(f"Done. Restart {host.name}." + (f" The file as it was: {kept}." if kept else ""))


def _read(host: Host) -> dict[str, Any]:
    """The configuration as it stands. Ends where it can't be understood: it is never written over unread."""
    try:
        text = host.path.read_text("utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError):
        end(f"{host.path} can't be read. Nothing was changed.")
    try:
        found = json.loads(text or "{}")
        servers = found.get(host.servers, {})
    except (ValueError, AttributeError):
        found = servers = None
    if not isinstance(found, dict) or not isinstance(servers, dict):
        end(
            f"{host.path} is not plain JSON with an object {host.servers!r}, so it is not written over. Nothing was "
            "changed. Put the entry in by hand: docs/set-up.md shows it."
        )
    return found


def _with(before: dict[str, Any], host: Host, name: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {**before, host.servers: {**before.get(host.servers, {}), name: entry}}


def _entry(wishes: _Wishes, *, ask: bool) -> dict[str, Any]:
    command, arguments = _own_command()
    if wishes.demo:
        return {"command": command, "args": [*arguments, "serve", "--demo"]}
    if wishes.connect:
        url = _checked("--connect", address_of, wishes.connect).removesuffix("/mcp")
        if not wishes.client_id:
            end("--connect needs --client-id too: whoever runs the server tells it. Nothing was changed.")
        client = ["--client-id", wishes.client_id]
        if wishes.client_secret_file is not None:
            client += ["--client-secret-file", _existing(wishes.client_secret_file)]
        return {"command": command, "args": [*arguments, "connect", url, *client]}
    env = {"ATTENDANCE_API_URL": _url(wishes, ask=ask), **_token(wishes, ask=ask)}
    zone = wishes.zone or (click.prompt("The school's time zone, such as Asia/Singapore") if ask else None)
    if zone:
        env["ATTENDANCE_TIMEZONE"] = _checked("--timezone", zone_name, zone)
    writes = wishes.writes or (_chosen("May the assistant plan changes, which you approve?", "confirm", "off", ask=ask))
    if writes:
        env["ATTENDANCE_WRITES"] = writes
    privacy = wishes.privacy or _chosen(
        "What may the assistant read of a student?", "names", "minimal", "codes", ask=ask
    )
    if privacy and privacy != "names":
        env["ATTENDANCE_PRIVACY"] = privacy
    return {"command": command, "args": [*arguments, "serve"], "env": env}


def _url(wishes: _Wishes, *, ask: bool) -> str:
    url = wishes.url or (click.prompt("The school's API", default=_DEFAULT_URL) if ask else _DEFAULT_URL)
    return _checked("--api-url", checked_origin, url)


def _chosen(question: str, *choices: str, ask: bool) -> str | None:
    return str(click.prompt(question, type=click.Choice(choices), default=choices[0])) if ask else None


def _checked(option: str, check: Any, value: str) -> str:
    try:
        return str(check(value))
    except ValueError as error:
        end(f"{option} {error}. Nothing was changed.")


def _token(wishes: _Wishes, *, ask: bool) -> dict[str, str]:
    """The setting that names the token's place, once the token is there."""
    if wishes.token_file is not None:
        return {"ATTENDANCE_API_TOKEN_FILE": _existing(wishes.token_file)}
    if not ask:
        end(
            "With --yes the token's place must be given: --token-file, or --demo for an invented school. "
            "Nothing was changed."
        )
    try:
        token = checked_token(
            click.prompt("The token of the school's API (it is not shown)", hide_input=True), where="it"
        )
    except SettingsError as error:
        end(f"{error} Nothing was changed.")
    return _in_keyring(token) if wishes.keyring else _in_file(token)


def _existing(file: Path) -> str:
    path = file.expanduser().absolute()
    if not path.is_file():
        end(f"There is no file {path}. Nothing was changed.")
    return str(path)


def _in_keyring(token: str) -> dict[str, str]:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        end("The keyring needs one more package: install attendance-mcp[keyring]. Nothing was changed.")
    try:
        keyring.set_password(KEYRING_SERVICE, "token", token)
    except KeyringError:
        end("This machine's keyring can't be used; leave --keyring out. Nothing was changed.")
    return {"ATTENDANCE_API_TOKEN_KEYRING": "token"}


def _in_file(token: str) -> dict[str, str]:
    path = config_folder() / "token"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make_private(path, f"{token}\n".encode())
    click.echo(f"The token is in {path}, which only you can read.")
    return {"ATTENDANCE_API_TOKEN_FILE": str(path)}


def _make_private(path: Path, content: bytes) -> None:
    """Makes the file anew for its user alone: never written into one that others may hold open, or have made."""
    path.unlink(missing_ok=True)
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "wb") as file:
        file.write(content)


def _own_command() -> tuple[str, list[str]]:
    """What starts this very installation, by its whole path: an assistant knows no PATH of a shell's."""
    script = Path(sys.executable).with_name("attendance-mcp.exe" if os.name == "nt" else "attendance-mcp")
    if script.is_file():
        return str(script), []
    return sys.executable, ["-m", "attendance_mcp"]


def _show(before: dict[str, Any], after: dict[str, Any], host: Host) -> bool:
    """Prints what will be another; false where nothing is."""
    old, new = (_rendered({host.servers: one.get(host.servers, {})}).splitlines() for one in (before, after))
    changes = list(difflib.unified_diff(old, new, lineterm="", n=2))[2:]
    colors = {"+": "green", "-": "red", "@": "cyan"}
    for line in changes:
        click.echo(click.style(line, fg=colors.get(line[:1])))
    return bool(changes)


def _rendered(config: dict[str, Any]) -> str:
    return json.dumps(config, ensure_ascii=False, indent=2)


def _write(host: Host, config: dict[str, Any]) -> Path | None:
    """Writes the file whole or not at all, and answers where the one before it is kept."""
    kept = None
    try:
        host.path.parent.mkdir(parents=True, exist_ok=True)
        if host.path.exists():
            kept = host.path.with_name(f"{host.path.name}.{datetime.now().astimezone():%Y%m%d-%H%M%S}.bak")
            _make_private(kept, host.path.read_bytes())  # other entries may hold secrets
        new = host.path.with_name(f"{host.path.name}.new")
        _make_private(new, f"{_rendered(config)}\n".encode())
        if host.path.exists():
            new.chmod(host.path.stat().st_mode & 0o777)
        new.replace(host.path)
    except OSError as error:
        end(f"{host.path} can't be written: {error.strerror}. It is as it was.")
    return kept
