"""Records cut to numbers of students that no size of the sandbox has, and the digests' answers on them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from random import Random

from attendance_mcp.digest.absences import Absences, StudentDay, day_absences
from attendance_mcp.digest.concerns import Concerns, Counted, Evidence, Track, concerns
from attendance_mcp.digest.day import ClassDay, StudentMark, class_day
from attendance_mcp.digest.facts import Facts
from attendance_mcp.digest.reconcile import Checked, Reconciled, TaughtClass, reconciled
from attendance_mcp.rules.contradictions import Mark
from attendance_mcp.rules.contradictions import StudentDay as DayOfStudent
from attendance_mcp.rules.labels import Label, Labels
from attendance_mcp.rules.rates import Rate, RateRule, rate_of, rule_text
from attendance_mcp.school.clock import spoken
from attendance_mcp.status import Kind
from benchmarks import truth
from benchmarks.upstream import Upstream

ABSENT, PRESENT, LATE, OUT = 0, 1, 2, 11
DAY_OF_600 = (700, 1_000)
CLASS_OF_120 = (1_600, 3_000)
CONCERNS_OF_100 = (400, 800)
RECONCILED_100 = (800, 1_600)
PROGRAM, EXCUSED = "myp", 13


def answers(school: Upstream) -> Iterator[tuple[str, Facts, tuple[int, int]]]:
    """Each answer that the budgets name for such a number, with its budget."""
    yield "list_absences, 600 students: 5 % absent, 3 % late, 3 % out", absences_of(school, 600), DAY_OF_600
    yield "get_class_attendance, 120 students × 6 periods, 15 % exceptions", class_of(school, 120, 6), CLASS_OF_120
    yield "list_attendance_concerns, 100 students", concerns_of(school, 100), CONCERNS_OF_100
    yield "reconcile_homeroom, 100 students, a whole day", reconciled_of(school, 100), RECONCILED_100


def absences_of(school: Upstream, number: int) -> Absences:
    """An ordinary day of a school of this number, its year groups as full as they come.

    One absence in five is covered by an excusal, as in the sandbox's own school.
    """
    labels = Labels.of(None)
    people = school.rows(
        "SELECT s.id, s.first_name || ' ' || s.last_name, g.name, t.first_name || ' ' || t.last_name"
        " FROM students s JOIN year_groups g ON g.id = s.year_group_id"
        " LEFT JOIN teachers t ON t.id = s.homeroom_advisor_id"
        " WHERE s.archived = 0 ORDER BY g.grade_number, s.id LIMIT :number",
        number=number,
    )
    chance = Random(1)  # repeatable
    marked = chance.sample(range(number), number * 11 // 100)
    absent, late = number * 5 // 100, number * 3 // 100
    codes = dict.fromkeys(marked[:absent], ABSENT) | dict.fromkeys(marked[absent : absent + late], LATE)
    codes |= dict.fromkeys(marked[absent + late :], OUT)
    covered = set(marked[: absent // 5])
    rows = [
        StudentDay(id, name, group, advisor or "", labels[codes.get(place, PRESENT)], excusal=place in covered)
        for place, (id, name, group, advisor) in enumerate(people)
    ]
    return day_absences(rows, day=spoken(school.today.date()), as_of="10:30:00")


def class_of(school: Upstream, students: int, periods: int) -> ClassDay:
    """A large class's day; 15 % of its marks, drawn evenly, are absent, late, excused or dismissed."""
    labels = Labels.of(None)
    names = dict(
        school.rows(
            "SELECT id, first_name || ' ' || last_name FROM students WHERE archived = 0 ORDER BY id LIMIT :number",
            number=students,
        )
    )
    chance = Random(1)  # repeatable
    places = [(id, period) for id in names for period in range(1, periods + 1)]
    exceptions: dict[tuple[int, int], Label] = {
        place: labels[chance.choices((ABSENT, LATE, 13, 5), (60, 25, 10, 5))[0]]
        for place in chance.sample(places, len(places) * 15 // 100)
    }
    marks = [StudentMark(id, exceptions.get((id, period), labels[PRESENT]), period) for id, period in places]
    return class_day(
        marks, class_name="IB MYP Music 8", day=spoken(school.today.date()), students=list(names), names=names
    )


def concerns_of(school: Upstream, number: int) -> Concerns:
    """The current term of this many students of one programme, and the runs of their last 15 school days."""
    labels = Labels.of(None)
    own = [one for one in truth.people(school).values() if one.program == PROGRAM][:number]
    totals = {
        id: counts for group in {one.group_id for one in own} for id, counts in truth.term_counts(school, group).items()
    }
    today = school.today.date().isoformat()
    days = [date.fromisoformat(day) for day in truth.school_days(school, PROGRAM, "2026-10-17", today)]
    marks = {
        (id, date.fromisoformat(day)): labels[status].kind
        for id, day, status in school.rows(
            "SELECT student_id, date, status FROM homeroom_marks WHERE date >= :start", start=days[-15].isoformat())
    }  # fmt: skip
    evidence = Evidence(
        f"Term 2, {spoken(days[0])} to {spoken(days[-1])}",
        students=[Counted(one.id, one.name, one.group, _rate(totals[one.id], labels, len(days))) for one in own],
        tracks=[
            Track(one.id, one.name, one.group, {day: marks.get((one.id, day), Kind.NOT_TAKEN) for day in days[-15:]})
            for one in own
        ],
        run_days=days[-15:],
        rules=[rule_text(RateRule())],
    )
    return concerns(evidence, of="IB Middle Years", threshold=Fraction(9, 10), run_days=3)


def _rate(counts: dict[int, int], labels: Labels, days: int) -> Rate:
    kinds: dict[Kind, int] = {Kind.NOT_TAKEN: max(0, days - sum(counts.values()))}
    for code, times in counts.items():
        kinds[labels[code].kind] = kinds.get(labels[code].kind, 0) + times
    return rate_of(kinds)


def reconciled_of(school: Upstream, number: int) -> Reconciled:
    """Yesterday's marks of this many students of one programme against their classes and excusals.

    Yesterday's, since by the middle of today's morning most classes have no marks that could contradict anything.
    """
    labels, yesterday = Labels.of(None), school.today.date() - timedelta(days=1)
    day = yesterday.isoformat()
    own = [one for one in truth.people(school).values() if one.program == PROGRAM][:number]
    homeroom = dict(school.rows("SELECT student_id, status FROM homeroom_marks WHERE date = :day", day=day))
    register = dict(
        school.rows(
            "SELECT s.id, coalesce(t.first_name || ' ' || t.last_name, '') FROM students s"
            " LEFT JOIN teachers t ON t.id = s.homeroom_advisor_id"
        )
    )
    taken = {register[id] for id in homeroom}
    in_class: dict[int, list[Mark]] = {}
    classes: dict[int, TaughtClass] = {}
    for id, class_id, name, period, status in school.rows(
        "SELECT m.student_id, c.id, c.name, m.period, m.status FROM class_marks m JOIN classes c ON c.id = m.class_id"
        " WHERE m.date = :day ORDER BY m.period", day=day):  # fmt: skip
        in_class.setdefault(id, []).append(Mark(labels[status], period, class_id))
        classes[class_id] = TaughtClass(name, PROGRAM)
    covered = truth.covered(school, day)
    return reconciled(
        [
            Checked(
                one.id,
                one.name,
                one.group,
                register[one.id],
                DayOfStudent(
                    Mark(labels[homeroom[one.id]] if one.id in homeroom else None),
                    tuple(in_class.get(one.id, ())),
                    covered=one.id in covered,
                    register_taken=register[one.id] in taken,
                ),
                labels,
                excused=labels[EXCUSED],
                programme=PROGRAM,
            )
            for one in own
        ],
        day=spoken(yesterday),
        of="IB Middle Years",
        as_of="10:30",
        classes=classes,
    )
