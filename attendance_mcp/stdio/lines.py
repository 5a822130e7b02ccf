"""The lines of a pipe, read by a thread of their own, so that whoever waits for them can be interrupted.

The thread reads on when what it brought is taken: a sender that is faster than the server waits in the pipe.
"""

from __future__ import annotations

import asyncio
import os
import select
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

LONGEST = 4 * 2**20  # bytes of one line
HEAD = 4096  # bytes kept of a longer one
_CHUNK = 2**16
_LOOK_EVERY = 1.0  # seconds between two looks whether the sender is gone, while nothing is read


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line over the cap: how it began. The rest was let go as it came."""

    head: bytes


Line = bytes | TooLong


class Splitter:
    """Makes lines of chunks and holds at most one, no longer than the cap."""

    def __init__(self) -> None:
        self._begun = bytearray()
        self._skipping = False

    def feed(self, chunk: bytes) -> list[Line]:
        """The lines that end in this chunk, and the one that just became too long."""
        lines: list[Line] = []
        for number, piece in enumerate(chunk.split(b"\n")):
            if number:
                lines += self.rest()
                self._skipping = False
            if self._skipping:
                continue
            self._begun += piece
            if len(self._begun) > LONGEST:
                lines.append(TooLong(bytes(self._begun[:HEAD])))
                self._begun.clear()
                self._skipping = True
        return lines

    def rest(self) -> list[Line]:
        """The line begun, if there is any."""
        begun = bytes(self._begun)
        self._begun.clear()
        return [begun] if begun else []


class Lines:
    """The lines of a descriptor, for the event loop that makes it; `stir` is called when there is news."""

    def __init__(self, fd: int, stir: Callable[[], None]) -> None:
        self._fd, self._stir = fd, stir
        self._loop = asyncio.get_running_loop()
        self._here: deque[Line] = deque()
        self._taken = threading.Event()
        self._last = False
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    @property
    def ended(self) -> bool:
        """Whether no line will come any more."""
        return self._last and not self._here

    def take(self) -> Line | None:
        """The next line, None where none has come yet."""
        if not self._here:
            return None  # and nothing was taken: what the thread brings may be on its way here
        line = self._here.popleft()
        if not self._here:
            self._taken.set()
        return line

    def close(self) -> None:
        """Ends the lines here, whatever was still to come."""
        self._here.clear()
        self._arrived((), last=True)

    def _arrived(self, lines: Iterable[Line], *, last: bool = False) -> None:
        if not self._last:
            self._here.extend(lines)
            self._last = last
            self._stir()

    # --- in the thread ---

    def _read(self) -> None:
        splitter = Splitter()
        with suppress(RuntimeError):  # the loop is closed: nobody waits for lines any more
            while chunk := self._chunk():
                lines = splitter.feed(chunk)
                if lines and not self._bring(lines):
                    self._loop.call_soon_threadsafe(self.close)
                    return
            self._loop.call_soon_threadsafe(lambda: self._arrived(splitter.rest(), last=True))

    def _chunk(self) -> bytes:
        try:
            return os.read(self._fd, _CHUNK)
        except OSError:
            return b""

    def _bring(self, lines: list[Line]) -> bool:
        """Waits until the lines are taken. False where their sender is gone before: nobody reads an answer to them."""
        self._taken.clear()
        self._loop.call_soon_threadsafe(self._arrived, lines)
        while not self._taken.wait(_LOOK_EVERY):
            if _hung_up(self._fd):
                return False
        return True


def _hung_up(fd: int) -> bool:
    """Whether nobody can write to the pipe any more, although it may not be empty."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(fd, 0)
    return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))


def claim_stdin() -> int:
    """A descriptor of the process's input for the protocol alone; 0 reads nothing from now on, in children too."""
    own = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    if sys.platform == "win32":
        from mcp.os.win32.utilities import rebind_std_handle_to_fd

        rebind_std_handle_to_fd(0)
    return own
