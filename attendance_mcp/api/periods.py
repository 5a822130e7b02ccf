"""Periods: the wire counts them in two ways beside the school's own; outside `api/` only what the school shows is used.

A timetable's slots are in the counting that the school shows. A mark is written with a period that counts from 1. The
keys of a class day are counted from `period_offset` away; where that is left out they count from 1, like what is
written. A school whose own counting begins with 0 says so by `period_starts_count_from`.
"""

from __future__ import annotations

import re

from attendance_mcp.errors import ArgumentError

COUNTED_FROM_ONE = 1


def shift_of_day(*, periods_from: int | None, period_offset: int | None) -> int:
    """What is added to a key of a class day to get the period that the school shows."""
    if period_offset is not None:
        return period_offset
    return (COUNTED_FROM_ONE if periods_from is None else periods_from) - COUNTED_FROM_ONE


def written(period: int, *, periods_from: int | None) -> int:
    """The period that a mark is written with, from the one that the school shows. Raises ArgumentError below the first.

    Source: the contract's timetable, "the period that a mark is written with".
    """
    first = COUNTED_FROM_ONE if periods_from is None else periods_from
    if period < first:
        raise ArgumentError(f"There is no period {period}: this school counts its periods from {first}.")
    return period + (COUNTED_FROM_ONE - first)


def shown_in(message: str, *, periods_from: int | None) -> str:
    """A message about a written period with its numbers in the school's counting, such as `must be in 0, 1, 3`."""
    shift = (COUNTED_FROM_ONE if periods_from is None else periods_from) - COUNTED_FROM_ONE
    return re.sub(r"\b\d{1,2}\b", lambda found: str(int(found[0]) + shift), message) if shift else message
