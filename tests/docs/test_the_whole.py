"""The documents as a whole: order, links, the house, the changelog's form."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.test_house import FLOOR, PACKAGE

from .documents import DOCUMENTS, ROOT, part, read, table_rows


def headings(document: str) -> list[str]:
    prose = re.sub(r"^```.*?^```$", "", read(document), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ (.+)$", prose, re.MULTILINE)


def test_the_readme_goes_from_what_it_is_to_what_it_does_not_do():
    assert headings("README.md") == [
        "attendance_mcp",
        "In five minutes",
        "A real exchange",
        "Set-up",
        "The tools",
        "How writes go",
        "Speed and size",
        "What it does not do",
    ]
    assert len(read("README.md").splitlines()) <= 280


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document):
    for target in re.findall(r"\]\(([^)]+)\)", read(document)):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        place = (ROOT / document).parent / path if path else ROOT / document
        assert place.exists(), target
        if anchor:
            there = headings(str(place.resolve().relative_to(ROOT)))
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in there}, target


def test_every_room_of_the_house_is_described_where_it_stands():
    listed = [re.findall(r"`(\w+)`", row[0]) for row in table_rows(part("CONTRIBUTING.md", "house"))]
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {room for row in listed for room in row} == rooms - {"__init__"}
    *floors, sandbox = listed
    assert sandbox == ["sandbox"]
    heights = [FLOOR[room] for row in floors for room in row]
    assert heights == sorted(heights, reverse=True)


def test_every_prompt_asks_only_for_tools_that_are_there():
    tools = set(re.findall(r"^\| `(\w+)` ", part("README.md", "tools"), re.MULTILINE))
    for path in (ROOT / "prompts").glob("*.md"):
        named = set(
            re.findall(
                r"\b(?:get|set|list|create|update|delete|apply|plan|find|reconcile|show)_\w+", path.read_text("utf-8")
            )
        )
        assert named and named <= tools, path.name


def test_the_changelog_tells_what_is_new_first():
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    sections = re.findall(r"^## \[(.+?)\]( - \d{4}-\d\d-\d\d)?$", read("CHANGELOG.md"), re.MULTILINE)
    assert sections[0] == ("Unreleased", "")
    assert all(day for _, day in sections[1:])
    assert not sections[1:] or sections[1][0] == version
