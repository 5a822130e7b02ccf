"""The invented school's year groups, classes and timetable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from attendance_mcp.sandbox.school_year import PROGRAMMES, Programme, Size

SUBJECTS: dict[str, tuple[str, ...]] = {
    "pyp": ("Literacy", "Numeracy", "Unit of Inquiry", "Music and Drama"),
    "myp": ("Mathematics", "Language and Literature", "Sciences", "Individuals and Societies", "Design", "Spanish"),
    "igcse": ("Mathematics", "English", "Combined Science", "Geography", "Computing", "Visual Arts"),
    "dp": ("Mathematics", "Literature", "Biology", "History", "Economics", "Theory of Knowledge"),
}
# The youngest have four periods a day with registers, the others six.
PERIODS: dict[str, tuple[int, ...]] = {"pyp": (1, 2, 4, 5)}
ALL_PERIODS = (1, 2, 3, 4, 5, 6)
_SECTION_OF = 24  # students that a class has room for, more or less


@dataclass(frozen=True, slots=True)
class YearGroup:
    """A year group; `homerooms` is 0 where its programme keeps none, `registers` false where nobody takes one."""

    index: int
    id: int
    name: str
    short_name: str
    programme: Programme
    grade: str
    grade_number: int  # one more than the label says: the API's Grade 8 is 9
    students: int
    homerooms: int
    sections: int
    registers: bool


@dataclass(frozen=True, slots=True)
class Class:
    """A class; `block` names what meets at the same time, so that nobody has two classes at once."""

    index: int
    id: int
    name: str
    year_group: YearGroup
    subject: str
    section: int
    block: tuple[str, int, int]
    habit: str  # "whole", "exceptions" (marks only those) or "rarely" (takes a register now and then)


@dataclass(frozen=True, slots=True)
class Slot:
    """A place of a class in the timetable: `day` is a weekday (1 = Monday) or a rotation day."""

    class_id: int
    day: int
    period: int
    location: str
    enabled: bool


def _grades(size: Size) -> Iterator[tuple[str, int, int, str]]:
    """Programme code, grade, students and campus of each year group, in order."""
    if size == "small":
        yield from (("myp", 7, 24, ""), ("myp", 8, 24, ""), ("igcse", 9, 24, ""), ("igcse", 10, 24, ""))
        return
    spans = {"pyp": range(6), "myp": range(6, 9), "igcse": range(9, 11), "dp": range(11, 13)}
    if size == "school":
        for code, grades in spans.items():
            for grade in grades:
                yield code, grade, 78, ""
        return
    # The district teaches the diploma on one campus: its programme without homeroom stays within 100 classes.
    campuses = ("North", "South", "East", "West")
    younger = [
        (code, grade, campus) for code in ("pyp", "myp", "igcse") for campus in campuses for grade in spans[code]
    ]
    rest, diploma = divmod(10_000 - 2 * 154, len(younger))
    for index, (code, grade, campus) in enumerate(younger):
        yield code, grade, rest + (index < diploma), campus
    for grade in spans["dp"]:
        yield "dp", grade, 154, ""


def year_groups(size: Size) -> tuple[YearGroup, ...]:
    """The year groups of a school of this size, the youngest first."""
    programmes = {programme.code: programme for programme in PROGRAMMES[size]}
    groups = []
    for index, (code, grade, students, campus) in enumerate(_grades(size)):
        programme = programmes[code]
        sections = max(1, round(students / _SECTION_OF))
        # Homerooms are not the classes: where the two are counted alike, a reader may take one for the other.
        homerooms = sections + (index % 2 == 0 if size == "small" else index % 3 == 2)
        label, short = ("Kindergarten", "K") if grade == 0 else (f"Grade {grade}", f"G{grade}")
        groups.append(
            YearGroup(
                index=index,
                id=22_400_000 + 13 * index + 5,
                name=f"{label} {campus}".strip(),
                short_name=f"{short}{campus[:1]}",
                programme=programme,
                grade=label,
                grade_number=grade + 1,
                students=students,
                homerooms=homerooms if programme.keeps_homeroom else 0,
                sections=sections,
                # One year group of the small school belongs to a programme that keeps homeroom, and takes none.
                registers=programme.keeps_homeroom and not (size == "small" and grade == 10),
            )
        )
    return tuple(groups)


def classes_of(groups: tuple[YearGroup, ...], *, size: Size, seed: int) -> tuple[Class, ...]:
    """Every class: one a year group, subject and section."""
    rng = Random(f"{seed}/classes/{size}")
    classes: list[Class] = []
    for group in groups:
        subjects = SUBJECTS[group.programme.code][: 5 if size == "small" else 6]
        level = "K" if group.grade_number == 1 else str(group.grade_number - 1)
        campus = group.name.removeprefix(group.grade)
        for position, subject in enumerate(subjects):
            for section in range(group.sections):
                letter = chr(ord("A") + section) if group.sections > 1 else ""
                classes.append(
                    Class(
                        index=len(classes),
                        id=20_100_000 + 17 * len(classes) + 3,
                        name=f"{subject} {level}{letter}{campus}",
                        year_group=group,
                        subject=subject,
                        section=section,
                        # In the small school a subject meets at once in the whole programme, so that a student may
                        # change to the other year group's class.
                        block=(group.programme.code, 0 if size == "small" else group.index, position),
                        habit=rng.choices(("whole", "exceptions", "rarely"), (88, 8, 4))[0],
                    )
                )
    return tuple(classes)


def timetable(classes: tuple[Class, ...], *, year: int, seed: int) -> list[Slot]:
    """The slots of an academic year; a few are disabled, as they stay behind when a timetable is changed."""
    rng = Random(f"{seed}/timetable/{year}")
    subjects: dict[tuple[str, int], list[list[Class]]] = defaultdict(list)
    for one in classes:
        code, group, position = one.block
        blocks = subjects[code, group]
        if position == len(blocks):
            blocks.append([])
        blocks[position].append(one)
    slots = []
    for (code, _group), blocks in subjects.items():
        programme = blocks[0][0].year_group.programme
        days = range(1, programme.rotation + 1) if programme.rotation else _weekdays(programme)
        cells = [(day, period) for day in days for period in PERIODS.get(code, ALL_PERIODS)]
        rng.shuffle(cells)
        share = len(cells) // len(blocks)
        for position, block in enumerate(blocks):
            for one in block:
                location = f"Room {rng.randrange(101, 340)}"
                mine = sorted(cells[position * share : (position + 1) * share])
                slots += [Slot(one.id, day, period, location, enabled=True) for day, period in mine]
                if rng.random() < 0.12:
                    day, period = rng.choice([cell for cell in cells if cell not in mine])
                    slots.append(Slot(one.id, day, period, location, enabled=False))
    return slots


def _weekdays(programme: Programme) -> list[int]:
    return [day for day in range(1, 8) if day % 7 not in programme.days_off]
