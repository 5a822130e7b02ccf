"""What each type of argument takes, and in which words it refuses the rest."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from inline_snapshot import snapshot
from pydantic import TypeAdapter, ValidationError

from attendance_mcp.digest.facts import Role
from attendance_mcp.school.codes import Codes
from attendance_mcp.school.disclosure import Disclosure
from attendance_mcp.tools.arguments import (
    AParent,
    AStudent,
    ChangeItem,
    ChangeItems,
    ClassMarkItem,
    ClassMarks,
    Day,
    Id,
    Limit,
    Names,
    OptionalDay,
    OptionalId,
    OptionalParent,
    OptionalStudent,
    StatusOrLabel,
    StudentName,
    WrittenText,
)

CODES = Codes(lambda: bytes(range(32)), school="harbour")
MIA = CODES.code(Role.STUDENT, 5)
DAY = date(2026, 11, 24)


def read(kind: Any, given: Any, context: Disclosure | None = None) -> Any:
    return TypeAdapter(kind).validate_python(given, context=context)


def refused(kind: Any, given: Any, context: Disclosure | None = None) -> str:
    with pytest.raises(ValidationError) as caught:
        read(kind, given, context)
    return "; ".join(error["msg"].removeprefix("Value error, ") for error in caught.value.errors())


@pytest.mark.parametrize(
    ("kind", "given", "taken"),
    [
        (Id, 1, 1),
        (Id, " 5 ", 5),
        (Id, 2**53 - 1, 2**53 - 1),
        (Id, str(2**53 - 1), 2**53 - 1),
        (AStudent, "5", 5),
        (OptionalId, "", None),
        (OptionalId, None, None),
        (OptionalId, "7", 7),
        (OptionalStudent, "", None),
        (OptionalStudent, None, None),
        (OptionalParent, "7", 7),
        (StudentName, 5, "5"),
        (StudentName, "Mia", "Mia"),
        (Day, " Today", "today"),
        (Day, "YESTERDAY", "yesterday"),
        (Day, "tomorrow ", "tomorrow"),
        (Day, "2026-11-24", DAY),
        (OptionalDay, "", None),
        (OptionalDay, None, None),
        (OptionalDay, "2026-11-24", DAY),
        (StatusOrLabel, 0, 0),
        (StatusOrLabel, " 18 ", 18),
        (StatusOrLabel, " Very  late", "Very late"),
        (StatusOrLabel, "1234", "1234"),
        (StatusOrLabel, "٣", "٣"),  # not a digit of a code's: a label, which the school then doesn't have
        (WrittenText, "a\n b", "a b"),
        (WrittenText, "x" * 500, "x" * 500),
        (Names, " Mia\n\n Omar ", ["Mia", "Omar"]),
        (Names, ' ["Mia", 5]', ["Mia", "5"]),
        (Names, [5, "Mia"], ["5", "Mia"]),
        (Limit, "50", 50),
    ],
)
def test_what_a_host_may_write_otherwise_means_the_same(kind, given, taken):
    found = read(kind, given)
    assert (found, type(found)) == (taken, type(taken))


ID = "an id is a whole number above 0, such as 10423411"


@pytest.mark.parametrize("given", [0, -1, 2**53, "0", "-5", str(2**53), "1" * 17, "٣", "5.0", 5.0, True, None, "", [5]])
def test_an_id_is_never_guessed(given):
    for kind in (Id, AStudent, AParent):
        assert refused(kind, given) == ID
    if given not in (None, ""):
        for kind in (OptionalId, OptionalStudent, OptionalParent):
            assert refused(kind, given) == ID


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (StudentName, True, snapshot("Input should be a valid string")),
        (Day, "tomorow", snapshot("a day is yyyy-mm-dd, today, yesterday or tomorrow")),
        (Day, "2026-02-30", snapshot("there is no day 2026-02-30")),
        (Day, "２026-11-24", snapshot("a day is yyyy-mm-dd, today, yesterday or tomorrow")),
        (Day, DAY, snapshot("a day is yyyy-mm-dd, today, yesterday or tomorrow")),
        (OptionalDay, "soon", snapshot("a day is yyyy-mm-dd, today, yesterday or tomorrow")),
        (StatusOrLabel, "-1", snapshot("-1 means that nobody took the register; it is never written")),
        (
            StatusOrLabel,
            99,
            snapshot(
                "a status is one of the codes 0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16, 17, 18, or a label of the school's such as Late"
            ),
        ),
        (
            StatusOrLabel,
            " ",
            snapshot(
                "a status is one of the codes 0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16, 17, 18, or a label of the school's such as Late"
            ),
        ),
        (
            StatusOrLabel,
            True,
            snapshot(
                "a status is one of the codes 0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16, 17, 18, or a label of the school's such as Late"
            ),
        ),
        (WrittenText, 5, snapshot("a text is expected")),
        (WrittenText, "x" * 501, snapshot("at most 500 characters on one line can be written")),
        (WrittenText, f"seen by {MIA}", snapshot("the code of a person can't be written: at school it means nothing")),
        (ClassMarks, "[", snapshot("a list is expected")),
        (ClassMarks, "[" * 100_000, snapshot("a list is expected")),
        (ClassMarks, [1] * 501, snapshot("at most 500 are expected at once")),
        (ChangeItems, [1] * 61, snapshot("at most 60 are expected at once")),
        (Names, ["Mia"] * 61, snapshot("at most 60 are expected at once")),
        (Limit, 0, snapshot("a whole number above 0 is expected")),
        (Limit, 51, snapshot("Input should be less than or equal to 50")),
    ],
)
def test_what_is_refused_is_told_with_what_is_expected(kind, given, said):
    assert refused(kind, given) == said


def test_where_people_go_by_codes_only_the_code_of_such_a_person_names_them():
    told = Disclosure(codes=CODES)
    assert read(AStudent, MIA, told) == read(OptionalStudent, f" {MIA.upper()}", told) == 5
    assert read(OptionalParent, CODES.code(Role.PARENT, 7), told) == 7
    for given in (5, "5", MIA[:-1], CODES.code(Role.PARENT, 5)):
        for kind in (AStudent, OptionalStudent):
            assert refused(kind, given, told) == snapshot(
                "the code stu_… of a student is expected; find_in_school answers it"
            )
    assert (
        refused(AParent, MIA, told)
        == refused(OptionalParent, MIA, told)
        == snapshot("the code par_… of a parent is expected; find_in_school answers it")
    )
    assert read(Id, 5, told) == 5  # a class, say


def test_items_may_come_as_the_json_text_of_their_list_and_have_no_other_keys():
    item = {"kind": "class", "student_ids": ["5"], "dates": ["today"], "periods": [2], "status": "Late"}
    assert read(ChangeItems, json.dumps([item])) == [
        ChangeItem(kind="class", student_ids=[5], dates=["today"], periods=[2], status="Late")
    ]
    mark = {"student_id": 5, "period": 2, "status": 2}
    assert read(ClassMarks, [mark]) == [ClassMarkItem(student_id=5, date="today", period=2, status=2)]
    assert refused(ClassMarks, [{**mark, "note": "x"}]) == "Extra inputs are not permitted"
    assert read(ChangeItem, {"kind": "undo", "status": None}).status is None
