"""Doing several things at once, with failures as themselves rather than in a group."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import anyio


async def together(jobs: Iterable[Callable[[], Awaitable[object]]]) -> None:
    """Runs every job to its end, then raises the first failure, if there was one."""
    failures: list[Exception] = []

    async def one(job: Callable[[], Awaitable[object]]) -> None:
        try:
            await job()
        except Exception as error:  # noqa: BLE001 raised below
            failures.append(error)

    async with anyio.create_task_group() as group:
        for job in jobs:
            group.start_soon(one, job)
    if failures:
        raise failures[0]
