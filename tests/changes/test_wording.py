"""How changes are said, word for word: each by itself, as the rows of a plan, and many in one line."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from inline_snapshot import snapshot

from attendance_mcp.api.records import ClassRecord, Student
from attendance_mcp.changes.facts import ChangeGroup
from attendance_mcp.changes.model import Change, ChangeKind, ExcusalValue, MarkValue, Outcome, Target
from attendance_mcp.changes.wording import Words, grouped, moment, quoted, rows_of, same, summary
from attendance_mcp.rules.labels import Labels
from attendance_mcp.school.disclosure import EVERYTHING

DAY, OTHER, LAST_YEAR = date(2026, 11, 24), date(2026, 11, 25), date(2025, 11, 24)
MIA, NOAH, NOEL, LENA, TWIN, NOBODY = range(1, 7)
MATHS, ART, MUSIC, DRAMA = range(11, 15)
LABELS = Labels.of([(2, "Tardy", True)])


def student(id: int, first: str, last: str, **more: object) -> Student:
    return Student(id=id, first_name=first, last_name=last, **{"year_group_id": 8, "program_code": "myp", **more})


def words(labels: Labels = LABELS) -> Words:
    return Words(
        students={
            MIA: student(MIA, "Mia", "Tanaka"),
            NOAH: student(NOAH, "Noah", "Okafor", year_group_id=None, class_grade="Grade 9"),
            NOEL: student(NOEL, "Noel", "Silva", year_group_id=None),
            LENA: student(LENA, "Lena", "Vogt"),
            TWIN: student(TWIN, "LENA", "Vogt"),
        },
        groups={8: "Grade 8", 1: "Grade 1"},
        classes={
            id: ClassRecord(id=id, name=name) for id, name in ((MATHS, "Maths 8"), (ART, "Art 8"), (MUSIC, "Music"))
        },
        parents={31: "Aiko Tanaka"},
        labels={("myp", DAY): labels, ("myp", OTHER): labels},
        vendors=Labels.of([]),
        disclosure=EVERYTHING,
        today=DAY,
    )


def marked(
    before: MarkValue,
    after: MarkValue,
    *,
    who: int = MIA,
    day: date = DAY,
    in_class: int | None = None,
    period: int = 2,
) -> Change:
    if in_class is None:
        return Change(ChangeKind.HOMEROOM_MARK, Target(who, day, year_group_id=8), before, after)
    return Change(ChangeKind.CLASS_MARK, Target(who, day, class_id=in_class, period=period), before, after)


def excusal(kind: ChangeKind, before: ExcusalValue | None, after: ExcusalValue | None, *, who: int = MIA) -> Change:
    return Change(kind, Target(who, excusal_id=None if before is None else 77), before, after)


ABSENT, LATE, UNTAKEN = MarkValue(0), MarkValue(2), MarkValue(None)
FEVER = ExcusalValue(DAY, DAY, 31, "Fever")
LONG = ExcusalValue(DAY, OTHER, None)
MADE, ALTERED, DELETED = ChangeKind.EXCUSAL_MADE, ChangeKind.EXCUSAL_ALTERED, ChangeKind.EXCUSAL_DELETED

EVERY = {
    "a mark": marked(ABSENT, LATE),
    "a mark where none was": marked(UNTAKEN, LATE, who=NOAH),
    "a mark of last year, by the vendor's label": marked(ABSENT, LATE, day=LAST_YEAR),
    "a mark in a class": marked(ABSENT, LATE, in_class=MATHS),
    "a mark of a class and a student that nobody knows": marked(ABSENT, LATE, who=NOBODY, in_class=DRAMA),
    "a note written": marked(ABSENT, MarkValue(0, "Bus 4"), who=NOEL),
    "a note overwritten": marked(MarkValue(0, "Bus"), MarkValue(0, "Bus 4 “late”")),
    "a note erased": marked(MarkValue(0, "Bus 4"), ABSENT),
    "a note put back": marked(ABSENT, MarkValue(0, "Bus 4", put_back=True)),
    "a note put back in another's place": marked(MarkValue(0, "B"), MarkValue(0, "Bus 4", put_back=True)),
    "a mark and its note": marked(MarkValue(0, "B"), MarkValue(2, "Bus 4"), in_class=ART),
    "a mark and its note erased": marked(MarkValue(0, "B"), LATE),
    "a mark and its note put back": marked(ABSENT, MarkValue(2, "Bus 4", put_back=True)),
    "a mark beside its note": marked(MarkValue(0, "Bus 4"), MarkValue(2, "Bus 4")),
    "a note that went": marked(MarkValue(0, gone=True), MarkValue(0, gone=True)),
    "a note that was written and went": marked(ABSENT, MarkValue(0, gone=True)),
    "a mark whose note went": marked(MarkValue(0, gone=True), LATE),
    "an excusal": excusal(MADE, None, FEVER),
    "an excusal of days without a parent": excusal(MADE, None, LONG, who=LENA),
    "an excusal put back": excusal(MADE, None, ExcusalValue(DAY, DAY, 32, "Fever", put_back=True)),
    "an excusal's end": excusal(ALTERED, FEVER, ExcusalValue(DAY, OTHER, 31, "Fever")),
    "an excusal's comment": excusal(ALTERED, FEVER, ExcusalValue(DAY, DAY, 31, "Cold")),
    "an excusal's end and comment": excusal(ALTERED, LONG, FEVER),
    "an excusal's comment erased": excusal(ALTERED, FEVER, ExcusalValue(DAY, DAY, 31)),
    "an excusal whose comment went": excusal(
        ALTERED, ExcusalValue(DAY, DAY, 31, gone=True), ExcusalValue(DAY, DAY, 31, gone=True)
    ),
    "an excusal deleted": excusal(DELETED, FEVER, None),
    "days deleted": excusal(DELETED, LONG, None, who=NOBODY),
}


def test_a_change_by_itself_is_one_sentence():
    assert {what: summary([change], words()) for what, change in EVERY.items()} == snapshot(
        {
            "a mark": "Mark Mia Tanaka (Grade 8) Tardy on Tue 24 Nov, was Absent.",
            "a mark where none was": "Mark Noah Okafor (Grade 9) Tardy on Tue 24 Nov, was not taken.",
            "a mark of last year, by the vendor's label": "Mark Mia Tanaka (Grade 8) Late on Mon 24 Nov 2025, was Absent.",
            "a mark in a class": "Mark Mia Tanaka (Grade 8) Tardy in Maths 8, period 2, on Tue 24 Nov, was Absent.",
            "a mark of a class and a student that nobody knows": "Mark student 6 Late in class 14, period 2, on Tue 24 Nov, was Absent.",
            "a note written": "Write the note “Bus 4” for Noel Silva on Tue 24 Nov, still Absent.",
            "a note overwritten": 'Write the note “Bus 4 "late"” for Mia Tanaka (Grade 8) on Tue 24 Nov, still Absent.',
            "a note erased": "Erase the note of Mia Tanaka (Grade 8) on Tue 24 Nov, still Absent.",
            "a note put back": "Put back a note of 5 characters for Mia Tanaka (Grade 8) on Tue 24 Nov, still Absent.",
            "a note put back in another's place": "Put back a note of 5 characters for Mia Tanaka (Grade 8) on Tue 24 Nov, still Absent.",
            "a mark and its note": "Mark Mia Tanaka (Grade 8) Tardy in Art 8, period 2, on Tue 24 Nov, was Absent, note “Bus 4” in its place.",
            "a mark and its note erased": "Mark Mia Tanaka (Grade 8) Tardy on Tue 24 Nov, was Absent, note erased.",
            "a mark and its note put back": "Mark Mia Tanaka (Grade 8) Tardy on Tue 24 Nov, was Absent, a note of 5 characters put back.",
            "a mark beside its note": "Mark Mia Tanaka (Grade 8) Tardy on Tue 24 Nov, was Absent.",
            "a note that went": "Change the note of Mia Tanaka (Grade 8) on Tue 24 Nov, still Absent; it is no longer kept.",
            "a note that was written and went": "Change the note of Mia Tanaka (Grade 8) on Tue 24 Nov, still Absent; it is no longer kept.",
            "a mark whose note went": "Mark Mia Tanaka (Grade 8) Tardy on Tue 24 Nov, was Absent.",
            "an excusal": "Add an excusal for Mia Tanaka (Grade 8), Tue 24 Nov, in the name of Aiko Tanaka, with the comment “Fever”.",
            "an excusal of days without a parent": "Add an excusal for Lena Vogt (Grade 8, id 4), Tue 24 Nov to Wed 25 Nov, in the name of no parent named.",
            "an excusal put back": "Add an excusal for Mia Tanaka (Grade 8), Tue 24 Nov, in the name of parent 32, with the comment of 5 characters put back.",
            "an excusal's end": "Alter the excusal of Mia Tanaka (Grade 8) for Tue 24 Nov to end Wed 25 Nov.",
            "an excusal's comment": "Alter the excusal of Mia Tanaka (Grade 8) for Tue 24 Nov with the comment “Cold”.",
            "an excusal's end and comment": "Alter the excusal of Mia Tanaka (Grade 8) for Tue 24 Nov to Wed 25 Nov to end Tue 24 Nov and with the comment “Fever”.",
            "an excusal's comment erased": "Alter the excusal of Mia Tanaka (Grade 8) for Tue 24 Nov without its comment.",
            "an excusal whose comment went": "Alter the excusal of Mia Tanaka (Grade 8) for Tue 24 Nov with a comment that is no longer kept.",
            "an excusal deleted": "Delete the excusal of Mia Tanaka (Grade 8) for Tue 24 Nov.",
            "days deleted": "Delete the excusal of student 6 for Tue 24 Nov to Wed 25 Nov.",
        }
    )


def test_a_row_says_whose_record_it_was_and_becomes():
    told = {}
    for what, row in zip(EVERY, rows_of(EVERY.values(), words()), strict=True):
        told[what] = f"{row.student}: {row.record}: {row.was} → {row.becomes}"
    assert told == snapshot(
        {
            "a mark": "Mia Tanaka (Grade 8): homeroom, Tue 2026-11-24: Absent → Tardy",
            "a mark where none was": "Noah Okafor (Grade 9): homeroom, Tue 2026-11-24: not taken → Tardy",
            "a mark of last year, by the vendor's label": "Mia Tanaka (Grade 8): homeroom, Mon 2025-11-24: Absent → Late",
            "a mark in a class": "Mia Tanaka (Grade 8): Maths 8, period 2, Tue 2026-11-24: Absent → Tardy",
            "a mark of a class and a student that nobody knows": "student 6: class 14, period 2, Tue 2026-11-24: Absent → Late",
            "a note written": "Noel Silva: homeroom, Tue 2026-11-24: Absent → Absent, note “Bus 4”",
            "a note overwritten": 'Mia Tanaka (Grade 8): homeroom, Tue 2026-11-24: Absent with a note of 3 characters → Absent, note “Bus 4 "late"” in its place',
            "a note erased": "Mia Tanaka (Grade 8): homeroom, Tue 2026-11-24: Absent with a note of 5 characters → Absent, note erased",
            "a note put back": "Mia Tanaka (Grade 8): homeroom, Tue 2026-11-24: Absent → Absent, a note of 5 characters put back",
            "a note put back in another's place": "Mia Tanaka (Grade 8): homeroom, Tue 2026-11-24: Absent with a note of 1 character → Absent, a note of 5 characters put back in its place",
            "a mark and its note": "Mia Tanaka (Grade 8): Art 8, period 2, Tue 2026-11-24: Absent with a note of 1 character → Tardy, note “Bus 4” in its place",
            "a mark and its note erased": "Mia Tanaka (Grade 8): homeroom, Tue 2026-11-24: Absent with a note of 1 character → Tardy, note erased",
            "a mark and its note put back": "Mia Tanaka (Grade 8): homeroom, Tue 2026-11-24: Absent → Tardy, a note of 5 characters put back",
            "a mark beside its note": "Mia Tanaka (Grade 8): homeroom, Tue 2026-11-24: Absent with a note of 5 characters → Tardy, note kept",
            "a note that went": "Mia Tanaka (Grade 8): homeroom, Tue 2026-11-24: Absent with a note that is no longer kept → Absent, a note that is no longer kept",
            "a note that was written and went": "Mia Tanaka (Grade 8): homeroom, Tue 2026-11-24: Absent → Absent, a note that is no longer kept",
            "a mark whose note went": "Mia Tanaka (Grade 8): homeroom, Tue 2026-11-24: Absent with a note that is no longer kept → Tardy",
            "an excusal": "Mia Tanaka (Grade 8): new excusal: none → Tue 24 Nov, in the name of Aiko Tanaka, comment “Fever”",
            "an excusal of days without a parent": "Lena Vogt (Grade 8, id 4): new excusal: none → Tue 24 Nov to Wed 25 Nov, in the name of no parent named",
            "an excusal put back": "Mia Tanaka (Grade 8): new excusal: none → Tue 24 Nov, in the name of parent 32, comment of 5 characters put back",
            "an excusal's end": "Mia Tanaka (Grade 8): excusal 77: Tue 24 Nov, in the name of Aiko Tanaka, a comment of 5 characters → Tue 24 Nov to Wed 25 Nov, in the name of Aiko Tanaka, the comment kept",
            "an excusal's comment": "Mia Tanaka (Grade 8): excusal 77: Tue 24 Nov, in the name of Aiko Tanaka, a comment of 5 characters → Tue 24 Nov, in the name of Aiko Tanaka, comment “Cold”",
            "an excusal's end and comment": "Mia Tanaka (Grade 8): excusal 77: Tue 24 Nov to Wed 25 Nov, in the name of no parent named → Tue 24 Nov, in the name of Aiko Tanaka, comment “Fever”",
            "an excusal's comment erased": "Mia Tanaka (Grade 8): excusal 77: Tue 24 Nov, in the name of Aiko Tanaka, a comment of 5 characters → Tue 24 Nov, in the name of Aiko Tanaka, its comment erased",
            "an excusal whose comment went": "Mia Tanaka (Grade 8): excusal 77: Tue 24 Nov, in the name of Aiko Tanaka, a comment that is no longer kept → Tue 24 Nov, in the name of Aiko Tanaka, a comment that is no longer kept",
            "an excusal deleted": "Mia Tanaka (Grade 8): excusal 77: Tue 24 Nov, in the name of Aiko Tanaka, a comment of 5 characters → deleted",
            "days deleted": "student 6: excusal 77: Tue 24 Nov to Wed 25 Nov, in the name of no parent named → deleted",
        }
    )


def notes(before: str | None, after: str | None, who: int) -> Change:
    return marked(MarkValue(0, before), MarkValue(0, after), who=who)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            [marked(ABSENT, LATE, who=who) for who in (MIA, NOAH)],
            snapshot("Mark Mia Tanaka (Grade 8) and Noah Okafor (Grade 9) Tardy in homeroom on Tue 24 Nov."),
        ),
        (
            [marked(ABSENT, LATE, who=who) for who in (LENA, TWIN, MIA)],
            snapshot(
                "Mark Lena Vogt (Grade 8, id 4), LENA Vogt (Grade 8, id 5) and Mia Tanaka (Grade 8) Tardy in homeroom on Tue 24 Nov."
            ),
        ),
        (
            [marked(ABSENT, LATE, who=who) for who in (MIA, NOAH, NOEL, LENA)],
            snapshot("Mark 4 students Tardy in homeroom on Tue 24 Nov."),
        ),
        (
            [marked(ABSENT, LATE), marked(ABSENT, LATE, who=NOAH), marked(LATE, ABSENT, who=NOEL)],
            snapshot(
                "Mark Mia Tanaka (Grade 8), Noah Okafor (Grade 9) and Noel Silva in homeroom on Tue 24 Nov: Tardy 2, Absent 1."
            ),
        ),
        (
            [marked(ABSENT, LATE, in_class=id) for id in (MATHS, ART)],
            snapshot("Mark Mia Tanaka (Grade 8) Tardy in Art 8 and Maths 8, period 2, on Tue 24 Nov (2 marks)."),
        ),
        (
            [marked(ABSENT, LATE, in_class=id, period=id) for id in (MATHS, ART, MUSIC)],
            snapshot(
                "Mark Mia Tanaka (Grade 8) Tardy in Art 8, Maths 8 and Music, 3 periods, on Tue 24 Nov (3 marks)."
            ),
        ),
        (
            [marked(ABSENT, LATE, in_class=id, period=id) for id in (MATHS, ART, MUSIC, DRAMA)],
            snapshot("Mark Mia Tanaka (Grade 8) Tardy in 4 classes, 4 periods, on Tue 24 Nov (4 marks)."),
        ),
        (
            [marked(ABSENT, LATE, day=date(2026, 11, number)) for number in (24, 25, 26)],
            snapshot(
                "Mark Mia Tanaka (Grade 8) in homeroom on Tue 24 Nov, Wed 25 Nov and Thu 26 Nov: Tardy 2, Late 1 (3 marks)."
            ),
        ),
        (
            [marked(ABSENT, LATE, day=date(2026, 11, number)) for number in (27, 24, 25, 26)],
            snapshot(
                "Mark Mia Tanaka (Grade 8) in homeroom on 4 days from Tue 24 Nov to Fri 27 Nov: Late 2, Tardy 2 (4 marks)."
            ),
        ),
        (
            [notes(None, "a", MIA), notes("a", "b", NOAH), notes("a", None, NOEL)],
            snapshot(
                "Mark Mia Tanaka (Grade 8), Noah Okafor (Grade 9) and Noel Silva Absent in homeroom on Tue 24 Nov, 2 notes written and 1 note erased."
            ),
        ),
        (
            [notes(None, "a", MIA), marked(ABSENT, LATE, who=NOAH)],
            snapshot(
                "Mark Mia Tanaka (Grade 8) and Noah Okafor (Grade 9) in homeroom on Tue 24 Nov: Absent 1, Tardy 1, 1 note written."
            ),
        ),
        (
            [excusal(MADE, None, FEVER), excusal(MADE, None, LONG, who=NOAH)],
            snapshot(
                "Add 2 excusals of Mia Tanaka (Grade 8) and Noah Okafor (Grade 9) for Tue 24 Nov and Tue 24 Nov to Wed 25 Nov."
            ),
        ),
        (
            [
                excusal(MADE, None, ExcusalValue(day, day), who=LENA)
                for day in (DAY, OTHER, LAST_YEAR, date(2026, 11, 26))
            ],
            snapshot("Add 4 excusals of Lena Vogt (Grade 8, id 4)."),
        ),
        (
            [excusal(DELETED, FEVER, None), excusal(DELETED, LONG, None)],
            snapshot("Delete 2 excusals of Mia Tanaka (Grade 8)."),
        ),
        (
            [excusal(ALTERED, FEVER, LONG), excusal(DELETED, LONG, None), marked(ABSENT, LATE)],
            snapshot(
                "Alter 1 excusal of Mia Tanaka (Grade 8); Delete 1 excusal of Mia Tanaka (Grade 8); Mark Mia Tanaka (Grade 8) Tardy in homeroom on Tue 24 Nov."
            ),
        ),
        ([], snapshot("All that stood here was erased.")),
    ],
)
def test_many_changes_are_one_line(changes, line):
    assert summary(changes, words()) == line


def test_without_texts_a_note_is_only_counted():
    assert summary([EVERY["a mark and its note"]], words(), texts=False) == snapshot(
        "Mark Mia Tanaka (Grade 8) Tardy in Art 8, period 2, on Tue 24 Nov, 1 note written."
    )


def test_what_is_alike_is_told_once():
    trip = [marked(ABSENT, LATE, who=who, in_class=id) for id in (MATHS, ART) for who in (MIA, NOAH)]
    assert grouped([*trip, marked(ABSENT, LATE, who=NOEL, in_class=MUSIC)], words()) == snapshot(
        [
            ChangeGroup(
                record="Maths 8, period 2, Tue 2026-11-24; Art 8, period 2, Tue 2026-11-24",
                was="Absent",
                becomes="Tardy",
                students=["Mia Tanaka (Grade 8)", "Noah Okafor (Grade 9)"],
            ),
            ChangeGroup(
                record="Music, period 2, Tue 2026-11-24", was="Absent", becomes="Tardy", students=["Noel Silva"]
            ),
        ]
    )


def test_only_a_change_that_makes_a_mark_of_health_is_told_as_another_where_those_are_not_told():
    told = words(Labels.of([], health_apart=False))
    ill = MarkValue(10)
    assert told.hides(marked(ABSENT, ill))
    for change in (marked(ill, ABSENT), marked(ill, MarkValue(10, "Fever")), marked(ABSENT, LATE), EVERY["an excusal"]):
        assert not told.hides(change)


def test_an_outcome_and_its_reason_are_told_once_a_change_was_sent():
    change = EVERY["an excusal"]
    ended = Change(change.kind, change.target, None, FEVER, Outcome.DONE, made_id=78)
    refused = Change(change.kind, change.target, None, FEVER, Outcome.REFUSED, "no")
    under_way = Change(change.kind, change.target, None, FEVER, Outcome.SENDING)
    rows = rows_of([change, ended, refused, under_way], words())
    assert [(row.record, row.outcome, row.reason) for row in rows] == [
        ("new excusal", "", ""),
        ("excusal 78", "done", ""),
        ("new excusal", "refused", "no"),
        ("new excusal", "", ""),
    ]
    assert [(row.record, row.outcome, row.reason) for row in grouped([change, ended, refused, under_way], words())] == [
        ("new excusal", "", ""),
        ("excusal 78", "done", ""),
        ("new excusal", "refused", "no"),
        ("new excusal", "sending", ""),
    ]


def test_a_text_is_quoted_whole_in_marks_that_it_cannot_end():
    assert quoted("a “b”\nc") == '“a "b" c”'
    assert quoted("\ufdfa" * 9) == f"“{chr(0xFDFA) * 9}”"
    assert quoted("\u0958" * 40) == f"“{'क़' * 40}”"  # two characters each, once they are composed


def test_a_moment_has_its_day_where_it_is_not_todays_in_the_schools_zone():
    now, zone = datetime(2026, 11, 24, 15, 30, tzinfo=UTC), ZoneInfo("Asia/Singapore")
    assert moment(datetime(2026, 11, 24, 15, 59, tzinfo=UTC), now, zone) == "23:59"
    assert moment(datetime(2026, 11, 24, 16, 4, tzinfo=UTC), now, zone) == "00:04 on Wed 2026-11-25"


def test_a_record_is_the_same_but_for_a_parent_that_an_answer_leaves_out():
    assert same(FEVER, ExcusalValue(DAY, DAY, None, "Fever", put_back=True))
    assert same(ExcusalValue(DAY, DAY, 31, ""), ExcusalValue(DAY, DAY, None))
    others = (ExcusalValue(DAY, DAY, 32, "Fever"), ExcusalValue(DAY, OTHER, 31, "Fever"), ExcusalValue(DAY, DAY, 31))
    assert not any(same(FEVER, other) or same(other, FEVER) for other in (*others, ABSENT, None))
    assert same(ABSENT, MarkValue(0)) and not same(ABSENT, MarkValue(0, "Bus 4"))
