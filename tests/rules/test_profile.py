from datetime import date, time
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from attendance_mcp import rules
from attendance_mcp.errors import AttendanceError
from attendance_mcp.rules.calendar import Holiday
from attendance_mcp.rules.labels import Labels, kind_of
from attendance_mcp.rules.profile import ExcusalRules, Profile, ProfileError, ProgramRules, program_key
from attendance_mcp.rules.rates import RateRule, Side
from attendance_mcp.rules.tables import ExcusalTable, HolidayTable, ProgramTable, RateTable
from attendance_mcp.status import Kind

EXAMPLE = (Path(rules.__file__).parent / "school.example.toml").read_text(encoding="utf-8")


def wrong(text: str) -> list[str]:
    with pytest.raises(ProfileError) as caught:
        Profile.from_toml(text)
    return list(caught.value.problems)


def test_an_empty_file_is_the_safe_default():
    assert Profile.from_toml("") == Profile()
    assert Profile().program("myp") == ProgramRules()
    assert Profile().kinds(None) == {}


def test_the_example_is_a_profile_that_names_every_entry():
    profile = Profile.from_toml(EXAMPLE)
    assert profile.model_fields_set == set(Profile.model_fields)
    assert profile.school.model_fields_set | profile.programs["dp"].model_fields_set == set(ProgramTable.model_fields)
    assert profile.school.rate.model_fields_set == set(RateTable.model_fields)
    assert profile.school.excusal_rules.model_fields_set == set(ExcusalTable.model_fields)
    assert profile.school.holidays[1].model_fields_set == set(HolidayTable.model_fields)
    assert profile.school.rate == RateTable()


def test_the_example_means_what_its_comments_say():
    profile = Profile.from_toml(EXAMPLE)
    assert profile.program("dp") == snapshot(
        ProgramRules(
            kinds={15: Kind.OUT, "remote learning": Kind.PRESENT, "music lesson": Kind.OUT, 13: Kind.EXCUSED},
            days_off=frozenset({5, 6}),
            holidays=(
                Holiday(start=date(2026, 10, 12), end=date(2026, 10, 12)),
                Holiday(start=date(2026, 12, 19), end=date(2027, 1, 10), name="Winter break"),
                Holiday(start=date(2027, 4, 26), end=date(2027, 4, 30), name="Study leave"),
            ),
            homeroom_due=time(hour=8, minute=45),
            class_due=time(hour=17),
            period_starts={
                1: time(hour=9),
                2: time(hour=9, minute=50),
                3: time(hour=10, minute=55),
                4: time(hour=11, minute=45),
                5: time(hour=13, minute=20),
                6: time(hour=14, minute=10),
            },
            keeps_homeroom=False,
            excused_code=13,
            excusals=ExcusalRules(max_days=5, counts="school"),
        )
    )
    assert profile.program("myp").rate == RateRule(lates_per_absence=3)
    assert profile.kinds("myp")[16] is Kind.HEALTH
    assert profile.program("arabic").days_off == {4, 5}


def test_a_programme_s_own_entries_go_before_the_school_s():
    profile = Profile.from_toml(
        """
        [school]
        homeroom_due = "08:45"
        days_off = ["Saturday", "Sunday"]
        keeps_homeroom = true
        kinds = { 15 = "out", 16 = "health" }
        rate = { lates_per_absence = 3, left = "away" }
        [programs.myp]
        homeroom_due = 08:30:59.25
        days_off = []
        kinds = { 15 = "absent" }
        rate = { lates_per_absence = 0 }
        """
    )
    assert profile.program("myp") == snapshot(
        ProgramRules(
            kinds={15: Kind.ABSENT, 16: Kind.HEALTH},
            days_off=frozenset(),
            homeroom_due=time(hour=8, minute=30),
            keeps_homeroom=True,
            rate=RateRule(left=Side.AWAY),
        )
    )
    assert profile.program("pyp") == profile.program(None)
    assert profile.kinds("pyp") == {15: Kind.OUT, 16: Kind.HEALTH}


def test_a_programme_that_says_when_its_classes_are_due_has_said_it_whole():
    profile = Profile.from_toml('[school]\nclass_due_minutes = 20\n[programs.dp]\nclass_due = "17:00"')
    assert profile.program("dp").class_due_minutes is None
    assert profile.program("myp").class_due_minutes == 20
    profile = Profile.from_toml('[school]\nclass_due = "17:00"\n[programs.dp]\nclass_due_minutes = 20')
    assert profile.program("dp").class_due is None


@pytest.mark.parametrize("code", ["myp", "MYP", "ib_myp", "ibmyp", "IB MYP"])
def test_a_programme_is_found_by_any_spelling_of_its_code(code):
    assert Profile.from_toml("[programs.ib_myp]\nkeeps_homeroom = false").program(code).keeps_homeroom is False
    assert program_key(code) == "myp"
    assert program_key("ib") == "ib"


def test_a_label_counts_whatever_its_case_and_spaces():
    kinds = Profile.from_toml('[school.kinds]\n"  Remote   LEARNING " = "present"').kinds("dp")
    assert kind_of(15, "Remote learning", kinds) is Kind.PRESENT
    assert kind_of(15, "Trip", kinds) is Kind.UNCLASSIFIED


def test_the_code_for_excused_counts_as_excused():
    labels = [(16, "Authorised", True), (13, "Excused", False)]
    for written in ("16", '"Authorised"', '"16"'):
        own = Profile.from_toml(f"[school]\nexcused_code = {written}").program("dp")
        label = own.excused_label(Labels.of(labels, kinds=own.kinds))
        assert (label.code, label.kind) == (16, Kind.EXCUSED)


def test_a_code_for_excused_that_no_label_or_two_labels_have_is_none():
    rules = Profile.from_toml('[school]\nexcused_code = "Authorised"').program("dp")
    assert rules.excused_label(Labels.of(None)) is None
    assert rules.excused_label(Labels.of([(15, "Authorised", True), (16, "authorised", True)])) is None
    assert ProgramRules().excused_label(Labels.of(None)) is None


def test_every_wrong_place_is_named_at_once_and_in_words():
    assert wrong(
        """
        timezone = "Mars/Base"
        mee = 1
        [school]
        me = "Sofia Lindqvist"
        days_off = ["Sunday", "Caturday"]
        holidays = [2026-10-12, { start = 2026-01-02, end = 2026-01-01 }, "2026-02-30"]
        homeroom_dew = "08:45"
        homeroom_due = "25:00"
        class_due_minutes = "20"
        keeps_homeroom = "yes"
        excused_code = 0
        [school.period_starts]
        first = "09:00"
        [school.rate]
        late = "absent"
        lates_per_absence = -1
        [school.excusal_rules]
        counts = "weekdays"
        max_days = 13
        [programs.myp.kinds]
        15 = "trip"
        """
    ) == snapshot(
        [
            "timezone: 'Mars/Base' is no time zone; write one such as Asia/Singapore",
            "school.days_off (item 2): 'Caturday' is no weekday; the weekdays are Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday",
            "school.holidays (item 2): ends on 2026-01-01, before it starts on 2026-01-02",
            "school.holidays (item 3).start: '2026-02-30' is no day; write it as 2026-12-25",
            "school.homeroom_due: '25:00' is no time of day; write it as \"08:45\"",
            "school.class_due_minutes: '20' is no whole number",
            "school.period_starts.first: 'first' is no period; write its number as the school shows it",
            "school.keeps_homeroom: 'yes' is neither true nor false",
            "school.rate.late: 'absent' is none of attended, away, neither",
            "school.rate.lates_per_absence: -1 is below 0",
            "school.excused_code: 0 can't be the code for excused: it means something else in every school",
            "school.excusal_rules.max_days: 13 is above 12",
            "school.excusal_rules.counts: 'weekdays' is not 'calendar' or 'school'",
            "school.me: stands at the top of the file, above every table",
            "school.homeroom_dew: is no entry; did you mean homeroom_due?",
            "programs.myp.kinds.15: 'trip' is no kind; the kinds are present, late, left, out, excused, health, absent, other",
            "mee: is no entry; did you mean me?",
        ]
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[school]\nkinds = { 99 = 'out' }",
            snapshot(
                "school.kinds: 99 is no code of a mark; the codes are 0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16, 17, 18"
            ),
        ),
        (
            "[school]\nkinds = { 0 = 'late' }",
            snapshot("school.kinds: 0 is absent in every school, not late; leave it out"),
        ),
        (
            "[school]\nkinds = { '-1' = 'absent' }",
            snapshot("school.kinds: -1 is a register that was not taken, and counts as nothing; leave it out"),
        ),
        ("[school]\nkinds = { Trip = 'out', trip = 'late' }", snapshot("school.kinds: 'trip' stands there twice")),
        (
            "[school]\nkinds = { 15 = 'not taken' }",
            snapshot(
                "school.kinds.15: 'not taken' is no kind; the kinds are present, late, left, out, excused, health, absent, other"
            ),
        ),
        (
            "[school]\nrate = { lates_per_absence = 3 }\n[programs.dp.rate]\nlate = 'away'",
            snapshot(
                "programs.dp.rate: lates_per_absence needs late = 'attended', not 'away': late marks would count twice"
            ),
        ),
        (
            "[programs.dp]\nexcused_code = 15\nkinds = { 15 = 'out' }",
            snapshot("programs.dp.excused_code: is 15, but kinds says that this counts as out"),
        ),
        (
            "[programs.myp]\n[programs.ib_myp]",
            snapshot("programs.ib_myp: is the same programme as programs.myp; write one table"),
        ),
        (
            "homeroom_due = '08:45'",
            snapshot("homeroom_due: stands in a table: [school] for every programme, or [programs.CODE]"),
        ),
        ("[school]\ndays_off = 'Sunday'", snapshot("school.days_off: 'Sunday' is no list")),
        ("programs = 3", snapshot("programs: 3 is no table")),
        (
            "[school.excusal_rules]\nzzz = 1",
            snapshot(
                "school.excusal_rules.zzz: is no entry; the entries here are max_days, counts, needs_parent, needs_comment"
            ),
        ),
        ("[school]\nexcused_code = true", "school.excused_code: true is neither a code nor a label"),
        ("me = 0", "me: 0 is no advisor; write an id or a name"),
        ("[school]\nkinds = { ' ' = 'out' }", snapshot("school.kinds: a label without words can't be found")),
        ("[school]\nholidays = [{ end = 2026-01-01 }]", snapshot("school.holidays (item 1).start: is missing")),
        ("[school]\nexcused_code = [13]", snapshot("school.excused_code: [13] is neither a code nor a label")),
        ("me = true", snapshot("me: true is no advisor; write an id or a name")),
        (
            "[school",
            snapshot("it is not valid TOML: Expected ']' at the end of a table declaration (at end of document)"),
        ),
    ],
)
def test_a_wrong_entry_is_told_in_one_line(text, problem):
    assert "; ".join(wrong(text)) == problem


def test_a_code_that_means_the_same_everywhere_may_be_written_down():
    assert Profile.from_toml("[school.kinds]\n0 = 'absent'\n1 = 'present'").kinds("dp")[0] is Kind.ABSENT


def test_days_may_stand_in_quotes_and_spaces_in_a_name_do_not_count():
    profile = Profile.from_toml("""
        me = " Sofia   Lindqvist"
        [school]
        holidays = [" 2026-10-12", { start = "2026-12-19", end = "2027-01-10" }]
        """)
    assert profile.me == "Sofia Lindqvist"
    assert profile.program("dp").holidays == (
        Holiday(date(2026, 10, 12), date(2026, 10, 12)),
        Holiday(date(2026, 12, 19), date(2027, 1, 10)),
    )


def test_a_file_from_a_windows_editor_is_read():
    assert Profile.from_toml("\ufeffme = 4711\r\n").me == 4711


def test_the_error_can_be_shown_as_any_other_of_ours():
    with pytest.raises(AttendanceError, match=r"^The school profile can't be used: me: '' is no advisor"):
        Profile.from_toml("me = ''")
