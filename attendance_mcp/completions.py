"""What a host suggests while a person fills in a prompt: days, groups, terms, students."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta

from mcp.types import Completion

from attendance_mcp.errors import AttendanceError
from attendance_mcp.school.clock import Clock
from attendance_mcp.school.directory import GROUPS, Entry, EntryKind, plain
from attendance_mcp.school.school import School

MOST = 100  # the protocol's
_LEAST_LETTERS = 2  # of a student's name: one letter would only list children
_DAYS_BACK = 7


async def complete(school: School, argument: str, typed: str) -> Completion:
    """Values for one argument of a prompt, by its name; none where there is nothing to suggest or to read."""
    suggest = _BY_ARGUMENT.get(argument)
    try:
        found = [*dict.fromkeys(await suggest(school, typed))] if suggest else []
    except AttendanceError:  # a suggestion that fails is none; the prompt's own call will say why
        found = []
    return Completion(values=found[:MOST], total=len(found), has_more=len(found) > MOST)


async def _days(school: School, typed: str) -> Iterable[str]:
    return [day for day in _near(school.clock) if day.startswith(typed.strip().lower())]


def _near(clock: Clock) -> Iterable[str]:
    today = clock.today()
    return ["today", "yesterday", *(str(today - timedelta(days=back)) for back in range(_DAYS_BACK))]


async def _groups(school: School, typed: str) -> Iterable[str]:
    return await _named(school, typed, GROUPS)


async def _terms(school: School, typed: str) -> Iterable[str]:
    return await _named(school, typed, (EntryKind.TERM,))


async def _students(school: School, typed: str) -> Iterable[str]:
    # What is chosen stands in a prompt, which an assistant reads; a code says nothing to whoever would choose it.
    if len(plain(typed)) < _LEAST_LETTERS or school.disclosure.codes is not None:
        return []
    return await _named(school, typed, (EntryKind.STUDENT,))


async def _named(school: School, typed: str, kinds: tuple[EntryKind, ...]) -> Iterable[str]:
    """Names of which every word that was typed begins a word, in the directory's order."""
    words = plain(typed).split()
    entries = map(school.disclosure.entry, (await school.directory()).entries)
    fitting = (entry for entry in entries if entry.kind in kinds and not entry.archived)
    return [entry.name for entry in sorted(fitting, key=_order) if _fits(plain(entry.name).split(), words)]


def _fits(name: list[str], typed: list[str]) -> bool:
    return all(any(word.startswith(part) for word in name) for part in typed)


def _order(entry: Entry) -> tuple[int, int]:
    return GROUPS.index(entry.kind) if entry.kind in GROUPS else len(GROUPS), len(entry.name)


_BY_ARGUMENT: dict[str, Callable[[School, str], Awaitable[Iterable[str]]]] = {
    "date": _days,
    "start": _days,
    "end": _days,
    "group": _groups,
    "term": _terms,
    "student": _students,
}
