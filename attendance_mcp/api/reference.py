"""The records of reference: what turns a person's words into ids, and dates into terms and school days."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from attendance_mcp.api.record import Many, Page, Record

Day = datetime.date


def normalised(code: str) -> str:
    """A programme's code in one spelling: `ib_pyp`, `ibpyp` and `pyp` are all `pyp` (the API spells them all ways)."""
    plain = re.sub(r"[^a-z0-9]+", "_", code.lower()).strip("_")
    found = re.fullmatch(r"ib_?(pyp|myp|dp|cp)", plain)
    return found[1] if found else plain


ProgramCode = Annotated[str, AfterValidator(normalised)]


class Student(Record):
    """A student; `id` goes into paths, `student_id` is the school's own number and never does."""

    id: int
    first_name: str = ""
    last_name: str = ""
    archived: bool = False
    student_id: str | None = Field(default=None, coerce_numbers_to_str=True)
    email: str | None = None
    parent_ids: Many[int] = Field(default=[])
    year_group_id: int | None = None
    homeroom_advisor_id: int | None = None
    class_grade: str | None = None
    class_grade_number: int | None = None  # one more than the label says: Grade 8 is 9
    program: str | None = None
    program_code: ProgramCode | None = None


class StudentPage(Page[Student]):
    items: list[Student] = Field(alias="students")


class StudentBody(Record):
    student: Student


class RosterPage(Page[int]):
    items: list[int] = Field(alias="student_ids")


class MemberClass(Record):
    """A class that a student belongs or belonged to."""

    id: int
    name: str
    archived: bool = False
    start_term_id: int | None = None
    end_term_id: int | None = None


class MemberGroup(Record):
    """A year group that a student belongs or belonged to."""

    id: int
    name: str
    archived: bool = False


class StudentMemberships(Record):
    """The classes and year groups of one student."""

    classes: Many[MemberClass] = Field(default=[])
    year_groups: Many[MemberGroup] = Field(default=[])


class StudentMembershipsBody(Record):
    memberships: StudentMemberships


class ClassTeacher(Record):
    teacher_id: int


class ClassRecord(Record):
    """A class."""

    id: int
    name: str
    archived: bool = False
    start_term_id: int | None = None
    end_term_id: int | None = None
    grade: str | None = None
    grade_number: int | None = None
    program: str | None = None
    program_code: ProgramCode | None = None
    subject_name: str | None = None
    teachers: Many[ClassTeacher] = Field(default=[])

    @property
    def teacher_ids(self) -> list[int]:
        return [teacher.teacher_id for teacher in self.teachers]


class ClassPage(Page[ClassRecord]):
    items: list[ClassRecord] = Field(alias="classes")


class ClassBody(Record):
    record: ClassRecord = Field(alias="class")


class YearGroup(Record):
    """A year group with its students' ids."""

    id: int
    name: str
    student_ids: list[int]
    short_name: str | None = None
    program: str | None = None
    program_code: ProgramCode | None = None
    grade: str | None = None
    grade_number: int | None = None
    archived: bool = False


class YearGroupPage(Page[YearGroup]):
    items: list[YearGroup] = Field(alias="year_groups")


class Program(Record):
    """A programme that the school runs: `key` as the API spells it, for paths; `code` to compare with."""

    name: str = ""
    key: str = Field(default="", alias="code")

    @property
    def code(self) -> str:
        return normalised(self.key)


class School(Record):
    """The school and its programmes."""

    name: str
    subdomain: str | None = None
    country: str | None = None
    programs: Many[Program] = Field(default=[], alias="enabled_programs")


class SchoolBody(Record):
    school: School


class Term(Record):
    """A term of one programme's academic year; both ends count."""

    id: int
    name: str
    starts_on: Day
    ends_on: Day
    active: bool = False


class AcademicYear(Record):
    """An academic year of one programme; `program_key` is as the API spells it here, `program_code` to compare with."""

    id: int
    name: str
    starts_on: Day
    ends_on: Day
    active: bool = False
    terms: Many[Term] = Field(default=[], alias="academic_terms")
    program_key: str = ""
    program_code: str = ""


class ProgramYears(Record):
    years: Many[AcademicYear] = Field(default=[], alias="academic_years")


class AcademicYearsBody(Record):
    programs: Mapping[str, ProgramYears] = Field(alias="academic_years")

    def all(self) -> list[AcademicYear]:
        """The years of every programme, each knowing its programme."""
        return [
            year.model_copy(update={"program_key": key, "program_code": normalised(key)})
            for key, program in self.programs.items()
            for year in program.years
        ]


class CalendarDay(Record):
    """A school day and its rotation day, where the programme has any."""

    date: Day
    rotation_day: int | None = None


class Calendar(Record):
    """The days of a programme's academic year; `days_off` are weekdays, 0 = Sunday, None where left out (assumed)."""

    start_date: Day
    end_date: Day
    dates: list[CalendarDay]
    days_off: list[int] | None = None
    calendar_type: str | None = None
    rotation_cycle: int | None = None
    ignore_holidays: bool = False


class CalendarBody(Record):
    calendar: Calendar


class Membership(Record):
    """Who belongs to which class; `role` is a word such as Student."""

    id: int
    user_id: int
    class_id: int
    role: str | None = None


class MembershipPage(Page[Membership]):
    items: list[Membership] = Field(alias="memberships")


class Category(Record):
    """The school's own label of a status in one academic year."""

    status: int
    label: str
    enabled: bool = True
    abbreviation: str | None = None
    color_code: str | None = None


class CategoriesBody(Record):
    categories: list[Category]


class Teacher(Record):
    """A teacher; a student's advisor and a class's teacher point here."""

    id: int
    first_name: str = ""
    last_name: str = ""
    archived: bool = False


class TeacherPage(Page[Teacher]):
    items: list[Teacher] = Field(alias="teachers")


class Parent(Record):
    """A parent with their children's ids; an excusal names one."""

    id: int
    first_name: str = ""
    last_name: str = ""
    child_ids: Many[int] = Field(default=[])


class ParentPage(Page[Parent]):
    items: list[Parent] = Field(alias="parents")


class ParentBody(Record):
    parent: Parent


class PermissionsBody(Record):
    permissions: list[str]
