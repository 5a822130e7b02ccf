"""The invented school's people: families with their children, teachers, who advises and who is in which class."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

from attendance_mcp.sandbox.curriculum import Class, YearGroup, classes_of, year_groups
from attendance_mcp.sandbox.names import Culture, draw_culture, draw_first_name, draw_last_name
from attendance_mcp.sandbox.school_year import Size

DOMAIN = "students.example.org"
BEFORE_THE_YEAR = -1
HARDLY_COMES = 0.92  # the chance of an absence in a week, for a student of whom everybody should know


@dataclass(frozen=True, slots=True)
class Teacher:
    """A teacher."""

    id: int
    first: str
    last: str
    archived: bool


@dataclass(frozen=True, slots=True)
class Parent:
    """A parent."""

    id: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Student:
    """A student with the habits that their marks follow.

    `away` is the chance of an absence in a week and `lengths` the weights of one to five days; most people can be away
    in every third week only (`rhythm`), since few fall ill again at once. `leaves_after` counts days from the start of
    the file's first academic year (None = stays).
    """

    index: int
    id: int
    number: str
    first: str
    last: str
    email: str
    year_group: YearGroup
    homeroom: int | None
    language: str
    parents: tuple[int, ...]
    away: float
    rhythm: int
    lengths: tuple[int, ...]
    leaves_after: int | None


@dataclass(frozen=True, slots=True)
class Move:
    """A student changes from one class to another of the same subject, `after` days into the first academic year."""

    student: Student
    old: Class
    new: Class
    after: int


@dataclass(frozen=True, slots=True)
class Population:
    """Everybody and everything of the school that stays the same whatever the date."""

    size: Size
    seed: int
    year_groups: tuple[YearGroup, ...]
    classes: tuple[Class, ...]
    students: tuple[Student, ...]
    parents: tuple[Parent, ...]
    teachers: tuple[Teacher, ...]
    class_teachers: tuple[tuple[int, int], ...]
    advisors: dict[tuple[int, int], int]  # (year group's index, homeroom) to the teacher's id
    rosters: dict[int, tuple[Student, ...]]  # class id to who begins the year there
    moves: tuple[Move, ...]


@dataclass(slots=True)
class _Family:
    culture: Culture
    last: str
    parents: tuple[Parent, ...]


@lru_cache(maxsize=4)
def population(size: Size, seed: int) -> Population:
    """The people of a school of this size."""
    groups = year_groups(size)
    classes = classes_of(groups, size=size, seed=seed)
    rng = Random(f"{seed}/people/{size}")
    taken: set[tuple[str, str]] = set()
    families, parents = _families(rng, groups=groups)
    students = _students(rng, groups=groups, families=families, taken=taken)
    students = _with_namesakes(rng, students)
    teachers, class_teachers, advisors = _teachers(rng, groups=groups, classes=classes, taken=taken)
    rosters = _rosters(rng, classes=classes, students=students)
    return Population(
        size=size,
        seed=seed,
        year_groups=groups,
        classes=classes,
        students=tuple(students),
        parents=tuple(parents),
        teachers=tuple(teachers),
        class_teachers=tuple(class_teachers),
        advisors=advisors,
        rosters=rosters,
        moves=tuple(_moves(rng, classes=classes, rosters=rosters)),
    )


def _families(rng: Random, *, groups: tuple[YearGroup, ...]) -> tuple[dict[tuple[int, int], _Family], list[Parent]]:
    """A family for each place of a year group; brothers and sisters sit in different year groups."""
    places = [(group.index, place) for group in groups for place in range(group.students)]
    waiting = places[:]
    rng.shuffle(waiting)
    families: dict[tuple[int, int], _Family] = {}
    parents: list[Parent] = []
    parent_names: set[tuple[str, str]] = set()
    while waiting:
        children = [waiting.pop()]
        for _ in range(rng.choices((0, 1, 2), (76, 20, 4))[0]):
            if waiting and waiting[-1][0] not in {group for group, _ in children}:
                children.append(waiting.pop())
        culture = draw_culture(rng)
        last = draw_last_name(rng, culture)
        count = rng.choices((0, 1, 2), (3, 21, 76))[0]
        own = []
        for position in range(count):
            # Many couples keep two surnames, some come from two countries.
            other = draw_culture(rng) if position and rng.random() < 0.2 else culture
            surname = last if not position or rng.random() < 0.5 else draw_last_name(rng, other)
            first, surname = draw_first_name(rng, other, taken=parent_names, last=surname)
            own.append(Parent(id=12_300_000 + 7 * len(parents) + 2, first=first, last=surname))
            parents.append(own[-1])
        family = _Family(culture, last, tuple(own))
        families |= dict.fromkeys(children, family)
    return families, parents


def _students(
    rng: Random, *, groups: tuple[YearGroup, ...], families: dict[tuple[int, int], _Family], taken: set[tuple[str, str]]
) -> list[Student]:
    total = sum(group.students for group in groups)
    # A few are away so often that somebody has to talk to the family; two (at 1,000) hardly come.
    registered = [index for index, group in enumerate(_by_index(groups)) if group.registers]
    hardly = set(rng.sample(registered, max(1, round(total * 0.002))))
    seldom = set(rng.sample(range(total), max(2, round(total * 0.022)))) - hardly
    leavers = rng.sample(sorted(set(range(total)) - hardly - seldom), max(2, round(total * 0.02)))
    leaves = {
        index: BEFORE_THE_YEAR if position % 4 == 0 else rng.randrange(21, 85) for position, index in enumerate(leavers)
    }
    students: list[Student] = []
    for group in groups:
        for place in range(group.students):
            index = len(students)
            family = families[group.index, place]
            first, last = draw_first_name(rng, family.culture, taken=taken, last=family.last)
            number = 10_217 + 3 * index
            away, rhythm, lengths = rng.uniform(0.42, 0.68), 3, (84, 13, 3, 0, 0)
            if index in seldom:
                away, rhythm, lengths = 0.55, 1, (50, 35, 15, 0, 0)
            if index in hardly:
                away, rhythm, lengths = HARDLY_COMES, 1, (25, 40, 25, 10, 0)
            students.append(
                Student(
                    index=index,
                    id=10_400_000 + 11 * index + 4,
                    number=f"S-{number}",
                    first=first,
                    last=last,
                    email=f"{_ascii(first, last) or 'student'}.{number}@{DOMAIN}",
                    year_group=group,
                    homeroom=place * group.homerooms // group.students if group.homerooms else None,
                    language=family.culture.language,
                    parents=tuple(parent.id for parent in family.parents),
                    away=away,
                    rhythm=rhythm,
                    lengths=lengths,
                    leaves_after=leaves.get(index),
                )
            )
    return students


def _by_index(groups: tuple[YearGroup, ...]) -> Iterator[YearGroup]:
    """The year group of each student, in the order of their indexes."""
    for group in groups:
        yield from [group] * group.students


def _ascii(*words: str) -> str:
    plain = unicodedata.normalize("NFKD", ".".join(words)).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain.lower().replace(" ", "-") if letter.isalnum() or letter in ".-").strip(
        ".-"
    )


def _with_namesakes(rng: Random, students: list[Student]) -> list[Student]:
    """Two pairs share a full name: one pair in different year groups, one in the same."""
    by_group = defaultdict(list)
    for student in students:
        if student.leaves_after is None:
            by_group[student.year_group.index].append(student)
    one, two, three = rng.sample(sorted(by_group), 3)
    apart = rng.choice(by_group[one]), rng.choice(by_group[two])
    together = rng.sample(by_group[three], 2)
    for first, second in (apart, together):
        email = f"{_ascii(first.first, first.last) or 'student'}.{second.number.removeprefix('S-')}@{DOMAIN}"
        students[second.index] = replace(second, first=first.first, last=first.last, email=email)
    return students


def _teachers(
    rng: Random, *, groups: tuple[YearGroup, ...], classes: tuple[Class, ...], taken: set[tuple[str, str]]
) -> tuple[list[Teacher], list[tuple[int, int]], dict[tuple[int, int], int]]:
    teachers: list[Teacher] = []

    def engage(*, archived: bool = False) -> Teacher:
        culture = draw_culture(rng)
        first, last = draw_first_name(rng, culture, taken=taken, last=draw_last_name(rng, culture))
        teacher = Teacher(14_200_000 + 19 * len(teachers) + 6, first, last, archived)
        teachers.append(teacher)
        return teacher

    posts: dict[tuple[object, ...], Teacher] = {}
    class_teachers: list[tuple[int, int]] = []
    colleagues: dict[int, list[Teacher]] = defaultdict(list)
    for one in classes:
        group = one.year_group
        # The youngest have one teacher for all subjects; elsewhere one teaches a subject to up to three year groups.
        post = (
            (group.index, one.section)
            if group.programme.code == "pyp"
            else (one.subject, one.section, group.index // 3)
        )
        teacher = posts.get(post) or posts.setdefault(post, engage())
        class_teachers.append((one.id, teacher.id))
        if teacher not in colleagues[group.index]:
            colleagues[group.index].append(teacher)
        if rng.random() < 0.05:
            second = rng.choice(teachers)
            if second is not teacher:
                class_teachers.append((one.id, second.id))
    advisors: dict[tuple[int, int], int] = {}
    for group in groups:
        for homeroom in range(group.homerooms):
            free = [one for one in colleagues[group.index] if one.id not in advisors.values()]
            advisors[group.index, homeroom] = (rng.choice(free) if free else engage()).id
    engage(archived=True)
    engage(archived=True)
    return teachers, class_teachers, advisors


def _rosters(rng: Random, *, classes: tuple[Class, ...], students: list[Student]) -> dict[int, tuple[Student, ...]]:
    """Who begins the year in which class; each subject groups a year anew, except for the youngest."""
    by_group: dict[int, list[Student]] = defaultdict(list)
    for student in students:
        if student.leaves_after != BEFORE_THE_YEAR:
            by_group[student.year_group.index].append(student)
    rosters: dict[int, tuple[Student, ...]] = {}
    order: list[Student] = []
    for one in classes:
        group = one.year_group
        if one.section == 0:
            order = by_group[group.index][:]
            if group.programme.code != "pyp":
                rng.shuffle(order)
        chosen = order[one.section * len(order) // group.sections : (one.section + 1) * len(order) // group.sections]
        rosters[one.id] = tuple(sorted(chosen, key=lambda student: student.id))
    return rosters


def _moves(rng: Random, *, classes: tuple[Class, ...], rosters: dict[int, tuple[Student, ...]]) -> list[Move]:
    """A few students change to another class that meets at the same time."""
    blocks: dict[tuple[str, int, int], list[Class]] = defaultdict(list)
    for one in classes:
        blocks[one.block].append(one)
    swaps = [block for block in blocks.values() if len(block) > 1]
    total = sum(len(roster) for roster in rosters.values())
    moves: dict[int, Move] = {}
    for _ in range(max(2, round(total * 0.0025))):
        old, new = rng.sample(rng.choice(swaps), 2)
        student = rng.choice(rosters[old.id])
        if student.leaves_after is None:
            moves.setdefault(student.id, Move(student, old, new, rng.randrange(24, 80)))
    return list(moves.values())
