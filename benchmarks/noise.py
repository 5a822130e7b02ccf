"""How quiet the machine is: times from a busy one say little."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TypeVar

T = TypeVar("T")


def noise() -> str:
    """The spread of one small piece of work, done over and over, and the machine's load."""
    times = sorted(_spin() for _ in range(41))
    spread = (times[36] - times[20]) / times[20] * 100
    load = f", load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors" if hasattr(os, "getloadavg") else ""
    return f"The same work took {times[20] * 1000:.1f} ms, one time in ten {spread:.0f} % longer{load}."


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds, and what came of it."""
    started = time.perf_counter()
    made = work()
    return time.perf_counter() - started, made


def median_of(work: Callable[[], object], *, times: int) -> float:
    """The median of several runs, in seconds."""
    return median(timed(work)[0] for _ in range(times))


def spent(process: int) -> float:
    """The seconds of a processor that the process has used so far, 0 where /proc doesn't tell."""
    stat = Path(f"/proc/{process}/stat")
    if not stat.exists():
        return 0.0
    words = stat.read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _spin() -> float:
    started = time.perf_counter()
    sum(range(200_000))
    return time.perf_counter() - started
