"""Reading a mark from a body, and writing marks of either kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from attendance_mcp.sandbox.requests import Call, read_int
from attendance_mcp.status import WRITABLE

Errors = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class NewMark:
    """What to store: the note is the new one, None where it is cleared; `keeps_note` leaves the old one standing."""

    status: int
    note: str | None
    keeps_note: bool


def read_mark(call: Call, body: Mapping[str, Any]) -> tuple[NewMark | None, Errors]:
    """Read the status and notes of a body, or say what is wrong with them."""
    errors: Errors = {}
    status = read_int(body.get("status"))
    if "status" not in body:
        errors["status"] = ["can't be blank"]
    elif status not in WRITABLE:  # -1 is only ever read
        errors["status"] = ["is not included in the list"]
    notes = body.get("notes", "")
    if not isinstance(notes, str):
        errors["notes"] = ["is invalid"]
    if errors or status is None:
        return None, errors
    keeps = "notes" not in body and call.assumptions.notes_omitted == "kept"
    return NewMark(status, notes or None, keeps), {}


def write_marks(call: Call, table: sa.Table[Any], rows: Iterable[tuple[Mapping[str, Any], NewMark]]) -> None:
    """Create or update marks by the table's key; where a key comes twice the later mark stands."""
    latest: dict[tuple[Any, ...], tuple[Mapping[str, Any], NewMark]] = {}
    for key, new in rows:
        _, known = latest.get(tuple(key.values()), (key, None))
        mark = replace(known, status=new.status) if known is not None and new.keeps_note else new
        latest[tuple(key.values())] = (key, mark)
    for keeps_note in (True, False):
        values = [
            {**key, "status": mark.status, "note": mark.note}
            for key, mark in latest.values()
            if mark.keeps_note is keeps_note
        ]
        if values:
            statement = insert(table)
            updated = {"status": statement.excluded.status}
            if not keeps_note:
                updated["note"] = statement.excluded.note
            keys = list(table.primary_key.columns)
            call.db.execute(statement.on_conflict_do_update(index_elements=keys, set_=updated), values)
