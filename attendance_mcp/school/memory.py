"""What was read is kept for a while, and two who ask for the same at once share one read."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import anyio

KEPT_SECONDS = 600.0
_MOST_KEPT = 20_000


@dataclass(slots=True)
class _Flight:
    """A read under way."""

    landed: anyio.Event = field(default_factory=anyio.Event)
    ok: bool = False
    value: Any = None
    error: Exception | None = None


class Memory:
    """Remembers reads by key; the clock is injectable so that tests need not wait."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[Hashable, tuple[float, Any]] = {}
        self._flights: dict[Hashable, _Flight] = {}

    async def get(self, key: Hashable, fetch: Callable[[], Awaitable[Any]], *, keep: bool) -> Any:
        """The value for the key: kept, on its way for somebody else, or fetched now."""
        while True:
            kept = self._kept.get(key)
            if kept is not None and kept[0] > self._clock():
                return kept[1]
            flight = self._flights.get(key)
            if flight is None:
                return await self._fetch(key, fetch, keep=keep)
            await flight.landed.wait()
            if flight.error is not None:
                raise flight.error
            if flight.ok:
                return flight.value
            # Whoever fetched it was cancelled: somebody else must.

    def peek(self, key: Hashable) -> Any:
        """The kept value while it holds, else None; nothing is fetched."""
        kept = self._kept.get(key)
        return kept[1] if kept is not None and kept[0] > self._clock() else None

    def drop(self, touches: Callable[[Any], bool]) -> None:
        """Forget what a write touched, and let no read that began before it be kept."""
        for key in [key for key in self._kept if touches(key)]:
            del self._kept[key]
        for key in [key for key in self._flights if touches(key)]:
            del self._flights[key]

    async def _fetch(self, key: Hashable, fetch: Callable[[], Awaitable[Any]], *, keep: bool) -> Any:
        flight = self._flights[key] = _Flight()
        try:
            flight.value = await fetch()
            flight.ok = True
        except Exception as error:
            flight.error = error
            raise
        finally:
            current = self._flights.get(key) is flight
            if current:
                del self._flights[key]
            flight.landed.set()
        if keep and current:
            self._make_room()
            self._kept[key] = (self._clock() + KEPT_SECONDS, flight.value)
        return flight.value

    def _make_room(self) -> None:
        if len(self._kept) < _MOST_KEPT:
            return
        now = self._clock()
        self._kept = {key: kept for key, kept in self._kept.items() if kept[0] > now}
        while len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
