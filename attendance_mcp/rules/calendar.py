"""Which days are school days for a programme: its calendar where that answers, else the profile, else the marks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property

# A calendar that ends this much before its academic year was not filled in to the end; one that ends a little
# earlier has only left out the last days off.
CUT_SHORT = timedelta(days=14)
_TELLING = 10  # from so many listed days on, a weekday that none of them falls on is off
_LOOK_BACK = 366
_DAY = timedelta(days=1)


class DayKind(StrEnum):
    """What a day is for a programme."""

    SCHOOL_DAY = "school day"
    DAY_OFF = "day off"
    UNKNOWN = "unknown"


class Source(StrEnum):
    """Who says so: the API's calendar or academic year, the school profile, or only the marks that were taken."""

    CALENDAR = "calendar"
    PROFILE = "profile"
    MARKS = "marks"


@dataclass(frozen=True, slots=True)
class DayStatus:
    """One day, and how it is known."""

    day: date
    kind: DayKind
    source: Source
    rotation_day: int | None = None
    reason: str = ""

    @property
    def is_school_day(self) -> bool:
        return self.kind is DayKind.SCHOOL_DAY


@dataclass(frozen=True, slots=True)
class Holiday:
    """Days off from start to end, both included."""

    start: date
    end: date
    name: str = ""

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end


class YearDays:
    """One academic year of a programme and the days that its calendar lists, with their rotation day.

    `listed` is None where the API doesn't offer the calendar. `days_off` are weekdays as the API counts them
    (0 = Sunday), None where it doesn't say. `unlisted_off` is whether a day inside the list but not on it is a day off,
    as the contract assumes; else such a day is open.
    """

    def __init__(
        self,
        start: date,
        end: date,
        *,
        listed: Mapping[date, int | None] | None = None,
        days_off: Collection[int] | None = None,
        unlisted_off: bool = True,
    ) -> None:
        self.start, self.end = start, end
        self.listed = listed
        self.unlisted_off = unlisted_off
        self.weekdays_off = None if days_off is None else frozenset((number - 1) % 7 for number in days_off)

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end

    @cached_property
    def listed_until(self) -> date | None:
        """The last day about which the calendar says anything; None where it says nothing."""
        if not self.listed:
            return None
        last = max(self.listed)
        return self.end if self.end - last <= CUT_SHORT else last

    @cached_property
    def weekend(self) -> frozenset[int]:
        """The weekdays off, Monday = 0: as the API gives them, else those on which no day of the list falls."""
        if self.weekdays_off is not None:
            return self.weekdays_off
        listed = self.listed or {}
        return frozenset(range(7)) - {day.weekday() for day in listed} if len(listed) >= _TELLING else frozenset()

    def answer(self, day: date) -> DayStatus | None:
        """What the calendar says of a day in the year; None where it leaves the day open."""
        if self.listed is not None and day in self.listed:
            return DayStatus(day, DayKind.SCHOOL_DAY, Source.CALENDAR, self.listed[day])
        if day.weekday() in self.weekend:
            return DayStatus(day, DayKind.DAY_OFF, Source.CALENDAR, reason="weekend")
        inside = self.listed_until is not None and day <= self.listed_until
        if inside and self.unlisted_off:
            return DayStatus(day, DayKind.DAY_OFF, Source.CALENDAR, reason="holiday")
        return None


class SchoolCalendar:
    """The school days of one programme.

    `years` may hold several academic years, so that a range or the way back to the last school day may cross the
    summer. `days_off` (Monday = 0) and `holidays` are the profile's; `marked` are days on which any mark was taken.
    """

    def __init__(
        self,
        years: Iterable[YearDays] = (),
        *,
        days_off: Collection[int] | None = None,
        holidays: Iterable[Holiday] = (),
        marked: Collection[date] = (),
    ) -> None:
        self.years = tuple(sorted(years, key=lambda year: year.start))
        self.days_off = days_off
        self.holidays = tuple(holidays)
        self.marked = frozenset(marked)

    def status(self, day: date) -> DayStatus:
        """What the day is, and who says so."""
        year = next((year for year in self.years if day in year), None)
        if self.years and year is None:
            return DayStatus(day, DayKind.DAY_OFF, Source.CALENDAR, reason="outside the academic year")
        said = (year.answer(day) if year else None) or self._by_profile(day) or self._by_marks(day)
        if said.reason == "holiday" and (name := self._holiday_name(day)):
            return DayStatus(day, said.kind, said.source, reason=name)
        return said

    def days(self, start: date, end: date) -> list[DayStatus]:
        """Every day from start to end, both included."""
        return [self.status(start + number * _DAY) for number in range((end - start).days + 1)]

    def school_days(self, start: date, end: date) -> list[date]:
        """The days known to be school days from start to end, both included."""
        return [status.day for status in self.days(start, end) if status.is_school_day]

    def unknown_days(self, start: date, end: date) -> list[date]:
        """The days from start to end of which nobody says anything: an answer over them is as far as the marks show."""
        return [status.day for status in self.days(start, end) if status.kind is DayKind.UNKNOWN]

    def last_school_day(self, before: date) -> date | None:
        """The latest day before this one that is known to be a school day, within a year; else None."""
        last = before.toordinal()
        days = (date.fromordinal(last - back) for back in range(1, min(_LOOK_BACK, last - 1) + 1))
        return next((day for day in days if self.status(day).is_school_day), None)

    def _by_profile(self, day: date) -> DayStatus | None:
        if any(day in holiday for holiday in self.holidays):
            return DayStatus(day, DayKind.DAY_OFF, Source.PROFILE, reason="holiday")
        if self.days_off is None:
            return None
        if day.weekday() in self.days_off:
            return DayStatus(day, DayKind.DAY_OFF, Source.PROFILE, reason="weekend")
        return DayStatus(day, DayKind.SCHOOL_DAY, Source.PROFILE)

    def _by_marks(self, day: date) -> DayStatus:
        if day in self.marked:
            return DayStatus(day, DayKind.SCHOOL_DAY, Source.MARKS, reason="marks were taken")
        return DayStatus(day, DayKind.UNKNOWN, Source.MARKS, reason="no calendar says, and no mark was taken")

    def _holiday_name(self, day: date) -> str:
        return next((holiday.name for holiday in self.holidays if day in holiday and holiday.name), "")
