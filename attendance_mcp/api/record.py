"""What all records have in common: read straight from bytes, forgiving where the contract is known to vary.

Every record ignores keys that it does not know, and takes a number that comes as text. `{}`, `[]`, null and a missing
key all mean "none". A key without which an answer would say less than it seems to is still required.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import core_schema as cs

T = TypeVar("T")
_LARGE = 64 * 1024


class Record(BaseModel):
    """What all records have in common; an error about one never shows what the API sent."""

    # Built at first use: a server that is only asked for its tools reads no record.
    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, populate_by_name=True, defer_build=True
    )

    @classmethod
    def read(cls, content: bytes) -> Self:
        """The record that an answer holds. Raises pydantic's ValidationError.

        A school's term is hundreds of thousands of small objects that all stay: looking through them for garbage while
        they are made takes longer than making them.
        """
        collecting = gc.isenabled() and len(content) > _LARGE
        if not collecting:
            return cls.model_validate_json(content)
        gc.disable()
        try:
            return cls.model_validate_json(content)
        finally:
            gc.enable()


@dataclass(frozen=True, slots=True)
class Tolerant:
    """Takes `{}`, `[]` and null for "none" beside the usual form, and gives what `none` makes."""

    none: Callable[[], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> cs.CoreSchema:
        # In order and inside the validator's core, so that the usual form costs next to nothing: a school's term holds
        # hundreds of thousands of rows.
        empty = [cs.dict_schema(max_length=0), cs.list_schema(max_length=0), cs.none_schema()]
        either = cs.union_schema([handler(source), *empty], mode="left_to_right")
        return cs.no_info_after_validator_function(lambda value: value or self.none(), either)


Many = Annotated[list[T], Tolerant(list)]


class Meta(Record):
    """Where a page stands; what was asked for may differ."""

    current_page: int
    total_pages: int
    total_count: int
    per_page: int


class Page(Record, Generic[T]):
    """Some records of a list and where they stand in it."""

    items: list[T]
    meta: Meta
