"""What whoever reads answers is told of people: the setting PRIVACY, in one place.

Records and labels pass through a Disclosure where a School takes them in, an answer's facts where they go out. What is
in between works with what it is given, and knows nothing of the setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, get_args, get_origin

from attendance_mcp.digest.facts import Facts, Row
from attendance_mcp.outside import LEFT_OUT, OUTSIDE

F = TypeVar("F", bound=Facts)


@dataclass(frozen=True, slots=True)
class Disclosure:
    """With everything told, what a person at this school may read."""

    texts: bool = True  # what parents and teachers typed
    health: bool = True  # whether an absence is for somebody's health

    def facts(self, facts: F) -> F:
        """The facts of an answer as they may be read."""
        return facts if self.texts else _row(facts)


def _row(row: Any) -> Any:
    """The row with every field told as its type says."""
    told = {name: _value(getattr(row, name), hint) for name, hint in _hints(type(row)).items()}
    return row.model_copy(update=told)


def _hints(model: type[Row]) -> Mapping[str, Any]:
    return {
        name: Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
        for name, info in model.model_fields.items()
    }


def _value(value: Any, hint: Any) -> Any:
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        return (LEFT_OUT if value else value) if OUTSIDE in marks else _value(value, inner)
    match value:
        case Row():
            return _row(value)
        case list():
            (of,) = get_args(hint)
            return [_value(one, of) for one in value]
        case dict():
            key, of = get_args(hint)
            return {_value(name, key): _value(one, of) for name, one in value.items()}
        case _:
            return value


EVERYTHING = Disclosure()
MINIMAL = Disclosure(texts=False, health=False)
