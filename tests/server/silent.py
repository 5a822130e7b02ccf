"""A school that takes every connection and answers nothing, until it is closed."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.upstream_school import UpstreamSchool


class Silence:
    """Calls that ask this school stay unanswered; after `end` they fail at once."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"

    def end(self) -> None:
        self._listening.close()


@contextmanager
def silence() -> Iterator[Silence]:
    # Nobody accepts: the system holds as many connections as the backlog has room for.
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        yield Silence(listening)


def settings_of_silence(school: UpstreamSchool, quiet: Silence) -> dict[str, str]:
    """The environment of a server whose school is silent."""
    return school.environment(api_url=quiet.url)
