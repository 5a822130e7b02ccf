"""Where a student's marks of one day contradict each other or the excusals, and the change that would mend it.

Homeroom counts as before the first period. Only taken marks are evidence: a mark not taken says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from attendance_mcp.rules.labels import Label, Labels
from attendance_mcp.status import ABSENT, NOT_TAKEN, PRESENT, WRITABLE, Kind

_IN_CLASS = frozenset({Kind.PRESENT, Kind.LATE, Kind.LEFT})  # seen in the room; who is out was not
_IN_HOMEROOM = frozenset({Kind.PRESENT, Kind.LATE})  # who left, or is out, may well miss what follows
# The vendor's 3 and 4 say something about clothes too, which no register of another room tells.
_NEVER_PROPOSED = frozenset({3, 4})
_USUAL = {Kind.LATE: 2, Kind.LEFT: 5}


class ContradictionKind(StrEnum):
    """What contradicts what.

    * ARRIVED_LATE: absent in homeroom and marked present (or late, or left early) in a later class.
    * GONE_AFTER_HOMEROOM: present or late in homeroom and absent from every taken class after it.
    * IN_SOME_CLASSES: present in some taken classes and absent from others; not where the absences are only those
      before an arrival that ARRIVED_LATE already tells.
    * EXCUSAL_NOT_MARKED: absent, in homeroom or a class, on a day that an excusal covers, and not marked with the
      school's code for excused; only where the profile names that code.
    * NO_EXCUSAL: marked excused, in homeroom or a class, on a day that no excusal covers.
    * HOMEROOM_NOT_TAKEN: the homeroom's whole register is not taken though classes have marks.
    """

    ARRIVED_LATE = "absent in homeroom, present in a later class"
    GONE_AFTER_HOMEROOM = "present in homeroom, absent from every class"
    IN_SOME_CLASSES = "present in some classes, absent from others"
    EXCUSAL_NOT_MARKED = "absent with an excusal, not marked excused"
    NO_EXCUSAL = "excused without an excusal"
    HOMEROOM_NOT_TAKEN = "homeroom register not taken, classes have marks"


@dataclass(frozen=True, slots=True)
class Mark:
    """One record of a student's day: a class's mark in a period, or the homeroom's where `period` is None.

    `label` is None, or one of the code -1, where it was not taken.
    """

    label: Label | None
    period: int | None = None
    class_id: int | None = None

    @property
    def kind(self) -> Kind:
        return self.label.kind if self.label is not None else Kind.NOT_TAKEN

    @property
    def taken(self) -> bool:
        return self.label is not None and self.label.code != NOT_TAKEN


@dataclass(frozen=True, slots=True)
class Mend:
    """A change that would mend a contradiction: the record as it is, and the label it would get."""

    mark: Mark
    to: Label


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One contradiction, the taken marks that are its evidence, and the changes that would mend it.

    `mends` is empty where no change is known to be right; a record is mended once a day, by one contradiction.
    """

    kind: ContradictionKind
    evidence: tuple[Mark, ...]
    mends: tuple[Mend, ...] = ()

    @property
    def periods(self) -> tuple[int, ...]:
        """The periods of the evidence, in order."""
        return tuple(mark.period for mark in self.evidence if mark.period is not None)


@dataclass(frozen=True, slots=True)
class StudentDay:
    """One student's marks of one day, and what stands around them.

    `homeroom` is None where the programme keeps none. `covered` is whether an excusal covers the day, None where the
    excusals could not be read. `register_taken` is whether anybody in the homeroom is marked: only registers that are
    wholly untaken are a contradiction, since many teachers mark only the exceptions.
    """

    homeroom: Mark | None
    classes: tuple[Mark, ...]
    covered: bool | None = None
    register_taken: bool = True


def contradictions(day: StudentDay, *, labels: Labels, excused: Label | None = None) -> list[Contradiction]:
    """Every contradiction of a student's day; `excused` is the school's code for it, None where no profile names one.

    A proposed label is always enabled and classified. An excusal explains an absence, so its code goes before Late
    or Left. A half day is class marks from that period on, and the homeroom mark stays.
    """
    return _Day(day, labels=labels, excused=excused).found()


class _Day:
    def __init__(self, day: StudentDay, *, labels: Labels, excused: Label | None) -> None:
        self.labels = labels
        self.covered = day.covered
        self.register_taken = day.register_taken
        self.homeroom = day.homeroom
        self.mark = day.homeroom if day.homeroom is not None and day.homeroom.taken else None
        self.met = len({mark.period for mark in day.classes})
        self.taken = sorted(
            (mark for mark in day.classes if mark.taken), key=lambda mark: (_period(mark), mark.class_id or 0)
        )
        self.seen = [mark for mark in self.taken if mark.kind in _IN_CLASS]
        self.absent = [mark for mark in self.taken if mark.kind is Kind.ABSENT]
        self.excused_code = excused.code if excused is not None else None
        self.excused = excused if excused is not None and _proposable(excused) else None

    def found(self) -> list[Contradiction]:
        checks: Iterable[Contradiction | None] = (
            self._excusal_not_marked(),
            self._no_excusal(),
            self._arrived_late(),
            self._gone_after_homeroom(),
            self._in_some_classes(),
            self._homeroom_not_taken(),
        )
        mended: set[Mark] = set()
        found: list[Contradiction] = []
        for one in checks:
            if one is not None:
                mends = tuple(mend for mend in one.mends if mend.mark not in mended)
                mended |= {mend.mark for mend in mends}
                found.append(Contradiction(one.kind, one.evidence, mends))
        return found

    def _excusal_not_marked(self) -> Contradiction | None:
        marks = [mark for mark in self._all_taken() if mark.kind is Kind.ABSENT and not self._has_excused_code(mark)]
        if not (self.covered and self.excused_code is not None and marks):
            return None
        return self._contradiction(ContradictionKind.EXCUSAL_NOT_MARKED, marks, mend=marks, to=self.excused)

    def _no_excusal(self) -> Contradiction | None:
        marks = [mark for mark in self._all_taken() if mark.kind is Kind.EXCUSED or self._has_excused_code(mark)]
        if self.covered is not False or not marks:
            return None
        # Whoever was seen in a class was not simply absent: what the homeroom should say then, a person knows. So it is
        # where an excused mark may be one of health, which needs no excusal and is not told apart.
        apart = self.labels.for_health is None
        mend = [mark for mark in marks if apart and (mark.period is not None or not self.seen)]
        return self._contradiction(ContradictionKind.NO_EXCUSAL, marks, mend=mend, to=self._label(Kind.ABSENT))

    def _arrived_late(self) -> Contradiction | None:
        if self.mark is None or self.mark.kind is not Kind.ABSENT or not self.seen:
            return None
        # Who missed a class before arriving was rightly absent in homeroom: a half day, told by the class marks.
        arrived = _period(self.seen[0])
        until_then = [mark for mark in self.taken if _period(mark) < arrived]
        return self._contradiction(
            ContradictionKind.ARRIVED_LATE,
            [self.mark, *until_then, self.seen[0]],
            mend=[] if until_then else [self.mark],
            to=self._label(Kind.LATE),
        )

    def _gone_after_homeroom(self) -> Contradiction | None:
        if self.mark is None or self.mark.kind not in _IN_HOMEROOM or not self.absent:
            return None
        if len(self.absent) != len(self.taken):
            return None
        # One class of several that meet is too little to say that the homeroom was wrong.
        enough = len({mark.period for mark in self.absent}) >= min(2, self.met)
        to = (self.excused if self.covered else None) or self._label(Kind.ABSENT)
        return self._contradiction(
            ContradictionKind.GONE_AFTER_HOMEROOM,
            [self.mark, *self.absent],
            mend=[self.mark] if enough else [],
            to=to,
        )

    def _in_some_classes(self) -> Contradiction | None:
        if not (self.seen and self.absent):
            return None
        first, last = _period(self.seen[0]), _period(self.seen[-1])
        told = self.mark is not None and self.mark.kind is Kind.ABSENT
        if told and all(_period(mark) < first for mark in self.absent):
            return None
        # Gone from a period on, and not back: a half day. Missing in between may be anything, so nothing is proposed.
        half_day = [mark for mark in self.taken if _period(mark) > last] == self.absent
        return self._contradiction(
            ContradictionKind.IN_SOME_CLASSES,
            [mark for mark in self.taken if mark in self.seen or mark in self.absent],
            mend=self.absent if half_day else [],
            to=self._label(Kind.LEFT),
        )

    def _homeroom_not_taken(self) -> Contradiction | None:
        if self.homeroom is None or self.mark is not None or self.register_taken or not self.taken:
            return None
        kinds = {mark.kind for mark in self.taken}
        to: Label | None = None
        if kinds == {Kind.ABSENT}:
            to = (self.excused if self.covered else None) or self._label(Kind.ABSENT)
        elif self.taken[0].kind is Kind.PRESENT:
            to = self._label(Kind.PRESENT)
        elif kinds <= {Kind.OUT, Kind.EXCUSED, Kind.HEALTH} and len({mark.label for mark in self.taken}) == 1:
            label = self.taken[0].label
            to = label if label is not None and _proposable(label) else None
        return self._contradiction(ContradictionKind.HOMEROOM_NOT_TAKEN, self.taken, mend=[self.homeroom], to=to)

    def _has_excused_code(self, mark: Mark) -> bool:
        # Whatever its own label counts as: a profile may give the label a kind and the code this meaning.
        return mark.label is not None and mark.label.code == self.excused_code

    def _all_taken(self) -> list[Mark]:
        return [*([self.mark] if self.mark is not None else []), *self.taken]

    def _contradiction(
        self, kind: ContradictionKind, evidence: Iterable[Mark], *, mend: Iterable[Mark], to: Label | None
    ) -> Contradiction:
        mends = tuple(
            Mend(mark, to) for mark in mend if to is not None and (mark.label is None or mark.label.code != to.code)
        )
        return Contradiction(kind, tuple(evidence), mends)

    def _label(self, kind: Kind) -> Label | None:
        """The label to propose for a kind: the vendor's code for it, else the school's only one; else none."""
        fixed = {Kind.ABSENT: ABSENT, Kind.PRESENT: PRESENT}.get(kind, _USUAL.get(kind))
        usable = [
            label
            for code in WRITABLE
            if code not in _NEVER_PROPOSED and (label := self.labels[code]).kind is kind and _proposable(label)
        ]
        usual = next((label for label in usable if label.code == fixed), None)
        return usual or (usable[0] if len(usable) == 1 else None)


def _period(mark: Mark) -> int:
    return mark.period or 0


def _proposable(label: Label) -> bool:
    return label.enabled and label.kind not in (Kind.UNCLASSIFIED, Kind.NOT_TAKEN)
