"""The proposed school profile, word for word; that it can be used as it is, `doctor --learn` shows."""

from __future__ import annotations

from inline_snapshot import snapshot

from attendance_mcp.rules.labels import Labels
from attendance_mcp.rules.proposal import ProgrammeSeen, proposed_profile

OWN = [(2, "Tardy", True), (3, "Très tard", True), (14, "Trip", True), (16, "Old word", False)]


def own_part(*programmes: ProgrammeSeen) -> str:
    """The proposal from its last line on the whole school on."""
    head, line, rest = proposed_profile(programmes).partition("# class_due_minutes = 15 ")
    assert head.startswith("# A proposal, from reads of the school's system alone. Look through it before you use it:")
    return (line + rest).partition("\n")[2]


def test_what_was_seen_is_set_and_what_is_only_guessed_is_asked():
    assert own_part(
        ProgrammeSeen("myp", Labels.of(OWN), homeroom=False, calendar=False),
        ProgrammeSeen("dp", Labels.of([]), homeroom=True, calendar=True, days_off=[6, 0, 7]),
    ) == snapshot("""\
excused_code = 13                # the school's code for excused: is it used for every excusal?

[programs.myp]
keeps_homeroom = false           # no homeroom record in this term
# days_off = ["Saturday", "Sunday"]   # the school's system has no calendar: which weekdays are off?
# holidays = [2026-12-24]              # and which days?
[programs.myp.kinds]
# "Tardy" = "late"   # code 2, for the vendor “Late”
# "Très tard" = "present"   # code 3, for the vendor “Dress Code”
# "Trip" = "?"   # code 14, for the vendor “Other”
# "Old word" = "?"   # code 16, for the vendor “Custom 2”, disabled

[programs.dp]
# Its calendar says that Sunday, Saturday are off; nothing to set.
""")


def test_a_code_for_excused_that_means_something_else_somewhere_is_not_proposed():
    usual = ProgrammeSeen("dp", Labels.of([]), homeroom=True, calendar=True)
    for category in ((13, "Excused", False), (13, "Trip", True)):
        other = ProgrammeSeen("myp", Labels.of([category]), homeroom=True, calendar=True)
        assert "excused_code" not in proposed_profile([usual, other])
    assert proposed_profile([usual]).count("excused_code = 13 ") == 1
    assert own_part() == ""
