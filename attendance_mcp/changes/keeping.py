"""What the store keeps and for how long: links of ended plans, texts that go, old plans that go, a student's erasure.

Each function works inside a transaction of the store's.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from attendance_mcp.changes.chain import START, plan_link, purged, row_digest
from attendance_mcp.changes.leases import one_at_a_time, stamp
from attendance_mcp.changes.model import ERASED_TARGET, Outcome, PlanState
from attendance_mcp.changes.tables import chains, changes, of_student, plans
from attendance_mcp.errors import PlanError

NEVER_CARRIED_OUT = timedelta(days=1)  # how long a plan stays that was declined, or to which nobody agreed
BETWEEN_PURGES = timedelta(hours=1)
ENDED = (PlanState.SETTLED, PlanState.STALE)
ERASED_ROW = {  # what stands in the place of a row of which only the digest is left
    "target": ERASED_TARGET,
    "before": "null",
    "after": "null",
    "outcome": Outcome.ERASED,
    "reason": "",
    "made_id": None,
    "salt": None,
}


@dataclass(frozen=True, slots=True)
class Keeps:
    """How long after a plan's end its texts and its rows stay."""

    texts: timedelta = timedelta(days=30)
    rows: timedelta = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure took out: rows of plans that ended, and whole plans that were never carried out."""

    rows: int
    plans: int


def chain(connection: sa.Connection, plan_id: int) -> None:
    """Gives a plan that just ended its rows' digests and its link."""
    plan = connection.execute(plans.select().where(plans.c.id == plan_id)).mappings().one()
    own = chains.c.school == plan["school"]
    # Locks the school's chain until the transaction ends, so that two plans never follow the same link.
    step = chains.update().where(own).values(places=chains.c.places + 1)
    if connection.execute(step).rowcount == 0:
        # Another process may make it at this moment; then the step waits for that one.
        with suppress(IntegrityError), connection.begin_nested():
            first = {"school": plan["school"], "anchor": START, "anchor_place": 0, "last": START, "places": 0}
            connection.execute(chains.insert().values(first))
        connection.execute(step)
    previous, place = connection.execute(sa.select(chains.c.last, chains.c.places).where(own)).one()
    digests = []
    rows = connection.execute(changes.select().where(changes.c.plan_id == plan_id).order_by(changes.c.row))
    for row in rows.mappings().all():
        salt = secrets.token_hex(16)
        digests.append(row_digest(dict(row), salt))
        this = (changes.c.plan_id == plan_id, changes.c.row == row["row"])
        connection.execute(changes.update().where(*this).values(salt=salt, digest=digests[-1]))
    link = plan_link(previous, dict(plan), digests)
    connection.execute(plans.update().where(plans.c.id == plan_id).values(link=link, place=place))
    connection.execute(chains.update().where(own).values(last=link))


def purge(connection: sa.Connection, keeps: Keeps, *, now: datetime) -> bool:
    """Takes out what is no longer to be kept; whether anything was."""
    never = stamp(now - NEVER_CARRIED_OUT)
    lapsed = sa.and_(plans.c.state == PlanState.WAITING, plans.c.expires < never)
    declined = sa.and_(plans.c.state == PlanState.DISCARDED, plans.c.settled < never)
    gone = _delete(connection, sa.or_(lapsed, declined))
    without_use = sa.or_(
        sa.and_(plans.c.state == PlanState.SETTLED, plans.c.settled < stamp(now - keeps.texts)),
        sa.and_(plans.c.state == PlanState.STALE, plans.c.settled < never),  # nothing to undo
    )
    ids = connection.execute(sa.select(plans.c.id).where(without_use, plans.c.purged.is_(None))).scalars().all()
    for plan_id in ids:
        _purge_texts(connection, plan_id)
        connection.execute(plans.update().where(plans.c.id == plan_id).values(purged=stamp(now)))
    for school in connection.execute(sa.select(chains.c.school)).scalars().all():
        gone += _shorten(connection, school, before=stamp(now - keeps.rows))
    return bool(gone or ids)


def erase(connection: sa.Connection, student_id: int, *, school: str = "") -> Erased:
    """Takes out all that is of one student; of rows of ended plans their place and digest stay, for the chain.

    Where a school is named, nothing of another one's goes. Raises PlanError while a plan with that student is under
    way: what became of it is not known yet.
    """
    one_at_a_time(connection)  # a purge takes the same plans in another order
    theirs = sa.select(changes.c.plan_id).where(of_student(student_id, school=school))
    states = connection.execute(sa.select(plans.c.id, plans.c.state).where(plans.c.id.in_(theirs)).with_for_update())
    found = states.all()
    if any(plan.state == PlanState.APPLYING for plan in found):
        raise PlanError(
            f"A plan with student {student_id} is being carried out or was cut off, so nothing was erased. "
            "Call list_changes, which settles it, and erase again."
        )
    ended = [plan.id for plan in found if plan.state in ENDED]
    removed = _delete(connection, plans.c.id.in_([plan.id for plan in found if plan.state not in ENDED]))
    statement = changes.update().where(changes.c.plan_id.in_(ended), of_student(student_id))
    rows = connection.execute(statement.values(ERASED_ROW)).rowcount
    # Hashes of what was planned could be found out by trying every student.
    connection.execute(plans.update().where(plans.c.id.in_(ended)).values(summary_hash="", errand_hash=""))
    return Erased(rows, removed)


def rows_of_student(connection: sa.Connection, student_id: int, *, school: str = "") -> int:
    """How many changes of that student stand in the store, at one school where it is named."""
    query = sa.select(sa.func.count()).where(of_student(student_id, school=school))
    return int(connection.execute(query).scalar_one())


def _purge_texts(connection: sa.Connection, plan_id: int) -> None:
    for row in connection.execute(changes.select().where(changes.c.plan_id == plan_id)).mappings().all():
        this = (changes.c.plan_id == plan_id, changes.c.row == row["row"])
        left = {"before": purged(row["before"]), "after": purged(row["after"]), "reason": ""}
        connection.execute(changes.update().where(*this).values(left))


def _shorten(connection: sa.Connection, school: str, *, before: str) -> int:
    """Takes the chain's oldest plans out, and keeps the last one's link as what the rest follows."""
    linked = (plans.c.school == school, plans.c.link.is_not(None))
    young = connection.execute(sa.select(sa.func.min(plans.c.place)).where(*linked, plans.c.settled >= before)).scalar()
    old = (*linked, plans.c.place < young) if young is not None else linked
    last = sa.select(plans.c.link, plans.c.place).where(*old).order_by(plans.c.place.desc()).limit(1)
    if (end := connection.execute(last).one_or_none()) is None:
        return 0
    anchor = chains.update().where(chains.c.school == school)
    connection.execute(anchor.values(anchor=end.link, anchor_place=end.place))
    return _delete(connection, *old)


def _delete(connection: sa.Connection, *which: sa.ColumnElement[bool]) -> int:
    connection.execute(changes.delete().where(changes.c.plan_id.in_(sa.select(plans.c.id).where(*which))))
    return connection.execute(plans.delete().where(*which)).rowcount
