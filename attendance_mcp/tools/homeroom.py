"""The tools over homeroom: a year group's marks of a day, its totals and adjustments, and setting one mark."""

from __future__ import annotations

from attendance_mcp.changes.desk import Errand
from attendance_mcp.changes.facts import WriteFacts
from attendance_mcp.changes.marks import WantedMark, draft_homeroom_marks
from attendance_mcp.changes.plan import plan_or_apply
from attendance_mcp.digest.day import HomeroomDay, StudentMark, homeroom_day
from attendance_mcp.digest.totals import Adjustments, TermTotals, adjustments
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.school import School, group_name
from attendance_mcp.tools.arguments import (
    AStudent,
    Confirmation,
    Day,
    DetailLevel,
    Flag,
    Id,
    Page,
    PerPage,
    StatusOrLabel,
    WrittenText,
)
from attendance_mcp.tools.classes import term_name, totals_of_term


async def get_homeroom_attendance(
    school: School,
    year_group_id: Id,
    date: Day = "today",
    detail: DetailLevel = "exceptions",
    page: Page = 1,
    per_page: PerPage = 100,
) -> HomeroomDay:
    """The homeroom marks of a year group on one day: counts, registers taken or not, and who isn't simply present."""
    day = school.clock.day(date)
    group = await school.year_group(year_group_id)
    answered = await school.read(school.client.get_homeroom_attendance, year_group_id, day)
    labels = await school.labels(group.program_code, day)
    students = [student.id for student in answered.students]
    return homeroom_day(
        [
            StudentMark(
                student.id,
                labels.of_mark(student.mark.status, student.mark.label) if student.mark else None,
                note=student.mark.note if student.mark else None,
            )
            for student in answered.students
        ],
        group=group_name(group),
        day=spoken(day),
        names=await school.names(students),
        homerooms=await school.homerooms(students),
        not_read=school.not_read,
        detail=detail,
        page=page,
        per_page=per_page,
    )


async def get_homeroom_term_attendance(
    school: School,
    year_group_id: Id,
    term_id: Id,
    archived_students: Flag = False,
    detail: DetailLevel = "exceptions",
    page: Page = 1,
    per_page: PerPage = 30,
) -> TermTotals:
    """Homeroom totals of a year group in a term, in days: sums, and the students with anything but present."""
    group = await school.year_group(year_group_id)
    answered = await school.read(
        school.client.get_homeroom_term_attendance, year_group_id, term_id, archived_students=archived_students
    )
    return await totals_of_term(
        school, group, term_id, answered.students, unit="days", detail=detail, page=page, per_page=per_page
    )


async def get_homeroom_adjustments(
    school: School, year_group_id: Id, term_id: Id, page: Page = 1, per_page: PerPage = 50
) -> Adjustments:
    """The corrections that administrators made by hand to a year group's term totals. Read-only."""
    group = await school.year_group(year_group_id)
    answered = await school.read(school.client.get_homeroom_adjustments, year_group_id, term_id)
    term = await school.term(term_id)
    labels = await school.labels(group.program_code, term.ends_on if term else school.clock.today())
    rows = {
        student.id: [(labels.word(row.name), row.adjustment) for row in student.adjustments]
        for student in answered.students
    }
    return adjustments(
        rows,
        of=group_name(group),
        term=await term_name(school, term_id),
        students=len(group.student_ids),
        names=await school.names(id for id, own in rows.items() if own),
        page=page,
        per_page=per_page,
    )


async def set_homeroom_attendance(
    errand: Errand,
    student_id: AStudent,
    date: Day,
    status: StatusOrLabel,
    notes: WrittenText = "",
    erase_notes: Flag = False,
    confirmation: Confirmation = "",
) -> WriteFacts:
    """Plans one student's homeroom mark; with the plan's confirmation and the same arguments, carries it out.
    Notes left out are kept.
    """
    wanted = WantedMark(student_id, errand.school.clock.day(date), status, notes=notes, erase_notes=erase_notes)
    return await plan_or_apply(
        errand,
        lambda: draft_homeroom_marks(errand.school, [wanted]),
        tool="set_homeroom_attendance",
        arguments={"mark": wanted},
        confirmation=confirmation,
    )
