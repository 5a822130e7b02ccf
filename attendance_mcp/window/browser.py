"""Opening a page in the person's browser without telling its address to anybody else on the machine."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from attendance_mcp.window.markup import document, element

_TERMINAL_BROWSERS = frozenset({"links", "elinks", "lynx", "w3m", "www-browser"})
_OPEN_SECONDS = 15
_OPENING = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.argv[1]))"
_NAME = "open-plan.html"


def can_open() -> bool:
    """Whether this process stands on a person's desktop with a graphical browser."""
    if os.environ.get("CI") or os.environ.get("SSH_CONNECTION"):
        return False  # nobody watches, or whoever does sits at another machine than the browser
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    import webbrowser

    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    return Path(getattr(browser, "name", "") or "").name not in _TERMINAL_BROWSERS


def open_in_browser(address: str) -> bool:
    """Opens the address in the default browser; false where that failed. Takes up to some seconds: call in a thread.

    In a process of its own, since on stdio this one's stdout is the protocol: a browser that is started from here
    would inherit it, and prints lines such as "Opening in existing browser session."
    """
    command = [sys.executable, "-I", "-c", _OPENING, address]
    try:
        ended = subprocess.run(  # noqa: S603  the interpreter itself and an address made here
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_OPEN_SECONDS,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.TimeoutExpired):  # pragma: no cover  a browser that hangs for 15 s
        return False
    return ended.returncode == 0


class Envelope:
    """A private file that leads a browser to an address.

    A browser is opened by its command line, which every user of the machine can read in the list of processes. So the
    command line names this file, which its owner alone can read, and the file holds the address.
    """

    def __init__(self, address: str, *, title: str = "Open the plan") -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="attendance-"))  # 0700
        self._file = self._folder / _NAME
        number = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(_leading_to(address, title))

    @property
    def address(self) -> str:
        """The file's own `file://` address, which tells nothing."""
        return self._file.as_uri()

    def destroy(self) -> None:
        """Deletes the file; once more does nothing."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)
            self._folder.rmdir()


def _leading_to(address: str, title: str) -> str:
    return document(
        element("meta", name="referrer", content="no-referrer"),
        element("meta", http_equiv="refresh", content=f"0;url={address}"),
        element("title", "Attendance"),
        body=element("body", element("p", element("a", title, href=address))),
    )
