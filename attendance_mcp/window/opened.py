"""What every open page has: who may see it, and what proves a click on it."""

from __future__ import annotations

import hashlib
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta


def secret() -> str:
    return secrets.token_urlsafe(32)  # 256 bits


def digest_of(secret: str) -> bytes:
    """What a secret is looked up by, so that how long a search takes tells nothing of it."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


@dataclass(eq=False, kw_only=True)
class Opened(ABC):
    """One page in one person's browser."""

    now: Callable[[], datetime]
    id: str = field(default_factory=lambda: secrets.token_urlsafe(9))  # not secret: it tells pages' cookies apart
    ticket: str = field(default_factory=secret)  # stands in the forms of what the person read
    _sessions: set[bytes] = field(default_factory=set)

    @property
    @abstractmethod
    def path(self) -> str:
        """Where the page is."""

    @abstractmethod
    def goes(self, linger: timedelta) -> datetime:
        """When the page will be gone."""

    async def settled(self) -> None:
        """Waits for what must not be left half done."""
        return

    def admit(self) -> str:
        """A new session: whoever brings it again is who opened the page."""
        session = secret()
        self._sessions.add(digest_of(session))
        return session

    def knows(self, session: str) -> bool:
        return digest_of(session) in self._sessions
