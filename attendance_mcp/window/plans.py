"""A stored plan as the window shows it, and the window as a plan's approval uses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from attendance_mcp.changes.apply import apply_agreed
from attendance_mcp.changes.desk import Errand
from attendance_mcp.changes.model import Agreed, Approval, Plan, PlanState, Way
from attendance_mcp.changes.plan import store_plan
from attendance_mcp.changes.risks import Risks, warnings_of
from attendance_mcp.changes.undo import draft_undo, way_back
from attendance_mcp.changes.wording import rows_of, summary, words_for, words_without_names
from attendance_mcp.errors import AttendanceError, PlanError
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
    said: tuple[str, ...] = ()  # what was found when it was planned, and stands in no row
    school: str = ""  # its title, where a person may have plans of several

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
        errand = self.errand()
        # What marks are warned of is worked out again at each look; the draft knows what can't be restored.
        draft = await draft_undo(errand, self.key, rows=(), students=(), risks=Risks(errand.school))
        facts = await store_plan(errand, draft, errand_hash="")  # no tool's call can repeat it
        if not facts.confirmation:
            raise PlanError("There is nothing to undo: every record already is as it was before.")
        return replace(self, key=facts.confirmation, said=tuple(facts.warnings))

    async def _told(self, errand: Errand, plan: Plan, state: State) -> PlanView:
        try:
            words = await words_for(errand.school, plan.kept)
            warnings = await warnings_of(errand.school, plan.kept)
        except AttendanceError:
            if state == "waiting":
                raise  # nobody can agree to ids
            words, warnings = words_without_names(errand.school), []
        return PlanView(
            summary=summary(plan.kept, words),
            rows=tuple(
                ViewRow(row.student, row.record, row.was, row.becomes, row.outcome, row.reason)
                for row in rows_of(plan.kept, words)
            ),
            warnings=tuple(dict.fromkeys([*warnings, *self.said])),
            expires=plan.expires.astimezone(errand.school.clock.zone),
            state=state,
            already_so=plan.already,
            can_undo=plan.state is PlanState.SETTLED and bool(way_back(plan.kept).changes),
            school=self.school,
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
