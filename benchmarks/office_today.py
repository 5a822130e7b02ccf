"""What an office asks in the morning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from benchmarks import truth
from benchmarks.asking import Asking, in_sections
from benchmarks.question import Question, today
from benchmarks.upstream import Upstream

Ids = frozenset[int]
AWAY = tuple(truth.AWAY)


# --- the whole school's day from the generated server's records ---


async def peer_day(ask: Asking, day: str, *, program: str = "", group: int = 0) -> dict[int, int]:
    """Every student's status, as somebody works it out who knows that a group without homeroom needs its classes."""
    groups = [
        one
        for one in (await ask("listYearGroups", per_page=200))["year_groups"]
        if program in ("", one["program_code"]) and group in (0, one["id"])
    ]
    marks = await ask.homeroom([day], [one["id"] for one in groups])
    found = {id: status for (_, id), status in marks.items() if status >= 0}
    unmarked = [one for one in groups if not found.keys() & set(one["student_ids"])]
    without = await _without_homeroom_record(ask, day, unmarked)
    for code in sorted({one["program_code"] for one in without}):
        students = {id for one in without if one["program_code"] == code for id in one["student_ids"]}
        for id, own in (await ask.classes(day, code)).items():
            taken = [status for _, status in own if status >= 0]
            if taken and id in students:
                found[id] = next((status for status in taken if status not in AWAY), taken[0])
    return await _without_archived(ask, found)


async def _without_homeroom_record(ask: Asking, day: str, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of the groups that nobody marked that day, those with no record in the whole term."""
    if not groups:
        return []
    await ask("listAcademicYears")
    terms = dict(ask.school.rows("SELECT y.program_code, t.id FROM terms t JOIN academic_years y"
                                 " ON y.id = t.academic_year_id WHERE :day BETWEEN t.starts_on AND t.ends_on",
                                 day=day))  # fmt: skip
    totals = await ask.all(
        ("getHomeroomTermAttendance", {"year_group_id": one["id"], "term_id": terms[one["program_code"]]})
        for one in groups
    )
    return [
        one
        for one, answered in zip(groups, totals, strict=True)
        if not any(row["status"] >= 0 for student in answered["students"] for row in student["attendance_categories"])
    ]


async def _without_archived(ask: Asking, found: dict[int, int]) -> dict[int, int]:
    """The listing that names the students also tells who is archived."""
    listed = await ask.everything("listStudents", "students")
    active = {one["id"] for one in listed if not one["archived"]}
    return {id: status for id, status in found.items() if id in active}


async def peer_covered(ask: Asking, day: str) -> set[int]:
    return {one["student_id"] for one in await ask.everything("listExcusalsOnDate", "excusals", date=day)}


def of_status(found: dict[int, int], codes: Iterable[int]) -> Ids:
    wanted = set(codes)
    return frozenset(id for id, status in found.items() if status in wanted)


# --- at 08:40 nothing is known yet, and that is the answer ---


def _nothing_yet(school: Upstream, day: str) -> tuple[int, int]:
    marked = truth.statuses(school, day)
    return len(truth.with_status(school, day, 0)), len(truth.people(school)) - len(marked)


async def _ours_at_0840(ask: Asking, _day: str) -> tuple[int, int]:
    counts = (await ask("list_absences", unexplained_only=True))["counts"]
    return counts.get("absent", 0), counts.get("not taken", 0)


async def _peer_at_0840(ask: Asking, day: str) -> tuple[int, int]:
    found = await peer_day(ask, day)
    await peer_covered(ask, day)
    return len(of_status(found, [0])), len(truth.people(ask.school)) - len(found)


# --- from the day's list ---


async def _ours_unexplained(ask: Asking, _day: str) -> Ids:
    return in_sections(await ask("list_absences", unexplained_only=True), "absent")


async def _peer_unexplained(ask: Asking, day: str) -> Ids:
    return of_status(await peer_day(ask, day), [0]) - await peer_covered(ask, day)


def _most_late(school: Upstream) -> tuple[int, str]:
    """The year group with most students late today."""
    everybody = truth.people(school)
    late = [everybody[id] for id in truth.with_status(school, today(school), *truth.LATE)]
    groups = sorted({(one.group_id, one.group) for one in everybody.values()})
    return max(groups, key=lambda group: (sum(one.group_id == group[0] for one in late), -group[0]))


def _late_of(school: Upstream, group: tuple[int, str]) -> Ids:
    everybody = truth.people(school)
    late = truth.with_status(school, today(school), *truth.LATE)
    return frozenset(id for id in late if everybody[id].group_id == group[0])


async def _ours_late(ask: Asking, group: tuple[int, str]) -> Ids:
    return in_sections(await ask("list_absences", group=group[1]), "late")


async def _peer_late(ask: Asking, group: tuple[int, str]) -> Ids:
    return of_status(await peer_day(ask, today(ask.school), group=group[0]), truth.LATE)


async def _ours_out(ask: Asking, _day: str) -> Ids:
    return in_sections(await ask("list_absences"), "out")


async def _peer_out(ask: Asking, day: str) -> Ids:
    """Which labels mean a trip, only the school knows; this takes what the person would take."""
    found = await peer_day(ask, day)
    return of_status(found, (11, 12)) | (truth.out(ask.school, day) & of_status(found, (15, 16, 17, 18)))


def _present_but_excused(school: Upstream, day: str) -> frozenset[str]:
    everybody = truth.people(school)
    here = truth.with_status(school, day, 1) | _present_by_label(school, day)
    return frozenset(everybody[id].name for id in here & truth.covered(school, day))


def _present_by_label(school: Upstream, day: str) -> Ids:
    """Code 3 counts as present under each label that these schools give it; Mock exam is 16."""
    return truth.with_status(school, day, 3) | frozenset(
        id for id in truth.with_status(school, day, 16) if truth.people(school)[id].program == "igcse"
    )


async def _ours_present_but_excused(ask: Asking, _day: str) -> frozenset[str]:
    return frozenset((await ask("list_absences")).get("present_with_excusal", []))


async def _peer_present_but_excused(ask: Asking, day: str) -> frozenset[str]:
    found = await peer_day(ask, day)
    here = of_status(found, (1, 3)) | (_present_by_label(ask.school, day) & of_status(found, [16]))
    everybody = truth.people(ask.school)
    return frozenset(everybody[id].name for id in here & await peer_covered(ask, day))


# --- one child ---


def _excused_child(school: Upstream) -> tuple[int, str]:
    """A student whose name is theirs alone and whom an excusal covers today."""
    everybody = truth.people(school)
    names = [one.name for one in everybody.values()]
    own = sorted(id for id in truth.covered(school, today(school)) if id in everybody)
    id = next(id for id in own if names.count(everybody[id].name) == 1)
    return id, everybody[id].name


def _days_of_excusal(school: Upstream, child: tuple[int, str]) -> list[tuple[str, str]]:
    rows = school.rows("SELECT start_date, end_date FROM excusals WHERE student_id = :id"
                       " AND :day BETWEEN start_date AND end_date", id=child[0], day=today(school))  # fmt: skip
    return sorted((row[0], row[1]) for row in rows)


async def _ours_excused(ask: Asking, child: tuple[int, str]) -> list[tuple[str, str]]:
    found = (await ask("find_in_school", names_or_ids=[child[1]]))["found"]
    facts = await ask("list_student_excusals", student_id=found[0]["id"], applies_on="today")
    return sorted((one["start"], one["end"]) for one in facts.get("excusals", []))


async def _peer_excused(ask: Asking, child: tuple[int, str]) -> list[tuple[str, str]]:
    name = child[1].rpartition(" ")[2]  # `q` is a part of the first or the last name
    found = (await ask("listStudents", q=name, per_page=200))["students"]
    ids = [one["id"] for one in found if f"{one['first_name']} {one['last_name']}" == child[1]]
    facts = await ask("listStudentExcusals", student_id=ids[0], applies_on=today(ask.school))
    return sorted((one["start_date"], one["end_date"]) for one in facts["excusals"])


# --- registers ---


def _untaken(school: Upstream, day: str) -> frozenset[tuple[str, str]]:
    """Homerooms (year group, advisor) of which nobody is marked, where there is school."""
    kept = truth.keeping(school, day)
    rows = school.rows(
        "SELECT g.id, g.name, t.first_name || ' ' || t.last_name FROM students s"
        " JOIN year_groups g ON g.id = s.year_group_id"
        " JOIN school_days d ON d.program_code = g.program_code AND d.date = :day"
        " JOIN teachers t ON t.id = s.homeroom_advisor_id"
        " LEFT JOIN homeroom_marks m ON m.student_id = s.id AND m.date = :day AND m.status >= 0"
        " WHERE s.archived = 0 GROUP BY g.id, t.id HAVING count(m.student_id) = 0",
        day=day,
    )
    return frozenset((name, advisor) for group, name, advisor in rows if group in kept)


async def _ours_untaken(ask: Asking, _day: str) -> frozenset[tuple[str, str]]:
    """Of the registers that are missing those without a mark, which the text and the structure must tell alike."""
    facts = await ask("list_missing_registers")
    found = frozenset((row["of"], row["whose"]) for row in facts.get("missing", []) if row.get("marked") == 0)
    lines = [line for line in ask.said[-1].splitlines() if "not taken" in line]
    said = frozenset((of, whose) for of, whose in found if any(line.startswith(f"{of}, {whose}:") for line in lines))
    if said != found:
        raise RuntimeError("the text leaves out registers")
    return found


async def _peer_untaken(ask: Asking, day: str) -> frozenset[tuple[str, str]]:
    groups = (await ask("listYearGroups", per_page=200))["year_groups"]
    marks = await ask.homeroom([day], [one["id"] for one in groups])
    taken = {id for (_, id), status in marks.items() if status >= 0}
    teachers = {one["id"]: f"{one['first_name']} {one['last_name']}" for one in await ask.everything(
        "listTeachers", "teachers")}  # fmt: skip
    unmarked = [one for one in groups if not taken & set(one["student_ids"])]
    without = {one["id"] for one in await _without_homeroom_record(ask, day, unmarked)}
    names = {one["id"]: one["name"] for one in groups if one["id"] not in without}
    registers: dict[tuple[str, str], bool] = {}
    for one in await ask.everything("listStudents", "students"):
        if not one["archived"] and one["year_group_id"] in names and one.get("homeroom_advisor_id"):
            key = names[one["year_group_id"]], teachers[one["homeroom_advisor_id"]]
            registers[key] = registers.get(key, False) or one["id"] in taken
    return frozenset(key for key, any_mark in registers.items() if not any_mark)


# --- a programme without homeroom ---


def _without_homeroom(school: Upstream) -> tuple[str, str]:
    """The programme that keeps none; a small school has none such, so there the last."""
    rows: Sequence[tuple[str, str]] = school.rows("SELECT code, name FROM programs ORDER BY keeps_homeroom, code DESC")
    return rows[0]


def _absent_of(school: Upstream, program: tuple[str, str]) -> Ids:
    everybody = truth.people(school)
    return frozenset(id for id in truth.with_status(school, today(school), 0) if everybody[id].program == program[0])


async def _ours_absent_of(ask: Asking, program: tuple[str, str]) -> Ids:
    return in_sections(await ask("list_absences", group=program[1]), "absent")


async def _peer_absent_of(ask: Asking, program: tuple[str, str]) -> Ids:
    return of_status(await peer_day(ask, today(ask.school), program=program[0]), [0])


# --- siblings ---


def _families_away(school: Upstream, day: str) -> frozenset[frozenset[str]]:
    everybody = truth.people(school)
    away = truth.with_status(school, day, *AWAY)
    return frozenset(
        frozenset(everybody[id].name for id in own & away) for own in truth.families(school) if len(own & away) > 1
    )


async def _ours_families(ask: Asking, _day: str) -> frozenset[frozenset[str]]:
    return frozenset(frozenset(family) for family in (await ask("list_absences")).get("siblings", []))


async def _peer_families(ask: Asking, day: str) -> frozenset[frozenset[str]]:
    away = of_status(await peer_day(ask, day), AWAY)
    everybody = truth.people(ask.school)
    parents = await ask.everything("listParents", "parents")
    families = [set(one["child_ids"]) & away for one in parents]
    return frozenset(frozenset(everybody[id].name for id in own) for own in families if len(own) > 1)


# --- one period of one class ---


def _class_with_absences(school: Upstream) -> tuple[int, str, int]:
    """The class and period with most absences today, of those whose name is theirs alone."""
    row = school.rows(
        "SELECT c.id, c.name, m.period FROM class_marks m JOIN classes c ON c.id = m.class_id"
        " WHERE m.date = :day AND (SELECT count(*) FROM classes o WHERE o.name = c.name) = 1"
        " GROUP BY 1, 3 ORDER BY sum(m.status = 0) DESC, 1, 3 LIMIT 1", day=today(school))  # fmt: skip
    return row[0]


def _absent_in_class(school: Upstream, case: tuple[int, str, int]) -> Ids:
    rows = school.rows("SELECT student_id FROM class_marks WHERE class_id = :id AND period = :period AND date = :day"
                       " AND status = 0", id=case[0], period=case[2], day=today(school))  # fmt: skip
    return frozenset(row[0] for row in rows)


async def _ours_in_class(ask: Asking, case: tuple[int, str, int]) -> Ids:
    found = (await ask("find_in_school", names_or_ids=[case[1]], kind="class"))["found"]
    facts = await ask("get_class_attendance", class_id=found[0]["id"])
    return frozenset(row["id"] for row in facts.get("marks", []) if case[2] in row["marks"].get("Absent", []))


async def _peer_in_class(ask: Asking, case: tuple[int, str, int]) -> Ids:
    listed = await ask.everything("listClasses", "classes")
    id = next(one["id"] for one in listed if one["name"] == case[1])
    marks = (await ask("getClassDateAttendance", id=id, date=today(ask.school)))["students"]
    absent = [row["id"] for row in marks
              if _status(row, case[2]) == 0]  # fmt: skip
    await ask.everything("listStudents", "students")
    return frozenset(absent)


def _status(row: dict[str, Any], period: int) -> int | None:
    mark = (row.get("attendance") or {}).get(str(period))
    return mark["category"]["status"] if mark else None


def _tomorrow(school: Upstream) -> str:
    return (school.today.date() + timedelta(days=1)).isoformat()


def _covered_on(school: Upstream, day: str) -> Ids:
    return frozenset(truth.covered(school, day))


async def _ours_tomorrow(ask: Asking, _day: str) -> Ids:
    facts = await ask("list_excusals", date="tomorrow")
    return frozenset(one["student_id"] for one in facts.get("excusals", []))


async def _peer_tomorrow(ask: Asking, day: str) -> Ids:
    covered = await peer_covered(ask, day)
    await ask.everything("listStudents", "students")
    return frozenset(covered)


QUESTIONS = [
    Question("Who is missing and unexplained? (08:40, no register due yet)", today, _nothing_yet,
             _ours_at_0840, _peer_at_0840, at_0840=True),
    Question("Who is absent without an excusal now? (10:30)", today, truth.unexplained,
             _ours_unexplained, _peer_unexplained, named=True),
    Question("Which homeroom registers are missing?", today, _untaken, _ours_untaken, _peer_untaken),
    Question("Is this child excused today, and until when?", _excused_child, _days_of_excusal,
             _ours_excused, _peer_excused),
    Question("Who came late in this year group today?", _most_late, _late_of, _ours_late, _peer_late, named=True),
    Question("Who is out on school business today?", today, truth.out, _ours_out, _peer_out, named=True),
    Question("Who is marked present though a parent excused them?", today, _present_but_excused,
             _ours_present_but_excused, _peer_present_but_excused),
    Question("Who is absent in the programme without homeroom?", _without_homeroom, _absent_of,
             _ours_absent_of, _peer_absent_of, named=True),
    Question("Which brothers and sisters are away together today?", today, _families_away,
             _ours_families, _peer_families),
    Question("Who missed this period of this class today?", _class_with_absences, _absent_in_class,
             _ours_in_class, _peer_in_class, named=True),
    Question("Whom have parents excused for tomorrow?", _tomorrow, _covered_on,
             _ours_tomorrow, _peer_tomorrow, named=True),
]  # fmt: skip
