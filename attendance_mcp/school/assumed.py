"""Which of the contract's assumptions hold in this school, by reads alone and without a name: fit for a public issue.

Nobody documents these for the version of the API that is used. Each is looked at in the first records that show it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from attendance_mcp.api.records import Term, YearGroup
from attendance_mcp.api.transport import PathValue
from attendance_mcp.digest.facts import counted
from attendance_mcp.errors import AttendanceError, NotAuthorised, NotFound, NotOffered, UpstreamError
from attendance_mcp.school.day import any_mark
from attendance_mcp.school.school import School
from attendance_mcp.status import NOT_TAKEN

_FEW = 5  # days or groups that are looked at, at the most
_DAYS_BACK = 60
_WRITING = {
    "notes that are left out stay": "what a write without notes does to the old note",
    "an excusal without an end ends on its first day": "what the API takes an excusal without an end for",
    "a class mark takes the fifteen codes alone": "whether it takes another code",
}


class Verdict(StrEnum):
    """What reading showed."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Assumption:
    """One assumption of the contract, and what was seen of it here."""

    assumption: str
    verdict: Verdict
    seen: str


async def assumptions(school: School) -> AsyncIterator[Assumption]:
    """Assumption after assumption. Raises UpstreamError where the school's system can't be read at all."""
    await school.read(school.client.get_school)
    looks: Mapping[str, Callable[[School], Awaitable[tuple[Verdict, str]]]] = {
        "a day without a mark is left out, or {}": _no_record,
        "archived_students=true answers the archived students alone": _archived,
        "the timetable says from which number periods count": _periods,
        "an excusal's duration counts calendar days": _duration,
        "a date that the calendar doesn't list is a day off": _unlisted,
        "a term's totals leave adjustments out": _adjustments,
        "the list of excusals of a date gives no ids": _ids,
    }
    for words, look in looks.items():
        try:
            verdict, seen = await look(school)
        except AttendanceError as error:
            verdict, seen = Verdict.UNKNOWN, f"Could not be read: {type(error).__name__}."
        yield Assumption(words, verdict, seen)
    async for offered in _operations(school):
        yield offered
    for words, what in _WRITING.items():
        yield Assumption(words, Verdict.UNKNOWN, f"Can't be told without writing: {what}.")


async def _with_terms(school: School) -> list[tuple[YearGroup, Term]]:
    """A few year groups with students, each with its current term."""
    found = []
    for group in (await school.year_groups()).values():
        term = await school.term_on(group.program_code, school.clock.today())
        if term is not None and group.student_ids:
            found.append((group, term))
    return found[:_FEW]


async def _no_record(school: School) -> tuple[Verdict, str]:
    forms: Counter[str] = Counter()
    for group, _ in await _with_terms(school):
        for back in range(1, 8):
            path: dict[str, PathValue] = {
                "year_group_id": group.id,
                "date": school.clock.today() - timedelta(days=back),
            }
            answered = await school.client.as_sent("get_homeroom_attendance", path)
            forms.update(_form(row) for row in answered.get("students", ()) if isinstance(row, dict))
    told = {form: number for form, number in forms.items() if form != "marked"}
    if not forms:
        return Verdict.UNKNOWN, "No day with students could be looked at."
    if not told:
        return Verdict.UNKNOWN, "Every student was marked on the days that were looked at."
    seen = f"Seen: {', '.join(f'{form} {number}' for form, number in sorted(told.items()))}."
    return Verdict.FAILS if "status -1" in told else Verdict.HOLDS, seen


def _form(row: Mapping[str, Any]) -> str:
    if "attendance" not in row:
        return "left out"
    mark = row["attendance"]
    if not mark:
        return {"{}": "{}", "[]": "[]", "None": "null"}.get(str(mark), "empty")
    category = mark.get("category") if isinstance(mark, dict) else None
    return "status -1" if isinstance(category, dict) and category.get("status") == NOT_TAKEN else "marked"


async def _archived(school: School) -> tuple[Verdict, str]:
    everybody = await school.all_students()
    seen: Counter[bool] = Counter()
    for group, term in await _with_terms(school):
        answered = await school.client.get_homeroom_term_attendance(group.id, term.id, archived_students=True)
        seen.update(everybody[row.id].archived for row in answered.students if row.id in everybody)
    if seen[False]:
        return Verdict.FAILS, "Students who are not archived are answered too."
    if seen[True]:
        return Verdict.HOLDS, f"{counted(seen[True], 'student')} answered, all of them archived."
    return Verdict.UNKNOWN, "Nobody who is archived was found."


async def _periods(school: School) -> tuple[Verdict, str]:
    for class_id in list(await school.classes())[:_FEW]:
        answered = await school.client.as_sent("get_class_timetable", {"class_id": class_id})
        inside = answered.get("timetable")
        if isinstance(inside, dict) and "period_starts_count_from" in inside:
            return Verdict.HOLDS, f"Inside the timetable: {_number(inside['period_starts_count_from'])}."
        if "period_starts_count_from" in answered:
            return Verdict.HOLDS, f"Beside the timetable: {_number(answered['period_starts_count_from'])}."
    return Verdict.FAILS, "No timetable says so. Periods are taken to count from 1: compare one register with a class."


def _number(value: object) -> str:
    return str(value) if isinstance(value, int) else "not a number"


async def _duration(school: School) -> tuple[Verdict, str]:
    calendar, school_days = 0, 0
    for back in range(0, _DAYS_BACK, 7):
        page = await school.client.list_excusals(school.clock.today() - timedelta(days=back))
        for one in page.items:
            span = (one.end_date - one.start_date).days + 1
            if one.duration is None or span > _DAYS_BACK:
                continue
            weekdays = sum((one.start_date + timedelta(days=n)).weekday() < 5 for n in range(span))
            if weekdays < span:
                calendar += one.duration == span
                school_days += one.duration == weekdays
    if not calendar + school_days:
        return Verdict.UNKNOWN, "No excusal over a weekend was found."
    if school_days:
        return Verdict.FAILS, f"Over a weekend school days alone are counted: {counted(school_days, 'excusal')}."
    return Verdict.HOLDS, f"Over a weekend every day is counted: {counted(calendar, 'excusal')}."


async def _unlisted(school: School) -> tuple[Verdict, str]:
    looked = 0
    for group, _ in await _with_terms(school):
        calendar = await school.calendar(group.program_code or "")
        for day in _unlisted_weekdays(calendar.years, school.clock.today())[:_FEW]:
            looked += 1
            if any_mark(await school.read(school.client.get_homeroom_attendance, group.id, day)):
                return Verdict.FAILS, "Homeroom was taken on a day that the calendar doesn't list."
    if not looked:
        return Verdict.UNKNOWN, "No weekday of the last weeks is missing in a calendar."
    return Verdict.HOLDS, f"No mark on {counted(looked, 'weekday')} that a calendar doesn't list."


def _unlisted_weekdays(years: Any, today: date) -> list[date]:
    back = [today - timedelta(days=number) for number in range(1, _DAYS_BACK)]
    return [
        day
        for day in back
        if day.weekday() < 5 and any(day in year and year.listed and day not in year.listed for year in years)
    ]


async def _adjustments(school: School) -> tuple[Verdict, str]:
    for group, term in await _with_terms(school):
        answered = await school.client.get_homeroom_adjustments(group.id, term.id)
        adjusted = {(row.id, one.name): one.adjustment for row in answered.students for one in row.adjustments}
        if not any(adjusted.values()):
            continue
        path: dict[str, PathValue] = {"year_group_id": group.id, "term_id": term.id}
        totals = await school.client.as_sent("get_homeroom_term_attendance", path)
        told = {row.get("id"): row for row in totals.get("students", ()) if isinstance(row, dict)}
        more = Counter(_more_by_label(told.get(id, {}), label) == by for (id, label), by in adjusted.items() if by)
        seen = f"Of {counted(more.total(), 'adjusted label')} the totals by label hold the adjustment in {more[True]}."
        return Verdict.FAILS if more[True] else Verdict.HOLDS, seen
    return Verdict.UNKNOWN, "No adjustment was found."


def _more_by_label(row: Mapping[str, Any], label: str) -> int:
    """By how much a student's total of a label is more than the totals of the codes with that label."""
    codes = [one for one in row.get("attendance_categories") or () if one.get("label") == label]
    return int((row.get("attendance") or {}).get(label, 0)) - sum(int(one.get("value", 0)) for one in codes)


async def _ids(school: School) -> tuple[Verdict, str]:
    for back in range(_DAYS_BACK):
        page = await school.client.list_excusals(school.clock.today() - timedelta(days=back), page=1)
        if page.items:
            held = all(one.id is None for one in page.items)
            seen = "Excusals come without an id." if held else "Excusals come with their ids."
            return Verdict.HOLDS if held else Verdict.FAILS, seen
    return Verdict.UNKNOWN, f"No excusal in the last {_DAYS_BACK} days."


async def _operations(school: School) -> AsyncIterator[Assumption]:
    """Whether the school has the operations that nobody documents."""
    client, years = school.client, await school.academic_years()
    reads: dict[str, Callable[[], Awaitable[object]]] = {
        "list_teachers": lambda: school.read(client.list_teachers),
        "get_permissions": lambda: school.read(client.get_permissions),
    }
    if years:
        year = years[-1]
        reads["list_attendance_categories"] = lambda: school.read(client.list_attendance_categories, year.id)
        reads["get_calendar"] = lambda: school.read(client.get_calendar, year.program_code, year.id)
    for name, read in sorted(reads.items()):
        verdict, seen = Verdict.HOLDS, "It answers."
        try:
            await read()
        except (NotOffered, NotFound):
            verdict, seen = Verdict.FAILS, "This school's API has none."
        except NotAuthorised:
            verdict, seen = Verdict.UNKNOWN, "The token may not use it."
        except UpstreamError as error:
            verdict, seen = Verdict.UNKNOWN, f"It could not be read: {type(error).__name__}."
        yield Assumption(f"there is an operation {name}", verdict, seen)
