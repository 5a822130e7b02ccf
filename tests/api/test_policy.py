"""How fast the API is asked, what is asked again and when: the policy, over real sockets and by the clock."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from attendance_mcp.api.client import Client
from attendance_mcp.api.policy import Pace, Passing, Policy, pause_wanted
from attendance_mcp.errors import AttendanceError, RateLimited, Unavailable, UpstreamError
from tests.api.conftest import Connect
from tests.api.upstream import Upstream

pytestmark = pytest.mark.anyio

SCHOOL = {"school": {"name": "Harbour School"}}
MANY = 200


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def ask_at_once(client: Client, how_many: int) -> list[Exception]:
    """Reads as many students at once, each another one; answers the failures."""
    failures: list[Exception] = []

    async def ask(number: int) -> None:
        try:
            await client.get_student(number)
        except AttendanceError as error:
            failures.append(error)

    async with anyio.create_task_group() as group:
        for number in range(1, how_many + 1):
            group.start_soon(ask, number)
    return failures


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_read_is_tried_again_where_trouble_may_pass(status: int, upstream: Upstream, connect: Connect) -> None:
    trouble = Response(status_code=status, headers={"retry-after": "0"})
    upstream.answers(trouble, trouble, JSONResponse(SCHOOL))
    assert (await connect().get_school()).name == "Harbour School"
    assert len(upstream.seen) == 3


async def test_a_read_is_tried_three_times_at_most(upstream: Upstream, connect: Connect) -> None:
    upstream.answers(Response(status_code=503, headers={"retry-after": "0"}))
    with pytest.raises(Unavailable):
        await connect().get_school()
    assert len(upstream.seen) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 500, 501, 302])
async def test_a_read_is_not_tried_again_where_it_would_end_the_same(
    status: int, upstream: Upstream, connect: Connect
) -> None:
    upstream.answers(Response(status_code=status))
    with pytest.raises(UpstreamError):
        await connect().get_school()
    assert len(upstream.seen) == 1


async def test_the_pause_that_the_api_asks_for_is_kept(upstream: Upstream, connect: Connect) -> None:
    upstream.answers(Response(status_code=429, headers={"retry-after": "0.4"}), JSONResponse(SCHOOL))
    await connect().get_school()
    first, second = upstream.seen
    assert second.at - first.at >= 0.38


async def test_a_pause_beyond_eight_seconds_is_not_waited_for(upstream: Upstream, connect: Connect) -> None:
    upstream.answers(Response(status_code=429, headers={"retry-after": "3600"}))
    with anyio.fail_after(5), pytest.raises(RateLimited) as caught:
        await connect().get_school()
    assert caught.value.retry_after == 3600
    assert len(upstream.seen) == 3


NOW = datetime(2026, 11, 24, 8, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Tue, 24 Nov 2026 08:40:05 GMT"}, 5),
        ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 4)}, 4),
        ({"x-ratelimit-reset": str((int(NOW.timestamp()) + 4) * 1000)}, 4),
        ({"x-ratelimit-reset": str(int(NOW.timestamp()) - 4)}, None),
        ({"x-ratelimit-reset": "2026-11-24T08:40:02Z"}, 2),
        ({"x-ratelimit-reset": "2026-11-24 08:40:02 UTC"}, 2),
        ({"retry-after": "soon", "x-ratelimit-reset": "2"}, 2),
    ],
)
def test_a_pause_is_read_in_every_form_that_the_contract_leaves_open(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert pause_wanted(headers, now=NOW) == seconds
    served = {**headers, "date": "Tue, 24 Nov 2026 08:40:00 GMT"}
    assert pause_wanted(served) == seconds  # by the server's clock, whatever this machine's says


# --- the budget -------------------------------------------------------------------------------------------------------


async def test_an_outage_is_not_multiplied_by_all_who_ask(upstream: Upstream, connect: Connect) -> None:
    upstream.answers(Response(status_code=503))
    failures = await ask_at_once(connect(), MANY)
    assert [type(error) for error in failures] == [Unavailable] * MANY
    assert len(upstream.seen) == MANY + 10


@pytest.mark.parametrize("headers", [{}, {"retry-after": "1"}, {"x-ratelimit-reset": "30"}], ids=str)
async def test_two_hundred_who_meet_nothing_but_429_for_a_while_ask_little_more_often_and_are_answered_soon_after(
    headers: dict[str, str], upstream: Upstream, connect: Connect
) -> None:
    ends = math.inf
    answered: list[float] = []

    async def limited(request: Request) -> Response:
        nonlocal ends
        ends = min(ends, time.monotonic() + 1.5)
        if time.monotonic() < ends:
            return Response(status_code=429, headers=headers)
        answered.append(time.monotonic())
        return JSONResponse({"student": {"id": int(request.url.path.rpartition("/")[2]), "first_name": "Mia"}})

    upstream.handler = limited
    failures = await ask_at_once(connect(rate=1000), MANY)
    assert len({seen.path for seen in upstream.seen}) == MANY
    assert len(upstream.seen) <= 1.2 * MANY
    assert answered[0] - ends <= 5
    assert {type(error) for error in failures} <= {RateLimited}
    assert len(answered) == MANY - len(failures) >= 0.8 * MANY


def test_the_budget_fills_again_by_answers() -> None:
    policy = Policy(20)

    def allowed() -> int:
        return sum(policy.again()(trouble()) is not False for _ in range(MANY))

    assert [allowed(), allowed()] == [10, 0]
    for _ in range(25):
        policy.succeeded()
    assert allowed() == 2
    for _ in range(1000):
        policy.succeeded()
    assert allowed() == 10


# --- when a read is sent again ----------------------------------------------------------------------------------------


def trouble(pause: float | None = None) -> Passing:
    return Passing(Unavailable("down"), pause)


def waits(chance: Callable[[], float], error: Exception) -> list[bool | float]:
    again = Policy(20, chance=chance).again()
    return [again(error) for _ in range(3)]


def test_the_wait_before_a_retry_is_any_time_up_to_a_bound_that_doubles() -> None:
    assert waits(lambda: 0.0, trouble()) == [0.0, 0.0, False]
    assert waits(lambda: 1.0, trouble()) == [0.5, 1.0, False]
    seen = [waits(random.Random(number).random, trouble())[1] for number in range(MANY)]
    assert [sum(low <= wait < low + 0.25 for wait in seen) > MANY / 8 for low in (0, 0.25, 0.5, 0.75)] == [True] * 4


def test_a_pause_that_the_api_asked_for_is_kept_and_then_spread() -> None:
    assert waits(lambda: 0.0, trouble(3.0)) == [3.0, 3.0, False]
    assert waits(lambda: 1.0, trouble(3.0)) == [3.5, 4.0, False]
    assert waits(lambda: 1.0, trouble(0.0)) == [0.0, 0.0, False]


def test_nothing_is_sent_again_after_an_error_that_does_not_pass() -> None:
    assert waits(lambda: 0.0, Unavailable("The school's API did not answer in time.")) == [False, False, False]


@pytest.mark.parametrize(("said", "pause"), [("0", 0), ("3", 3), ("6", 4), ("8", 4), ("9", None), ("soon", None)])
async def test_what_the_api_asks_for_is_believed_within_bounds_and_holds_everybody(
    said: str, pause: float | None
) -> None:
    clock = Clock()
    policy = Policy(1000, clock=clock)
    assert policy.troubled(503, {"retry-after": said}, left=clock()) == pause
    clock.now += (pause or 0) - 0.25
    if pause:
        with anyio.move_on_after(0.02) as early:
            await policy.slot()
        assert early.cancelled_caught
    clock.now += 0.25
    with anyio.fail_after(1):
        assert await policy.slot() == clock()


# --- spacing ----------------------------------------------------------------------------------------------------------


def test_the_rate_is_halved_by_a_429_and_comes_back_slowly() -> None:
    clock = Clock()
    pace = Pace(20, clock=clock)
    left = clock()
    clock.now += 1
    pace.slow_down(left)
    pace.slow_down(left)  # the others of the same moment tell nothing new
    assert pace.rate == 10
    clock.now += 3
    assert pace.rate == 13
    pace.slow_down(clock())
    assert pace.rate == 6.5
    clock.now += 13.5
    assert pace.rate == 20
    clock.now += 1000
    assert pace.rate == 20


@pytest.mark.parametrize(("rate", "slowest"), [(20, 1), (1000, 1), (0.5, 0.5)])
def test_the_rate_never_falls_below_one_a_second_or_what_was_set(rate: float, slowest: float) -> None:
    clock = Clock()
    pace = Pace(rate, clock=clock)
    for _ in range(20):
        pace.slow_down(clock())
    assert pace.rate == slowest


async def test_after_a_429_the_next_request_leaves_at_the_slower_rate() -> None:
    clock = Clock()
    policy = Policy(4, clock=clock)
    policy.troubled(429, {}, left=await policy.slot())
    clock.now += 0.49
    with anyio.move_on_after(0.02) as early:
        await policy.slot()
    assert early.cancelled_caught
    clock.now += 0.01
    with anyio.fail_after(1):
        await policy.slot()


async def test_another_trouble_than_429_slows_nothing_down() -> None:
    clock = Clock()
    policy = Policy(4, clock=clock)
    policy.troubled(503, {}, left=await policy.slot())
    clock.now += 0.25
    with anyio.fail_after(1):
        await policy.slot()


async def test_requests_are_evenly_spaced_without_a_burst(upstream: Upstream, connect: Connect) -> None:
    upstream.answers_json(SCHOOL)
    client = connect(rate=50)
    await client.get_school()
    async with anyio.create_task_group() as group:
        for _ in range(19):
            group.start_soon(client.get_school)
    times = sorted(seen.at for seen in upstream.seen)
    assert times[-1] - times[0] >= 19 / 50 * 0.95
    windows = [sum(begin <= at < begin + 0.1 for at in times) for begin in times]
    assert max(windows) <= 7  # five, one for the edge and one for a late timer


async def test_no_second_sees_more_requests_than_the_rate_however_late_timers_wake() -> None:
    looks = count()
    pace = Pace(100, clock=lambda: next(looks) * 0.003)  # each slot, 10 ms after the last, is taken some ms late
    left = [await pace.slot() for _ in range(104)]
    assert min(later - one for one, later in zip(left, left[100:], strict=False)) > 1


async def test_requests_that_were_cancelled_in_the_queue_leave_no_gap() -> None:
    now = 0.0
    pace = Pace(0.001, clock=lambda: now)
    await pace.slot()
    with anyio.move_on_after(0) as scope:
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(pace.slot)
    assert scope.cancelled_caught
    now = 1000.0
    with anyio.fail_after(1):
        await pace.slot()


async def test_after_a_rest_only_one_request_leaves_at_once() -> None:
    now = 0.0
    pace = Pace(10, clock=lambda: now)
    await pace.slot()
    now = 500.0
    await pace.slot()
    with anyio.move_on_after(0.02) as scope:
        await pace.slot()
    assert scope.cancelled_caught
