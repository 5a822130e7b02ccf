"""What is true of an invented school, by SQL from its database and by no code of the product's."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from benchmarks.upstream import Upstream

# By the codes that the sandbox's schools use and what their profile says of them.
AWAY = {0: "absent", 10: "health", 13: "excused"}
LATE = (2, 4)
PRESENT = (1, 3)
OUT_LABELS = ("Sports", "Fieldtrip", "School event", "House event", "Athletics", "University visit", "Study leave")


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    name: str
    group_id: int
    group: str
    program: str


def people(school: Upstream) -> dict[int, Person]:
    """The students who are not archived."""
    rows = school.rows(
        "SELECT s.id, s.first_name || ' ' || s.last_name, g.id, g.name, g.program_code"
        " FROM students s JOIN year_groups g ON g.id = s.year_group_id WHERE s.archived = 0"
    )
    return {row[0]: Person(*row) for row in rows}


def keeping(school: Upstream, day: str) -> set[int]:
    """The year groups that keep homeroom: those with any record of it in the term that holds the day."""
    rows = school.rows(
        "SELECT DISTINCT g.id FROM homeroom_marks m JOIN students s ON s.id = m.student_id"
        " JOIN year_groups g ON g.id = s.year_group_id JOIN academic_years y ON y.program_code = g.program_code"
        " JOIN terms t ON t.academic_year_id = y.id AND :day BETWEEN t.starts_on AND t.ends_on"
        " WHERE m.status >= 0 AND m.date BETWEEN t.starts_on AND t.ends_on", day=day)  # fmt: skip
    return {row[0] for row in rows}


def statuses(school: Upstream, day: str) -> dict[int, int]:
    """Each marked student's status on a day: from homeroom, or from the classes where a year group keeps none.

    From classes: away where they were away from every taken one, else the first mark that isn't away.
    """
    kept, everybody = keeping(school, day), people(school)
    homeroom = school.rows("SELECT student_id, status FROM homeroom_marks WHERE date = :day AND status >= 0", day=day)
    found = {id: status for id, status in homeroom if id in everybody and everybody[id].group_id in kept}
    marks: dict[int, list[int]] = defaultdict(list)
    for id, status, program in school.rows(
        "SELECT m.student_id, m.status, c.program_code FROM class_marks m JOIN classes c ON c.id = m.class_id"
        " WHERE m.date = :day AND m.status >= 0 ORDER BY m.period, c.id", day=day):  # fmt: skip
        if id in everybody and everybody[id].group_id not in kept and everybody[id].program == program:
            marks[id].append(status)
    for id, own in marks.items():
        found[id] = next((status for status in own if status not in AWAY), own[0])
    return found


def keepers(school: Upstream) -> set[int]:
    """The students whose year group keeps homeroom today."""
    kept = keeping(school, school.today.date().isoformat())
    return {id for id, one in people(school).items() if one.group_id in kept}


def covered(school: Upstream, day: str) -> set[int]:
    """Whom an excusal covers on a day."""
    return {row[0] for row in school.rows(
        "SELECT student_id FROM excusals WHERE :day BETWEEN start_date AND end_date", day=day)}  # fmt: skip


def with_status(school: Upstream, day: str, *codes: int) -> frozenset[int]:
    return frozenset(id for id, status in statuses(school, day).items() if status in codes)


def unexplained(school: Upstream, day: str) -> frozenset[int]:
    """Absent, and no excusal covers the day."""
    return with_status(school, day, 0) - covered(school, day)


def out(school: Upstream, day: str) -> frozenset[int]:
    """On school business, by the label of the programme and year."""
    labels = {
        (program, status)
        for program, status, label in school.rows(
            "SELECT y.program_code, c.status, c.label FROM categories c JOIN academic_years y"
            " ON y.id = c.academic_year_id WHERE :day BETWEEN y.starts_on AND y.ends_on", day=day)
        if label in OUT_LABELS
    }  # fmt: skip
    everybody = people(school)
    return frozenset(id for id, status in statuses(school, day).items() if (everybody[id].program, status) in labels)


def families(school: Upstream) -> list[set[int]]:
    """The children of each parent."""
    of_parent: dict[int, set[int]] = defaultdict(set)
    for parent, child in school.rows("SELECT parent_id, student_id FROM child_links"):
        of_parent[parent].add(child)
    return list(of_parent.values())


def school_days(school: Upstream, program: str, start: str, end: str) -> list[str]:
    return [row[0] for row in school.rows(
        "SELECT date FROM school_days WHERE program_code = :program AND date BETWEEN :start AND :end ORDER BY date",
        program=program, start=start, end=end)]  # fmt: skip


def runs(school: Upstream, start: str, end: str, *, at_least: int) -> frozenset[int]:
    """Who was away so many school days in a row; a day that was not taken neither breaks nor lengthens a run."""
    marks: dict[int, dict[str, int]] = defaultdict(dict)
    for id, day, status in school.rows(
        "SELECT student_id, date, status FROM homeroom_marks WHERE date BETWEEN :start AND :end AND status >= 0",
        start=start, end=end):  # fmt: skip
        marks[id][day] = status
    found = set()
    for id in keepers(school):
        longest = run = 0
        for day in sorted(marks[id]):
            run = run + 1 if marks[id][day] in AWAY else 0
            longest = max(longest, run)
        if longest >= at_least:
            found.add(id)
    return frozenset(found)


def term_counts(school: Upstream, group_id: int) -> dict[int, dict[int, int]]:
    """Homeroom marks of the current term up to today, by student and status, of those who are not archived."""
    counts: dict[int, dict[int, int]] = {id: {} for id, one in people(school).items() if one.group_id == group_id}
    for id, status, number in school.rows(
        "SELECT m.student_id, m.status, count(*) FROM homeroom_marks m JOIN students s ON s.id = m.student_id"
        " JOIN year_groups g ON g.id = s.year_group_id JOIN academic_years y ON y.program_code = g.program_code"
        " JOIN terms t ON t.academic_year_id = y.id AND :day BETWEEN t.starts_on AND t.ends_on"
        " WHERE g.id = :id AND s.archived = 0 AND m.status >= 0 AND m.date BETWEEN t.starts_on AND :day GROUP BY 1, 2",
        id=group_id, day=school.today.date().isoformat()):  # fmt: skip
        counts[id][status] = number
    return counts
