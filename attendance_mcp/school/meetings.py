"""Which classes a group's students are in, when those meet on a day, and what reading their marks may cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

from attendance_mcp.api.records import ClassRecord, Timetable
from attendance_mcp.digest.facts import listed
from attendance_mcp.errors import ArgumentError
from attendance_mcp.outside import one_line
from attendance_mcp.rules.calendar import DayKind
from attendance_mcp.school.days_off import calendars, days_off
from attendance_mcp.school.groups import Group
from attendance_mcp.school.school import School, group_name

_SHARE = 0.8  # of what the rate allows within the deadline: the rest is for retries and slow answers
_REFERENCE = 25  # requests for names, labels and calendars where nothing is in memory
_CHUNK = 100  # ids in one address, which stays below the 8 KB that servers take


@dataclass(frozen=True, slots=True)
class Meeting:
    """The periods in which a class meets on a day; not `certain` where its rotation day is unknown: then it may."""

    periods: tuple[int, ...]
    certain: bool


async def with_school(school: School, group: Group, day: date) -> tuple[Group, list[str]]:
    """The group without the year groups that have the day off, and the lines that say so."""
    off, elsewhere = set(), set()
    for code, calendar in (await calendars(school, group)).items():
        # Of another academic year the calendar here says "off" for every day, so nobody knows.
        if not any(day in year for year in calendar.years) and await school.academic_year(code, day):
            elsewhere.add(code)
        elif calendar.status(day).kind is DayKind.DAY_OFF:
            off.add(code)
    there = tuple(one for one in group.year_groups if one.program_code not in off)
    told = tuple(one for one in group.year_groups if one.program_code not in elsewhere)
    return replace(group, year_groups=there), await days_off(school, replace(group, year_groups=told), day)


async def classes_of(school: School, group: Group, day: date) -> dict[int, ClassRecord]:
    """The classes of a group's students whose terms hold the day, by id.

    The API lists today's memberships alone. So for another day the classes of the whole year group are taken: whoever
    has changed class since was in one of them.
    """
    records = await school.classes()
    if group.whole_school:
        # By who has the day off rather than by who hasn't: a class may tell no programme.
        off = {one.program_code for one in (await school.year_groups()).values()} - _codes(group)
        wanted = {id for id, record in records.items() if record.program_code not in off}
    elif group.kind == "programme":
        wanted = {id for id, record in records.items() if record.program_code in _codes(group)}
    else:
        here = {id for one in group.year_groups for id in one.student_ids}
        known = group.students is not None and day == school.clock.today()
        wanted = await _classes_with(school, here & group.students if known and group.students is not None else here)
    return {id: records[id] for id in sorted(wanted) if id in records and await taught_on(school, records[id], day)}


async def _classes_with(school: School, students: Iterable[int]) -> set[int]:
    """The ids of the classes that these students are in today."""
    ids = sorted(students)
    chunks = {start: tuple(ids[start : start + _CHUNK]) for start in range(0, len(ids), _CHUNK)}
    read = await school.read_all(
        {
            start: partial(school.read, school.client.list_memberships, user_ids=chunk)
            for start, chunk in chunks.items()
        },
        called=lambda start: f"The classes of {len(chunks[start])} students",
    )
    return {membership.class_id for memberships in read.values() for membership in memberships}


async def taught_on(school: School, record: ClassRecord, day: date) -> bool:
    """Whether a class's terms hold the day; those of a class that doesn't tell them may."""
    start, end = await school.term(record.start_term_id or 0), await school.term(record.end_term_id or 0)
    return not ((start and start.starts_on > day) or (end and end.ends_on < day))


async def meetings_on(school: School, classes: Mapping[int, ClassRecord], day: date) -> dict[int, Meeting]:
    """When each class meets on the day, by its timetable; one that doesn't is missing. One request a class, kept."""
    timetables = await school.read_all(
        {id: partial(school.read, school.client.get_class_timetable, id) for id in classes},
        called=lambda id: f"The timetable of {group_name(classes[id])}",
    )
    numbers = {code: await _slot_day(school, code, day) for code in {one.program_code for one in classes.values()}}
    found = {}
    for id, timetable in timetables.items():
        number = numbers[classes[id].program_code]
        if periods := _periods_on(timetable, day, number):
            found[id] = Meeting(periods, certain=number is not None)
    return found


async def _slot_day(school: School, program_code: str | None, day: date) -> int | None:
    """What a slot's `day` is on this date: the rotation day where the calendar lists any, else the weekday.

    None where neither is known: the API doesn't say which of the two a slot's day is, and the calendar doesn't answer.
    """
    calendar = await school.calendar(program_code or "")
    listed_days = next((year.listed for year in calendar.years if day in year), None)
    if not listed_days:
        return None
    if any(rotation_day is not None for rotation_day in listed_days.values()):
        return calendar.status(day).rotation_day
    return day.isoweekday()


def _periods_on(timetable: Timetable, day: date, number: int | None) -> tuple[int, ...]:
    years = [year for year in timetable.years if year.start_date <= day <= year.end_date]
    slots = [slot for year in years for slot in year.slots if slot.enabled]
    return tuple(sorted({slot.period for slot in slots if number is None or slot.day == number}))


def not_kept(school: School, method: Callable[..., object], asked: Iterable[tuple[Any, ...]]) -> int:
    """How many of these reads of a method are not in memory and would be requests."""
    # As School.read names what it keeps.
    return sum(school.connection.memory.peek((method.__name__, args, ())) is None for args in asked)


def check_affordable(school: School, group: Group, requests: int) -> None:
    """Raises ArgumentError, naming the smaller groups to ask for, where the deadline can't hold that many requests."""
    allowed = int(_SHARE * school.connection.rate * school.connection.deadline)
    if requests + _REFERENCE <= allowed:
        return
    programmes = list(dict.fromkeys(one_line(one.program or "", limit=60) for one in group.year_groups))
    year_groups = [group_name(one) for one in group.year_groups]
    # A programme is named where one of several is likely to be affordable.
    if group.whole_school and all(programmes) and (requests + _REFERENCE) / len(programmes) <= allowed:
        smaller = f"one programme ({listed(programmes)}) or one year group"
    elif len(year_groups) > 1:
        smaller = f"one year group: {listed(year_groups)}"
    else:
        smaller = "one homeroom or class"
    raise ArgumentError(
        f"That needs about {requests} requests for {group.name}, and the time allows {allowed}. Ask for {smaller}."
    )


def _codes(group: Group) -> set[str | None]:
    return {one.program_code for one in group.year_groups}
