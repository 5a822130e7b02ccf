"""The real command at a real terminal: a pseudo-terminal of its own, as a person sits before it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from tests.measured import end

CTRL_C, CTRL_D = "\x03", "\x04"
_PATIENCE = 60


@dataclass(eq=False)
class Terminal:
    """What stands on the screen, and a keyboard."""

    process: subprocess.Popen[bytes]
    number: int
    raw: bytes = b""

    @property
    def screen(self) -> str:
        """All that was printed, in lines."""
        return self.raw.decode("utf-8", "replace").replace("\r\n", "\n")

    def wait_for(self, words: str) -> None:
        """Reads until these words stand on the screen."""
        while words not in self.screen:
            if not self._read():
                raise AssertionError(f"{words!r} never came: {self.screen}")

    def type(self, text: str) -> None:
        os.write(self.number, text.encode())

    def end(self) -> int:
        """The status that the command ends with."""
        while self._read():
            pass
        return self.process.wait(30)

    def _read(self) -> bool:
        if not select.select([self.number], [], [], _PATIENCE)[0]:
            raise AssertionError(f"Nothing came for {_PATIENCE} seconds: {self.screen}")
        try:
            part = os.read(self.number, 4096)
        except OSError:  # Linux's way to say that the other end is closed
            return False
        self.raw += part
        return bool(part)


@contextmanager
def terminal(*arguments: str, environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Starts `attendance-mcp` with these arguments at a terminal that becomes its controlling one."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _AT_THE_TERMINAL, "-m", "attendance_mcp", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        end(process)
        process.wait()
        os.close(ours)


# The session's terminal, so that Ctrl+C becomes a signal to whoever sits at it.
_AT_THE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)
