"""What a reader may copy works: commands are parsed by the real command line, configurations start the real server."""

from __future__ import annotations

import json
import re
import shlex
from itertools import takewhile
from pathlib import Path, PureWindowsPath
from typing import Any

import click
import pytest
from mcp import Client

from attendance_mcp.cli import main
from attendance_mcp.sandbox.assumptions import parse_assumptions, parse_without
from attendance_mcp.server import build
from attendance_mcp.settings import PREFIX, Settings
from attendance_mcp.tools.registry import all_tools

from .documents import DOCUMENTS, ROOT, SET_UP, blocks, read

EXAMPLE = "claude_desktop_config.example.json"
TOKEN_FILE = "ATTENDANCE_API_TOKEN_FILE"
SETTINGS = {PREFIX + name.upper() for name in Settings.model_fields}
SNIPPETS = [json.loads(block.text) for document in DOCUMENTS for block in blocks(document, "json")]


def lines() -> list[list[str]]:
    """Every line of the documents' shell blocks, as words; a Windows path's backslashes are no escapes."""
    shell = [line for document in DOCUMENTS for block in blocks(document, "sh") for line in block.text.splitlines()]
    return [words for line in shell if (words := shlex.split(line.replace("\\", "/"), comments=True))]


def own_arguments(words: list[str]) -> list[str] | None:
    """What a line gives to our command, None where it doesn't call it."""
    for index, word in enumerate(words):
        if PureWindowsPath(word).stem == "attendance-mcp" or words[index - 1 : index + 1] == ["-m", "attendance_mcp"]:
            return list(takewhile(lambda word: word not in (">", "|"), words[index + 1 :]))
    return None


def servers(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A host's entries: Claude Desktop and VS Code name them differently."""
    (found,) = config.values()
    return found


def parsed(arguments: list[str]) -> dict[str, Any]:
    """The arguments as the command line takes them. Nothing is run."""
    command, *rest = arguments
    with main.get_command(click.Context(main), command).make_context(command, rest) as context:
        return context.params


@pytest.mark.parametrize("words", [words for words in lines() if own_arguments(words)], ids=" ".join)
def test_every_command_is_one_that_the_command_line_takes(words):
    params = parsed(own_arguments(words))
    if "arguments" in params:
        (tool,) = (tool for tool in all_tools(writes=True) if tool.name == params["tool"])
        tool.fn_metadata.arg_model.model_validate(json.loads(params["arguments"]))
    parse_assumptions(params.get("assume", ()))
    parse_without(params.get("without", ""))


def test_every_command_names_settings_targets_and_tests_that_exist():
    targets = set(re.findall(r"^(\w+):", read("Makefile"), re.MULTILINE))
    for words in lines():
        given = {word.partition("=")[0] for word in words if word.startswith(PREFIX)}
        assert given <= SETTINGS, words
        if words[0] == "make":
            assert set(words[1:]) <= targets
        if "pytest" in words:
            assert (ROOT / words[words.index("pytest") + 1]).exists(), words


def test_the_first_thing_to_do_are_the_two_commands():
    assert lines()[:2] == [["make", "demo"], ["make", "test"]]
    assert read("README.md").index("make test") < 800


@pytest.mark.anyio
@pytest.mark.parametrize("config", SNIPPETS, ids=lambda config: "/".join([*config, *servers(config)]))
async def test_every_configuration_starts_a_server(config, monkeypatch, tmp_path):
    for entry in servers(config).values():
        params = parsed(entry["args"])
        if entry["args"][0] == "connect":
            continue  # it takes no settings, and its server is the school's own
        await starts(entry.get("env", {}), demo=params["demo"], monkeypatch=monkeypatch, folder=tmp_path)


async def starts(env: dict[str, str], *, demo: bool, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """A server with these settings lists its tools; nothing is asked of the school for that."""
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    if TOKEN_FILE in env:
        (folder / "token").write_text("an-invented-token\n")
        (folder / "token").chmod(0o600)
        monkeypatch.setenv(TOKEN_FILE, str(folder / "token"))
    settings = Settings(demo=True) if demo else Settings()
    assert settings.demo is not settings.has_token
    async with Client(build(settings)) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {
            tool.name for tool in all_tools(writes=True)
        }


def test_the_configuration_for_connect_is_one_that_the_command_line_takes():
    (config,) = [json.loads(block.text) for block in blocks("docs/school-server.md", "json")]
    (entry,) = servers(config).values()
    assert entry["args"][0] == "connect"
    assert parsed(entry["args"])["url"].startswith("https://")
    (line,) = [words for words in lines() if "--sign-in" in words]
    assert line[1:] == [*entry["args"], "--sign-in"]


def test_no_configuration_mixes_invented_and_real_children():
    for config in SNIPPETS:
        assert len({"--demo" in entry["args"] for entry in servers(config).values()}) == 1
    assert any("--demo" in entry["args"] for config in SNIPPETS for entry in servers(config).values())


def test_the_example_is_one_real_school_with_its_token_in_a_file_and_is_shown():
    config = json.loads(read(EXAMPLE))
    (entry,) = config["mcpServers"].values()
    assert "--demo" not in entry["args"]
    assert TOKEN_FILE in entry["env"] and f"{PREFIX}API_TOKEN" not in entry["env"]
    assert read(EXAMPLE) in [block.text for block in blocks(SET_UP, "json")]
