"""Every way to write as one table over the tiny school: the call that plans it, and what it makes of which record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.sandbox.tiny import AMINA, EMILIE, FEVER, MATHEMATICS, MIA, OMAR, RIN

from .playing import Key, Value

TODAY = "2025-11-24"  # Monday
MIAS_NOTE = "No call from home"
_HOMEROOM: Key = ("homeroom", MIA, TODAY)
_FEVER: Key = ("excusal", MIA, FEVER)
_EDIT_MARK = f"update homeroom_marks set status = 1 where student_id = {MIA} and date = '{TODAY}'"
_EDIT_CLASS = f"update class_marks set note = 'Left at 9' where student_id = {MIA} and date = '{TODAY}'"
_EDIT_EXCUSAL = f"update excusals set comment = 'Still ill' where id = {FEVER}"
_ADD_EXCUSAL = (
    "insert into excusals (student_id, parent_id, start_date, end_date, comment, created_at, updated_at) values "
    f"({OMAR}, {AMINA}, '2025-11-25', '2025-11-26', 'Dentist', '2025-11-24T01:00:00Z', '2025-11-24T01:00:00Z')"
)

Arguments = dict[str, Any]


@dataclass(frozen=True)
class WayToWrite:
    """`becomes` holds every record that the plan changes, as it reads then; a new excusal has no id before.

    `edited` is what somebody at the school does to one of these records after the plan. `undoes` is an item of
    plan_changes that is carried out first; the plan then is its way back.
    """

    name: str
    tool: str
    arguments: Arguments
    becomes: dict[Key, Value]
    edited: str
    deletions: int = 0
    undoes: Arguments | None = None

    def __str__(self) -> str:
        return self.name

    @property
    def by_itself(self) -> bool:
        """Whether the same call carries the plan out; else apply_changes does."""
        return self.tool != "plan_changes"

    @property
    def risk(self) -> str:
        """Why a person must agree to it, however it is set; empty where none needs to."""
        return "it deletes" if self.deletions else ""


def _errand(name: str, *items: Arguments, becomes: dict[Key, Value], edited: str, deletions: int = 0) -> WayToWrite:
    return WayToWrite(f"plan_changes, {name}", "plan_changes", {"changes": list(items)}, becomes, edited, deletions)


def _undo(name: str, of: Arguments, *, becomes: dict[Key, Value], edited: str, deletions: int = 0) -> WayToWrite:
    return WayToWrite(f"plan_changes, undo of {name}", "plan_changes", {}, becomes, edited, deletions, undoes=of)


_MARK = {"kind": "homeroom", "student_ids": [MIA], "dates": [TODAY], "status": 2}
_NEW = {"kind": "new excusal", "student_ids": [OMAR], "parent_id": AMINA, "dates": ["2025-11-26"], "comment": "Flu"}
_LATE: Value = (2, MIAS_NOTE)
_FLU: dict[Key, Value] = {("excusal", OMAR, None): ("2025-11-26", "2025-11-26", AMINA, "Flu")}
_LONGER: dict[Key, Value] = {_FEVER: ("2025-11-24", "2025-11-27", RIN, "Doctor's note follows")}

WAYS = (
    WayToWrite(
        "set_homeroom_attendance",
        "set_homeroom_attendance",
        {"student_id": MIA, "date": TODAY, "status": 2},
        {_HOMEROOM: _LATE},
        _EDIT_MARK,
    ),
    WayToWrite(
        "set_class_attendance",
        "set_class_attendance",
        {
            "class_id": MATHEMATICS,
            "marks": [
                {"student_id": MIA, "date": TODAY, "period": 1, "status": 2},
                {"student_id": EMILIE, "date": TODAY, "period": 1, "status": 2, "notes": "Bus 4"},
            ],
        },
        {("class", MIA, MATHEMATICS, TODAY, 1): (2, None), ("class", EMILIE, MATHEMATICS, TODAY, 1): (2, "Bus 4")},
        _EDIT_CLASS,
    ),
    WayToWrite(
        "create_excusal",
        "create_excusal",
        {"student_id": OMAR, "parent_id": AMINA, "start_date": "2025-11-26", "comment": "Flu"},
        _FLU,
        _ADD_EXCUSAL,
    ),
    WayToWrite(
        "update_excusal",
        "update_excusal",
        {"student_id": MIA, "excusal_id": FEVER, "end_date": "2025-11-27", "comment": "Doctor's note follows"},
        _LONGER,
        _EDIT_EXCUSAL,
    ),
    WayToWrite(
        "delete_excusal",
        "delete_excusal",
        {"student_id": MIA, "excusal_id": FEVER},
        {_FEVER: None},
        _EDIT_EXCUSAL,
        deletions=1,
    ),
    _errand("homeroom", _MARK, becomes={_HOMEROOM: _LATE}, edited=_EDIT_MARK),
    _errand(
        "class",
        {"kind": "class", "student_ids": [MIA], "dates": ["today"], "status": 2, "notes": "Bus 4"},
        becomes={("class", MIA, MATHEMATICS, TODAY, period): (2, "Bus 4") for period in (1, 2)},
        edited=_EDIT_CLASS,
    ),
    _errand("new excusal", _NEW, becomes=_FLU, edited=_ADD_EXCUSAL),
    _errand(
        "alter excusal",
        {
            "kind": "alter excusal",
            "student_ids": [MIA],
            "excusal_id": FEVER,
            "end_date": "2025-11-27",
            "comment": "Doctor's note follows",
        },
        becomes=_LONGER,
        edited=_EDIT_EXCUSAL,
    ),
    _errand(
        "delete excusal",
        {"kind": "delete excusal", "student_ids": [MIA], "excusal_id": FEVER},
        becomes={_FEVER: None},
        edited=_EDIT_EXCUSAL,
        deletions=1,
    ),
    _undo("homeroom", _MARK, becomes={_HOMEROOM: (0, MIAS_NOTE)}, edited=_EDIT_MARK),
    _undo(
        "new excusal",
        _NEW,
        becomes={("excusal", OMAR, 2): None},
        edited=f"update excusals set comment = 'Cold' where student_id = {OMAR}",
        deletions=1,
    ),
    _errand(
        "of three kinds",
        _MARK,
        _NEW,
        {"kind": "delete excusal", "student_ids": [MIA], "excusal_id": FEVER},
        becomes={_HOMEROOM: _LATE, **_FLU, _FEVER: None},
        edited=_EDIT_EXCUSAL,
        deletions=1,
    ),
)
MARK, _, NEW_EXCUSAL, _, DELETION, *ERRANDS = WAYS
BY_THEMSELVES = tuple(way for way in WAYS if way.by_itself)
