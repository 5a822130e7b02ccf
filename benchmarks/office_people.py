"""What an office asks about single students, lists of them, and numbers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from benchmarks import truth
from benchmarks.asking import Asking, ids_in
from benchmarks.office_today import of_status, peer_day
from benchmarks.office_weeks import active_students, term_of, year_groups
from benchmarks.question import Question, today
from benchmarks.upstream import Upstream

Ids = frozenset[int]


# --- one student's term ---


def _often_absent(school: Upstream) -> tuple[int, str, int, str]:
    """The student with most absences this term whose name is theirs alone."""
    everybody = truth.people(school)
    names = [one.name for one in everybody.values()]
    kept = truth.keepers(school)
    groups = sorted({one.group_id for id, one in everybody.items() if id in kept})
    counts = {id: own.get(0, 0) for group in groups for id, own in truth.term_counts(school, group).items()}
    own = [id for id in counts if names.count(everybody[id].name) == 1]
    id = max(own, key=lambda id: (counts[id], -id))
    return id, everybody[id].name, everybody[id].group_id, everybody[id].program


def _absences(school: Upstream, student: tuple[int, str, int, str]) -> tuple[int, int]:
    """Days absent and days late in this term."""
    counts = truth.term_counts(school, student[2])[student[0]]
    return counts.get(0, 0), sum(counts.get(code, 0) for code in truth.LATE)


async def _ours_term(ask: Asking, student: tuple[int, str, int, str]) -> tuple[int, int]:
    counts = (await ask("get_student_attendance", student=student[1])).get("counts", {})
    return counts.get("Absent", 0), sum(counts.get(label, 0) for label in ("Late", "Tardy", "Late & Dress Code"))


async def _peer_term(ask: Asking, student: tuple[int, str, int, str]) -> tuple[int, int]:
    found = (await ask("listStudents", q=student[1].rpartition(" ")[2], per_page=200))["students"]
    group = next(one["year_group_id"] for one in found if f"{one['first_name']} {one['last_name']}" == student[1])
    await ask("listAcademicYears")
    rows = await ask("getHomeroomTermAttendance", year_group_id=group, term_id=term_of(ask.school, student[3])[0])
    own = next(row["attendance_categories"] for row in rows["students"] if row["id"] == student[0])
    counts = {one["status"]: one["value"] for one in own}
    return counts.get(0, 0), sum(counts.get(code, 0) for code in truth.LATE)


# --- a pasted list of names ---


def _twenty(school: Upstream) -> list[tuple[int, str]]:
    everybody = truth.people(school)
    names = [one.name for one in everybody.values()]
    own = [(id, one.name) for id, one in sorted(everybody.items()) if names.count(one.name) == 1]
    return own[:: max(1, len(own) // 20)][:20]


def _their_ids(_school: Upstream, case: list[tuple[int, str]]) -> Ids:
    return frozenset(id for id, _ in case)


async def _ours_list(ask: Asking, case: list[tuple[int, str]]) -> Ids:
    facts = await ask("find_in_school", names_or_ids=[name for _, name in case], kind="student")
    return frozenset(one["id"] for one in facts.get("found", []))


async def _peer_list(ask: Asking, case: list[tuple[int, str]]) -> Ids:
    wanted = {name for _, name in case}
    students = await active_students(ask)
    return frozenset(id for id, one in students.items() if f"{one['first_name']} {one['last_name']}" in wanted)


# --- yesterday's numbers ---


def _yesterday(school: Upstream) -> str:
    return (school.today.date() - timedelta(days=1)).isoformat()


def _numbers(school: Upstream, day: str) -> dict[str, int]:
    everybody = truth.people(school)
    return _tally(everybody[id].group for id in truth.with_status(school, day, 0))


def _tally(groups: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for group in groups:
        found[group] = found.get(group, 0) + 1
    return found


async def _ours_numbers(ask: Asking, _day: str) -> dict[str, int]:
    facts = await ask("list_absences", date="yesterday")
    if by_group := facts.get("by_group"):
        return {group: counts["absent"] for group, counts in by_group.items() if counts.get("absent")}
    return _tally(
        group
        for section in facts.get("sections", [])
        if section["kind"] == "absent"
        for group, own in section["students"].items()
        for _ in own
    )


async def _peer_numbers(ask: Asking, day: str) -> dict[str, int]:
    everybody = truth.people(ask.school)
    return _tally(everybody[id].group for id in of_status(await peer_day(ask, day), [0]))


# --- adjustments ---


def _adjusted_group(school: Upstream) -> tuple[int, str, int, str]:
    """The year group and current term with most adjustments."""
    row = school.rows(
        "SELECT g.id, g.name, t.id, t.name FROM adjustments a JOIN students s ON s.id = a.student_id"
        " JOIN year_groups g ON g.id = s.year_group_id JOIN terms t ON t.id = a.term_id"
        " WHERE :day BETWEEN t.starts_on AND t.ends_on AND s.archived = 0"
        " GROUP BY 1, 3 ORDER BY count(*) DESC, 1 LIMIT 1", day=today(school))  # fmt: skip
    return row[0]


def _adjustments(school: Upstream, case: tuple[int, str, int, str]) -> frozenset[tuple[int, str, int]]:
    return frozenset(school.rows(
        "SELECT a.student_id, a.name, sum(a.adjustment) FROM adjustments a JOIN students s ON s.id = a.student_id"
        " WHERE s.year_group_id = :id AND a.term_id = :term AND s.archived = 0 GROUP BY 1, 2",
        id=case[0], term=case[2]))  # fmt: skip


async def _ours_adjustments(ask: Asking, case: tuple[int, str, int, str]) -> frozenset[tuple[int, str, int]]:
    facts = await ask("find_in_school", names_or_ids=[case[1], case[3]])
    group = next(id for id in sorted(ids_in(facts)) if id == case[0])
    term = next(id for id in sorted(ids_in(facts)) if id == case[2])
    answered = await ask("get_homeroom_adjustments", year_group_id=group, term_id=term, per_page=200)
    return frozenset(
        (row["id"], label, number) for row in answered.get("adjustments", []) for label, number in row["counts"].items()
    )


async def _peer_adjustments(ask: Asking, case: tuple[int, str, int, str]) -> frozenset[tuple[int, str, int]]:
    await year_groups(ask, keeping=False)
    await ask("listAcademicYears")
    rows = (await ask("getHomeroomTermAdjustments", year_group_id=case[0], term_id=case[2]))["students"]
    students = {one["id"] for one in (await ask("listYearGroupStudents", id=case[0], per_page=200))["students"]
                if not one["archived"]}  # fmt: skip
    found: dict[tuple[int, str], int] = {}
    for row in rows:
        for one in row["attendance_adjustments"] if row["id"] in students else ():
            key = row["id"], one["name"]
            found[key] = found.get(key, 0) + one["adjustment"]
    return frozenset((id, label, number) for (id, label), number in found.items())


QUESTIONS = [
    Question("How often was this child absent and late this term?", _often_absent, _absences, _ours_term, _peer_term),
    Question("Which records are these twenty pasted names?", _twenty, _their_ids, _ours_list, _peer_list, named=True),
    Question("How many were absent yesterday in each year group?", _yesterday, _numbers,
             _ours_numbers, _peer_numbers),
    Question("Whose totals of this term were adjusted by hand, and by how much?", _adjusted_group, _adjustments,
             _ours_adjustments, _peer_adjustments),
]  # fmt: skip
