"""The digests of absences as pure functions: nobody lost or counted twice, in any order, at any size."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from attendance_mcp.digest.absence_range import MOST_STUDENTS, range_absences
from attendance_mcp.digest.absences import AWAY, MOST_NAMES, TOLD, Absences, StudentDay, day_absences, kind_counts
from attendance_mcp.rules.labels import Label
from attendance_mcp.status import Kind

LABELS = [
    Label(0, "Absent", Kind.ABSENT),
    Label(1, "Present", Kind.PRESENT),
    Label(2, "Tardy", Kind.LATE),
    Label(5, "Left early", Kind.LEFT),
    Label(10, "Health", Kind.HEALTH),
    Label(12, "Fieldtrip", Kind.OUT),
    Label(13, "Excused", Kind.EXCUSED),
    Label(14, "Other", Kind.OTHER),
    Label(15, "House event", Kind.UNCLASSIFIED),
    Label(16, "Absent", Kind.EXCUSED),  # a label of two codes with two kinds
    None,
]
GROUPS = ["Grade 7", "Grade 8", "Kindergarten"]


def student(id: int, label: Label | None, **more) -> StudentDay:
    return StudentDay(
        **{"id": id, "name": f"Name {id}", "group": GROUPS[id % 3], "register": "Ida Berg", "label": label, **more}
    )


DAYS = st.lists(
    st.builds(
        StudentDay,
        id=st.integers(1, 60),
        name=st.sampled_from(["Mia Tanaka", "Noor Berg", "Ida Ōnishi", "Žofie O'Neil"]),
        group=st.sampled_from(GROUPS),
        register=st.sampled_from(["", "Ida Berg", "Otto Lind"]),
        label=st.sampled_from(LABELS),
        excusal=st.sampled_from([True, False, None]),
        missed=st.sampled_from([(), (1,), (2, 3)]),
        parents=st.frozensets(st.integers(1, 5), max_size=2),
    ),
    max_size=16,
    unique_by=lambda row: row.id,
)


def text_of(facts: Absences) -> str:
    return "\n".join(facts.lines())


def structure_of(facts: Absences) -> str:
    return json.dumps(facts.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)


def ids(facts: Absences) -> list[int]:
    return [id for section in facts.sections for own in section.students.values() for id in own]


@given(DAYS)
def test_counts_add_up_and_every_student_away_is_named_once(rows):
    facts = day_absences(rows, day="Tue 2026-11-24")
    assert sum(facts.counts.values()) == facts.students == len(rows)
    assert facts.counts["absent"] == sum(row.kind is Kind.ABSENT for row in rows)
    told = {row.id for row in rows if row.kind in TOLD}
    announced = {row.id for row in rows if row.kind is Kind.NOT_TAKEN and row.excusal}
    assert sorted(ids(facts)) == sorted(told | announced)
    assert sum(section.number for section in facts.sections) == len(told | announced)


@given(DAYS)
def test_each_is_told_under_its_kind_its_label_and_whether_an_excusal_covers_it(rows):
    of_id = {row.id: row for row in rows}
    for section in day_absences(rows, day="Tue 2026-11-24").sections:
        for group, own in section.students.items():
            for id, name in own.items():
                row = of_id[id]
                assert (row.kind, row.group, row.name) == (section.kind, group, name)
                assert row.label is None or row.label.text == section.label
                if row.kind in AWAY or row.kind is Kind.NOT_TAKEN:
                    assert section.excusal == row.excusal
                else:
                    assert section.excusal is None


@given(DAYS, st.data())
def test_the_order_of_rows_does_not_matter_to_the_facts(rows, data):
    shuffled = data.draw(st.permutations(rows))
    one, other = day_absences(rows, day="Tue"), day_absences(shuffled, day="Tue")
    assert one.counts == other.counts
    assert sorted(ids(one)) == sorted(ids(other))
    assert [(part.kind, part.label, part.excusal, part.number) for part in one.sections] == [
        (part.kind, part.label, part.excusal, part.number) for part in other.sections
    ]
    assert (one.siblings, one.present_with_excusal) == (other.siblings, other.present_with_excusal)
    assert set(one.not_taken) == set(other.not_taken)


@given(DAYS)
def test_not_taken_is_never_told_as_absent_nor_as_present(rows):
    facts = day_absences(rows, day="Tue")
    text = text_of(facts)
    known = [row for row in rows if row.label is not None]
    assert facts.counts.get("not taken", 0) == len(rows) - len(known)
    assert facts.counts == kind_counts(rows)
    for register in facts.not_taken:
        own = [row for row in rows if row.register and f"{row.group} {row.register}" == register]
        assert own
        assert all(row.label is None for row in own)
        assert register in text


@given(DAYS)
def test_unexplained_only_leaves_out_whom_an_excusal_covers_and_counts_them_all_the_same(rows):
    facts = day_absences(rows, day="Tue", unexplained_only=True)
    assert sorted(ids(facts)) == sorted(row.id for row in rows if row.kind is Kind.ABSENT and not row.excusal)
    assert facts.counts == kind_counts(rows)
    unknown = any(row.kind is Kind.ABSENT and row.excusal is None for row in rows)
    assert unknown == any("not known" in remark for remark in facts.remarks)


@given(DAYS)
def test_siblings_are_those_of_one_parent_who_are_both_away(rows):
    facts = day_absences(rows, day="Tue")
    for family in facts.siblings:
        assert len(family.split(", ")) > 1
    away = [row for row in rows if row.kind in AWAY]
    shared = Counter(parent for row in away for parent in row.parents)
    assert bool(facts.siblings) == any(number > 1 for number in shared.values())


@given(DAYS, DAYS)
def test_what_changed_is_each_label_that_differs_from_the_earlier_one(before, now):
    earlier = {row.id: row.state for row in before}
    facts = day_absences(now, day="Tue", since="08:00:00", earlier=earlier)
    changed = [row for row in now if row.id in earlier and earlier[row.id] != row.state]
    assert facts.changed == [f"{row.name} ({row.group}): {earlier[row.id]} → {row.state}" for row in changed]
    assert facts.sections == []
    assert "Changed since 08:00:00:" in text_of(facts)


@given(DAYS)
def test_everything_in_the_text_is_in_the_structure_and_the_reverse(rows):
    facts = day_absences(rows, day="Tue 2026-11-24", as_of="10:30:00")
    text, structure = text_of(facts), structure_of(facts)
    for section in facts.sections:
        assert f"({section.number})" in text
        for own in section.students.values():
            assert all(name in text and json.dumps(name, ensure_ascii=False) in structure for name in own.values())
    for line in (*facts.not_taken, *facts.siblings, *facts.missed, *facts.present_with_excusal):
        assert line in text


def test_nobody_at_all_is_an_answer_that_says_why():
    facts = day_absences([], day="Sun 2026-11-22")
    assert facts.students == 0
    assert "Nobody to look at: a day off, or nothing tells of these students." in text_of(facts)


def test_ten_thousand_students_stay_within_the_budget_and_nobody_is_left_uncounted():
    for labels in (LABELS, [LABELS[0]], [None], [LABELS[1]]):
        rows = [
            student(
                id,
                labels[id % len(labels)],
                group=f"Grade {id % 50}",
                register=f"Advisor With A Long Name {id % 400}",
                excusal=id % 2 == 0,
                missed=(1, 2, 3) if id % 3 == 0 else (),
                parents=frozenset({id // 2}),
            )
            for id in range(10_000)
        ]
        for options in (
            {},
            {"unexplained_only": True},
            {"earlier": dict.fromkeys(range(10_000), "?"), "since": "08:00:00"},
        ):
            facts = day_absences(rows, day="Tue 2026-11-24", **options)
            assert len(text_of(facts)) < 15_000
            assert len(structure_of(facts)) < 30_000
            assert sum(facts.counts.values()) == 10_000
            if facts.by_group:
                assert sum(sum(own.values()) for own in facts.by_group.values()) == 10_000
            shown = sum(len(own) for part in facts.sections for own in part.students.values())
            assert shown <= MOST_NAMES
            if shown < sum(part.number for part in facts.sections):
                assert any("Not everybody is named" in remark for remark in facts.remarks)


# --- several days ---

MONDAY = date(2026, 11, 16)
RANGES = st.dictionaries(st.integers(0, 14).map(lambda number: MONDAY + timedelta(days=number)), DAYS, max_size=4)


@given(RANGES)
def test_over_several_days_counts_add_up_and_no_date_is_lost(days):
    facts = range_absences(days, title="some days", of="whole school")
    everything = [row for rows in days.values() for row in rows]
    assert facts.counts == kind_counts(everything)
    assert facts.students == len({row.id for row in everything})
    shown = {row.id: sum(map(len, row.days.values())) for row in facts.rows}
    named = Counter(row.id for row in everything if row.kind in TOLD and row.kind is not Kind.OUT)
    assert shown == named
    assert facts.more == 0
    assert sum(facts.weekdays.values()) == facts.counts["absent"]
    for day, rows in days.items():
        (told,) = [counts for name, counts in facts.by_day.items() if name.endswith(f"{day:%m-%d}")]
        present = sum(row.kind is Kind.PRESENT for row in rows)
        assert sum(told.values()) == len(rows) - present


@given(RANGES)
def test_over_several_days_only_an_absence_that_is_known_to_have_none_is_said_to_lack_an_excusal(days):
    facts = range_absences(days, title="some days", of="whole school")
    open_days = Counter(
        row.id for rows in days.values() for row in rows if row.kind is Kind.ABSENT and row.excusal is False
    )
    assert {row.id: len(row.no_excusal) for row in facts.rows if row.no_excusal} == open_days
    unexplained = range_absences(days, title="some days", of="whole school", unexplained_only=True)
    absent = Counter(row.id for rows in days.values() for row in rows if row.kind is Kind.ABSENT and not row.excusal)
    assert {row.id: sum(map(len, row.days.values())) for row in unexplained.rows} == absent


@settings(max_examples=40)
@given(RANGES, st.data())
def test_the_order_of_days_and_rows_does_not_matter(days, data):
    shuffled = {day: data.draw(st.permutations(days[day])) for day in data.draw(st.permutations(list(days)))}
    one, other = (range_absences(of, title="some days", of="all") for of in (days, shuffled))
    assert (one.counts, one.by_day, one.weekdays, one.more) == (other.counts, other.by_day, other.weekdays, other.more)
    assert {row.id: row for row in one.rows} == {row.id: row for row in other.rows}


def test_fifteen_days_of_a_large_school_stay_within_the_budget():
    days = {
        MONDAY + timedelta(days=number): [
            student(id, LABELS[(id + number) % len(LABELS)], name=f"Annegret-Ōnishi Vasconcelos {id}", excusal=None)
            for id in range(2_000)
        ]
        for number in range(15)
    }
    facts = range_absences(days, title="three weeks", of="whole school")
    assert len(text_of(facts)) < 15_000
    assert len(structure_of(facts)) < 30_000
    assert 0 < len(facts.rows) <= MOST_STUDENTS
    assert facts.more + len(facts.rows) == 2_000
    assert f"{facts.more:,} students more" in text_of(facts)
