"""Looking at the journal as a whole, without the school: its chain checked, its plans as records of ids and codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from attendance_mcp.changes.chain import plan_link, row_digest, without_texts
from attendance_mcp.changes.keeping import ERASED_ROW
from attendance_mcp.changes.model import Outcome
from attendance_mcp.changes.tables import chains, changes, of_student, plans

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Checked:
    """One school's chain. `broken` says where it no longer holds, and is empty where it does."""

    school: str
    plans: int
    erased: int  # rows of which only the digest is left
    last: str
    broken: tuple[str, ...] = ()


def check(connection: sa.Connection) -> list[Checked]:
    """Every school's chain from its anchor to its end."""
    known = connection.execute(chains.select().order_by(chains.c.school)).mappings().all()
    linked = sa.select(plans.c.school).where(plans.c.link.is_not(None)).distinct()
    strays = set(connection.execute(linked).scalars()) - {chain["school"] for chain in known}
    return [
        *(_check_one(connection, chain) for chain in known),
        *(Checked(school, 0, 0, "", ("The school's chain has no record.",)) for school in sorted(strays)),
    ]


def records(
    connection: sa.Connection, *, student_id: int | None = None, texts: bool = False, school: str = ""
) -> list[Record]:
    """The plans that stand in the store, oldest first; of ended ones their link, texts only where asked for."""
    query = plans.select().order_by(plans.c.id)
    own = changes.select().order_by(changes.c.plan_id, changes.c.row)
    if school:
        query = query.where(plans.c.school == school)
    if student_id is not None:
        query = query.where(plans.c.id.in_(sa.select(changes.c.plan_id).where(of_student(student_id))))
        own = own.where(of_student(student_id))
    found: dict[int, Record] = {plan["id"]: _plan_record(plan) for plan in connection.execute(query).mappings()}
    for row in connection.execute(own).mappings():
        if row["plan_id"] in found:
            found[row["plan_id"]]["changes"].append(_row_record(row, texts=texts))
    return list(found.values())


def _check_one(connection: sa.Connection, chain: sa.RowMapping) -> Checked:
    linked = (plans.c.school == chain["school"], plans.c.state.in_(("settled", "stale")))
    ended = connection.execute(plans.select().where(*linked).order_by(plans.c.place, plans.c.id)).mappings().all()
    rows: dict[int, list[sa.RowMapping]] = {plan["id"]: [] for plan in ended}
    query = changes.select().where(changes.c.plan_id.in_(sa.select(plans.c.id).where(*linked)))
    for row in connection.execute(query.order_by(changes.c.plan_id, changes.c.row)).mappings():
        rows[row["plan_id"]].append(row)
    previous, place = chain["anchor"], chain["anchor_place"]
    broken: list[str] = []
    for plan in ended:
        broken += _faults(plan, rows[plan["id"]], previous, place)
        previous, place = plan["link"], plan["place"] or place
    if (previous, place) != (chain["last"], chain["places"]):
        broken.append(f"The chain ends at place {place}, where it should at {chain['places']}.")
    erased = sum(row["outcome"] == Outcome.ERASED for own in rows.values() for row in own)
    return Checked(chain["school"], len(ended), erased, chain["last"], tuple(broken))


def _faults(plan: sa.RowMapping, rows: list[sa.RowMapping], previous: str, place: int) -> Iterator[str]:
    if plan["place"] != place + 1:
        yield f"Plan {plan['code']}: it does not follow place {place}; a plan before it is missing or was added."
    for row in rows:
        if not _row_holds(row):
            yield f"Plan {plan['code']}, row {row['row'] + 1}: it was altered."
    if plan["link"] != plan_link(previous, dict(plan), [row["digest"] or "" for row in rows]):
        yield f"Plan {plan['code']}: its link does not hold; it, its rows or the plan before it were altered."


def _row_holds(row: sa.RowMapping) -> bool:
    if row["outcome"] == Outcome.ERASED:
        return all(row[name] == value for name, value in ERASED_ROW.items())
    try:
        return bool(row["digest"] == row_digest(dict(row), row["salt"]))
    except (ValueError, AttributeError):
        return False  # what stands there is no longer what this program writes


def _plan_record(plan: sa.RowMapping) -> Record:
    names = ("code", "caller", "school", "state", "approval", "created", "settled", "already", "place", "link")
    return {**{name: plan[name] for name in names}, "texts_purged": plan["purged"], "changes": []}


def _row_record(row: sa.RowMapping, *, texts: bool) -> Record:
    record: Record = {"row": row["row"] + 1, "kind": row["kind"], "outcome": row["outcome"]}
    if row["outcome"] != Outcome.ERASED:
        record |= {"target": json.loads(row["target"])}
        for side in ("before", "after"):
            record[side] = json.loads(row[side]) if texts else without_texts(row[side])[0]
        record |= {"made_id": row["made_id"], "salt": row["salt"], **({"reason": row["reason"]} if texts else {})}
    return {**record, "digest": row["digest"]}
