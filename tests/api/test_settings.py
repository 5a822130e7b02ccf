"""The settings: read from the environment, checked in clear words, and silent about the token."""

from __future__ import annotations

import os
import stat
from datetime import date, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from attendance_mcp.errors import SettingsError
from attendance_mcp.settings import Settings, checked_origin, data_folder, explain

SECRET = "canary-5f1d9c-token"


def wrong(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    for name, value in variables.items():
        monkeypatch.setenv(f"ATTENDANCE_{name}", value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert SECRET not in str(caught.value)
    lines = explain(caught.value)
    assert SECRET not in "".join(lines)
    return lines


def test_every_setting_has_a_default_but_the_token() -> None:
    settings = Settings()
    assert (settings.api_url, settings.api_version) == ("https://api.managebac.com", "v2p1")
    assert (settings.rate, settings.connect_timeout, settings.read_timeout, settings.deadline) == (20, 3, 10, 25)
    assert (settings.confirmation_minutes, settings.ask_seconds) == (60, 45)
    assert (settings.approval, settings.privacy, settings.store, settings.profile) == ("auto", "names", None, None)
    assert (settings.today, settings.zone, settings.demo, settings.has_token) == (None, None, False, False)
    with pytest.raises(SettingsError, match=r"ATTENDANCE_API_TOKEN.*--demo"):
        settings.token()


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTENDANCE_API_TOKEN", "")
    monkeypatch.setenv("ATTENDANCE_RATE", "")
    assert not Settings().has_token


@pytest.mark.parametrize(
    ("value", "stdio", "http"), [(None, True, False), ("confirm", True, True), ("off", False, False)]
)
def test_writes_are_on_over_stdio_and_off_over_http_unless_set(
    value: str | None, stdio: bool, http: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value:
        monkeypatch.setenv("ATTENDANCE_WRITES", value)
    settings = Settings()
    assert (settings.writes_on(http=False), settings.writes_on(http=True)) == (stdio, http)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.managebac.cn/", "https://api.managebac.cn"),
        ("HTTPS://API.school.example:8443", "https://api.school.example:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_address_is_cut_to_its_origin(url: str, origin: str) -> None:
    assert checked_origin(url) == origin


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("API_URL", "http://api.school.example", "must begin with https://"),
        ("API_URL", f"https://x:{SECRET}@api.school.example", "no user or password"),
        ("API_URL", f"https://api.school.example/?auth_token={SECRET}", "must end after the host"),
        ("API_URL", "https://school.example:none", "is no address"),
        ("API_VERSION", "../v2", "match"),
        ("RATE", "0", "greater than 0"),
        ("RATE", "nan", "finite"),
        ("RATE", "fast", "number"),
        ("WRITES", "yes", "'confirm' or 'off'"),
        ("APPROVAL", "never", "'auto', 'human' or 'token'"),
        ("PRIVACY", "all", "'names', 'minimal' or 'codes'"),
        ("TIMEZONE", "Mars/Base", "no time zone"),
        ("TIMEZONE", "../../etc/passwd", "no time zone"),
        ("TODAY", "24.11.2026", "yyyy-mm-dd"),
        ("TODAY", "2026-02-30", "no such day"),
        ("TODAY", "2026-11-24T25:00", "no such day"),
        ("STORE", f"mysql://user:{SECRET}@host/db", "postgresql://"),
        ("CONFIRMATION_MINUTES", "0", "greater than or equal to 1"),
    ],
)
def test_a_wrong_value_is_one_line_with_the_setting_s_name(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (line,) = wrong(monkeypatch, **{name: value})
    assert line.startswith(f"ATTENDANCE_{name}: ")
    assert words in line


def test_a_misspelt_setting_does_not_vanish(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = wrong(monkeypatch, API_TOKN=SECRET)
    assert line == "ATTENDANCE_API_TOKN is no setting; did you mean ATTENDANCE_API_TOKEN?"


def test_two_tokens_are_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = wrong(monkeypatch, API_TOKEN=SECRET, API_TOKEN_FILE="/somewhere")
    assert "both set" in line


@pytest.mark.parametrize(
    ("text", "today"),
    [("2026-11-24", date(2026, 11, 24)), ("2026-11-24T08:40", datetime.fromisoformat("2026-11-24T08:40"))],
)
def test_today_is_a_day_or_a_moment(text: str, today: date, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTENDANCE_TODAY", text)
    settings = Settings()
    assert (settings.today, type(settings.today)) == (today, type(today))
    assert Settings(today=today).today == today


def test_no_form_of_the_settings_shows_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTENDANCE_API_TOKEN", SECRET)
    monkeypatch.setenv("ATTENDANCE_STORE", f"postgresql://school:{SECRET}@localhost/attendance")
    settings = Settings()
    assert settings.token() == SECRET
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.fixture
def token_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "token.txt"
    file.touch(mode=0o600)
    monkeypatch.setenv("ATTENDANCE_API_TOKEN_FILE", str(file))
    return file


@pytest.mark.parametrize("content", [SECRET.encode() + b"\r\n", b"\xef\xbb\xbf" + SECRET.encode()])
def test_a_token_file_may_be_written_with_any_editor(content: bytes, token_file: Path) -> None:
    token_file.write_bytes(content)
    assert Settings().token() == SECRET


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no token in the file"),
        (f"{SECRET}\n{SECRET}".encode(), "one line"),
        (SECRET.encode("utf-16"), "UTF-8"),
        (f"{SECRET}ä".encode(), "one line"),
        (SECRET.encode() * 400, "one line"),
    ],
)
def test_a_token_file_that_holds_no_token_is_refused_without_showing_it(
    content: bytes, words: str, token_file: Path
) -> None:
    token_file.write_bytes(content)
    with pytest.raises(SettingsError, match=words) as caught:
        Settings().token()
    assert SECRET not in str(caught.value)


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps no such bits")
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_token_file_that_others_can_change_is_refused(mode: int, token_file: Path) -> None:
    token_file.write_text(SECRET)
    token_file.chmod(mode)
    with pytest.raises(SettingsError, match="chmod 600"):
        Settings().token()


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps no such bits")
@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_token_file_that_others_can_read_is_used_and_warned_of(mode: int, warned: bool, token_file: Path) -> None:
    token_file.write_text(SECRET)
    token_file.chmod(mode)
    settings = Settings()
    assert settings.token() == SECRET
    assert settings.token_warning.endswith("chmod 600 mends it.") is warned
    assert str(token_file) not in settings.token_warning


def test_without_a_token_file_there_is_nothing_to_warn_of(monkeypatch: pytest.MonkeyPatch, token_file: Path) -> None:
    token_file.unlink()
    assert Settings().token_warning == ""
    monkeypatch.delenv("ATTENDANCE_API_TOKEN_FILE")
    assert Settings(api_token=SecretStr(SECRET)).token_warning == ""


def test_a_token_file_that_is_missing_or_a_folder_is_said_so(token_file: Path) -> None:
    settings = Settings()
    token_file.unlink()
    with pytest.raises(SettingsError, match="can't be read"):
        settings.token()
    token_file.mkdir()
    with pytest.raises(SettingsError, match="names no file"):
        settings.token()


@pytest.mark.skipif(os.name != "posix", reason="the folder stands elsewhere on Windows, with its own protection")
def test_the_data_folder_is_made_for_the_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    folder = data_folder()
    assert folder.is_relative_to(tmp_path)
    assert folder.name == "attendance-mcp"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert data_folder() == folder


def test_a_data_folder_that_can_not_be_made_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    monkeypatch.setenv("HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with pytest.raises(SettingsError, match="ATTENDANCE_STORE"):
        data_folder()
