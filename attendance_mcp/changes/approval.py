"""Who agrees to a plan, and what that proves.

A plan goes by its confirmation alone (`token`), behind the host's own prompt for a destructive tool. A setting that
asks for a person refuses the plan while no way to ask one stands, rather than let it through.
"""

from __future__ import annotations

from attendance_mcp.changes.desk import Desk, Errand
from attendance_mcp.changes.model import Approval, Plan
from attendance_mcp.errors import PlanError


async def approval_of(errand: Errand, plan: Plan) -> Approval:  # noqa: ARG001 a person is asked about the plan here
    """The approval of this plan. Raises PlanError where a person must agree and can't be asked."""
    check_approvable(errand.desk)
    return Approval.TOKEN


def check_approvable(desk: Desk) -> None:
    """Raises PlanError where no plan can be agreed to here: better said before a person has read one."""
    if desk.policy == "human":
        raise PlanError(
            "A person must agree to every plan here (ATTENDANCE_APPROVAL=human), and this version has no way to ask "
            "one. Set it to auto or token, or write in the school's own system."
        )
