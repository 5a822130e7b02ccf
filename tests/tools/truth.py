"""What the reading tools must count, worked out from the school's own database by SQL alone."""

from __future__ import annotations

from dataclasses import dataclass

from tests.upstream_school import UpstreamSchool

from .examples import DAY, term_of

Counts = dict[str, int]
# A mark's label is that of the student's programme in the academic year of the mark's day.
LABELS = """join academic_years y on y.program_code = :program and {day} between y.starts_on and y.ends_on
            join categories c on c.academic_year_id = y.id and c.status = m.status"""


@dataclass(frozen=True)
class Truth:
    """One school's facts; `first_period` is what the school calls the period that its file stores as 1."""

    school: UpstreamSchool
    first_period: int = 1

    def group(self, name: str) -> tuple[int, str, int]:
        """A year group's id, its programme and its current term."""
        id, program = self.school.one("select id, program_code from year_groups where name = :name", name=name)
        return id, program, term_of(self.school, program)

    def class_(self, name: str) -> tuple[int, str, int]:
        id, program = self.school.one("select id, program_code from classes where name = :name", name=name)
        return id, program, term_of(self.school, program)

    def homeroom_day(self, group: int, program: str) -> Counts:
        marks = self.school.rows(
            f"""select c.label, count(*) from homeroom_marks m join students s on s.id = m.student_id
                {LABELS.format(day="m.date")}
                where m.date = :day and s.year_group_id = :group and s.archived = 0 group by 1""",
            day=DAY,
            group=group,
            program=program,
        )
        return with_not_taken(dict(marks), of=self.current_students(group))

    def current_students(self, group: int) -> int:
        query = "select count(*) from students where year_group_id = :group and archived = 0"
        return int(self.school.one(query, group=group)[0])

    def archived_students(self, group: int) -> int:
        query = "select count(*) from students where year_group_id = :group and archived = 1"
        return int(self.school.one(query, group=group)[0])

    def class_day(self, class_: int, program: str) -> dict[int, Counts]:
        """By period as the school shows it."""
        members = self.school.one(
            """select count(*) from memberships where class_id = :id and joined_on <= :day
               and (left_on is null or left_on >= :day)""",
            id=class_,
            day=DAY,
        )[0]
        marks = self.school.rows(
            f"""select m.period, c.label, count(*) from class_marks m {LABELS.format(day="m.date")}
                where m.date = :day and m.class_id = :id group by 1, 2""",
            day=DAY,
            id=class_,
            program=program,
        )
        periods: dict[int, Counts] = {}
        for period, label, number in marks:
            periods.setdefault(period + self.first_period - 1, {})[label] = number
        return {period: with_not_taken(counts, of=members) for period, counts in periods.items()}

    def homeroom_term(self, group: int, program: str, term: int) -> Counts:
        """Trips to come count too: their marks stand already."""
        return dict(
            self.school.rows(
                f"""select c.label, count(*) from homeroom_marks m join students s on s.id = m.student_id
                    join terms t on t.id = :term and m.date between t.starts_on and t.ends_on
                    {LABELS.format(day="m.date")}
                    where s.year_group_id = :group and s.archived = 0 group by 1""",
                term=term,
                group=group,
                program=program,
            )
        )

    def class_term(self, class_: int, program: str, term: int) -> Counts:
        return dict(
            self.school.rows(
                f"""select c.label, count(*) from class_marks m
                    join terms t on t.id = :term and m.date between t.starts_on and t.ends_on
                    {LABELS.format(day="m.date")}
                    where m.class_id = :id and m.date <= :day group by 1""",
                term=term,
                id=class_,
                program=program,
                day=DAY,
            )
        )

    def adjustments(self, group: int, term: int) -> dict[int, Counts]:
        rows = self.school.rows(
            """select a.student_id, a.name, sum(a.adjustment) from adjustments a
               join students s on s.id = a.student_id where s.year_group_id = :group and a.term_id = :term
               group by 1, 2""",
            group=group,
            term=term,
        )
        found: dict[int, Counts] = {}
        for student, name, number in rows:
            found.setdefault(student, {})[name] = number
        return found

    def excusals(self, *, calendar_days: bool) -> dict[int, int]:
        """Who has an excusal that covers the day, and how many days it counts."""
        school_days = """(select count(*) from school_days d where d.program_code = g.program_code
                          and d.date between e.start_date and e.end_date)"""
        days = "julianday(e.end_date) - julianday(e.start_date) + 1" if calendar_days else school_days
        rows = self.school.rows(
            f"""select e.student_id, cast({days} as integer) from excusals e
                join students s on s.id = e.student_id join year_groups g on g.id = s.year_group_id
                where :day between e.start_date and e.end_date""",
            day=DAY,
        )
        return {student: int(number) for student, number in rows}

    def timetable(self, class_: int) -> dict[int, list[int]]:
        """By day, the periods as the school shows them."""
        days: dict[int, list[int]] = {}
        query = "select day, period from slots where class_id = :id and enabled = 1 order by 1, 2"
        for day, period in self.school.rows(query, id=class_):
            days.setdefault(day, []).append(period + self.first_period - 1)
        return days


def with_not_taken(counts: Counts, *, of: int) -> Counts:
    left = of - sum(counts.values())
    return {**counts, **({"not taken": left} if left else {})}
