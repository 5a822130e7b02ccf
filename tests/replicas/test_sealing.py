"""What one replica seals another one opens: the key stands in the store that they share, and nothing else is shared."""

from __future__ import annotations

from contextlib import ExitStack, asynccontextmanager
from functools import partial
from types import SimpleNamespace

import pytest
from mcp import Client
from mcp.server.request_state import InvalidRequestState
from mcp.types import ElicitResult

from attendance_mcp.changes.store import Store
from attendance_mcp.http import http_app
from attendance_mcp.http.sealing import SharedSeal
from attendance_mcp.server import build
from attendance_mcp.settings import Settings
from tests.changes.errands import absent, apply, homeroom, mark_late
from tests.changes.stores import BOTH, school, store_of
from tests.upstream_school import Asking, on_a_port, text

from .round_robin import round_robin

pytestmark = pytest.mark.anyio
__all__ = ["school"]


@asynccontextmanager
async def asked(schools, questions, **settings):
    """A client whose calls go to one server a school in turn, and whose person says yes to every question."""

    async def yes(_, params):
        questions.append(params.message)
        return ElicitResult(action="accept", content={"apply": True})

    with ExitStack() as stack:
        servers = [
            stack.enter_context(
                on_a_port(http_app(build(one.settings(writes="confirm", **settings), http=True), host="127.0.0.1"))
            )
            for one in schools
        ]
        url = stack.enter_context(round_robin(servers))
        async with Client(f"{url}/mcp", mode="2026-07-28", elicitation_callback=yes) as client:
            yield Asking(client)


@BOTH
async def test_the_answer_to_one_replicas_question_is_taken_by_another(school):
    questions: list[str] = []
    students = absent(school)[:3]
    async with asked([school, school], questions) as ask:
        for student in students:
            result = await apply(ask, await mark_late(ask, student))
            assert "agreed by a person whom the client asked: 1 done." in text(result)
    assert len(questions) == 3
    assert [homeroom(school, student) for student in students] == [(2, None)] * 3
    assert len(school.writes) == 3
    with store_of(school) as store:
        assert [len(key) for (key,) in store.exec_driver_sql("select key from sealing")] == [64]


async def test_what_was_sealed_under_another_stores_key_is_refused():
    async def key_of(byte):
        return bytes([byte]) * 32

    async def answered(_):
        return None

    call = SimpleNamespace(method="tools/call", params={"name": "apply_changes"})
    one, same, other = (SharedSeal(partial(key_of, byte)) for byte in (1, 1, 2))
    for seal in (one, same, other):
        await seal.before(call, answered)
    sealed = one.seal(b"the plan's code")
    assert same.unseal(sealed) == b"the plan's code"
    with pytest.raises(InvalidRequestState):
        other.unseal(sealed)


async def test_whoever_opens_the_store_first_makes_the_key_and_all_others_read_it(school):
    stores = [Store.at(school.store) for _ in range(3)]
    keys = {await store.sealing_key() for store in [*stores, *stores]}
    for store in stores:
        store.close()
    assert [len(key) for key in keys] == [32]


def test_each_replica_takes_its_part_of_the_rate():
    assert [Settings(rate=50, replicas=count).own_rate for count in (1, 2, 4)] == [50, 25, 12.5]
    assert build(Settings(api_token="token", rate=50, replicas=4)).office.connection.rate == 12.5
