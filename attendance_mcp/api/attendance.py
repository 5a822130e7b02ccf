"""The records of attendance: marks, totals, timetables and excusals, periods always as the school shows them."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Self

from pydantic import AliasChoices, AliasPath, BeforeValidator, Field, model_validator

from attendance_mcp.api.messages import field_messages, without_words
from attendance_mcp.api.periods import COUNTED_FROM_ONE, shift_of_day, shown_in, written
from attendance_mcp.api.record import Many, Page, Record, Tolerant

Day = datetime.date


class Mark(Record):
    """A mark as it is read: the code, the school's word for it, and the note that a teacher typed."""

    status: int = Field(validation_alias=AliasPath("category", "status"))
    label: str = Field(default="", validation_alias="status")
    note: str | None = None


_OR_NONE = Tolerant(lambda: None)


class StudentPeriods(Record):
    """A student's marks in a class on one day, by the period that the school shows."""

    id: int
    marks: Annotated[dict[int, Annotated[Mark, _OR_NONE]], Tolerant(dict)] = Field(default={}, alias="attendance")

    @model_validator(mode="after")
    def _without_gaps(self) -> Self:
        kept = {period: mark for period, mark in self.marks.items() if mark}
        return self if len(kept) == len(self.marks) else self.model_copy(update={"marks": kept})

    def shifted(self, by: int) -> Self:
        return self.model_copy(update={"marks": {period + by: mark for period, mark in self.marks.items()}})


class PeriodCounting(Record):
    """How the periods of a class are counted, as far as the answer says so."""

    periods_from: int | None = Field(default=None, alias="period_starts_count_from")
    period_offset: int | None = None


class ClassDay(Record):
    """A class's marks on one day, by the periods that the school shows."""

    students: list[StudentPeriods]
    counting: PeriodCounting = Field(default=PeriodCounting(), alias="timetable")

    @model_validator(mode="after")
    def _periods_as_shown(self) -> Self:
        counting = self.counting
        shift = shift_of_day(periods_from=counting.periods_from, period_offset=counting.period_offset)
        return self.model_copy(update={"students": [s.shifted(shift) for s in self.students]}) if shift else self


class HomeroomStudent(Record):
    """A student's homeroom mark on one day; None where there is no record."""

    id: int
    mark: Annotated[Mark | None, _OR_NONE] = Field(default=None, alias="attendance")


class HomeroomDay(Record):
    """A year group's homeroom marks on one day."""

    students: list[HomeroomStudent]


class CategoryCount(Record):
    """How often a student got a status in a term; zero counts are left out by the API."""

    label: str
    status: int
    value: int


class StudentTotals(Record):
    """A student's marks in a term, by status; -1 is counted apart."""

    id: int
    counts: Many[CategoryCount] = Field(default=[], alias="attendance_categories")


class TermTotals(Record):
    """The totals of a class or a year group in a term."""

    students: list[StudentTotals]


class Adjustment(Record):
    """A correction that an administrator made to a student's total of one label; may be negative."""

    id: int
    name: str
    adjustment: int


class StudentAdjustments(Record):
    """A student's adjustments in a term."""

    id: int
    adjustments: Many[Adjustment] = Field(default=[], alias="attendance_adjustments")


class Adjustments(Record):
    """The adjustments of a year group in a term."""

    students: list[StudentAdjustments]


class ClassMarkWrite(Record):
    """A class mark to be written; `notes` None leaves the key out, an empty one erases the note."""

    student_id: int
    date: Day
    period: int  # as the school shows it
    status: int
    notes: str | None = None

    def body(self, *, periods_from: int | None) -> dict[str, Any]:
        """The row as it goes over the wire, its period in the wire's counting."""
        row = {
            "student_id": self.student_id,
            "date": self.date.isoformat(),
            "period": written(self.period, periods_from=periods_from),
            "status": self.status,
        }
        return row if self.notes is None else {**row, "notes": self.notes}


class RowResult(Record):
    """What became of one row that was sent; `outcome` is `ok`, `not_found` or `unprocessable_entity`."""

    index: int
    student_id: int
    outcome: str = Field(alias="status", pattern=r"^[a-z_]{1,40}$")
    errors: Annotated[dict[str, list[str]], BeforeValidator(field_messages)] = Field(default={})

    def without_words(self) -> Self:
        """The result without the API's own words, which may name somebody."""
        return self.model_copy(update={"errors": without_words(self.errors)})

    def shown(self, *, periods_from: int | None) -> Self:
        """The result with periods as the school shows them."""
        if not self.errors:
            return self
        errors = {
            field: [shown_in(message, periods_from=periods_from) for message in messages]
            if "period" in field
            else messages
            for field, messages in self.errors.items()
        }
        return self.model_copy(update={"errors": errors})


class RowResults(Record):
    """The results of a class register that was written; the API answers 200 even where rows failed."""

    rows: list[RowResult] = Field(alias="attendance")


class Done(Record):
    """The bare "ok" of a homeroom mark that was written."""

    status: str = Field(pattern=r"^ok$")


class Slot(Record):
    """When a class meets; `day` is a weekday (1 = Monday) or a rotation day, the API doesn't say which."""

    day: int
    period: int  # as the school shows it
    location: str | None = None
    enabled: bool = True


class TimetableYear(Record):
    """The slots of a class in one academic year."""

    id: int
    name: str
    start_date: Day
    end_date: Day
    slots: Many[Slot] = Field(default=[])


class Timetable(Record):
    """When a class meets; `periods_from` is the school's first period, which writing its marks needs."""

    years: list[TimetableYear] = Field(validation_alias=AliasPath("timetable", "academic_years"))
    # Its place in the answer is assumed.
    periods_from: int = Field(
        default=COUNTED_FROM_ONE,
        validation_alias=AliasChoices(AliasPath("timetable", "period_starts_count_from"), "period_starts_count_from"),
    )


class Excusal(Record):
    """A parent's notice; `comment` is outside text. An excusal from the list of a date comes without its id."""

    student_id: int
    start_date: Day
    end_date: Day
    duration: int | None = None
    id: int | None = None
    parent_id: int | None = None
    comment: str | None = None
    created_at: str | None = None  # a moment; nobody documents its form
    updated_at: str | None = None


class ExcusalBody(Record):
    """One excusal as it was made, changed or deleted."""

    excusal: Excusal = Field(validation_alias=AliasChoices("excusal", AliasPath("excusals", 0)))


class ExcusalPage(Page[Excusal]):
    items: list[Excusal] = Field(alias="excusals")
