"""What the command says where it can't start: one clear line on stderr, status 2, nothing on stdout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import Result
from inline_snapshot import snapshot

from tests.server.process import Wire, run, running
from tests.upstream_school import TOKEN, UpstreamSchool

from .shell import command

NO_TOKEN = (
    "attendance-mcp: There is no token for the school's API. `attendance-mcp install` sets an assistant up; or set "
    "ATTENDANCE_API_TOKEN_FILE to a file that holds it, or ATTENDANCE_API_TOKEN to the token itself; or try the server "
    "on an invented school with --demo.\n"
)
READABLE = (
    "attendance-mcp: The file of ATTENDANCE_API_TOKEN_FILE can be read by other users of this machine; "
    "chmod 600 mends it.\n"
)


def started(*arguments: str, **settings: str) -> Result:
    names = {f"ATTENDANCE_{name.upper()}": value for name, value in settings.items()}
    return command(*arguments, settings=names)


def test_without_a_token_a_process_says_how_to_set_one_or_to_try_the_demo():
    done = run()
    assert (done.returncode, done.stdout, done.stderr) == (2, "", NO_TOKEN)


@pytest.mark.parametrize(
    "arguments", [["serve"], ["serve", "--http"], ["call", "list_absences"], ["doctor"], ["doctor", "--learn"]]
)
def test_without_a_token_no_command_that_reads_a_school_begins(arguments):
    done = started(*arguments)
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", NO_TOKEN)


def test_each_wrong_setting_is_a_clear_line(tmp_path):
    wrong = {
        "api_url": {"api_url": "http://api.school.example"},
        "api_url with a path": {"api_url": "https://api.school.example/v2p1?x=1"},
        "rate": {"rate": "0"},
        "writes": {"writes": "yes"},
        "timezone": {"timezone": "Mars/Base"},
        "today": {"today": "2026-02-30"},
        "a misspelt name": {"api_tokn": "x"},
        "two tokens": {"api_token_file": str(tmp_path / "token")},
        "a token of two lines": {"api_token": "one\ntwo"},
        "two wrong ones": {"rate": "fast", "approval": "never"},
        "store": {"store": "mysql://school"},
        "profile": {"profile": str(tmp_path / "none.toml")},
    }
    said = {}
    for name, settings in wrong.items():
        done = started("call", "list_absences", **{"api_token": "a-token", **settings})
        assert (done.exit_code, done.stdout) == (2, ""), name
        said[name] = [line.removeprefix("attendance-mcp: ") for line in done.stderr.splitlines()]
    assert said == snapshot(
        {
            "api_url": ["ATTENDANCE_API_URL: must begin with https://, or the token could be read on its way"],
            "api_url with a path": ["ATTENDANCE_API_URL: must end after the host, such as https://api.managebac.com"],
            "rate": ["ATTENDANCE_RATE: Input should be greater than 0"],
            "writes": ["ATTENDANCE_WRITES: Input should be 'confirm' or 'off'"],
            "timezone": ["ATTENDANCE_TIMEZONE: is no time zone; give one such as Asia/Singapore or Europe/Vienna"],
            "today": ["ATTENDANCE_TODAY: there is no such day or time"],
            "a misspelt name": ["ATTENDANCE_API_TOKN is no setting; did you mean ATTENDANCE_API_TOKEN?"],
            "two tokens": ["ATTENDANCE_API_TOKEN and ATTENDANCE_API_TOKEN_FILE are both set; keep one of them."],
            "a token of two lines": [
                "What stands in ATTENDANCE_API_TOKEN is no token: one line of letters, digits and signs is expected."
            ],
            "two wrong ones": [
                "ATTENDANCE_APPROVAL: Input should be 'auto', 'human' or 'token'",
                "ATTENDANCE_RATE: Input should be a valid number, unable to parse string as a number",
            ],
            "store": ["ATTENDANCE_STORE: is a file, or postgresql://user:password@host/database"],
            "profile": ["The school profile of ATTENDANCE_PROFILE can't be read: a text file is expected."],
        }
    )


def test_a_token_file_that_is_missing_is_said_without_its_path(tmp_path):
    done = started("serve", api_token_file=str(tmp_path / "canary"))
    assert (done.exit_code, done.stdout) == (2, "")
    assert "ATTENDANCE_API_TOKEN_FILE can't be read" in done.stderr
    assert "canary" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps no such bits")
@pytest.mark.parametrize(("mode", "said"), [(0o600, ""), (0o644, READABLE)])
def test_a_token_file_that_others_can_read_is_warned_of_on_stderr_and_used(school, tmp_path, mode, said):
    settings = in_a_file(school, tmp_path / "canary", mode)
    done = command("call", "find_in_school", '{"names_or_ids": ["Grade 8"]}', settings=settings)
    assert (done.exit_code, done.stderr) == (0, said)
    assert "Grade 8" in done.stdout
    with running("serve", settings=settings) as process:
        Wire(process).begin()
        _, told = process.communicate(timeout=20)
    assert told == said


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps no such bits")
def test_a_token_file_that_others_can_change_is_refused_at_the_start(school, tmp_path):
    done = command("serve", settings=in_a_file(school, tmp_path / "canary", 0o646))
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        "attendance-mcp: The file of ATTENDANCE_API_TOKEN_FILE can be changed by others; chmod 600 mends it.\n"
    )
    assert list(school.log) == []


def test_over_http_the_schools_time_zone_must_be_set(same_school):
    settings = same_school.environment()
    del settings["ATTENDANCE_TIMEZONE"]
    done = command("serve", "--http", settings=settings)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        "attendance-mcp: Over HTTP the school's time zone must be set, since clients may be anywhere: "
        "ATTENDANCE_TIMEZONE.\n"
    )


def in_a_file(school: UpstreamSchool, file: Path, mode: int) -> dict[str, str]:
    """The school's settings with its token in this file."""
    file.write_text(TOKEN)
    file.chmod(mode)
    settings = school.environment(api_token_file=str(file))
    del settings["ATTENDANCE_API_TOKEN"]
    return settings


def test_the_help_names_every_command():
    done = started("--help")
    assert done.exit_code == 0
    for name in ("serve", "call", "demo", "sandbox", "doctor"):
        assert f"\n  {name} " in done.stdout
