"""`doctor`: what works and what doesn't, by reads alone."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING

import anyio
import click

from attendance_mcp.commands.common import (
    demo_option,
    named_schools,
    or_end,
    school_option,
    settings_of_all,
    settings_of_one,
)
from attendance_mcp.commands.hosts import hosts
from attendance_mcp.errors import AttendanceError, SettingsError
from attendance_mcp.school.assumed import Assumption, Verdict, assumptions
from attendance_mcp.school.checkup import Finding, State, checkup
from attendance_mcp.settings import OF_ONE_SCHOOL, PREFIX, Settings

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
@school_option
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one line of JSON.")
@click.pass_context
def command(context: click.Context, *, demo: bool, learn: bool, of_contract: bool, school: str, as_json: bool) -> None:
    """Look at the settings and the school's system, by reads alone; ends with status 1 where something is wrong.

    Of several schools it looks at each.

    \b
    attendance-mcp doctor
    attendance-mcp doctor --json
    attendance-mcp doctor --learn > school.toml
    attendance-mcp doctor --assumptions
    """
    if learn:
        settings = settings_of_one(context, demo=demo, school=school)
        or_end(lambda: anyio.run(_learn, settings))
        return
    if of_contract:
        settings = settings_of_one(context, demo=demo, school=school)
        seen = or_end(lambda: anyio.run(_assumptions, settings, not as_json))
        if as_json:
            click.echo(json.dumps([asdict(one) for one in seen], ensure_ascii=False))
        return
    schools = named_schools(settings_of_all(context, demo=demo), school)
    looks = {one.among.name: partial(anyio.run, _look, one, not as_json) for one in schools}
    found = [(name, finding) for name, look in looks.items() for finding in or_end(look)]
    if as_json:
        told = [{**({"school": name} if name else {}), **asdict(finding)} for name, finding in found]
        click.echo(json.dumps(told, ensure_ascii=False))
    sys.exit(any(finding.state is State.WRONG for _, finding in found))


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
    found: list[Finding] = []
    if tell and settings.among.name:
        click.echo(click.style(f"{settings.among.title} ({settings.among.name})", bold=True))
    async for finding in _findings(settings):
        found.append(finding)
        if tell:
            _tell(finding)
    if tell:
        numbers = {state: sum(finding.state is state for finding in found) for state in State}
        click.echo(", ".join(f"{number} {state}" for state, number in numbers.items() if number) + ".")
    return found


def _tell(finding: Finding) -> None:
    # Click leaves the colours out where nobody would see them.
    state = click.style(f"{finding.state:7}", fg=_COLOURS[finding.state])
    click.echo(f"{state}  {finding.about}: {finding.words}{f' {finding.do}' if finding.do else ''}")


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    from attendance_mcp.server import open_app

    try:
        app = open_app(settings)
    except SettingsError as error:
        if not settings.among.name:
            raise
        yield Finding(State.WRONG, "settings", str(error))  # the other schools are looked at all the same
        return
    app.connection.writes = settings.writes_on(http=bool(settings.among.name))
    try:
        for finding in _of_settings(settings):
            yield finding
        async for finding in _of_school(app):
            yield finding if not finding.do else replace(finding, do=_as_set(finding.do, settings))
        yield await _of_store(app)
        if not settings.among.name:  # several are served to others' machines
            yield _of_hosts()
    finally:
        await app.aclose()


async def _of_school(app: App) -> AsyncIterator[Finding]:
    from attendance_mcp.school.school import School

    try:
        async for finding in checkup(School(app.connection).for_person()):
            yield finding
        async for finding in _of_policy(app):
            yield finding
    except AttendanceError as error:
        yield Finding(State.WRONG, "school's system", str(error))


def _as_set(words: str, settings: Settings) -> str:
    """Words of what to do, with the settings as whoever runs this knows them."""
    for field in OF_ONE_SCHOOL:
        words = words.replace(PREFIX + field.upper(), settings.called(field))
    return words


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

    if not app.policy.holds:
        yield Finding(State.WARNING, "policy", "No rule names this school, so that nobody may see anybody.")
        return
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
