"""A sheet as a table that a spreadsheet opens."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from attendance_mcp.digest.sheets import AbsenceSheet, Chip, GroupTerm, RegisterSheet, StudentTerm
from attendance_mcp.outside import one_line
from attendance_mcp.window.ports import SheetContent

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
EXCUSAL = {True: "yes", False: "no", None: "not known"}
_MARK = "\ufeff"  # without it Excel takes UTF-8 for the machine's old code page


def rows(content: SheetContent) -> list[list[str]]:
    """The sheet's table with its head, every text one line; empty where a sheet is none."""
    match content:
        case RegisterSheet():
            return list(_register(content))
        case AbsenceSheet():
            return list(_absences(content))
        case StudentTerm():
            days = [[day.isoformat(), chip.text, str(chip.kind)] for day, chip in content.days.items()]
            return [["Date", "Mark", "Counts as"], *days]
        case GroupTerm():
            return list(_ranking(content))
    return []


def as_csv(table: Iterable[Sequence[str]]) -> bytes:
    """The table as CSV in UTF-8. A cell that a spreadsheet would carry out as a formula is led by an apostrophe."""
    written = io.StringIO()
    csv.writer(written).writerows([_inert(cell) for cell in row] for row in table)
    return (_MARK + written.getvalue()).encode()


def file_name(content: SheetContent) -> str:
    """A name for the file that names no student."""
    match content:
        case RegisterSheet():
            return f"register-{_slug(content.of)}-{content.day.isoformat()}.csv"
        case GroupTerm():
            return f"term-{_slug(content.of)}.csv"
    return "term.csv"


def _register(sheet: RegisterSheet) -> Iterable[list[str]]:
    periods = sheet.periods
    heads = [f"Period {period}" for period in periods]
    yield ["Student", "Year group", "Register", "Homeroom", "Homeroom counts as", *heads, "Excusal"]
    for own in sheet.registers.values():
        for row in own:
            homeroom = row.homeroom
            marks = [_texts(row.periods.get(period, ())) for period in periods]
            told = [homeroom.text, str(homeroom.kind)] if homeroom else ["", ""]
            yield [row.student, row.group, row.register, *told, *marks, EXCUSAL[row.excusal]]


def _absences(sheet: AbsenceSheet) -> Iterable[list[str]]:
    yield ["Student", "Year group", "Register", "Mark", "Counts as", "Excusal"]
    for row in sheet.rows:
        mark = [row.homeroom.text, str(row.homeroom.kind)] if row.homeroom else ["", ""]
        yield [row.student, row.group, row.register, *mark, EXCUSAL[row.excusal]]


def _ranking(sheet: GroupTerm) -> Iterable[list[str]]:
    yield ["Student", "Year group", "Class", "Rate", "Away", f"Of counted {sheet.unit}", "Adjusted"]
    for row in sheet.rows:
        yield [row.student, row.group, row.class_name, row.rate, str(row.away), str(row.of), row.adjusted]


def _texts(chips: Iterable[Chip]) -> str:
    return ", ".join(chip.text for chip in chips)


def _inert(cell: str) -> str:
    line = one_line(cell, limit=500)
    return f"'{line}" if line.startswith(_FORMULA) else line


def _slug(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "group"
