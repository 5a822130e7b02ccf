"""The registers of a day, of homerooms and of classes: how many of their students are marked, and whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from attendance_mcp.api.records import ClassDay, ClassRecord, HomeroomDay, Student, YearGroup
from attendance_mcp.digest.facts import listed
from attendance_mcp.digest.registers import RegisterState
from attendance_mcp.outside import one_line
from attendance_mcp.rules.due import class_deadline, homeroom_deadline
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.day import read_class_days, read_homerooms
from attendance_mcp.school.groups import Group
from attendance_mcp.school.meetings import Meeting, check_affordable, classes_of, meetings_on, not_kept, with_school
from attendance_mcp.school.school import School, group_name
from attendance_mcp.status import NOT_TAKEN


@dataclass(slots=True)
class RegistersFound:
    """The registers of a day, how many students they hold, and what has to be said of the rest."""

    states: list[RegisterState] = field(default_factory=list)
    students: int = 0
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Homeroom:
    """One homeroom's register; `marked` are those of its students who are marked."""

    advisor_id: int | None
    students: frozenset[int]
    marked: frozenset[int]


def homerooms_of(answered: HomeroomDay, everybody: Mapping[int, Student]) -> list[Homeroom]:
    """A year group's answer, which the API gives as one, by homeroom and without archived students."""
    students: dict[int | None, set[int]] = {}
    marked = set()
    for row in answered.students:
        student = everybody.get(row.id)
        if student is None or not student.archived:
            students.setdefault(student.homeroom_advisor_id if student else None, set()).add(row.id)
            if row.mark is not None and row.mark.status != NOT_TAKEN:
                marked.add(row.id)
    return [Homeroom(advisor, frozenset(own), frozenset(own & marked)) for advisor, own in students.items()]


async def homeroom_registers(school: School, group: Group, day: date) -> RegistersFound:
    """The registers of the homerooms that the group's students are in, each whole. One request a year group."""
    there, remarks = await with_school(school, group, day)
    found = RegistersFound(remarks=remarks)
    year_groups = {one.id: one for one in there.year_groups}
    homerooms, without = await read_homerooms(school, there.year_groups, day)
    everybody, teachers = await school.all_students(), await school.teachers()
    for id, answered in homerooms.items():
        rules = school.connection.profile.program(year_groups[id].program_code)
        due = homeroom_deadline(rules, day).is_due(school.clock.now())
        for homeroom in homerooms_of(answered, everybody):
            if not any(student in group for student in homeroom.students):
                continue
            found.students += len(homeroom.students)
            found.states.append(
                RegisterState(
                    of=group_name(year_groups[id]),
                    whose=school.teacher_name(teachers, homeroom.advisor_id),
                    students=len(homeroom.students),
                    marked=len(homeroom.marked),
                    due=due,
                    programme=_programme(year_groups[id]),
                )
            )
    if without:
        names = listed([group_name(one) for id, one in year_groups.items() if id in without])
        found.remarks.append(f"Keeps no homeroom, by this term's marks or the profile: {names}; ask with kind=class.")
    return found


async def class_registers(
    school: School, group: Group, day: date, *, up_to_period: int | None = None
) -> RegistersFound:
    """The registers of the classes that meet on the day, each whole: a request for a class's timetable, and one for its
    marks where it meets.

    Raises ArgumentError where that is more than the deadline can hold.
    """
    there, remarks = await with_school(school, group, day)
    found = RegistersFound(remarks=remarks)
    classes = await _classes(school, there, day)
    timetables = not_kept(school, school.client.get_class_timetable, [(id,) for id in classes])
    # How many of them meet is not known yet; half is the least that a day has.
    check_affordable(school, group, timetables + len(classes) // 2)
    meetings = await meetings_on(school, classes, day)
    wanted = {
        id: meeting for id, meeting in meetings.items() if up_to_period is None or meeting.periods[0] <= up_to_period
    }
    marks = not_kept(school, school.client.get_class_attendance, [(id, day) for id in wanted])
    check_affordable(school, group, timetables + marks)
    answered = await read_class_days(school, {id: classes[id] for id in wanted}, day)
    everybody = await school.all_students()
    students: set[int] = set()
    for id, class_day in sorted(answered.items(), key=lambda item: (group_name(classes[item[0]]), item[0])):
        members = {row.id for row in class_day.students if not (row.id in everybody and everybody[row.id].archived)}
        students |= members
        found.states += [
            state
            for state in await _states(school, classes[id], class_day, members, wanted[id], day)
            if up_to_period is None or (state.period or 0) <= up_to_period
        ]
    found.students = len(students)
    found.remarks += _may_meet(classes, meetings, day)
    return found


async def _classes(school: School, group: Group, day: date) -> dict[int, ClassRecord]:
    if not group.year_groups:
        return {}
    if group.class_record is not None:
        return {group.class_record.id: group.class_record}
    return await classes_of(school, group, day)


async def _states(
    school: School, record: ClassRecord, answered: ClassDay, members: set[int], meeting: Meeting, day: date
) -> list[RegisterState]:
    """A class's registers of a day. A period that the answer names, be it without a mark, meets for certain."""
    if not members:  # its own terms don't hold the day, or nobody is in it
        return []
    teachers = await school.teachers()
    whose = listed([school.teacher_name(teachers, id) for id in record.teacher_ids]) or "no teacher"
    rules, now = school.connection.profile.program(record.program_code), school.clock.now()
    rows = [row.marks for row in answered.students if row.id in members]
    return [
        RegisterState(
            of=group_name(record),
            whose=whose,
            students=len(members),
            marked=sum(period in marks and marks[period].status != NOT_TAKEN for marks in rows),
            due=class_deadline(rules, day, period=period).is_due(now),
            period=period,
            certain=meeting.certain or any(period in marks for marks in rows),
            programme=_programme(record),
        )
        for period in meeting.periods
    ]


def _may_meet(classes: Mapping[int, ClassRecord], meetings: Mapping[int, Meeting], day: date) -> Iterable[str]:
    open_ = {_programme(classes[id]) for id, meeting in meetings.items() if not meeting.certain}
    if open_:
        yield (
            f"Which day of the timetable {spoken(day)} is, the calendar does not say for {listed(sorted(open_))}: "
            "a class there meets for certain only where a mark stands."
        )


def _programme(of: YearGroup | ClassRecord) -> str:
    return one_line(of.program or "", limit=60) or group_name(of)
