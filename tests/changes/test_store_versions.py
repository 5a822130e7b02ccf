"""A store that an older version of this program made, opened by this one."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from attendance_mcp.changes.store import Store
from attendance_mcp.changes.tables import SCHEMA_VERSION
from tests.upstream_school import UpstreamSchool

from .errands import DAY, absent, apply, homeroom, mark_late, present
from .journals import checked, places, states
from .stores import BOTH, school, store_of

pytestmark = [pytest.mark.anyio, BOTH]
__all__ = ["school"]

# As version 1 made its tables; `{serial}` is the engine's own word for a number that counts by itself.
VERSION_1 = """
create table schema_version (version {serial} not null, primary key (version));
create table plans (
    id {serial} not null, code varchar(64) not null, caller varchar(500) not null, school varchar(200) not null,
    state varchar(20) not null, approval varchar(20) not null, summary_hash varchar(64) not null,
    errand_hash varchar(64) not null, already integer not null, created varchar(40) not null,
    expires varchar(40) not null, settled varchar(40), lease_until varchar(40), primary key (id), unique (code)
);
create index plans_by_caller on plans (caller, state);
create table changes (
    plan_id integer not null, "row" integer not null, kind varchar(20) not null, target text not null,
    before text not null, after text not null, outcome varchar(20) not null, reason text not null, made_id bigint,
    primary key (plan_id, "row"), foreign key(plan_id) references plans (id) on delete cascade
);
create table leases (
    school varchar(200) not null, target varchar(40) not null, plan_id integer not null, until varchar(40) not null,
    primary key (school, target), foreign key(plan_id) references plans (id) on delete cascade
);
create index leases_by_plan on leases (plan_id);
create table outside_heard (caller varchar(500) not null, last varchar(40) not null, primary key (caller));
insert into schema_version values (1)
"""


def turned_into_version_1(school: UpstreamSchool) -> None:
    """The store anew as version 1 made it, with the same plans."""
    with store_of(school) as store:
        there = sa.MetaData()
        there.reflect(store)
        rows = {name: store.execute(there.tables[name].select()).mappings().all() for name in ("plans", "changes")}
        there.drop_all(store)
        serial = "integer" if store.dialect.name == "sqlite" else "serial"
        for statement in VERSION_1.format(serial=serial).split(";"):
            store.exec_driver_sql(statement)
        made = sa.MetaData()
        made.reflect(store)
        for name, own in rows.items():
            table = made.tables[name]
            store.execute(table.insert(), [{column.name: row[column.name] for column in table.columns} for row in own])
        if serial == "serial":
            store.exec_driver_sql("select setval('plans_id_seq', (select max(id) from plans))")


def columns(school: UpstreamSchool) -> dict[str, Any]:
    with store_of(school) as store:
        there = sa.MetaData()
        there.reflect(store)
        return {table.name: sorted(column.name for column in table.columns) for table in there.sorted_tables}


async def test_a_store_of_version_1_is_brought_up_and_its_plans_can_be_told_applied_and_undone(school):
    (one, two), three = absent(school)[:2], present(school)[0]
    async with school.client(approval="token") as ask:
        done, stale, waits = [await mark_late(ask, student, notes="Bus 4") for student in (one, two, three)]
        await apply(ask, done)
        school.change("update homeroom_marks set status = 3 where student_id = :id and date = :day", id=two, day=DAY)
        assert (await apply(ask, stale)).is_error
    now = columns(school)
    turned_into_version_1(school)
    assert columns(school) != now

    async with school.client(approval="token") as ask:
        assert (await ask.facts("list_changes"))["plans"] == 3
        assert columns(school) == now
        assert places(school) == [1, 2]
        assert (await apply(ask, waits)).structured_content["outcomes"] == {"done": 1}
        back = await ask.facts("plan_changes", changes=[{"kind": "undo", "confirmation": done["confirmation"]}])
        assert (await apply(ask, back)).structured_content["outcomes"] == {"done": 1}
    assert (homeroom(school, one), homeroom(school, three)) == ((0, None), (2, "Bus 4"))
    assert list(states(school).values()) == ["settled", "stale", "settled", "settled"]
    assert await checked(school) == {**await checked(school), "plans": 4, "broken": []}
    with store_of(school) as store:
        assert store.exec_driver_sql("select version from schema_version order by 1").all() == [(1,), (SCHEMA_VERSION,)]


async def test_a_store_of_version_2_gets_what_it_lacks_and_goes_on(school):
    one, two = absent(school)[:2]
    async with school.client(approval="token") as ask:
        await apply(ask, await mark_late(ask, one, notes="Bus 4"))
    now = columns(school)
    with store_of(school) as store:
        store.exec_driver_sql("alter table changes drop column known")
        store.exec_driver_sql("delete from schema_version")
        store.exec_driver_sql("insert into schema_version values (2)")
    assert columns(school) != now
    async with school.client(approval="token") as ask:
        assert (await apply(ask, await mark_late(ask, two))).structured_content["outcomes"] == {"done": 1}
    assert columns(school) == now
    assert await checked(school) == {**await checked(school), "plans": 2, "broken": []}


async def test_a_store_of_version_3_gets_its_key_and_keeps_it(school):
    async with school.client() as ask:
        await mark_late(ask, absent(school)[0])
    with store_of(school) as store:
        store.exec_driver_sql("drop table sealing")
        store.exec_driver_sql("update schema_version set version = 3")
    keys = set()
    for _ in range(2):
        store = Store.at(school.store)
        keys.add(await store.sealing_key())
        store.close()
    assert len(keys) == 1
    with store_of(school) as store:
        assert store.exec_driver_sql("select version from schema_version order by 1").all() == [(3,), (SCHEMA_VERSION,)]
