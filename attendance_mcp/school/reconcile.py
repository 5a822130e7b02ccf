"""What reconciling a day needs: homeroom marks, class marks and excusals of every student of a group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from attendance_mcp.api.records import ClassDay, ClassRecord, HomeroomDay, YearGroup
from attendance_mcp.digest.facts import listed
from attendance_mcp.digest.reconcile import Checked, TaughtClass
from attendance_mcp.errors import NotAuthorised, UpstreamError
from attendance_mcp.rules.contradictions import Mark, StudentDay
from attendance_mcp.rules.labels import Label, Labels
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.day import excused_students, read_class_days, read_homerooms
from attendance_mcp.school.groups import Group
from attendance_mcp.school.meetings import check_affordable, classes_of, not_kept, with_school
from attendance_mcp.school.registers import homerooms_of
from attendance_mcp.school.school import School, group_name


@dataclass(slots=True)
class DayEvidence:
    """Everybody of a group who was looked at, and the classes that their marks are of."""

    students: list[Checked] = field(default_factory=list)
    classes: dict[int, TaughtClass] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    about_codes: list[str] = field(default_factory=list)  # what reconciling can't propose, since the profile is silent


async def gather(school: School, group: Group, day: date) -> DayEvidence:
    """The marks of a group's day: a request for each year group, and one for each class that a student of it is in.

    Raises ArgumentError where that is more than the deadline can hold.
    """
    there, remarks = await with_school(school, group, day)
    classes = await classes_of(school, there, day) if there.year_groups else {}
    marks = not_kept(school, school.client.get_class_attendance, [(id, day) for id in classes])
    check_affordable(school, group, marks + len(there.year_groups))
    homerooms, without = await read_homerooms(school, there.year_groups, day)
    class_days = await read_class_days(school, classes, day)
    covered = await _covered(school, day)
    found = DayEvidence(remarks=remarks)
    found.classes = {id: TaughtClass(group_name(one), one.program_code) for id, one in classes.items()}
    labels = {code: await school.labels(code, day) for code in _programmes(there, classes)}
    by_student = _class_marks(class_days, classes, labels)
    for year_group in there.year_groups:
        if year_group.id in homerooms or year_group.id in without:
            found.students += await _students(
                school,
                group,
                year_group,
                homerooms.get(year_group.id),
                by_student=by_student,
                labels=labels[year_group.program_code],
                covered=covered,
            )
    if without:
        names = listed([group_name(one) for one in there.year_groups if one.id in without])
        found.remarks.append(
            f"Keeps no homeroom, by this term's marks or the profile, so class marks alone are compared: {names}."
        )
    found.about_codes += _no_code(there, found.students)
    return found


def _programmes(group: Group, classes: Mapping[int, ClassRecord]) -> set[str | None]:
    return {one.program_code for one in group.year_groups} | {one.program_code for one in classes.values()}


async def _covered(school: School, day: date) -> set[int] | None:
    """Who an excusal covers; None where the excusals could not be read, which is said."""
    try:
        return (await excused_students(school, [day])).get(day, set())
    except NotAuthorised:
        raise
    except UpstreamError as error:
        school.not_read.append(f"The excusals of {spoken(day)} could not be read: {error}")
        return None


def _class_marks(
    class_days: Mapping[int, ClassDay], classes: Mapping[int, ClassRecord], labels: Mapping[str | None, Labels]
) -> dict[int, list[Mark]]:
    """Each student's class marks. In a period in which a classmate is marked the others' were not taken.

    A class without any mark may meet in a period or not, since no timetable is read: it stands as one mark that was
    not taken, so that the only taken class of several is not mistaken for the whole day.
    """
    found: dict[int, list[Mark]] = {}
    for id, answered in class_days.items():
        own = labels[classes[id].program_code]
        periods = sorted({period for row in answered.students for period in row.marks})
        for row in answered.students:
            marks = found.setdefault(row.id, [])
            for period in periods:
                mark = row.marks.get(period)
                marks.append(Mark(own.of_mark(mark.status, mark.label) if mark else None, period, id))
            if not periods:
                marks.append(Mark(None, None, id))
    return found


async def _students(
    school: School,
    group: Group,
    year_group: YearGroup,
    homeroom: HomeroomDay | None,
    *,
    by_student: Mapping[int, list[Mark]],
    labels: Labels,
    covered: set[int] | None,
) -> list[Checked]:
    """A year group's students that aren't archived; without a homeroom answer it keeps none."""
    everybody, teachers = await school.all_students(), await school.teachers()
    excused = school.connection.profile.program(year_group.program_code).excused_label(labels)
    marks: dict[int, Mark] = {}
    registers: dict[int, tuple[str, bool]] = {}
    for row in homeroom.students if homeroom else ():
        label: Label | None = labels.of_mark(row.mark.status, row.mark.label) if row.mark else None
        marks[row.id] = Mark(label)
    for own in homerooms_of(homeroom, everybody) if homeroom else ():
        whose = school.teacher_name(teachers, own.advisor_id)
        registers |= dict.fromkeys(own.students, (whose, bool(own.marked)))
    found = []
    for id in marks if homeroom else year_group.student_ids:
        student = everybody.get(id)
        if id not in group or (student is not None and student.archived):
            continue
        register, taken = registers.get(id, ("", True))
        found.append(
            Checked(
                id=id,
                name=school.student_name(student, id),
                group=group_name(year_group),
                register=register,
                day=StudentDay(
                    homeroom=marks.get(id),
                    classes=tuple(by_student.get(id, ())),
                    covered=None if covered is None else id in covered,
                    register_taken=taken,
                ),
                labels=labels,
                excused=excused,
                programme=year_group.program_code,
            )
        )
    return found


def _no_code(group: Group, students: list[Checked]) -> list[str]:
    """Where an excusal covers somebody and no profile says which code that should have."""
    silent = {one.group for one in students if one.day.covered and one.excused is None}
    names = [group_name(one) for one in group.year_groups if group_name(one) in silent]
    if not names:
        return []
    return [f"The school profile names no code for excused, so absences with an excusal stand: {listed(names)}."]
