from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from attendance_mcp.rules.rates import Rate, RateRule, Side, differs, percent, rate_of, rule_text, tenths
from attendance_mcp.status import Kind

NINETY = Fraction(9, 10)
Counts = st.dictionaries(st.sampled_from(Kind), st.integers(0, 200))
Sides = st.sampled_from(Side)
Rules = st.one_of(
    st.builds(RateRule, late=Sides, left=Sides, out=Sides, excused=Sides, health=Sides, other=Sides),
    st.builds(RateRule, left=Sides, excused=Sides, other=Sides, lates_per_absence=st.integers(0, 9)),
)


def test_the_usual_rule_counts_there_and_away_and_leaves_the_rest_out():
    counts = {
        Kind.PRESENT: 10, Kind.LATE: 3, Kind.LEFT: 1, Kind.OUT: 2,
        Kind.ABSENT: 2, Kind.EXCUSED: 1, Kind.HEALTH: 1,
        Kind.OTHER: 4, Kind.UNCLASSIFIED: 5, Kind.NOT_TAKEN: 6,
    }  # fmt: skip
    assert rate_of(counts) == snapshot(Rate(attended=16, away=4, neither=9, unclassified=5, not_taken=6))


def test_marks_not_taken_open_the_rate_between_two_bounds():
    rate = rate_of({Kind.PRESENT: 17, Kind.ABSENT: 1, Kind.NOT_TAKEN: 2})
    assert (rate.low, rate.exact, rate.high) == (Fraction(17, 20), Fraction(17, 18), Fraction(19, 20))
    assert rate.below(NINETY)
    assert rate.open_at(NINETY)


def test_a_rate_that_can_only_just_reach_the_threshold_is_open_and_one_that_stands_on_it_is_not():
    reaching = rate_of({Kind.PRESENT: 17, Kind.ABSENT: 2, Kind.NOT_TAKEN: 1})
    standing = rate_of({Kind.PRESENT: 18, Kind.ABSENT: 2})
    assert (reaching.high, reaching.below(NINETY), reaching.open_at(NINETY)) == (NINETY, True, True)
    assert (standing.low, standing.below(NINETY), standing.open_at(NINETY)) == (NINETY, False, False)


def test_nothing_counted_is_no_rate_and_not_nought():
    assert rate_of({}).exact is None
    assert rate_of({Kind.OTHER: 3}).low is None
    untaken = rate_of({Kind.NOT_TAKEN: 3})
    assert (untaken.exact, untaken.low, untaken.high) == (None, 0, 1)


@pytest.mark.parametrize(("days", "few"), [(0, True), (9, True), (10, False)])
def test_fewer_than_ten_counted_days_are_few(days, few):
    assert rate_of({Kind.PRESENT: days, Kind.OTHER: 30, Kind.NOT_TAKEN: 30}).few is few


@pytest.mark.parametrize(("lates", "away"), [(0, 0), (2, 0), (3, 1), (5, 1), (6, 2)])
def test_every_third_late_mark_turns_an_attended_day_into_one_away(lates, away):
    rate = rate_of({Kind.PRESENT: 10, Kind.LATE: lates}, rule=RateRule(lates_per_absence=3))
    assert (rate.attended, rate.away, rate.added_by_lates) == (10 + lates - away, away, away)


def test_late_marks_that_are_away_already_can_not_add_up_too():
    with pytest.raises(ValueError, match="late marks would count twice"):
        RateRule(late=Side.AWAY, lates_per_absence=3)


def test_a_negative_number_of_lates_is_refused():
    with pytest.raises(ValueError, match=r"^lates_per_absence can't be below 0$"):
        RateRule(lates_per_absence=-1)


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="below 0"):
        rate_of({Kind.PRESENT: -1})
    with pytest.raises(ValueError, match="below 0"):
        RateRule(lates_per_absence=-1)


@given(counts=Counts, rule=Rules)
def test_every_mark_is_counted_once(counts: Mapping[Kind, int], rule: RateRule):
    rate = rate_of(counts, rule=rule)
    assert rate.attended + rate.away + rate.neither + rate.not_taken == sum(counts.values())
    assert min(rate.attended, rate.away, rate.neither, rate.not_taken) >= 0


@given(counts=Counts, rule=Rules)
def test_the_rate_lies_between_its_bounds(counts: Mapping[Kind, int], rule: RateRule):
    rate = rate_of(counts, rule=rule)
    if rate.exact is not None:
        assert 0 <= rate.low <= rate.exact <= rate.high <= 1
    assert (rate.low == rate.high) == (rate.not_taken == 0)


@given(counts=Counts, rule=Rules, data=st.data())
def test_whatever_the_untaken_marks_turn_out_to_be_the_bounds_hold(counts, rule: RateRule, data):
    before = rate_of(counts, rule=rule)
    counting = [kind for kind in Kind if rule.side(kind) is not Side.NEITHER]
    taken = dict(counts)
    for kind in data.draw(st.lists(st.sampled_from(counting), max_size=taken.pop(Kind.NOT_TAKEN, 0))):
        taken[kind] = taken.get(kind, 0) + 1
    after = rate_of(taken, rule=rule)
    if after.exact is not None:
        assert before.low <= after.exact <= before.high


@given(counts=Counts, rule=Rules)
def test_the_order_of_the_counts_does_not_matter(counts: Mapping[Kind, int], rule: RateRule):
    assert rate_of(dict(reversed(counts.items())), rule=rule) == rate_of(counts, rule=rule)


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        (Fraction(8996, 10000), "89.9 %"),
        (Fraction(9, 10), "90.0 %"),
        (Fraction(9004, 10000), "90.0 %"),
        (Fraction(9005, 10000), "90.0 %"),
        (Fraction(9015, 10000), "90.2 %"),
        (Fraction(1), "100.0 %"),
        (Fraction(9999, 10000), "99.9 %"),
        (Fraction(1, 10000), "0.1 %"),
        (Fraction(0), "0.0 %"),
        (Fraction(2, 3), "66.7 %"),
    ],
)
def test_a_percentage_has_one_decimal_and_never_hides_the_side_it_is_on(rate, shown):
    assert percent(rate, thresholds=[NINETY]) == shown


def test_a_threshold_between_two_tenths_is_not_rounded_across_either():
    threshold = Fraction(9004, 10000)
    assert tenths(Fraction(90041, 100000), thresholds=[threshold]) == 901
    assert tenths(Fraction(90039, 100000), thresholds=[threshold]) == 900


@example(rate=Fraction(1, 2000), threshold=Fraction(1, 1000))
@example(rate=Fraction(1999, 2000), threshold=Fraction(1))
@given(rate=st.fractions(0, 1), threshold=st.integers(0, 1000).map(lambda number: Fraction(number, 1000)))
def test_a_shown_percentage_is_on_the_rates_own_side_and_close(rate: Fraction, threshold: Fraction):
    shown = Fraction(tenths(rate, thresholds=[threshold]), 1000)
    assert (shown < threshold) == (rate < threshold)
    assert abs(shown - rate) < Fraction(1, 1000)
    assert (shown == 1) == (rate == 1)
    # Below a threshold of 0.1 % no decimal is left between it and nothing: the threshold goes first.
    assert (shown == 0) == (rate == 0) or rate < threshold == Fraction(1, 1000)


def test_the_rule_is_told_in_one_sentence():
    assert rule_text(RateRule()) == snapshot(
        "Rate = attended ÷ (attended + away), in days; attended: present, late, left, out; away: absent, excused, health; in neither: other, unclassified, not taken."
    )


def test_a_school_s_own_rule_is_told_with_what_it_adds():
    rule = RateRule(left=Side.AWAY, other=Side.ATTENDED, lates_per_absence=3)
    assert rule_text(rule, unit="periods") == snapshot(
        "Rate = attended ÷ (attended + away), in periods; attended: present, late, out, other; away: left, absent, excused, health; in neither: unclassified, not taken; every 3 late marks turn one of the attended periods into one away."
    )
    assert differs(rule) == ("left", "other", "lates_per_absence")
    assert differs(RateRule()) == ()
