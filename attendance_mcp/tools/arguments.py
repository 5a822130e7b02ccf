"""The types of the tools' arguments: each validates, normalises and describes itself in the schema."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema

from attendance_mcp.changes.items import ItemKind
from attendance_mcp.digest.facts import Role
from attendance_mcp.outside import one_line
from attendance_mcp.school.clock import DayWord
from attendance_mcp.school.codes import CODE
from attendance_mcp.school.disclosure import EVERYTHING, Disclosure
from attendance_mcp.status import NOT_TAKEN, STATUSES, WRITABLE

LARGEST_ID = 2**53 - 1  # what JSON carries without loss
MOST_NOTES = 500
MOST_ROWS = 500


def _id(value: Any) -> int:
    """5 or "5"; never true, 5.0 or anything that has to be guessed."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,16}", value.strip(), re.ASCII):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST_ID:
        raise ValueError("an id is a whole number above 0, such as 10423411")
    return value


def _told(info: ValidationInfo) -> Disclosure:
    """How people are called in this call's arguments."""
    return info.context if isinstance(info.context, Disclosure) else EVERYTHING


def _of(role: Role) -> Callable[[Any, ValidationInfo], int]:
    return lambda value, info: _id(_told(info).meant(role, value))


def _optional_of(role: Role) -> Callable[[Any, ValidationInfo], int | None]:
    return lambda value, info: None if value in (None, "") else _of(role)(value, info)


def _ordinal(value: Any) -> int:
    try:
        return _id(value)
    except ValueError:
        raise ValueError("a whole number above 0 is expected") from None


def _name_or_id(value: Any) -> Any:
    """Some hosts hand an id over as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _day(value: Any) -> date | str:
    if isinstance(value, str):
        word = value.strip().lower()
        if word in ("today", "yesterday", "tomorrow"):
            return word
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", word, re.ASCII):
            try:
                return date.fromisoformat(word)
            except ValueError:
                raise ValueError(f"there is no day {word}") from None
    raise ValueError("a day is yyyy-mm-dd, today, yesterday or tomorrow")


def _status(value: Any) -> int | str:
    if isinstance(value, str):
        word = " ".join(value.split())
        if re.fullmatch(r"-?[0-9]{1,3}", word, re.ASCII):
            value = int(word)
        elif word:
            return word
    if isinstance(value, int) and not isinstance(value, bool):
        if value == NOT_TAKEN:
            raise ValueError("-1 means that nobody took the register; it is never written")
        if value in WRITABLE:
            return value
    codes = ", ".join(map(str, WRITABLE))
    raise ValueError(f"a status is one of the codes {codes}, or a label of the school's such as Late")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is expected")
    line = one_line(value, limit=MOST_NOTES + 1)
    if CODE.search(line):
        raise ValueError("the code of a person can't be written: at school it means nothing")
    if len(line) > MOST_NOTES:
        raise ValueError(f"at most {MOST_NOTES} characters on one line can be written")
    return line


def _list(value: Any) -> Any:
    """Some hosts hand a list over as its JSON text."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError("a list is expected") from None
    return value


def _names(value: Any) -> Any:
    """A list, its JSON text, or names pasted one a line."""
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return [line.strip() for line in value.splitlines() if line.strip()]
    return _list(value)


def _at_most(most: int, read: Callable[[Any], Any] = _list) -> BeforeValidator:
    """The list, if it has no more items: told before a million of them are looked at, each with an error of its own."""

    def check(value: Any) -> Any:
        value = read(value)
        if isinstance(value, list) and len(value) > most:
            raise ValueError(f"at most {most} are expected at once")
        return value

    return BeforeValidator(check)


def _schema(kind: str, description: str = "", **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": kind, **more, **({"description": description} if description else {})})


Id = Annotated[int, BeforeValidator(_id), _schema("integer", minimum=1)]
AStudent = Annotated[int, BeforeValidator(_of(Role.STUDENT)), _schema("integer", minimum=1, person="student")]
AParent = Annotated[int, BeforeValidator(_of(Role.PARENT)), _schema("integer", minimum=1, person="parent")]
OptionalStudent = Annotated[
    int | None, BeforeValidator(_optional_of(Role.STUDENT)), _schema("integer", person="student")
]
OptionalParent = Annotated[int | None, BeforeValidator(_optional_of(Role.PARENT)), _schema("integer", person="parent")]
Day = Annotated[date | DayWord, BeforeValidator(_day), _schema("string", "yyyy-mm-dd, today, yesterday or tomorrow")]
OptionalId = Annotated[
    int | None,
    BeforeValidator(lambda value: None if value in (None, "") else _id(value)),
    _schema("integer"),
]
OptionalDay = Annotated[
    date | DayWord | None,
    BeforeValidator(lambda value: None if value in (None, "") else _day(value)),
    _schema("string", "yyyy-mm-dd"),
]
FarDay = Annotated[  # where no argument `date` stands beside it
    date | DayWord | None,
    BeforeValidator(lambda value: None if value in (None, "") else _day(value)),
    _schema("string", "yyyy-mm-dd"),
]
GroupName = Annotated[
    str,
    BeforeValidator(_name_or_id),
    Field(max_length=200),
    _schema(
        "string", "programme, year group, homeroom (by its advisor) or class: a name or id; none is the whole school"
    ),
]
Since = Annotated[str, Field(max_length=20)]
Names = Annotated[
    list[Annotated[str, BeforeValidator(_name_or_id), Field(min_length=1, max_length=200)]],
    _at_most(60, _names),
    Field(min_length=1),
    _schema("array", items={"type": "string"}, minItems=1, maxItems=60),
]
FindKind = Annotated[
    Literal["", "student", "parent", "teacher", "year group", "homeroom", "class", "programme", "term"],
    _schema("string", enum=["student", "parent", "teacher", "year group", "homeroom", "class", "programme", "term"]),
]
StudentName = Annotated[
    str, BeforeValidator(_name_or_id), Field(min_length=1, max_length=200), _schema("string", "a name or id")
]
StatusOrLabel = Annotated[
    int | str,
    BeforeValidator(_status),
    WithJsonSchema(
        {
            "anyOf": [
                *({"const": code, "title": STATUSES[code].label} for code in WRITABLE),
                {"type": "string", "description": "the school's label"},
            ]
        }
    ),
]
WrittenText = Annotated[str, BeforeValidator(_text), _schema("string", maxLength=MOST_NOTES)]
Flag = Annotated[bool, Field(strict=True)]
Limit = Annotated[int, BeforeValidator(_ordinal), Field(le=50), _schema("integer", minimum=1, maximum=50)]
Page = Annotated[int, BeforeValidator(_ordinal), Field(le=10_000), _schema("integer", minimum=1)]
PerPage = Annotated[int, BeforeValidator(_ordinal), Field(le=200), _schema("integer", minimum=1, maximum=200)]
PeriodNumber = Annotated[int, Field(strict=True, ge=0, le=50), _schema("integer", minimum=0)]
PlanCode = Annotated[str, Field(min_length=1, max_length=64)]
Summary = Annotated[str, Field(min_length=1, max_length=2_000), _schema("string", "the plan's summary")]
Confirmation = Annotated[str, Field(max_length=64), _schema("string", "the plan's code, to carry it out")]
DetailLevel = Annotated[
    Literal["counts", "exceptions", "full"], _schema("string", enum=["counts", "exceptions", "full"])
]


class ClassMarkItem(BaseModel):
    """One mark of a class register as it shall be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    student_id: AStudent
    date: Day = "today"
    period: PeriodNumber
    status: StatusOrLabel
    notes: WrittenText = ""
    erase_notes: Flag = False


ClassMarks = Annotated[list[ClassMarkItem], _at_most(MOST_ROWS), Field(min_length=1, max_length=MOST_ROWS)]


def _numbers(most: int) -> WithJsonSchema:
    return _schema("array", items={"type": "integer"}, maxItems=most)


# Short schemas: a model pays for them at every start of a chat, and the labels stand in the other writing tools.
class ChangeItem(BaseModel):
    """One item of an errand, for every student and date that it names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ItemKind
    student_ids: Annotated[
        list[AStudent],
        _at_most(200),
        _schema("array", items={"type": "integer", "person": "student"}, maxItems=200),
    ] = []
    dates: Annotated[
        list[Day],
        _at_most(60),
        _schema("array", "yyyy-mm-dd, today, …", items={"type": "string"}, maxItems=60),
    ] = []
    periods: Annotated[list[PeriodNumber], _at_most(20), _numbers(20)] = []
    class_id: OptionalId = None
    status: Annotated[
        int | str | None,
        BeforeValidator(lambda value: None if value is None else _status(value)),
        WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}], "description": "a code or label"}),
    ] = None
    notes: WrittenText = ""
    erase_notes: Flag = False
    parent_id: OptionalParent = None
    excusal_id: OptionalId = None
    end_date: FarDay = None
    comment: WrittenText = ""
    confirmation: Annotated[str, Field(max_length=64), _schema("string")] = ""
    rows: Annotated[list[Page], _at_most(MOST_ROWS), _numbers(MOST_ROWS)] = []


ChangeItems = Annotated[list[ChangeItem], _at_most(60), Field(min_length=1, max_length=60)]
