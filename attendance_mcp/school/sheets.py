"""What the window's sheets and the exports need: a group's day, and a student's term day by day."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date

from attendance_mcp.api.records import Student
from attendance_mcp.digest.absences import TOLD
from attendance_mcp.digest.concerns import shortened
from attendance_mcp.digest.facts import counted
from attendance_mcp.digest.sheets import UNMARKED, AbsenceSheet, Chip, RegisterRow, RegisterSheet, StudentTerm, chip_of
from attendance_mcp.digest.student import student_attendance
from attendance_mcp.errors import ArgumentError, NotOffered, UpstreamError
from attendance_mcp.rules.contradictions import Mark
from attendance_mcp.school.day import read_days
from attendance_mcp.school.days_off import days_off
from attendance_mcp.school.groups import Group
from attendance_mcp.school.reconcile import gather
from attendance_mcp.school.school import School, group_name
from attendance_mcp.school.student import gather_student_term, homeroom_days, year_group_of
from attendance_mcp.school.terms import find_terms, possible_days_of

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_NO_CLASSES = "Class marks are left out here, since there are too many to read at once: open a smaller group for them."
Colors = Mapping[int, str]


async def register_sheet(school: School, group: Group, day: date) -> RegisterSheet:
    """Everybody of the group with the homeroom mark and, where the time allows, the marks of every period."""
    remarks: list[str] = []
    try:
        rows, remarks = await _rows_with_classes(school, group, day)
    except ArgumentError:  # more requests than the deadline holds
        rows = await _rows_of_day(school, group, day, classes=False)
        remarks = [*await days_off(school, group, day), _NO_CLASSES]
    return RegisterSheet(
        of=group.name,
        day=day,
        as_of=f"{school.clock.now():%H:%M}",
        rows=rows,
        remarks=[*remarks, *shortened(school.not_read)],
    )


async def absence_sheet(school: School, group: Group, day: date) -> AbsenceSheet:
    """Who of the group is away, late or out, from homeroom, or from taken class marks where there is none."""
    rows = await _rows_of_day(school, group, day, classes=True)
    told = sorted(
        (row for row in rows if row.homeroom is not None and row.homeroom.kind in TOLD),
        key=lambda row: (TOLD.index(row.homeroom.kind) if row.homeroom else 0, row.group, row.student),
    )
    untaken = sum(row.homeroom is UNMARKED for row in rows)
    remarks = [*await days_off(school, group, day), *shortened(school.not_read)]
    if untaken:
        remarks.insert(0, f"Not taken: {counted(untaken, 'student')}. Whether they are there is not known.")
    return AbsenceSheet(group.name, day, f"{school.clock.now():%H:%M}", told, remarks)


async def _rows_with_classes(school: School, group: Group, day: date) -> tuple[list[RegisterRow], list[str]]:
    found = await gather(school, group, day)
    programmes = {one.programme for one in found.students} | {one.programme for one in found.classes.values()}
    colors = {code: await colors_of(school, code, day) for code in programmes}

    def chips(marks: Iterable[Mark]) -> Iterable[tuple[int, Chip]]:
        for mark in marks:
            if mark.period is not None and mark.class_id is not None:
                yield mark.period, chip_of(mark.label, colors[found.classes[mark.class_id].programme])

    rows = []
    for one in found.students:
        periods: dict[int, tuple[Chip, ...]] = {}
        for period, chip in chips(one.day.classes):
            periods[period] = (*periods.get(period, ()), chip)
        homeroom = chip_of(one.day.homeroom.label, colors[one.programme]) if one.day.homeroom else None
        rows.append(RegisterRow(one.name, one.group, one.register, homeroom, periods, one.day.covered))
    return rows, found.remarks


async def _rows_of_day(school: School, group: Group, day: date, *, classes: bool) -> list[RegisterRow]:
    found = (await read_days(school, group, [day], classes=classes, off_unless_marked=None))[day]
    programmes = {group_name(one): one.program_code for one in group.year_groups}
    colors = {code: await colors_of(school, code, day) for code in set(programmes.values())}
    everywhere = {code: color for own in colors.values() for code, color in own.items()}
    return [
        RegisterRow(
            row.name,
            row.group,
            row.register,
            chip_of(row.label, colors.get(programmes.get(row.group), everywhere)),
            excusal=row.excusal,
        )
        for row in found.rows
    ]


async def student_term_sheet(school: School, student: Student, words: str) -> StudentTerm:
    """A student's term with every day up to today: one request for each that may be a school day.

    Raises ArgumentError where there is no such term.
    """
    evidence = await gather_student_term(school, student, words)
    group = await year_group_of(school, student)
    if group is not None and evidence.totals is not None:
        term = (await find_terms(school, words, [group.program_code]))[group.program_code]
        asked = await possible_days_of(school, group.program_code, term)
        evidence.days, _ = await homeroom_days(school, group, student, asked)
    days = evidence.days
    code = group.program_code if group else student.program_code
    colors = await colors_of(school, code, max(days)) if days else {}
    return StudentTerm(
        facts=student_attendance(evidence, not_read=school.not_read),
        days={day: chip_of(label, colors) for day, label in sorted(days.items())},
    )


async def colors_of(school: School, program_code: str | None, day: date) -> Colors:
    """The school's own colours by code; none where the API doesn't tell them."""
    try:
        year = await school.academic_year(program_code, day)
        rows = await school.read(school.client.list_attendance_categories, year.id) if year else []
    except (NotOffered, UpstreamError):
        return {}
    return {row.status: row.color_code for row in rows if row.color_code and _COLOR.fullmatch(row.color_code)}
