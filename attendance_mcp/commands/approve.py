"""`approve`: a person reads a waiting plan at a terminal, and agrees to it or not."""

from __future__ import annotations

import select
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from anyio.from_thread import start_blocking_portal

from attendance_mcp.commands.common import demo_option, end, or_end, settings_of
from attendance_mcp.outside import one_line

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

    from attendance_mcp.changes.desk import Errand
    from attendance_mcp.changes.model import Plan
    from attendance_mcp.server import App

_ALL_DONE, _NOT_DONE = 0, 1
_LONGEST_LINE = 8000  # far beyond any line of a plan: nothing is cut that will be written
_WAITS = "Nothing was written, and the plan goes on waiting."


@click.command("approve")
@demo_option
@click.argument("code", default="")
@click.pass_context
def command(context: click.Context, code: str, *, demo: bool) -> None:
    """Show the waiting plan with this CODE, its confirmation, and ask whether to carry it out.

    Without CODE it lists the plans that wait. Ends with status 0 where every change was done, else with 1; with 2
    where nobody can be asked.

    \b
    attendance-mcp approve
    attendance-mcp approve K7Q2M9XW4B
    """
    settings = settings_of(context, demo=demo)
    if not settings.writes_on(http=False):
        end("Writing is off here (ATTENDANCE_WRITES=off), so no plan can be carried out. Nothing was written.")
    # Whoever answers must have read the plan, so that it must reach a terminal too.
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        end("approve asks a person, so it takes its answer from a terminal only. Nothing was written.")
    from attendance_mcp.server import open_app

    app = or_end(lambda: open_app(settings))
    app.connection.writes = True
    # The questions are asked outside of the event loop: there Ctrl+C could not end them.
    with start_blocking_portal() as portal:
        try:
            status = or_end(lambda: _Desk(portal, app).serve(code))
        finally:
            portal.call(app.aclose)
    sys.exit(status)


@dataclass(frozen=True, slots=True)
class _Desk:
    """One person at a terminal."""

    portal: BlockingPortal
    app: App

    def serve(self, code: str) -> int:
        """The status to end with. Raises AttendanceError where the plan can't be shown or carried out."""
        code = code or self._choose()
        if not code:
            return _NOT_DONE
        plan, lines = self.portal.call(_look, self.app.own_errand(), code)
        _print(lines)
        if plan is None:
            return _NOT_DONE
        match _answer(plan):
            case True:
                return self._carry_out(plan)
            case False:
                self.portal.call(_discard, self.app.own_errand(), plan)
                _print(["The plan is discarded. Nothing was written."])
            case None:  # pragma: no branch  there is no other answer
                _print([f"No answer. {_WAITS}"])
        return _NOT_DONE

    def _choose(self) -> str:
        """The code of a waiting plan; empty where none waits or the person names none."""
        waiting = self.portal.call(_waiting, self.app.own_errand())
        if not waiting:
            _print(["No plan of yours waits."])
            return ""
        _print(waiting)
        return _ask("Which plan? Type its code: ") or ""

    def _carry_out(self, plan: Plan) -> int:
        try:
            lines, done = self.portal.call(_carry_out, self.app.own_errand(), plan)
        except KeyboardInterrupt:
            # What was begun is brought to its end all the same.
            _print([f"Interrupted. attendance-mcp approve {plan.code} tells what became of the plan."])
            return _NOT_DONE
        _print(lines)
        return _ALL_DONE if done else _NOT_DONE


async def _waiting(errand: Errand) -> list[str]:
    from attendance_mcp.changes.settle import words_at_hand
    from attendance_mcp.changes.wording import moment, summary

    now, zone = errand.desk.now(), errand.school.clock.zone
    plans = await errand.desk.store.waiting(errand.school.caller, errand.school.connection.name, now=now)
    return [
        f"{plan.code}, until {moment(plan.expires, now, zone)}: "
        f"{summary(plan.changes, await words_at_hand(errand, plan))}"
        for plan in plans
    ]


async def _look(errand: Errand, code: str) -> tuple[Plan | None, list[str]]:
    """The plan where it waits, and what is shown of it; of one that doesn't wait, what became of it."""
    from attendance_mcp.changes.message import message_of
    from attendance_mcp.changes.model import PlanState
    from attendance_mcp.changes.settle import recorded, settle_lapsed
    from attendance_mcp.errors import PlanExpired

    plan = await errand.find(code)
    if plan.state is PlanState.APPLYING:
        await settle_lapsed(errand, plan)
        plan = await errand.find(code)
    if plan.state is not PlanState.WAITING:
        return None, list((await recorded(errand, plan)).lines())
    if plan.expires <= errand.desk.now():
        raise PlanExpired("This plan has expired, and nothing was written. Ask the assistant to plan it again.")
    return plan, (await message_of(errand, plan, whole=True)).splitlines()


async def _discard(errand: Errand, plan: Plan) -> None:
    from attendance_mcp.errors import PlanStale

    if not await errand.desk.store.discard(plan.code, now=errand.desk.now()):
        raise PlanStale(f"The plan no longer waits: attendance-mcp approve {plan.code} tells what became of it.")


async def _carry_out(errand: Errand, plan: Plan) -> tuple[list[str], bool]:
    """What is told of the outcome, and whether every change was done."""
    from attendance_mcp.changes.apply import apply_agreed
    from attendance_mcp.changes.model import Agreed, Approval, Way

    facts = await apply_agreed(errand, plan.code, Agreed(Approval.HUMAN, Way.TERMINAL))
    return list(facts.lines()), set(facts.outcomes) == {"done"}


def _answer(plan: Plan) -> bool | None:
    """Yes, no, or none. Nothing but the whole word is a yes, and for a deletion the number of deletions."""
    from attendance_mcp.changes.approval import deletions

    number = deletions(plan)
    yes = str(number) if number else "yes"
    wanted = "how many excusals are deleted" if number else "yes"
    while (typed := _ask(f"Type {wanted} to write these changes, or no to discard the plan: ")) is not None:
        match typed.casefold():
            case "no" | "n":
                return False
            case word if word == yes:
                return True
    return None


def _ask(question: str) -> str | None:
    """What the person types; None where they leave by Ctrl+C or Ctrl+D."""
    _forget_what_was_typed()
    try:
        with _interruptible() as wait:
            click.echo(question, nl=False)
            wait()
            return input().strip()
    except (KeyboardInterrupt, EOFError):
        click.echo()
        return None


@contextmanager
def _interruptible() -> Iterator[Callable[[], None]]:
    """A wait for a line that Ctrl+C ends at any moment.

    One that comes between the question and the reading of the answer would otherwise be seen at the next key only.
    """
    if sys.platform == "win32":  # there the console itself ends the reading
        yield lambda: None
        return
    signalled, by_signal = socket.socketpair()
    with signalled, by_signal:
        by_signal.settimeout(0)
        before = signal.set_wakeup_fd(by_signal.fileno(), warn_on_full_buffer=False)
        try:
            yield partial(_readable, [sys.stdin, signalled])
        finally:
            signal.set_wakeup_fd(before)


def _readable(either: list[Any]) -> None:
    select.select(either, [], [])


def _forget_what_was_typed() -> None:
    """An answer that was typed or pasted before the question is none."""
    with suppress(ImportError):  # Windows has no terminals of this kind
        import termios

        termios.tcflush(sys.stdin, termios.TCIFLUSH)


def _print(lines: Iterable[str]) -> None:
    """Prints each as one line without controls: a name must not steer the terminal."""
    for line in lines:
        click.echo(one_line(line, limit=_LONGEST_LINE))
