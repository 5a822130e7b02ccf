"""Requests evenly spaced: one slot after the other, so that no second holds more of them than the rate says."""

from __future__ import annotations

import time
from collections.abc import Callable

import anyio


class Pace:
    """A clock of slots; whoever waits first goes first. A token bucket would let a burst through at every start."""

    def __init__(self, rate: float | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._step = 1 / rate if rate else 0.0
        self._clock = clock
        self._next = 0.0
        self._line = anyio.Lock()

    async def slot(self) -> None:
        """Returns when the next request may leave."""
        # Only the first in line holds a slot: one that is cancelled while it waits leaves no gap behind.
        async with self._line:
            # Looks again after each sleep: the API may have asked for a pause meanwhile.
            while (wait := self._next - self._clock()) > 0:  # noqa: ASYNC110  time is what is waited for
                await anyio.sleep(wait)
            # A timer that wakes late by less than a step is made up for, or each lateness would lower the rate.
            now = self._clock()
            self._next = (self._next if now - self._next < self._step else now) + self._step

    def hold(self, seconds: float) -> None:
        """Lets nobody leave for a while: the API has asked for it, and it counts all requests together."""
        self._next = max(self._next, self._clock() + seconds)
