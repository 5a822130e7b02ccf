"""What the contract only assumes, as switches, so that a wrong assumption is met in a test, not in a school."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

CHOICES: dict[str, tuple[str, ...]] = {
    "no_record": ("missing", "{}", "-1"),
    "archived": ("only", "also"),
    "notes_omitted": ("kept", "cleared"),
    "periods_from": ("1", "0"),
    "adjustments": ("outside", "inside"),
    "duration": ("calendar", "school"),
    "unlisted_day": ("off", "unknown"),
    "extended_off": ("403", "401"),
}
"""Every switch with its values; the first one is what the contract assumes."""

OPTIONAL = frozenset({"calendar", "categories", "teachers", "permissions", "extended"})
"""What a school may lack: operations that nobody documents for this version, and the Extended APIs package."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """One value for each switch."""

    no_record: str = "missing"  # how a homeroom or class day without a mark is answered
    archived: str = "only"  # whether archived_students=true leaves out the others
    notes_omitted: str = "kept"  # what a write without "notes" does to the old note
    periods_from: str = "1"  # what the school calls its first period
    adjustments: str = "outside"  # whether term totals already hold them
    duration: str = "calendar"  # which days of an excusal count
    unlisted_day: str = "off"  # what a date means that the calendar doesn't list
    extended_off: str = "403"  # how an operation of a package that wasn't bought is refused

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value not in CHOICES[field.name]:
                raise ValueError(f"{field.name} is one of {', '.join(CHOICES[field.name])}, not {value!r}")

    @property
    def first_period(self) -> int:
        """What the school calls the period that is stored and written as 1."""
        return int(self.periods_from)


def parse_assumptions(settings: Iterable[str]) -> Assumptions:
    """Read `KEY=VALUE` settings. Raises ValueError naming the known keys or values; a key given twice is an error."""
    chosen: dict[str, str] = {}
    for setting in settings:
        key, equals, value = (part.strip() for part in setting.partition("="))
        if not equals:
            raise ValueError(f"{setting!r} is not KEY=VALUE")
        if key not in CHOICES:
            raise ValueError(f"there is no assumption {key!r}; known are {', '.join(CHOICES)}")
        if key in chosen:
            raise ValueError(f"{key} is given twice")
        chosen[key] = value
    return Assumptions(**chosen)


def parse_without(names: str | Iterable[str]) -> frozenset[str]:
    """Read what the school lacks, as a list or separated by commas. Raises ValueError naming the known ones."""
    parts = names.split(",") if isinstance(names, str) else names
    missing = frozenset(stripped for part in parts if (stripped := part.strip()))
    if unknown := sorted(missing - OPTIONAL):
        raise ValueError(f"a school can't be without {', '.join(unknown)}; known are {', '.join(sorted(OPTIONAL))}")
    return missing
