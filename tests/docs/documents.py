"""The documents as the tests read them: their sections, code blocks and tables, and the parts made from the code.

A made part stands between `<!-- name -->` and `<!-- /name -->`. With UPDATE_DOCS=1 in the environment the tests write
such parts anew instead of failing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SET_UP = "docs/set-up.md"
PAGES = (
    SET_UP,
    "docs/data-protection.md",
    "docs/school-server.md",
    "docs/speed-and-size.md",
    "docs/use.md",
    "docs/writing-safely.md",
)
DOCUMENTS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", *PAGES)
HOW_TO_UPDATE = "the document differs from the code; UPDATE_DOCS=1 .venv/bin/python -m pytest tests/docs writes it anew"


def read(document: str) -> str:
    return (ROOT / document).read_text("utf-8")


@dataclass(frozen=True)
class Block:
    """A fenced piece of code: its language and its text."""

    language: str
    text: str


def blocks(document: str, *languages: str) -> list[Block]:
    """The document's code blocks, of these languages."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", read(document), re.MULTILINE | re.DOTALL)
    return [Block(language, text) for language, text in found if language in languages]


def part(document: str, name: str) -> str:
    """What stands between the marks of this name."""
    found = re.search(rf"^<!-- {name} -->\n(.*?)\n?^<!-- /{name} -->", read(document), re.DOTALL | re.MULTILINE)
    assert found, f"{document} has no part {name!r}"
    return found[1]


def hold(document: str, name: str, made: str, *, plain: Callable[[str], str] = str) -> None:
    """The part must be what the code makes of it; `plain` takes out what differs from run to run."""
    if plain(part(document, name)) == plain(made):
        return
    assert os.environ.get("UPDATE_DOCS"), f"{document}, {name}: {HOW_TO_UPDATE}\n\n{made}"
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    head, _, rest = read(document).partition(begin)
    (ROOT / document).write_text(f"{head}{begin}{made}\n{end}{rest.partition(end)[2]}", "utf-8")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def table_rows(text: str) -> list[list[str]]:
    """The cells of a Markdown table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]
