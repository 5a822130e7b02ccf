"""What can't be taken is refused in plain words, before anything is asked of the school, and never written."""

from __future__ import annotations

import re
from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.upstream_school import UpstreamSchool, text

from .examples import DAY, Known
from .reading import by_answer

pytestmark = pytest.mark.anyio

MARK, MARKS = "set_homeroom_attendance", "set_class_attendance"
Case = tuple[str, dict[str, Any]]


def senseless(known: Known) -> dict[str, Case]:
    """Calls that need no school to be refused."""
    mark = {"student_id": known.student, "date": "today", "status": 2}
    row = {"student_id": known.classmates[0], "date": DAY, "period": known.period, "status": 1}
    read = {"year_group_id": known.group}
    return {
        "an id that is true": (MARK, {**mark, "student_id": True}),
        "an id that is 1.0": (MARK, {**mark, "student_id": 1.0}),
        "an id with SQL": (MARK, {**mark, "student_id": "1; DROP TABLE students"}),
        "an id of 2**63": (MARK, {**mark, "student_id": 2**63}),
        "an id of 0": (MARK, {**mark, "student_id": 0}),
        "an id that is nothing": (MARK, {**mark, "student_id": None}),
        "30 February": (MARK, {**mark, "date": "2026-02-30"}),
        "a day of zeros": (MARK, {**mark, "date": "0000-00-00"}),
        "a day in digits of another script": (MARK, {**mark, "date": "２０２６-11-24"}),
        "no day": (MARK, {**mark, "date": ""}),
        "status -1": (MARK, {**mark, "status": -1}),
        "status 99": (MARK, {**mark, "status": 99}),
        "no status": (MARK, {**mark, "status": ""}),
        "a status that is true": (MARK, {**mark, "status": True}),
        "notes of 501 characters": (MARK, {**mark, "notes": "x" * 501}),
        "notes to write and to erase": (MARK, {**mark, "notes": "x", "erase_notes": True}),
        "a yes for true": (MARK, {**mark, "erase_notes": "yes"}),
        "a misspelt argument": (MARK, {**mark, "confirmtion": "AAAAAAAAAA"}),
        "arguments left out": (MARK, {"student_id": known.student}),
        "marks that are no list": (MARKS, {"class_id": known.class_, "marks": {"a": 1}}),
        "marks that are no JSON": (MARKS, {"class_id": known.class_, "marks": "everybody present"}),
        "marks nested without end": (MARKS, {"class_id": known.class_, "marks": "[" * 50_000}),
        "no marks": (MARKS, {"class_id": known.class_, "marks": []}),
        "501 marks": (MARKS, {"class_id": known.class_, "marks": [row] * 501}),
        "a mark that is none": (MARKS, {"class_id": known.class_, "marks": [row, 5]}),
        "a mark with an unknown key": (MARKS, {"class_id": known.class_, "marks": [{**row, "note": "x"}]}),
        "a period in words": (MARKS, {"class_id": known.class_, "marks": [{**row, "period": "first"}]}),
        "page 0": ("get_homeroom_attendance", {**read, "page": 0}),
        "1,000 a page": ("get_homeroom_attendance", {**read, "per_page": 1000}),
        "an unknown detail": ("get_homeroom_attendance", {**read, "detail": "everything"}),
        "an unknown kind": ("find_in_school", {"names_or_ids": ["Mia"], "kind": "dog"}),
        "no names": ("find_in_school", {"names_or_ids": []}),
        "61 names": ("find_in_school", {"names_or_ids": ["Mia"] * 61}),
        "no confirmation": ("apply_changes", {"confirmation": "", "summary": "x"}),
    }


def refused_by_the_school(known: Known) -> dict[str, Case]:
    """Calls that are well formed and name what isn't there."""
    mark = {"student_id": known.student, "date": "today", "status": 2}
    row = {"student_id": known.classmates[0], "date": DAY, "period": known.period, "status": 1}
    return {
        "an unknown label": (MARK, {**mark, "status": "Nonsense"}),
        "an unknown student": (MARK, {**mark, "student_id": 5}),
        "a period that isn't one": (MARKS, {"class_id": known.class_, "marks": [{**row, "period": 9}]}),
        "a stranger to the class": (
            MARKS,
            {"class_id": known.class_, "marks": [{**row, "student_id": known.excused}]},
        ),
        "an unknown class": ("get_class_attendance", {"class_id": 5}),
        "an unknown year group": ("get_homeroom_attendance", {"year_group_id": 5}),
        "a term of another programme": (
            "get_homeroom_term_attendance",
            {"year_group_id": known.group, "term_id": known.foreign_term},
        ),
        "a group that is only like another": ("list_absences", {"group": "Grade 99"}),
        "a stranger as parent": (
            "create_excusal",
            {"student_id": known.student, "parent_id": 5, "start_date": "today"},
        ),
        "an unknown excusal": ("update_excusal", {"student_id": known.student, "excusal_id": 5, "comment": "x"}),
        "an excusal of another student": (
            "delete_excusal",
            {"student_id": known.student, "excusal_id": known.excusal},
        ),
        "a confirmation that nobody got": ("apply_changes", {"confirmation": "AAAAAAAAAA", "summary": "x"}),
    }


async def told(school: UpstreamSchool, cases: dict[str, Case], way: Any, era: Any) -> dict[str, str]:
    """What each call is answered, without the sentence that all of them end with."""
    answers = {}
    async with school.client(way, era, writes="confirm") as ask:
        for name, (tool, arguments) in cases.items():
            result = await ask(tool, **arguments)
            answered = text(result)
            assert result.is_error, (name, answered)
            assert result.structured_content is None
            assert answered.endswith(" Nothing was written."), (name, answered)
            answers[name] = answered.removesuffix(" Nothing was written.")
    assert school.writes == []
    return answers


@pytest.mark.parametrize(
    ("way", "era"), [("memory", "auto"), ("stdio", "legacy"), ("http", "auto"), ("http", "legacy")]
)
async def test_senseless_arguments_are_refused_in_plain_words_and_nothing_is_asked(school, way, era):
    answers = await told(school, senseless(Known.of(school)), way, era)
    assert list(school.log) == []
    assert by_answer(answers) == snapshot("""\
set_homeroom_attendance can't take these arguments: student_id: an id is a whole number above 0, such as
    10423411.
  (an id that is true, an id that is 1.0, an id with SQL, an id of 2**63, an id of 0, an id that is nothing)
set_homeroom_attendance can't take these arguments: date: there is no day 2026-02-30.
  (30 February)
set_homeroom_attendance can't take these arguments: date: there is no day 0000-00-00.
  (a day of zeros)
set_homeroom_attendance can't take these arguments: date: a day is yyyy-mm-dd, today, yesterday or tomorrow.
  (a day in digits of another script, no day)
set_homeroom_attendance can't take these arguments: status: -1 means that nobody took the register; it is never
    written.
  (status -1)
set_homeroom_attendance can't take these arguments: status: a status is one of the codes 0, 1, 2, 3, 4, 5, 10,
    11, 12, 13, 14, 15, 16, 17, 18, or a label of the school's such as Late.
  (status 99, no status, a status that is true)
set_homeroom_attendance can't take these arguments: notes: at most 500 characters on one line can be written.
  (notes of 501 characters)
Give notes to write them or erase_notes to erase what is there, not both.
  (notes to write and to erase)
set_homeroom_attendance can't take these arguments: erase_notes: true or false is expected.
  (a yes for true)
set_homeroom_attendance knows no argument 'confirmtion'. Its arguments are: student_id, date, status, notes,
    erase_notes, confirmation.
  (a misspelt argument)
set_homeroom_attendance can't take these arguments: date: is missing; status: is missing.
  (arguments left out)
set_class_attendance can't take these arguments: marks: a list is expected.
  (marks that are no list, marks that are no JSON, marks nested without end)
set_class_attendance can't take these arguments: marks: the list is empty.
  (no marks)
set_class_attendance can't take these arguments: marks: at most 500 are expected at once.
  (501 marks)
set_class_attendance can't take these arguments: marks.1: an object is expected.
  (a mark that is none)
set_class_attendance can't take these arguments: marks.0 knows no 'note', only student_id, date, period, status,
    notes, erase_notes.
  (a mark with an unknown key)
set_class_attendance can't take these arguments: marks.0.period: a whole number is expected.
  (a period in words)
get_homeroom_attendance can't take these arguments: page: a whole number above 0 is expected.
  (page 0)
get_homeroom_attendance can't take these arguments: per_page: at most 200 is expected.
  (1,000 a page)
get_homeroom_attendance can't take these arguments: detail: one of 'counts', 'exceptions' or 'full' is expected.
  (an unknown detail)
find_in_school can't take these arguments: kind: one of 'student', 'parent', 'teacher', 'year group',
    'homeroom', 'class', 'programme' or 'term' is expected.
  (an unknown kind)
find_in_school can't take these arguments: names_or_ids: the list is empty.
  (no names)
find_in_school can't take these arguments: names_or_ids: at most 60 are expected at once.
  (61 names)
apply_changes can't take these arguments: confirmation: it is empty.
  (no confirmation)\
""")


async def test_what_the_school_does_not_have_is_refused_and_says_what_it_has(school):
    answers = await told(school, refused_by_the_school(Known.of(school)), "memory", "auto")
    assert by_answer(answers) == snapshot("""\
This school has no label 'Nonsense' here. It has: 0 Absent, 1 Present, 2 Tardy, 3 Present online, 4 Late & Dress
    Code, 5 Dismissed, 10 Health, 11 Sports, 12 Fieldtrip, 13 Excused, 14 Other, 15 School event.
  (an unknown label)
The school has no student with the id 5. The school's own number is not the id.
  (an unknown student)
Mathematics 8 has no slot in period 9. Its periods are: 1, 2, 3, 4, 5, 6.
  (a period that isn't one)
Never in Mathematics 8: Jyoti Deshpande (10400202).
  (a stranger to the class)
The school has no class with the id 5.
  (an unknown class)
The school has no year group with the id 5. It has: Grade 7 22400005, Grade 8 22400018, Grade 9 22400031, Grade
    10 22400044.
  (an unknown year group)
The school's API has no such record for get_homeroom_term_attendance (year_group_id 22400018, term_id 32026012),
    it says, no academic term 32026012. Look the id up again.
  (a term of another programme)
No group here is called 'Grade 99'. find_in_school helps with names.
  (a group that is only like another)
5 is no parent of Вікторія Бондаренко. Their parents: Андрій Бондаренко (12300947), Назар Shevchuk (12300954).
  (a stranger as parent)
Вікторія Бондаренко has no excusal with the id 5. Their excusals: 56955009 (2026-09-02 to 2026-09-02).
  (an unknown excusal)
Вікторія Бондаренко has no excusal with the id 57015004. Their excusals: 56955009 (2026-09-02 to 2026-09-02).
  (an excusal of another student)
No plan of yours has this confirmation. Plan the changes again.
  (a confirmation that nobody got)\
""")


async def test_a_refusal_is_one_or_two_plain_sentences(school):
    known = Known.of(school)
    answers = await told(school, {**senseless(known), **refused_by_the_school(known)}, "memory", "auto")
    for name, answered in answers.items():
        assert len(re.findall(r"[.!?](?: |$)", answered)) <= 2, (name, answered)
        assert "\n" not in answered
        assert "pydantic" not in answered.lower()
        assert len(answered) < 300, (name, answered)


async def test_the_value_that_was_wrong_is_not_repeated(school):
    cases = {"a name where an id belongs": (MARK, {"student_id": "Mia Tanaka", "date": "Mia Tanaka", "status": [1]})}
    assert "Mia" not in str(await told(school, cases, "memory", "auto"))


async def test_an_unknown_tool_is_an_error_that_the_model_sees(school):
    async with school.client() as ask:
        assert "no_such_tool" in await ask.error("no_such_tool")
