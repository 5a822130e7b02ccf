"""The policy file: what a token's claims let one see and change. What it doesn't grant is denied.

Pure: names of groups as the file has them. Whom they hold is looked up in `school/sight.py`.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from attendance_mcp.errors import SettingsError

Kind = Literal["whole school", "programme", "year group", "homeroom", "class"]
WHOLE_SCHOOL: Literal["whole school"] = "whole school"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A group that is granted: its kind, and its name or id as the file has it."""

    kind: Kind
    name: str = ""


@dataclass(frozen=True, slots=True)
class Grants:
    """What one person may see and change. Whatever one may change one may see."""

    read: frozenset[Place] = frozenset()
    write: frozenset[Place] = frozenset()

    def __or__(self, other: Grants) -> Grants:
        return Grants(self.read | other.read, self.write | other.write)

    @property
    def nothing(self) -> bool:
        return not self.read


UNLIMITED = Grants(frozenset({Place(WHOLE_SCHOOL)}), frozenset({Place(WHOLE_SCHOOL)}))
_Name = Annotated[str, Field(min_length=1, max_length=120)]


class _Table(BaseModel):
    # Built at first use: only a server with sign-in reads a policy.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


class _Groups(_Table):
    """Groups by kind."""

    programmes: list[_Name] = []
    year_groups: list[_Name] = []
    homerooms: list[_Name] = []
    classes: list[_Name] = []

    def places(self) -> Iterable[Place]:
        kinds: dict[Kind, list[str]] = {
            "programme": self.programmes,
            "year group": self.year_groups,
            "homeroom": self.homerooms,
            "class": self.classes,
        }
        return (Place(kind, name.strip()) for kind, names in kinds.items() for name in names)


_Granted = Literal["whole school"] | _Groups
_UNIONS = ("_Groups", "literal['whole school']", "constrained-str", "list[constrained-str]")  # pydantic's own names


class _Allow(_Table):
    """Whose claim has one of these values may read and write that."""

    claim: Annotated[str, Field(min_length=1, max_length=200)]
    value: _Name | Annotated[list[_Name], Field(min_length=1)]
    read: _Granted = _Groups()
    write: _Granted = _Groups()

    @model_validator(mode="after")
    def _grants_something(self) -> Self:
        if self.grants().nothing:
            raise ValueError("grants nothing: give read or write")
        return self

    def grants(self) -> Grants:
        write = frozenset(_places(self.write))
        return Grants(frozenset(_places(self.read)) | write, write)

    def fits(self, claims: Mapping[str, Any]) -> bool:
        if self.claim == "email" and claims.get("email_verified", True) is not True:
            return False  # anybody may have typed it
        values = [self.value] if isinstance(self.value, str) else self.value
        return not {self._compared(one) for one in values}.isdisjoint(self._compared(one) for one in self._had(claims))

    def _had(self, claims: Mapping[str, Any]) -> list[str]:
        """The claim's texts; one within another is written `realm_access.roles`."""
        found: Any = claims.get(self.claim)
        if found is None and "." in self.claim:
            outer, _, inner = self.claim.partition(".")
            within = claims.get(outer)
            found = within.get(inner) if isinstance(within, dict) else None
        return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str)]

    def _compared(self, value: str) -> str:
        return value.casefold() if self.claim == "email" else value


class _File(_Table):
    allow: Annotated[list[_Allow], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may see and change whom."""

    rules: tuple[_Allow, ...]

    @classmethod
    def from_toml(cls, text: str) -> Policy:
        """The policy of a file. Raises SettingsError, which names the place in it."""
        try:
            return cls(tuple(_File.model_validate(tomllib.loads(text)).allow))
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"The policy of ATTENDANCE_POLICY is no TOML: {error}.") from None
        except ValidationError as error:
            problems = error.errors()
            # What is wrong with a table of groups tells more than that it isn't the words "whole school".
            within = (one for one in problems if "_Groups" in one["loc"] and one["type"] != "model_type")
            problem = next(within, problems[0])
            place = ".".join(str(part) for part in problem["loc"] if part not in _UNIONS)
            words = problem["msg"].removeprefix("Value error, ")
            raise SettingsError(f"The policy of ATTENDANCE_POLICY can't be used: {place}: {words}.") from None

    def places(self) -> frozenset[Place]:
        """Every group that a rule names."""
        return frozenset(place for rule in self.rules for place in rule.grants().read)

    def digest(self) -> str:
        """The same for the same rules, in whatever process."""
        rules = "\n".join(rule.model_dump_json() for rule in self.rules)
        return hashlib.sha256(rules.encode()).hexdigest()

    def grants(self, claims: Mapping[str, Any]) -> Grants:
        """What these claims are granted; nothing where no rule fits."""
        granted = Grants()
        for rule in self.rules:
            if rule.fits(claims):
                granted |= rule.grants()
        return granted


def _places(granted: _Granted) -> Iterable[Place]:
    return granted.places() if isinstance(granted, _Groups) else (Place(WHOLE_SCHOOL),)
