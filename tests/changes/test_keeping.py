"""What the store no longer keeps, and the chain that shows an altered row."""

from __future__ import annotations

from datetime import timedelta

import anyio
import pytest

from attendance_mcp.server import open_app
from tests.cli.shell import command

from .errands import absent, apply, mark_late, plans_of

pytestmark = pytest.mark.anyio


async def go(school):
    one, two = absent(school)[:2]
    async with school.client(approval="token") as ask:
        for s in (one, two):
            await apply(ask, await mark_late(ask, s, notes="Zanzibar bus"))
    return one, two


async def go_on(school):
    async with school.client(approval="token") as ask:
        await apply(ask, await mark_late(ask, absent(school)[0]))


def raw(school):
    return b"".join(f.read_bytes() for f in school.path.parent.glob("plans.db*"))


async def test_after_its_days_no_byte_of_a_note_is_in_the_file(school):
    await go(school)
    assert b"Zanzibar" in raw(school)
    app = open_app(school.settings())
    now = app.desk.now
    app.desk.now = lambda: now() + timedelta(days=31)
    await app.desk.store.began("x")
    assert b"Zanzibar" not in raw(school)
    await app.aclose()


def test_an_erased_student_leaves_the_chain_whole_and_an_altered_row_breaks_it(school):
    one, _ = anyio.run(go, school)
    env = school.environment()
    d = command("changes", "--verify", settings=env)
    assert d.exit_code == 0
    d = command("changes", "--student", str(one), "--erase", settings=env)
    assert d.exit_code == 2, d.output
    d = command("changes", "--student", str(one), "--erase", "--yes", settings=env)
    assert d.exit_code == 0, d.output
    d = command("changes", "--verify", settings=env)
    assert d.exit_code == 0
    assert f'"student_id": {one},'.encode() not in raw(school)
    d = command("changes", settings=env)
    assert d.exit_code == 0
    d = command("changes", "--export", settings=env)
    assert d.exit_code == 0 and "Zanzibar" not in d.output
    with plans_of(school) as s:
        s.execute("update changes set after = replace(after, '2', '1') where outcome = 'done'")
    d = command("changes", "--verify", settings=env)
    assert d.exit_code == 1


ADDED_BY = {
    3: ("changes.known",),
    2: ("plans.purged", "plans.place", "plans.link", "changes.salt", "changes.digest"),
}


@pytest.mark.parametrize("version", [1, 2])
def test_a_store_of_an_older_version_opens_and_its_ended_plans_are_linked(school, version):
    anyio.run(go, school)
    with plans_of(school) as s:
        for column in [column for later, columns in ADDED_BY.items() if later > version for column in columns]:
            s.execute("alter table {} drop column {}".format(*column.split(".")))
        if version == 1:
            s.execute("drop table chains")
        s.execute("delete from schema_version")
        s.execute("insert into schema_version values (?)", [version])
    d = command("changes", "--verify", settings=school.environment())
    assert d.exit_code == 0 and "2 plans" in d.output
    anyio.run(go_on, school)
    d = command("changes", "--verify", settings=school.environment())
    assert d.exit_code == 0 and "3 plans" in d.output
