"""What `make coverage` tells a process of ours that a test starts with an environment of its own."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from typing import Any


def measured() -> dict[str, str]:
    """Coverage's settings, which such an environment takes along; none where nothing is measured."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}


def end(process: subprocess.Popen[Any]) -> None:
    """Kills a process of ours; where it is measured it is asked first, since what is killed writes nothing down."""
    if measured():
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
    process.kill()
