"""The status codes of a mark: the vendor's word for each and what it counts as where a school says nothing else.

Source: the enumeration of `set_homeroom_attendance` in the vendor's documentation; -1 is only ever read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

NOT_TAKEN = -1
ABSENT = 0
PRESENT = 1
HEALTH = 10
EXCUSED = 13


class Kind(StrEnum):
    """What a mark counts as."""

    PRESENT = "present"
    LATE = "late"
    LEFT = "left"
    OUT = "out"
    EXCUSED = "excused"
    HEALTH = "health"
    ABSENT = "absent"
    OTHER = "other"
    UNCLASSIFIED = "unclassified"  # a label of the school's own that its profile gives no kind
    NOT_TAKEN = "not taken"


@dataclass(frozen=True, slots=True)
class Status:
    """One code with the vendor's word for it and its usual kind."""

    code: int
    label: str
    kind: Kind


STATUSES: dict[int, Status] = {
    code: Status(code, label, kind)
    for code, label, kind in (
        (NOT_TAKEN, "Not taken", Kind.NOT_TAKEN),
        (ABSENT, "Absent", Kind.ABSENT),
        (PRESENT, "Present", Kind.PRESENT),
        (2, "Late", Kind.LATE),
        (3, "Dress Code", Kind.PRESENT),
        (4, "Late & Dress Code", Kind.LATE),
        (5, "Dismissed", Kind.LEFT),
        (HEALTH, "Health", Kind.HEALTH),
        (11, "Sports", Kind.OUT),
        (12, "Fieldtrip", Kind.OUT),
        (EXCUSED, "Excused", Kind.EXCUSED),
        (14, "Other", Kind.OTHER),
        (15, "Custom 1", Kind.OTHER),
        (16, "Custom 2", Kind.OTHER),
        (17, "Custom 3", Kind.OTHER),
        (18, "Custom 4", Kind.OTHER),
    )
}
WRITABLE: tuple[int, ...] = tuple(code for code in STATUSES if code != NOT_TAKEN)
