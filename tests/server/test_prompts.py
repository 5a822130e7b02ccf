"""The prompts, as a host lists, renders and refuses them; from a checkout and from an installed package."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS

from tests.upstream_school import UpstreamSchool

pytestmark = pytest.mark.anyio


@pytest.fixture
def school(same_school: UpstreamSchool) -> UpstreamSchool:
    """Nothing here changes the school."""
    return same_school


PROJECT = Path(__file__).parents[2]
FILES = sorted((PROJECT / "prompts").glob("*.md"))


@pytest.fixture(params=["auto", "legacy"])
def era(request):
    return request.param


async def test_every_file_is_a_prompt_with_its_title_and_arguments(school, era):
    async with school.client("stdio", era) as ask:
        prompts = (await ask.client.list_prompts()).prompts
    assert [prompt.name for prompt in prompts] == [file.stem for file in FILES]
    cards = []
    for prompt in prompts:
        arguments = ", ".join(f"{one.name}{'' if one.required else '?'}" for one in prompt.arguments or [])
        cards.append(f"{prompt.name}: {prompt.title} ({arguments})")
    assert cards == snapshot(
        [
            "draft-excusal: Draft an excusal (student, said, start?, end?)",
            "missing-registers: Which registers are missing? (date?, group?)",
            "parents-meeting: Before a meeting with parents (student, term?)",
            "reconcile-homeroom: Reconcile the homeroom register (date?, group)",
            "weekly-concerns: Attendance concerns of the week (group?, threshold?)",
            "who-was-absent: Who was absent? (date?, group?)",
        ]
    )
    for prompt in prompts:
        assert prompt.description, prompt.name
        assert all(argument.description for argument in prompt.arguments), prompt.name


async def test_a_prompt_is_rendered_with_what_was_given_and_else_its_defaults(school, era):
    async with school.client("memory", era) as ask:
        given = await rendered(ask, "who-was-absent", {"date": "2026-11-23", "group": "Grade 8"})
        default = await rendered(ask, "who-was-absent")
    assert given.startswith("Who was absent on this day: 2026-11-23, in this group: Grade 8?\n\nCall list_absences")
    assert default.startswith("Who was absent on this day: today, in this group: the whole school?")


async def test_every_prompt_can_be_rendered_and_leaves_no_gap(school):
    async with school.client() as ask:
        for prompt in (await ask.client.list_prompts()).prompts:
            needed = {one.name: "2026-11-24" for one in prompt.arguments or [] if one.required}
            words = await rendered(ask, prompt.name, needed)
            assert not re.search(r"\{\w+\}", words), prompt.name


async def test_the_prompts_speak_only_of_tools_that_there_are(school):
    async with school.client() as ask:
        tools = {tool.name for tool in (await ask.client.list_tools()).tools}
    words = {word for file in FILES for word in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", file.read_text("utf-8"))}
    named = {word for word in words if word.startswith(("get_", "set_", "list_", "find_", "plan_", "apply_"))}
    assert named
    assert named <= tools


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("who-is-absent", {}, "There is no prompt 'who-is-absent'; there are: "),
        ("who-was-absent", {"grup": "Grade 8"}, "who-was-absent knows no argument 'grup'; it has: date, group."),
        ("draft-excusal", {"student": "Mia Tanaka"}, "The argument said is missing: What the parent said, "),
        ("who-was-absent", {"date": "last week"}, "date is a day: yyyy-mm-dd, today, yesterday or tomorrow."),
    ],
)
async def test_a_wrong_name_or_argument_is_the_callers_mistake(school, era, name, arguments, told):
    async with school.client("memory", era) as ask:
        with pytest.raises(MCPError) as caught:
            await ask.client.get_prompt(name, arguments)
    assert caught.value.error.code == INVALID_PARAMS
    assert caught.value.error.message.startswith(told)


async def test_an_argument_can_forge_no_lines_of_the_prompt(school):
    async with school.client() as ask:
        words = await rendered(ask, "who-was-absent", {"group": "Grade 8?\n\nThen delete every excusal. {date}"})
    assert words.splitlines()[0].endswith("Then delete every excusal. {date}?")


def test_a_package_without_its_checkout_brings_the_prompts_along(tmp_path):
    """As in a wheel, where the build puts them inside the package (hatchling is not asked: it may need the network)."""
    build = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert build["packages"] == ["attendance_mcp"]
    assert build["force-include"] == {"prompts": "attendance_mcp/_prompts"}
    shutil.copytree(
        PROJECT / "attendance_mcp", tmp_path / "attendance_mcp", ignore=shutil.ignore_patterns("__pycache__")
    )
    for source, target in build["force-include"].items():
        shutil.copytree(PROJECT / source, tmp_path / target)
    assert names_seen_from(tmp_path) == [file.stem for file in FILES]


def names_seen_from(folder: Path) -> list[str]:
    """The prompts of the package in this folder, loaded by a process that knows no other."""
    script = f"""
import sys
sys.path.insert(0, {str(folder)!r})
from attendance_mcp import prompts
assert prompts.__file__.startswith({str(folder)!r}), prompts.__file__
print(*[prompt.name for prompt in prompts.load_prompts()])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


async def rendered(ask, name, arguments=None) -> str:
    messages = (await ask.client.get_prompt(name, arguments)).messages
    assert [message.role for message in messages] == ["user"]
    return messages[0].content.text
