"""When outside text was last given to a caller: a plan made after it may have been made because of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path


class OutsideHeard:
    """The last time for each caller, on SQLite as the time of a small file beside the store.

    Not in the store itself: a read must not pay for loading the database. On PostgreSQL, or where no file can be
    made, this process remembers, and then it does so for every caller.
    """

    def __init__(self, place: str | Path, *, now: Callable[[], datetime]) -> None:
        kept_in_file = isinstance(place, Path) or not place.startswith("postgresql://")
        self._store = Path(place).expanduser() if kept_in_file else None
        self._now = now
        self._by_anybody: datetime | None = None

    def heard(self, caller: str) -> None:
        """Outside text was given to this caller now."""
        path, now = self._file(caller), self._now()
        if path is None:
            self._by_anybody = now
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
            os.utime(path, (now.timestamp(), now.timestamp()))
        except OSError:
            self._by_anybody = now

    def last(self, caller: str) -> datetime | None:
        """When that was last, None where it never was. Where it can't be told, now."""
        path = self._file(caller)
        try:
            stamp = path.stat().st_mtime if path else None
        except FileNotFoundError:
            stamp = None
        except OSError:
            return self._now()
        times = [datetime.fromtimestamp(stamp, UTC)] if stamp is not None else []
        return max([*times, *([self._by_anybody] if self._by_anybody else [])], default=None)

    def _file(self, caller: str) -> Path | None:
        if self._store is None:
            return None
        name = hashlib.sha256(caller.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        return self._store.with_name(f"{self._store.name}.heard-{name}")
