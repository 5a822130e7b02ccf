from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from attendance_mcp.rules.runs import AWAY, Run, WeekdayCount, runs, weekday_pattern
from attendance_mcp.status import Kind

MONDAY = date(2026, 11, 2)
WEEKS = [MONDAY + timedelta(days=number) for number in range(28)]
SCHOOL_DAYS = [day for day in WEEKS if day.weekday() < 5]
Days = st.dictionaries(st.sampled_from(WEEKS), st.sampled_from(Kind))


def on(*numbers: int) -> list[date]:
    return [date(2026, 11, number) for number in numbers]


def test_a_run_crosses_the_weekend_and_tells_what_it_is_made_of():
    days = dict(zip(on(5, 6, 9, 10), (Kind.ABSENT, Kind.HEALTH, Kind.ABSENT, Kind.PRESENT), strict=True))
    assert runs(days, SCHOOL_DAYS) == snapshot(
        [Run(days=(date(2026, 11, 5), date(2026, 11, 6), date(2026, 11, 9)), kinds={Kind.HEALTH: 1, Kind.ABSENT: 2})]
    )


def test_an_untaken_day_inside_a_run_is_a_gap_and_one_at_its_edge_is_not():
    days = dict.fromkeys(on(3, 5), Kind.ABSENT) | {date(2026, 11, 6): Kind.NOT_TAKEN}
    [run] = runs(days, SCHOOL_DAYS)
    assert (run.days, run.gaps, len(run)) == (tuple(on(3, 5)), tuple(on(4)), 2)
    [run] = runs(dict.fromkeys(on(3, 5, 10), Kind.ABSENT), SCHOOL_DAYS)
    assert (run.days, run.gaps) == (tuple(on(3, 5, 10)), tuple(on(4, 6, 9)))


def test_any_mark_that_is_not_away_breaks_a_run():
    for kind in (Kind.PRESENT, Kind.LATE, Kind.LEFT, Kind.OUT, Kind.OTHER, Kind.UNCLASSIFIED):
        days = dict(zip(on(3, 4, 5), (Kind.ABSENT, kind, Kind.ABSENT), strict=True))
        assert [run.days for run in runs(days, SCHOOL_DAYS)] == [tuple(on(3)), tuple(on(5))]


def test_short_runs_can_be_left_out():
    days = dict.fromkeys(on(3, 5, 6, 9), Kind.EXCUSED) | {date(2026, 11, 4): Kind.PRESENT}
    assert [run.start for run in runs(days, SCHOOL_DAYS, at_least=3)] == on(5)


@given(days=Days)
def test_runs_cover_exactly_the_school_days_away(days):
    found = runs(days, SCHOOL_DAYS)
    covered = [day for run in found for day in run.days]
    assert covered == sorted(day for day in SCHOOL_DAYS if days.get(day) in AWAY)
    assert all(sum(run.kinds.values()) == len(run) for run in found)


@given(days=Days)
def test_between_two_runs_stands_a_mark_and_inside_one_only_gaps(days):
    found = runs(days, SCHOOL_DAYS)
    for run in found:
        inside = {day for day in SCHOOL_DAYS if run.start <= day <= run.end}
        assert inside == {*run.days, *run.gaps}
        assert all(days.get(day, Kind.NOT_TAKEN) is Kind.NOT_TAKEN for day in run.gaps)
    for one, other in pairwise(found):
        between = [days.get(day, Kind.NOT_TAKEN) for day in SCHOOL_DAYS if one.end < day < other.start]
        assert any(kind is not Kind.NOT_TAKEN for kind in between)


@given(days=Days, school_days=st.permutations(SCHOOL_DAYS))
def test_the_order_of_days_does_not_matter(days, school_days):
    assert runs(dict(reversed(days.items())), school_days) == runs(days, SCHOOL_DAYS)


@given(days=Days)
def test_the_weekdays_hold_every_marked_day_once(days):
    pattern = weekday_pattern(days)
    assert sum(one.marked for one in pattern) == sum(kind is not Kind.NOT_TAKEN for kind in days.values())
    assert sum(one.away for one in pattern) == sum(kind in AWAY for kind in days.values())
    assert all(one.away <= one.marked for one in pattern)


def test_a_student_who_misses_mondays_shows_it():
    days = {day: Kind.ABSENT if day.weekday() == 0 else Kind.PRESENT for day in SCHOOL_DAYS[:10]}
    assert weekday_pattern(days)[:2] == [WeekdayCount(0, away=2, marked=2), WeekdayCount(1, away=0, marked=2)]
