"""The store on both engines: where it stands for a test, and a look into it as another process has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from attendance_mcp.changes.places import address_of
from tests.upstream_school import UpstreamSchool

BOTH = pytest.mark.parametrize("school", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def school(school: UpstreamSchool, request: pytest.FixtureRequest) -> UpstreamSchool:
    """The small school; by `BOTH`, once with plans in a SQLite file and once in a PostgreSQL database."""
    if getattr(request, "param", "sqlite") == "postgresql":
        school.store = request.getfixturevalue("cluster").database()
    return school


@contextmanager
def store_of(school: UpstreamSchool) -> Iterator[sa.Connection]:
    """The store of plans, in one transaction."""
    engine = sa.create_engine(address_of(school.store))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def everything_stored(school: UpstreamSchool) -> str:
    """Every value of every table."""
    with store_of(school) as store:
        tables = sa.MetaData()
        tables.reflect(store)
        rows = [row for table in tables.sorted_tables for row in store.execute(table.select())]
    assert rows
    return "\n".join(str(value) for row in rows for value in row)


def no_room_for(school: UpstreamSchool, table: str, when: str = "true") -> None:
    """Makes the store refuse these rows, as a full disk does."""
    with store_of(school) as store:
        if store.dialect.name == "sqlite":
            refuse = "begin select raise(abort, 'disk full'); end"
        else:
            refuse = "execute function full_disk()"
            function = "create function full_disk() returns trigger language plpgsql"
            store.exec_driver_sql(f"{function} as $$ begin raise exception 'disk full'; end $$")
        store.exec_driver_sql(f"create trigger full_disk before update on {table} for each row when ({when}) {refuse}")


def room_again(school: UpstreamSchool, table: str) -> None:
    with store_of(school) as store:
        on = f" on {table}" if store.dialect.name == "postgresql" else ""
        store.exec_driver_sql(f"drop trigger full_disk{on}")
