"""The demo: the product on the sandbox school, in one process, and an exchange with it that can be read."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Literal

import anyio
import anyio.to_thread

from attendance_mcp.api.client import Client
from attendance_mcp.rules.profile import Profile
from attendance_mcp.school.clock import Clock
from attendance_mcp.school.connection import Connection
from attendance_mcp.settings import Settings, data_folder

SIZE: Literal["school"] = "school"
SEED = 1
NAME = "demo"
Receive = Callable[[], Any]
Send = Callable[[Any], Any]


def demo_connection(settings: Settings, *, profile: Profile | None = None) -> Connection:
    """A connection to the embedded school; its file is opened at the first read."""
    today = demo_today(settings)
    token = secrets.token_urlsafe(16)
    sandbox = _Sandbox(demo_file(), today=today, token=token)

    def connect() -> Client:
        from attendance_mcp.api.transport import Transport

        return Client(
            Transport(
                base_url="https://demo.invalid",
                version="v2p1",
                token=lambda: token,
                rate=1000,
                connect_timeout=settings.connect_timeout,
                read_timeout=settings.read_timeout,
                app=sandbox,
                about_people=settings.privacy != "codes",
            )
        )

    return Connection(
        connect=connect,
        clock=Clock.of(settings.zone, today),
        name=NAME,
        deadline=settings.deadline,
        rate=1000,
        own_profile=profile
        or Profile.from_toml((Path(__file__).parent / "sandbox" / "school.toml").read_text("utf-8")),
        on_close=sandbox.close,
    )


def demo_file() -> Path:
    """Where the demo's school lives, so that what was written there is there at the next start."""
    return data_folder() / "demo-school.db"


def demo_today(settings: Settings) -> datetime:
    """The moment at which the demo stands: as set, else noon of the latest day that is a school day for everybody."""
    if isinstance(settings.today, datetime):
        return settings.today
    if settings.today is not None:
        return datetime.combine(settings.today, time(12))
    from attendance_mcp.sandbox.school_year import latest_common_school_day

    return datetime.combine(latest_common_school_day(date.today(), size=SIZE, seed=SEED), time(12))  # noqa: DTZ011 the machine's day


class _Sandbox:
    """The sandbox as an ASGI app that opens its school at the first request, off the event loop."""

    def __init__(self, file: Path, *, today: datetime, token: str) -> None:
        self._file, self._today, self._token = file, today, token
        self._open = ExitStack()
        self._app: Any = None
        self._opening = anyio.Lock()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        async with self._opening:
            if self._app is None:
                self._app = await anyio.to_thread.run_sync(self._start)
        await self._app(scope, receive, send)

    def _start(self) -> Any:
        from attendance_mcp.sandbox.app import create_app
        from attendance_mcp.sandbox.serve import open_school

        engine = self._open.enter_context(open_school(size=SIZE, seed=SEED, today=self._today, file=self._file))
        return create_app(engine, token=self._token, today=self._today)

    def close(self) -> None:
        self._open.close()
