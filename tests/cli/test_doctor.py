"""`attendance-mcp doctor`: what works in a school and what doesn't, each line with what to do."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from starlette.responses import JSONResponse

from attendance_mcp import sandbox
from tests.api.upstream import serve
from tests.questions.filtered import filtered
from tests.upstream_school import TOKEN, UpstreamSchool

from .shell import command

PROFILE = Path(sandbox.__file__).with_name("school.toml")


def doctor(school: UpstreamSchool, *arguments: str, **settings: str):
    return command("doctor", *arguments, settings=school.environment(**settings))


def findings(school: UpstreamSchool, **settings: str) -> dict[str, tuple[str, str]]:
    """The state and the words of each finding."""
    done = doctor(school, "--json", **settings)
    return {one["about"]: (one["state"], one["words"]) for one in json.loads(done.stdout)}


def of_state(found: dict[str, tuple[str, str]], state: str) -> list[str]:
    return [about for about, (its, _) in found.items() if its == state]


def test_with_the_demo_nothing_is_wrong(tmp_path):
    done = command("doctor", "--demo", settings={"ATTENDANCE_STORE": str(tmp_path / "plans.db")})
    assert done.exit_code == 0
    assert "wrong" not in done.stdout
    assert done.stdout.startswith("good     settings: Demo school: invented people, no token is used.\n")


def test_a_school_that_works_is_told_line_by_line_and_nothing_is_written(school):
    done = doctor(school)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[2:13] == snapshot(
        [
            "good     school's system: It answers, and the token is accepted.",
            "good     get_class_term_attendance: It can be read.",
            "good     get_class_attendance: It can be read.",
            "good     get_class_timetable: It can be read.",
            "good     list_excusals: It can be read.",
            "good     get_homeroom_term_attendance: It can be read.",
            "good     get_homeroom_attendance: It can be read.",
            "good     get_homeroom_adjustments: It can be read.",
            "good     list_student_excusals: It can be read.",
            "good     operations that write: Can't be told without writing: set_class_attendance, create_excusal, update_excusal, delete_excusal, set_homeroom_attendance.",
            "good     permissions: The token has 30 permissions.",
        ]
    )
    assert school.writes == []
    assert not any(name in done.stdout for (name,) in school.rows("select last_name from students"))


def test_a_token_that_is_refused_is_wrong_and_ends_the_look_with_status_1(school):
    done = doctor(school, api_token="another-token")
    assert done.exit_code == 1
    assert "\nwrong    token: The school's API does not allow get_school with this token (401)" in done.stdout
    assert "another-token" not in done.stdout + done.stderr


def test_a_school_that_can_not_be_reached_is_wrong_and_says_what_to_look_at(school):
    done = doctor(school, api_url="http://127.0.0.1:9", connect_timeout="0.5")
    assert done.exit_code == 1
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("wrong")]
    assert line.endswith("Check ATTENDANCE_API_URL, the network and the proxy.")


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps no such bits")
@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, True)])
def test_a_token_file_that_others_can_read_is_a_warning(school, tmp_path, mode, warned):
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(mode)
    found = findings(school, api_token="", api_token_file=str(file))
    assert ("token" in of_state(found, "warning")) is warned
    assert not warned or "can be read by other users" in found["token"][1]


def test_what_a_school_does_not_offer_and_what_is_not_set_is_a_warning(open_school):
    school = open_school("small", without={"calendar", "permissions"})
    found = findings(school, approval="token")
    assert {"token", "approval"} <= set(of_state(found, "warning"))
    assert any(about.startswith("profile: ") for about in of_state(found, "warning"))
    assert found["permissions"] == ("good", "This school's system doesn't tell what the token may do.")
    assert of_state(found, "wrong") == []


def test_a_token_that_may_write_where_writing_is_off_is_a_warning(school):
    state, words = findings(school, writes="off")["permissions"]
    assert state == "warning"
    assert words.startswith("The token may write (")
    assert findings(school)["permissions"][0] == "good"


def test_a_store_that_can_not_be_used_is_wrong(school, tmp_path):
    (tmp_path / "a-file").write_text("")
    done = doctor(school, store=str(tmp_path / "a-file" / "plans.db"))
    assert done.exit_code == 1
    assert "\nwrong    store: The store of plans and changes can't be used" in done.stdout
    elsewhere = doctor(school, store="postgresql://office:a-password@database:none/plans")
    assert elsewhere.exit_code == 1
    assert (
        "\nwrong    store: The address of the store is no postgresql://user:password@host/database" in elsewhere.stdout
    )
    assert "a-password" not in elsewhere.output


@pytest.mark.parametrize(
    "text", ['{"mcpServers": {"school": {"command": "/opt/bin/attendance-mcp"}}}', "no json", "[]"]
)
def test_an_assistant_that_is_set_up_is_found_by_its_configuration(school, monkeypatch, tmp_path, text):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    place = tmp_path / "config" / "Claude" / "claude_desktop_config.json"
    place.parent.mkdir(parents=True)
    Path(place).write_text(text)
    told = findings(school)["assistants"]
    expected = ("good", "Set up in Claude Desktop: school.")
    nobody = ("warning", "No assistant on this machine is set up with this server.")
    assert told == (expected if "school" in text else nobody)


def test_each_operation_that_can_not_be_used_is_told_with_what_is_wrong_about_it(same_school):
    with filtered(same_school, **{"students/excusals": 404, "adjustments": 403, "timetable": 500}) as way:
        done = doctor(same_school, "--json", api_url=way.url, timezone="")
    found = {one["about"]: (one["state"], one["words"], one["do"]) for one in json.loads(done.stdout)}
    names = ("list_excusals", "get_homeroom_adjustments", "get_class_timetable")
    assert {name: found[name] for name in names} == snapshot(
        {
            "list_excusals": ("warning", "The school's system knows no such record.", ""),
            "get_homeroom_adjustments": (
                "warning",
                "The school's API does not allow get_homeroom_adjustments with this token (403): the token may be wrong, its permissions may not cover this, or the school's Extended APIs package may be off. Ask whoever manages the school's API tokens.",
                "",
            ),
            "get_class_timetable": ("wrong", "The school's API is out of order (500). Try again later.", ""),
        }
    )
    assert found["time zone"][::2] == ("warning", "Set ATTENDANCE_TIMEZONE to the school's.")
    assert done.exit_code == 1


def test_what_there_is_nothing_to_try_with_is_not_tried(same_school):
    holidays = of_state(findings(same_school, today="2027-07-20T10:30"), "warning")
    assert [about for about in holidays if about.startswith("get_")] == snapshot(
        ["get_class_term_attendance", "get_homeroom_term_attendance", "get_homeroom_adjustments"]
    )
    with filtered(same_school) as way:
        way.altered = {
            "/v2p1/year-groups": lambda answer: answer["year_groups"].clear(),
            "/v2p1/classes": lambda answer: answer["classes"].clear(),
        }
        empty = findings(same_school, api_url=way.url)
    assert [about for about in of_state(empty, "warning") if about.startswith(("get_", "list_"))] == snapshot(
        [
            "get_class_term_attendance",
            "get_class_attendance",
            "get_class_timetable",
            "get_homeroom_term_attendance",
            "get_homeroom_attendance",
            "get_homeroom_adjustments",
            "list_student_excusals",
        ]
    )
    assert of_state(empty, "wrong") == []


def test_with_a_profile_that_says_it_all_nothing_is_left_open(same_school, tmp_path):
    own = [line for line in PROFILE.read_text("utf-8").splitlines() if "Left early" not in line and "visit" not in line]
    profile = tmp_path / "school.toml"
    profile.write_text("\n".join(['me = "Theresa Löwenstein"', 'timezone = "Asia/Singapore"', *own]), "utf-8")
    told = {"profile": str(profile), "timezone": "", "writes": "off"}
    done = doctor(same_school, "--json", **told)
    found = {one["about"]: (one["state"], one["words"]) for one in json.loads(done.stdout)}
    assert found["profile"] == ("good", "Nothing that matters is left open.")
    assert found["time zone"] == ("good", "It is Tue 2026-11-24, 10:30 (Asia/Singapore).")
    asked = command("call", "get_school_context", "{}", settings=same_school.environment(**told))
    assert "Not set in the school profile" not in asked.stdout


def test_a_school_that_breaks_off_in_the_middle_of_the_look_is_wrong(same_school):
    with filtered(same_school, **{"year-groups": 500}) as way:
        found = findings(same_school, api_url=way.url)
    assert found["school's system"] == ("wrong", "The school's API is out of order (500). Try again later.")
    assert found["store"][0] == "good"


def test_a_certificate_that_is_not_trusted_is_told_with_its_issuer(school, certificates):
    answer = JSONResponse({"school": {"name": "Harbour School"}})
    with serve(answer, ssl_certfile=certificates.server, ssl_keyfile=certificates.key) as port:
        done = doctor(school, api_url=f"https://127.0.0.1:{port}")
    assert done.exit_code == 1
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("wrong")]
    assert line == snapshot(
        "wrong    school's system: The certificate of the school's API is not trusted by this machine. Ask whoever manages it. It was signed by “Harbour School's own authority”. Where a filter of the network opens TLS, its certificate authority must be in this machine's own store: ask whoever manages the network."
    )


def test_a_group_of_the_policy_that_the_school_does_not_have_is_a_warning(school, tmp_path):
    policy = tmp_path / "policy.toml"
    sign_in = {"oidc_issuer": "https://login.school.example", "public_url": "https://attendance.school.example"}
    allow = '[[allow]]\nclaim = "groups"\nvalue = "staff"\nread.year_groups = ["Grade 8"{}]\nwrite.classes = ["Sciences 8"]\n'
    policy.write_text(allow.format(""))
    found = findings(school, policy=str(policy), **sign_in)
    assert found["policy"] == ("good", "Every group that it names is one of the school's.")
    policy.write_text(allow.format(', "Grade 88"'))
    found = findings(school, policy=str(policy), **sign_in)
    assert found["policy: year group 'Grade 88'"] == (
        "warning",
        "The school has no such group, or several: it grants nothing.",
    )
    assert "policy" not in found
