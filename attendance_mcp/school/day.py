"""One day of the whole school, from homeroom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from attendance_mcp.api.records import HomeroomDay, YearGroup
from attendance_mcp.digest.absences import StudentDay
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.school import School, group_name, student_name, teacher_name
from attendance_mcp.status import NOT_TAKEN


@dataclass(slots=True)
class DayFound:
    """What was found of a day."""

    rows: list[StudentDay] = field(default_factory=list)
    no_source: list[str] = field(default_factory=list)
    note: str = ""


async def school_day(school: School, day: date) -> DayFound:
    """Every student's day, as far as homeroom tells it."""
    groups = await school.year_groups()
    days = await school.read_all(
        {id: partial(school.read, school.client.get_homeroom_attendance, id, day) for id in groups},
        called=lambda id: group_name(groups[id]),
    )
    excused = {row.student_id for row in (await school.read(school.client.list_excusals, day)).items}
    found = DayFound()
    without = await _without_homeroom(
        school, {id: answered for id, answered in days.items() if not _any(answered)}, day
    )
    for id, answered in days.items():
        if id in without:
            found.no_source.append(f"{group_name(groups[id])} keeps no homeroom")
        else:
            found.rows += await _rows(school, groups[id], answered, day, excused)
    if day > school.clock.today():
        found.note = f"{spoken(day)} is still to come; marks entered beforehand are shown."
    return found


async def _rows(
    school: School, group: YearGroup, answered: HomeroomDay, day: date, excused: set[int]
) -> list[StudentDay]:
    labels = await school.labels(group.program_code, day)
    everybody = await school.all_students()
    teachers = await school.teachers()
    rows = []
    for row in answered.students:
        student = everybody.get(row.id)
        rows.append(
            StudentDay(
                id=row.id,
                name=student_name(student) if student else f"student {row.id}",
                group=group_name(group),
                register=teacher_name(teachers, student.homeroom_advisor_id if student else None),
                label=labels.of_mark(row.mark.status, row.mark.label)
                if row.mark and row.mark.status != NOT_TAKEN
                else None,
                excusal=row.id in excused,
            )
        )
    return rows


async def _without_homeroom(school: School, unmarked: Mapping[int, HomeroomDay], day: date) -> set[int]:
    """Which of the year groups without a mark on the day have none in the whole term: they keep no homeroom."""
    groups = await school.year_groups()
    without = set()
    for id in unmarked:
        year = await school.academic_year(groups[id].program_code, day)
        term = next((term for term in year.terms if term.starts_on <= day <= term.ends_on), None) if year else None
        if term is None:
            continue
        totals = await school.read(school.client.get_homeroom_term_attendance, id, term.id)
        if not any(row.status != NOT_TAKEN and row.value for student in totals.students for row in student.counts):
            without.add(id)
    return without


def _any(answered: HomeroomDay) -> bool:
    return any(row.mark is not None and row.mark.status != NOT_TAKEN for row in answered.students)
