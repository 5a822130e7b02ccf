"""A plan as a person is asked about it: every change, or for a long one their grouping and a fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

from attendance_mcp.changes.desk import Errand
from attendance_mcp.changes.model import Change, Plan, target_to_json, value_to_json
from attendance_mcp.changes.risks import warnings_of
from attendance_mcp.changes.wording import grouped, moment, rows_of, summary, words_for
from attendance_mcp.digest.facts import counted

MOST_ROWS = 20
_MOST_GROUPS = 20


async def message_of(errand: Errand, plan: Plan, *, whole: bool = False) -> str:
    """The question's text, by the names and labels of now; `whole` shows every change of a long one too."""
    school = errand.school.for_person()
    words = await words_for(school, plan.changes)
    expires = moment(plan.expires, errand.desk.now(), errand.school.clock.zone)
    lines = [summary(plan.changes, words)]
    if len(plan.changes) > MOST_ROWS and not whole:
        groups = grouped(plan.changes, words)
        lines += [
            f"- {group.record}: {group.was} → {group.becomes} ({counted(len(group.students), 'student')})"
            for group in groups[:_MOST_GROUPS]
        ]
        if len(groups) > _MOST_GROUPS:
            rest = sum(len(group.students) for group in groups[_MOST_GROUPS:])
            lines.append(f"- and {counted(rest, 'change')} of other kinds")
        lines.append(f"Fingerprint of all {len(plan.changes)} changes: {fingerprint(plan.changes)}")
    else:
        lines += [f"- {row.student}: {row.record}: {row.was} → {row.becomes}" for row in rows_of(plan.changes, words)]
    lines += [f"Warning: {warning}" for warning in await warnings_of(school, plan.changes)]
    return "\n".join([*lines, f"Plan {plan.code}, open until {expires}."])


def fingerprint_of_many(changes: Sequence[Change]) -> str:
    """The fingerprint where a question would not show every change; empty where it does."""
    return fingerprint(changes) if len(changes) > MOST_ROWS else ""


def fingerprint(changes: Iterable[Change]) -> str:
    """Twenty letters and digits that no other changes have: the plan's answer and the question show the same."""
    told = [
        [change.kind, target_to_json(change.target), value_to_json(change.before), value_to_json(change.after)]
        for change in changes
    ]
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:20].upper()
    return "-".join(digest[start : start + 5] for start in range(0, 20, 5))
