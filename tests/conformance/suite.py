"""The conformance suite and the Inspector, as npm installs them beside this file."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

MODULES = Path(__file__).parent / "node_modules"
NODE = MODULES / "node" / "bin" / "node"
SUITE = MODULES / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
INSPECTOR = MODULES / ".bin" / "mcp-inspector"

needs_npm_packages = pytest.mark.skipif(
    not (NODE.exists() and SUITE.exists() and INSPECTOR.exists()),
    reason="the npm packages are missing: npm ci --prefix tests/conformance (as .ci/run does)",
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SUMMED = re.compile(r"^([✓✗]) (\S+): (\d+) passed, (\d+) failed", re.MULTILINE)


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its status."""

    status: int
    out: str
    err: str


def run(home: Path, *command: str | Path, limit: float = 240) -> Ran:
    """One command of an npm package, in a home of its own."""
    home.mkdir(parents=True, exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    done = subprocess.run(
        [NODE, *command], capture_output=True, text=True, env=environment, cwd=home, timeout=limit, check=False
    )
    return Ran(done.returncode, _COLOUR.sub("", done.stdout), _COLOUR.sub("", done.stderr))


def required(home: Path, url: str, revision: str) -> tuple[int, dict[str, str]]:
    """What a revision of the protocol requires: the suite's status, and of each scenario how many checks failed, as
    `0 of 3`.
    """
    ran = run(home, SUITE, "server", "--url", url, "--requirements", revision)
    counted = {name: (int(passed), int(failed)) for _, name, passed, failed in _SUMMED.findall(ran.out)}
    return ran.status, {name: f"{failed} of {passed + failed}" for name, (passed, failed) in counted.items()}
