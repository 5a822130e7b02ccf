"""Where a sign-in is kept from start to start: the system's keyring, or this process's memory alone."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from types import ModuleType

import anyio
import anyio.to_thread
from mcp.shared.auth import OAuthMetadata, OAuthToken, ProtectedResourceMetadata
from pydantic import BaseModel, ValidationError

from attendance_mcp.settings import KEYRING_SERVICE

_PIECE = 1000  # characters: Windows keeps 2,560 bytes an entry, of two bytes a character
_MOST_PIECES = 40
_EARLY = 30.0  # seconds before its end a token counts as expired: it must last its way

log = logging.getLogger(__name__)


_Doing = Callable[[ModuleType, str], str | None]


class Kept(BaseModel):
    """A sign-in: its tokens, whom they are for, and who renews them. `expires_at` is in seconds of the epoch."""

    tokens: OAuthToken
    expires_at: float | None
    resource: ProtectedResourceMetadata
    issuer: OAuthMetadata

    @property
    def expired(self) -> bool:
        return self.expires_at is not None and time.time() >= self.expires_at - _EARLY


class Keeping:
    """One person's sign-in at one server. Another process of theirs may renew it at any time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._memory: Kept | None = None
        self._in_keyring = True  # until it is found that there is none

    async def read(self) -> Kept | None:
        text = await self._with_keyring(_read)
        if self._in_keyring and text is not None:
            try:
                self._memory = Kept.model_validate_json(text)
            except ValidationError:  # of another version, or cut: signing in again writes it anew
                self._memory = None
        return self._memory

    async def write(self, kept: Kept) -> None:
        self._memory = kept
        text = kept.model_dump_json(exclude_none=True)
        await self._with_keyring(lambda keyring, name: _write(keyring, name, text))

    async def forget(self) -> None:
        self._memory = None
        await self._with_keyring(_forget)

    async def _with_keyring(self, do: _Doing) -> str | None:
        if not self._in_keyring:
            return None
        try:
            # It may ask the person to unlock it, for as long as they like.
            return await anyio.to_thread.run_sync(_in_thread, do, self._name, abandon_on_cancel=True)
        except _NoKeyring as error:
            self._in_keyring = False
            log.warning("%s The sign-in is kept in memory only, so that the next start asks for it again.", error)
            return None


class _NoKeyring(Exception):  # noqa: N818
    """Says why in a sentence."""


def _in_thread(do: _Doing, name: str) -> str | None:
    try:
        import keyring  # the extra of the same name
        from keyring.errors import KeyringError
    except ImportError:
        raise _NoKeyring("The keyring needs one more package: attendance-mcp[keyring].") from None
    try:
        return do(keyring, name)
    except KeyringError:
        raise _NoKeyring("This machine's keyring can't be used.") from None


def _places(name: str) -> list[str]:
    return [name, *(f"{name} ({number})" for number in range(2, _MOST_PIECES + 1))]


def _read(keyring: ModuleType, name: str) -> str:
    """Its pieces, each of which says by its first character whether another one follows."""
    text = ""
    for place in _places(name):
        piece = keyring.get_password(KEYRING_SERVICE, place) or ""
        text += piece[1:]
        if not piece.startswith("+"):
            break
    return text


def _write(keyring: ModuleType, name: str, text: str) -> None:
    pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
    for place, piece in zip(_places(name), pieces, strict=False):
        keyring.set_password(KEYRING_SERVICE, place, ("." if piece is pieces[-1] else "+") + piece)


def _forget(keyring: ModuleType, name: str) -> None:
    from keyring.errors import PasswordDeleteError

    for place in _places(name):
        try:
            keyring.delete_password(KEYRING_SERVICE, place)
        except PasswordDeleteError:  # there is none of that name
            return
