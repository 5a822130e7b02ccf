"""The house of the design: a room imports what stands below it, never above, and no module imports in a circle."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "attendance_mcp"
FLOORS = [
    {"__init__", "status", "errors", "outside", "settings", "schools_file", "scopes", "measure"},
    {"rules"},
    {"api"},
    {"digest"},
    {"answer"},
    {"school"},
    {"changes"},
    {"tools", "prompts", "resources", "completions"},
    {"server", "from_settings", "http", "stdio", "window", "demo"},
    {"connect"},
    {"exchange"},
    {"commands"},
    {"cli", "__main__"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
MODULES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports(path: Path, *, at_start: bool = False) -> set[str]:
    """The project's modules that this one imports; `at_start` leaves out those inside functions and for types only."""
    names = {name_of(module) for module in MODULES}
    tree = ast.parse(path.read_text("utf-8"))
    nodes = list(_at_start(tree)) if at_start else list(ast.walk(tree))
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} & names
            found.add(node.module)
    return {module for module in found if module in names and module != name_of(path)}


def _at_start(tree: ast.Module) -> list[ast.stmt]:
    return [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_room_imports_only_what_stands_below_it(path: Path) -> None:
    room = room_of(name_of(path))
    for module in imports(path):
        other = room_of(module)
        if room == "sandbox":
            assert other in ("sandbox", "status"), f"{name_of(path)} imports {module}"
        elif other == "sandbox":
            assert FLOOR[room] >= FLOOR["server"], f"{name_of(path)} imports {module}"
        else:
            assert FLOOR[other] <= FLOOR[room], f"{name_of(path)} imports {module}"


def test_no_module_imports_in_a_circle() -> None:
    TopologicalSorter({name_of(path): imports(path, at_start=True) for path in MODULES}).prepare()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_can_be_read_in_one_go(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 400


def test_only_the_transport_and_the_way_to_sign_in_know_the_http_library() -> None:
    users = [name_of(path) for path in MODULES if "import httpx" in path.read_text("utf-8")]
    connecting = [f"attendance_mcp.connect.{module}" for module in ("relay", "sign_in", "way", "web")]
    assert users == ["attendance_mcp.api.transport", *connecting, "attendance_mcp.http.issuer"]
