"""get_school_context and the proposed profile, against the school's own database."""

from __future__ import annotations

import tomllib
from datetime import datetime

import pytest
from click.testing import CliRunner
from inline_snapshot import snapshot

from attendance_mcp.cli import main
from attendance_mcp.rules.profile import Profile
from attendance_mcp.sandbox.assumptions import OPTIONAL
from tests.questions.filtered import filtered
from tests.questions.test_absences import PROFILE
from tests.questions.truth import TODAY, VENDOR, labels
from tests.upstream_school import UpstreamSchool

pytestmark = pytest.mark.anyio


def check_terms(facts, school: UpstreamSchool) -> None:
    for programme in facts["programmes"]:
        groups = school.rows(
            "select id, name from year_groups where program_code = :code order by 1", code=programme["code"]
        )
        assert [(int(id), name) for id, name in programme["year_groups"].items()] == groups
        id, name = school.one(
            """select t.id, t.name from terms t join academic_years y on y.id = t.academic_year_id
               where y.program_code = :code and :day between t.starts_on and t.ends_on""",
            code=programme["code"],
            day=TODAY,
        )
        assert programme["term_id"] == id
        assert programme["term"].startswith(f"{name} until ")


async def test_the_school_its_programmes_and_their_terms_are_those_of_the_database(large):
    async with large.client(profile=PROFILE) as ask:
        result = await ask("get_school_context")
    facts = result.structured_content
    check_terms(facts, large)
    assert [programme["code"] for programme in facts["programmes"]] == ["dp", "igcse", "myp", "pyp"]
    assert all(programme["day"].startswith("is a school day") for programme in facts["programmes"])
    assert "rotation day 6" in next(one["day"] for one in facts["programmes"] if one["code"] == "myp")
    assert len(result.content[0].text) < 4_000


@pytest.mark.parametrize("switch", ["unlisted_day=unknown", "archived=also", "extended_off=401"])
async def test_whatever_the_school_does_where_the_contract_is_silent_it_is_told_where_one_is(open_school, switch):
    school = open_school("small", switch)
    async with school.client() as ask:
        facts = await ask.facts("get_school_context")
    check_terms(facts, school)
    assert all(programme["day"].startswith("is a school day") for programme in facts["programmes"])


@pytest.mark.parametrize("part", sorted(OPTIONAL))
async def test_whatever_a_school_lacks_it_is_told_where_one_is(open_school, part):
    school = open_school("small", without={part})
    async with school.client() as ask:
        facts = await ask.facts("get_school_context")
    check_terms(facts, school)
    if part == "calendar":
        assert all(one["day"] == "may be a school day: no calendar says" for one in facts["programmes"])
        assert any("calendar" in gap for gap in facts["gaps"])


async def test_each_label_stands_with_what_it_counts_as(standing):
    async with standing.client() as ask:
        facts = await ask.facts("get_school_context")
    of_code: dict[tuple[int, str], set[str]] = {}
    disabled = {
        (code, status)
        for code, status in standing.rows(
            """select y.program_code, c.status from categories c join academic_years y on y.id = c.academic_year_id
               where c.enabled = 0 and :day between y.starts_on and y.ends_on""",
            day=TODAY,
        )
    }
    for (programme, status), label in labels(standing, TODAY).items():
        if (programme, status) not in disabled:
            of_code.setdefault((status, label), set()).add(programme)
    expected: dict[str, set[str]] = {}
    for (status, label), programmes in of_code.items():
        word, kind = VENDOR.get(status, ("", ""))
        only = "" if len(programmes) == 2 else f" ({', '.join(sorted(programmes))})"
        expected.setdefault(kind if word == label else "unclassified", set()).add(f"{status} {label}{only}")
    assert {kind: set(words) for kind, words in facts["labels"].items()} == expected


async def test_what_the_profile_leaves_open_is_named_and_goes_when_it_is_set(standing):
    async with standing.client() as ask:
        bare = await ask.facts("get_school_context")
    async with standing.client(profile=PROFILE) as ask:
        profiled = await ask.facts("get_school_context")
    assert any("Tardy" in gap for gap in bare["gaps"])
    assert not any("Tardy" in gap for gap in profiled.get("gaps", []))
    assert len(profiled.get("gaps", [])) < len(bare["gaps"])


async def test_it_says_whether_and_how_writes_go(standing):
    async with standing.client() as ask:
        assert "apply_changes" in (await ask.facts("get_school_context"))["writing"]
    async with standing.client(writes="off") as ask:
        assert "off" in (await ask.facts("get_school_context"))["writing"]


async def test_a_day_off_is_said_with_its_programme(open_school):
    school = open_school("small", today=datetime.fromisoformat("2026-11-20T10:30"))  # Friday
    async with school.client() as ask:
        facts = await ask.facts("get_school_context")
    days = {programme["code"]: programme["day"] for programme in facts["programmes"]}
    assert days == {"myp": "is a school day, rotation day 4", "igcse": "is a day off (weekend)"}


async def test_where_one_is_can_be_read_aloud(standing):
    async with standing.client() as ask:
        result = await ask("get_school_context")
    assert result.content[0].text == snapshot("""\
Larkfield Community School. Today is Tue 2026-11-24, 10:30 (Asia/Singapore).
Cambridge IGCSE (igcse): today is a school day; Term 2 until Thu 2027-02-25, term id 32026012; then Term 3 from Fri 2027-02-26. Year groups: Grade 9 22400031, Grade 10 22400044.
IB Middle Years (myp): today is a school day, rotation day 6; Term 2 until Fri 2026-12-18, term id 32026002; then Term 3 from Wed 2027-01-06. Year groups: Grade 7 22400005, Grade 8 22400018.
What marks count as (code and label):
absent: 0 Absent
present: 1 Present, 3 Dress Code (igcse)
late: 2 Late (igcse), 4 Late & Dress Code (myp)
unclassified: 2 Tardy (myp), 3 Present online (myp), 4 Late (igcse), 15 Study leave (igcse), 15 School event (myp), 16 Mock exam (igcse)
left: 5 Dismissed
health: 10 Health
out: 11 Sports, 12 Fieldtrip
excused: 13 Excused
other: 14 Other
Not set in the school profile:
- 'Late' (code 4) has no kind: its marks are counted apart and never proposed (igcse).
- 'Study leave' (code 15) has no kind: its marks are counted apart and never proposed (igcse).
- 'Mock exam' (code 16) has no kind: its marks are counted apart and never proposed (igcse).
- 'Tardy' (code 2) has no kind: its marks are counted apart and never proposed (myp).
- 'Present online' (code 3) has no kind: its marks are counted apart and never proposed (myp).
- 'School event' (code 15) has no kind: its marks are counted apart and never proposed (myp).
- When homeroom is due is not set: today a register not taken may only be not yet taken.
- When class registers are due is not set: today a register not taken may only be not yet taken.
- The school's code for excused is not set: an absence with an excusal is never said to lack it.
- No advisor is named as 'me': 'my homeroom' can't be asked for.
- Whether the school's system tells parents of an absence is not known.
Writing is on, in two steps: a writing tool answers a plan; apply_changes carries it out once the person agrees.\
""")
    assert result.structured_content == snapshot(
        {
            "school": "Larkfield Community School",
            "today": "Tue 2026-11-24",
            "time": "10:30",
            "zone": "Asia/Singapore",
            "programmes": [
                {
                    "name": "Cambridge IGCSE",
                    "code": "igcse",
                    "year_groups": {"22400031": "Grade 9", "22400044": "Grade 10"},
                    "day": "is a school day",
                    "term": "Term 2 until Thu 2027-02-25",
                    "term_id": 32026012,
                    "next_term": "Term 3 from Fri 2027-02-26",
                },
                {
                    "name": "IB Middle Years",
                    "code": "myp",
                    "year_groups": {"22400005": "Grade 7", "22400018": "Grade 8"},
                    "day": "is a school day, rotation day 6",
                    "term": "Term 2 until Fri 2026-12-18",
                    "term_id": 32026002,
                    "next_term": "Term 3 from Wed 2027-01-06",
                },
            ],
            "labels": {
                "absent": ["0 Absent"],
                "present": ["1 Present", "3 Dress Code (igcse)"],
                "late": ["2 Late (igcse)", "4 Late & Dress Code (myp)"],
                "unclassified": [
                    "2 Tardy (myp)",
                    "3 Present online (myp)",
                    "4 Late (igcse)",
                    "15 Study leave (igcse)",
                    "15 School event (myp)",
                    "16 Mock exam (igcse)",
                ],
                "left": ["5 Dismissed"],
                "health": ["10 Health"],
                "out": ["11 Sports", "12 Fieldtrip"],
                "excused": ["13 Excused"],
                "other": ["14 Other"],
            },
            "gaps": [
                "'Late' (code 4) has no kind: its marks are counted apart and never proposed (igcse).",
                "'Study leave' (code 15) has no kind: its marks are counted apart and never proposed (igcse).",
                "'Mock exam' (code 16) has no kind: its marks are counted apart and never proposed (igcse).",
                "'Tardy' (code 2) has no kind: its marks are counted apart and never proposed (myp).",
                "'Present online' (code 3) has no kind: its marks are counted apart and never proposed (myp).",
                "'School event' (code 15) has no kind: its marks are counted apart and never proposed (myp).",
                "When homeroom is due is not set: today a register not taken may only be not yet taken.",
                "When class registers are due is not set: today a register not taken may only be not yet taken.",
                "The school's code for excused is not set: an absence with an excusal is never said to lack it.",
                "No advisor is named as 'me': 'my homeroom' can't be asked for.",
                "Whether the school's system tells parents of an absence is not known.",
            ],
            "writing": "Writing is on, in two steps: a writing tool answers a plan; apply_changes carries it out once the person agrees.",
        }
    )


# --- doctor --learn ---


def learned(school: UpstreamSchool, **settings) -> str:
    done = CliRunner().invoke(main, ["doctor", "--learn"], env=school.environment(**settings))
    assert done.exit_code == 0, done.output
    return done.output


def test_the_proposed_profile_is_read_alone_and_can_be_used_as_it_is(open_school):
    school = open_school("school")
    text = learned(school)
    profile = Profile.from_toml(text)
    assert {code: profile.program(code).keeps_homeroom for code in ("pyp", "myp", "igcse", "dp")} == {
        "pyp": None,
        "myp": None,
        "igcse": None,
        "dp": False,
    }
    assert not school.writes
    assert all(f'"{label}"' in text for label in ("Tardy", "Study leave", "University visit", "Exam leave"))
    names = [name for (name,) in school.rows("select last_name from students union select last_name from teachers")]
    assert not [name for name in names if len(name) > 4 and name in text]


def test_a_guess_is_a_question_and_sets_nothing(standing):
    written = tomllib.loads(learned(standing))
    assert "kinds" not in str({code: own for code, own in written["programs"].items() if own.get("kinds")})
    assert written["school"] == {"excused_code": 13}


def test_without_a_calendar_the_days_off_are_asked_for(open_school):
    text = learned(open_school("small", without={"calendar", "categories"}))
    assert text.count("# days_off = ") == 2
    Profile.from_toml(text)


def test_where_totals_can_not_be_read_nothing_is_said_of_homeroom(standing):
    with filtered(standing, **{"/homeroom/attendance/term/": 403}) as way:
        text = learned(standing, api_url=way.url)
    assert "keeps_homeroom" not in text
