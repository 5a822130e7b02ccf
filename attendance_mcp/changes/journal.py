"""The journal: what this installation changed at a school, and its plans that wait or are not settled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time
from functools import partial

from attendance_mcp.changes.desk import Errand
from attendance_mcp.changes.model import Approval, Outcome, Plan, PlanState, summary_hash
from attendance_mcp.changes.settle import settle_lapsed, words_at_hand
from attendance_mcp.changes.undo import way_back
from attendance_mcp.changes.wording import Words, grouped, moment, summary
from attendance_mcp.digest.facts import Facts, Row, StudentId, counted, listed, within_room
from attendance_mcp.errors import Unavailable
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.school import LOCAL_CALLER
from attendance_mcp.school.together import together

MOST_WITH_ROWS = 3  # of so few plans the rows are told too
_MOST_ROWS = 30
_NAMED = 5
_STATES = {
    PlanState.WAITING: "waiting",
    PlanState.APPLYING: "unsettled",
    PlanState.SETTLED: "carried out",
    PlanState.STALE: "stale, nothing was written",
    PlanState.DISCARDED: "declined, nothing was written",
}
_BY = {Approval.TOKEN: "its confirmation alone", Approval.HUMAN: "a person"}


class JournalEntry(Row):
    """One plan: when it ended or was made, what became of it, and whether it can be undone."""

    time: str
    state: str
    caller: str = ""
    summary: str
    agreed: str = ""
    outcomes: dict[str, int] = {}
    rows: list[str] = []
    confirmation: str = ""
    expires: str = ""
    undo: str = ""
    hint: str = ""

    def lines(self) -> Iterable[str]:
        """One line, and the rows below it."""
        told = [self.time, self.state + (f" ({self.caller})" if self.caller else "")]
        told += [f"agreed by {self.agreed}"] if self.agreed else []
        told += [tally_of(self.outcomes)] if self.outcomes else []
        told += [f"until {self.expires}"] if self.expires else []
        after = [f"Confirmation {self.confirmation}."] if self.confirmation else []
        after += [f"Undo: {self.undo}."] if self.undo else []
        after += [self.hint] if self.hint else []
        yield f"- {', '.join(told)}: {' '.join([self.summary, *after])}"
        yield from (f"  {row}" for row in self.rows)


class Journal(Facts):
    """The plans of a school that stand in this installation's store, newest first."""

    plans: int
    since: str = ""
    student_id: StudentId = 0
    entries: list[JournalEntry] = []
    more: int = 0

    def lines(self) -> Iterable[str]:
        since = f" since {self.since}" if self.since else ""
        yield f"Changes made through this installation{since}; the school's own edits are not here."
        if not self.entries:
            of = f" of {self._student()}" if self.student_id else ""
            yield f"None{of} ({self.plans}): no plan was carried out, and none waits."
        else:
            yield f"{counted(self.plans, 'plan')}:"
        for entry in self.entries:
            yield from entry.lines()
        if any(entry.undo.startswith(("yes", "partly")) for entry in self.entries):
            yield "To undo one: plan_changes with an item of kind undo and its confirmation."
        if self.more:
            yield f"{counted(self.more, 'older plan')} not shown: ask with since, student_id or another limit."

    def _student(self) -> str:
        return f"student {self.student_id}" if isinstance(self.student_id, int) else self.student_id


async def journal(errand: Errand, *, since: date | None, student_id: int | None, limit: int) -> Journal:
    """The journal of this school; what was cut off is settled by reading first."""
    school, store, now = errand.school, errand.desk.store, errand.desk.now()
    start = datetime.combine(since, time(), tzinfo=school.clock.zone) if since else None
    ask = partial(store.journal, school.connection.name, now=now, since=start, student_id=student_id, limit=limit)
    if not school.sees_everybody:  # another's plans hold students whom this caller may not see
        ask = partial(ask, caller=school.caller)
    plans, total = await ask()
    if unsettled := [plan for plan in plans if plan.state is PlanState.APPLYING]:
        await together(partial(_settle, errand, plan) for plan in unsettled)
        plans, total = await ask()
    with_rows = student_id is not None or limit <= MOST_WITH_ROWS
    entries = [await _entry(errand, plan, student_id, with_rows=with_rows) for plan in plans]
    shown, _ = within_room(entries)
    began = start or await store.began(school.connection.name)
    return Journal(
        plans=total,
        since=f"{spoken((local := began.astimezone(school.clock.zone)).date())} {local:%H:%M}" if began else "",
        student_id=student_id or 0,
        entries=shown,
        more=total - len(shown),
    )


async def _settle(errand: Errand, plan: Plan) -> None:
    with suppress(Unavailable):  # it stays unsettled, and the journal says so
        await settle_lapsed(errand, plan)


async def _entry(errand: Errand, plan: Plan, student_id: int | None, *, with_rows: bool) -> JournalEntry:
    """One plan as this caller may see it: another's confirmation and the texts they wrote stay theirs."""
    now, zone = errand.desk.now(), errand.school.clock.zone
    own = plan.caller == errand.school.caller
    words = await words_at_hand(errand, plan)  # of this plan alone: its summary is bound to how these are named
    line = summary(plan.kept, words, texts=own)
    settled, waiting = plan.state is PlanState.SETTLED, plan.state is PlanState.WAITING
    renamed = own and waiting and await _renamed(errand, plan, line)
    undo = _undo(errand, plan, own=own) if settled else ""
    usable = own and errand.school.writes and (settled or plan.state is PlanState.APPLYING or not renamed)
    return JournalEntry(
        time=moment(plan.settled or plan.created, now, zone),
        state=_STATES[plan.state] + ("" if own else ", another caller's"),
        caller="" if own or plan.caller == LOCAL_CALLER else plan.caller,
        summary=line,
        agreed=_BY.get(plan.approval, ""),
        outcomes=dict(Counter(str(change.outcome) for change in plan.changes)) if settled else {},
        rows=_rows(plan, words, student_id) if own and with_rows else [],
        confirmation=plan.code if usable and (waiting or not settled or undo.startswith(("yes", "partly"))) else "",
        expires=moment(plan.expires, now, zone) if waiting else "",
        undo=undo,
        hint="A name or a label has changed since: plan it again." if renamed else "",
    )


async def _renamed(errand: Errand, plan: Plan, line: str) -> bool:
    """Whether a name or a label has changed since, so that the summary is not the plan's any more."""
    assistant = errand.school.for_assistant()
    if assistant is not errand.school:  # the plan is bound to the line as an assistant is told it
        line = summary(plan.kept, await words_at_hand(replace(errand, school=assistant), plan))
    return summary_hash(line) != plan.summary_hash


def _undo(errand: Errand, plan: Plan, *, own: bool) -> str:
    """Whether the plan can be undone, as far as the store knows: records that moved since are found when it is."""
    back = way_back(plan.changes)
    lost = "; ".join(back.lost)
    if not back.changes:
        return f"no, {lost}" if lost else "nothing to undo"
    if not own:
        return "only by its caller"
    if not errand.school.writes:
        return "no, writing is off here"
    return f"partly, {lost}" if lost else "yes"


def _rows(plan: Plan, words: Words, student_id: int | None) -> list[str]:
    """The changes with their row numbers, those that are alike but for the student in one line."""
    alike: dict[tuple[str, ...], tuple[list[int], list[str]]] = {}
    for number, change in enumerate(plan.changes, start=1):
        if change.outcome is not Outcome.ERASED and student_id in (None, change.target.student_id):
            (group,) = grouped([change], words)
            key = (group.outcome, group.record, group.was, group.becomes, group.reason)
            numbers, students = alike.setdefault(key, ([], []))
            numbers.append(number)
            students.extend(group.students)
    told = [
        f"row {_ranges(numbers)}{f', {outcome}' if outcome else ''}: {record}: {was} → {becomes}: "
        f"{listed(students[:_NAMED])}{f' and {len(students) - _NAMED} more' if len(students) > _NAMED else ''}"
        f"{f' — {reason}' if reason else ''}"
        for (outcome, record, was, becomes, reason), (numbers, students) in alike.items()
    ]
    more = [f"{len(told) - _MOST_ROWS} more lines: ask with student_id"] if len(told) > _MOST_ROWS else []
    return [*told[:_MOST_ROWS], *more]


def _ranges(numbers: list[int]) -> str:
    """`1-3, 7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def tally_of(outcomes: dict[str, int]) -> str:
    """`3 done, 1 refused`."""
    return ", ".join(f"{number} {outcome}" for outcome, number in outcomes.items())
