"""The real command at a real terminal: a pseudo-terminal of its own, as a person sits before it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import sys
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import DupFd
from typing import Any

from tests.forks import FORKS

CTRL_C, CTRL_D = "\x03", "\x04"
_PATIENCE = 60


@dataclass(eq=False)
class Terminal:
    """What stands on the screen, and a keyboard."""

    process: BaseProcess
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
        self.process.join(30)
        assert self.process.exitcode is not None, self.screen
        return self.process.exitcode

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
def terminal(*arguments: str, environment: Mapping[str, str], anew: bool = False) -> Iterator[Terminal]:
    """Starts `attendance-mcp` with these arguments at a terminal that becomes its controlling one.

    It is forked off a process that has imported it, or with `anew` starts as a shell starts it.
    """
    ours, theirs = pty.openpty()
    target, variables = _command_anew if anew else _command, {**os.environ, **environment}
    # The number goes over with the process, which is no child of this one.
    process = FORKS.Process(target=_sit_down, args=(target, _Sent(theirs), variables, arguments), daemon=True)
    process.start()
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.join()
        os.close(ours)


class _Sent:
    """An open file that is pickled on its way to a new process."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (DupFd(self.number),)


def _received(sent: Any) -> int:
    return int(sent.detach())


def _sit_down(target: Any, number: int, environment: dict[str, str], arguments: tuple[str, ...]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.setsid()
    fcntl.ioctl(number, termios.TIOCSCTTY, 0)  # so that Ctrl+C becomes a signal to whoever sits at it
    for standard in range(3):
        os.dup2(number, standard)
    target(arguments)


def _command(arguments: tuple[str, ...]) -> None:
    sys.stdin, sys.stdout = open(0, encoding="utf-8"), open(1, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8")  # noqa: SIM115
    from attendance_mcp.cli import main

    main(list(arguments))


def _command_anew(arguments: tuple[str, ...]) -> None:
    os.execv(sys.executable, [sys.executable, "-m", "attendance_mcp", *arguments])
