"""Asking ours and the generated server, with every call counted, and reading the students out of an answer."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import anyio

from benchmarks import truth
from benchmarks.counting import of_answer, text_of
from benchmarks.peer import Peer
from benchmarks.upstream import Upstream

Found = Any
MOST_AT_ONCE = 8


class NotThereError(Exception):
    """The tool is not registered yet."""


@dataclass
class Asking:
    """One conversation's calls: how many, what their results weigh, how long they took, what they said."""

    call: Callable[[str, dict[str, Any]], Awaitable[Any]]
    school: Upstream
    tools: Collection[str] | None = None  # None: whatever is asked for is there
    calls: int = 0
    text: int = 0
    structured: int = 0
    seconds: float = 0.0
    said: list[str] = field(default_factory=list)

    async def __call__(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured content. Raises RuntimeError where the answer is an error."""
        return (await self.all([(tool, arguments)]))[0]

    async def all(self, asked: Iterable[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
        """Calls that don't wait for each other's answers, as a host makes them side by side."""
        asked = list(asked)
        if missing := {tool for tool, _ in asked if self.tools is not None and tool not in self.tools}:
            raise NotThereError(", ".join(sorted(missing)))
        results: dict[int, Any] = {}
        limit = anyio.Semaphore(MOST_AT_ONCE)

        async def one(place: int, tool: str, arguments: dict[str, Any]) -> None:
            async with limit:
                results[place] = await self.call(tool, arguments)

        started = time.perf_counter()
        async with anyio.create_task_group() as group:
            for place, (tool, arguments) in enumerate(asked):
                group.start_soon(one, place, tool, arguments)
        self.seconds += time.perf_counter() - started
        return [self._counted(results[place]) for place in range(len(asked))]

    def _counted(self, result: Any) -> dict[str, Any]:
        text, structured = of_answer(result)
        self.calls += 1
        self.text += text
        self.structured += structured
        self.said.append(text_of(result))
        if result.is_error:
            raise RuntimeError(text_of(result)[:200])
        answered: dict[str, Any] = result.structured_content
        return answered

    # --- the generated server's lists -----------------------------------------------------------------------------

    async def everything(self, tool: str, key: str, **arguments: Any) -> list[Any]:
        """Every page of a list, the first alone since it says how many there are."""
        first = await self(tool, **arguments, page=1, per_page=200)
        pages = range(2, first["meta"]["total_pages"] + 1)
        rest = await self.all((tool, {**arguments, "page": page, "per_page": 200}) for page in pages)
        return [item for page in (first, *rest) for item in page[key]]

    async def homeroom(self, days: Collection[str], groups: Iterable[int]) -> dict[tuple[str, int], int]:
        """Statuses by day and student, from the records of year groups."""
        keys = [(day, group) for day in days for group in groups]
        read = await self.all(
            ("getHomeroomDateAttendance", {"year_group_id": group, "date": day}) for day, group in keys
        )
        return {
            (day, row["id"]): row["attendance"]["category"]["status"]
            for (day, _), answered in zip(keys, read, strict=True)
            for row in answered["students"]
            if row.get("attendance")
        }

    async def classes(self, day: str, program: str) -> dict[int, list[tuple[int, int]]]:
        """Each student's (period, status) of a programme's classes, every one of which must be asked."""
        listed = await self.everything("listClasses", "classes")
        own = [one["id"] for one in listed if one["program_code"] == program]
        read = await self.all(("getClassDateAttendance", {"id": id, "date": day}) for id in own)
        marks: dict[int, list[tuple[int, int]]] = {}
        for answered in read:
            for row in answered["students"]:
                for period, mark in (row.get("attendance") or {}).items():
                    marks.setdefault(row["id"], []).append((int(period), mark["category"]["status"]))
        return {id: sorted(own_marks) for id, own_marks in marks.items()}


def ask_ours(client: Any, school: Upstream, tools: Collection[str]) -> Asking:
    """Over this project's server."""

    async def call(tool: str, arguments: dict[str, Any]) -> Any:
        return await client.call_tool(tool, arguments, read_timeout_seconds=150)

    return Asking(call, school, tools)


def ask_peer(peer: Peer, school: Upstream) -> Asking:
    """Over the generated server."""
    return Asking(lambda tool, arguments: peer.call(tool, **arguments), school)


# --- who is named in an answer ----------------------------------------------------------------------------------------


def in_sections(facts: dict[str, Any], kind: str, *, excusal: bool | None = None) -> frozenset[int]:
    """The students of one kind in an answer about absences."""
    return frozenset(
        int(id)
        for section in facts.get("sections", [])
        if section["kind"] == kind and (excusal is None or section.get("excusal", False) is excusal)
        for own in section.get("students", {}).values()
        for id in own
    )


def ids_in(value: Any) -> frozenset[int]:
    """Every `id` in a part of an answer."""
    if isinstance(value, dict):
        own = {int(value["id"])} if isinstance(value.get("id"), int) else set()
        keys = {int(key) for key in value if isinstance(key, str) and re.fullmatch(r"\d{5,}", key)}
        return frozenset(own | keys).union(*map(ids_in, value.values()))
    if isinstance(value, list):
        return frozenset().union(*map(ids_in, value))
    return frozenset()


def names_in(value: Any, school: Upstream) -> frozenset[str]:
    """The students' names that a text or a part of an answer holds."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return said_names(text, {one.name for one in truth.people(school).values()})


def said_names(text: str, names: Collection[str]) -> frozenset[str]:
    """Which of the names the text holds; the longest first, so that Kai Tan is not found in Kai Tan-Weber."""
    ordered = sorted(names, key=lambda name: (-len(name), name))
    return frozenset(re.findall(rf"(?<!\w)(?:{'|'.join(map(re.escape, ordered))})(?!\w)", text))
