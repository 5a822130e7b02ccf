"""One upstream school for as long as the process lives: its client, its clock and what is remembered of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from attendance_mcp.api.client import Client
from attendance_mcp.rules.profile import Profile
from attendance_mcp.school.clock import Clock
from attendance_mcp.school.disclosure import EVERYTHING, Disclosure
from attendance_mcp.school.memory import Memory
from attendance_mcp.school.recall import Recall


@dataclass(eq=False)
class Connection:
    """Made once by the composition root and shared by every School.

    The client is made at the first read, so that a server that is only asked for its tools loads no HTTP library.
    """

    connect: Callable[[], Client]
    clock: Clock
    name: str  # the upstream's origin, which binds a plan to its school
    deadline: float = 25.0
    rate: float = 20.0  # requests a second, which decides what a question may need
    own_profile: Profile | None = None
    memory: Memory = field(default_factory=Memory)
    recall: Recall = field(default_factory=Recall)
    zone_set: bool = True  # whether the school's time zone was told, or is only the machine's
    writes: bool = False
    disclosure: Disclosure = EVERYTHING  # what an assistant is told
    on_close: Callable[[], None] = lambda: None

    @cached_property
    def profile(self) -> Profile:
        """The school profile, or the safe defaults, which are made at first use."""
        return self.own_profile or Profile()

    @cached_property
    def client(self) -> Client:
        return self.connect()

    async def aclose(self) -> None:
        """Closes the client where one was made."""
        if "client" in self.__dict__:
            await self.client.aclose()
        self.on_close()
