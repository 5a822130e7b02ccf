"""The server over stdio: it ends with its input, or at the first Ctrl+C or SIGTERM as if that were its input's end.

Calls under way are ended then, except a write on its way: it is finished, read back and recorded. A timer ends the
process where something hangs for longer. Windows' event loops take no signal handlers; `signal.signal` serves both.
"""

from __future__ import annotations

import asyncio
import io
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType
from typing import TYPE_CHECKING, Protocol

import anyio
from mcp.server.stdio import stdio_server

from attendance_mcp.stdio.lines import claim_stdin
from attendance_mcp.stdio.streams import Incoming, Outgoing

if TYPE_CHECKING:
    from mcp.shared._stream_protocols import ReadStream, WriteStream
    from mcp.shared.message import SessionMessage

_RESERVE = timedelta(seconds=10)  # beside the time to carry a plan out: for the last reading back and the store
_AT_ONCE = 1.0  # seconds in which everything else has ended

log = logging.getLogger(__name__)


class Server(Protocol):
    """What is served here."""

    longest_write: timedelta

    async def run_over(
        self, incoming: ReadStream[SessionMessage | Exception], outgoing: WriteStream[SessionMessage]
    ) -> None: ...


def run(server: Server) -> int:
    """Serves until stdin ends or a signal comes; the status to end with: 0, or 128 and the signal's number."""
    # The SDK notes every malformed notification, and a host that reads no notes would stop the server by that.
    logging.getLogger("mcp").setLevel(max(logging.ERROR, logging.getLogger("mcp").level))
    return anyio.run(_serve, server)


async def _serve(server: Server) -> int:
    ending = _Ending((server.longest_write + _RESERVE).total_seconds())
    try:
        # The SDK's half for stdin can't be interrupted and holds whatever comes, so it is given none.
        async with stdio_server(stdin=anyio.wrap_file(io.StringIO())) as (_, wire):
            incoming = Incoming(claim_stdin(), wire, on_end=ending.begin)
            _on_signals(lambda number: ending.begin(128 + number, then=incoming.close))
            try:
                await server.run_over(incoming, Outgoing(wire, incoming.open))
            finally:
                ending.only_the_pipe_is_left()
    except* OSError:
        if not ending.begun:
            log.error("Nobody reads what this server answers any more.")  # noqa: TRY400 it is no mistake of its own
        ending.status = ending.status or 1
    return ending.status


@dataclass(eq=False)
class _Ending:
    """How long the end may take, and the status that it has."""

    longest: float  # seconds
    status: int = 0
    begun: bool = False
    _written: bool = False

    def begin(self, status: int = 0, *, then: Callable[[], None] = lambda: None) -> None:
        """No more is read. The first reason is the one that counts."""
        if not self.begun:
            self.begun, self.status = True, status
            _after(_AT_ONCE, self._say)
            _after(self.longest, self._exit)
        then()

    def only_the_pipe_is_left(self) -> None:
        """Everything is written and closed. A client that reads no answers can hang now, or a thread."""
        self._written = True
        _after(_AT_ONCE, self._exit)

    def _say(self) -> None:
        if not self._written:
            log.warning("Ending: what is on its way to the school is finished and recorded first.")

    def _exit(self) -> None:
        os._exit(self.status)


def _on_signals(do: Callable[[int], None]) -> None:
    loop = asyncio.get_running_loop()

    def heard(number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(do, number)

    numbers = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup has it ignored
        numbers.append(signal.SIGHUP)
    for number in numbers:
        signal.signal(number, heard)


def _after(seconds: float, do: Callable[[], object]) -> None:
    timer = threading.Timer(seconds, do)
    timer.daemon = True
    timer.start()
