"""The tables of the school profile `school.toml`, as they are written there; each entry checked in clear words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from attendance_mcp.outside import one_line
from attendance_mcp.rules.rates import Side
from attendance_mcp.status import ABSENT, NOT_TAKEN, PRESENT, STATUSES, WRITABLE, Kind

KINDS = tuple(kind for kind in Kind if kind not in (Kind.UNCLASSIFIED, Kind.NOT_TAKEN))
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_EXCUSAL_DAYS = 12  # the API's own limit; a school can only ask for less


def label_key(words: str) -> str:
    """A label as marks are looked up by it: one line, in any case."""
    return one_line(words, limit=40).casefold()


def shown(value: object) -> str:
    """A value of the file in an error's words, on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{one_line(value)}'" if isinstance(value, str) else one_line(str(value))


def _kind(value: Any) -> Kind:
    for kind in KINDS:
        if isinstance(value, str) and value.strip().casefold() == kind.value:
            return kind
    raise ValueError(f"{shown(value)} is no kind; the kinds are {', '.join(KINDS)}")


def _side(value: Any) -> Side:
    for side in Side:
        if isinstance(value, str) and value.strip().casefold() == side.value:
            return side
    raise ValueError(f"{shown(value)} is none of {', '.join(Side)}")


def _kind_keys(table: Mapping[str, Kind]) -> Mapping[int | str, Kind]:
    kinds: dict[int | str, Kind] = {}
    for written, kind in table.items():
        key = _code_or_label(written)
        if key in kinds:
            raise ValueError(f"{shown(written)} stands there twice")
        if key == NOT_TAKEN:
            raise ValueError("-1 is a register that was not taken, and counts as nothing; leave it out")
        if key in (ABSENT, PRESENT) and kind is not STATUSES[int(key)].kind:
            raise ValueError(f"{key} is {STATUSES[int(key)].kind} in every school, not {kind}; leave it out")
        kinds[key] = kind
    return kinds


def _code_or_label(value: Any) -> int | str:
    if isinstance(value, str) and not value.strip().removeprefix("-").isdecimal():
        if not label_key(value):
            raise ValueError("a label without words can't be found")
        return label_key(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"{shown(value)} is neither a code nor a label")  # noqa: TRY004  pydantic words no TypeError
    if int(value) not in STATUSES:
        codes = ", ".join(str(code) for code in WRITABLE)
        raise ValueError(f"{value} is no code of a mark; the codes are {codes}")
    return int(value)


def _excused_code(value: Any) -> int | str:
    code = _code_or_label(value)
    if code in (NOT_TAKEN, ABSENT, PRESENT):
        raise ValueError(f"{code} can't be the code for excused: it means something else in every school")
    return code


def _weekday(value: Any) -> int:
    for number, name in enumerate(WEEKDAYS):
        if isinstance(value, str) and value.strip().casefold() in (name.casefold(), name[:3].casefold()):
            return number
    raise ValueError(f"{shown(value)} is no weekday; the weekdays are {', '.join(WEEKDAYS)}")


def _clock(value: Any) -> time:
    if isinstance(value, time):  # TOML has times of its own: 08:45:00 without quotes
        return value.replace(second=0, microsecond=0)
    try:
        return datetime.strptime(value.strip(), "%H:%M").time()  # noqa: DTZ007  a school's clock has no zone
    except (ValueError, AttributeError):
        raise ValueError(f'{shown(value)} is no time of day; write it as "08:45"') from None


def _day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return datetime.strptime(value.strip(), "%Y-%m-%d").date()  # noqa: DTZ007  a day has no zone
    except (ValueError, AttributeError):
        raise ValueError(f"{shown(value)} is no day; write it as 2026-12-25") from None


def _period(value: Any) -> int:
    text = value.strip() if isinstance(value, str) else ""
    if not (text.isascii() and text.isdecimal() and len(text) <= 2):
        raise ValueError(f"{shown(value)} is no period; write its number as the school shows it")
    return int(text)


def _zone(value: str) -> str:
    try:
        return ZoneInfo(value.strip()).key
    # A folder of the zone files gives an OSError, a path a ValueError, an unknown name a KeyError.
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{shown(value)} is no time zone; write one such as Asia/Singapore") from None


def _me(value: Any) -> int | str:
    if isinstance(value, str) and value.strip():
        return " ".join(value.split())
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise ValueError(f"{shown(value)} is no advisor; write an id or a name")


def _span(value: Any) -> Any:
    # A holiday of one day is written as the day alone.
    return value if isinstance(value, dict | BaseModel) else {"start": value}


Clock = Annotated[time, BeforeValidator(_clock)]
Day = Annotated[date, BeforeValidator(_day)]
KindWord = Annotated[Kind, BeforeValidator(_kind)]
SideWord = Annotated[Side, BeforeValidator(_side)]
Weekday = Annotated[int, BeforeValidator(_weekday)]
CodeOrLabel = Annotated[int | str, BeforeValidator(_excused_code)]
Period = Annotated[int, BeforeValidator(_period)]
ZoneName = Annotated[str, AfterValidator(_zone)]
Me = Annotated[int | str, BeforeValidator(_me)]


class Table(BaseModel):
    """A table of the file: an entry that nobody knows is an error, since a typo must not vanish."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class HolidayTable(Table):
    """Days off from start to end, both included; a day alone stands for itself."""

    start: Day
    end: Day | None = None
    name: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end is not None and self.end < self.start:
            raise ValueError(f"ends on {self.end}, before it starts on {self.start}")
        return self


class RateTable(Table):
    """The rule of the rate, as far as it isn't the usual one."""

    late: SideWord = Side.ATTENDED
    left: SideWord = Side.ATTENDED
    out: SideWord = Side.ATTENDED
    excused: SideWord = Side.AWAY
    health: SideWord = Side.AWAY
    other: SideWord = Side.NEITHER
    lates_per_absence: Annotated[int, Field(ge=0, le=100)] = 0


class ExcusalTable(Table):
    """The school's own rules on excusals, beyond the API's."""

    max_days: Annotated[int, Field(ge=1, le=MOST_EXCUSAL_DAYS)] | None = None
    counts: Literal["calendar", "school"] | None = None
    needs_parent: bool = True
    needs_comment: bool = False


class ProgramTable(Table):
    """What is set for one programme, or in `[school]` for all of them; what is not written is not set."""

    kinds: Annotated[dict[str, KindWord], AfterValidator(_kind_keys)] = Field(default_factory=dict)
    days_off: Annotated[frozenset[Weekday] | None, Field(strict=False)] = None
    holidays: Annotated[tuple[Annotated[HolidayTable, BeforeValidator(_span)], ...], Field(strict=False)] = ()
    homeroom_due: Clock | None = None
    class_due: Clock | None = None
    class_due_minutes: Annotated[int, Field(ge=0, le=1440)] | None = None
    period_starts: dict[Period, Clock] = Field(default_factory=dict)
    keeps_homeroom: bool | None = None
    rate: RateTable = RateTable()
    excused_code: CodeOrLabel | None = None
    excusal_rules: ExcusalTable = ExcusalTable()
