"""Where the assistants on this machine keep their configuration, and whether it names this server."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Host:
    """One assistant; `servers` is the key under which it lists them."""

    name: str
    path: Path
    servers: str = "mcpServers"

    def entries(self) -> list[str]:
        """The names of the entries that start this server; none where there is no file that can be read."""
        try:
            found = json.loads(self.path.read_text("utf-8")).get(self.servers, {})
        except (OSError, ValueError, AttributeError):
            return []
        return [name for name, entry in found.items() if "attendance-mcp" in json.dumps(entry)]


def hosts() -> Iterable[Host]:
    """The assistants that are known, with the places that their documentation names for this system."""
    home = Path.home()
    match sys.platform:
        case "darwin":
            settings = home / "Library" / "Application Support"
        case "win32":
            settings = Path(os.environ.get("APPDATA", home / "AppData" / "Roaming"))
        case _:
            settings = Path(os.environ.get("XDG_CONFIG_HOME", home / ".config"))
    yield Host("Claude Desktop", settings / "Claude" / "claude_desktop_config.json")
    yield Host("Claude Code", home / ".claude.json")
    yield Host("VS Code", settings / "Code" / "User" / "mcp.json", servers="servers")
