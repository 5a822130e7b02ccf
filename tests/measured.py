"""What `make coverage` tells a process of ours that a test starts with an environment of its own."""

from __future__ import annotations

import os


def measured() -> dict[str, str]:
    """Coverage's settings, which such an environment takes along; none where nothing is measured."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
