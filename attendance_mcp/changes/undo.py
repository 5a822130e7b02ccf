"""The way back of a plan that was carried out, as a draft that goes through the same gate as any other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from attendance_mcp.api.records import Student
from attendance_mcp.changes.desk import Errand
from attendance_mcp.changes.model import (
    Change,
    ChangeKind,
    ExcusalValue,
    MarkValue,
    Outcome,
    Plan,
    PlanState,
    Target,
)
from attendance_mcp.changes.plan import Draft
from attendance_mcp.changes.records import read_afresh
from attendance_mcp.changes.risks import Risks, warnings_of_excusal
from attendance_mcp.changes.wording import grouped, same, words_for
from attendance_mcp.digest.facts import Role, listed
from attendance_mcp.errors import ArgumentError, PlanError, PlanStale
from attendance_mcp.school.school import School

UNSENT = "Undoing unsends nothing: parents whom the school's system has told stay told."
NOT_TAKEN_BEFORE = "a mark that was not taken can't be restored"
NO_PARENT = "an excusal without a parent can't be made anew"
NEVER_FOUND = "a new excusal that was not found can't be deleted"
NO_NOTE = "its note is no longer kept"
NO_COMMENT = "its comment is no longer kept"
_NAMED = 5


@dataclass(slots=True)
class WayBack:
    """What would take some changes back, and what can't be taken back, by the reason."""

    changes: list[Change] = field(default_factory=list)
    lost: dict[str, list[Change]] = field(default_factory=dict)


def way_back(changes: Collection[Change]) -> WayBack:
    """The way back of those that were done or may have been; nothing is read."""
    back = WayBack()
    for change in changes:
        if change.outcome in (Outcome.DONE, Outcome.UNKNOWN):
            turned = _turned(change)
            if isinstance(turned, Change):
                back.changes.append(turned)
            else:
                back.lost.setdefault(turned, []).append(change)
    return back


async def draft_undo(
    errand: Errand, confirmation: str, *, rows: Sequence[int], students: Sequence[int], risks: Risks
) -> Draft:
    """The records of a plan, or of some of its rows or students, as they were before it.

    Raises PlanNotFound, PlanError where nothing of it can be undone, and PlanStale where a record has moved since.
    """
    plan = await errand.find(confirmation)
    _check_ended(plan)
    back = way_back(_chosen(errand.school, plan, rows, students))
    people = await errand.school.students({change.target.student_id for change in plan.kept})
    lost = [f"{reason}: {_names(errand.school, changes, people)}" for reason, changes in back.lost.items()]
    if not back.changes:
        raise PlanError(f"There is nothing to undo: {'; '.join(lost) or 'none of these changes was made'}.")
    draft = await _from_now(errand.school, back.changes)
    for reason in lost:
        draft.warn(f"Left out, since {reason}.")
    await _look(errand.school, draft, people, risks)
    return draft


def _check_ended(plan: Plan) -> None:
    match plan.state:
        case PlanState.SETTLED:
            return
        case PlanState.APPLYING:
            raise PlanError("That plan is not settled yet. Call list_changes for its outcome, then undo it.")
        case _:
            raise PlanError("That plan was not carried out, so there is nothing to undo.")


def _chosen(school: School, plan: Plan, rows: Sequence[int], students: Sequence[int]) -> list[Change]:
    """The changes of these rows, counted from 1, and of these students; of all where none is named."""
    if beyond := [row for row in rows if row > len(plan.changes)]:
        raise ArgumentError(f"That plan has no row {beyond[0]}; its last is {len(plan.changes)}.")
    if strangers := set(students) - {change.target.student_id for change in plan.changes}:
        raise ArgumentError(f"That plan has no change of {school.disclosure.called(Role.STUDENT, min(strangers))}.")
    return [
        change
        for row, change in enumerate(plan.changes, start=1)
        if (not rows or row in rows) and (not students or change.target.student_id in students)
    ]


def _turned(change: Change) -> Change | str:
    """The change that takes this one back, or why there is none."""
    student_id = change.target.student_id
    if gone := next((value for value in (change.before, change.after) if value and value.gone), None):
        # Whether the record still is as it was left can't be told either.
        return NO_NOTE if isinstance(gone, MarkValue) else NO_COMMENT
    match change.kind, change.before, change.after:
        case ((ChangeKind.HOMEROOM_MARK | ChangeKind.CLASS_MARK), MarkValue() as before, after):
            if before.status is None:
                return NOT_TAKEN_BEFORE
            return Change(change.kind, change.target, before=after, after=replace(before, put_back=True))
        case ChangeKind.EXCUSAL_MADE, _, after:
            if change.made_id is None:
                return NEVER_FOUND
            target = Target(student_id=student_id, excusal_id=change.made_id)
            return Change(ChangeKind.EXCUSAL_DELETED, target, before=after, after=None)
        case ChangeKind.EXCUSAL_ALTERED, ExcusalValue() as before, after:
            return Change(change.kind, change.target, before=after, after=replace(before, put_back=True))
        case ChangeKind.EXCUSAL_DELETED, ExcusalValue() as before, _:
            if before.parent_id is None:
                return NO_PARENT
            after = replace(before, put_back=True)
            return Change(ChangeKind.EXCUSAL_MADE, Target(student_id=student_id), before=None, after=after)
        case _:
            raise TypeError(f"no way back of a {change.kind}")  # pragma: no cover  no plan holds one


async def _from_now(school: School, changes: Sequence[Change]) -> Draft:
    """The changes that are still to be taken back. Raises PlanStale where a record is neither as left nor as before."""
    draft, moved = Draft(), []
    now = await read_afresh(school, changes)
    for change in changes:
        value = now.value(change)
        if same(value, change.after):
            draft.already_so += 1
        elif same(value, change.before):
            draft.changes.append(replace(change, before=value))
        else:
            moved.append(replace(change, before=value))
    if moved:
        told = grouped(moved, await words_for(school, moved))
        records = "; ".join(f"{group.record} of {listed(group.students[:_NAMED])}" for group in told[:10])
        raise PlanStale(
            f"Changed in the school's system since that plan: {records}. What stands there now is somebody's later "
            "word: undo the other rows alone, or plan these records as they shall be."
        )
    return draft


async def _look(school: School, draft: Draft, people: Mapping[int, Student], risks: Risks) -> None:
    """What a person should know of the way back."""
    for change in draft.changes:
        student, target = people.get(change.target.student_id), change.target
        if isinstance(change.before, MarkValue) and isinstance(change.after, MarkValue) and student and target.day:
            labels = await school.labels(student.program_code, target.day)
            label = labels[change.after.status if change.after.status is not None else 0]
            await risks.look(change.kind, target.day, change.before, change.after, label, student)
        elif change.kind is ChangeKind.EXCUSAL_MADE:
            draft.warn("A deleted excusal is made anew, with a new id, and shown as sent by that parent.")
        elif change.kind is ChangeKind.EXCUSAL_DELETED:
            draft.warn("The excusal that the plan made is deleted for good.")
        elif change.before and change.after and change.kind is ChangeKind.EXCUSAL_ALTERED:
            draft.warn("The excusal gets its former end and comment again.")
            if student:
                for warning in await warnings_of_excusal(school, student, change):
                    draft.warn(warning)
    if draft.changes:
        draft.warn(UNSENT)


def _names(school: School, changes: Sequence[Change], people: Mapping[int, Student]) -> str:
    ids = list(dict.fromkeys(change.target.student_id for change in changes))
    names = [school.student_name(people.get(id), id) for id in ids[:_NAMED]]
    return listed(names) + (f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else "")
