"""The school's clock: which day it is there, which the machine's own clock and zone may not tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from attendance_mcp.errors import ArgumentError

DayWord = Literal["today", "yesterday", "tomorrow"]
_STEPS: dict[DayWord, int] = {"yesterday": -1, "today": 0, "tomorrow": 1}
NOON = time(12)


@dataclass(frozen=True, slots=True)
class Clock:
    """Days as the school counts them; `standing` stops it at one moment (the setting TODAY, the demo's day)."""

    zone: tzinfo
    zone_name: str
    standing: datetime | None = None
    utcnow: Callable[[], datetime] = lambda: datetime.now(UTC)

    @classmethod
    def of(cls, zone: ZoneInfo | None, today: date | datetime | None = None) -> Clock:
        """A clock in the school's zone, else the machine's; it stands where `today` is given, a date alone at noon."""
        here = datetime.now().astimezone()
        name = zone.key if zone else f"{here.tzname()}, this computer's"
        at = zone or here.tzinfo or UTC
        if isinstance(today, date) and not isinstance(today, datetime):
            today = datetime.combine(today, NOON)
        return cls(at, name, today.replace(tzinfo=at) if today else None)

    def now(self) -> datetime:
        """The moment at the school, with its zone."""
        return self.standing or self.utcnow().astimezone(self.zone)

    def stamp(self) -> str:
        """The real time of an answer, `08:31:07`, in the school's zone; it moves on where the clock stands."""
        return f"{self.utcnow().astimezone(self.zone):%H:%M:%S}"

    def today(self) -> date:
        return self.now().date()

    def day(self, wanted: date | DayWord) -> date:
        """A date argument as a date."""
        if isinstance(wanted, date):
            return wanted
        try:
            return self.today() + timedelta(days=_STEPS[wanted])
        except KeyError:
            raise ArgumentError(f"{wanted!r} is no day: give yyyy-mm-dd, today, yesterday or tomorrow.") from None


def weekday(day: date) -> str:
    """`Tue`; the words don't follow the machine's locale."""
    return ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[day.weekday()]


def spoken(day: date) -> str:
    """`Tue 2026-11-24`."""
    return f"{weekday(day)} {day.isoformat()}"
