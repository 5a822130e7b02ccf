"""The tools over plans."""

from __future__ import annotations

from attendance_mcp.changes.apply import apply_plan
from attendance_mcp.changes.desk import Errand
from attendance_mcp.changes.facts import WriteFacts
from attendance_mcp.tools.arguments import PlanCode, Summary


async def apply_changes(errand: Errand, confirmation: PlanCode, summary: Summary) -> WriteFacts:
    """Carries out a plan that the person agreed to: its confirmation and its own one-line summary, word for word.
    Each change is read back; calling again answers the recorded outcome.
    """
    return await apply_plan(errand, confirmation, summary_given=summary)
