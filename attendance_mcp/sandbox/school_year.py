"""The invented school's programmes and their academic years: terms, days off, rotation days and the words for codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Literal

from attendance_mcp.status import STATUSES, WRITABLE

Size = Literal["small", "school", "district"]
MonthDay = tuple[int, int]

WEEKEND, FRIDAY_SATURDAY = (0, 6), (5, 6)  # 0 = Sunday


@dataclass(frozen=True, slots=True)
class Programme:
    """A programme; `key` is its name in the academic-years answer, `rotation` the days of its cycle, if it has one."""

    code: str
    key: str
    name: str
    keeps_homeroom: bool
    days_off: tuple[int, ...]
    rotation: int | None
    starts: MonthDay
    ends: MonthDay
    terms: tuple[tuple[str, MonthDay, MonthDay], ...]
    holidays: tuple[tuple[MonthDay, MonthDay], ...]  # those of its own
    labels: Mapping[int, str]  # the school's own words
    disabled: frozenset[int]


_SHARED_HOLIDAYS: tuple[tuple[MonthDay, MonthDay], ...] = (
    ((10, 12), (10, 16)),
    ((12, 19), (1, 5)),
    ((2, 15), (2, 19)),
    ((3, 22), (3, 29)),
    ((5, 1), (5, 1)),
)


def _quarters(first: MonthDay, last: MonthDay) -> tuple[tuple[str, MonthDay, MonthDay], ...]:
    return (
        ("Term 1", first, (10, 16)),
        ("Term 2", (10, 17), (12, 18)),
        ("Term 3", (1, 6), (3, 27)),
        ("Term 4", (3, 28), last),
    )


_PYP = Programme(
    code="pyp",
    key="ib_pyp",
    name="IB Primary Years",
    keeps_homeroom=True,
    days_off=WEEKEND,
    rotation=None,
    starts=(8, 18),
    ends=(6, 24),
    terms=_quarters((8, 18), (6, 24)),
    holidays=(),
    labels={5: "Left early", 15: "School event"},
    disabled=frozenset({3, 4, 16, 17, 18}),
)
_MYP = Programme(
    code="myp",
    key="myp",
    name="IB Middle Years",
    keeps_homeroom=True,
    days_off=WEEKEND,
    rotation=6,
    starts=(8, 17),
    ends=(6, 25),
    terms=_quarters((8, 17), (6, 25)),
    holidays=(),
    labels={2: "Tardy", 3: "Present online", 15: "School event"},
    disabled=frozenset({16, 17, 18}),
)
# Two of its codes share one label, which the contract allows: term totals add them up under the label.
_IGCSE = Programme(
    code="igcse",
    key="igcse",
    name="Cambridge IGCSE",
    keeps_homeroom=True,
    days_off=FRIDAY_SATURDAY,
    rotation=None,
    starts=(8, 16),
    ends=(6, 24),
    terms=(("Term 1", (8, 16), (11, 12)), ("Term 2", (11, 13), (2, 25)), ("Term 3", (2, 26), (6, 24))),
    holidays=(((9, 23), (9, 23)), ((12, 2), (12, 3))),
    labels={4: "Late", 15: "Study leave", 16: "Mock exam"},
    disabled=frozenset({17, 18}),
)
_DP = Programme(
    code="dp",
    key="dp",
    name="IB Diploma",
    keeps_homeroom=False,
    days_off=WEEKEND,
    rotation=None,
    starts=(8, 19),
    ends=(6, 19),
    terms=(("Semester 1", (8, 19), (1, 15)), ("Semester 2", (1, 16), (6, 19))),
    holidays=(),
    labels={3: "Present online", 5: "Left early", 15: "University visit", 16: "Exam leave"},
    disabled=frozenset({4, 14, 17, 18}),
)
PROGRAMMES: dict[Size, tuple[Programme, ...]] = {
    "small": (_MYP, _IGCSE),
    "school": (_PYP, _MYP, _IGCSE, _DP),
    "district": (_PYP, _MYP, _IGCSE, _DP),
}
# The words of a code change from one academic year to the next in real schools; so they do here, every other year.
_ODD_YEAR_LABELS = {15: "House event", 11: "Athletics"}

ABBREVIATIONS = {0: "A", 1: "P", 2: "L", 3: "D", 4: "LD", 5: "E", 10: "H", 11: "S", 12: "F", 13: "X", 14: "O"}
COLORS = {0: "#d32f2f", 1: "#388e3c", 2: "#f57c00", 4: "#f57c00", 5: "#7b1fa2", 10: "#0288d1", 13: "#5d4037"}


def academic_year_of(day: date) -> int:
    """The calendar year in which the academic year that holds `day` began; July belongs to the year before."""
    return day.year if day >= academic_year_start(day.year) else day.year - 1


def academic_year_start(year: int) -> date:
    """The day from which on `academic_year_of` answers `year`."""
    return date(year, *min(_IGCSE.starts, _MYP.starts))


def day_of(year: int, month_day: MonthDay) -> date:
    """A month and day as a date of the academic year that began in `year`."""
    month, day = month_day
    return date(year if month >= 8 else year + 1, month, day)


def academic_year_id(programme_index: int, year: int) -> int:
    """The id of a programme's academic year."""
    return 31_000_000 + (year - 2000) * 1000 + programme_index * 10 + 7


def term_id(programme_index: int, year: int, term_index: int) -> int:
    """The id of a term; every programme has its own "Term 1"."""
    return 32_000_000 + (year - 2000) * 1000 + programme_index * 10 + term_index + 1


def categories(programme: Programme, year: int) -> list[tuple[int, str, str, bool, str]]:
    """The programme's codes in an academic year as (status, label, abbreviation, enabled, colour)."""
    labels = {code: STATUSES[code].label for code in WRITABLE} | dict(programme.labels)
    if year % 2:
        labels |= {code: label for code, label in _ODD_YEAR_LABELS.items() if code not in programme.disabled}
    return [
        (
            code,
            labels[code],
            ABBREVIATIONS.get(code, f"C{code - 14}"),
            code not in programme.disabled,
            COLORS.get(code, "#757575"),
        )
        for code in WRITABLE
    ]


def _holidays_of(programme: Programme, year: int, *, seed: int) -> set[date]:
    days: set[date] = set()
    for first, last in (*_SHARED_HOLIDAYS, *programme.holidays):
        day = day_of(year, first)
        while day <= day_of(year, last):
            days.add(day)
            day += timedelta(days=1)
    # Each invented school was founded on a day of its own, and keeps it.
    days.add(date(year, 9, 7) + timedelta(days=Random(f"{seed}/founders").randrange(28)))
    return days


@cache
def school_days(code: str, year: int, *, size: Size, seed: int) -> Mapping[date, int | None]:
    """The school days of a programme's academic year, each with its rotation day (None where slots go by weekday)."""
    programme = next(one for one in PROGRAMMES[size] if one.code == code)
    off = _holidays_of(programme, year, seed=seed)
    days: dict[date, int | None] = {}
    day, last = day_of(year, programme.starts), day_of(year, programme.ends)
    while day <= last:
        if day.isoweekday() % 7 not in programme.days_off and day not in off:
            days[day] = len(days) % programme.rotation + 1 if programme.rotation else None
        day += timedelta(days=1)
    return days


def slot_day(programme: Programme, day: date, *, size: Size, seed: int) -> int | None:
    """The day of the timetable that meets on `day` (weekday, 1 = Monday, or rotation day); None on a day off."""
    days = school_days(programme.code, academic_year_of(day), size=size, seed=seed)
    if day not in days:
        return None
    return days[day] if programme.rotation else day.isoweekday()


def latest_common_school_day(day: date, *, size: Size, seed: int) -> date:
    """The latest day not after `day` that is a school day in every programme."""
    while not all(
        day in school_days(one.code, academic_year_of(day), size=size, seed=seed) for one in PROGRAMMES[size]
    ):
        day -= timedelta(days=1)
    return day
