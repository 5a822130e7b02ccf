"""Twenty questions of an office: calls, tokens, time, and whether the answer holds what the database says."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from typing import Any

from benchmarks import truth
from benchmarks.asking import Asking, NotThereError, ask_ours, ask_peer, names_in
from benchmarks.office_people import QUESTIONS as PEOPLES
from benchmarks.office_today import QUESTIONS as TODAYS
from benchmarks.office_weeks import QUESTIONS as WEEKS
from benchmarks.peer import NO_PEER, Peer, open_peer
from benchmarks.question import Question
from benchmarks.table import MISSING, OK, OVER, Table
from benchmarks.upstream import TODAY, Size, Upstream, open_upstream

QUESTIONS = [*TODAYS, *WEEKS, *PEOPLES]
MOST_CALLS = 2
AT_0840 = TODAY.replace(hour=8, minute=40)
SIZES: tuple[Size, ...] = ("small", "school")
EXPLAIN = "BENCHMARKS_EXPLAIN"
RIGHT, WRONG = "right", "WRONG"


@dataclass(slots=True)
class Sum:
    """What all questions of a size came to."""

    ours: int = 0
    ours_right: int = 0
    peer: int = 0
    peer_right: int = 0
    asked: int = 0
    ours_tokens: int = 0
    peer_tokens: int = 0
    ours_calls: int = 0
    peer_calls: int = 0


async def measure() -> list[Table]:
    """The tables of this part, one for each size."""
    return [await _of_size(size) for size in SIZES]


async def _of_size(size: Size) -> Table:
    table = Table(
        f"{len(QUESTIONS)} questions of an office, {size}",
        ("question", "calls", "text tokens", "structured", "seconds", "answer", "budget",
         "peer: calls", "tokens", "seconds", "answer"),
    )  # fmt: skip
    total = Sum()
    with ExitStack() as schools:
        by_moment = {False: schools.enter_context(open_upstream(size)),
                     True: schools.enter_context(open_upstream(size, today=AT_0840))}  # fmt: skip
        for question in QUESTIONS:
            await _ask_both(table, total, question, by_moment[question.at_0840])
    table.add("all", total.ours_calls, total.ours_tokens, None, None, f"{total.ours_right} of {total.asked} right",
              OK if total.ours_right == total.asked else OVER, total.peer_calls, total.peer_tokens, None,
              f"{total.peer_right} of {total.peer} right" if total.peer else "")  # fmt: skip
    table.note(f"Budget: right, in at most {MOST_CALLS} calls. Both servers are new to the school at every question.")
    table.note(
        "The peer's calls are those of somebody who knows the API well and asks for 200 a page and for 8 at a time; its"
        " answer is what they read off the records without an error of their own; ours stands in the answer."
    )
    table.note(
        "What no record tells (which labels mean a trip, who keeps homeroom) the peer is given, so its calls and tokens"
        " are the least that it needs, and its answers the best."
    )
    if not total.peer:
        table.note(NO_PEER)
    return table


async def _ask_both(table: Table, total: Sum, question: Question, school: Upstream) -> None:
    case = question.about(school)
    true = question.truth(school, case)
    total.asked += 1
    ours, verdict = await _ours(question, school, case, true)
    cells: list[object] = [question.words]
    if ours is None:
        cells += [None, None, None, None, verdict, MISSING]
    else:
        right = verdict == RIGHT
        total.ours_right += right
        total.ours_tokens += ours.text
        total.ours_calls += ours.calls
        cells += [ours.calls, ours.text, ours.structured, ours.seconds, verdict,
                  OK if right and ours.calls <= MOST_CALLS else OVER]  # fmt: skip
    async with open_peer(school) as peer:
        if peer is None:
            cells += [None, None, None, None]
        else:
            asking, verdict = await _peers(question, school, case, true, peer)
            total.peer += 1
            total.peer_right += verdict == RIGHT
            total.peer_tokens += asking.text
            total.peer_calls += asking.calls
            cells += [asking.calls, asking.text, asking.seconds, verdict]
    table.add(*cells)


async def _ours(question: Question, school: Upstream, case: Any, true: Any) -> tuple[Asking | None, str]:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(school.client())
        ask = ask_ours(client, school, {tool.name for tool in (await client.list_tools()).tools})
        try:
            found = await question.ours(ask, case)
        except NotThereError as error:
            return None, f"needs {error}"
        except (RuntimeError, KeyError, IndexError, StopIteration) as error:
            return ask, f"{WRONG}: {error}"[:60]
    verdict = _verdict(question, found, true)
    if verdict == RIGHT and question.named:
        everybody = truth.people(school)
        unsaid = {everybody[id].name for id in true} - names_in("\n".join(ask.said), school)
        verdict = f"{WRONG}: the text leaves out {len(unsaid)}" if unsaid else RIGHT
    return ask, verdict


async def _peers(question: Question, school: Upstream, case: Any, true: Any, peer: Peer) -> tuple[Asking, str]:
    ask = ask_peer(peer, school)
    try:
        found = await question.peer(ask, case)
    except (RuntimeError, KeyError, IndexError, StopIteration) as error:
        return ask, f"{WRONG}: {error}"[:60]
    return ask, _verdict(question, found, true)


def _verdict(question: Question, found: Any, true: Any) -> str:
    if found == true:
        return RIGHT
    if os.environ.get(EXPLAIN):
        print(f"{question.words}\n  found {found}\n  true  {true}")
    if isinstance(found, frozenset) and isinstance(true, frozenset):
        return f"{WRONG}: {len(true - found)} missing, {len(found - true)} too many"
    return WRONG
