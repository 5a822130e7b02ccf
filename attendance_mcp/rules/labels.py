"""What a status code is called and counts as, in one programme and academic year."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from attendance_mcp.outside import one_line
from attendance_mcp.status import ABSENT, EXCUSED, HEALTH, NOT_TAKEN, PRESENT, STATUSES, WRITABLE, Kind

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
    `by_code` is as the school has it. With `for_health`, a mark that tells of somebody's health is told as that label
    instead, by every other way to ask for one.
    """

    by_code: Mapping[int, Label]
    known: bool
    kinds: Kinds = field(default_factory=dict)
    for_health: Label | None = None

    @classmethod
    def of(
        cls,
        categories: Iterable[tuple[int, str, bool]] | None,
        *,
        kinds: Kinds | None = None,
        health_apart: bool = True,
    ) -> Labels:
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
        for_health = None if health_apart else _excused(by_code)
        return cls(by_code=by_code, known=categories is not None, kinds=kinds, for_health=for_health)

    def of_mark(self, code: int, text: str) -> Label:
        """The label of a mark that was read: the words that the API gave with it, unless it is not taken."""
        if code == NOT_TAKEN:
            return self.by_code[NOT_TAKEN]
        known = self.by_code.get(code)
        text = _as_shown(text) or (known.text if known else f"Code {code}")
        enabled = known.enabled if known else True
        return self._told(Label(code, text, kind_of(code, text, self.kinds), enabled))

    def __getitem__(self, code: int) -> Label:
        return self._told(self.by_code.get(code) or Label(code, f"Code {code}", Kind.UNCLASSIFIED))

    def _told(self, label: Label) -> Label:
        if self.for_health is None:
            return label
        if label.kind is Kind.HEALTH:
            return self.for_health
        if label.code == HEALTH and label.kind is Kind.UNCLASSIFIED:  # most likely that, under another name
            return replace(label, text="Unclassified")
        return label

    def hides(self, code: int | None) -> bool:
        """Whether a mark with this code is told as another than it is."""
        return code is not None and code in self.by_code and self[code] != self.by_code[code]

    def offered(self) -> list[Label]:
        """The labels that a mark can be given here."""
        return [self.by_code[code] for code in self.by_code if code in WRITABLE and not self.hides(code)]

    def word(self, text: str) -> str:
        """What a label that came without its code, as an adjustment's does, is told as."""
        if self.for_health is None:
            return text
        wanted = text.casefold()
        hidden = {STATUSES[HEALTH].label.casefold()}
        hidden |= {label.text.casefold() for code, label in self.by_code.items() if self.hides(code)}
        told_apart = {label.text.casefold() for label in self.offered()}
        return self.for_health.text if wanted in hidden - told_apart else text

    def named(self, words: str) -> tuple[Label, ...]:
        """The writable codes with this label, ignoring case; the school's own labels come before the vendor's words."""
        wanted = " ".join(words.split()).casefold()
        offered = self.offered()
        own = tuple(label for label in offered if label.text.casefold() == wanted)
        if own:
            return own
        return tuple(label for label in offered if STATUSES[label.code].label.casefold() == wanted)


def _excused(by_code: Mapping[int, Label]) -> Label:
    """The school's label for excused: the vendor's code for it, else its first; else the vendor's."""
    excused = [label for label in by_code.values() if label.kind is Kind.EXCUSED]
    excused.sort(key=lambda label: (not label.enabled, label.code != EXCUSED, label.code))
    return excused[0] if excused else Label(EXCUSED, STATUSES[EXCUSED].label, Kind.EXCUSED)
