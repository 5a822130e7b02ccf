"""One school as one caller sees it, for the length of one request."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date

from attendance_mcp.api.records import AcademicYear, ClassRecord, Parent, Student, Teacher, Term, YearGroup
from attendance_mcp.digest.facts import Role
from attendance_mcp.errors import NotAuthorised, NotFound, NotOffered, UpstreamError
from attendance_mcp.outside import one_line
from attendance_mcp.rules.calendar import SchoolCalendar, YearDays
from attendance_mcp.rules.labels import Labels
from attendance_mcp.rules.rates import RateRule
from attendance_mcp.school.directory import (
    Directory,
    EntryKind,
    Found,
    group_entries,
    people_entries,
    student_entries,
    term_entries,
)
from attendance_mcp.school.disclosure import EVERYTHING, Disclosure
from attendance_mcp.school.reads import LOCAL_CALLER, NO_HOMEROOM, Progress, Reads
from attendance_mcp.school.sight import Sight, sight_of

__all__ = ["LOCAL_CALLER", "NO_HOMEROOM", "Progress", "School"]

# Beyond this many students one listing of the whole school is cheaper than a read each.
_FEW = 3


class School(Reads):
    """One school as its caller sees it; every tool starts from here."""

    def for_person(self) -> School:
        """The same school, told to a person who works there and not to an assistant."""
        return self.told_as(EVERYTHING)

    def for_assistant(self) -> School:
        """The same school, told as the setting PRIVACY says."""
        return self.told_as(self.connection.disclosure)

    def told_as(self, disclosure: Disclosure) -> School:
        if disclosure is self.disclosure:
            return self
        return School(self.connection, caller=self.caller, grants=self._grants, disclosure=disclosure)

    async def sight(self) -> Sight | None:
        """Whom this caller may see and change; None is everybody."""
        if not self.limited:
            return None
        key = ("sight", self._grants)
        # A policy names groups as the school does.
        found: Sight = await self._remembered(key, lambda: sight_of(self.whole, self._grants), keep=True)
        return found

    @property
    def whole(self) -> School:
        """The same school without limits, for what is one for all callers and tells none of them of anybody."""
        whole = School(self.connection, disclosure=EVERYTHING)
        whole._ends = self._ends
        return whole

    # --- reference data -------------------------------------------------------------------------------------------

    async def all_students(self) -> Mapping[int, Student]:
        """Every student, archived ones too, by id."""
        return self.disclosure.students(await self._everybody())

    async def _everybody(self) -> Mapping[int, Student]:
        return await self.kept("all_students", self._load_students)

    async def students(self, ids: Iterable[int]) -> Mapping[int, Student]:
        """The students with these ids; an id that the school doesn't know is missing."""
        wanted = set(ids)
        if len(wanted) > _FEW or self.peek("all_students") is not None:
            everybody = await self.all_students()
            return {id: everybody[id] for id in wanted if id in everybody}
        found: dict[int, Student] = {}
        for id in sorted(wanted):
            try:
                found[id] = self.disclosure.person(await self.read(self.client.get_student, id))
            except NotFound:
                continue
        return found

    async def student(self, id: int) -> Student:
        """One student. Raises NotFound."""
        found = await self.students([id])
        if id not in found:
            raise NotFound(no_student(self.disclosure.id(Role.STUDENT, id)))
        return found[id]

    async def parent(self, id: int) -> Parent:
        """One parent. Raises NotFound."""
        return self.disclosure.person(await self.read(self.client.get_parent, id))

    async def year_groups(self) -> Mapping[int, YearGroup]:
        return {group.id: group for group in await self.read(self.client.list_year_groups)}

    async def year_group(self, id: int) -> YearGroup:
        """One year group. Raises NotFound, naming those that there are."""
        groups = await self.year_groups()
        if id not in groups:
            known = ", ".join(f"{group_name(group)} {group.id}" for group in groups.values())
            raise NotFound(f"The school has no year group with the id {id}. It has: {known}.")
        return groups[id]

    async def class_(self, id: int) -> ClassRecord:
        """One class. Raises NotFound."""
        try:
            return await self.read(self.client.get_class, id)
        except NotFound:
            raise NotFound(f"The school has no class with the id {id}.") from None

    async def parents(self) -> Mapping[int, Parent]:
        """Every parent by id."""
        return {one.id: self.disclosure.person(one) for one in await self.read(self.client.list_parents)}

    async def teachers(self) -> Mapping[int, Teacher]:
        """Teachers by id; empty where the API doesn't offer them or they can't be read, so that advisors stay ids."""
        return self.disclosure.people(await self._staff())

    async def _staff(self) -> Mapping[int, Teacher]:
        try:
            return await self.kept("all_teachers", self._load_teachers)
        except (NotOffered, NotAuthorised):
            return {}
        except UpstreamError as error:
            said = f"Teachers' names could not be read: {error}"
            if said not in self.not_read:
                self.not_read.append(said)
            return {}

    async def _load_teachers(self) -> Mapping[int, Teacher]:
        return {teacher.id: teacher for teacher in await self.read(self.client.list_teachers)}

    def teacher_name(self, teachers: Mapping[int, Teacher], id: int | None) -> str:
        """A teacher's name, or what is known of them."""
        if id is None:
            return "no advisor"
        teacher = teachers.get(id)
        return staff_name(teacher) if teacher else self.disclosure.called(Role.STAFF, id, "advisor")

    def student_name(self, student: Student | None, id: int) -> str:
        """A student's name, or what is known of one whom the school doesn't list."""
        return student_name(student) if student else self.disclosure.called(Role.STUDENT, id)

    async def academic_years(self) -> tuple[AcademicYear, ...]:
        return tuple(await self.read(self.client.list_academic_years))

    async def academic_year(self, program_code: str | None, day: date) -> AcademicYear | None:
        """The programme's academic year that holds the day."""
        return next(
            (
                year
                for year in await self.academic_years()
                if year.program_code == program_code and year.starts_on <= day <= year.ends_on
            ),
            None,
        )

    async def term(self, id: int) -> Term | None:
        """A term by its id; each programme has its own."""
        return next((term for year in await self.academic_years() for term in year.terms if term.id == id), None)

    async def labels(self, program_code: str | None, day: date) -> Labels:
        """The labels of a programme on a day; the vendor's words where the API doesn't tell the school's."""
        year = await self.academic_year(program_code, day)
        if year is None:
            return self.vendors_labels(program_code)
        try:
            rows = await self.read(self.client.list_attendance_categories, year.id)
        except (NotOffered, NotAuthorised, NotFound):
            return self.vendors_labels(program_code)
        return self._labels(program_code, [(row.status, row.label, row.enabled) for row in rows])

    def vendors_labels(self, program_code: str | None = None) -> Labels:
        """The vendor's words, where the school's own can't be told."""
        return self._labels(program_code, None)

    def _labels(self, program_code: str | None, categories: Iterable[tuple[int, str, bool]] | None) -> Labels:
        kinds = self.connection.profile.kinds(program_code)
        return Labels.of(categories, kinds=kinds, health_apart=self.disclosure.health)

    def rate_rule(self, program_code: str | None) -> RateRule:
        """How the programme works its rate out."""
        rule = self.connection.profile.program(program_code).rate
        return rule if self.disclosure.health else replace(rule, health_apart=False)

    async def calendar(self, program_code: str) -> SchoolCalendar:
        """The programme's school days of this academic year: by the API's calendar, else by the profile."""
        years = [year for year in await self.academic_years() if year.program_code == program_code]
        today = self.clock.today()
        now = [year for year in years if year.starts_on <= today <= year.ends_on] or years[-1:]
        rules = self.connection.profile.program(program_code)
        return SchoolCalendar(
            [await self._year_days(year) for year in now], days_off=rules.days_off, holidays=rules.holidays
        )

    async def _year_days(self, year: AcademicYear) -> YearDays:
        # The path takes a programme's code; some schools spell it in the list of years as no code is spelt elsewhere.
        for code in dict.fromkeys((year.program_code, year.program_key)):
            try:
                answered = await self.read(self.client.get_calendar, code, year.id)
            except (NotOffered, NotAuthorised, NotFound):
                continue
            listed = {day.date: day.rotation_day for day in answered.dates}
            return YearDays(year.starts_on, year.ends_on, listed=listed, days_off=answered.days_off)
        return YearDays(year.starts_on, year.ends_on)

    async def term_on(self, program_code: str | None, day: date) -> Term | None:
        """The programme's term that holds the day."""
        year = await self.academic_year(program_code, day)
        terms = year.terms if year else []
        return next((term for term in terms if term.starts_on <= day <= term.ends_on), None)

    async def classes(self) -> Mapping[int, ClassRecord]:
        """The classes that are not archived, by id."""
        return await self.kept("all_classes", self._load_classes)

    async def _load_classes(self) -> Mapping[int, ClassRecord]:
        return {record.id: record for record in await self.read(self.client.list_classes)}

    async def directory(self) -> Directory:
        """What can be named here, without parents, whom only find_in_school looks for.

        It has people's names whatever the setting PRIVACY says: `find` answers what may be told of them.
        """
        return await self.kept("directory", self._make_directory)

    async def find(self, words: str, *, kinds: Collection[EntryKind]) -> Found:
        """What a name, an id or a code in a call means."""
        return self.disclosure.find(await self.directory(), words, kinds=kinds)

    async def _make_directory(self) -> Directory:
        students, groups, teachers = await self._everybody(), await self.year_groups(), await self._staff()
        advisors = {id: staff_name(teacher) for id, teacher in teachers.items()}
        return Directory(
            [
                *student_entries(students, groups),
                *group_entries(groups, (await self.classes()).values(), students, advisors),
                *people_entries(teachers, ()),
                *term_entries(await self.academic_years()),
            ]
        )

    async def names(self, ids: Iterable[int]) -> Mapping[int, str]:
        """What each of these students is called."""
        wanted = set(ids)
        known = await self.students(wanted)
        return {id: self.student_name(known.get(id), id) for id in wanted}

    async def homerooms(self, ids: Iterable[int]) -> Mapping[int, str]:
        """Which homeroom each student is in, named by its advisor."""
        students = await self.students(ids)
        teachers = await self.teachers()
        return {id: self.teacher_name(teachers, student.homeroom_advisor_id) for id, student in students.items()}

    async def _load_students(self) -> Mapping[int, Student]:
        return {student.id: student for student in await self.read(self.client.list_students)}


def student_name(student: Student) -> str:
    """The name as the school writes it."""
    return one_line(f"{student.first_name} {student.last_name}", limit=60)


def group_name(group: YearGroup | ClassRecord) -> str:
    return one_line(group.name, limit=60)


def staff_name(teacher: Teacher) -> str:
    return one_line(f"{teacher.first_name} {teacher.last_name}", limit=60)


def no_student(ids: object) -> str:
    """Why an id or a code names no student."""
    return f"The school has no student with the id {ids}. The school's own number is not the id."
