from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from attendance_mcp.rules.contradictions import (
    Contradiction,
    ContradictionKind,
    Mark,
    Mend,
    StudentDay,
    contradictions,
)
from attendance_mcp.rules.labels import Label, Labels
from attendance_mcp.status import NOT_TAKEN, STATUSES, Kind

LABELS = Labels.of([(15, "Trip", True)], kinds={})
EXCUSED = LABELS[13]
ABSENT, PRESENT, LATE, LEFT, OUT, TRIP = (LABELS[code] for code in (0, 1, 2, 5, 12, 15))
UNTAKEN = LABELS[NOT_TAKEN]
LETTERS = {"A": ABSENT, "P": PRESENT, "L": LATE, "D": LEFT, "F": OUT, "E": EXCUSED, "H": LABELS[10], "T": TRIP}


def day(homeroom: str, classes: str, **around: bool | None) -> StudentDay:
    """A day as letters, one a period; `-` was not taken, and a homeroom that is not kept is empty."""
    kept = Mark(LETTERS.get(homeroom)) if homeroom else None
    return StudentDay(
        kept, tuple(Mark(LETTERS.get(letter), number) for number, letter in enumerate(classes, 1)), **around
    )


def told(found: list[Contradiction]) -> list[str]:
    return [
        f"{one.kind.name} {list(one.periods)}: "
        + (
            ", ".join(f"{mend.mark.period or 'homeroom'} to {mend.to.text}" for mend in one.mends)
            or "nothing to propose"
        )
        for one in found
    ]


def check(
    homeroom: str, classes: str, *, excused: Label | None = None, labels: Labels = LABELS, **around: bool | None
) -> list[str]:
    return told(contradictions(day(homeroom, classes, **around), labels=labels, excused=excused))


def test_marks_that_agree_contradict_nothing():
    for homeroom, classes in (
        ("P", "PPLP"),
        ("A", "AAA"),
        ("A", "---"),
        ("-", "PPP"),
        ("", "PP"),
        ("P", ""),
        ("F", "FFF"),
    ):
        assert check(homeroom, classes, covered=False) == []


def test_absent_in_homeroom_and_present_in_the_first_taken_class_arrived_late():
    assert check("A", "PPP") == ["ARRIVED_LATE [1]: homeroom to Late"]
    assert check("A", "-LP") == ["ARRIVED_LATE [2]: homeroom to Late"]


def test_who_missed_classes_before_arriving_has_a_half_day_and_the_homeroom_mark_stays():
    assert check("A", "AAPP") == ["ARRIVED_LATE [1, 2, 3]: nothing to propose"]


def test_present_in_homeroom_and_absent_from_every_class_was_not_there():
    assert check("P", "AA-A") == ["GONE_AFTER_HOMEROOM [1, 2, 4]: homeroom to Absent"]
    assert check("L", "A") == ["GONE_AFTER_HOMEROOM [1]: homeroom to Absent"]


def test_one_taken_class_of_several_is_too_little_to_alter_the_homeroom_mark():
    assert check("P", "A---") == ["GONE_AFTER_HOMEROOM [1]: nothing to propose"]


def test_who_left_or_is_out_may_miss_the_classes():
    assert check("D", "AA") == check("F", "AA") == []


def test_gone_from_a_period_on_is_a_half_day_of_class_marks():
    assert check("P", "PPAA") == ["IN_SOME_CLASSES [1, 2, 3, 4]: 3 to Dismissed, 4 to Dismissed"]


def test_absent_in_between_may_be_anything():
    assert check("P", "PAP") == ["IN_SOME_CLASSES [1, 2, 3]: nothing to propose"]
    assert check("", "AP") == ["IN_SOME_CLASSES [1, 2]: nothing to propose"]
    assert check("P", "PHA") == ["IN_SOME_CLASSES [1, 3]: nothing to propose"]


def test_two_classes_at_one_time_are_no_half_day():
    marks = (Mark(PRESENT, 1, class_id=8001), Mark(ABSENT, 1, class_id=8002))
    [one] = contradictions(StudentDay(Mark(PRESENT), marks), labels=LABELS)
    assert (one.kind, one.mends) == (ContradictionKind.IN_SOME_CLASSES, ())


def test_an_absence_with_an_excusal_gets_the_school_s_code_and_nothing_else():
    assert check("A", "AA", covered=True, excused=EXCUSED) == [
        "EXCUSAL_NOT_MARKED [1, 2]: homeroom to Excused, 1 to Excused, 2 to Excused"
    ]
    assert check("A", "P", covered=True, excused=EXCUSED) == [
        "EXCUSAL_NOT_MARKED []: homeroom to Excused",
        "ARRIVED_LATE [1]: nothing to propose",
    ]
    assert check("P", "AA", covered=True, excused=EXCUSED) == [
        "EXCUSAL_NOT_MARKED [1, 2]: 1 to Excused, 2 to Excused",
        "GONE_AFTER_HOMEROOM [1, 2]: homeroom to Excused",
    ]
    assert check("A", "PA", covered=True, excused=EXCUSED) == [
        "EXCUSAL_NOT_MARKED [2]: homeroom to Excused, 2 to Excused",
        "ARRIVED_LATE [1]: nothing to propose",
        "IN_SOME_CLASSES [1, 2]: nothing to propose",
    ]


def test_without_a_named_code_an_absence_with_an_excusal_is_no_contradiction():
    assert check("A", "AA", covered=True) == []


def test_an_excused_mark_without_an_excusal_is_told_only_where_the_excusals_were_read():
    assert check("E", "E", covered=False) == ["NO_EXCUSAL [1]: homeroom to Absent, 1 to Absent"]
    assert check("E", "E", covered=True) == check("E", "E", covered=None) == []


def test_a_homeroom_register_not_taken_is_told_where_classes_have_marks():
    assert check("-", "PP-", register_taken=False) == ["HOMEROOM_NOT_TAKEN [1, 2]: homeroom to Present"]
    assert check("-", "AA", register_taken=False) == ["HOMEROOM_NOT_TAKEN [1, 2]: homeroom to Absent"]
    assert check("-", "FF", register_taken=False) == ["HOMEROOM_NOT_TAKEN [1, 2]: homeroom to Fieldtrip"]
    assert check("-", "-F", register_taken=False) == ["HOMEROOM_NOT_TAKEN [2]: homeroom to Fieldtrip"]
    assert check("-", "LP", register_taken=False) == ["HOMEROOM_NOT_TAKEN [1, 2]: nothing to propose"]
    assert check("-", "TT", register_taken=False) == ["HOMEROOM_NOT_TAKEN [1, 2]: nothing to propose"]
    assert check("-", "---", register_taken=False) == check("", "PP", register_taken=False) == []


def test_a_register_where_only_exceptions_are_marked_contradicts_nothing():
    assert check("-", "PPP", register_taken=True) == []


def test_a_disabled_code_is_not_proposed_and_the_school_s_own_word_for_it_is():
    labels = Labels.of([(2, "Late", False), (16, "Tardy", True)], kinds={"tardy": Kind.LATE})
    assert check("A", "P", labels=labels) == ["ARRIVED_LATE [1]: homeroom to Tardy"]
    nobody = Labels.of([(2, "Late", False)])
    assert check("A", "P", labels=nobody) == ["ARRIVED_LATE [1]: nothing to propose"]
    disabled = Label(13, "Excused", Kind.EXCUSED, enabled=False)
    assert check("A", "A", covered=True, excused=disabled) == ["EXCUSAL_NOT_MARKED [1]: nothing to propose"]


def test_a_mark_without_a_kind_is_no_evidence_of_being_there_or_away():
    assert check("A", "T") == check("T", "AA") == check("P", "PT") == []


def test_a_contradiction_holds_its_evidence_and_its_change():
    assert contradictions(day("A", "P"), labels=LABELS) == snapshot(
        [
            Contradiction(
                kind=ContradictionKind.ARRIVED_LATE,
                evidence=(
                    Mark(label=Label(code=0, text="Absent", kind=Kind.ABSENT)),
                    Mark(label=Label(code=1, text="Present", kind=Kind.PRESENT), period=1),
                ),
                mends=(
                    Mend(
                        mark=Mark(label=Label(code=0, text="Absent", kind=Kind.ABSENT)),
                        to=Label(code=2, text="Late", kind=Kind.LATE),
                    ),
                ),
            )
        ]
    )


ANY_LABELS = st.builds(
    lambda rows: Labels.of(rows, kinds={"left early": Kind.LEFT, "tardy": Kind.LATE}),
    st.lists(
        st.tuples(st.sampled_from(list(STATUSES)), st.sampled_from(["Tardy", "Left early", "Word"]), st.booleans())
    ),
)
DAYS = st.builds(
    day,
    st.sampled_from(["", "-", *LETTERS]),
    st.text("-" + "".join(LETTERS), max_size=7),
    covered=st.sampled_from([True, False, None]),
    register_taken=st.booleans(),
)


@given(one=DAYS, labels=ANY_LABELS, named=st.sampled_from([None, 13, 15, 16]))
def test_what_is_proposed_is_enabled_classified_and_another_label_for_each_record_once(one, labels: Labels, named):
    found = contradictions(one, labels=labels, excused=labels[named] if named else None)
    mends = [mend for contradiction in found for mend in contradiction.mends]
    assert all(mend.to.enabled and mend.to.kind not in (Kind.UNCLASSIFIED, Kind.NOT_TAKEN) for mend in mends)
    assert all(mend.mark.label is None or mend.to.code != mend.mark.label.code for mend in mends)
    assert len({mend.mark for mend in mends}) == len(mends)
    assert all(mark.taken for contradiction in found for mark in contradiction.evidence)
    assert len({contradiction.kind for contradiction in found}) == len(found)


@given(one=DAYS, data=st.data())
def test_the_order_of_classes_and_marks_not_taken_do_not_matter(one: StudentDay, data):
    untaken = tuple(Mark(label, 20 + number) for number, label in enumerate((None, UNTAKEN)))
    shuffled = tuple(data.draw(st.permutations(one.classes + untaken[: data.draw(st.integers(0, 2))])))
    other = StudentDay(one.homeroom, shuffled, one.covered, one.register_taken)
    before = contradictions(one, labels=LABELS, excused=EXCUSED)
    after = contradictions(other, labels=LABELS, excused=EXCUSED)
    assert [(found.kind, found.evidence) for found in after] == [(found.kind, found.evidence) for found in before]
