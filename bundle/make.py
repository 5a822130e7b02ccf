"""Makes the bundle that Claude Desktop installs by a double click, tries it with a real client, and lists its parts.

The bundle is of the type uv: the host's uv makes the environment. Every package stands in it as a wheel for this
platform and this Python, with its hash in `uv.lock`, and no index is asked; Python itself is what uv finds or fetches.
What is made lies in `dist/`: the bundle, and a bill of materials in CycloneDX's form.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import anyio

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
BIN = Path(sys.executable).parent
_PYPROJECT = """\
[project]
name = "attendance-mcp-bundle"
version = "{version}"
requires-python = "=={python}.*"
dependencies = [
{dependencies}
]

[tool.uv]
package = false
no-index = true
environments = ["sys_platform == '{system}' and platform_machine == '{machine}'"]

[tool.uv.sources]
{sources}
"""


def main() -> None:
    manifest = json.loads((ROOT / "bundle" / "manifest.json").read_text("utf-8"))
    system, machine = sys.platform, platform.machine()
    manifest["compatibility"]["platforms"] = [system]
    name = f"attendance-mcp-{manifest['version']}-{system}-{machine.lower()}"
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / name
        folder.mkdir()
        (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=2), "utf-8")
        shutil.copy(ROOT / "LICENSE", folder)
        wheels = fetch(folder)
        lock(folder, wheels, version=manifest["version"])
        DIST.mkdir(exist_ok=True)
        made = pack(folder, DIST / f"{name}.mcpb")
        anyio.run(try_out, made)
    parts = bill(wheels, DIST / f"{name}.cdx.json")
    print(f"{made.relative_to(ROOT)}: {made.stat().st_size / 1e6:.1f} MB, {len(wheels)} wheels")
    print(f"{parts.relative_to(ROOT)}: what it is made of")


def fetch(folder: Path) -> list[str]:
    """The wheels of this checkout and of everything that it needs; their file names."""
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--disable-pip-version-check",
        str(ROOT),
        "-w",
        folder / "wheels",
    )
    return sorted(path.name for path in (folder / "wheels").glob("*.whl"))


def lock(folder: Path, wheels: list[str], *, version: str) -> None:
    """Names each wheel as the only source of its package, and locks them by their hashes."""
    named = {re.sub(r"[-_.]+", "-", wheel.split("-")[0]).lower(): wheel for wheel in wheels}
    text = _PYPROJECT.format(
        version=version,
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        dependencies="\n".join(f'    "{name}=={wheel.split("-")[1]}",' for name, wheel in named.items()),
        sources="\n".join(f'{name} = {{ path = "wheels/{wheel}" }}' for name, wheel in named.items()),
        system=sys.platform,
        machine=platform.machine(),
    )
    (folder / "pyproject.toml").write_text(text, "utf-8")
    run(BIN / "uv", "lock", "--quiet", "--python", sys.executable, cwd=folder)
    locked = (folder / "uv.lock").read_text("utf-8")
    assert locked.count("sha256:") == len(wheels), "a wheel without its hash"
    assert "://" not in locked, "an address in the lock file"


def pack(folder: Path, target: Path) -> Path:
    """The folder as a bundle; the same files in the same order at every build."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bundle:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                bundle.write(path, path.relative_to(folder))
    return target


async def try_out(made: Path) -> None:
    """Unpacks the bundle as a host does, starts it by its manifest in demo mode, and asks it something."""
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client

    with tempfile.TemporaryDirectory() as place:
        with zipfile.ZipFile(made) as bundle:
            bundle.extractall(place)
        config = json.loads((Path(place) / "manifest.json").read_text("utf-8"))
        started = config["server"]["mcp_config"]
        defaults = {name: one.get("default", "") for name, one in config["user_config"].items()} | {"demo": "true"}
        env = {name: filled(value, defaults, place) for name, value in started["env"].items()}
        arguments = [filled(value, defaults, place) for value in started["args"]]
        home = {"HOME": place, "XDG_DATA_HOME": f"{place}/data", "PATH": os.environ["PATH"], "UV_OFFLINE": "1"}
        server = StdioServerParameters(command=str(BIN / started["command"]), args=arguments, env=env | home)
        async with Client(stdio_client(server)) as client:
            told = await client.call_tool("get_school_context", {})
            assert not told.is_error, told
            print(f"The bundle answers: {len((await client.list_tools()).tools)} tools, and a school in demo mode.")


def filled(value: str, settings: dict[str, Any], folder: str) -> str:
    """The value with the manifest's variables as a host fills them in."""
    value = value.replace("${__dirname}", folder)
    return re.sub(r"\$\{user_config\.(\w+)\}", lambda found: str(settings[found[1]]), value)


def bill(wheels: list[str], target: Path) -> Path:
    """The software bill of materials of exactly these wheels."""
    pins = "\n".join("==".join(wheel.split("-")[:2]).replace("_", "-") for wheel in wheels)
    told = subprocess.run(
        [BIN / "cyclonedx-py", "requirements", "--of", "JSON", "-"],
        input=pins,
        capture_output=True,
        text=True,
        check=True,
    )
    target.write_text(told.stdout, "utf-8")
    assert len(json.loads(told.stdout)["components"]) == len(wheels)
    return target


def run(*command: str | Path, cwd: Path | None = None) -> None:
    subprocess.run([str(part) for part in command], cwd=cwd, check=True)


if __name__ == "__main__":
    main()
