"""`doctor`: what works and what doesn't, by reads alone."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

import anyio
import click

from attendance_mcp.commands.common import demo_option, or_end, settings_of
from attendance_mcp.commands.hosts import hosts
from attendance_mcp.errors import AttendanceError
from attendance_mcp.school.assumed import Assumption, Verdict, assumptions
from attendance_mcp.school.checkup import Finding, State, checkup
from attendance_mcp.settings import Settings

if TYPE_CHECKING:
    from attendance_mcp.server import App

_PATIENCE = 300.0  # seconds: nobody waits in a chat for it, and it reads a whole term
_VERDICTS = {Verdict.HOLDS: "green", Verdict.FAILS: "yellow", Verdict.UNKNOWN: "cyan"}
_COLOURS = {State.GOOD: "green", State.WARNING: "yellow", State.WRONG: "red"}


@click.command("doctor")
@demo_option
@click.option("--learn", is_flag=True, help="Propose a school profile, and look at nothing else.")
@click.option(
    "--assumptions",
    "of_contract",
    is_flag=True,
    help="Say which assumptions of the API's contract hold here, no names.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one line of JSON.")
@click.pass_context
def command(context: click.Context, *, demo: bool, learn: bool, of_contract: bool, as_json: bool) -> None:
    """Look at the settings and the school's system, by reads alone; ends with status 1 where something is wrong.

    \b
    attendance-mcp doctor
    attendance-mcp doctor --json
    attendance-mcp doctor --learn > school.toml
    attendance-mcp doctor --assumptions
    """
    settings = settings_of(context, demo=demo)
    if learn:
        or_end(lambda: anyio.run(_learn, settings))
        return
    if of_contract:
        seen = or_end(lambda: anyio.run(_assumptions, settings, not as_json))
        if as_json:
            click.echo(json.dumps([asdict(one) for one in seen], ensure_ascii=False))
        return
    found = or_end(lambda: anyio.run(_look, settings, not as_json))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found], ensure_ascii=False))
    sys.exit(any(finding.state is State.WRONG for finding in found))


async def _learn(settings: Settings) -> None:
    from attendance_mcp.school.learn import learn_profile
    from attendance_mcp.school.school import School
    from attendance_mcp.server import open_app

    app = open_app(settings)
    try:
        click.echo(await learn_profile(School(app.connection).for_person()), nl=False)
    finally:
        await app.aclose()


async def _assumptions(settings: Settings, tell: bool) -> list[Assumption]:  # noqa: FBT001 anyio.run passes by position
    from attendance_mcp.school.school import School
    from attendance_mcp.server import open_app

    app = open_app(settings)
    app.connection.deadline = _PATIENCE
    seen: list[Assumption] = []
    try:
        async for one in assumptions(School(app.connection).for_person()):
            seen.append(one)
            if tell:
                verdict = click.style(f"{one.verdict:7}", fg=_VERDICTS[one.verdict])
                click.echo(f"{verdict}  {one.assumption}: {one.seen}")
    finally:
        await app.aclose()
    return seen


async def _look(settings: Settings, tell: bool) -> list[Finding]:  # noqa: FBT001 anyio.run passes by position
    from attendance_mcp.server import open_app

    app = open_app(settings)
    app.connection.writes = settings.writes_on(http=False)
    found: list[Finding] = []
    try:
        async for finding in _findings(settings, app):
            found.append(finding)
            if tell:
                _tell(finding)
    finally:
        await app.aclose()
    if tell:
        numbers = {state: sum(finding.state is state for finding in found) for state in State}
        click.echo(", ".join(f"{number} {state}" for state, number in numbers.items() if number) + ".")
    return found


def _tell(finding: Finding) -> None:
    # Click leaves the colours out where nobody would see them.
    state = click.style(f"{finding.state:7}", fg=_COLOURS[finding.state])
    click.echo(f"{state}  {finding.about}: {finding.words}{f' {finding.do}' if finding.do else ''}")


async def _findings(settings: Settings, app: App) -> AsyncIterator[Finding]:
    from attendance_mcp.school.school import School

    for finding in _of_settings(settings):
        yield finding
    try:
        async for finding in checkup(School(app.connection).for_person()):
            yield finding
        async for finding in _of_policy(app):
            yield finding
    except AttendanceError as error:
        yield Finding(State.WRONG, "school's system", str(error))
    yield await _of_store(app)
    yield _of_hosts()


def _of_settings(settings: Settings) -> Iterable[Finding]:
    if settings.demo:
        yield Finding(State.GOOD, "settings", "Demo school: invented people, no token is used.")
        return
    where = "a file" if settings.api_token_file else "ATTENDANCE_API_TOKEN"
    where = "the keyring" if settings.api_token_keyring else where
    yield Finding(
        State.GOOD, "settings", f"{settings.api_url}, version {settings.api_version}; the token is in {where}."
    )
    if settings.api_token is not None:
        words = "The token stands in the environment, where other programs of yours may read it."
        yield Finding(State.WARNING, "token", words, "attendance-mcp install puts it in a file or the keyring.")
    if settings.token_warning:
        yield Finding(State.WARNING, "token", settings.token_warning)
    if settings.writes_on(http=False) and settings.approval == "token":
        words = "ATTENDANCE_APPROVAL=token: no person is asked before a change is written."
        yield Finding(State.WARNING, "approval", words, "Leave it out unless an agent works here alone.")


async def _of_policy(app: App) -> AsyncIterator[Finding]:
    """Groups of the policy that hold nobody: whoever they were meant for would only find that they see nobody."""
    if app.policy is None:
        return
    from attendance_mcp.school.school import School
    from attendance_mcp.school.sight import unclear_places

    unclear = await unclear_places(School(app.connection), app.policy.places())
    for place in unclear:
        words = "The school has no such group, or several: it grants nothing."
        yield Finding(State.WARNING, f"policy: {place.kind} {place.name!r}", words, "Name it in full, or by its id.")
    if not unclear:
        yield Finding(State.GOOD, "policy", "Every group that it names is one of the school's.")


async def _of_store(app: App) -> Finding:
    try:
        await app.desk.store.began(app.connection.name)
    except AttendanceError as error:
        return Finding(State.WRONG, "store", str(error))
    return Finding(State.GOOD, "store", "Plans and changes can be stored.")


def _of_hosts() -> Finding:
    found = {host.name: entries for host in hosts() if (entries := host.entries())}
    if not found:
        words = "No assistant on this machine is set up with this server."
        return Finding(
            State.WARNING, "assistants", words, "attendance-mcp install --client claude-desktop sets one up."
        )
    told = "; ".join(f"{name}: {', '.join(entries)}" for name, entries in found.items())
    return Finding(State.GOOD, "assistants", f"Set up in {told}.")
