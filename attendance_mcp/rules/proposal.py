"""A school profile proposed from what the API tells, as TOML for a person to look through."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from attendance_mcp.rules.labels import Labels
from attendance_mcp.status import STATUSES, WRITABLE, Kind

_HEAD = """\
# A proposal, from reads of the school's system alone. Look through it before you use it: what stands behind a # is a
# question, not an answer. Save it as school.toml and name it in ATTENDANCE_PROFILE.

# absent_notifies_parents = true   # does the school's system tell parents as soon as a student is marked absent?
# me = "…"                         # the advisor whom "my homeroom" means

[school]
# homeroom_due = "08:45"           # from when on is a homeroom register that is not taken missing?
# class_due_minutes = 15           # and a class register, after its period's start? With [school.period_starts]."""
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


@dataclass(frozen=True, slots=True)
class ProgrammeSeen:
    """What was read of one programme.

    `homeroom` is whether it has any homeroom record this term, `calendar` whether the API has its calendar, `days_off`
    the weekdays off that the calendar names (0 = Sunday).
    """

    code: str
    labels: Labels
    homeroom: bool
    calendar: bool
    days_off: Sequence[int] = ()


def proposed_profile(programmes: Sequence[ProgrammeSeen]) -> str:
    """The text of a school.toml that `Profile.from_toml` takes as it is."""
    lines = [_HEAD]
    excused = {one.code: one.labels[13] for one in programmes}
    if excused and all(label.enabled and label.kind is Kind.EXCUSED for label in excused.values()):
        lines.append("excused_code = 13                # the school's code for excused: is it used for every excusal?")
    for one in programmes:
        lines += ["", f"[programs.{one.code}]", *_programme(one)]
    return "\n".join(lines) + "\n"


def _programme(seen: ProgrammeSeen) -> Iterable[str]:
    if not seen.homeroom:
        yield "keeps_homeroom = false           # no homeroom record in this term"
    if not seen.calendar:
        yield '# days_off = ["Saturday", "Sunday"]   # the school\'s system has no calendar: which weekdays are off?'
        yield "# holidays = [2026-12-24]              # and which days?"
    elif seen.days_off:
        off = ", ".join(_WEEKDAYS[number] for number in sorted(seen.days_off) if 0 <= number <= 6)
        yield f"# Its calendar says that {off} are off; nothing to set."
    open_labels = [seen.labels[code] for code in WRITABLE if seen.labels[code].kind is Kind.UNCLASSIFIED]
    if open_labels:
        yield f"[programs.{seen.code}.kinds]"
    for label in open_labels:
        vendor = STATUSES[label.code]
        disabled = "" if label.enabled else ", disabled"
        about = f"code {label.code}, for the vendor “{vendor.label}”{disabled}"
        guess = vendor.kind if vendor.kind is not Kind.OTHER else "?"
        # A guess from the vendor's word is written as a question: a wrong kind would be told of a child.
        yield f"# {json.dumps(label.text, ensure_ascii=False)} = {json.dumps(str(guess))}   # {about}"
