"""Who agrees to a plan, and what that proves.

`token`: the confirmation is enough. `human`: a person, by one of three ways. `auto`: a client that can be asked always
is; else a risky plan needs a person all the same, and another goes by its confirmation, behind the host's own prompt.
The ways to a person: the client's question (an Asker), the window (a Screen), and the terminal, where the person comes
by themselves (commands/approve.py).
"""

from __future__ import annotations

from datetime import date, timedelta

import anyio

from attendance_mcp.changes.asking import Question, Reply, Screen
from attendance_mcp.changes.desk import Errand
from attendance_mcp.changes.message import message_of
from attendance_mcp.changes.model import (
    Agreed,
    Approval,
    Change,
    ChangeKind,
    ExcusalValue,
    MarkValue,
    Plan,
    PlanState,
    Way,
)
from attendance_mcp.changes.risks import LONG_AGO_DAYS
from attendance_mcp.changes.wording import moment, words_for
from attendance_mcp.digest.facts import counted
from attendance_mcp.errors import AttendanceError, NotApproved, PlanMismatch
from attendance_mcp.school.school import LOCAL_CALLER

MANY_ROWS = 10
_NOBODY_NAMED = "its summary holds codes, so that the host's own prompt names nobody"
WARY = timedelta(minutes=10)
_LOOK_EVERY = 0.25  # seconds between two looks whether a person has clicked


async def approval_of(errand: Errand, plan: Plan) -> Agreed | None:
    """Who agrees to this plan; None where a person has settled it in the window meanwhile.

    Raises NotApproved where nobody did, and PlanMismatch for an answer that was given to another plan.
    """
    policy = errand.desk.policy
    if policy == "token":
        return Agreed(Approval.TOKEN)
    if errand.asker.can_ask():
        return await _by_question(errand, plan)
    why = "ATTENDANCE_APPROVAL=human" if policy == "human" else await why_risky(errand, plan)
    if not why:
        return Agreed(Approval.TOKEN)
    if errand.screen is not None and errand.screen.available():
        await _by_window(errand, plan, errand.screen, why)
        return None
    if errand.page:
        raise NotApproved(
            f"A person must agree to this plan ({why}). It waits until {_until(errand, plan)} at {errand.page}, where "
            "the person signs in, reads it and decides: give them that address. Call this again afterwards: it tells "
            "the outcome."
        )
    raise NotApproved(_ways(errand, plan, why, "nobody can be asked from here"))


async def why_risky(errand: Errand, plan: Plan) -> str:
    """Why a person must see this plan, in a few words; empty where none needs to."""
    today = errand.school.clock.today()
    rows = plan.changes
    why = [_NOBODY_NAMED] if errand.school.connection.disclosure.codes is not None else []
    why += [f"it has {counted(len(rows), 'change')}"] if len(rows) > MANY_ROWS else []
    if deletions(plan):
        why.append("it deletes")
    if any(_erases(row) for row in rows):
        why.append("it erases what somebody typed")
    if any((today - day).days > LONG_AGO_DAYS for row in rows for day in _days(row)):
        why.append(f"it goes more than {LONG_AGO_DAYS} days back")
    if not errand.school.disclosure.health and any(map((await words_for(errand.school, rows)).hides, rows)):
        why.append("it puts back a mark that its summary does not tell")
    last = await errand.desk.heard.last(plan.caller)
    # Text given since the plan counts as well: it may be why this one of several is applied.
    if last is not None and last > plan.created - WARY:
        why.append("text that parents or teachers typed was read shortly before")
    return ", ".join(why)


def _erases(row: Change) -> bool:
    match row.before, row.after:
        case MarkValue() as before, MarkValue() as after:
            return bool(before.note) and not after.note
        case ExcusalValue() as before, ExcusalValue() as after:
            return bool(before.comment) and not after.comment
        case _:
            return False


def _days(row: Change) -> list[date]:
    days = [row.target.day] if row.target.day else []
    return [*days, *(value.start for value in (row.before, row.after) if isinstance(value, ExcusalValue))]


def deletions(plan: Plan) -> int:
    """How many excusals the plan deletes; a person must type that number."""
    return sum(row.kind is ChangeKind.EXCUSAL_DELETED for row in plan.changes)


async def _by_question(errand: Errand, plan: Plan) -> Agreed:
    async def message() -> str:
        return await message_of(errand, plan)

    reply = await errand.asker.ask(Question(plan.code, message, deletions=deletions(plan)))
    waits = f"The plan waits until {_until(errand, plan)}; call this again to ask once more."
    match reply:
        case Reply.YES:
            return Agreed(Approval.HUMAN, Way.CLIENT)
        case Reply.NO:
            await errand.desk.store.discard(plan.code, now=errand.desk.now())
            raise NotApproved("The person did not agree, and the plan is discarded.")
        case Reply.CANCELLED:
            raise NotApproved(f"The person gave no answer. {waits}")
        case Reply.SILENCE:
            raise NotApproved(f"No answer came within {errand.desk.ask_seconds:g} seconds. {waits}")
        case Reply.OF_ANOTHER_PLAN:  # pragma: no branch  there is no other reply
            raise PlanMismatch("That answer was given to another plan. Call this again to ask about this one.")


async def _by_window(errand: Errand, plan: Plan, screen: Screen, why: str) -> None:
    """Returns once a person has settled the plan. Raises NotApproved where that takes too long."""
    try:
        await screen.show(plan.code)
    except AttendanceError as error:
        hindrance = str(error).rstrip(".")
        raise NotApproved(_ways(errand, plan, why, hindrance[:1].lower() + hindrance[1:])) from None
    begun, seconds = anyio.current_time(), errand.desk.ask_seconds
    told = -1
    while (passed := anyio.current_time() - begun) < seconds:
        now = await errand.desk.store.get(plan.code)
        if now is None or now.state not in (PlanState.WAITING, PlanState.APPLYING):
            return
        if errand.progress is not None and int(passed) > told:
            told = int(passed)
            await errand.progress(told, int(seconds) + 1)
        await anyio.sleep(min(_LOOK_EVERY, max(seconds - passed, 0)))
    now = await errand.desk.store.get(plan.code)
    if now is not None and now.state is PlanState.WAITING:
        raise NotApproved(
            "The plan is open in the person's browser, and they have not decided yet. It waits there until "
            f"{_until(errand, plan)}. Call this again later: it tells the outcome, or shows the page once more. "
            "list_changes tells what became of it; the person may also run "
            f"`attendance-mcp approve {plan.code}` in a terminal of that machine."
        )


def _ways(errand: Errand, plan: Plan, why: str, hindrance: str) -> str:
    if errand.school.caller != LOCAL_CALLER:  # whoever has a terminal of the server is another caller
        return (
            f"A person must agree to this plan ({why}), and {hindrance}. Use a client that can ask its user; or the "
            "school's IT sets up the page /approvals (ATTENDANCE_OIDC_CLIENT_ID)."
        )
    return (
        f"A person must agree to this plan ({why}), and {hindrance}. It waits until {_until(errand, plan)}. "
        f"Ask the person to run `attendance-mcp approve {plan.code}` in a terminal where this server runs, with its "
        "settings, or to use a client that can ask its user. For agents that work unattended there is "
        "ATTENDANCE_APPROVAL=token."
    )


def _until(errand: Errand, plan: Plan) -> str:
    return moment(plan.expires, errand.desk.now(), errand.school.clock.zone)
