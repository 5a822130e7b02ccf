from pathlib import Path

from inline_snapshot import snapshot

from attendance_mcp import rules
from attendance_mcp.rules.gaps import Gap, gaps
from attendance_mcp.rules.labels import Labels
from attendance_mcp.rules.profile import Profile

OWN_LABELS = [(15, "Trip", True), (16, "Music lesson", True), (17, "Old word", False)]


def view(profile: Profile, code: str, categories: list[tuple[int, str, bool]] | None) -> Labels:
    return Labels.of(categories, kinds=profile.kinds(code))


def test_a_school_without_a_profile_is_told_what_is_missing_once_for_all_programmes():
    profile = Profile()
    programs = {code: view(profile, code, OWN_LABELS) for code in ("myp", "dp")}
    found = gaps(
        profile,
        programs=programs,
        calendars={"myp": True},
        homerooms={"myp": True, "dp": False},
        zone_known=False,
        writes=True,
    )
    assert found == snapshot(
        [
            Gap(
                entry="kinds",
                text="'Trip' (code 15) has no kind: its marks are counted apart and never proposed.",
                programs=("myp", "dp"),
            ),
            Gap(
                entry="kinds",
                text="'Music lesson' (code 16) has no kind: its marks are counted apart and never proposed.",
                programs=("myp", "dp"),
            ),
            Gap(
                entry="days_off",
                text="There is no calendar and no days_off: school days are known only as far as the marks show.",
                programs=("dp",),
            ),
            Gap(
                entry="homeroom_due",
                text="When homeroom is due is not set: today a register not taken may only be not yet taken.",
                programs=("myp",),
            ),
            Gap(
                entry="class_due",
                text="When class registers are due is not set: today a register not taken may only be not yet taken.",
                programs=("myp", "dp"),
            ),
            Gap(
                entry="excused_code",
                text="The school's code for excused is not set: an absence with an excusal is never said to lack it.",
                programs=("myp", "dp"),
            ),
            Gap(entry="timezone", text="The school's time zone is not set: today is the machine's."),
            Gap(entry="me", text="No advisor is named as 'me': 'my homeroom' can't be asked for."),
            Gap(
                entry="absent_notifies_parents",
                text="Whether the school's system tells parents of an absence is not known.",
            ),
        ]
    )


def test_a_profile_that_says_it_all_has_no_gaps():
    profile = Profile.from_toml((Path(rules.__file__).parent / "school.example.toml").read_text(encoding="utf-8"))
    labels = [(15, "Trip", True), (16, "Remote learning", True), (17, "Music lesson", True)]
    programs = {code: view(profile, code, labels) for code in ("pyp", "myp", "dp")}
    programs["arabic"] = view(profile, "arabic", [*labels, (18, "Authorised", True)])
    assert gaps(profile, programs=programs, calendars={}, zone_known=False, writes=True) == []


def test_a_school_without_a_calendar_that_names_no_holidays_is_told_so():
    profile = Profile.from_toml('[school]\ndays_off = ["Saturday", "Sunday"]')
    labels = {"dp": view(profile, "dp", [(15, "Trip", True)])}
    found = gaps(profile, programs=labels, calendars={"dp": False}, zone_known=True, writes=False)
    told = "There is no calendar and no holidays: every weekday that is not off passes for a school day."
    assert [gap.text for gap in found if gap.entry in ("days_off", "holidays")] == [told]


def test_a_label_of_the_profile_that_no_programme_has_is_named():
    profile = Profile.from_toml(
        'me = 1\n[school]\nclass_due = "16:00"\nhomeroom_due = "08:45"\nexcused_code = 13\n[school.kinds]\nTripp = "out"'
    )
    found = gaps(profile, programs={"myp": view(profile, "myp", OWN_LABELS[1:2])}, calendars={"myp": True})
    assert Gap("kinds", "kinds names 'tripp', which is no label of the school's.") in found


def test_labels_that_the_system_does_not_tell_and_a_code_that_nobody_can_take_are_named():
    profile = Profile.from_toml(
        "[school]\nexcused_code = 13\nclass_due_minutes = 20\n[programs.dp]\nexcused_code = 'Leave'"
    )
    programs = {"myp": view(profile, "myp", [(13, "Excused", False)]), "dp": view(profile, "dp", [])}
    texts = [gap.text for gap in gaps(profile, programs=programs, calendars={"myp": True, "dp": True})]
    assert texts == snapshot(
        [
            "When homeroom is due is not set: today a register not taken may only be not yet taken.",
            "class_due_minutes is set without period_starts: when a class register is due is not known.",
            "The code for excused, 'Excused' (code 13), is disabled in the school's system.",
            "The code for excused, 'leave', is the label of no code, or of two.",
            "No advisor is named as 'me': 'my homeroom' can't be asked for.",
        ]
    )
    assert gaps(Profile(), programs={"myp": Labels.of(None)}, calendars={"myp": True})[0] == snapshot(
        Gap(
            entry="kinds",
            text="The school's system doesn't tell its labels: a mark worded otherwise than the vendor does has no kind.",
            programs=("myp",),
        )
    )


def test_a_code_for_excused_whose_label_counts_as_something_else_is_named():
    profile = Profile.from_toml("[school]\nexcused_code = 16\nkinds = { 'Music lesson' = 'out' }")
    found = gaps(profile, programs={"myp": view(profile, "myp", OWN_LABELS)}, calendars={"myp": True})
    assert "The code for excused, 'Music lesson' (code 16), counts as out by its label's kind." in [
        gap.text for gap in found
    ]
