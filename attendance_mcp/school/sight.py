"""Whom one caller may see and whose records they may change: the policy's groups as students of this school.

A group that the school doesn't have, or has twice, holds nobody: what is unclear is denied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from attendance_mcp.api.records import Student, YearGroup
from attendance_mcp.rules.policy import WHOLE_SCHOOL, Grants, Place
from attendance_mcp.school.directory import Directory, Entry, EntryKind, plain

if TYPE_CHECKING:
    from attendance_mcp.school.school import School

_CHUNK = 100  # ids in one address, which stays below the 8 KB that servers take


@dataclass(frozen=True, slots=True)
class Sight:
    """Ids; None is everybody. A year group or class is seen by whoever sees one of its students."""

    students: frozenset[int] | None = None
    writable: frozenset[int] | None = None
    year_groups: frozenset[int] = field(default=frozenset())
    classes: frozenset[int] = field(default=frozenset())


async def sight_of(school: School, grants: Grants) -> Sight:
    """What the grants hold now. The school is one that sees everybody."""
    students = await _students(school, grants.read)
    writable = await _students(school, grants.write)
    if students is None:
        return Sight(None, writable)
    groups = await school.year_groups()
    return Sight(
        students,
        writable,
        year_groups=frozenset(id for id, group in groups.items() if not students.isdisjoint(group.student_ids)),
        classes=await _classes(school, students),
    )


async def _students(school: School, places: Iterable[Place]) -> frozenset[int] | None:
    places = sorted(places)
    if any(place.kind == WHOLE_SCHOOL for place in places):
        return None
    if not places:
        return frozenset()
    directory, groups, everybody = await school.directory(), await school.year_groups(), await school.all_students()
    found: set[int] = set()
    for place in places:
        entry = _entry(directory, place)
        if entry is None:
            continue
        if entry.kind is EntryKind.CLASS:
            found.update(await school.read(school.client.list_class_students, entry.id))
        else:
            found.update(_in(entry, groups, everybody))
    return frozenset(found)


async def unclear_places(school: School, places: Iterable[Place]) -> list[Place]:
    """Those that hold nobody since the school has no such group, or several."""
    directory = await school.directory()
    named = sorted(place for place in places if place.kind != WHOLE_SCHOOL)
    return [place for place in named if _entry(directory, place) is None]


def _entry(directory: Directory, place: Place) -> Entry | None:
    """The one entry of that kind that is called exactly so, by name, code or id: likeness grants nothing."""
    asked = plain(place.name)
    fitting = [
        entry
        for entry in directory.entries
        if entry.kind == place.kind
        and not entry.archived
        and (
            asked in (plain(entry.name), plain(entry.code)) if not place.name.isdigit() else place.name == str(entry.id)
        )
    ]
    return fitting[0] if len(fitting) == 1 else None


def _in(entry: Entry, groups: Mapping[int, YearGroup], everybody: Mapping[int, Student]) -> Iterable[int]:
    """The students of a programme, a year group or a homeroom, archived ones too."""
    match entry.kind:
        case EntryKind.PROGRAMME:
            own = {id for id, group in groups.items() if group.program_code == entry.code}
        case EntryKind.YEAR_GROUP:
            own = {entry.id}
        case _:
            of = {entry.year_group_id}
            return (
                id for id, one in everybody.items() if one.homeroom_advisor_id == entry.id and one.year_group_id in of
            )
    listed = (id for group in own for id in groups[group].student_ids)
    return [*listed, *(id for id, one in everybody.items() if one.year_group_id in own)]


async def _classes(school: School, students: frozenset[int]) -> frozenset[int]:
    ids = sorted(students)
    classes: set[int] = set()
    for start in range(0, len(ids), _CHUNK):
        chunk = tuple(ids[start : start + _CHUNK])
        rows = await school.read(school.client.list_memberships, user_ids=chunk)
        classes.update(row.class_id for row in rows)
    return frozenset(classes)
