"""What a question about one student needs: the term's totals, the last days, classes, excusals and adjustments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TypeVar

from attendance_mcp.api.records import (
    ClassDay,
    MemberClass,
    Student,
    Term,
    YearGroup,
)
from attendance_mcp.digest.student import Covered, StudentEvidence
from attendance_mcp.errors import ArgumentError, AttendanceError, NotFound, Refused
from attendance_mcp.outside import one_line
from attendance_mcp.rules.labels import Label, Labels
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.day import any_mark, day_from_classes, groups_without_homeroom
from attendance_mcp.school.days_off import range_days
from attendance_mcp.school.groups import Group
from attendance_mcp.school.school import School, group_name, student_name
from attendance_mcp.school.terms import (
    find_terms,
    in_term,
    possible_days_of,
    read_adjustments,
    read_class_totals,
    read_group_terms,
    student_marks,
    taken,
    term_text,
)

T = TypeVar("T")

RECENT_DAYS = 10
_MOST_CLASS_DAYS = 40  # marks of so many classes and days: two seconds at the usual rate
_FEW_CLASS_DAYS = 16
Marks = Mapping[tuple[int, date], ClassDay]


async def gather_student_term(school: School, student: Student, words: str) -> StudentEvidence:
    """A student's term.

    Requests: totals and adjustments of the year group, ten days of homeroom, the student's memberships and excusals,
    and one for each class: about 24 beside reference data.
    """
    group = await year_group_of(school, student)
    code = group.program_code if group else student.program_code
    term = (await find_terms(school, words, [code]))[code]
    evidence = await _about(school, student, group, term_text(term, today=school.clock.today()))
    evidence.excusals = await _excusals(school, student, term.starts_on, term.ends_on)
    classes = [one for one in await _classes(school, student) if await in_term(school, one, term)]
    await _add_class_totals(school, evidence, student, classes, term)
    homeroom = await _add_totals(school, evidence, student, group, term)
    days = (await possible_days_of(school, code, term))[-RECENT_DAYS:]
    if homeroom and group:
        evidence.days, _ = await homeroom_days(school, group, student, days)
    elif group:
        number = min(RECENT_DAYS, _FEW_CLASS_DAYS // max(1, len(classes)))
        if days[-number:] and classes and number:
            marks = await _read_class_days(school, classes, days[-number:])
            evidence.days = _days_from_classes(marks, student.id, await school.labels(code, term.ends_on))
        evidence.notes = [*evidence.notes, f"{_from_classes(evidence)} Give dates for other days."]
    return evidence


async def gather_student_range(school: School, student: Student, start: date, end: date) -> StudentEvidence:
    """A student's days of a range of up to 15 school days; of a student without homeroom their classes' marks."""
    group = await year_group_of(school, student)
    if group is None:
        raise ArgumentError(f"{student_name(student)} is in no year group, so no days can be told. Ask for a term.")
    chosen = await range_days(school, Group("year group", group_name(group), (group,)), start, end)
    days, end = chosen.days, min(end, school.clock.today())
    evidence = await _about(school, student, group, f"{spoken(start)} to {spoken(end)}")
    evidence.excusals = await _excusals(school, student, start, end)
    keeps = school.connection.profile.program(group.program_code).keeps_homeroom
    if keeps is not False:
        evidence.days, marked = await homeroom_days(school, group, student, days)
        if marked or not await groups_without_homeroom(school, [group], days[-1]):
            evidence.totals = await _counted(school, evidence.days, group)
            evidence.notes = [*chosen.said, "Classes and adjustments are told for a term."]
            return evidence
    classes = [one for one in await _classes(school, student) if await _taught(school, one, days)]
    if len(classes) * len(days) > _MOST_CLASS_DAYS:
        most = _MOST_CLASS_DAYS // len(classes)
        raise ArgumentError(
            f"{group_name(group)} keeps no homeroom and {student_name(student)} has {len(classes)} classes: "
            f"ask for at most {most} school days, or for a term."
        )
    marks = await _read_class_days(school, classes, days) if classes else {}
    labels = await school.labels(group.program_code, days[-1])
    evidence.days = _days_from_classes(marks, student.id, labels) or dict.fromkeys(days)
    evidence.classes = _periods_of(marks, {one.id: one for one in classes}, student.id, labels)
    evidence.notes = [*chosen.said, _from_classes(evidence)]
    return evidence


def _from_classes(evidence: StudentEvidence) -> str:
    return f"{evidence.group} keeps no homeroom: days are told from taken class marks and have no rate."


async def year_group_of(school: School, student: Student) -> YearGroup | None:
    return (await school.year_groups()).get(student.year_group_id or 0)


async def _about(school: School, student: Student, group: YearGroup | None, span: str) -> StudentEvidence:
    advisor = student.homeroom_advisor_id
    return StudentEvidence(
        id=student.id,
        name=student_name(student),
        group=group_name(group) if group else "no year group",
        span=span,
        advisor=school.teacher_name(await school.teachers(), advisor) if advisor else "",
        archived=student.archived,
        rule=school.rate_rule(group.program_code if group else student.program_code),
    )


async def _beside(school: School, what: str, read: Callable[[], Awaitable[T]]) -> T | None:
    """What stands beside a student's marks: where it can't be read, `school.not_read` says so and the rest is told."""
    try:
        return await read()
    except AttendanceError as error:
        school.not_read.append(f"The student's {what} could not be read: {error}")
        return None


async def _classes(school: School, student: Student) -> list[MemberClass]:
    found = await _beside(school, "classes", partial(school.read, school.client.get_student_memberships, student.id))
    return list(found.classes) if found else []


async def _excusals(school: School, student: Student, start: date, end: date) -> list[Covered] | None:
    page = await _beside(school, "excusals", partial(school.read, school.client.list_student_excusals, student.id))
    if page is None:
        return None
    rows = [row for row in page.items if row.start_date <= end and row.end_date >= start]
    return [Covered(row.start_date, row.end_date, bool((row.comment or "").strip())) for row in rows]


async def _add_totals(
    school: School, evidence: StudentEvidence, student: Student, group: YearGroup | None, term: Term
) -> bool:
    """Puts the term's days and adjustments in; answers whether the year group keeps homeroom."""
    if group is None or school.connection.profile.program(group.program_code).keeps_homeroom is False:
        return False
    terms = {group.program_code: term}
    found = await read_group_terms(school, [group], terms)
    if not found[group.id].any_mark:
        return False
    await read_adjustments(school, found)
    if student.archived:
        found |= {group.id: (await read_group_terms(school, [group], terms, archived=True))[group.id]}
    evidence.totals = found[group.id].marks.get(student.id, {})
    evidence.adjusted = found[group.id].adjusted.get(student.id, {})
    if not found[group.id].days_known:
        evidence.notes = [
            *evidence.notes,
            "No calendar lists the school days: days not taken are known only as far as the totals count them.",
        ]
    return True


async def _add_class_totals(
    school: School, evidence: StudentEvidence, student: Student, classes: Sequence[MemberClass], term: Term
) -> None:
    names = {one.id: one_line(one.name, limit=60) for one in classes}
    read = await read_class_totals(school, names, dict.fromkeys(names, term), archived=student.archived)
    labels = await school.labels(student.program_code, term.ends_on)
    found: dict[str, Mapping[Label, int]] = {}
    for id, totals in read.items():
        name = names[id] if list(names.values()).count(names[id]) == 1 else f"{names[id]} ({id})"
        found[name] = student_marks(totals, labels).get(student.id, {})
    evidence.classes = found


async def homeroom_days(
    school: School, group: YearGroup, student: Student, days: Sequence[date]
) -> tuple[dict[date, Label | None], bool]:
    """The student's homeroom marks, and whether anybody of the year group is marked on any of the days."""
    read = await school.read_all(
        {day: partial(school.read, school.client.get_homeroom_attendance, group.id, day) for day in days},
        called=lambda day: f"Homeroom of {group_name(group)} on {spoken(day)}",
    )
    found: dict[date, Label | None] = {}
    for day, answered in read.items():
        labels = await school.labels(group.program_code, day)
        mark = next((row.mark for row in answered.students if row.id == student.id), None)
        label = labels.of_mark(mark.status, mark.label) if mark else None
        found[day] = label if label and taken(label) else None
    return found, any(any_mark(answered) for answered in read.values())


async def _counted(school: School, days: Mapping[date, Label | None], group: YearGroup) -> dict[Label, int]:
    counts: dict[Label, int] = {}
    for day, label in days.items():
        one = label or (await school.labels(group.program_code, day)).by_code[-1]
        counts[one] = counts.get(one, 0) + 1
    return counts


async def _taught(school: School, record: MemberClass, days: Sequence[date]) -> bool:
    start = await school.term(record.start_term_id or 0)
    end = await school.term(record.end_term_id or 0)
    return not ((start and start.starts_on > days[-1]) or (end and end.ends_on < days[0]))


async def _read_class_days(
    school: School, classes: Sequence[MemberClass], days: Sequence[date]
) -> dict[tuple[int, date], ClassDay]:
    names = {one.id: one_line(one.name, limit=60) for one in classes}

    async def one(id: int, day: date) -> ClassDay:
        try:
            return await school.read(school.client.get_class_attendance, id, day)
        except (Refused, NotFound):  # the class's own terms don't hold the day
            return ClassDay(students=[])

    return await school.read_all(
        {(id, day): partial(one, id, day) for id in names for day in days},
        called=lambda key: f"The marks of {names[key[0]]} on {spoken(key[1])}",
    )


def _days_from_classes(marks: Marks, student_id: int, labels: Labels) -> dict[date, Label | None]:
    of_day: dict[date, list[tuple[int, Label]]] = {}
    for (_, day), answered in marks.items():
        own = of_day.setdefault(day, [])
        for row in answered.students:
            if row.id == student_id:
                own += [(period, labels.of_mark(mark.status, mark.label)) for period, mark in row.marks.items()]
    return {day: day_from_classes([one for one in own if taken(one[1])])[0] for day, own in sorted(of_day.items())}


def _periods_of(
    marks: Marks, classes: Mapping[int, MemberClass], student_id: int, labels: Labels
) -> dict[str, Mapping[Label, int]]:
    found: dict[str, dict[Label, int]] = {one_line(one.name, limit=60): {} for one in classes.values()}
    for (class_id, _), answered in marks.items():
        counts = found[one_line(classes[class_id].name, limit=60)]
        for row in answered.students:
            for mark in row.marks.values() if row.id == student_id else ():
                label = labels.of_mark(mark.status, mark.label)
                counts[label] = counts.get(label, 0) + 1
    return {name: counts for name, counts in found.items() if counts}
