"""Leases on targets: of two plans of one target, in whatever processes and replicas, one is carried out at a time.

A plan takes the lease on all its targets with its claim, or isn't had; it frees them with its end. One that lapsed, of
a process that crashed or slept, is taken over, and its plan is no longer that process's to carry out.

Rows are locked in one order, plans before leases, so that on PostgreSQL no two transactions wait for each other.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from attendance_mcp.changes.model import PlanState, Target, target_from_json
from attendance_mcp.changes.tables import changes, leases, plans

_LOCK = 4_820_117_633  # any number that nothing else in the database takes


def stamp(moment: datetime) -> str:
    """Sortable text: one form on both engines."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def one_at_a_time(connection: sa.Connection) -> None:
    """Makes transactions that call this wait for each other. On SQLite every transaction does so anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def claim_with_targets(
    connection: sa.Connection, code: str, taken: Mapping[str, Any], *, now: datetime, until: datetime
) -> bool:
    """Takes a waiting plan with all its targets; false where it no longer waits, or another plan has one of them."""
    one_at_a_time(connection)
    query = sa.select(plans.c.id, plans.c.school).where(plans.c.code == code, plans.c.state == PlanState.WAITING)
    if (plan := connection.execute(query.with_for_update()).one_or_none()) is None:
        return False
    targets = _targets(connection, plan.id)
    contested = (leases.c.school == plan.school, leases.c.target.in_(targets))
    live = sa.select(sa.func.count()).select_from(leases).where(*contested, leases.c.until >= stamp(now))
    if connection.execute(live).scalar_one():
        return False
    _take_over(connection, sa.select(leases.c.plan_id).where(*contested), now=now)
    connection.execute(plans.update().where(plans.c.id == plan.id).values(**taken, lease_until=stamp(until)))
    rows = [{"school": plan.school, "target": name, "plan_id": plan.id, "until": stamp(until)} for name in targets]
    connection.execute(leases.insert(), rows)
    return True


def free(connection: sa.Connection, plan_id: int) -> None:
    """Ends the leases of a plan."""
    connection.execute(leases.delete().where(leases.c.plan_id == plan_id))


def _take_over(connection: sa.Connection, held: sa.Select[tuple[int]], *, now: datetime) -> None:
    """Ends the lapsed leases of other plans. A process that sleeps and wakes up must send nothing more of those."""
    ids = sorted(set(connection.execute(held).scalars()))
    cut_off = plans.update().where(plans.c.id.in_(ids), plans.c.state == PlanState.APPLYING)
    connection.execute(cut_off.values(lease_until=stamp(now)))
    connection.execute(leases.delete().where(leases.c.plan_id.in_(ids)))


def _targets(connection: sa.Connection, plan_id: int) -> Collection[str]:
    stored = connection.execute(sa.select(changes.c.target).where(changes.c.plan_id == plan_id)).scalars()
    return sorted({_name(target_from_json(json.loads(target))) for target in stored})


def _name(target: Target) -> str:
    """What one request at a time goes to: the class of a class mark, else the student."""
    return f"class {target.class_id}" if target.class_id else f"student {target.student_id}"
