"""The codes and the key that they are made with: whose they are, where the key lives, and who may read it."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance_mcp.digest.facts import Role
from attendance_mcp.errors import SettingsError
from attendance_mcp.school.codes import CODE, Codes
from attendance_mcp.school.keyfile import own_key
from attendance_mcp.server import build
from tests.tools.examples import Known
from tests.upstream_school import UpstreamSchool

from .people import codes_of

pytestmark = pytest.mark.anyio
KEY, OTHER = bytes(range(64)), bytes(range(1, 65))
codes = Codes(lambda: KEY, school="https://school.example")


@pytest.fixture
def school(same_school: UpstreamSchool) -> UpstreamSchool:
    """Nothing here changes the school."""
    return same_school


@given(st.sampled_from(Role), st.integers(1, 2**53 - 1))
def test_a_code_leads_back_to_its_person_alone(role, id):
    code = codes.code(role, id)
    assert CODE.fullmatch(code)
    assert str(id) not in code or id < 1000
    assert codes.read(code) == codes.read(f" {code.upper()} ") == (role, id)
    assert Codes(lambda: KEY, school="https://school.example").code(role, id) == code
    assert Codes(lambda: OTHER, school="https://school.example").read(code) is None
    assert Codes(lambda: KEY, school="https://other.example").read(code) is None


@given(st.data())
def test_a_code_of_which_one_letter_is_changed_or_whose_role_is_another_is_nobodys(data):
    code = codes.code(Role.STUDENT, data.draw(st.integers(1, 2**53 - 1)))
    at = data.draw(st.integers(4, len(code) - 2))  # of the last letter some bits may stand for nothing
    letter = data.draw(st.sampled_from([one for one in "abcdefghijklmnopqrstuvwxyz234567" if one != code[at]]))
    assert codes.read(code[:at] + letter + code[at + 1 :]) is None
    assert codes.read(code.replace("stu_", "par_")) is None


@pytest.mark.parametrize(
    "text", ["", "stu_", "10400466", "stu_10400466", "stu_" + "a" * 32, "stu_" + "1" * 32, "x" * 10_000]
)
def test_what_is_no_code_is_nobodys(text):
    assert codes.read(text) is None


async def test_the_key_is_made_beside_the_store_at_the_first_code_and_serves_every_server(school, tmp_path):
    known, store, key = Known.of(school), str(tmp_path / "kept" / "plans.db"), tmp_path / "kept" / "privacy.key"
    found = []
    for _ in range(2):
        async with school.client(privacy="codes", store=store) as ask:
            await ask.client.list_tools()
            assert key.exists() is bool(found)
            found.append(await codes_of(ask, "student", [known.student]))
    assert found[0] == found[1]
    assert list(key.parent.glob("privacy.key*")) == [key]
    if os.name == "posix":
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


async def test_replicas_with_stores_of_their_own_share_the_key_of_the_setting(school, tmp_path):
    known, key = Known.of(school), tmp_path / "shared.key"
    key.write_text(f"{KEY.hex().upper()}\n")
    key.chmod(0o600)
    found = []
    for replica in ("one", "other"):
        settings = {"store": str(tmp_path / replica / "plans.db"), "privacy_key_file": key}
        async with school.client(privacy="codes", **settings) as ask:
            found.append(await codes_of(ask, "student", [known.student]))
    assert (
        found[0] == found[1] == {known.student: Codes(lambda: KEY, school=school.url).code(Role.STUDENT, known.student)}
    )
    assert list(tmp_path.rglob("privacy.key")) == []


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [
        (None, 0o600, "can't be read: No such file or directory. `openssl rand -hex 64` makes one."),
        ("", 0o600, "holds no key: 128 hexadecimal digits."),
        ("ab" * 32, 0o600, "holds no key: 128 hexadecimal digits."),
        ("schlüssel", 0o600, "holds no key: 128 hexadecimal digits."),
        (KEY.hex(), 0o604, "can be read or changed by others; chmod 600 mends it."),
        (KEY.hex(), 0o620, "can be read or changed by others; chmod 600 mends it."),
    ],
)
def test_a_key_file_that_cant_be_used_is_said_at_start(school, tmp_path, text, mode, says):
    key = tmp_path / "a.key"
    if text is not None:
        key.write_text(text, "utf-8")
        key.chmod(mode)
    with pytest.raises(SettingsError) as error:
        build(school.settings(privacy="codes", privacy_key_file=key))
    assert says in str(error.value)
    assert str(tmp_path) not in str(error.value)


async def test_an_own_key_that_is_damaged_ends_the_call_and_names_nobody(school, tmp_path):
    (tmp_path / "privacy.key").write_text("half a k")
    async with school.client(privacy="codes", store=str(tmp_path / "plans.db")) as ask:
        said = await ask.error("list_absences")
    assert said == (
        "The key of this installation, privacy.key beside the store, is damaged: restore the file. Nothing was written."
    )
    (tmp_path / "privacy.key").unlink()
    (tmp_path / "privacy.key").mkdir()
    async with school.client(privacy="codes", store=str(tmp_path / "plans.db")) as ask:
        said = await ask.error("list_absences")
    assert said.startswith("The key of this installation can't be read or made beside the store. Set ATTENDANCE_")
    assert str(tmp_path) not in said


def test_servers_that_start_at_once_come_to_one_key(tmp_path: Path):
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: own_key(tmp_path / "new" / "privacy.key"), range(32)))
    assert len(set(keys)) == 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["privacy.key"]
