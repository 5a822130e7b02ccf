"""Labels where nothing may tell that a mark is for somebody's health."""

from __future__ import annotations

import pytest

from attendance_mcp.rules.labels import Label, Labels
from attendance_mcp.rules.rates import RateRule, rate_of, rule_text
from attendance_mcp.status import NOT_TAKEN, WRITABLE, Kind

EXCUSED = Label(13, "Excused", Kind.EXCUSED)


def of(*categories: tuple[int, str, bool], **kinds: Kind) -> Labels:
    return Labels.of(categories, kinds={key.casefold(): kind for key, kind in kinds.items()}, health_apart=False)


def test_every_way_to_ask_for_a_mark_of_health_answers_the_label_for_excused():
    labels = of((10, "Health", True), (15, "Clinic", True), Clinic=Kind.HEALTH)
    for code, text in ((10, "Health"), (15, "Clinic"), (15, "")):
        assert labels.of_mark(code, text) == labels[code] == EXCUSED
        assert labels.hides(code)
    assert labels.named("Health") == labels.named("clinic") == ()
    assert {label.code for label in labels.offered()} == set(WRITABLE) - {10, 15}
    assert not any(labels.hides(code) for code in (None, NOT_TAKEN, 0, 1, 13, 99))


def test_a_mark_without_words_has_its_codes_label_and_one_of_an_unknown_code_has_its_number():
    labels = of((2, "Tardy", True))
    assert labels.of_mark(2, "") == labels[2] == Label(2, "Tardy", Kind.UNCLASSIFIED)
    assert labels.of_mark(99, "") == labels[99] == Label(99, "Code 99", Kind.UNCLASSIFIED)
    assert labels.of_mark(99, "Choir") == Label(99, "Choir", Kind.UNCLASSIFIED)


@pytest.mark.parametrize(
    ("categories", "expected"),
    [
        ([(13, "Authorised", True)], EXCUSED),  # a label without a kind can't stand for it
        ([(13, "Leave", True), (16, "Authorised", True)], Label(16, "Authorised", Kind.EXCUSED)),
        ([(13, "Excused", False), (16, "Authorised", True)], Label(16, "Authorised", Kind.EXCUSED)),
        ([(13, "Excused", True), (16, "Authorised", True)], EXCUSED),
    ],
)
def test_what_stands_for_health_is_the_schools_own_label_for_excused(categories, expected):
    kinds = {"authorised": Kind.EXCUSED} if len(categories) > 1 else {}
    assert Labels.of(categories, kinds=kinds, health_apart=False)[10] == expected


def test_the_vendors_code_for_health_under_another_name_is_told_without_that_name():
    labels = of((10, "Sick bay", True))
    assert labels.of_mark(10, "Sick bay") == labels[10] == Label(10, "Unclassified", Kind.UNCLASSIFIED)
    assert labels.hides(10)
    assert labels.word("Sick bay") == "Excused"
    assert of((10, "Suspended", True), Suspended=Kind.ABSENT)[10].text == "Suspended"  # whoever gave it a kind knows


def test_a_word_that_came_without_its_code_is_told_as_the_label():
    labels = of((10, "Clinic", True), (15, "Health", True), Clinic=Kind.HEALTH, Health=Kind.OUT)
    assert [labels.word(text) for text in ("clinic", "Absent", "Health")] == ["Excused", "Absent", "Health"]
    assert of((10, "Clinic", True), Clinic=Kind.HEALTH).word("Health") == "Excused"
    assert Labels.of([(10, "Clinic", True)], kinds={"clinic": Kind.HEALTH}).word("Clinic") == "Clinic"


def test_the_rule_of_a_rate_names_no_such_kind_and_counts_alike():
    rule = RateRule(health_apart=False)
    assert "health" not in rule_text(rule) and "health" in rule_text(RateRule())
    assert rate_of({Kind.PRESENT: 10, Kind.EXCUSED: 2}, rule=rule) == rate_of(
        {Kind.PRESENT: 10, Kind.EXCUSED: 1, Kind.HEALTH: 1}
    )
