"""What earlier answers said, so that a later one can tell what has changed since."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping

KEPT_SECONDS = 12 * 3600
_MOST_ANSWERS = 50


class Recall:
    """Student id → label of the answers of this running server, for twelve hours, in memory only."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: dict[tuple[Hashable, str], tuple[float, dict[int, str]]] = {}

    def compare(
        self, question: Hashable, *, since: str, as_of: str, states: Mapping[int, str]
    ) -> Mapping[int, str] | None:
        """What the answer stated at `since` said, None where none is remembered; this answer is remembered too."""
        now = self._clock()
        self._answers = {key: kept for key, kept in self._answers.items() if kept[0] > now}
        earlier = self._answers.get((question, since.strip()))
        while len(self._answers) >= _MOST_ANSWERS:
            del self._answers[next(iter(self._answers))]
        # Of two answers within one second the first stays: what changed between them counts as changed since.
        self._answers.setdefault((question, as_of), (now + KEPT_SECONDS, dict(states)))
        return earlier[1] if earlier and since else None
