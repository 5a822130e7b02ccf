from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from attendance_mcp.rules.calendar import CUT_SHORT, DayKind, DayStatus, Holiday, SchoolCalendar, Source, YearDays

START, END = date(2026, 8, 17), date(2027, 6, 18)
BREAK = Holiday(date(2026, 12, 19), date(2027, 1, 10), "Winter break")
WEEKEND = frozenset({5, 6})
YEAR = [START + timedelta(days=number) for number in range((END - START).days + 1)]
WEEKDAYS = [day for day in YEAR if day.weekday() not in WEEKEND]
AnyDay = st.dates(date(2025, 1, 1), date(2028, 12, 31))


def listed_year(*, until: date = END, **options: object) -> YearDays:
    days = [day for day in WEEKDAYS if day not in BREAK and day <= until]
    return YearDays(START, END, listed={day: number % 8 + 1 for number, day in enumerate(days)}, **options)  # type: ignore[arg-type]


def test_a_listed_day_is_a_school_day_with_its_rotation_day():
    assert SchoolCalendar([listed_year(days_off=[0, 6])]).status(date(2026, 8, 19)) == snapshot(
        DayStatus(day=date(2026, 8, 19), kind=DayKind.SCHOOL_DAY, source=Source.CALENDAR, rotation_day=3)
    )


def test_an_unlisted_day_is_off_and_says_why():
    calendar = SchoolCalendar([listed_year(days_off=[0, 6])])
    assert calendar.status(date(2026, 11, 22)).reason == "weekend"
    assert calendar.status(date(2026, 12, 22)) == DayStatus(
        date(2026, 12, 22), DayKind.DAY_OFF, Source.CALENDAR, reason="holiday"
    )
    assert calendar.status(date(2027, 7, 1)).reason == "outside the academic year"


def test_the_profile_gives_a_holiday_of_the_calendar_its_name():
    calendar = SchoolCalendar([listed_year(days_off=[0, 6])], holidays=[BREAK])
    assert calendar.status(date(2026, 12, 22)) == DayStatus(
        date(2026, 12, 22), DayKind.DAY_OFF, Source.CALENDAR, reason="Winter break"
    )


def test_a_holiday_is_off_from_its_first_day_to_its_last():
    calendar = SchoolCalendar([YearDays(START, END)], days_off=[], holidays=[BREAK])
    days = calendar.school_days(date(2026, 12, 18), date(2027, 1, 11))
    assert days == [date(2026, 12, 18), date(2027, 1, 11)]


def test_of_several_holidays_the_one_with_a_name_that_the_day_is_in_names_it():
    day = date(2026, 12, 22)
    others = [Holiday(START, START, "First day"), Holiday(day, day), BREAK]
    assert SchoolCalendar([listed_year(days_off=[0, 6])], holidays=others).status(day).reason == "Winter break"


def test_weekdays_off_count_from_sunday_in_the_api_and_are_read_off_the_list_where_it_gives_none():
    sunday_to_thursday = [day for day in YEAR if day.weekday() not in (4, 5)]
    for days_off in ([5, 6], None):
        calendar = SchoolCalendar([YearDays(START, END, listed=dict.fromkeys(sunday_to_thursday), days_off=days_off)])
        friday, sunday = date(2026, 11, 20), date(2026, 11, 22)
        assert calendar.status(friday).reason == "weekend"
        assert calendar.status(sunday).is_school_day


def test_the_calendar_goes_before_the_profile():
    calendar = SchoolCalendar([listed_year()], days_off=[0, 1, 2, 3, 4, 5, 6], holidays=[Holiday(START, END)])
    assert calendar.status(date(2026, 11, 24)).is_school_day


def test_after_a_list_that_is_cut_short_only_the_weekend_is_known():
    calendar = SchoolCalendar([listed_year(until=date(2026, 11, 30), days_off=[0, 6])])
    assert [status.kind for status in calendar.days(date(2026, 11, 27), date(2026, 12, 5))] == snapshot(
        [
            DayKind.SCHOOL_DAY,
            DayKind.DAY_OFF,
            DayKind.DAY_OFF,
            DayKind.SCHOOL_DAY,
            DayKind.UNKNOWN,
            DayKind.UNKNOWN,
            DayKind.UNKNOWN,
            DayKind.UNKNOWN,
            DayKind.DAY_OFF,
        ]
    )


def test_after_a_list_that_is_cut_short_the_profile_is_asked_and_then_the_marks():
    year = listed_year(until=date(2026, 11, 30), days_off=[0, 6])
    assert SchoolCalendar([year], days_off=WEEKEND).status(date(2026, 12, 1)).source is Source.PROFILE
    day = date(2026, 12, 1)
    assert SchoolCalendar([year], marked={day}).status(day) == DayStatus(
        day, DayKind.SCHOOL_DAY, Source.MARKS, reason="marks were taken"
    )


def test_a_list_that_ends_a_little_early_has_only_left_out_the_last_days_off():
    calendar = SchoolCalendar([listed_year(until=END - CUT_SHORT, days_off=[0, 6])])
    assert calendar.status(END) == DayStatus(END, DayKind.DAY_OFF, Source.CALENDAR, reason="holiday")


def test_where_unlisted_days_are_open_the_profile_and_the_marks_decide():
    year = listed_year(days_off=[0, 6], unlisted_off=False)
    day = date(2026, 12, 22)
    assert SchoolCalendar([year]).status(day).kind is DayKind.UNKNOWN
    assert SchoolCalendar([year], holidays=[BREAK]).status(day).kind is DayKind.DAY_OFF
    assert SchoolCalendar([year], marked={day}).status(day).is_school_day


def test_a_calendar_that_lists_nothing_answers_nothing():
    assert SchoolCalendar([YearDays(START, END, listed={})]).status(date(2026, 11, 24)).kind is DayKind.UNKNOWN


def test_without_a_calendar_the_profile_decides_inside_the_academic_year():
    calendar = SchoolCalendar([YearDays(START, END)], days_off=WEEKEND, holidays=[BREAK])
    days = (date(2026, 11, 24), date(2026, 11, 22), date(2026, 12, 22), date(2027, 8, 3))
    assert [(status.kind.value, status.source.value, status.reason) for status in map(calendar.status, days)] == (
        snapshot(
            [
                ("school day", "profile", ""),
                ("day off", "profile", "weekend"),
                ("day off", "profile", "Winter break"),
                ("day off", "calendar", "outside the academic year"),
            ]
        )
    )


def test_without_calendar_and_profile_a_day_is_known_as_far_as_the_marks_show():
    calendar = SchoolCalendar(marked={date(2026, 11, 24)})
    assert calendar.status(date(2026, 11, 24)).is_school_day
    assert calendar.status(date(2026, 11, 25)) == snapshot(
        DayStatus(
            day=date(2026, 11, 25),
            kind=DayKind.UNKNOWN,
            source=Source.MARKS,
            reason="no calendar says, and no mark was taken",
        )
    )
    assert calendar.unknown_days(date(2026, 11, 23), date(2026, 11, 25)) == [date(2026, 11, 23), date(2026, 11, 25)]


def test_the_last_school_day_is_found_across_a_break_and_across_the_summer():
    earlier = YearDays(date(2025, 8, 18), date(2026, 6, 19), listed={date(2026, 6, 18): None})
    calendar = SchoolCalendar([listed_year(), earlier])
    assert calendar.last_school_day(date(2027, 1, 5)) == date(2026, 12, 18)
    assert calendar.last_school_day(START) == date(2026, 6, 18)
    assert calendar.last_school_day(date(2024, 1, 1)) is None
    assert calendar.last_school_day(date.min) is None
    assert SchoolCalendar(marked={date.min}).last_school_day(date.min + timedelta(days=1)) == date.min


@pytest.mark.parametrize("unlisted_off", [True, False])
@given(day=AnyDay)
def test_every_listed_day_is_a_school_day_and_no_other_day_of_the_year_is(unlisted_off, day):
    year = listed_year(days_off=[0, 6], unlisted_off=unlisted_off)
    assert SchoolCalendar([year]).status(day).is_school_day == (day in year.listed)


@given(one=AnyDay, other=AnyDay)
def test_school_days_unknown_days_and_days_off_are_all_the_days_there_are(one, other):
    start, end = sorted((one, other))
    end = min(end, start + timedelta(days=60))
    calendar = SchoolCalendar([listed_year(until=date(2027, 1, 29), days_off=[0, 6])])
    off = [status for status in calendar.days(start, end) if status.kind is DayKind.DAY_OFF]
    known = len(calendar.school_days(start, end)) + len(calendar.unknown_days(start, end)) + len(off)
    assert known == (end - start).days + 1
