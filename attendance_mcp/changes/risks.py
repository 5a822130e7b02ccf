"""What a person should know before they agree to a plan, counted over the whole of it and told once each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from attendance_mcp.api.records import Student
from attendance_mcp.changes.model import Change, ChangeKind, ExcusalValue, MarkValue, Value
from attendance_mcp.digest.facts import counted, listed
from attendance_mcp.rules.calendar import DayKind
from attendance_mcp.rules.labels import Label
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.school import School, student_name
from attendance_mcp.status import ABSENT, Kind

LONG_AGO_DAYS = 30
MOST_DAYS = 12  # the API's own limit; whether it counts calendar or school days is not documented
_MOST_NAMED = 5


class Risks:
    """The warnings of marks that are planned."""

    def __init__(self, school: School) -> None:
        self._school = school
        self._counts: Counter[str] = Counter()
        self._days: set[tuple[str | None, date]] = set()
        self._lists: dict[str, dict[str, None]] = {}  # sentence -> what it is true of, in order

    async def look(
        self, kind: ChangeKind, day: date, before: MarkValue, after: MarkValue, label: Label, student: Student
    ) -> None:
        """Takes one changed mark into account; may read the programme's calendar."""
        if before.status != after.status:
            self._counts["absent"] += ABSENT in (before.status, after.status)
            self._counts["mark"] += before.status is not None
        if before.note and before.note != after.note:
            self._counts["note" if after.note else "erased"] += 1
        if not label.enabled:
            self._list("Disabled in this school: {}.", label.text)
        if label.kind is Kind.UNCLASSIFIED:
            self._list("What it counts as is not known here: {}.", label.text)
        await self._look_at_day(day, student)
        rules = self._school.connection.profile.program(student.program_code)
        if kind is ChangeKind.HOMEROOM_MARK and rules.keeps_homeroom is False:
            self._list("By the school profile there is no homeroom for: {}.", student_name(student))
        if student.archived:
            self._list("Archived: {}.", student_name(student))

    async def _look_at_day(self, day: date, student: Student) -> None:
        if (student.program_code, day) in self._days:
            return
        self._days.add((student.program_code, day))
        today = self._school.clock.today()
        if (today - day).days > LONG_AGO_DAYS:
            self._list(f"More than {LONG_AGO_DAYS} days back: {{}}.", spoken(day))
        if day > today:
            self._list("Still to come: {}.", spoken(day))
        if reason := await _day_off(self._school, student, day):
            self._list("No school day: {}.", f"{spoken(day)} ({reason})")

    def told(self) -> Iterable[str]:
        """The warnings, each one sentence or two."""
        tells = self._school.connection.profile.absent_notifies_parents
        if (number := self._counts["absent"]) and tells is not False:
            does = "tells" if tells else "may tell"
            yield f"{counted(number, 'mark')} of Absent made or undone: the school's system {does} the parents."
        if number := self._counts["mark"]:
            yield f"Overwrites {counted(number, 'mark')} that somebody made."
        if number := self._counts["note"]:
            yield f"Overwrites {counted(number, 'note')} that somebody typed."
        if number := self._counts["erased"]:
            yield f"Erases {counted(number, 'note')} that somebody typed."
        for sentence, of in self._lists.items():
            more = f" and {len(of) - _MOST_NAMED} more" if len(of) > _MOST_NAMED else ""
            yield sentence.format(listed(list(of)[:_MOST_NAMED]) + more)

    def _list(self, sentence: str, of: str) -> None:
        self._lists.setdefault(sentence, {})[of] = None


async def warnings_of_excusal(school: School, student: Student, change: Change) -> list[str]:
    """What a person should know before they agree to a change of an excusal; may read the programme's calendar."""
    before, after = change.before, change.after
    told: list[str] = []
    if change.kind is ChangeKind.EXCUSAL_MADE:
        told.append("The school's system shows the notice as sent by that parent.")
    if not isinstance(after, ExcusalValue):
        told.append("Deleting is for good: undoing makes a new excusal with a new id.")
    else:
        told.extend(_about_comment(before, after))
        told.extend(await _about_days(school, student, after))
    value = after or before
    if isinstance(value, ExcusalValue) and (school.clock.today() - value.start).days > LONG_AGO_DAYS:
        told.append(f"It begins more than {LONG_AGO_DAYS} days back.")
    if student.archived:
        told.append(f"{student_name(student)} is archived.")
    return told


def _about_comment(before: Value, after: ExcusalValue) -> Iterable[str]:
    if isinstance(before, ExcusalValue) and before.comment and before.comment != after.comment:
        becomes = "overwritten" if after.comment else "erased"
        yield f"The comment that stands there, a parent's own words perhaps, is {becomes}."


async def _about_days(school: School, student: Student, value: ExcusalValue) -> list[str]:
    days = (value.end - value.start).days + 1
    told: list[str] = []
    if days > MOST_DAYS:
        told.append(f"It covers {days} days; the school's system takes at most {MOST_DAYS} and may refuse it.")
    if await _all_off(school, student, value):
        until = f" to {spoken(value.end)}" if days > 1 else ""
        told.append(f"No day of it is a school day: {spoken(value.start)}{until}.")
    return told


async def _all_off(school: School, student: Student, value: ExcusalValue) -> bool:
    day = value.start
    while day <= value.end and await _day_off(school, student, day):
        day += timedelta(days=1)
    return day > value.end


async def _day_off(school: School, student: Student, day: date) -> str:
    """Why the day is no school day of the student's programme; empty where it is one, or nobody knows."""
    year = await school.academic_year(student.program_code, school.clock.today())
    # The calendar is this academic year's: of a day in another one it can say nothing.
    if not student.program_code or year is None or not year.starts_on <= day <= year.ends_on:
        return ""
    status = (await school.calendar(student.program_code)).status(day)
    return status.reason or "day off" if status.kind is DayKind.DAY_OFF else ""


async def warnings_of(school: School, changes: Sequence[Change]) -> list[str]:
    """A plan's warnings, worked out again: the store holds no names, and warnings name people."""
    students = await school.students({change.target.student_id for change in changes})
    risks = Risks(school)
    told: dict[str, None] = {}
    for change in changes:
        student, day = students.get(change.target.student_id), change.target.day
        if student is None:
            continue
        if not isinstance(change.after, MarkValue) or not isinstance(change.before, MarkValue):
            told |= dict.fromkeys(await warnings_of_excusal(school, student, change))
        elif day is not None and change.after.status is not None:
            label = (await school.labels(student.program_code, day))[change.after.status]
            await risks.look(change.kind, day, change.before, change.after, label, student)
    return [*risks.told(), *told]
