"""Opening the store: its engine, its tables, and an older version's store brought up to this one's."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from attendance_mcp.changes.keeping import ENDED, Keeps, chain, purge
from attendance_mcp.changes.leases import one_at_a_time
from attendance_mcp.changes.places import check_place
from attendance_mcp.changes.tables import ADDED_BY, SCHEMA_VERSION, metadata, plans, schema
from attendance_mcp.errors import StoreUnavailable

_CONNECT_SECONDS = 5  # to a PostgreSQL that does not answer


def open_store(url: sa.URL) -> sa.Engine:
    """The engine over a store that has this version's tables. Raises StoreUnavailable for a newer version's store."""
    if url.get_backend_name() != "sqlite":
        within = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_SECONDS}
        engine = sa.create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=within)
    else:
        path = Path(url.database or "")
        check_place(path)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Made with the right mode before SQLite opens it: children's records are in it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        engine = sa.create_engine(url, hide_parameters=True)
        sa.event.listen(engine, "connect", _set_up_sqlite)
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        _make_tables(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _make_tables(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        one_at_a_time(connection)  # else two that make the tables at once are in each other's way
        metadata.create_all(connection)
        version = connection.execute(sa.select(sa.func.max(schema.c.version))).scalar()
        if version is not None and version > SCHEMA_VERSION:
            raise StoreUnavailable("The store was made by a newer version of attendance-mcp: update this one.")
        if version is not None:
            _bring_up(connection, version)
        if version != SCHEMA_VERSION:
            connection.execute(schema.insert().values(version=SCHEMA_VERSION))


def keep_no_longer(engine: sa.Engine, keeps: Keeps, *, now: datetime) -> None:
    """Purges, and leaves nothing in the file of this and of what could not be wiped before."""
    with engine.begin() as connection:
        one_at_a_time(connection)
        if purge(connection, keeps, now=now):
            owe_wiping(connection)
        owed = _owes_wiping(connection)
    if owed:
        wipe(engine)


def owe_wiping(connection: sa.Connection) -> None:
    """Notes in a SQLite file, with what was taken out of it, that its pages are still to be wiped."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA user_version = 1")  # a number of the file's own, part of the transaction


def _owes_wiping(connection: sa.Connection) -> bool:
    if connection.dialect.name != "sqlite":
        return False
    return bool(connection.exec_driver_sql("PRAGMA user_version").scalar())


def wipe(engine: sa.Engine) -> bool:
    """Leaves no byte in a SQLite file and its log of what was taken out; false where another process hinders it.

    Then it stays owed, and the next purge tries again.
    """
    if engine.dialect.name != "sqlite":
        return True
    with closing(engine.raw_connection()) as database, suppress(sqlite3.OperationalError):
        # A page that was split may still hold what was moved off it; only writing every page anew is sure.
        cursor = database.cursor()
        cursor.execute("VACUUM")
        if cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0:
            cursor.execute("PRAGMA user_version = 0")
            return True
    return False


def _bring_up(connection: sa.Connection, version: int) -> None:
    """Adds the columns that later versions have, then links what had ended before there were links."""
    for later, columns in ADDED_BY.items():
        for column in columns if version < later else ():
            kind = column.type.compile(connection.dialect)
            connection.execute(sa.text(f"ALTER TABLE {column.table.name} ADD COLUMN {column.name} {kind}"))
    if version == 1:
        ended = sa.select(plans.c.id).where(plans.c.state.in_(ENDED)).order_by(plans.c.settled, plans.c.id)
        for plan_id in connection.execute(ended).scalars().all():
            chain(connection, plan_id)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver would begin later than we say, and miss another process's write
    connection.execute("PRAGMA busy_timeout = 5000")
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        # Refused where another process opens the new file at this moment: that one sets the mode, which is the file's.
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
