"""Planning: the changes that were worked out become a stored plan, bound to its caller, with its confirmation."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import date
from typing import Any

import anyio

from attendance_mcp.changes.apply import apply_plan
from attendance_mcp.changes.desk import Errand
from attendance_mcp.changes.facts import WriteFacts
from attendance_mcp.changes.message import fingerprint_of_many
from attendance_mcp.changes.model import Change, Plan, summary_hash
from attendance_mcp.changes.wording import grouped, moment, summary, words_for
from attendance_mcp.errors import ArgumentError, PlanError, Unavailable

CODE_LENGTH = 10
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O, U: people read codes out
MOST_CHANGES = 500
MOST_WAITING = 32


@dataclass(slots=True)
class Draft:
    """What an errand comes to, before it is stored."""

    changes: list[Change] = field(default_factory=list)
    already_so: int = 0
    warnings: list[str] = field(default_factory=list)

    def add(self, change: Change) -> None:
        """Keeps the change unless the record already is so."""
        if change.before == change.after:
            self.already_so += 1
        else:
            self.changes.append(change)

    def warn(self, warning: str) -> None:
        if warning not in self.warnings:
            self.warnings.append(warning)

    def merge(self, other: Draft) -> None:
        """Takes another part of the same errand in."""
        self.changes.extend(other.changes)
        self.already_so += other.already_so
        for warning in other.warnings:
            self.warn(warning)


async def plan_or_apply(
    errand: Errand,
    draft: Callable[[], Awaitable[Draft]],
    *,
    tool: str,
    arguments: dict[str, Any],
    confirmation: str,
) -> WriteFacts:
    """A write tool's whole body: without a confirmation it plans; with one it carries out the plan of the same call."""
    errand_hash = hashlib.sha256(json.dumps([tool, _plain(arguments)], sort_keys=True).encode()).hexdigest()
    if confirmation:
        return await apply_plan(errand, confirmation, errand_hash=errand_hash)
    try:
        # The records are read past the deadline of shared reads, each with retries of its own.
        with anyio.fail_after(errand.school.connection.deadline):
            drafted = await draft()
    except TimeoutError:
        raise Unavailable("The school's system was too slow to read these records. Try again, or plan less.") from None
    return await store_plan(errand, drafted, errand_hash=errand_hash)


async def store_plan(errand: Errand, draft: Draft, *, errand_hash: str) -> WriteFacts:
    """Stores the plan and says it. Nothing is written to the school."""
    check_size(len(draft.changes))
    await errand.school.check_writable(change.target.student_id for change in draft.changes)
    if not draft.changes:
        told = "every record already is so." if draft.already_so else "no record was named."
        return WriteFacts(summary=told, already_so=draft.already_so, warnings=draft.warnings)
    now = errand.desk.now()
    words = await words_for(errand.school, draft.changes)
    line = summary(draft.changes, words)
    assistant = errand.school.for_assistant()
    # The assistant gives the line back as it is told it, also of a plan that a person made in the window.
    bound = words if assistant is errand.school else await words_for(assistant, draft.changes)
    plan = Plan(
        code="".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH)),
        caller=errand.school.caller,
        school=errand.school.connection.name,
        summary_hash=summary_hash(summary(draft.changes, bound)),
        errand_hash=errand_hash,
        created=now,
        expires=now + errand.desk.waits,
        changes=tuple(draft.changes),
        already=draft.already_so,
    )
    if not await errand.desk.store.add(plan, most_waiting=MOST_WAITING):
        raise PlanError(f"{MOST_WAITING} plans already wait. Apply one, or let them expire, before planning more.")
    return WriteFacts(
        summary=line,
        confirmation=plan.code,
        expires=moment(plan.expires, now, errand.school.clock.zone),
        changes=grouped(draft.changes, words),
        already_so=draft.already_so,
        warnings=draft.warnings,
        fingerprint=fingerprint_of_many(draft.changes),
    )


def check_size(changes: int) -> None:
    """Raises ArgumentError where one plan can't hold so many changes."""
    if changes > MOST_CHANGES:
        parts = -(-changes // MOST_CHANGES)
        raise ArgumentError(
            f"A plan holds at most {MOST_CHANGES} changes; this is {changes}. Split it into {parts} or more plans, "
            "by date or by group of students."
        )


def _plain(value: Any) -> Any:
    """Arguments as JSON, so that the same call always hashes the same."""
    match value:
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _plain(asdict(value))
        case date():
            return value.isoformat()
        case list() | tuple():
            return [_plain(item) for item in value]
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case _:
            return value
