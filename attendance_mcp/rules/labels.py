"""What a status code is called and counts as, in one programme and academic year."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from attendance_mcp.outside import one_line
from attendance_mcp.status import ABSENT, NOT_TAKEN, PRESENT, STATUSES, WRITABLE, Kind

# Kinds that the school profile gives, by code or by casefolded label.
Kinds = Mapping[int | str, Kind]

_SAME_IN_EVERY_SCHOOL = {
    NOT_TAKEN: Kind.NOT_TAKEN,
    ABSENT: Kind.ABSENT,
    PRESENT: Kind.PRESENT,
}


@dataclass(frozen=True, slots=True)
class Label:
    """A code as the school words it."""

    code: int
    text: str
    kind: Kind
    enabled: bool = True


def kind_of(code: int, text: str, kinds: Kinds) -> Kind:
    """What a mark with this code and label counts as.

    Only 0 and 1 mean the same in every school. Any other code counts as the profile says, or as the vendor's word
    does where the school left that word standing; else it is unclassified, since a guess about a child is worse.
    """
    if code in _SAME_IN_EVERY_SCHOOL:
        return _SAME_IN_EVERY_SCHOOL[code]
    for key in (text.casefold(), code):
        if key in kinds:
            return kinds[key]
    vendor = STATUSES.get(code)
    return vendor.kind if vendor and vendor.label.casefold() == text.casefold() else Kind.UNCLASSIFIED


@lru_cache(maxsize=1024)
def _as_shown(text: str) -> str:
    """A label as one line; a school has a few dozen, and each stands on thousands of marks."""
    return one_line(text, limit=40)


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of one programme and academic year.

    `known` is false where the API doesn't tell them: then the vendor's words stand in, and a mark's own label decides.
    """

    by_code: Mapping[int, Label]
    known: bool
    kinds: Kinds = field(default_factory=dict)

    @classmethod
    def of(cls, categories: Iterable[tuple[int, str, bool]] | None, *, kinds: Kinds | None = None) -> Labels:
        """From the school's categories as (code, label, enabled); None where the API doesn't offer them."""
        kinds = kinds or {}
        by_code = {
            status.code: Label(status.code, status.label, kind_of(status.code, status.label, kinds))
            for status in STATUSES.values()
        }
        for code, raw, enabled in categories or ():
            if code != NOT_TAKEN:
                text = _as_shown(raw)
                by_code[code] = Label(code, text, kind_of(code, text, kinds), enabled)
        return cls(by_code=by_code, known=categories is not None, kinds=kinds)

    def of_mark(self, code: int, text: str) -> Label:
        """The label of a mark that was read: the words that the API gave with it, unless it is not taken."""
        if code == NOT_TAKEN:
            return self.by_code[NOT_TAKEN]
        known = self.by_code.get(code)
        text = _as_shown(text) or (known.text if known else f"Code {code}")
        enabled = known.enabled if known else True
        return Label(code, text, kind_of(code, text, self.kinds), enabled)

    def __getitem__(self, code: int) -> Label:
        return self.by_code.get(code) or Label(code, f"Code {code}", Kind.UNCLASSIFIED)

    def named(self, words: str) -> tuple[Label, ...]:
        """The writable codes with this label, ignoring case; the school's own labels come before the vendor's words."""
        wanted = " ".join(words.split()).casefold()
        own = tuple(self.by_code[code] for code in WRITABLE if self.by_code[code].text.casefold() == wanted)
        if own:
            return own
        return tuple(self.by_code[code] for code in WRITABLE if STATUSES[code].label.casefold() == wanted)
