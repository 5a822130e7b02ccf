"""The school profile `school.toml`: what the API doesn't tell, with a safe default for everything."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from attendance_mcp.errors import SettingsError
from attendance_mcp.outside import one_line
from attendance_mcp.rules.calendar import Holiday
from attendance_mcp.rules.labels import Kinds, Label, Labels
from attendance_mcp.rules.rates import RateRule
from attendance_mcp.rules.tables import (
    ExcusalTable,
    HolidayTable,
    Me,
    ProgramTable,
    RateTable,
    Table,
    ZoneName,
    shown,
)
from attendance_mcp.status import Kind


class ProfileError(SettingsError, ValueError):
    """The school profile can't be used; each of its `problems` names the place in the file."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        head = "The school profile can't be used:"
        super().__init__(f"{head} {self.problems[0]}" if len(problems) == 1 else "\n- ".join((head, *self.problems)))


@dataclass(frozen=True, slots=True)
class ExcusalRules:
    """The school's own rules on excusals; None is not known. Whether days count by the calendar, no API says."""

    max_days: int | None = None
    counts: Literal["calendar", "school"] | None = None
    needs_parent: bool = True
    needs_comment: bool = False


@dataclass(frozen=True, slots=True)
class ProgramRules:
    """What holds in one programme: its own entries over the school's, over the defaults. None is not set.

    `days_off` are weekdays with Monday = 0; `period_starts` goes by the period that the school shows.
    """

    kinds: Kinds = field(default_factory=dict)
    days_off: frozenset[int] | None = None
    holidays: tuple[Holiday, ...] = ()
    homeroom_due: time | None = None
    class_due: time | None = None
    class_due_minutes: int | None = None
    period_starts: Mapping[int, time] = field(default_factory=dict)
    keeps_homeroom: bool | None = None
    rate: RateRule = field(default_factory=RateRule)
    excused_code: int | str | None = None
    excusals: ExcusalRules = field(default_factory=ExcusalRules)

    def excused_label(self, labels: Labels) -> Label | None:
        """The label of the school's code for excused.

        None where the profile names none, or names one that these labels don't have, or have twice.
        """
        if isinstance(self.excused_code, int):
            return labels[self.excused_code]
        found = labels.named(self.excused_code) if self.excused_code else ()
        return found[0] if len(found) == 1 else None


class Profile(Table):
    """A school profile; `Profile()` is what holds where a school has written none."""

    me: Me | None = None
    timezone: ZoneName | None = None
    absent_notifies_parents: bool | None = None
    school: ProgramTable = ProgramTable()
    programs: dict[str, ProgramTable] = Field(default_factory=dict)

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """The profile that a file's text holds. Raises ProfileError, naming every wrong place."""
        try:
            # An editor on Windows may begin the file with a byte order mark, which TOML does not know.
            written = tomllib.loads(text.removeprefix("\ufeff"))
        except tomllib.TOMLDecodeError as error:
            raise ProfileError([f"it is not valid TOML: {one_line(str(error), limit=160)}"]) from error
        try:
            return cls.model_validate(written)
        except ValidationError as error:
            # Without the cause: pydantic's own text shows values and addresses.
            raise ProfileError(explain(error)) from None

    @property
    def zone(self) -> ZoneInfo | None:
        """The school's time zone, where the profile names it."""
        return ZoneInfo(self.timezone) if self.timezone else None

    @model_validator(mode="after")
    def _programs_fit(self) -> Self:
        keys: dict[str, str] = {}
        for code in self.programs:
            other = keys.setdefault(program_key(code), code)
            if other != code:
                raise ValueError(f"programs.{code}: is the same programme as programs.{other}; write one table")
        tables = {"school": ProgramTable(), **{f"programs.{code}": table for code, table in self.programs.items()}}
        for place, table in tables.items():
            try:
                _merge(self.school, table)
            except ValueError as error:
                raise ValueError(f"{place}.{error}") from None
        return self

    def program(self, program_code: str | None) -> ProgramRules:
        """What holds in a programme; None, or one without a table, has the school's own entries.

        The API spells a code in more ways than one (`ib_myp`, `ibmyp`, `myp`): any of them finds it.
        """
        wanted = program_key(program_code or "")
        own = next((table for code, table in self.programs.items() if program_key(code) == wanted), None)
        return _merge(self.school, own or ProgramTable())

    def kinds(self, program_code: str | None) -> Kinds:
        """The kinds of the school's own codes (int) and casefolded labels in a programme."""
        return self.program(program_code).kinds


def program_key(code: str) -> str:
    """A programme's code without what the API's spellings of it differ in: `ib_myp`, `ibmyp` and `myp` are one."""
    plain = re.sub(r"[^a-z0-9]", "", code.casefold())
    return plain.removeprefix("ib") or plain


def explain(error: ValidationError) -> list[str]:
    """One line for each wrong entry: its place in the file, and what is expected there."""
    return [_problem(found) for found in error.errors()]


def _merge(school: ProgramTable, own: ProgramTable) -> ProgramRules:
    """The programme's entries over the school's; kinds and period starts by key, the rules entry by entry.

    Holidays add up: a programme with one of its own has the school's all the same. Raises ValueError where the
    entries don't fit each other.
    """
    written = {name: getattr(table, name) for table in (school, own) for name in table.model_fields_set}
    # A programme that says when its class registers are due has said it whole.
    if own.model_fields_set & {"class_due", "class_due_minutes"}:
        written |= {"class_due": own.class_due, "class_due_minutes": own.class_due_minutes}
    try:
        rate = RateRule(**_written(school.rate, own.rate))
    except ValueError as error:
        raise ValueError(f"rate: {error}") from None
    return ProgramRules(
        **{name: written[name] for name in _AS_WRITTEN if name in written},
        kinds=_kinds_with_excused({**school.kinds, **own.kinds}, written.get("excused_code")),
        holidays=tuple(_holiday(one) for one in (*school.holidays, *own.holidays)),
        period_starts={**school.period_starts, **own.period_starts},
        rate=rate,
        excusals=ExcusalRules(**_written(school.excusal_rules, own.excusal_rules)),
    )


_AS_WRITTEN = ("days_off", "homeroom_due", "class_due", "class_due_minutes", "keeps_homeroom", "excused_code")


def _written(*tables: RateTable | ExcusalTable) -> dict[str, Any]:
    return {name: getattr(table, name) for table in tables for name in table.model_fields_set}


def _holiday(written: HolidayTable) -> Holiday:
    return Holiday(written.start, written.end or written.start, one_line(written.name, limit=40))


def _kinds_with_excused(kinds: Mapping[Any, Kind], excused: int | str | None) -> Kinds:
    # Whoever names the code for excused has said what it counts as.
    if excused is None:
        return kinds
    if kinds.get(excused, Kind.EXCUSED) is not Kind.EXCUSED:
        raise ValueError(f"excused_code: is {shown(excused)}, but kinds says that this counts as {kinds[excused]}")
    return {**kinds, excused: Kind.EXCUSED}


_EXPECTED = {
    "bool_type": "is neither true nor false",
    "int_type": "is no whole number",
    "string_type": "is no text in quotes",
    "dict_type": "is no table",
    "model_type": "is no table",
    "model_attributes_type": "is no table",
    "tuple_type": "is no list",
    "frozen_set_type": "is no list",
    "missing": "is missing",
}
_TABLES: dict[str, type[Table]] = {
    "rate": RateTable,
    "excusal_rules": ExcusalTable,
    "holidays": HolidayTable,
    "school": ProgramTable,
    "programs": ProgramTable,
}


def _problem(found: ErrorDetails) -> str:
    place = [str(part) for part in found["loc"]]
    match found["type"]:
        case "value_error":
            words = found["msg"].removeprefix("Value error, ")
        case "extra_forbidden":
            words = _unknown(place)
        case "literal_error":
            words = f"{shown(found['input'])} is not {found['ctx']['expected']}"
        case "greater_than_equal" | "less_than_equal":
            limits = found["ctx"]
            words = f"{found['input']} is {'below' if 'ge' in limits else 'above'} {limits.get('ge', limits.get('le'))}"
        case "missing":
            words = "is missing"
        case kind:
            words = f"{shown(found['input'])} {_EXPECTED.get(kind, 'is not what is expected here')}"
    return f"{_where(found['loc'])}: {words}" if place else words


def _where(loc: tuple[int | str, ...]) -> str:
    """`school.holidays (item 2).start`: people count a list's items from 1."""
    text = ""
    for part in loc:
        if part != "[key]":
            text += f" (item {part + 1})" if isinstance(part, int) else f".{part}"
    return one_line(text.removeprefix("."), limit=120)


def _unknown(place: list[str]) -> str:
    *outer, name = place
    table = next((_TABLES[part] for part in reversed(outer) if part in _TABLES), Profile)
    if table is ProgramTable and name in Profile.model_fields:
        return "stands at the top of the file, above every table"
    if table is Profile and name in ProgramTable.model_fields:
        return "stands in a table: [school] for every programme, or [programs.CODE]"
    near = difflib.get_close_matches(name, table.model_fields, n=1)
    hint = f"did you mean {near[0]}?" if near else f"the entries here are {', '.join(table.model_fields)}"
    return f"is no entry; {hint}"
