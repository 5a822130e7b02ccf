"""The scopes of sign-in: which ones clients are told to ask for, and how an issuer writes them into a token."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

READ, WRITE = "attendance:read", "attendance:write"
OF_GOOGLE = "openid https://www.googleapis.com/auth/userinfo.email"  # Google gives no scopes of others
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}")  # as RFC 6749 has them
_MOST = 10


def checked_scopes(text: str) -> str:
    """Scopes with one blank between them. Raises ValueError for what can be no scopes."""
    words = text.split()
    if not (0 < len(words) <= _MOST and all(_SCOPE.fullmatch(word) for word in words)):
        raise ValueError(f"is a scope, or up to {_MOST} of them with blanks between, such as {READ}")
    return " ".join(words)


@dataclass(frozen=True, slots=True)
class Scopes:
    """What one asks for to read, and what besides to write; both may be the same."""

    read: tuple[str, ...]
    write: tuple[str, ...]

    @classmethod
    def of(cls, read: str, write: str) -> Scopes:
        """By texts with blanks between the scopes."""
        return cls(tuple(read.split()), tuple(write.split()))

    def needed(self, *, writes: bool) -> list[str]:
        return list(dict.fromkeys((*self.read, *self.write) if writes else self.read))

    def missing(self, granted: Iterable[str], *, writes: bool) -> list[str]:
        """Those of the needed ones that a token doesn't grant."""
        had = set(granted)
        return [one for one in self.needed(writes=writes) if had.isdisjoint(_written(one))]


def _written(scope: str) -> set[str]:
    """How it may stand in a token: Entra ID is asked for `https://…/mcp/attendance:read`, and writes the last part."""
    return {scope, scope.rpartition("/")[2]} if "://" in scope else {scope}


def of_another(scopes: Iterable[str], resource: str) -> bool:
    """Whether one of the scopes is an address that doesn't stand below the resource's.

    It names its resource itself then: Entra ID refuses a request whose `resource` is another one (AADSTS9010010), and
    Google knows no such parameter.
    """
    return any("://" in scope and not scope.startswith(f"{resource}/") for scope in scopes)
