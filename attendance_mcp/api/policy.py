"""How the school's API is treated: how fast it is asked, what is asked again, and when it is left alone.

This is the whole policy:

* Requests leave one by one, evenly spaced by `ATTENDANCE_RATE`, without bursts; no second sees more of them. A 429
  halves the rate, to one request a second at the least; without another one the full rate is back, bit by bit, after
  twenty seconds.
* A read that met trouble which may pass (no connection or a broken one, 429, 502, 503, 504) is sent again, three times
  in all. A timeout is not: it has used up the time already. A write is sent once, whatever comes.
* Before each retry it waits for a random time from nothing up to 0.5, then 1 second: full jitter, so that those who
  failed together don't come back together.
* Where the API says how long it wants to be left alone (`Retry-After`, `X-RateLimit-Reset`), it is, by every request of
  this process, for up to four seconds; then it is asked again whether it meant it. A pause beyond eight seconds, which
  two such waits can't cover, is not believed: the words of the error tell it, and the retry is made like any other.
* Retries have a budget, so that an outage is not multiplied by all who ask: ten to begin with, one more for every ten
  answers. Of 200 reads none of which is answered ten are sent again, and from a hundred on never more than a fifth is.
"""

from __future__ import annotations

import math
import random
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import anyio

from attendance_mcp.errors import AttendanceError

PASSING = frozenset({429, 502, 503, 504})
MOST_TRIES = 3
_TOO_MANY = 429

_FIRST_BACKOFF = 0.5  # doubles with each try
_LONGEST_PAUSE = 8.0
_LONGEST_WAIT = 4.0

_RESERVE = 10.0
_BY_AN_ANSWER = 0.1

_SLOWEST = 1.0  # requests a second
_RECOVERY = 20.0  # seconds from nothing to the full rate
_SECOND = 1.02  # as the API may count it: one request can be on its way for longer than a later one

_EPOCH_FROM = 1_000_000_000  # no pause lasts thirty years, so that a number this large is a moment
_MILLISECONDS_FROM = 1_000_000_000_000


@dataclass(slots=True, eq=False)
class Passing(Exception):  # noqa: N818  carries an error to the retry, and is never seen outside
    """A failure that may pass; `pause` is how long the API is left alone where it asked for that, in seconds."""

    error: AttendanceError
    pause: float | None = None


class Policy:
    """The policy over all requests of one transport; without a rate they are not spaced."""

    def __init__(
        self,
        rate: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._pace = Pace(rate, clock=clock)
        self._chance = chance
        self._retries_left = _RESERVE

    async def slot(self) -> float:
        """Returns when the next request may leave, with the moment."""
        return await self._pace.slot()

    def succeeded(self) -> None:
        """An answer came."""
        self._retries_left = min(_RESERVE, self._retries_left + _BY_AN_ANSWER)

    def troubled(self, status: int, headers: Mapping[str, str], *, left: float) -> float | None:
        """An answer came that says trouble, to a request that `left` then; how long the API is left alone now."""
        if status == _TOO_MANY:
            self._pace.slow_down(left)
        asked = pause_wanted(headers)
        if asked is None or asked > _LONGEST_PAUSE:
            return None
        pause = min(asked, _LONGEST_WAIT)
        self._pace.hold(pause)
        return pause

    def again(self) -> Callable[[Exception], bool | float]:
        """For one read: whether it is sent again after an error, and after how many seconds."""
        tries = 0

        def wait(error: Exception) -> bool | float:
            nonlocal tries
            tries += 1
            if not isinstance(error, Passing) or tries == MOST_TRIES or self._retries_left < 1:
                return False
            self._retries_left -= 1
            # The library's own jitter is added to a backoff, so that nobody would come back soon.
            backoff = _FIRST_BACKOFF * math.pow(2, tries - 1)
            if error.pause is None:
                return backoff * self._chance()
            return error.pause + min(backoff, error.pause) * self._chance()

        return wait


class Pace:
    """A clock of slots, one request each; whoever waits first goes first.

    Ours, since the libraries for it count a bucket, which lets a burst through at every start, and none of them can be
    slowed down or held under way.
    """

    def __init__(self, rate: float | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._full = rate or math.inf
        self._slowed_to, self._slowed_at = self._full, -math.inf
        self._clock = clock
        self._next = 0.0
        self._left = deque[float](maxlen=math.ceil(rate) if rate else 0)  # when the last ones left, a second's worth
        self._line = anyio.Lock()

    @property
    def rate(self) -> float:
        """Requests a second, as of now."""
        if self._slowed_to == self._full:
            return self._full
        return min(self._full, self._slowed_to + self._full * (self._clock() - self._slowed_at) / _RECOVERY)

    async def slot(self) -> float:
        """Returns when the next request may leave, with the moment."""
        # Only the first in line holds a slot: one that is cancelled while it waits leaves no gap behind.
        async with self._line:
            # Looks again after each sleep: the API may have asked for a pause meanwhile.
            while (wait := self._next - self._clock()) > 0:  # noqa: ASYNC110  time is what is waited for
                await anyio.sleep(wait)
            # A timer that wakes late by less than a step is made up for, or each lateness would lower the rate.
            now, step = self._clock(), 1 / self.rate
            self._next = (self._next if now - self._next < step else now) + step
            self._left.append(now)
            # Nor may what was made up for put one more into a second than an API lets in that counts them.
            if len(self._left) == self._left.maxlen and self._left:
                self._next = max(self._next, self._left[0] + _SECOND)
            return now

    def hold(self, seconds: float) -> None:
        """Lets nobody leave for a while: the API has asked for it, and it counts all requests together."""
        self._next = max(self._next, self._clock() + seconds)

    def slow_down(self, left: float) -> None:
        """Halves the rate, once for all requests that had `left` before it was last halved."""
        if left < self._slowed_at or self._full == math.inf:
            return
        self._slowed_to, self._slowed_at = max(self.rate / 2, min(self._full, _SLOWEST)), self._clock()
        self.hold(1 / self._slowed_to)


def pause_wanted(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """The seconds after which a retry may succeed, by Retry-After or X-RateLimit-Reset; None where neither is usable.

    Either may hold seconds, an epoch or a date (the contract leaves the form open). A moment is compared with the
    answer's own Date, so that a wrong clock on this machine makes no difference.
    """
    clock = now or _moment(headers.get("date", "")) or datetime.now(UTC)
    for name in ("retry-after", "x-ratelimit-reset"):
        seconds = _seconds(headers.get(name, "").strip(), clock)
        if seconds is not None and seconds >= 0:
            return seconds
    return None


def _seconds(text: str, clock: datetime) -> float | None:
    if re.fullmatch(r"\d{1,15}(\.\d{1,9})?", text, re.ASCII):
        number = float(text)
        if number >= _MILLISECONDS_FROM:
            number /= 1000
        return number - clock.timestamp() if number >= _EPOCH_FROM else number
    moment = _moment(text)
    return (moment - clock).total_seconds() if moment else None


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text.removesuffix(" UTC").strip())
        except ValueError:
            return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
