"""The chain that makes an altered journal show: hashes only, nothing is read or stored here.

A row's digest is over its ids, codes and outcome, never over a text, so that texts can go and the chain still holds. It
is salted: once row and salt are erased, nobody can find out from the digest which student it was, by trying them all.
A plan's link is over the link before it, the plan and its rows' digests.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

START = ""  # what the first link of a school follows
TEXTS = ("note", "comment")
GONE = "gone"  # stands in a value whose text was there and is no longer kept
_PLAN = ("code", "caller", "school", "state", "approval", "created", "settled", "already")


def row_digest(row: Mapping[str, Any], salt: str) -> str:
    """The digest of a stored change."""
    content = [
        row["row"],
        row["kind"],
        json.loads(row["target"]),
        *(without_texts(row[side])[0] for side in ("before", "after")),
        row["outcome"],
        row["made_id"],
    ]
    return _hash([salt, content])


def plan_link(previous: str, plan: Mapping[str, Any], digests: Sequence[str]) -> str:
    """The link of a stored plan that ended."""
    return _hash([previous, {name: plan[name] for name in _PLAN}, list(digests)])


def without_texts(stored: str) -> tuple[dict[str, Any] | None, bool]:
    """A stored value's codes, ids and days, and whether a text stood among them."""
    value = json.loads(stored)
    if value is None:
        return None, False
    left = {name: content for name, content in value.items() if name not in (*TEXTS, GONE)}
    return left, any(value.get(name) for name in TEXTS)


def purged(stored: str) -> str:
    """A stored value without its texts; it says that there was one, which is not the same as none."""
    value = json.loads(stored)
    if value is None or not any(value.get(name) for name in TEXTS):
        return stored
    return json.dumps({**value, **{name: None for name in TEXTS if name in value}, GONE: True})


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
