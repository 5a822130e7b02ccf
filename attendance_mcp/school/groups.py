"""A group of students: the whole school, a programme, a year group, a homeroom or a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from attendance_mcp.api.records import ClassRecord, YearGroup
from attendance_mcp.errors import ArgumentError
from attendance_mcp.outside import one_line
from attendance_mcp.school.directory import GROUPS, MOST_CANDIDATES, Entry, EntryKind, Found
from attendance_mcp.school.school import School, group_name

WHOLE_SCHOOL = ("", "school", "whole school", "the whole school", "everybody", "all")
MINE = ("me", "mine", "my homeroom", "my class")


@dataclass(frozen=True, slots=True)
class Group:
    """Some students: all of its year groups, or those of them that `students` names."""

    kind: str
    name: str
    year_groups: tuple[YearGroup, ...]
    students: frozenset[int] | None = None
    class_record: ClassRecord | None = None
    advisor_id: int | None = None  # of a homeroom

    def __contains__(self, student_id: int) -> bool:
        return self.students is None or student_id in self.students

    @property
    def whole_school(self) -> bool:
        return self.kind == "school"


async def find_group(school: School, words: str) -> Group:
    """The group that the words mean. Raises ArgumentError with the candidates where they mean none or several."""
    asked = one_line(words, limit=120)
    groups = await school.year_groups()
    if asked.casefold() in WHOLE_SCHOOL:
        name = "whole school" if school.sees_everybody else "all whom you may see"
        return Group("school", name, tuple(groups.values()))
    if asked.casefold() in MINE:
        asked = _mine(school)
    found = await school.find(asked, kinds=GROUPS)
    entry = found.entry or _narrowed(found)
    if entry is None:
        raise ArgumentError(unresolved(school, found, "group"))
    return await _group(school, entry, groups)


async def _group(school: School, entry: Entry, groups: Mapping[int, YearGroup]) -> Group:
    match entry.kind:
        case EntryKind.PROGRAMME:
            own = tuple(group for group in groups.values() if group.program_code == entry.code)
            return Group("programme", entry.name, own)
        case EntryKind.YEAR_GROUP:
            return Group("year group", entry.name, (groups[entry.id],))
        case EntryKind.HOMEROOM:
            group = groups[entry.year_group_id or 0]
            everybody = await school.all_students()
            own_students = {
                id for id in group.student_ids if id in everybody and everybody[id].homeroom_advisor_id == entry.id
            }
            return Group("homeroom", entry.name, (group,), frozenset(own_students), advisor_id=entry.id)
        case _:
            record = await school.class_(entry.id)
            roster = frozenset(await school.read(school.client.list_class_students, entry.id))
            year_groups = tuple(group for group in groups.values() if roster & set(group.student_ids))
            return Group("class", group_name(record), year_groups, roster, record)


async def called_here(school: School, group: Group) -> Group:
    """A group that was found for another reader, called as this one is told it."""
    if group.advisor_id is None:
        return group
    advisor = school.teacher_name(await school.teachers(), group.advisor_id)
    return replace(group, name=f"{group_name(group.year_groups[0])} {advisor}")


def _mine(school: School) -> str:
    me = school.connection.profile.me
    if me is None:
        raise ArgumentError("Who 'me' is stands in the school profile, and it names nobody. Name the homeroom instead.")
    return str(me)


def _narrowed(found: Found) -> Entry | None:
    """A wider group goes before the narrower ones that carry its name: Grade 8 before its homerooms and classes."""
    for kind in GROUPS:
        own = [entry for entry in found.candidates if entry.kind is kind]
        if len(own) == 1 and not found.close and len(own[0].name) == min(len(one.name) for one in found.candidates):
            return own[0]
        if own:
            return None
    return None


def unresolved(school: School, found: Found, what: str) -> str:
    """Why a name names nothing, with what it may mean."""
    asked = school.disclosure.asked(found.asked)
    if not found.candidates:
        return f"No {what} here is called {asked}. find_in_school helps with names."
    return f"{_capital(asked)} may mean: {candidates(school, found.candidates)}. Give one of them, or its id."


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def candidates(school: School, entries: Sequence[Entry]) -> str:
    """Entries that can be told apart and asked for."""
    ids = {entry: school.disclosure.entry_id(entry) for entry in entries[:MOST_CANDIDATES]}
    named = [f"{entry} {entry.kind}{f' {id}' if id and id != entry.name else ''}" for entry, id in ids.items()]
    return "; ".join([*named, *([f"and {len(entries) - len(named)} more"] if len(entries) > len(named) else [])])
