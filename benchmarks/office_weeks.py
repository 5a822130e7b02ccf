"""What an office asks about weeks and terms."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from benchmarks import truth
from benchmarks.asking import Asking, ids_in, in_sections, names_in
from benchmarks.office_today import of_status, peer_day
from benchmarks.question import Question, today
from benchmarks.upstream import Upstream

Ids = frozenset[int]
ABOUT = Fraction(9, 10)
ATTENDED = (1, 2, 3, 4, 5, 11, 12)


async def year_groups(ask: Asking, *, keeping: bool = True) -> list[dict[str, Any]]:
    """The year groups; those that keep homeroom are known to somebody who has asked before."""
    kept = truth.keeping(ask.school, today(ask.school))
    listed: list[dict[str, Any]] = (await ask("listYearGroups", per_page=200))["year_groups"]
    return [one for one in listed if not keeping or one["id"] in kept]


async def active_students(ask: Asking) -> dict[int, dict[str, Any]]:
    return {one["id"]: one for one in await ask.everything("listStudents", "students") if not one["archived"]}


def _span(start: str, end: str) -> list[str]:
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    return [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]


# --- three days in a row, in the days since last Wednesday ---


def _since_wednesday(school: Upstream) -> tuple[str, str]:
    return "2026-11-18", today(school)


def _three_in_a_row(school: Upstream, span: tuple[str, str]) -> Ids:
    return truth.runs(school, *span, at_least=3)


async def _ours_in_a_row(ask: Asking, span: tuple[str, str]) -> Ids:
    facts = await ask("list_absences", start_date=span[0], end_date=span[1])
    return frozenset(row["id"] for row in facts.get("rows", []) if row.get("longest", 0) >= 3)


async def _peer_in_a_row(ask: Asking, span: tuple[str, str]) -> Ids:
    groups = await year_groups(ask)
    days = _span(*span)
    marks = await ask.homeroom(days, [one["id"] for one in groups])
    found = set()
    for id in await active_students(ask):
        longest = run = 0
        for day in days:
            if (status := marks.get((day, id), -1)) >= 0:
                run = run + 1 if status in truth.AWAY else 0
                longest = max(longest, run)
        if longest >= 3:
            found.add(id)
    return frozenset(found)


# --- unexcused this week ---


def _this_week(school: Upstream) -> tuple[str, str]:
    """From Sunday: one programme's week begins then."""
    day = school.today.date()
    return (day - timedelta(days=(day.weekday() + 1) % 7)).isoformat(), day.isoformat()


def _unexcused(school: Upstream, span: tuple[str, str]) -> frozenset[tuple[int, str]]:
    kept = truth.keepers(school)
    return frozenset((id, day[5:]) for day in _span(*span) for id in truth.unexplained(school, day) & kept)


async def _ours_unexcused(ask: Asking, span: tuple[str, str]) -> frozenset[tuple[int, str]]:
    facts = await ask("list_absences", start_date=span[0], end_date=span[1], unexplained_only=True)
    return frozenset(
        (row["id"], day.split()[-1]) for row in facts.get("rows", []) for days in row["days"].values() for day in days
    )


async def _peer_unexcused(ask: Asking, span: tuple[str, str]) -> frozenset[tuple[int, str]]:
    groups = await year_groups(ask)
    marks = await ask.homeroom(_span(*span), [one["id"] for one in groups])
    covered = {day: {one["student_id"] for one in await ask.everything("listExcusalsOnDate", "excusals", date=day)}
               for day in _span(*span)}  # fmt: skip
    active = await active_students(ask)
    return frozenset(
        (id, day[5:]) for (day, id), status in marks.items() if status == 0 and id in active and id not in covered[day]
    )


# --- below 90 % this term ---


def _group_of_the_term(school: Upstream) -> tuple[int, str, str]:
    """The year group with homeroom that has most marks this term: a term that has just begun tells little."""
    kept = truth.keepers(school)
    groups = {(one.group_id, one.group, one.program) for id, one in truth.people(school).items() if id in kept}
    return max(sorted(groups), key=lambda group: sum(
        number for counts in truth.term_counts(school, group[0]).values() for number in counts.values()))  # fmt: skip


def term_of(school: Upstream, program: str) -> tuple[int, str, str]:
    row = school.rows(
        "SELECT t.id, t.name, t.starts_on FROM terms t JOIN academic_years y ON y.id = t.academic_year_id"
        " WHERE y.program_code = :program AND :day BETWEEN t.starts_on AND t.ends_on",
        program=program, day=today(school))  # fmt: skip
    return row[0]


Below = tuple[Ids, int]
"""Who is below however the days turn out that nobody marked, and how many are below only if they count as away."""


def _sides(counts: dict[int, dict[int, int]], school_days: int) -> Below:
    """Fewer than ten counted days are in neither."""
    below, open_ = set(), 0
    for id, own in counts.items():
        attended = sum(own.get(code, 0) for code in ATTENDED)
        possible = attended + sum(own.get(code, 0) for code in truth.AWAY)
        if possible < 10:
            continue
        unmarked = max(0, school_days - sum(own.values()))
        if Fraction(attended + unmarked, possible + unmarked) < ABOUT:
            below.add(id)
        elif Fraction(attended, possible + unmarked) < ABOUT:
            open_ += 1
    return frozenset(below), open_


def _below(school: Upstream, group: tuple[int, str, str]) -> Below:
    days = len(truth.school_days(school, group[2], term_of(school, group[2])[2], today(school)))
    return _sides(truth.term_counts(school, group[0]), days)


async def _ours_below(ask: Asking, group: tuple[int, str, str]) -> Below:
    facts = await ask("list_attendance_concerns", group=group[1], threshold=90)
    return ids_in(facts.get("below", [])), facts["counts"].get("open", 0)


async def _peer_below(ask: Asking, group: tuple[int, str, str]) -> Below:
    """Totals of the term, the calendar for the days that nobody marked, and who is archived."""
    await year_groups(ask)
    years = (await ask("listAcademicYears"))["academic_years"]
    term, _, starts = term_of(ask.school, group[2])
    year = next(year["id"] for own in years.values() for year in own["academic_years"]
                if term in [one["id"] for one in year["academic_terms"]])  # fmt: skip
    calendar = (await ask("getAcademicYearCalendar", program_code=group[2], id=year))["calendar"]["dates"]
    days = sum(starts <= one["date"] <= today(ask.school) for one in calendar)
    totals = (await ask("getHomeroomTermAttendance", year_group_id=group[0], term_id=term))["students"]
    await ask("listYearGroupStudents", id=group[0], per_page=200)
    counts = {row["id"]: {one["status"]: one["value"] for one in row["attendance_categories"] if one["status"] >= 0}
              for row in totals}  # fmt: skip
    return _sides(counts, days)


# --- homeroom against the classes ---


def _most_contradicting(school: Upstream) -> tuple[int, str, str]:
    kept = truth.keepers(school)
    groups = sorted({(one.group_id, one.group, one.program) for id, one in truth.people(school).items() if id in kept})
    return max(groups, key=lambda group: (len(_contradicting(school, group)), -group[0]))


def _contradicting(school: Upstream, group: tuple[int, str, str]) -> frozenset[str]:
    """Absent in homeroom and seen in a class, or present there and absent from every taken class."""
    rows = school.rows(
        "SELECT s.id, h.status, sum(m.status IN (1, 2, 3, 4, 5)), sum(m.status = 0), count(*)"
        " FROM students s JOIN homeroom_marks h ON h.student_id = s.id AND h.date = :day"
        " JOIN class_marks m ON m.student_id = s.id AND m.date = :day AND m.status >= 0"
        " WHERE s.year_group_id = :id AND s.archived = 0 GROUP BY 1", id=group[0], day=today(school))  # fmt: skip
    everybody = truth.people(school)
    return frozenset(
        everybody[id].name
        for id, homeroom, seen, absent, taken in rows
        if (homeroom == 0 and seen) or (homeroom in (1, 2, 3, 4) and absent == taken)
    )


_CLASH = ("absent in homeroom", "present in homeroom, absent from every class")


async def _ours_contradicting(ask: Asking, group: tuple[int, str, str]) -> frozenset[str]:
    """The students of the two kinds that are asked about, wherever the answer holds them."""
    facts = await ask("reconcile_homeroom", group=group[1])
    return names_in(list(_parts(facts)), ask.school)


def _parts(value: Any) -> Iterable[Any]:
    """The parts of the structure that one of the two kinds heads."""
    if isinstance(value, dict):
        if any(isinstance(own, str) and own.startswith(_CLASH) for own in value.values()):
            yield value
            return
        for key, own in value.items():
            if key.startswith(_CLASH):
                yield own
            else:
                yield from _parts(own)
    elif isinstance(value, list):
        for own in value:
            yield from _parts(own)


async def _peer_contradicting(ask: Asking, group: tuple[int, str, str]) -> frozenset[str]:
    """The classes of a year group stand nowhere: memberships of its students tell them."""
    listed = await year_groups(ask)
    students = next(one["student_ids"] for one in listed if one["id"] == group[0])
    homeroom = {id: status for (_, id), status in (await ask.homeroom([today(ask.school)], [group[0]])).items()}
    members = await ask.everything("listMemberships", "memberships", **{"user_ids[]": students})
    classes = sorted({one["class_id"] for one in members})
    read = await ask.all(("getClassDateAttendance", {"id": id, "date": today(ask.school)}) for id in classes)
    marks: dict[int, list[int]] = {}
    for answered in read:
        for row in answered["students"]:
            for mark in (row.get("attendance") or {}).values():
                if mark["category"]["status"] >= 0:
                    marks.setdefault(row["id"], []).append(mark["category"]["status"])
    names = {id: f"{one['first_name']} {one['last_name']}" for id, one in (await active_students(ask)).items()}
    return frozenset(
        names[id]
        for id, own in marks.items()
        if id in names and id in students
        and ((homeroom.get(id) == 0 and any(status in (1, 2, 3, 4, 5) for status in own))
             or (homeroom.get(id) in (1, 2, 3, 4) and all(status == 0 for status in own)))
    )  # fmt: skip


# --- a holiday in one programme only ---


def _holiday_of_one(school: Upstream) -> str:
    """The last weekday before today on which one programme alone has no school."""
    return str(school.one(
        "SELECT date FROM school_days WHERE strftime('%w', date) IN ('1', '2', '3', '4') AND date < :day"
        " GROUP BY date HAVING count(*) = (SELECT count(*) - 1 FROM programs) ORDER BY date DESC LIMIT 1",
        day=today(school)))  # fmt: skip


Holiday = tuple[Ids, frozenset[str], bool]
"""Who was absent, which year groups had no school, and whether a register of theirs is called missing (it is not)."""


def _absent_and_off(school: Upstream, day: str) -> Holiday:
    groups = school.rows("SELECT g.name FROM year_groups g WHERE NOT EXISTS (SELECT 1 FROM school_days d"
                         " WHERE d.program_code = g.program_code AND d.date = :day)", day=day)  # fmt: skip
    return truth.with_status(school, day, 0), frozenset(row[0] for row in groups), False


async def _ours_holiday(ask: Asking, day: str) -> Holiday:
    facts = await ask("list_absences", date=day)
    off = " ".join(line for line in ask.said[-1].splitlines() if line.startswith("No school for"))
    names = [row[0] for row in ask.school.rows("SELECT name FROM year_groups")]
    groups = frozenset(name for name in names if f"{name}," in off or f"{name} on" in off)
    missing = any(register.startswith(f"{name} ") for register in facts.get("not_taken", []) for name in groups)
    return in_sections(facts, "absent"), groups, missing


async def _peer_holiday(ask: Asking, day: str) -> Holiday:
    found = await peer_day(ask, day)
    years = (await ask("listAcademicYears"))["academic_years"]
    codes = {row[0]: row[1] for row in ask.school.rows("SELECT key, code FROM programs")}
    off = set()
    for key, own in years.items():
        year = next(year for year in own["academic_years"] if year["starts_on"] <= day <= year["ends_on"])
        calendar = (await ask("getAcademicYearCalendar", program_code=codes[key], id=year["id"]))["calendar"]["dates"]
        if day not in {one["date"] for one in calendar}:
            off.add(codes[key])
    groups = await year_groups(ask, keeping=False)
    return of_status(found, [0]), frozenset(one["name"] for one in groups if one["program_code"] in off), False


QUESTIONS = [
    Question("Who was away three school days in a row?", _since_wednesday, _three_in_a_row,
             _ours_in_a_row, _peer_in_a_row, named=True),
    Question("Who is absent without an excusal this week, and on which days?", _this_week, _unexcused,
             _ours_unexcused, _peer_unexcused),
    Question("Who of this year group is below 90 % this term?", _group_of_the_term, _below,
             _ours_below, _peer_below),
    Question("Which homeroom marks of this year group contradict the classes?", _most_contradicting, _contradicting,
             _ours_contradicting, _peer_contradicting),
    Question("Who was absent on the day on which one programme had a holiday?", _holiday_of_one, _absent_and_off,
             _ours_holiday, _peer_holiday),
]  # fmt: skip
