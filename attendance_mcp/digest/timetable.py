"""When a class meets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attendance_mcp.digest.facts import Facts, Row, listed


class TimetableDay(Row):
    """The periods of one day of the week or of the rotation."""

    day: int
    periods: list[int]
    disabled: list[int] = []

    def __str__(self) -> str:
        disabled = f" (disabled: {listed(self.disabled)})" if self.disabled else ""
        return f"day {self.day}: {listed(self.periods) or 'none'}{disabled}"


class TimetableYear(Row):
    """The slots of one academic year."""

    year: str
    start: str
    end: str
    days: list[TimetableDay]


class ClassTimetable(Facts):
    class_name: str
    years: list[TimetableYear]

    def lines(self) -> Iterable[str]:
        yield f"{self.class_name}, periods by day (1 = Monday, or the rotation's day; the API does not say which):"
        for year in self.years:
            yield f"{year.year} ({year.start} to {year.end}): {'; '.join(map(str, year.days)) or 'no slots'}"
        if not self.years:
            yield "It has no timetable."


def timetable_days(slots: Sequence[tuple[int, int, bool]]) -> list[TimetableDay]:
    """Slots as (day, period as shown, enabled), grouped by day."""
    days = sorted({day for day, _, _ in slots})
    return [
        TimetableDay(
            day=day,
            periods=sorted({period for of, period, enabled in slots if of == day and enabled}),
            disabled=sorted({period for of, period, enabled in slots if of == day and not enabled}),
        )
        for day in days
    ]
