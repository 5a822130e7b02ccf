"""A school that takes every connection and answers nothing, until it ends."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.upstream_school import UpstreamSchool


class Silence:
    """Calls that ask this school stay unanswered; after `end` they fail at once."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._taken: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"

    def wait(self) -> None:
        """Until the first call asks it something."""
        self._listening.settimeout(20)
        self._taken.append(self._listening.accept()[0])

    def end(self) -> None:
        for connection in (*self._taken, self._listening):
            connection.close()


@contextmanager
def silence() -> Iterator[Silence]:
    # Nobody need accept: the system holds as many connections as the backlog has room for.
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        quiet = Silence(listening)
        try:
            yield quiet
        finally:
            quiet.end()


def settings_of_silence(school: UpstreamSchool, quiet: Silence) -> dict[str, str]:
    """The environment of a server whose school is silent."""
    return school.environment(api_url=quiet.url)
