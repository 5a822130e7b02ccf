"""How one caller reads a school: shared, kept, bounded by a deadline, and cut to whom they may see."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from datetime import date
from typing import Any, ParamSpec, TypeVar, cast

import anyio

from attendance_mcp.api.client import Client
from attendance_mcp.api.endpoints import ENDPOINTS
from attendance_mcp.errors import AttendanceError, NotAllowed, NotAuthorised, Unavailable, UpstreamError
from attendance_mcp.rules.policy import UNLIMITED, WHOLE_SCHOOL, Grants
from attendance_mcp.school.clock import Clock
from attendance_mcp.school.connection import Connection
from attendance_mcp.school.disclosure import Disclosure
from attendance_mcp.school.guard import NOT_YOURS, Guard, check_writable, guarded_call
from attendance_mcp.school.sight import Sight

P = ParamSpec("P")
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
Progress = Callable[[int, int], Awaitable[None]]

LOCAL_CALLER = "local"
_PROGRESS_FROM = 6
# What each kind of write touches. "no homeroom" is worked out from totals: one mark, and a group keeps homeroom.
_OF_A_CLASS = ("get_class_attendance", "get_class_term_attendance")
NO_HOMEROOM = "no homeroom"
_OF_STUDENTS = (
    "get_homeroom_attendance",
    "get_homeroom_term_attendance",
    "list_excusals",
    "list_student_excusals",
    NO_HOMEROOM,
)


class Reads(ABC):
    """Reads of one school for one caller. What they are about is the School's."""

    def __init__(
        self,
        connection: Connection,
        *,
        caller: str = LOCAL_CALLER,
        grants: Grants = UNLIMITED,
        progress: Progress | None = None,
        disclosure: Disclosure | None = None,
    ) -> None:
        self.connection = connection
        self.caller = caller
        self.disclosure = disclosure or connection.disclosure
        self._grants = grants
        self.limited = grants != UNLIMITED  # whether there is anybody whom this caller may not see or change
        self.not_read: list[str] = []
        self._progress = progress
        self._asked = self._answered = 0  # over all of the request: a client's progress may only grow
        self._failed: dict[Hashable, UpstreamError] = {}
        self._ends = time.monotonic() + connection.deadline

    @property
    def client(self) -> Client:
        """The client, whose answers are cut to what this caller may see."""
        if not self.limited:
            return self.connection.client
        return cast("Client", Guard(self.connection.client, self.sight, tells_ids=self._tells_ids))

    @property
    def _tells_ids(self) -> bool:
        return self.disclosure.codes is None

    @property
    def writes(self) -> bool:
        """Whether this caller may change anything here."""
        return self.connection.writes and bool(self._grants.write)

    @property
    def sees_everybody(self) -> bool:
        return WHOLE_SCHOOL in {place.kind for place in self._grants.read}

    @abstractmethod
    async def sight(self) -> Sight | None:
        """Whom this caller may see and change; None is everybody."""

    async def check_writable(self, students: Iterable[int]) -> None:
        """Raises NotAllowed where one of these students' records is not this caller's to change."""
        try:
            check_writable(await self.sight(), students)
        except NotAllowed:
            if self._tells_ids:
                raise
            raise NotAllowed(f"{NOT_YOURS} some of these students.") from None  # their ids are not told

    @property
    def clock(self) -> Clock:
        return self.connection.clock

    async def read(self, method: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """One read of the client, shared with whoever asks for the same, and kept where it may be.

        Raises Unavailable where the request's deadline passes.
        """
        name = method.__name__
        key = (name, args, tuple(sorted(kwargs.items())))
        if key in self._failed:
            raise self._failed[key]
        raw: Callable[..., Awaitable[T]] = getattr(self.connection.client, name)

        async def shared(*args: Any, **kwargs: Any) -> T:
            # As the API gave it, for all callers; it is cut to each one's sight on its way out.
            key = (name, args, tuple(sorted(kwargs.items())))
            return await self._remembered(key, lambda: raw(*args, **kwargs), keep=self._may_keep(name, args))

        try:
            sight = await self.sight()
            cut: T = await guarded_call(raw, args, kwargs, sight, call=shared, tells_ids=self._tells_ids)
        except UpstreamError as error:
            if ENDPOINTS[name].reference:  # asked for again and again in one request, and each time tried three times
                self._failed[key] = error
            raise
        return cut

    async def kept(self, key: Hashable, load: Callable[[], Awaitable[T]]) -> T:
        """What is worked out from reads, shared by those who see the same and kept for ten minutes as the reads are.

        Raises Unavailable where the request's deadline passes.
        """
        return await self._remembered(self._own(key), load, keep=True)

    def peek(self, key: Hashable) -> Any:
        """What is kept under the key for those who see the same, else None."""
        return self.connection.memory.peek(self._own(key))

    def _own(self, key: Hashable) -> Hashable:
        if not self.limited:
            return key
        return (*(key if isinstance(key, tuple) else (key,)), self._grants)

    async def _remembered(self, key: Hashable, load: Callable[[], Awaitable[T]], *, keep: bool) -> T:
        kept: T | None = self.connection.memory.peek(key)
        if kept is not None:
            return kept  # setting a deadline would take longer than this
        try:
            with anyio.fail_after(max(0.0, self._ends - time.monotonic())):
                value: T = await self.connection.memory.get(key, load, keep=keep)
                return value
        except TimeoutError:
            raise Unavailable(
                f"The school's system did not answer within {self.connection.deadline:g} seconds. "
                "Try again, or ask for less."
            ) from None

    async def read_all(
        self, reads: Mapping[K, Callable[[], Awaitable[T]]], *, called: Callable[[K], str], needed: bool = True
    ) -> dict[K, T]:
        """Many reads at once; one that fails is named in `not_read`, so that an answer never leaves it out silently.

        Raises the first failure where every read failed, and NotAuthorised always: a token that is refused is no gap.
        What isn't `needed` raises neither: an answer without it is still one.
        """
        results: dict[K, T] = {}
        failures: dict[K, AttendanceError] = {}

        async def one(key: K, read: Callable[[], Awaitable[T]]) -> None:
            try:
                results[key] = await read()
            except AttendanceError as error:
                failures[key] = error
            self._answered += 1
            if self._progress and self._asked >= _PROGRESS_FROM:
                await self._progress(self._answered, self._asked)

        self._asked += len(reads)
        async with anyio.create_task_group() as group:
            for key, read in reads.items():
                group.start_soon(one, key, read)
        for key, error in failures.items():
            if needed and (len(failures) == len(reads) or isinstance(error, NotAuthorised)):
                raise error
            self.not_read.append(f"{called(key)} could not be read: {error}")
        return {key: results[key] for key in reads if key in results}

    def _may_keep(self, name: str, args: tuple[object, ...]) -> bool:
        """Reference data, and marks of days that are over; never today's, nor totals and excusals, which move."""
        if ENDPOINTS[name].reference or name == "get_class_timetable":
            return True
        days = [arg for arg in args if isinstance(arg, date)]
        return name in ("get_class_attendance", "get_homeroom_attendance") and days[0] < self.clock.today()

    def wrote(self, *, class_id: int | None = None) -> None:
        """Forget what a write touched: the marks of a class, or else those of homeroom and the excusals.

        Reads that are never kept are among them: one under way may have been answered before the write.
        """

        def touches(key: object) -> bool:
            if not isinstance(key, tuple):
                return False
            name, args = key[0], key[1]
            return name in _OF_A_CLASS and args[0] == class_id if class_id else name in _OF_STUDENTS

        self.connection.memory.drop(touches)
