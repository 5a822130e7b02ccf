"""The tools over a class: its marks of a day, its totals, when it meets, and setting its marks."""

from __future__ import annotations

from collections.abc import Sequence

from attendance_mcp.api.records import ClassRecord, StudentTotals, YearGroup
from attendance_mcp.changes.desk import Errand
from attendance_mcp.changes.facts import WriteFacts
from attendance_mcp.changes.marks import WantedMark, draft_class_marks
from attendance_mcp.changes.plan import plan_or_apply
from attendance_mcp.digest.day import ClassDay, StudentMark, class_day
from attendance_mcp.digest.facts import Detail
from attendance_mcp.digest.timetable import ClassTimetable, TimetableYear, timetable_days
from attendance_mcp.digest.totals import TermTotals, term_totals
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.school import School, group_name
from attendance_mcp.tools.arguments import ClassMarks, Confirmation, Day, DetailLevel, Flag, Id, Page, PerPage


async def get_class_attendance(
    school: School,
    class_id: Id,
    date: Day = "today",
    detail: DetailLevel = "exceptions",
    page: Page = 1,
    per_page: PerPage = 100,
) -> ClassDay:
    """The marks of one class on one day: counts for each period, and who isn't simply present."""
    day = school.clock.day(date)
    record = await school.class_(class_id)
    answered = await school.read(school.client.get_class_attendance, class_id, day)
    labels = await school.labels(record.program_code, day)
    students = [student.id for student in answered.students]
    marks = [
        StudentMark(student.id, labels.of_mark(mark.status, mark.label), period, mark.note)
        for student in answered.students
        for period, mark in student.marks.items()
    ]
    return class_day(
        marks,
        class_name=group_name(record),
        day=spoken(day),
        students=students,
        names=await school.names(students),
        detail=detail,
        page=page,
        per_page=per_page,
    )


async def get_class_term_attendance(
    school: School,
    class_id: Id,
    term_id: Id,
    archived_students: Flag = False,
    detail: DetailLevel = "exceptions",
    page: Page = 1,
    per_page: PerPage = 30,
) -> TermTotals:
    """Totals of a class's students in a term, in periods: sums, and the students with anything but present."""
    record = await school.class_(class_id)
    answered = await school.read(
        school.client.get_class_term_attendance, class_id, term_id, archived_students=archived_students
    )
    return await totals_of_term(
        school, record, term_id, answered.students, unit="periods", detail=detail, page=page, per_page=per_page
    )


async def get_class_timetable(school: School, class_id: Id, include_disabled: Flag = False) -> ClassTimetable:
    """The periods in which a class meets, by day of the week or of the rotation."""
    record = await school.class_(class_id)
    timetable = await school.read(school.client.get_class_timetable, class_id, include_disabled=include_disabled)
    return ClassTimetable(
        class_name=group_name(record),
        years=[
            TimetableYear(
                year=year.name,
                start=year.start_date.isoformat(),
                end=year.end_date.isoformat(),
                days=timetable_days([(slot.day, slot.period, slot.enabled) for slot in year.slots]),
            )
            for year in timetable.years
        ],
    )


async def set_class_attendance(
    errand: Errand, class_id: Id, marks: ClassMarks, confirmation: Confirmation = ""
) -> WriteFacts:
    """Plans marks of a class (student, date, period, status); with the plan's confirmation and the same arguments,
    carries them out. Notes left out are kept.
    """
    wanted = [
        WantedMark(
            item.student_id,
            errand.school.clock.day(item.date),
            item.status,
            item.period,
            notes=item.notes,
            erase_notes=item.erase_notes,
        )
        for item in marks
    ]
    return await plan_or_apply(
        errand,
        lambda: draft_class_marks(errand.school, class_id, wanted),
        tool="set_class_attendance",
        arguments={"class_id": class_id, "marks": wanted},
        confirmation=confirmation,
    )


async def totals_of_term(
    school: School,
    group: ClassRecord | YearGroup,
    term_id: int,
    students: Sequence[StudentTotals],
    *,
    unit: str,
    detail: Detail,
    page: int,
    per_page: int,
) -> TermTotals:
    """A group's totals of a term, in days (homeroom) or periods (a class)."""
    term = await school.term(term_id)
    return term_totals(
        students,
        await school.labels(group.program_code, term.ends_on if term else school.clock.today()),
        of=group_name(group),
        term=await term_name(school, term_id),
        unit=unit,
        names=await school.names(student.id for student in students),
        detail=detail,
        page=page,
        per_page=per_page,
    )


async def term_name(school: School, term_id: int) -> str:
    """`Term 1 (2026-08-17 to 2026-12-18)`."""
    term = await school.term(term_id)
    return f"{term.name} ({term.starts_on} to {term.ends_on})" if term else f"term {term_id}"
