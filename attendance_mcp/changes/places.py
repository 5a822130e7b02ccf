"""Where the store stands: in a database by its URL, or in a file that never leaves this machine."""

from __future__ import annotations

import re
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from attendance_mcp.errors import StoreUnavailable

# The folders' names as the services make them: `OneDrive - The School`, `GoogleDrive-mia@school.example`.
_SERVICES = {
    "OneDrive": r"OneDrive(-Personal| -.*|-.*)?",
    "Dropbox": r"Dropbox( \(.*\)|-.*)?",
    "iCloud Drive": r"iCloud ?Drive|Mobile Documents|com~apple~CloudDocs",
    "Google Drive": r"Google ?Drive(-.*| \(.*\))?|My Drive|DriveFS",
    "a cloud service": r"CloudStorage",
}


def address_of(place: str | Path) -> sa.URL:
    """The address of a `postgresql://…` URL or of a SQLite file. Raises StoreUnavailable for a URL that is none."""
    if isinstance(place, str) and place.startswith("postgresql://"):
        try:
            return sa.make_url("postgresql+psycopg" + place.removeprefix("postgresql"))
        except (ArgumentError, ValueError):
            raise StoreUnavailable(
                "The address of the store is no postgresql://user:password@host/database (setting ATTENDANCE_STORE)."
            ) from None
    # Not parsed as a URL: a folder's name may hold a question mark or a percent sign.
    return sa.URL.create("sqlite", database=str(Path(place).expanduser()))


def check_place(path: Path) -> None:
    """Raises StoreUnavailable for a file in a folder that a service copies to other machines.

    Such a copy would leave the machine, and a database that is copied while it is written breaks.
    """
    places = [path.expanduser().absolute(), path.expanduser().resolve()]
    for service, names in _SERVICES.items():
        if any(re.fullmatch(names, part, re.IGNORECASE) for place in places for part in place.parts):
            raise StoreUnavailable(
                f"The store of plans and changes stands in a folder that {service} copies to other machines: "
                "children's records must stay on this one. Set ATTENDANCE_STORE to a file where nothing copies it."
            )
