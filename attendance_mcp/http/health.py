"""What a load balancer may ask: whether the process lives, and whether it can serve. No name of anything is told."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio

from attendance_mcp.errors import AttendanceError
from attendance_mcp.http.asgi import Scope, Send, not_allowed, send_json
from attendance_mcp.server import App as Office

OLDEST_SECONDS = 10.0  # a look at the upstream serves every probe of so long: probes must not cost the school's rate
_PATIENCE = 4.0  # seconds; probes are given up after five or ten
PATHS = ("/healthz", "/readyz")

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Health:
    """The two probes of one server, of however many schools."""

    offices: Sequence[Office]
    now: Callable[[], float] = time.monotonic
    _looked: float | None = None
    _found: dict[str, str] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)
    _one_at_a_time: anyio.Lock = field(default_factory=anyio.Lock)

    async def answer(self, scope: Scope, send: Send) -> None:
        """`/healthz`: 200 while the process lives. `/readyz`: 200 while a school and the store can be used."""
        if scope["method"] not in ("GET", "HEAD"):
            await not_allowed(send, allow=b"GET, HEAD")
        elif scope["path"] == "/healthz":
            await send_json(send, 200, {"status": "ok"})
        else:
            found = await self._look()
            good = all(state in ("ok", "in part", "not used") for state in found.values())
            await send_json(send, 200 if good else 503, {"status": "ok" if good else "not ready", **found})

    async def _look(self) -> dict[str, str]:
        async with self._one_at_a_time:
            if self._looked is None or self.now() - self._looked >= OLDEST_SECONDS:
                troubles: set[str] = set()
                self._found = {"upstream": await self._upstream(troubles), "store": await self._store(troubles)}
                for trouble in sorted(troubles - self._told):  # once, and not at every look while it lasts
                    log.warning("/readyz: %s", trouble)
                self._told = troubles
                self._looked = self.now()
            return self._found

    async def _upstream(self, troubles: set[str]) -> str:
        """Of several schools one that is away must not take the others' server off."""
        good: list[Office] = []
        async with anyio.create_task_group() as group:
            for office in self.offices:
                group.start_soon(_look_at, office, good, troubles)
        return "ok" if len(good) == len(self.offices) else "in part" if good else "unavailable"

    async def _store(self, troubles: set[str]) -> str:
        office = self.offices[0]  # they share one
        if not office.connection.writes:
            return "not used"
        try:
            with anyio.fail_after(_PATIENCE):
                await office.desk.store.check()
        except (AttendanceError, TimeoutError) as error:
            troubles.add(_words("store", error))
            return "unavailable"
        return "ok"


async def _look_at(office: Office, good: list[Office], troubles: set[str]) -> None:
    try:
        with anyio.fail_after(_PATIENCE):
            await office.connection.client.get_school()
    except (AttendanceError, TimeoutError) as error:
        troubles.add(_words(f"school's system {office.among.name}".rstrip(), error))
        return
    good.append(office)


def _words(about: str, error: Exception) -> str:
    return f"{about}: {error if isinstance(error, AttendanceError) else f'no answer within {_PATIENCE:g} seconds'}"
