"""The file of several schools: what of it is refused, and the commands for whoever runs their server."""

from __future__ import annotations

import json
import os
import socket

import anyio
import pytest
from mcp import Client

from attendance_mcp.server import build_schools
from tests.changes.errands import DAY
from tests.http.district import open_district
from tests.upstream_school import Asking

from .shell import command

ISSUER = "https://login.school.example"
GRADE_8 = "select id from students where year_group_id = 22400018 and archived = 0 order by id"
TABLE = 'api_token_file = "token"\ntimezone = "Europe/Vienna"\n'


@pytest.fixture
def district(tmp_path, school_files):
    with open_district(tmp_path, school_files, ISSUER) as district:
        yield district


@pytest.fixture
def taken():
    """A port where nobody can serve: a start that should be refused ends all the same."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        yield str(one.getsockname()[1])


@pytest.fixture
def wrong(tmp_path, taken):
    """What is said of a file of schools, of a policy and of settings beside it."""

    def said(
        schools, policy='[[allow]]\nclaim = "a"\nvalue = "b"\nschools = "every school"\nread = "whole school"\n', **more
    ):
        for name, text in (
            ("schools.toml", schools),
            ("policy.toml", policy),
            ("token", "a-token"),
            ("same", "a-token"),
        ):
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o600)
        given = {"oidc_issuer": ISSUER, "public_url": "https://attendance.school.example", **more}
        settings = {f"ATTENDANCE_{name.upper()}": value for name, value in given.items()}
        files = {f"ATTENDANCE_{name.upper()}": str(tmp_path / f"{name}.toml") for name in ("schools", "policy")}
        done = command("serve", "--http", "--port", taken, settings=settings | files)
        assert done.exit_code == 2
        assert str(tmp_path) not in done.stderr
        return done.stderr.removeprefix("attendance-mcp: ").strip()

    return said


@pytest.mark.parametrize(
    ("schools", "said"),
    [
        ("", "it names no school; [north] begins one."),
        ('api_url = "https://secret.example"', "'api_url' can be no school's name, which is of a-z, 0-9 and -."),
        ("[North]\n" + TABLE, "'North' can be no school's name, which is of a-z, 0-9 and -."),
        ("north = 1", "north is no table; [north] begins one."),
        ("[north]\n" + TABLE + 'api_tokn = "secret"', "north.api_tokn is no key of a school; those are title, api_url, api_version, api_token_file, timezone, profile, rate."),
        ("[north]\n" + TABLE + 'api_token = "secret"', "north.api_token is no key of a school; those are title, api_url, api_version, api_token_file, timezone, profile, rate."),
        ('[north]\napi_token_file = "token"', "north.timezone is missing."),
        ('[north]\ntimezone = "Europe/Vienna"', "north.api_token_file is missing."),
        ("[north]\n" + TABLE.replace("Europe/Vienna", "secret"), "north.timezone: is no time zone; give one such as Asia/Singapore or Europe/Vienna."),
        ("[north]\n" + TABLE + 'api_url = "http://secret.example"', "north.api_url: must begin with https://, or the token could be read on its way."),
        ("[north]\n" + TABLE + "rate = 0", "north.rate: Input should be greater than 0."),
        ("[north]\n" + TABLE + 'title = "a\\nb"', "north.title: one line of at most 80 characters is expected."),
        ("[north]\n" + TABLE + "[south]\n" + TABLE, "north and south have one token file."),
        ("[north]\n" + TABLE + "[south]\n" + TABLE.replace('"token"', '"./x/../token"'), "north and south have one token file."),
        ("[north]\n" + TABLE + "[south]\n" + TABLE.replace('"token"', '"same"'), "north and south have the same token, and are one school."),
        ("[north]\n" + TABLE + "[south]\ntitle = 'North'\n" + TABLE.replace('"token"', '"same"'), "north and south have one title: people could not tell them apart."),
    ],
)  # fmt: skip
def test_a_file_that_is_not_understood_wholly_is_refused_by_school_and_key_without_its_values(wrong, schools, said):
    assert wrong(schools) == f"The file of ATTENDANCE_SCHOOLS can't be used: {said}"
    assert "secret" not in wrong(schools)


def test_what_a_table_names_is_said_by_school_and_key_where_it_cannot_be_used(wrong):
    missing = "[north]\n" + TABLE.replace('"token"', '"nowhere"')
    assert wrong(missing) == (
        "The file of north.api_token_file (ATTENDANCE_SCHOOLS) can't be read: No such file or directory."
    )
    assert wrong("[north]\n" + TABLE + 'profile = "nowhere"') == (
        "The school profile of north.profile (ATTENDANCE_SCHOOLS) can't be read: a text file is expected."
    )
    assert wrong("[north]\n" + TABLE + 'profile = "policy.toml"').startswith(
        "north.profile (ATTENDANCE_SCHOOLS): The school profile can't be used: allow:"
    )
    assert wrong("[north").startswith("The file of ATTENDANCE_SCHOOLS is no TOML: ")


@pytest.mark.parametrize("name", ["api_url", "api_version", "api_token", "api_token_file", "api_token_keyring", "timezone", "profile", "rate"])  # fmt: skip
def test_what_each_school_has_of_its_own_is_not_set_for_all(wrong, name):
    value = {"api_url": "https://a.example", "timezone": "Europe/Vienna", "api_version": "v2p1"}.get(name, "1")
    assert wrong("[north]\n" + TABLE, **{name: value}) == (
        f"ATTENDANCE_{name.upper()} is of one school; with ATTENDANCE_SCHOOLS each has its own, in that file."
    )


def test_a_policy_must_say_of_which_schools_each_rule_is(wrong):
    rule = '[[allow]]\nclaim = "a"\nvalue = "b"\nread = "whole school"\n'
    assert wrong("[north]\n" + TABLE, rule) == (
        "The policy of ATTENDANCE_POLICY can't be used: allow.0.schools: several schools are served, so name them as "
        '["north"], or say "every school".'
    )
    assert wrong("[north]\n" + TABLE, rule + 'schools = ["nroth"]') == (
        "The policy of ATTENDANCE_POLICY can't be used: allow.0.schools: one of them is not in ATTENDANCE_SCHOOLS, which "
        "has north."
    )


def test_the_demo_is_no_school_among_several(wrong):
    assert wrong("[north]\n" + TABLE, demo="1") == "ATTENDANCE_SCHOOLS is set, and the demo is a school of its own."


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps no such bits")
def test_a_file_that_others_can_change_is_refused_since_it_says_where_tokens_go(district):
    (district.folder / "schools.toml").chmod(0o666)
    done = command("doctor", settings=district.environment())
    assert (done.exit_code, done.stdout) == (2, "")
    assert (
        done.stderr == "attendance-mcp: The file of ATTENDANCE_SCHOOLS can be changed by others; chmod 600 mends it.\n"
    )


def test_several_schools_need_sign_in(tmp_path):
    done = command("serve", "--http", settings={"ATTENDANCE_SCHOOLS": str(tmp_path / "schools.toml")})
    assert done.stderr == "attendance-mcp: ATTENDANCE_SCHOOLS needs ATTENDANCE_OIDC_ISSUER too.\n"


@pytest.mark.parametrize(
    "words", [["serve"], ["call", "list_absences"], ["export", "absences"], ["approve"]], ids=lambda words: words[0]
)
def test_a_command_for_one_school_ends_with_a_clear_sentence(district, words):
    done = command(*words, settings=district.environment())
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        "attendance-mcp: ATTENDANCE_SCHOOLS names several schools, which are served over HTTP: attendance-mcp serve "
        "--http. This command is for one school.\n"
    )


# --- doctor ---


def test_doctor_looks_at_each_school_and_goes_on_where_one_has_no_token(district):
    district.token_of("north").unlink()
    policy = district.folder / "policy.toml"
    policy.write_text(
        policy.read_text().replace("Grade 7 Yichen Shen", "Grade 7 Nobody").replace('"counsellors"', '"x"')
    )
    done = command("doctor", "--json", settings=district.environment(writes="confirm"))
    found = json.loads(done.stdout)
    assert done.exit_code == 1
    assert [one for one in found if one["school"] == "north"] == [
        {
            "school": "north",
            "state": "wrong",
            "about": "settings",
            "words": "The file of north.api_token_file (ATTENDANCE_SCHOOLS) can't be read: No such file or directory.",
            "do": "",
        }
    ]
    south = {one["about"]: one["state"] for one in found if one["school"] == "south"}
    assert south["school's system"] == south["store"] == "good"
    assert south["policy: homeroom 'Grade 7 Nobody'"] == "warning"
    assert "assistants" not in south
    assert district.north.writes == district.south.writes == []


def test_doctor_looks_at_the_one_that_is_named_and_names_those_there_are(district):
    policy = district.folder / "policy.toml"
    policy.write_text('[[allow]]\nclaim = "a"\nvalue = "b"\nschools = ["south"]\nread = "whole school"\n')
    district.token_of("north").write_text("withdrawn")
    done = command("doctor", "--school", "north", settings=district.environment())
    first, *lines = done.stdout.splitlines()
    assert first == "North School (north)"
    assert any(line.startswith("wrong    token: ") for line in lines)
    assert "warning  policy: No rule names this school, so that nobody may see anybody." in lines
    assert len(district.south.log) == 0
    for words in (["doctor", "--school", "west"], ["doctor", "--learn"], ["doctor", "--assumptions"]):
        ended = command(*words, settings=district.environment())
        assert ended.exit_code == 2
        assert ended.stderr.endswith("There are: north, south.\n")
    assert command("doctor", "--school", "north", "--demo").stderr == (
        "attendance-mcp: --school is for several schools: ATTENDANCE_SCHOOLS is not set.\n"
    )
    learnt = command("doctor", "--learn", "--school", "south", settings=district.environment())
    assert learnt.exit_code == 0
    assert "[programs." in learnt.stdout


# --- the journal ---


def test_what_is_told_or_erased_of_a_student_is_of_one_school(district):
    student = district.north.one(GRADE_8)[0]
    anyio.run(plan_at_both, district, student)
    env = district.environment()
    for words in (["--export", "--student", str(student)], ["--student", str(student), "--erase", "--yes"]):
        ended = command("changes", *words, settings=env)
        assert (ended.exit_code, ended.stdout) == (2, "")
        assert ended.stderr == (
            "attendance-mcp: There are several schools: --school says which one. There are: north, south.\n"
        )

    def schools(*words):
        lines = command("changes", "--export", *words, settings=env).stdout.splitlines()
        return [json.loads(line)["school"].partition("#")[2] for line in lines]

    assert schools() == ["north", "south"]
    assert schools("--student", str(student), "--school", "south") == schools("--school", "south") == ["south"]
    erased = command("changes", "--student", str(student), "--erase", "--yes", "--school", "north", settings=env)
    assert erased.exit_code == 0, erased.stderr
    assert schools() == ["south"]
    listed = command("changes", "--school", "south", settings=env)
    assert listed.exit_code == 0


async def plan_at_both(district, student):
    """A plan for the same id at each school, as one local caller's."""
    for server in build_schools(district.settings(writes="confirm", approval="token")):
        async with Client(server) as client:
            await Asking(client).facts("set_homeroom_attendance", student_id=student, date=DAY, status=2)
