"""Codes that stand for people: the same one for the same person at this school and installation, and back again.

A code is the person's id, encrypted with AES-SIV under the installation's key. Whoever has no key can neither turn one
back nor make one that passes for somebody's.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from attendance_mcp.digest.facts import Role

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

PREFIXES = {Role.STUDENT: "stu_", Role.PARENT: "par_", Role.STAFF: "sta_"}
_ROLES = {prefix: role for role, prefix in PREFIXES.items()}
# 16 bytes of tag and 4 of id, or 8 where an id needs them, in the letters that survive being typed.
CODE = re.compile(r"\b(?P<prefix>stu_|par_|sta_)(?P<text>[a-z2-7]{39}|[a-z2-7]{32})\b", re.IGNORECASE)
_SHORT, _LONG = 4, 8


class Codes:
    """The codes of one school; the key is read, and the library loaded, at the first one."""

    def __init__(self, key: Callable[[], bytes], *, school: str) -> None:
        self._key = key
        self._school = school.encode()
        self._made: dict[tuple[Role, int], str] = {}

    @cached_property
    def _cipher(self) -> AESSIV:
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

        return AESSIV(self._key())

    def code(self, role: Role, id: int) -> str:
        """`stu_…`, the code of the person with this id."""
        made = self._made.get((role, id))
        if made is None:
            plain = id.to_bytes(_SHORT if id < 1 << 8 * _SHORT else _LONG, "big")
            sealed = self._cipher.encrypt(plain, self._beside(role))
            made = PREFIXES[role] + base64.b32encode(sealed).decode().rstrip("=").lower()
            self._made[role, id] = made
        return made

    def read(self, code: str) -> tuple[Role, int] | None:
        """Whose code it is; None for a text that is none of this school's and installation's."""
        found = CODE.fullmatch(code.strip())
        if found is None:
            return None
        from cryptography.exceptions import InvalidTag

        role, text = _ROLES[found["prefix"].lower()], found["text"].upper()
        try:
            sealed = base64.b32decode(text + "=" * (-len(text) % 8))
            return role, int.from_bytes(self._cipher.decrypt(sealed, self._beside(role)), "big")
        except (ValueError, InvalidTag):
            return None

    def _beside(self, role: Role) -> list[bytes]:
        return [role.encode(), self._school]
