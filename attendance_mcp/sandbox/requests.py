"""A request as a handler sees it: the ids, dates, pages and bodies that it may hold, read strictly."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil
from typing import Any

import sqlalchemy as sa
from starlette.datastructures import QueryParams

from attendance_mcp.sandbox.assumptions import Assumptions
from attendance_mcp.sandbox.errors import bad_payload, invalid, not_found

DEFAULT_PER_PAGE = 100
MAX_PER_PAGE = 200
MAX_INTEGER = 2**63 - 1
"""The largest that a column holds; no record has it for an id."""
_POSITIVE = re.compile(r"[1-9][0-9]{0,99}")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one page and the `meta` that goes with them."""

    rows: list[sa.RowMapping]
    meta: dict[str, int]


@dataclass(frozen=True, slots=True)
class Call:
    """One request, with the school's clock and the transaction that it is answered from."""

    db: sa.Connection
    today: datetime  # naive, the school's local time
    assumptions: Assumptions
    without: frozenset[str]
    path: dict[str, str]
    query: QueryParams
    body: bytes

    def id(self, name: str, *, model: str) -> int:
        """Read an id of the path; one that can't be an id is a record that isn't there, as with Rails' `find`."""
        text = self.path[name]
        if not _POSITIVE.fullmatch(text) or int(text) > MAX_INTEGER:
            raise not_found(model, text)
        return int(text)

    def day(self, name: str) -> date:
        """Read a date of the path."""
        day = read_date(self.path[name])
        if day is None:
            raise invalid({name: ["is not a date (yyyy-mm-dd)"]})
        return day

    def optional_day(self, name: str) -> date | None:
        text = self.query.get(name)
        if text is None:
            return None
        day = read_date(text)
        if day is None:
            raise invalid({name: ["is not a date (yyyy-mm-dd)"]})
        return day

    def flag(self, name: str) -> bool | None:
        """Read a boolean of the query; None where it isn't given."""
        text = self.query.get(name)
        if text is None:
            return None
        if text not in ("true", "false"):
            raise invalid({name: ["must be true or false"]})
        return text == "true"

    def number(self, name: str, *, default: int) -> int:
        text = self.query.get(name)
        if text is None:
            return default
        if not _POSITIVE.fullmatch(text):
            raise invalid({name: ["must be a positive number"]})
        return int(text)

    def ids(self, name: str) -> list[int]:
        """Read the ids of a repeated `name[]` parameter."""
        texts = self.query.getlist(name)
        if not all(_POSITIVE.fullmatch(text) for text in texts):
            raise invalid({name.removesuffix("[]"): ["must be positive numbers"]})
        return [min(int(text), MAX_INTEGER) for text in texts]

    def pairs(self, select: sa.Select[Any]) -> dict[Any, Any]:
        """Read two columns, the first as the key of the second."""
        rows: Any = self.db.execute(select).all()
        return dict(rows)

    def page_of(self, select: sa.Select[Any]) -> Page:
        """Read the page that was asked for; more than 200 a page is answered with 200, and `meta` says so."""
        number = self.number("page", default=1)
        size = min(self.number("per_page", default=DEFAULT_PER_PAGE), MAX_PER_PAGE)
        total = self.db.execute(sa.select(sa.func.count()).select_from(select.order_by(None).subquery())).scalar_one()
        pages = ceil(total / size)
        rows: list[sa.RowMapping] = []
        if number <= pages:
            rows = list(self.db.execute(select.limit(size).offset((number - 1) * size)).mappings())
        meta = {"current_page": number, "total_pages": pages, "total_count": total, "per_page": size}
        return Page(rows, meta)

    def json_object(self) -> dict[str, Any]:
        """Read the body, which must be a JSON object of text that can be stored."""
        try:
            body = json.loads(self.body)
            json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is valid JSON and no text
        except (ValueError, RecursionError):
            raise bad_payload() from None
        if not isinstance(body, dict):
            raise bad_payload()
        return body


def comma_separated_ids(text: str) -> list[int]:
    """Read the ids of a comma-separated list; what is no id names nobody."""
    return [min(int(part), MAX_INTEGER) for part in text.split(",") if _POSITIVE.fullmatch(part.strip())]


def read_date(value: object) -> date | None:
    """Read a date written yyyy-mm-dd, else None. `fromisoformat` alone would take 20250901 and 2025-W36-1 too."""
    if not isinstance(value, str) or not _ISO_DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def read_int(value: object) -> int | None:
    """Read a JSON integer, else None: 5.0 is one, true is none."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
