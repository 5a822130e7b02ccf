"""What whoever reads answers is told of people: the setting PRIVACY, in one place.

Records and labels pass through a Disclosure where a School takes them in, an answer's facts where they go out, and the
people whom a call names where its arguments come in. What is in between works with ids and with the names that it is
given, and knows nothing of the setting.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, TypeVar, get_args, get_origin

from attendance_mcp.api.records import Parent, Student, Teacher
from attendance_mcp.digest.facts import Facts, IdOf, Role, Row
from attendance_mcp.outside import LEFT_OUT, OUTSIDE
from attendance_mcp.school.codes import CODE, PREFIXES, Codes
from attendance_mcp.school.directory import ANY_KIND, Directory, Entry, EntryKind, Found

F = TypeVar("F", bound=Facts)
P = TypeVar("P", Student, Teacher, Parent)

_ROLES = {Student: Role.STUDENT, Parent: Role.PARENT, Teacher: Role.STAFF}
ROLE_OF = {
    EntryKind.STUDENT: Role.STUDENT,
    EntryKind.PARENT: Role.PARENT,
    EntryKind.TEACHER: Role.STAFF,
    EntryKind.HOMEROOM: Role.STAFF,  # it has its advisor's id
}


@dataclass(eq=False, slots=True)
class Disclosure:
    """With everything told, what a person at this school may read."""

    texts: bool = True  # what parents and teachers typed
    health: bool = True  # whether an absence is for somebody's health
    codes: Codes | None = None  # what people are called in place of names, numbers and ids
    _students: tuple[Mapping[int, Student], Mapping[int, Student]] = field(default=({}, {}), init=False)

    # --- in: records and what a call names ---

    def students(self, everybody: Mapping[int, Student]) -> Mapping[int, Student]:
        """The students as they are called; the last ones are remembered, since one listing serves many answers."""
        if self.codes is None:
            return everybody
        if self._students[0] is not everybody:
            self._students = (everybody, self.people(everybody))
        return self._students[1]

    def people(self, everybody: Mapping[int, P]) -> Mapping[int, P]:
        """The records of people with what they are called."""
        if self.codes is None:
            return everybody
        return {id: self.person(one) for id, one in everybody.items()}

    def person(self, record: P) -> P:
        """The record of a person with what they are called."""
        if self.codes is None:
            return record
        role = _ROLES[type(record)]
        number = {"student_id": None, "email": None} if isinstance(record, Student) else {}
        called = {"first_name": self.codes.code(role, record.id), "last_name": ""}
        return record.model_copy(update=called | number)

    def meant(self, role: Role, given: Any) -> Any:
        """The id of the person whom an argument names. Raises ValueError for what is nobody's code."""
        if self.codes is None:
            return given
        found = self.codes.read(given) if isinstance(given, str) else None
        if found is None or found[0] is not role:
            raise ValueError(f"the code {PREFIXES[role]}… of a {role} is expected; find_in_school answers it")
        return found[1]

    def find(self, directory: Directory, asked: str, *, kinds: Collection[EntryKind] = ANY_KIND) -> Found:
        """What a name, an id or a code in a call means, called as it may be told; `asked` stays what was asked."""
        if self.codes is None:
            return directory.find(asked, kinds=kinds)
        words = asked
        if found := self.codes.read(asked):
            kinds = [kind for kind in kinds if ROLE_OF.get(kind) is found[0]]
            words = str(found[1])
        elif (part := CODE.search(asked)) and (found := self.codes.read(part[0])):
            # "Grade 8 sta_…", as a homeroom is called here.
            homerooms = (entry for entry in directory.entries if entry.kind is EntryKind.HOMEROOM)
            advisor = next((entry.code for entry in homerooms if entry.id == found[1]), str(found[1]))
            words = asked.replace(part[0], advisor)
        meant = directory.find(words, kinds=kinds)
        return Found(
            asked,
            self.entry(meant.entry) if meant.entry else None,
            tuple(self.entry(one) for one in meant.candidates),
            close=meant.close,
        )

    # --- out: ids, names and facts ---

    def id(self, role: Role, id: int) -> int | str:
        """The id by which a next call can name this person."""
        return id if self.codes is None else self.codes.code(role, id)

    def called(self, role: Role, id: int, word: str = "") -> str:
        """What somebody is called of whom only the id is known: `student 10400466`, or the code."""
        return f"{word or role} {id}" if self.codes is None else self.codes.code(role, id)

    def asked(self, words: str) -> str:
        """What was asked for, for an answer that it names nothing: a name that was typed is a name."""
        return repr(words) if self.codes is None else "what was asked for"

    def entry(self, entry: Entry) -> Entry:
        """An entry of the directory as it is called."""
        if self.codes is None or entry.kind not in ROLE_OF:
            return entry
        code = self.codes.code(ROLE_OF[entry.kind], entry.id)
        if entry.kind is EntryKind.HOMEROOM:
            return replace(entry, name=f"{entry.of} {code}", code=code)
        return replace(entry, name=code, number="")

    def entry_id(self, entry: Entry) -> int | str:
        """The id by which a next call can name what the entry is of."""
        role = ROLE_OF.get(entry.kind)
        return self.id(role, entry.id) if role else entry.id

    def facts(self, facts: F) -> F:
        """The facts of an answer as they may be read."""
        return facts if self.texts and self.codes is None else self._row(facts)

    def _row(self, row: Any) -> Any:
        """The row with every field told as its type says."""
        told = {name: self._value(getattr(row, name), hint) for name, hint in _hints(type(row)).items()}
        return row.model_copy(update=told)

    def _value(self, value: Any, hint: Any) -> Any:
        if get_origin(hint) is Annotated:
            inner, *marks = get_args(hint)
            if OUTSIDE in marks and not self.texts:
                return LEFT_OUT if value else value
            role = next((mark.role for mark in marks if isinstance(mark, IdOf)), None)
            if role is not None:
                return self.id(role, value) if isinstance(value, int) and value else value
            return self._value(value, inner)
        match value:
            case Row():
                return self._row(value)
            case list():
                (of,) = get_args(hint)
                return [self._value(one, of) for one in value]
            case dict():
                key, of = get_args(hint)
                return {self._value(name, key): self._value(one, of) for name, one in value.items()}
            case _:
                return value


def _hints(model: type[Row]) -> Mapping[str, Any]:
    return {
        name: Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
        for name, info in model.model_fields.items()
    }


EVERYTHING = Disclosure()
