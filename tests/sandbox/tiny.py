"""A school so small that a test can hold all of it in its head.

Today is Monday 24 November 2025, 10:00. Grade 8 (myp) meets Monday to Friday, Grade 2 (pyp) Sunday to Thursday with
rotation days 1 and 2; 20 November is a day off in Grade 8. School days are entered for November and the first week of
December.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import sqlalchemy as sa

from attendance_mcp.sandbox import database as db

TOKEN = "tiny-school-token"
TODAY = datetime(2025, 11, 24, 10, 0)

MIA, EMILIE, OMAR, LENA, NOAH = 5001, 5002, 5003, 5004, 5011  # Lena is archived; Omar left Mathematics on 14 November
GRADE_8, GRADE_2 = 31, 32
MATHEMATICS, MUSIC, OLD_CLASS = 6001, 6002, 6003
TERM_1, TERM_2, PYP_TERM = 7101, 7102, 7201
MYP_YEAR, PYP_YEAR = 101, 201
RIN, AMINA = 8001, 8002  # Rin is Mia's and Émilie's parent, Amina is Omar's
FEVER = 1  # Mia's excusal, 24 to 25 November


def fill(engine: sa.Engine) -> None:
    db.metadata.create_all(engine)
    with engine.begin() as connection:
        for table, names, rows in _ROWS:
            connection.execute(table.insert(), [dict(zip(names.split(), row, strict=True)) for row in rows])
        connection.execute(db.school_days.insert(), _school_days())


def _school_days() -> list[dict[str, object]]:
    days: list[dict[str, object]] = []
    rotation = 0
    for number in range(35):
        day = date(2025, 11, 1) + timedelta(number)
        if day.isoweekday() <= 5 and day != date(2025, 11, 20):
            days.append({"program_code": "myp", "date": day.isoformat(), "rotation_day": None})
        if day.isoweekday() not in (5, 6):
            days.append({"program_code": "pyp", "date": day.isoformat(), "rotation_day": 1 + rotation % 2})
            rotation += 1
    return days


_ROWS: list[tuple[sa.Table, str, list[tuple[object, ...]]]] = [
    (db.meta, "key value", [("school", "Tiny School"), ("country", "Utopia")]),
    (
        db.programs,
        "code key name keeps_homeroom days_off rotation_cycle",
        [("myp", "ib_myp", "Middle Years", 1, "[0, 6]", None), ("pyp", "pyp", "Primary Years", 1, "[5, 6]", 2)],
    ),
    (
        db.academic_years,
        "id program_code name starts_on ends_on",
        [
            (MYP_YEAR, "myp", "2025-2026", "2025-08-18", "2026-06-25"),
            (PYP_YEAR, "pyp", "2025-2026", "2025-08-18", "2026-06-25"),
        ],
    ),
    (
        db.terms,
        "id academic_year_id name starts_on ends_on",
        [
            (TERM_1, MYP_YEAR, "Term 1", "2025-08-18", "2025-12-19"),
            (TERM_2, MYP_YEAR, "Term 2", "2026-01-06", "2026-06-25"),
            (PYP_TERM, PYP_YEAR, "Term 1", "2025-08-18", "2025-12-19"),
        ],
    ),
    (
        db.categories,
        "academic_year_id status label abbreviation enabled color_code",
        [
            (MYP_YEAR, 0, "Absent", "A", 1, "#c00000"),
            (MYP_YEAR, 1, "Present", "P", 1, "#00a000"),
            (MYP_YEAR, 2, "Tardy", "T", 1, "#e0a000"),
            (MYP_YEAR, 4, "Tardy", "TD", 0, "#e0a000"),
        ],
    ),
    (
        db.teachers,
        "id first_name last_name archived",
        [(41, "Ines", "Moreau", 0), (42, "Pavel", "Novák", 0), (43, "Old", "Hand", 1)],
    ),
    (db.parents, "id first_name last_name", [(RIN, "Rin", "Tanaka"), (AMINA, "Amina", "Haddad")]),
    (
        db.year_groups,
        "id name short_name program_code grade grade_number archived",
        [
            (GRADE_8, "Grade 8", "G8", "myp", "Grade 8", 9, 0),
            (GRADE_2, "Grade 2", "G2", "pyp", "Grade 2", 3, 0),
            (33, "Class of 2020", "C20", "myp", "Grade 12", 13, 1),
        ],
    ),
    (
        db.students,
        "id student_id first_name last_name email archived year_group_id homeroom_advisor_id",
        [
            (MIA, "S-1", "Mia", "Tanaka", "mia@tiny.example", 0, GRADE_8, 41),
            (EMILIE, "S-2", "Émilie", "Rousseau", "emilie@tiny.example", 0, GRADE_8, 42),
            (OMAR, "S-3", "Omar", "Haddad", "omar@tiny.example", 0, GRADE_8, None),
            (LENA, "S-4", "Lena", "Vogt", "lena@tiny.example", 1, GRADE_8, 41),
            (NOAH, "S-5", "Noah", "Silva", "noah@tiny.example", 0, GRADE_2, 42),
        ],
    ),
    (db.child_links, "parent_id student_id", [(RIN, MIA), (RIN, EMILIE), (AMINA, OMAR)]),
    (
        db.classes,
        "id name program_code grade grade_number subject_name archived start_term_id end_term_id",
        [
            (MATHEMATICS, "Mathematics 8", "myp", "Grade 8", 9, "Mathematics", 0, TERM_1, TERM_1),
            (MUSIC, "Music 2", "pyp", "Grade 2", 3, "Music", 0, PYP_TERM, PYP_TERM),
            (OLD_CLASS, "Latin 8", "myp", "Grade 8", 9, "Latin", 1, TERM_1, TERM_1),
        ],
    ),
    (db.class_teachers, "class_id teacher_id", [(MATHEMATICS, 41), (MATHEMATICS, 42), (MUSIC, 42)]),
    (
        db.memberships,
        "id student_id class_id joined_on left_on",
        [
            (1, MIA, MATHEMATICS, "2025-08-18", None),
            (2, EMILIE, MATHEMATICS, "2025-08-18", None),
            (3, OMAR, MATHEMATICS, "2025-08-18", "2025-11-14"),
            (4, LENA, MATHEMATICS, "2025-08-18", None),
            (5, NOAH, MUSIC, "2025-08-18", None),
        ],
    ),
    (
        # Mathematics: Monday periods 1 and 2, Tuesday period 4; Thursday's slot is disabled. Music: rotation day 1.
        db.slots,
        "id class_id academic_year_id day period location enabled",
        [
            (1, MATHEMATICS, MYP_YEAR, 1, 1, "B12", 1),
            (2, MATHEMATICS, MYP_YEAR, 1, 2, "B12", 1),
            (3, MATHEMATICS, MYP_YEAR, 2, 4, "B14", 1),
            (4, MATHEMATICS, MYP_YEAR, 4, 5, "B14", 0),
            (5, MUSIC, PYP_YEAR, 1, 3, "Hall", 1),
        ],
    ),
    (
        db.homeroom_marks,
        "date student_id status note",
        [
            ("2025-11-21", MIA, 2, None),
            ("2025-11-21", EMILIE, 4, None),
            ("2025-11-21", LENA, 0, None),
            ("2025-11-24", MIA, 0, "No call from home"),
            ("2025-11-24", EMILIE, 1, None),
            ("2025-11-26", EMILIE, 12, "Museum"),
        ],
    ),
    (
        db.class_marks,
        "class_id date period student_id status note",
        [
            (MATHEMATICS, "2025-11-10", 1, OMAR, 1, None),
            (MATHEMATICS, "2025-11-24", 1, MIA, 0, None),
            (MATHEMATICS, "2025-11-24", 1, EMILIE, 1, None),
            (MATHEMATICS, "2025-11-25", 4, EMILIE, 12, "Museum"),
        ],
    ),
    (
        db.excusals,
        "id student_id parent_id start_date end_date comment created_at updated_at",
        [(FEVER, MIA, RIN, "2025-11-24", "2025-11-25", "Fever", "2025-11-24T07:10:00Z", "2025-11-24T07:10:00Z")],
    ),
    (
        db.adjustments,
        "id student_id term_id name adjustment",
        [(1, MIA, TERM_1, "Absent", -1), (2, MIA, TERM_1, "Tardy", 2)],
    ),
]
