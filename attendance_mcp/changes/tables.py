"""The tables of the store, one form on SQLite and PostgreSQL."""

from __future__ import annotations

import json

import sqlalchemy as sa

from attendance_mcp.changes.model import Target, target_to_json

SCHEMA_VERSION = 4  # 4 brought the table `sealing`; a table that is missing is made at every opening

metadata = sa.MetaData()
schema = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True))
plans = sa.Table(
    "plans",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("code", sa.String(64), nullable=False, unique=True),
    sa.Column("caller", sa.String(500), nullable=False),
    sa.Column("school", sa.String(200), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("approval", sa.String(20), nullable=False),
    sa.Column("summary_hash", sa.String(64), nullable=False),
    sa.Column("errand_hash", sa.String(64), nullable=False),
    sa.Column("already", sa.Integer, nullable=False),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("expires", sa.String(40), nullable=False),
    sa.Column("settled", sa.String(40)),
    sa.Column("lease_until", sa.String(40)),
    sa.Column("purged", sa.String(40)),  # when its texts went
    sa.Column("place", sa.Integer),  # in its school's chain, from 1
    sa.Column("link", sa.String(64)),
    sa.Index("plans_by_caller", "caller", "state"),
)
changes = sa.Table(
    "changes",
    metadata,
    sa.Column("plan_id", sa.ForeignKey("plans.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("outcome", sa.String(20), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("made_id", sa.BigInteger),
    sa.Column("known", sa.Text),  # ids of excusals that stood there when a new one was sent, until that is settled
    sa.Column("salt", sa.String(32)),
    sa.Column("digest", sa.String(64)),
)
# Where each school's chain begins and ends: what was taken out after its time leaves its last link as the anchor.
chains = sa.Table(
    "chains",
    metadata,
    sa.Column("school", sa.String(200), primary_key=True),
    sa.Column("anchor", sa.String(64), nullable=False),
    sa.Column("anchor_place", sa.Integer, nullable=False),
    sa.Column("last", sa.String(64), nullable=False),
    sa.Column("places", sa.Integer, nullable=False),
)
ADDED_BY = {  # version of the schema: the columns that it added to tables which were there before
    2: (plans.c.purged, plans.c.place, plans.c.link, changes.c.salt, changes.c.digest),
    3: (changes.c.known,),
}
# Which plan may send to which target: two plans of one target, in whatever processes, are carried out one by one.
leases = sa.Table(
    "leases",
    metadata,
    sa.Column("school", sa.String(200), primary_key=True),
    sa.Column("target", sa.String(40), primary_key=True),
    sa.Column("plan_id", sa.ForeignKey("plans.id", ondelete="CASCADE"), nullable=False),
    sa.Column("until", sa.String(40), nullable=False),
    sa.Index("leases_by_plan", "plan_id"),
)
outside_heard = sa.Table(
    "outside_heard",
    metadata,
    sa.Column("caller", sa.String(500), primary_key=True),
    sa.Column("last", sa.String(40), nullable=False),
)
# One row: the key of what a browser or a client brings back, to whichever replica.
sealing = sa.Table(
    "sealing",
    metadata,
    sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    sa.Column("key", sa.String(64), nullable=False),
)


def of_student(id: int, *, school: str = "") -> sa.ColumnElement[bool]:
    """Whether a change is of that student, at that school where one is named.

    A target's text begins with the student's id.
    """
    begins = json.dumps(target_to_json(Target(student_id=id))).removesuffix("}")
    theirs = sa.or_(*(changes.c.target.startswith(begins + end, autoescape=True) for end in (",", "}")))
    if not school:
        return theirs
    return sa.and_(theirs, changes.c.plan_id.in_(sa.select(plans.c.id).where(plans.c.school == school)))
