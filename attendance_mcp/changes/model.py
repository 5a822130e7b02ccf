"""What a plan is made of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class ChangeKind(StrEnum):
    """What is changed. The values stand in the store."""

    HOMEROOM_MARK = "homeroom mark"
    CLASS_MARK = "class mark"
    EXCUSAL_MADE = "excusal made"
    EXCUSAL_ALTERED = "excusal altered"
    EXCUSAL_DELETED = "excusal deleted"


class Outcome(StrEnum):
    """What became of a change. Nothing is called done that was not seen in the school's own records."""

    PLANNED = "planned"
    SENDING = "sending"  # stored before the request leaves: after a crash it may or may not have arrived
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NOT_SENT = "not sent"
    ERASED = "erased"  # taken out of the store at somebody's wish: nothing is known of it any more


class PlanState(StrEnum):
    """Where a plan stands."""

    WAITING = "waiting"
    APPLYING = "applying"
    SETTLED = "settled"
    STALE = "stale"
    DISCARDED = "discarded"


class Approval(StrEnum):
    """Who agreed to a plan; no more is claimed than what happened."""

    NONE = "none"
    TOKEN = "token"  # noqa: S105 the word for "by its confirmation alone"
    HUMAN = "human"


class Way(StrEnum):
    """Where a person agreed."""

    CLIENT = "client"  # in the client's own question
    WINDOW = "window"
    TERMINAL = "terminal"


@dataclass(frozen=True, slots=True)
class Agreed:
    """An approval, and for a person's the way it came."""

    approval: Approval
    way: Way | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Which record a change is of. Ids and days only."""

    student_id: int
    day: date | None = None
    year_group_id: int | None = None
    class_id: int | None = None
    period: int | None = None  # as the school shows it
    excusal_id: int | None = None


@dataclass(frozen=True, slots=True)
class MarkValue:
    """A mark's content: no status is a mark that was not taken.

    `put_back` is of a note that stood there once: nobody here typed it, so it is never shown.
    """

    status: int | None
    note: str | None = None
    put_back: bool = field(default=False, compare=False)
    gone: bool = field(default=False, compare=False)  # there was a note, which is no longer kept


@dataclass(frozen=True, slots=True)
class ExcusalValue:
    """An excusal's content; `put_back` is of a comment that stood there once."""

    start: date
    end: date
    parent_id: int | None = None
    comment: str | None = None
    put_back: bool = field(default=False, compare=False)
    gone: bool = field(default=False, compare=False)  # there was a comment, which is no longer kept


Value = MarkValue | ExcusalValue | None
ERASED_TARGET = '{"student_id": 0}'  # no student's, as it stands in the store


@dataclass(frozen=True, slots=True)
class Change:
    """One record's from → to, and what became of it."""

    kind: ChangeKind
    target: Target
    before: Value
    after: Value
    outcome: Outcome = Outcome.PLANNED
    reason: str = ""  # the API's own words, sanitised, where it refused
    made_id: int | None = None  # the id that a new excusal got
    known: frozenset[int] = frozenset()  # while a new excusal is under way: ids that can't be the one it gets


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes of one errand, bound to the caller, the school and the records they were computed from."""

    code: str
    caller: str
    school: str
    summary_hash: str
    errand_hash: str  # of the tool and its arguments, for a repeat of the same call with the confirmation
    created: datetime
    expires: datetime
    changes: tuple[Change, ...]
    state: PlanState = PlanState.WAITING
    approval: Approval = Approval.NONE
    way: Way | None = None
    settled: datetime | None = None
    already: int = 0

    @property
    def kept(self) -> tuple[Change, ...]:
        """Those of its changes of which anything is still known."""
        return tuple(change for change in self.changes if change.outcome is not Outcome.ERASED)


def value_to_json(value: Value) -> dict[str, Any] | None:
    """A value for the store."""
    match value:
        case None:
            return None
        case MarkValue():
            return {"status": value.status, "note": value.note, **_flags(value)}
        case ExcusalValue():  # pragma: no branch  there is no other value
            return {
                "start": value.start.isoformat(),
                "end": value.end.isoformat(),
                "parent_id": value.parent_id,
                "comment": value.comment,
                **_flags(value),
            }


def _flags(value: MarkValue | ExcusalValue) -> dict[str, bool]:
    return {name: True for name in ("put_back", "gone") if getattr(value, name)}


def value_from_json(stored: dict[str, Any] | None) -> Value:
    """A value from the store."""
    if stored is None:
        return None
    flags = (stored.get("put_back", False), stored.get("gone", False))
    if "status" in stored:
        return MarkValue(stored["status"], stored["note"], *flags)
    start, end = date.fromisoformat(stored["start"]), date.fromisoformat(stored["end"])
    return ExcusalValue(start, end, stored["parent_id"], stored["comment"], *flags)


def target_to_json(target: Target) -> dict[str, Any]:
    """A target for the store, without what it doesn't have."""
    stored = {name: getattr(target, name) for name in Target.__slots__}
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in stored.items()
        if value is not None
    }


def target_from_json(stored: dict[str, Any]) -> Target:
    """A target from the store."""
    day = stored.get("day")
    return Target(**{**stored, "day": date.fromisoformat(day) if day else None})


def summary_hash(summary: str) -> str:
    """What binds a confirmation to the line that a person read; hosts break lines, so white space is folded.

    The store keeps this instead of the summary, which holds names.
    """
    return hashlib.sha256(" ".join(summary.split()).encode()).hexdigest()
