"""The file of `ATTENDANCE_SCHOOLS`: several schools in one deployment, each with what it has of its own."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from attendance_mcp.errors import SettingsError
from attendance_mcp.outside import one_line
from attendance_mcp.settings import OF_ONE_SCHOOL, Among, Settings, read_private

NAME = re.compile(r"[a-z0-9-]{1,40}")
_KEYS = ("title", *OF_ONE_SCHOOL)
_NEEDED = ("api_token_file", "timezone")
_PATHS = ("api_token_file", "profile")
_LONGEST_TITLE = 80
_MOST_BYTES = 2**20


def schools_of(settings: Settings) -> list[Settings]:
    """The settings of each school in the file's order; these alone where they name no file.

    Raises SettingsError, which names the school and the key and shows no value.
    """
    if settings.schools is None:
        return [settings]
    tables = _tables(settings.schools)
    titles = {name: _title(name, table) for name, table in tables.items()}
    schools = [
        _school(settings, Among(name, titles[name], frozenset(tables)), table, folder=settings.schools.parent)
        for name, table in tables.items()
    ]
    _refuse_equal(schools, lambda one: one.among.title.casefold(), "one title: people could not tell them apart")
    _refuse_equal(schools, lambda one: one.api_token_file and one.api_token_file.resolve(), "one token file")
    return schools


def refuse_shared_tokens(schools: Iterable[Settings]) -> None:
    """Raises SettingsError where two tables are of one school, or a token can't be read."""
    _refuse_equal(schools, lambda one: (one.api_url, one.token()), "the same token, and are one school")


def _tables(path: Path) -> Mapping[str, Mapping[str, Any]]:
    try:
        # Whoever can change it chooses to which address a token goes.
        tables = tomllib.loads(read_private(path, name="ATTENDANCE_SCHOOLS", most=_MOST_BYTES))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The file of ATTENDANCE_SCHOOLS is no TOML: {error}.") from None
    if not tables:
        raise _wrong("it names no school; [north] begins one.")
    for name, table in tables.items():
        if not NAME.fullmatch(name):
            raise _wrong(f"{one_line(name, limit=40)!r} can be no school's name, which is of a-z, 0-9 and -.")
        if not isinstance(table, dict):
            raise _wrong(f"{name} is no table; [{name}] begins one.")
        for key in table:
            if key not in _KEYS:
                raise _wrong(f"{name}.{one_line(key, limit=40)} is no key of a school; those are {', '.join(_KEYS)}.")
        for key in _NEEDED:
            if key not in table:
                raise _wrong(f"{name}.{key} is missing.")
    return tables


def _title(name: str, table: Mapping[str, Any]) -> str:
    title = table.get("title", name)
    if not isinstance(title, str) or title != one_line(title, limit=_LONGEST_TITLE) or not title:
        raise _wrong(f"{name}.title: one line of at most {_LONGEST_TITLE} characters is expected.")
    return title


def _school(settings: Settings, among: Among, table: Mapping[str, Any], *, folder: Path) -> Settings:
    own = {key: value for key, value in table.items() if key != "title"}
    own |= {key: folder / own[key] for key in _PATHS if isinstance(own.get(key), str)}
    try:
        return settings.of_school(among, own)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        words = problem["msg"].removeprefix("Value error, ")
        raise _wrong(f"{'.'.join([among.name, *map(str, problem['loc'][:1])])}: {words}.") from None


def _refuse_equal(schools: Iterable[Settings], of: Callable[[Settings], object], what: str) -> None:
    known: dict[object, str] = {}
    for one in schools:
        other = known.setdefault(of(one), one.among.name)
        if other != one.among.name:
            raise _wrong(f"{other} and {one.among.name} have {what}.")


def _wrong(words: str) -> SettingsError:
    return SettingsError(f"The file of ATTENDANCE_SCHOOLS can't be used: {words}")
