"""SECURITY.md promises nothing without a test: each claim of its table names some, and they are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from .documents import ROOT, part, read, table_rows

NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
MOST_WORDS = 2000


def functions_of(path: Path) -> set[str]:
    """The names of a file's own functions."""
    nodes = ast.parse(path.read_text("utf-8")).body
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_claim_names_tests_that_are_there():
    rows = table_rows(part("SECURITY.md", "claims"))
    assert len(rows) > 20
    for claim, tests in rows:
        named = NAMED.findall(tests)
        assert len(named) == tests.count("::") > 0, claim
        for path, name in named:
            assert (ROOT / path).is_file(), f"{claim}: there is no {path}"
            assert name in functions_of(ROOT / path), f"{claim}: {path} has no {name}"


def test_no_test_is_named_anywhere_else_and_none_twice():
    named = NAMED.findall(read("SECURITY.md"))
    assert len(named) == len(set(named)) == part("SECURITY.md", "claims").count("::")


def test_what_stands_before_the_table_is_read_in_a_few_minutes():
    prose = read("SECURITY.md").partition("## The tests that hold this")[0]
    assert len(prose.split()) <= MOST_WORDS
