"""The server over stdio, ended by the first Ctrl+C or SIGTERM, with clean-up.

The SDK needs three interrupts: its thread that reads stdin can't be interrupted. So a timer ends the process once
clean-up had its time. Windows' event loops take no signal handlers; `signal.signal` serves both.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from types import FrameType
from typing import Any

import anyio
from mcp.server import MCPServer

_CLEAN_UP_SECONDS = 1.0


async def serve(server: MCPServer[Any]) -> None:
    """Serves until stdin ends or a signal comes."""
    loop = asyncio.get_running_loop()
    async with anyio.create_task_group() as group:

        def stop(number: int) -> None:
            timer = threading.Timer(_CLEAN_UP_SECONDS, os._exit, (128 + number,))
            timer.daemon = True
            timer.start()
            group.cancel_scope.cancel()

        def heard(number: int, _frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(stop, number)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, heard)
        await server.run_stdio_async()
        group.cancel_scope.cancel()
