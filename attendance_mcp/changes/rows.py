"""A plan and its changes as rows of the store, and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from attendance_mcp.changes.model import (
    Agreed,
    Approval,
    Change,
    ChangeKind,
    Outcome,
    Plan,
    PlanState,
    Way,
    target_from_json,
    target_to_json,
    value_from_json,
    value_to_json,
)


def what_became(change: Change) -> dict[str, Any]:
    """What a change's row takes once it is under way or ended."""
    return {
        "new_outcome": change.outcome,
        "new_reason": change.reason,
        "new_made_id": change.made_id,
        "new_known": json.dumps(sorted(change.known)) if change.known else None,
    }


def approval_text(agreed: Agreed) -> str:
    """`token`, or for a person's `human window`: who agreed and where."""
    return f"{agreed.approval} {agreed.way}" if agreed.way else str(agreed.approval)


def agreed_of(stored: str) -> Agreed:
    """Who agreed and where."""
    approval, _, way = stored.partition(" ")
    return Agreed(Approval(approval), Way(way) if way else None)


def row_of(plan_id: int, row: int, change: Change) -> dict[str, Any]:
    """The row of a change that is planned."""
    return {
        "plan_id": plan_id,
        "row": row,
        "kind": change.kind,
        "target": json.dumps(target_to_json(change.target)),
        "before": json.dumps(value_to_json(change.before)),
        "after": json.dumps(value_to_json(change.after)),
        "outcome": change.outcome,
        "reason": change.reason,
        "made_id": change.made_id,
    }


def change_of(row: sa.RowMapping) -> Change:
    """The change that a row holds."""
    return Change(
        kind=ChangeKind(row["kind"]),
        target=target_from_json(json.loads(row["target"])),
        before=value_from_json(json.loads(row["before"])),
        after=value_from_json(json.loads(row["after"])),
        outcome=Outcome(row["outcome"]),
        reason=row["reason"],
        made_id=row["made_id"],
        known=frozenset(json.loads(row["known"] or "[]")),
    )


def plan_of(header: sa.RowMapping, rows: Sequence[Change]) -> Plan:
    """The plan of a row, with its changes."""
    agreed = agreed_of(header["approval"])
    return Plan(
        code=header["code"],
        caller=header["caller"],
        school=header["school"],
        summary_hash=header["summary_hash"],
        errand_hash=header["errand_hash"],
        created=datetime.fromisoformat(header["created"]),
        expires=datetime.fromisoformat(header["expires"]),
        changes=tuple(rows),
        state=PlanState(header["state"]),
        approval=agreed.approval,
        way=agreed.way,
        settled=datetime.fromisoformat(header["settled"]) if header["settled"] else None,
        already=header["already"],
    )
