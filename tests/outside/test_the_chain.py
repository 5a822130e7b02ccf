"""What the journal's chain shows, and what it can't: it has no key."""

from __future__ import annotations

import sqlite3

import anyio

from attendance_mcp.changes.chain import plan_link, row_digest
from tests.changes.errands import absent, apply, mark_late, plans_of
from tests.cli.shell import command
from tests.upstream_school import UpstreamSchool


async def two_plans(school: UpstreamSchool) -> None:
    async with school.client(approval="token") as ask:
        for student in absent(school)[:2]:
            assert not (await apply(ask, await mark_late(ask, student))).is_error


def forge(store: sqlite3.Connection) -> None:
    """What the first plan wrote is now another status."""
    first = "(select min(plan_id) from changes)"
    done = store.execute(f"""update changes set after = json_set(after, '$.status', 1) where plan_id = {first}""")
    assert done.rowcount == 1


def compute_anew(store: sqlite3.Connection) -> None:
    """The chain over what stands in the store now, as the product computes it."""
    store.row_factory = sqlite3.Row
    (school, link) = store.execute("select school, anchor from chains").fetchone()
    for plan in store.execute("select * from plans order by place").fetchall():
        rows = store.execute('select * from changes where plan_id = ? order by "row"', [plan["id"]]).fetchall()
        digests = [row_digest(dict(row), row["salt"]) for row in rows]
        for row, digest in zip(rows, digests, strict=True):
            store.execute(
                'update changes set digest = ? where plan_id = ? and "row" = ?', [digest, plan["id"], row["row"]]
            )
        link = plan_link(link, dict(plan), digests)
        store.execute("update plans set link = ? where id = ?", [link, plan["id"]])
    store.execute("update chains set last = ? where school = ?", [link, school])


def test_a_row_that_was_altered_breaks_the_chain(school):
    anyio.run(two_plans, school)
    assert command("changes", "--verify", settings=school.environment()).exit_code == 0
    with plans_of(school) as store:
        forge(store)
    assert command("changes", "--verify", settings=school.environment()).exit_code == 1


def test_whoever_computes_the_chain_anew_leaves_no_trace_but_another_last_link(school):
    anyio.run(two_plans, school)
    with plans_of(school) as store:
        before = store.execute("select last from chains").fetchone()
        forge(store)
        compute_anew(store)
        after = store.execute("select last from chains").fetchone()
    assert command("changes", "--verify", settings=school.environment()).exit_code == 0
    assert tuple(before) != tuple(after)
