"""`attendance-mcp install`: an assistant is set up, nothing of its file is lost, and the token stands in none."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from attendance_mcp.cli import main
from attendance_mcp.commands.hosts import hosts
from attendance_mcp.errors import SettingsError
from attendance_mcp.settings import Settings
from tests.measured import measured
from tests.upstream_school import TOKEN, UpstreamSchool

ZONE = "Europe/Vienna"


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def place(home: Path, client: str) -> Path:
    return {
        "claude-desktop": home / "config" / "Claude" / "claude_desktop_config.json",
        "claude-code": home / ".claude.json",
        "vscode": home / "config" / "Code" / "User" / "mcp.json",
    }[client]


def install(*arguments: str, typed: str = "") -> Result:
    done = CliRunner().invoke(main, ["install", *arguments], input=typed)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def everything_in(folder: Path) -> str:
    return "".join(path.read_text("utf-8") for path in folder.rglob("*.json*") if path.is_file())


@pytest.mark.parametrize(
    ("client", "key"), [("claude-desktop", "mcpServers"), ("claude-code", "mcpServers"), ("vscode", "servers")]
)
def test_a_person_is_asked_and_the_token_lands_in_a_file_of_theirs_alone(home, client, key):
    done = install("--client", client, typed=f"\n{TOKEN}\n{ZONE}\noff\nminimal\ny\n")
    assert done.exit_code == 0, done.output
    entry = json.loads(place(home, client).read_text())[key]["attendance"]
    token = home / "config" / "attendance-mcp" / "token"
    assert entry["env"] == {
        "ATTENDANCE_API_URL": "https://api.managebac.com",
        "ATTENDANCE_API_TOKEN_FILE": str(token),
        "ATTENDANCE_TIMEZONE": ZONE,
        "ATTENDANCE_WRITES": "off",
        "ATTENDANCE_PRIVACY": "minimal",
    }
    assert token.read_text() == f"{TOKEN}\n"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert TOKEN not in done.output + everything_in(home)


def test_what_else_stands_in_the_file_stays_and_the_file_as_it_was_is_kept(home):
    file = place(home, "claude-desktop")
    file.parent.mkdir(parents=True)
    before = {"theme": "dark", "mcpServers": {"files": {"command": "files"}, "attendance": {"command": "old"}}}
    file.write_text(json.dumps(before))
    done = install("--client", "claude-desktop", "--demo", typed="y\n")
    after = json.loads(file.read_text())
    assert after["theme"] == "dark" and after["mcpServers"]["files"] == {"command": "files"}
    assert after["mcpServers"]["attendance"]["args"][-2:] == ["serve", "--demo"]
    (kept,) = file.parent.glob("*.bak")
    assert json.loads(kept.read_text()) == before
    assert '-      "command": "old"' in done.output and "+" in done.output
    assert install("--client", "claude-desktop", "--demo").output.endswith("Its configuration was not changed.\n")


def test_a_file_of_its_users_alone_stays_so_and_so_is_what_is_kept_of_it(home):
    file = place(home, "claude-code")
    file.write_text('{"mcpServers": {"other": {"command": "other", "env": {"KEY": "a secret"}}}}')
    file.chmod(0o600)
    install("--client", "claude-code", "--demo", "--yes")
    (kept,) = home.glob("*.bak")
    assert [stat.S_IMODE(one.stat().st_mode) for one in (file, kept)] == [0o600, 0o600]


def test_a_no_changes_nothing(home):
    done = install("--client", "vscode", "--demo", typed="n\n")
    assert (done.exit_code, place(home, "vscode").exists()) == (2, False)


def test_a_new_token_takes_the_place_of_the_old_one_where_all_else_stays(home):
    install("--client", "claude-code", typed=f"\nanother-token\n{ZONE}\noff\nminimal\ny\n")
    done = install("--client", "claude-code", typed=f"\n{TOKEN}\n{ZONE}\noff\nminimal\n")
    assert (home / "config" / "attendance-mcp" / "token").read_text() == f"{TOKEN}\n"
    assert done.output.endswith("Claude Code is set up like this already. Its configuration was not changed.\n")


@pytest.mark.parametrize("text", ["// settings\n{}", "[]", '{"mcpServers": []}', "{"])
def test_a_file_that_is_not_understood_is_not_written_over(home, text):
    file = place(home, "claude-desktop")
    file.parent.mkdir(parents=True)
    file.write_text(text)
    done = install("--client", "claude-desktop", "--demo", "--yes")
    assert (done.exit_code, file.read_text()) == (2, text)
    assert "so it is not written over" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--timezone", "Mars/Olympus", "--token-file", "{token}"), "--timezone is no time zone"),
        (("--api-url", "http://school.example", "--token-file", "{token}"), "--api-url must begin with https://"),
        (("--token-file", "{token}.not"), "There is no file "),
        (("--connect", "http://school.example", "--client-id", "laptop"), "--connect must begin with https://"),
        (("--connect", "https://school.example"), "--connect needs --client-id too"),
        (
            ("--connect", "https://a.example", "--client-id", "b", "--client-secret-file", "{token}.not"),
            "There is no file ",
        ),
        ((), "With --yes the token's place must be given"),
    ],
)
def test_what_can_not_be_set_up_is_said_and_nothing_is_changed(home, arguments, told):
    token = home / "token"
    token.write_text(TOKEN)
    given = [argument.replace("{token}", str(token)) for argument in arguments]
    done = install("--client", "vscode", "--yes", *given)
    assert done.exit_code == 2
    assert told in done.stderr and "Nothing was changed." in done.stderr
    assert not place(home, "vscode").exists()


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://attendance.school.example/mcp", "https://attendance.school.example"),
        ("https://attendance.school.example/mcp/north", "https://attendance.school.example/mcp/north"),
    ],
)
def test_a_schools_own_server_is_set_up_without_any_token(home, given, url):
    (home / "secret").write_text("of a desktop client")
    for more in ([], ["--client-secret-file", str(home / "secret")]):
        written = ["connect", url, "--client-id", "laptop", *more]
        done = install("--client", "claude-desktop", "--yes", "--connect", given, "--client-id", "laptop", *more)
        assert done.exit_code == 0, done.output
        entry = json.loads(place(home, "claude-desktop").read_text())["mcpServers"]["attendance"]
        assert entry["args"][-len(written) :] == written
        assert "env" not in entry


def test_a_token_that_can_be_none_is_not_kept(home):
    done = install("--client", "vscode", typed="\ntwo words\n")
    assert done.exit_code == 2
    assert "two words" not in done.output
    assert not (home / "config" / "attendance-mcp").exists()


def test_a_configuration_that_can_not_be_read_is_not_written_over(home):
    place(home, "claude-desktop").mkdir(parents=True)
    done = install("--client", "claude-desktop", "--demo", "--yes")
    assert done.exit_code == 2
    assert done.output == f"attendance-mcp: {place(home, 'claude-desktop')} can't be read. Nothing was changed.\n"


def test_a_configuration_that_can_not_be_written_is_as_it_was(home):
    own = place(home, "claude-desktop")
    own.parent.mkdir(parents=True)
    own.write_text("{}")
    own.with_name(f"{own.name}.new").mkdir()
    done = install("--client", "claude-desktop", "--demo", "--yes")
    assert (done.exit_code, own.read_text()) == (2, "{}")
    assert done.output.splitlines()[-1].startswith(f"attendance-mcp: {own} can't be written: ")
    assert done.output.endswith(". It is as it was.\n")


@pytest.mark.anyio
async def test_what_is_installed_starts_a_server_over_the_school(home, same_school: UpstreamSchool):
    token = home / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    done = install("--client", "claude-code", "--yes", "--token-file", str(token), "--timezone", "Asia/Singapore",
                   "--api-url", same_school.url)  # fmt: skip
    assert done.exit_code == 0, done.output
    entry = json.loads(place(home, "claude-code").read_text())["mcpServers"]["attendance"]
    today = {"ATTENDANCE_TODAY": "2026-11-24", "HOME": os.environ["HOME"]}
    server = StdioServerParameters(command=entry["command"], args=entry["args"], env=entry["env"] | today | measured())
    async with Client(stdio_client(server)) as client:
        told = await client.call_tool("get_school_context", {})
    assert not told.is_error


def test_the_keyring_holds_the_token_and_the_settings_name_it(home, monkeypatch):
    keyring = pytest.importorskip("keyring")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyrings.alt.file.PlaintextKeyring")
    keyring.core.init_backend()
    done = install("--client", "vscode", "--keyring", typed=f"\n{TOKEN}\n{ZONE}\n\n\ny\n")
    assert done.exit_code == 0, done.output
    env = json.loads(place(home, "vscode").read_text())["servers"]["attendance"]["env"]
    assert env["ATTENDANCE_API_TOKEN_KEYRING"] == "token" and "ATTENDANCE_API_TOKEN_FILE" not in env
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert Settings().token() == TOKEN
    assert TOKEN not in done.output + everything_in(home)


MISSING = "attendance-mcp[keyring]"
UNUSABLE = "keyring can't be used; leave --keyring out"


@pytest.fixture(params=["not installed", "out of reach"])
def no_keyring(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A machine without the package, or one whose keyring can't be opened, as under cron."""
    keyring = pytest.importorskip("keyring")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    keyring.core.init_backend()
    if request.param == "not installed":
        monkeypatch.setitem(sys.modules, "keyring", None)
    yield request.param
    monkeypatch.undo()
    keyring.core.init_backend()


def test_without_a_keyring_the_token_goes_nowhere_and_nothing_is_changed(home, no_keyring):
    done = install("--client", "vscode", "--keyring", typed=f"\n{TOKEN}\n{ZONE}\n\n\ny\n")
    assert done.exit_code == 2
    assert (MISSING if no_keyring == "not installed" else UNUSABLE) in done.output
    assert done.output.endswith("Nothing was changed.\n")
    assert TOKEN not in done.output
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_a_token_in_a_keyring_that_is_not_there_is_an_error_that_says_which(no_keyring):
    told = {
        "not installed": "ATTENDANCE_API_TOKEN_KEYRING needs one more package: attendance-mcp[keyring].",
        "out of reach": "The keyring of ATTENDANCE_API_TOKEN_KEYRING can't be opened.",
    }
    with pytest.raises(SettingsError) as error:
        Settings(api_token_keyring="token").token()
    assert str(error.value) == told[no_keyring]


@pytest.mark.parametrize(
    ("system", "settings"),
    [("darwin", "Library/Application Support"), ("win32", "AppData/Roaming"), ("linux", "config")],
)
def test_each_system_keeps_the_settings_of_assistants_where_its_own_are(home, monkeypatch, system, settings):
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.delenv("APPDATA", raising=False)
    assert [host.path for host in hosts()] == [
        home / settings / "Claude" / "claude_desktop_config.json",
        home / ".claude.json",
        home / settings / "Code" / "User" / "mcp.json",
    ]
