"""Days of a group's students: from homeroom, and from taken class marks where a programme keeps no homeroom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from attendance_mcp.api.records import ClassDay, ClassRecord, HomeroomDay, YearGroup
from attendance_mcp.digest.absences import StudentDay
from attendance_mcp.digest.facts import listed
from attendance_mcp.errors import NotFound, Refused, UpstreamError
from attendance_mcp.rules.labels import Label, Labels
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.days_off import closed_on
from attendance_mcp.school.groups import Group
from attendance_mcp.school.school import NO_HOMEROOM, School, group_name, student_name
from attendance_mcp.school.together import together
from attendance_mcp.status import NOT_TAKEN, Kind

Days = Collection[tuple[date, str]]  # a day and the code of a programme


@dataclass(slots=True)
class DayFound:
    """What was found of one day: every student of the group that a source tells of, once."""

    day: date
    rows: list[StudentDay] = field(default_factory=list)
    from_classes: list[str] = field(default_factory=list)  # year groups whose day comes from class marks
    no_source: list[str] = field(default_factory=list)  # year groups that nothing tells of


async def read_days(
    school: School,
    group: Group,
    days: Sequence[date],
    *,
    classes: bool = True,
    excusals: bool = True,
    off: Days = (),
    off_unless_marked: Days | None = (),
) -> dict[date, DayFound]:
    """The days of a group's students; `classes` lets year groups without homeroom be told from their classes.

    Programmes are not read on the days that `off` names for them, and left out of those that `off_unless_marked` names
    (None: their days off) where nobody is marked. What could not be read stands in `school.not_read`.
    """
    year_groups = {one.id: one for one in group.year_groups}
    known = {id for id, one in year_groups.items() if _known_without_homeroom(school, one, days[-1])}
    asked = [
        (day, one)
        for day in days
        for id, one in year_groups.items()
        if id not in known and (day, one.program_code) not in off
    ]
    read = await _read_sources(school, group, days, asked, excusals=excusals, off_unless_marked=off_unless_marked)
    marked = {id for (_, id), answered in read.homeroom.items() if any_mark(answered)}
    open_ids = {id for day, id in read.homeroom if (day, year_groups[id].program_code) not in read.unless_marked}
    unmarked = [one for id, one in year_groups.items() if id in open_ids - marked]
    without = known | await groups_without_homeroom(school, unmarked, days[-1])
    found = {day: DayFound(day) for day in days}
    for (day, id), answered in read.homeroom.items():
        left_out = (day, year_groups[id].program_code) in read.unless_marked and not any_mark(answered)
        if id not in without and not left_out:
            rows = await _homeroom_rows(school, group, year_groups[id], answered, day, read.excused(day))
            found[day].rows += rows
    closed = {*off, *read.unless_marked}
    for day in days:
        told = [one for id, one in year_groups.items() if id in without and (day, one.program_code) not in closed]
        if told and classes:
            await _add_class_rows(school, group, told, found[day], read.excused(day))
        elif told:
            found[day].no_source += map(group_name, told)
    return found


@dataclass(slots=True)
class _Sources:
    """What was read of some days."""

    homeroom: dict[tuple[date, int], HomeroomDay] = field(default_factory=dict)
    covered: dict[date, set[int]] | None = None  # None where nobody asked for excusals
    unless_marked: set[tuple[date, str]] = field(default_factory=set)

    def excused(self, day: date) -> set[int] | None:
        """Whom an excusal covers; None where that could not be read."""
        return set() if self.covered is None else self.covered.get(day)


async def _read_sources(
    school: School,
    group: Group,
    days: Sequence[date],
    asked: Sequence[tuple[date, YearGroup]],
    *,
    excusals: bool,
    off_unless_marked: Days | None,
) -> _Sources:
    """Reads all at once: whatever hangs until the deadline, the others are there by then."""
    read = _Sources(unless_marked=set(off_unless_marked or ()))
    year_groups = {one.id: one for _, one in asked}

    async def read_homeroom() -> None:
        read.homeroom = await school.read_all(
            {
                (day, one.id): partial(school.read, school.client.get_homeroom_attendance, one.id, day)
                for day, one in asked
            },
            called=lambda key: f"Homeroom of {group_name(year_groups[key[1]])} on {spoken(key[0])}",
        )

    async def read_excusals() -> None:
        read.covered = await excused_students(school, days, needed=False)

    async def read_calendars() -> None:
        for day in days:
            read.unless_marked.update(await closed_on(school, group, day))

    jobs: list[Callable[[], Awaitable[object]]] = [read_homeroom, partial(_read_names, school, group, days)]
    jobs += [read_excusals] if excusals else []
    jobs += [read_calendars] if off_unless_marked is None else []
    await together(jobs)
    return read


async def _read_names(school: School, group: Group, days: Sequence[date]) -> None:
    """Has in memory what rows are worded with."""
    await school.all_students()
    await school.teachers()
    for code in dict.fromkeys(one.program_code for one in group.year_groups):
        for day in days:
            await _labels(school, code, day)


async def _labels(school: School, program_code: str | None, day: date) -> Labels:
    """The labels of a programme; where they can't be read, the words that came with each mark stand for themselves."""
    try:
        return await school.labels(program_code, day)
    except UpstreamError:
        return school.vendors_labels(program_code)


def any_mark(answered: HomeroomDay) -> bool:
    """Whether anybody of a year group is marked."""
    return any(row.mark is not None and row.mark.status != NOT_TAKEN for row in answered.students)


async def excused_students(school: School, days: Collection[date], *, needed: bool = True) -> dict[date, set[int]]:
    """Who an excusal covers, by day; a day that could not be read is missing."""
    read = await school.read_all(
        {day: partial(school.read, school.client.list_excusals, day) for day in days},
        called=lambda day: f"The excusals of {spoken(day)}",
        needed=needed,
    )
    return {day: {row.student_id for row in page.items} for day, page in read.items()}


def _known_without_homeroom(school: School, group: YearGroup, day: date) -> bool:
    """Whether it is known without asking that a year group keeps no homeroom."""
    if school.connection.profile.program(group.program_code).keeps_homeroom is False:
        return True
    return school.whole.peek(_homeroom_key(group.id, day)) is True


def _homeroom_key(group_id: int, day: date) -> tuple[str, tuple[int, int, int]]:
    return NO_HOMEROOM, (group_id, day.year, day.month)


async def groups_without_homeroom(school: School, groups: Iterable[YearGroup], day: date) -> set[int]:
    """Which year groups keep no homeroom: so says the profile, else they have no homeroom record in the whole term.

    One whose term can't be read counts as keeping it: then its students are not taken, and nothing is made up.
    """
    without = set()
    asked: dict[int, int] = {}
    names: dict[int, str] = {}
    for group in groups:
        keeps = school.connection.profile.program(group.program_code).keeps_homeroom
        if keeps is False:
            without.add(group.id)
        elif keeps is None and (term := await school.term_on(group.program_code, day)):
            asked[group.id], names[group.id] = term.id, group_name(group)
    found = await school.read_all(
        {id: partial(_has_no_homeroom, school, id, term_id, day) for id, term_id in asked.items()},
        called=lambda id: f"Whether {names[id]} keeps homeroom",
        needed=False,
    )
    return without | {id for id, none in found.items() if none}


async def _has_no_homeroom(school: School, group_id: int, term_id: int, day: date) -> bool:
    """Told by the whole year group, so that whoever sees a part of it asks no more, and is told the same."""
    whole = school.whole

    async def look() -> bool:
        totals = await whole.client.get_homeroom_term_attendance(group_id, term_id)
        return not any(row.status != NOT_TAKEN and row.value for student in totals.students for row in student.counts)

    return await whole.kept(_homeroom_key(group_id, day), look)


async def read_homerooms(
    school: School, year_groups: Iterable[YearGroup], day: date
) -> tuple[dict[int, HomeroomDay], set[int]]:
    """The homeroom marks of year groups on one day, by id, and the ids of those that keep no homeroom."""
    asked = {one.id: one for one in year_groups}
    known = {id for id, one in asked.items() if _known_without_homeroom(school, one, day)}
    read = await school.read_all(
        {id: partial(school.read, school.client.get_homeroom_attendance, id, day) for id in asked if id not in known},
        called=lambda id: f"Homeroom of {group_name(asked[id])} on {spoken(day)}",
    )
    unmarked = [asked[id] for id, answered in read.items() if not any_mark(answered)]
    without = known | await groups_without_homeroom(school, unmarked, day)
    return {id: answered for id, answered in read.items() if id not in without}, without


async def read_class_days(
    school: School, classes: Mapping[int, ClassRecord], day: date, *, needed: bool = True
) -> dict[int, ClassDay]:
    """The marks of several classes on one day; a class whose terms don't hold the day has none."""

    async def one(class_id: int) -> ClassDay:
        try:
            return await school.read(school.client.get_class_attendance, class_id, day)
        except (Refused, NotFound):
            return ClassDay(students=[])

    return await school.read_all(
        {id: partial(one, id) for id in classes},
        called=lambda id: f"The marks of {group_name(classes[id])}",
        needed=needed,
    )


async def _homeroom_rows(
    school: School, group: Group, year_group: YearGroup, answered: HomeroomDay, day: date, covered: set[int] | None
) -> list[StudentDay]:
    labels = await _labels(school, year_group.program_code, day)
    everybody, teachers = await school.all_students(), await school.teachers()
    rows = []
    for row in answered.students:
        student = everybody.get(row.id)
        if row.id not in group or (student is not None and student.archived):
            continue
        rows.append(
            StudentDay(
                id=row.id,
                name=school.student_name(student, row.id),
                group=group_name(year_group),
                register=school.teacher_name(teachers, student.homeroom_advisor_id if student else None),
                label=labels.of_mark(row.mark.status, row.mark.label)
                if row.mark and row.mark.status != NOT_TAKEN
                else None,
                excusal=None if covered is None else row.id in covered,
                parents=frozenset(student.parent_ids) if student else frozenset(),
            )
        )
    return rows


async def _add_class_rows(
    school: School, group: Group, year_groups: Sequence[YearGroup], found: DayFound, covered: set[int] | None
) -> None:
    """Adds the day of year groups without homeroom; where others are told, one that can't be read is named."""
    names = [group_name(one) for one in year_groups]
    try:
        rows = await _class_rows(school, group, year_groups, found.day, covered, needed=not found.rows)
    except UpstreamError as error:
        if not found.rows:
            raise
        school.not_read.append(f"{listed(names)} on {spoken(found.day)} could not be read: {error}")
        return
    found.rows += rows
    found.from_classes += names


async def _class_rows(
    school: School,
    group: Group,
    year_groups: Sequence[YearGroup],
    day: date,
    covered: set[int] | None,
    *,
    needed: bool,
) -> list[StudentDay]:
    """Each student's day from the taken marks of their classes."""
    programmes = {one.program_code for one in year_groups}
    records = {id: one for id, one in (await school.classes()).items() if one.program_code in programmes}
    labels = {code: await _labels(school, code, day) for code in programmes}
    marks: dict[int, list[tuple[int, Label]]] = {}
    for class_id, answered in (await read_class_days(school, records, day, needed=needed)).items():
        for row in answered.students:
            for period, mark in row.marks.items():
                if mark.status != NOT_TAKEN:
                    label = labels[records[class_id].program_code].of_mark(mark.status, mark.label)
                    marks.setdefault(row.id, []).append((period, label))
    everybody = await school.all_students()
    rows = []
    for year_group in year_groups:
        for id in year_group.student_ids:
            student = everybody.get(id)
            if id not in group or student is None or student.archived:
                continue
            day_label, missed = day_from_classes(marks.get(id, ()))
            rows.append(
                StudentDay(
                    id=id,
                    name=student_name(student),
                    group=group_name(year_group),
                    register="",
                    label=day_label,
                    excusal=None if covered is None else id in covered,
                    missed=missed,
                    parents=frozenset(student.parent_ids),
                )
            )
    return rows


def day_from_classes(marks: Iterable[tuple[int, Label]]) -> tuple[Label | None, tuple[int, ...]]:
    """A day's label from taken class marks (period, label), and the periods missed on a day that was attended in part.

    Away from every taken class: the first one's label. Otherwise the first label that isn't away.
    """
    ordered = sorted(marks, key=lambda mark: mark[0])
    if not ordered:
        return None, ()
    there = [label for _, label in ordered if label.kind not in (Kind.ABSENT, Kind.EXCUSED, Kind.HEALTH)]
    if not there:
        return ordered[0][1], ()
    return there[0], tuple(period for period, label in ordered if label.kind is Kind.ABSENT)
