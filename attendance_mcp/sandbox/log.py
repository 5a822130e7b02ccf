"""What was asked of the sandbox, for tests that assert on what went over the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, overload


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One request as it came in and the status of its answer; only a write has a body."""

    method: str
    path: str
    query: str  # as it was sent, but never with the token
    status: int
    body: Any = None  # the JSON of a write, or its text where it was none
    at: float = field(default=0.0, compare=False, repr=False)  # when it came in, seconds of the epoch


class RequestLog(Sequence[LogEntry]):
    """The requests in the order of their answers, also appended to a JSON-lines file where one is named."""

    def __init__(self, file: Path | None = None) -> None:
        self._entries: list[LogEntry] = []
        self._file = file

    def record(self, entry: LogEntry) -> None:
        self._entries.append(entry)
        if self._file is not None:
            # Opened for each line, so that several processes can share the file and a reader sees whole lines.
            with self._file.open("a", encoding="utf-8", newline="\n") as lines:
                lines.write(json.dumps(asdict(entry)) + "\n")

    def clear(self) -> None:
        self._entries.clear()

    def writes(self) -> list[LogEntry]:
        """Every request that was not a GET."""
        return [entry for entry in self._entries if entry.method not in ("GET", "HEAD")]

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[LogEntry]:
        return iter(tuple(self._entries))

    @overload
    def __getitem__(self, index: int) -> LogEntry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[LogEntry]: ...
    def __getitem__(self, index: int | slice) -> LogEntry | Sequence[LogEntry]:
        return self._entries[index]


def read_log(file: Path) -> list[LogEntry]:
    """Read the entries of a JSON-lines file that another process writes."""
    if not file.exists():
        return []
    return [LogEntry(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]
