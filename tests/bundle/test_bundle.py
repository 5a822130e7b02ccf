"""What is shipped: the bundle's manifest, the registry's entry, and the wheel, whose files alone make a server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import skillsaw
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from attendance_mcp.settings import PREFIX, Settings
from tests.conformance.suite import MODULES, needs_npm_packages, run

ROOT = Path(__file__).parent.parent.parent
SETTINGS = {PREFIX + name.upper() for name in Settings.model_fields}


def read(name: str) -> dict[str, Any]:
    return dict(json.loads((ROOT / "bundle" / name).read_text("utf-8")))


def version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"])


@needs_npm_packages
def test_the_official_validator_takes_the_manifest(tmp_path: Path) -> None:
    cli = MODULES / "@anthropic-ai" / "mcpb" / "dist" / "cli" / "cli.js"
    told = run(tmp_path, cli, "validate", ROOT / "bundle" / "manifest.json")
    assert (told.status, told.out.strip()) == (0, "Manifest schema validation passes!")


def test_the_manifest_names_settings_that_there_are_and_asks_for_the_token_as_a_secret() -> None:
    manifest = read("manifest.json")
    env = manifest["server"]["mcp_config"]["env"]
    asked = {found[1] for value in env.values() if (found := re.fullmatch(r"\$\{user_config\.(\w+)\}", value))}
    assert set(env) <= SETTINGS
    assert asked == set(manifest["user_config"])
    secret = [name for name, one in manifest["user_config"].items() if one.get("sensitive")]
    assert secret == ["token"]
    assert manifest["version"] == version()


def test_the_manifests_defaults_are_settings_that_work(monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = read("manifest.json")
    for name, value in manifest["server"]["mcp_config"]["env"].items():
        given = manifest["user_config"][value.removeprefix("${user_config.").removesuffix("}")]["default"]
        monkeypatch.setenv(name, str(given).lower() if isinstance(given, bool) else str(given))
    settings = Settings()
    assert not settings.demo and not settings.has_token
    assert (settings.writes, settings.privacy, settings.zone) == ("confirm", "names", None)


def test_the_registrys_schema_takes_the_entry() -> None:
    entry = read("server.json")
    released = Path(skillsaw.__file__).parent / "schemas" / "mcp_registry" / "v2025_12_11" / "server.schema.json"
    schema = json.loads(released.read_text("utf-8"))
    assert entry["$schema"] == schema["$id"]
    jsonschema.validate(entry, schema)
    (package,) = entry["packages"]
    assert {entry["version"], package["version"]} == {version()}
    assert {one["name"] for one in package["environmentVariables"]} <= SETTINGS
    assert [one["name"] for one in package["environmentVariables"] if one.get("isSecret")] == ["ATTENDANCE_API_TOKEN"]
    # The registry believes who owns a package by this line of its description.
    assert f"mcp-name: {entry['name']}" in (ROOT / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = "import hatchling.build, sys; hatchling.build.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=ROOT, check=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_the_program_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as content:
        names = set(content.namelist())
    assert {name.split("/")[0] for name in names} == {"attendance_mcp", f"attendance_mcp-{version()}.dist-info"}
    shipped = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "attendance_mcp").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert shipped <= names
    prompts = {path.name for path in (ROOT / "prompts").glob("*.md")}
    assert {Path(name).name for name in names if name.startswith("attendance_mcp/_prompts/")} == prompts


@pytest.mark.anyio
async def test_the_wheels_files_alone_make_a_server(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as content:
        content.extractall(tmp_path / "site")
    start = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); from attendance_mcp.cli import main; main()"
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    server = StdioServerParameters(command=sys.executable, args=["-P", "-c", start, "serve", "--demo"], env=env)
    async with Client(stdio_client(server)) as client:
        told = await client.call_tool("get_school_context", {})
        prompts = (await client.list_prompts()).prompts
    assert not told.is_error
    assert len(prompts) == len(list((ROOT / "prompts").glob("*.md")))
