"""One good call of every tool, its arguments looked up in the school's own database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.upstream_school import UpstreamSchool

DAY = "2026-11-24"  # Tuesday, the school's today
Arguments = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """Who and what the calls are about: a year group, one of its absent students, a class with marks today."""

    group: int
    group_name: str
    term: int
    foreign_term: int  # another programme's
    student: int
    parent: int
    class_: int
    period: int
    class_term: int
    classmates: tuple[int, int]
    excused: int
    excusal: int

    @classmethod
    def of(cls, school: UpstreamSchool) -> Known:
        # An absent student without any excusal to come, so that one of tomorrow can be made.
        student, group, group_name, program = school.one(
            """select m.student_id, g.id, g.name, g.program_code from homeroom_marks m
               join students s on s.id = m.student_id join year_groups g on g.id = s.year_group_id
               where m.date = :day and m.status = 0
               and m.student_id not in (select student_id from excusals where end_date >= :day) order by 1""",
            day=DAY,
        )
        (parent,) = school.one("select min(parent_id) from child_links where student_id = :id", id=student)
        (other,) = school.one("select min(code) from programs where code <> :program", program=program)
        class_, period, class_program = school.one(
            """select m.class_id, m.period, c.program_code from class_marks m join classes c on c.id = m.class_id
               where m.date = :day group by 1, 2 order by count(*) desc, 1, 2""",
            day=DAY,
        )
        mates = school.rows(
            """select student_id from class_marks where class_id = :id and date = :day and period = :period
               and status = 1 order by 1 limit 2""",
            id=class_,
            day=DAY,
            period=period,
        )
        excused, excusal = school.one(
            "select student_id, id from excusals where start_date = :day and end_date > :day order by id", day=DAY
        )
        return cls(
            group=group,
            group_name=group_name,
            term=term_of(school, program),
            foreign_term=term_of(school, other),
            student=student,
            parent=parent,
            class_=class_,
            period=period,
            class_term=term_of(school, class_program),
            classmates=(mates[0][0], mates[1][0]),
            excused=excused,
            excusal=excusal,
        )

    def reads(self) -> dict[str, Arguments]:
        """A call of every tool that only reads."""
        return {
            "get_school_context": {},
            "find_in_school": {"names_or_ids": [self.group_name, str(self.student)]},
            "list_absences": {"date": "today", "group": self.group_name},
            "list_missing_registers": {"kind": "class", "group": self.group_name},
            "reconcile_homeroom": {"date": DAY},
            "list_attendance_concerns": {"group": self.group_name},
            "get_student_attendance": {"student": str(self.student)},
            "get_homeroom_attendance": {"year_group_id": self.group, "detail": "full"},
            "get_homeroom_term_attendance": {"year_group_id": self.group, "term_id": self.term},
            "get_homeroom_adjustments": {"year_group_id": self.group, "term_id": self.term},
            "get_class_attendance": {"class_id": self.class_, "date": DAY},
            "get_class_term_attendance": {"class_id": str(self.class_), "term_id": self.class_term},
            "get_class_timetable": {"class_id": self.class_, "include_disabled": True},
            "list_excusals": {"date": "today", "page": 1},
            "list_changes": {"limit": 3},
            "list_student_excusals": {"student_id": self.excused, "applies_on": DAY},
        }

    def writes(self) -> dict[str, Arguments]:
        """A call of every endpoint tool that writes; each plans."""
        marks = [
            {"student_id": id, "date": DAY, "period": self.period, "status": 5, "notes": "Left for the dentist"}
            for id in self.classmates
        ]
        return {
            "set_homeroom_attendance": {"student_id": self.student, "date": "today", "status": 2, "notes": "Bus 4"},
            "set_class_attendance": {"class_id": self.class_, "marks": marks},
            "create_excusal": {
                "student_id": self.student,
                "parent_id": self.parent,
                "start_date": "tomorrow",
                "comment": "Dentist at noon",
            },
            "update_excusal": {"student_id": self.excused, "excusal_id": self.excusal, "end_date": DAY},
            "delete_excusal": {"student_id": self.excused, "excusal_id": self.excusal},
            "plan_changes": {"changes": [self.errand()]},
        }

    def errand(self) -> Arguments:
        """An item of plan_changes."""
        return {"kind": "homeroom", "student_ids": [self.student], "dates": [DAY], "status": 1}


WRITING_TOOLS = [
    "set_homeroom_attendance",
    "set_class_attendance",
    "create_excusal",
    "update_excusal",
    "delete_excusal",
    "plan_changes",
    "apply_changes",
]


def term_of(school: UpstreamSchool, program: str, day: str = DAY) -> int:
    """The term of a programme that holds the day."""
    query = """select t.id from terms t join academic_years y on y.id = t.academic_year_id
               where y.program_code = :program and :day between t.starts_on and t.ends_on"""
    return int(school.one(query, program=program, day=day)[0])
