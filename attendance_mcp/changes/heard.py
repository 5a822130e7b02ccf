"""When outside text was last given to a caller: a plan made after it may have been made because of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from attendance_mcp.errors import StoreUnavailable

if TYPE_CHECKING:
    from attendance_mcp.changes.store import Store

_PATIENCE = 3.0  # seconds that a read waits for the row to be written


class OutsideHeard:
    """The last time for each caller: on PostgreSQL in a row of the store, else as the time of a small file beside it.

    Not in a SQLite store itself: a read must not pay for loading the database. Where it can't be kept, this process
    remembers, and then it does so for every caller.
    """

    def __init__(self, place: str | Path, *, store: Callable[[], Store], now: Callable[[], datetime]) -> None:
        kept_in_file = isinstance(place, Path) or not place.startswith("postgresql://")
        self._beside = Path(place).expanduser() if kept_in_file else None
        self._store = store
        self._now = now
        self._by_anybody: datetime | None = None

    async def heard(self, caller: str) -> None:
        """Outside text was given to this caller now."""
        now = self._now()
        try:
            if self._beside is None:
                with anyio.fail_after(_PATIENCE):
                    await self._store().heard_outside(caller, now=now)
            else:
                _touch(self._file(self._beside, caller), now)
        except (OSError, StoreUnavailable):  # a TimeoutError is an OSError
            self._by_anybody = now

    async def last(self, caller: str) -> datetime | None:
        """When that was last, None where it never was. Where it can't be told, now."""
        try:
            if self._beside is None:
                kept = await self._store().outside_last(caller)
            else:
                kept = _touched(self._file(self._beside, caller))
        except (OSError, StoreUnavailable):
            return self._now()
        return max([time for time in (kept, self._by_anybody) if time], default=None)

    @staticmethod
    def _file(store: Path, caller: str) -> Path:
        name = hashlib.sha256(caller.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        return store.with_name(f"{store.name}.heard-{name}")


def _touch(path: Path, now: datetime) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    os.utime(path, (now.timestamp(), now.timestamp()))


def _touched(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
