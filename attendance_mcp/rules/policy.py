"""The policy file: what a token's claims let one see and change. What it doesn't grant is denied.

Pure: names of groups as the file has them. Whom they hold is looked up in `school/sight.py`.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from attendance_mcp.errors import SettingsError

Kind = Literal["whole school", "programme", "year group", "homeroom", "class"]
WHOLE_SCHOOL: Literal["whole school"] = "whole school"
EVERY_SCHOOL: Literal["every school"] = "every school"


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
_UNIONS = ("_Groups", "constrained-str")  # what pydantic calls the ways of a union, beside those with brackets


class _Allow(_Table):
    """Whose claim has one of these values may read and write that."""

    claim: Annotated[str, Field(min_length=1, max_length=200)]
    value: _Name | Annotated[list[_Name], Field(min_length=1)]
    schools: Literal["every school"] | Annotated[list[_Name], Field(min_length=1)] | None = None
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

    def holds_at(self, school: str) -> bool:
        if self.schools is None:
            return not school  # with several schools none is meant unless it is named
        return self.schools == EVERY_SCHOOL or school in self.schools

    @cached_property
    def values(self) -> frozenset[str]:
        """As they are compared."""
        return _compared(self.claim, [self.value] if isinstance(self.value, str) else self.value)


class _File(_Table):
    allow: Annotated[list[_Allow], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may see and change whom, at one of the schools that its rules name."""

    rules: tuple[_Allow, ...]
    school: str = ""

    @classmethod
    def from_toml(cls, text: str, *, schools: Collection[str] = ()) -> Policy:
        """The policy of a file, where several schools are served by these names.

        Raises SettingsError, which names the place in it.
        """
        try:
            rules = _File.model_validate(tomllib.loads(text)).allow
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"The policy of ATTENDANCE_POLICY is no TOML: {error}.") from None
        except ValidationError as error:
            problems = error.errors()
            # What is wrong with a table of groups tells more than that it isn't the words "whole school".
            within = (one for one in problems if "_Groups" in one["loc"] and one["type"] != "model_type")
            problem = next(within, problems[0])
            place = ".".join(str(part) for part in problem["loc"] if part not in _UNIONS and "[" not in str(part))
            raise _wrong(place, problem["msg"].removeprefix("Value error, ")) from None
        for number, rule in enumerate(rules):
            _check_schools(f"allow.{number}.schools", rule, schools)
        return cls(tuple(rules))

    def at(self, school: str) -> Policy:
        """The same rules, as they hold at this school."""
        return replace(self, school=school)

    @property
    def holds(self) -> bool:
        """Whether any rule is about this school."""
        return any(rule.holds_at(self.school) for rule in self.rules)

    def places(self) -> frozenset[Place]:
        """Every group that a rule names."""
        own = (rule for rule in self.rules if rule.holds_at(self.school))
        return frozenset(place for rule in own for place in rule.grants().read)

    def digest(self) -> str:
        """The same for the same rules, in whatever process and at whichever school."""
        rules = "\n".join(rule.model_dump_json() for rule in self.rules)
        return hashlib.sha256(rules.encode()).hexdigest()

    def fitting(self, claims: Mapping[str, Any]) -> tuple[int, ...]:
        """The numbers of the rules that these claims fit, at whichever school."""
        had: dict[str, frozenset[str]] = {}  # by claim, since a school has a rule for each of its homerooms
        fitting = []
        for number, rule in enumerate(self.rules):
            if rule.claim not in had:
                had[rule.claim] = _compared(rule.claim, _had(claims, rule.claim))
            if not rule.values.isdisjoint(had[rule.claim]):
                fitting.append(number)
        return tuple(fitting)

    def granted(self, rules: Iterable[int]) -> Grants:
        """What the rules of these numbers grant here; nothing where there are none."""
        granted = Grants()
        for number in rules:
            if self.rules[number].holds_at(self.school):
                granted |= self.rules[number].grants()
        return granted

    def grants(self, claims: Mapping[str, Any]) -> Grants:
        """What these claims are granted; nothing where no rule fits."""
        return self.granted(self.fitting(claims))


def _check_schools(place: str, rule: _Allow, known: Collection[str]) -> None:
    """Raises SettingsError where a rule may grant at another school than was meant."""
    if not known:
        if rule.schools is not None:
            raise _wrong(place, "there is one school here, and ATTENDANCE_SCHOOLS is not set")
    elif rule.schools is None:
        raise _wrong(place, 'several schools are served, so name them as ["north"], or say "every school"')
    elif rule.schools != EVERY_SCHOOL and not set(rule.schools) <= set(known):
        raise _wrong(place, f"one of them is not in ATTENDANCE_SCHOOLS, which has {', '.join(sorted(known))}")


def _wrong(place: str, words: str) -> SettingsError:
    return SettingsError(f"The policy of ATTENDANCE_POLICY can't be used: {place}: {words}.")


def _places(granted: _Granted) -> Iterable[Place]:
    return granted.places() if isinstance(granted, _Groups) else (Place(WHOLE_SCHOOL),)


def _had(claims: Mapping[str, Any], claim: str) -> list[str]:
    """The claim's texts; one within another is written `realm_access.roles`."""
    if claim == "email" and claims.get("email_verified", True) is not True:
        return []  # anybody may have typed it
    found: Any = claims.get(claim)
    if found is None and "." in claim:
        outer, _, inner = claim.partition(".")
        within = claims.get(outer)
        found = within.get(inner) if isinstance(within, dict) else None
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str)]


def _compared(claim: str, values: Iterable[str]) -> frozenset[str]:
    return frozenset(value.casefold() if claim == "email" else value for value in values)
