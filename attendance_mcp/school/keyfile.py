"""The installation's key, from which the codes of people are made: a file of the user's alone."""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from attendance_mcp.errors import SettingsError

_BYTES = 64  # what AES-SIV takes: AES-256 for the tag and for the text
_KEY = re.compile(rf"[0-9a-f]{{{2 * _BYTES}}}")
_SETTING = "ATTENDANCE_PRIVACY_KEY_FILE"
HOW_TO_MAKE = f"`openssl rand -hex {_BYTES}` makes one"


def given_key(path: Path) -> bytes:
    """The key in a file that a setting names. Raises SettingsError where there is none, or others can change it."""
    try:
        status = path.stat()
        # Whoever knows the key can turn every code back into an id.
        if os.name == "posix" and status.st_mode & (stat.S_IRWXG | stat.S_IRWXO) & ~stat.S_IRGRP:
            raise SettingsError(f"The file of {_SETTING} can be read or changed by others; chmod 600 mends it.")
        text = path.read_text("ascii").strip().lower()
    except OSError as error:
        reason = error.strerror or "it can't be read"
        raise SettingsError(f"The file of {_SETTING} can't be read: {reason}. {HOW_TO_MAKE}.") from None
    except UnicodeDecodeError:
        text = ""
    if not _KEY.fullmatch(text):
        raise SettingsError(f"The file of {_SETTING} holds no key: {2 * _BYTES} hexadecimal digits. {HOW_TO_MAKE}.")
    return bytes.fromhex(text)


def own_key(path: Path) -> bytes:
    """The key of this installation, made where there is none. Raises SettingsError where it can't be.

    Two servers that start at once come to the same key: the file is whole before it has its name.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _make(path)
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingsError(
            f"The key of this installation can't be read or made beside the store. Set {_SETTING} to a file that holds "
            f"one: {HOW_TO_MAKE}."
        ) from None
    if not _KEY.fullmatch(text):
        raise SettingsError("The key of this installation, privacy.key beside the store, is damaged: restore the file.")
    return bytes.fromhex(text)


def _make(path: Path) -> None:
    new = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another server's key is as good
            os.link(new, path)
    finally:
        new.unlink(missing_ok=True)
