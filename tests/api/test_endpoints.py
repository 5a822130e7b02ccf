"""The table of endpoints says what the contract says."""

from __future__ import annotations

import inspect
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from attendance_mcp.api import attendance, reference
from attendance_mcp.api.client import Client
from attendance_mcp.api.endpoints import ENDPOINTS, Endpoint
from attendance_mcp.api.record import Page

CONTRACT = Path(__file__).parents[1] / "sandbox" / "openapi.yaml"


@cache
def contract() -> dict[str, Any]:
    return yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))


@cache
def operations() -> dict[tuple[str, str], dict[str, Any]]:
    methods = ("get", "put", "post", "patch", "delete")
    return {
        (method.upper(), _without_names(path.removeprefix("/v2p1"))): operation
        for path, item in contract()["paths"].items()
        for method, operation in item.items()
        if method in methods
    }


def _without_names(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    return operations()[endpoint.method, _without_names(endpoint.path)]


def _answer_keys(operation: dict[str, Any]) -> set[str]:
    response = next(operation["responses"][code] for code in ("200", "201") if code in operation["responses"])
    schema = response["content"]["application/json"]["schema"]
    if "$ref" in schema:
        schema = contract()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return set(schema["properties"])


def test_every_operation_of_the_contract_has_one_row_and_no_row_is_invented() -> None:
    rows = [(endpoint.method, _without_names(endpoint.path)) for endpoint in ENDPOINTS.values()]
    assert sorted(rows) == sorted(operations())


@pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=ENDPOINTS.keys())
def test_a_row_says_what_the_contract_says(endpoint: Endpoint) -> None:
    operation = _operation(endpoint)
    assert endpoint.tool == (operation["tags"] == ["attendance"])
    assert endpoint.extended == operation.get("x-extended-apis", False)
    assert endpoint.assumed == (operation["x-evidence"] == "assumed")
    paged = "meta" in _answer_keys(operation)
    assert (endpoint.paged is not None) == paged
    assert not paged or endpoint.paged in _answer_keys(operation)


def test_only_a_get_reads_and_only_a_post_does_harm_when_sent_twice() -> None:
    assert {endpoint.method for endpoint in ENDPOINTS.values() if not endpoint.writes} == {"GET"}
    assert [endpoint.name for endpoint in ENDPOINTS.values() if not endpoint.idempotent] == ["create_excusal"]


def test_thirteen_operations_are_tools() -> None:
    assert sum(endpoint.tool for endpoint in ENDPOINTS.values()) == 13


def test_the_client_has_one_method_for_each_operation_and_one_for_any_as_it_came() -> None:
    methods = {name for name, _ in inspect.getmembers(Client, inspect.iscoroutinefunction) if not name.startswith("_")}
    assert methods - {"aclose", "as_sent"} == set(ENDPOINTS)


def test_the_pages_read_the_keys_that_the_table_names() -> None:
    shapes = [shape for room in (attendance, reference) for shape in vars(room).values() if _is_page(shape)]
    keys = {shape.model_fields["items"].alias for shape in shapes}
    assert keys == {endpoint.paged for endpoint in ENDPOINTS.values() if endpoint.paged}


def _is_page(shape: object) -> bool:
    return isinstance(shape, type) and issubclass(shape, Page) and shape.model_fields["items"].alias is not None
