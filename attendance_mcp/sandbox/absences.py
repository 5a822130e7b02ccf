"""Who is away, late or out on which day, and what their parents write: pure in the population and the date.

A week (Sunday to Saturday) is drawn at once and holds at most one absence of a student, so that excusals never
overlap; a journey takes a fortnight for itself. Days are then put together from their week, so that a day comes out
the same whether it is made alone or among others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from random import Random

from attendance_mcp.sandbox.comments import HOSTILE, Reason, draw_comment, draw_note
from attendance_mcp.sandbox.people import Move, Population, Student
from attendance_mcp.sandbox.school_year import (
    PROGRAMMES,
    academic_year_of,
    academic_year_start,
    slot_day,
)

ABSENT, PRESENT, LATE, ONLINE, LATE_DRESS, LEFT = 0, 1, 2, 3, 4, 5
HEALTH, SPORTS, TRIP, EXCUSED, OTHER, EVENT = 10, 11, 12, 13, 14, 15
_SMALL_THINGS = 0.045  # their share of all days; `_small_thing` divides it up
_EPOCH = date(2000, 1, 2)  # a Sunday
_EXCUSALS_A_WEEK = 5000  # room for their ids; 10,000 students write about 1,000
# Weeks of the academic year in which one parent's text tries to give orders; none is the week of the autumn break.
_HOSTILE_WEEKS = (2, 4, 6, 10, 12, 13, 14)


@dataclass(frozen=True, slots=True)
class Excusal:
    """A parent's notice, known from `created` on."""

    id: int
    student: Student
    parent_id: int
    start: date
    end: date
    comment: str | None
    created: datetime


@dataclass(frozen=True, slots=True)
class Fact:
    """What is marked for a student on a day: in homeroom, in class before period `turn`, and from it on."""

    homeroom: int
    before: int
    since: int
    turn: int = 1
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Absence:
    """A student's absence over school days in a row; a note stands on the first one only."""

    student: Student
    days: tuple[date, ...]
    fact: Fact
    excusal: Excusal | None


@dataclass(frozen=True, slots=True)
class Trip:
    """A group's trip, entered as marks at the moment `entered`, days before it."""

    students: tuple[Student, ...]
    days: tuple[date, ...]
    entered: datetime
    note: str


@dataclass(slots=True)
class Week:
    """What a week holds; `teams` are the day, the team and what is marked for it."""

    absences: list[Absence] = field(default_factory=list)
    trips: list[Trip] = field(default_factory=list)
    teams: list[tuple[date, list[Student], Fact]] = field(default_factory=list)
    streaks: set[int] = field(default_factory=set)


def sunday_of(day: date) -> date:
    """The Sunday on which the week of `day` begins."""
    return day - timedelta(days=day.isoweekday() % 7)


def whole_day(status: int, note: str | None = None) -> Fact:
    """The same status in homeroom and in every class."""
    return Fact(status, status, status, 1, note)


class Diary:
    """The school's weeks and days, each drawn once and kept while this lives.

    `first_year` is the academic year in which the school's file begins: students leave and move in that one.
    """

    def __init__(self, population: Population, *, first_year: int) -> None:
        self._people = population
        self.first_year = first_year
        self._start = academic_year_start(first_year)
        self._weeks: dict[date, Week] = {}
        self._homerooms: dict[tuple[int, int], list[Student]] = defaultdict(list)
        for student in population.students:
            if student.homeroom is not None and student.year_group.registers:
                self._homerooms[student.year_group.index, student.homeroom].append(student)
        self._movers = {move.student.id for move in population.moves}

    def last_day(self, student: Student) -> date:
        """The last day at this school."""
        return date.max if student.leaves_after is None else self._start + timedelta(days=student.leaves_after)

    def day_of_move(self, move: Move) -> date:
        """The last day in the old class."""
        return self._start + timedelta(days=move.after)

    def slot_days(self, day: date) -> dict[str, int]:
        """The timetable's day of each programme that has school on `day`."""
        people = self._people
        found = ((one.code, slot_day(one, day, size=people.size, seed=people.seed)) for one in PROGRAMMES[people.size])
        return {code: slot for code, slot in found if slot is not None}

    def week(self, sunday: date) -> Week:
        """Absences, trips and matches of a week."""
        if sunday not in self._weeks:
            self._weeks[sunday] = self._draw_week(sunday)
        return self._weeks[sunday]

    def facts(self, day: date) -> dict[int, Fact]:
        """What differs from "present all day", by student id; the marks of a trip stand before all others."""
        week = self.week(sunday_of(day))
        facts: dict[int, Fact] = {}
        for trip in week.trips:
            if day in trip.days:
                facts |= {student.id: whole_day(TRIP, trip.note) for student in trip.students}
        for absence in self._absences_on(day):
            fact = absence.fact if day == absence.days[0] else replace(absence.fact, note=None)
            facts.setdefault(absence.student.id, fact)
        for match, team, fact in week.teams:
            if match == day:
                for student in team:
                    facts.setdefault(student.id, fact)
        rng = Random(f"{self._people.seed}/day/{day}")
        in_session = self.slot_days(day)
        for student in self._people.students:
            roll = rng.random()
            if roll < _SMALL_THINGS or student.index in week.streaks:
                drawn = _small_thing(rng, student, roll=roll, streak=student.index in week.streaks)
                if drawn and student.year_group.programme.code in in_session:
                    facts.setdefault(student.id, drawn)
        return facts

    def _absences_on(self, day: date) -> Iterable[Absence]:
        sunday = sunday_of(day)
        for week in (self.week(sunday), self.week(sunday - timedelta(days=7))):  # a journey may have begun before
            yield from (absence for absence in week.absences if day in absence.days)

    def _draw_week(self, sunday: date) -> Week:
        people = self._people
        rng = Random(f"{people.seed}/week/{sunday}")
        days = self._days_of(sunday, length=7)
        week = Week()
        travellers, streaks = self._fortnight(sunday)
        week.streaks = streaks
        if sunday == _fortnight_of(sunday):
            week.absences = list(travellers.values())
        if not days:
            return week
        number = _excusal_number(sunday)
        for student in people.students:
            roll = rng.random()
            open_days = days.get(student.year_group.programme.code, ())
            if roll >= student.away or student.index in travellers or not open_days:
                continue
            if (number // _EXCUSALS_A_WEEK + student.index) % student.rhythm:
                continue
            count = rng.choices((1, 2, 3, 4, 5), student.lengths)[0]
            start = rng.randrange(max(1, len(open_days) - count + 1))
            missed = tuple(open_days[start : start + count])
            if missed[-1] <= self.last_day(student):
                week.absences.append(_absence(rng, student, days=missed, excusal_id=number + len(week.absences)))
        self._plan_ahead(rng, week, sunday=sunday, days=days, travellers=travellers.keys())
        self._smuggle(week, sunday=sunday)
        week.trips = self._trips(Random(f"{people.seed}/trips/{sunday}"), days=days)
        week.teams = self._teams(Random(f"{people.seed}/teams/{sunday}"), days=days)
        return week

    def _days_of(self, sunday: date, *, length: int) -> dict[str, list[date]]:
        """The school days from a Sunday on, by programme."""
        days: dict[str, list[date]] = defaultdict(list)
        for offset in range(length):
            day = sunday + timedelta(days=offset)
            for code in self.slot_days(day):
                days[code].append(day)
        return dict(days)

    def _fortnight(self, sunday: date) -> tuple[dict[int, Absence], set[int]]:
        """Families that travel for up to twelve days, and students who come late day after day."""
        start = _fortnight_of(sunday)
        people = self._people
        rng = Random(f"{people.seed}/fortnight/{start}")
        days = self._days_of(start, length=14)
        total = len(people.students)
        travellers: dict[int, Absence] = {}
        for index in rng.sample(range(total), max(1, total // 900)):
            student = people.students[index]
            span, offset = rng.randrange(6, 12), rng.randrange(1, 3)
            first, last = start + timedelta(days=offset), start + timedelta(days=offset + span)
            missed = tuple(day for day in days.get(student.year_group.programme.code, ()) if first <= day <= last)
            if len(missed) > 3 and student.parents and last <= self.last_day(student):
                created = datetime.combine(first - timedelta(days=rng.randrange(5, 12)), time(19, rng.randrange(60)))
                excusal = Excusal(
                    id=_excusal_number(start) + _EXCUSALS_A_WEEK - 100 + len(travellers),
                    student=student,
                    parent_id=rng.choice(student.parents),
                    start=first,
                    end=last,
                    comment=draw_comment(rng, language=student.language, reason="journey"),
                    created=created,
                )
                fact = whole_day(rng.choice((EXCUSED, EXCUSED, ABSENT)))
                travellers[index] = Absence(student, missed, fact, excusal)
        return travellers, set(rng.sample(range(total), max(1, total // 120)))

    def _plan_ahead(
        self, rng: Random, week: Week, *, sunday: date, days: dict[str, list[date]], travellers: Iterable[int]
    ) -> None:
        """One excusal that stands since the Sunday before, so that there is always one of next week."""
        away = {absence.student.index for absence in week.absences} | set(travellers)
        free = [
            student
            for student in self._people.students
            if student.index not in away
            and student.parents
            and student.leaves_after is None
            and student.year_group.programme.code in days
        ]
        student = rng.choice(free)
        open_days = days[student.year_group.programme.code]
        day = open_days[len(open_days) // 2]
        excusal = Excusal(
            id=_excusal_number(sunday) + len(week.absences),
            student=student,
            parent_id=student.parents[0],
            start=day,
            end=day,
            comment=draw_comment(rng, language=student.language, reason="appointment"),
            created=datetime.combine(sunday - timedelta(days=7), time(6, 10)),
        )
        week.absences.append(Absence(student, (day,), whole_day(EXCUSED), excusal))

    def _smuggle(self, week: Week, *, sunday: date) -> None:
        year = academic_year_of(sunday + timedelta(days=6))
        number = (sunday - sunday_of(academic_year_start(year))).days // 7
        if number not in _HOSTILE_WEEKS:
            return
        written = [(one.excusal.created, place) for place, one in enumerate(week.absences) if one.excusal]
        # The one that was written first, so that it stands whatever the day of that week is.
        _, place = min(written)
        absence = week.absences[place]
        if absence.excusal:
            excusal = replace(absence.excusal, comment=HOSTILE[_HOSTILE_WEEKS.index(number)])
            week.absences[place] = replace(absence, excusal=excusal)

    def _trips(self, rng: Random, *, days: dict[str, list[date]]) -> list[Trip]:
        """About three trips a week in a school of a thousand, one every other week in a small one."""
        people = self._people
        wanted = max(len(people.students) / 330, 0.5)
        trips = []
        for number in range(int(wanted) + (rng.random() < wanted % 1)):
            group = self._group(rng)
            open_days = days.get(group[0].year_group.programme.code, [])
            if not open_days:
                continue
            start = rng.randrange(len(open_days))
            chosen = tuple(open_days[start : start + rng.randrange(1, 3)])
            # The first trip of a week stands a week ahead, so that days to come hold marks at any time of the year.
            ahead = rng.randrange(8, 13) if number == 0 else rng.randrange(2, 9)
            entered = datetime.combine(chosen[0] - timedelta(days=ahead), time(15, 30))
            members = tuple(one for one in group if chosen[-1] <= self.last_day(one) and one.id not in self._movers)
            trips.append(Trip(members, chosen, entered, draw_note(rng, "trip", share=1.0) or ""))
        return trips

    def _group(self, rng: Random) -> list[Student]:
        """A homeroom, or a class where none is kept."""
        people = self._people
        others = [one for one in people.classes if not one.year_group.homerooms]
        if others and rng.random() < 0.15:
            return list(people.rosters[rng.choice(others).id])
        return self._homerooms[rng.choice(sorted(self._homerooms))]

    def _teams(self, rng: Random, *, days: dict[str, list[date]]) -> list[tuple[date, list[Student], Fact]]:
        """Matches: half of them take the whole day, half the last two periods."""
        students = self._people.students
        teams = []
        for _ in range(max(1, round(len(students) / 250))):
            captain = rng.choice([one for one in students if one.year_group.programme.code != "pyp"])
            open_days = days.get(captain.year_group.programme.code, [])
            group = [one for one in students if one.year_group.index == captain.year_group.index]
            team = rng.sample(group, min(11, len(group) // 4))
            whole = rng.random() < 0.5
            note = draw_note(rng, "sports", share=1.0)
            fact = whole_day(SPORTS, note) if whole else Fact(PRESENT, PRESENT, SPORTS, 5, note)
            if open_days:
                teams.append((rng.choice(open_days), team, fact))
        return teams


def _fortnight_of(sunday: date) -> date:
    return sunday - timedelta(days=7 * ((sunday - _EPOCH).days // 7 % 2))


def _excusal_number(sunday: date) -> int:
    return 50_000_000 + (sunday - _EPOCH).days // 7 * _EXCUSALS_A_WEEK


_KINDS = ("unexplained", "explained", "excused", "ill", "present", "arrived")


def _absence(rng: Random, student: Student, *, days: tuple[date, ...], excusal_id: int) -> Absence:
    """An absence of one of the kinds that a school knows; without a parent nobody writes an excusal."""
    kind = rng.choices(_KINDS, (37, 29, 13, 9, 4, 8))[0]
    if kind == "arrived":
        # Absent at the homeroom's time, present in class: the contradiction that a secretary looks for.
        turn = rng.choice((1, 1, 2, 2, 3))
        note = draw_note(rng, "arrived", share=0.15)
        return Absence(student, days[:1], Fact(ABSENT, ABSENT, PRESENT, turn, note), None)
    status = {"excused": EXCUSED, "ill": HEALTH, "present": PRESENT}.get(kind, ABSENT)
    note = draw_note(rng, "absent", share=0.08) if kind == "unexplained" else None
    excusal = None
    if student.parents and (kind in ("explained", "excused", "present") or (kind == "ill" and rng.random() < 0.6)):
        excusal = _excusal(rng, student, days=days, excusal_id=excusal_id, announced=kind != "explained")
    elif kind in ("excused", "present"):
        status = ABSENT
    return Absence(student, days, whole_day(status, note), excusal)


def _excusal(rng: Random, student: Student, *, days: tuple[date, ...], excusal_id: int, announced: bool) -> Excusal:
    first, last = days[0], days[-1]
    reason: Reason = rng.choices(("ill", "appointment", "family"), (60, 22, 18))[0]
    if len(days) > 1 and reason == "appointment":
        reason = "ill"
    if len(days) > 1 and rng.random() < 0.15:
        last = days[-2]  # back a day later than announced
    if reason == "ill":
        # Most write in the morning; what comes after the register leaves the mark at absent.
        hour, minute = (6, 30 + rng.randrange(30)) if announced else (7, rng.randrange(60))
        created = datetime.combine(first, time(hour, minute))
        if not announced and rng.random() < 0.35:
            created = datetime.combine(first + timedelta(days=rng.randrange(2)), time(rng.randrange(9, 18), minute))
    else:
        created = datetime.combine(first - timedelta(days=rng.randrange(1, 10)), time(rng.randrange(16, 22), 5))
    return Excusal(
        id=excusal_id,
        student=student,
        parent_id=rng.choice(student.parents),
        start=first,
        end=last,
        comment=draw_comment(rng, language=student.language, reason=reason),
        created=created,
    )


def _small_thing(rng: Random, student: Student, *, roll: float, streak: bool) -> Fact | None:
    """A lateness, an early leave and the like; None for a day that goes as usual."""
    programme = student.year_group.programme
    disabled = programme.disabled
    if roll < 0.025 or (streak and rng.random() < 0.8):
        status = LATE_DRESS if LATE_DRESS not in disabled and rng.random() < 0.05 else LATE
        # Where no homeroom is kept, who is late is late for the first class.
        first = status if not programme.keeps_homeroom or rng.random() < 0.35 else PRESENT
        return Fact(status, first, PRESENT, 2, draw_note(rng, "late", share=0.12))
    if roll < 0.030:
        return Fact(PRESENT, PRESENT, ABSENT, rng.randrange(2, 7))
    if roll < 0.034:
        return Fact(PRESENT, PRESENT, LEFT, rng.randrange(4, 7), draw_note(rng, "left", share=0.4))
    if roll < 0.037:
        return Fact(PRESENT, PRESENT, HEALTH, rng.randrange(2, 6), draw_note(rng, "health", share=0.5))
    if roll < 0.040 and ONLINE not in disabled and programme.labels.get(ONLINE):
        return whole_day(ONLINE)
    if roll < 0.043 and "event" in programme.labels.get(EVENT, ""):
        return Fact(EVENT, EVENT, PRESENT, 3, draw_note(rng, "event", share=0.6))
    if roll < 0.045 and OTHER not in disabled:
        return Fact(OTHER, PRESENT, PRESENT)
    return None
