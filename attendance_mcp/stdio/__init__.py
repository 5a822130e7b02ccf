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
from datetime import timedelta
from types import FrameType

import anyio
from mcp.server.stdio import stdio_server

from attendance_mcp.server import AttendanceServer
from attendance_mcp.stdio.lines import claim_stdin
from attendance_mcp.stdio.streams import Incoming, Outgoing

_RESERVE = timedelta(seconds=10)  # beside the time to carry a plan out: for the last reading back and the store
_AT_ONCE = 1.0  # seconds in which everything else has ended

log = logging.getLogger(__name__)


def run(server: AttendanceServer) -> int:
    """Serves until stdin ends or a signal comes; the status to end with: 0, or 128 and the signal's number."""
    # The SDK notes every malformed notification, and a host that reads no notes would stop the server by that.
    logging.getLogger("mcp").setLevel(logging.ERROR)
    return anyio.run(_serve, server)


async def _serve(server: AttendanceServer) -> int:
    status, finished = 0, False

    def say() -> None:
        if not finished:
            log.warning("A change is on its way to the school; it is finished and recorded first.")

    def end() -> None:
        _after((server.longest_write + _RESERVE).total_seconds(), lambda: os._exit(status))
        _after(_AT_ONCE, say)

    # The SDK's half for stdin can't be interrupted and holds whatever comes, so it is given none.
    async with stdio_server(stdin=anyio.wrap_file(io.StringIO())) as (_, wire):
        incoming = Incoming(claim_stdin(), wire, on_end=end)
        loop = asyncio.get_running_loop()

        def stop(number: int) -> None:
            nonlocal status
            status = status or 128 + number
            incoming.close()

        def heard(number: int, _frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(stop, number)

        for number in _signals():
            signal.signal(number, heard)
        try:
            await server.run_over(incoming, Outgoing(wire, incoming.open))
        finally:
            finished = True
            # What can hang now is a client that reads no answers, or a thread that looks up a name.
            _after(_AT_ONCE, lambda: os._exit(status))
    return status


def _signals() -> list[signal.Signals]:
    numbers = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup has it ignored
        numbers.append(signal.SIGHUP)
    return numbers


def _after(seconds: float, do: Callable[[], object]) -> None:
    timer = threading.Timer(seconds, do)
    timer.daemon = True
    timer.start()
