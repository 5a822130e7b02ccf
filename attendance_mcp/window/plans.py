"""A stored plan as the window shows it, and the window as a plan's approval uses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from attendance_mcp.changes.apply import apply_agreed
from attendance_mcp.changes.desk import Errand
from attendance_mcp.changes.model import Agreed, Approval, Plan, PlanState, Way
from attendance_mcp.changes.risks import warnings_of
from attendance_mcp.changes.wording import rows_of, summary, words_for, words_without_names
from attendance_mcp.errors import AttendanceError
from attendance_mcp.window.ports import PlanPort, PlanView, State, ViewRow
from attendance_mcp.window.window import Window

_STATES: dict[PlanState, State] = {
    PlanState.WAITING: "waiting",
    PlanState.APPLYING: "applying",
    PlanState.SETTLED: "settled",
    PlanState.STALE: "stale",
    PlanState.DISCARDED: "discarded",
}


@dataclass(eq=False)
class StoredPlan:
    """One plan of the store, for its caller. An errand of its own for each look: the call that planned is long over."""

    key: str
    errand: Callable[[], Errand]
    demo: bool = False

    async def view(self) -> PlanView:
        errand = self.errand()
        plan = await errand.find(self.key)
        state = _STATES[plan.state]
        if state == "waiting" and plan.expires <= errand.desk.now():
            state = "expired"
        return await self._told(errand, plan, state)

    async def agree(self) -> PlanView:
        facts = await apply_agreed(self.errand(), self.key, Agreed(Approval.HUMAN, Way.WINDOW))
        view = await self.view()
        # What could not be recorded stands in no row of the store, so that it is told over them.
        return view if not facts.warnings else replace(view, message=" ".join(facts.warnings))

    async def discard(self) -> PlanView:
        errand = self.errand()
        await errand.find(self.key)
        await errand.desk.store.discard(self.key, now=errand.desk.now())
        return await self.view()

    async def undo(self) -> PlanPort:
        raise AttendanceError("Taking a plan back isn't there yet: plan the way back as changes of its own.")

    async def _told(self, errand: Errand, plan: Plan, state: State) -> PlanView:
        try:
            words = await words_for(errand.school, plan.changes)
            warnings = await warnings_of(errand.school, plan.changes)
        except AttendanceError:
            if state == "waiting":
                raise  # nobody can agree to ids
            words, warnings = words_without_names(errand.school), []
        return PlanView(
            summary=summary(plan.changes, words),
            rows=tuple(
                ViewRow(row.student, row.record, row.was, row.becomes, row.outcome, row.reason)
                for row in rows_of(plan.changes, words)
            ),
            warnings=tuple(warnings),
            expires=plan.expires.astimezone(errand.school.clock.zone),
            state=state,
            already_so=plan.already,
            demo=self.demo,
        )


@dataclass(eq=False)
class WindowScreen:
    """The window, for a plan's approval."""

    window: Window
    errand: Callable[[], Errand]
    demo: bool = False

    def available(self) -> bool:
        return self.window.available()

    async def show(self, code: str) -> None:
        await self.window.show(StoredPlan(code, self.errand, demo=self.demo))
