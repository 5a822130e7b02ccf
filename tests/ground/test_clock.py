"""The school's clock: its day, whatever the machine's own clock and zone say."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance_mcp.errors import ArgumentError
from attendance_mcp.school.clock import Clock, spoken, weekday

SINGAPORE, LISBON, KIRITIMATI = map(ZoneInfo, ("Asia/Singapore", "Europe/Lisbon", "Pacific/Kiritimati"))


def at(zone: ZoneInfo, moment: str) -> Clock:
    """A clock that runs, at this moment in UTC."""
    return Clock(zone, zone.key, utcnow=lambda: datetime.fromisoformat(moment).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        (SINGAPORE, "2026-11-23T16:00:00", "2026-11-24"),
        (SINGAPORE, "2026-11-23T15:59:59", "2026-11-23"),
        (LISBON, "2026-11-23T23:59:59", "2026-11-23"),
        (LISBON, "2026-07-23T23:00:00", "2026-07-24"),  # an hour ahead in summer
        (KIRITIMATI, "2026-11-23T10:00:00", "2026-11-24"),
    ],
)
def test_it_is_the_schools_day_and_not_the_machines(zone, moment, day):
    clock = at(zone, moment)
    assert clock.today() == date.fromisoformat(day)
    assert clock.day("today") == clock.today()
    assert clock.now().tzinfo is zone


def test_the_words_are_calendar_days_around_today():
    clock = Clock.of(SINGAPORE, date(2026, 3, 1))
    assert [clock.day(word) for word in ("yesterday", "today", "tomorrow")] == [
        date(2026, 2, 28),
        date(2026, 3, 1),
        date(2026, 3, 2),
    ]
    assert clock.day(date(2020, 2, 29)) == date(2020, 2, 29)


def test_another_word_is_no_day():
    with pytest.raises(ArgumentError, match="yyyy-mm-dd, today, yesterday or tomorrow"):
        Clock.of(SINGAPORE).day("monday")  # type: ignore[arg-type]


def test_a_day_alone_stands_at_noon_and_a_moment_where_it_is():
    assert Clock.of(SINGAPORE, date(2026, 11, 24)).now().isoformat() == "2026-11-24T12:00:00+08:00"
    standing = Clock.of(SINGAPORE, datetime.fromisoformat("2026-11-24T08:30"))
    assert standing.now().isoformat() == "2026-11-24T08:30:00+08:00"
    assert standing.now() == standing.now()


def test_the_time_of_an_answer_moves_on_where_the_clock_stands():
    moments = iter(["2026-11-24T00:00:07", "2026-11-24T00:00:08"])
    clock = Clock(
        SINGAPORE,
        SINGAPORE.key,
        standing=datetime(2026, 1, 1, 12, tzinfo=SINGAPORE),
        utcnow=lambda: datetime.fromisoformat(next(moments)).replace(tzinfo=UTC),
    )
    assert (clock.stamp(), clock.stamp()) == ("08:00:07", "08:00:08")
    assert clock.today() == date(2026, 1, 1)


def test_without_a_zone_it_is_the_machines_and_says_so():
    clock = Clock.of(None)
    assert clock.zone_name.endswith(", this computer's")
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


@given(st.dates())
def test_a_day_is_spoken_with_its_weekday_in_every_locale(day):
    assert spoken(day) == f"{weekday(day)} {day.isoformat()}"
    assert ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun").index(weekday(day)) == day.weekday()
