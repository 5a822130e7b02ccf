"""One student by name or id, and what belongs to a student: homeroom, classes, parents, siblings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from attendance_mcp.api.records import Parent, Student
from attendance_mcp.digest.facts import Role
from attendance_mcp.errors import ArgumentError
from attendance_mcp.outside import one_line
from attendance_mcp.school.directory import EntryKind
from attendance_mcp.school.groups import unresolved
from attendance_mcp.school.school import School, group_name, student_name

_FEW_PARENTS = 12  # beyond, one listing of all parents is cheaper than a read each


@dataclass(slots=True)
class About:
    """What belongs to a student; ids to names."""

    homeroom: str = ""
    classes: dict[int, str] = field(default_factory=dict)
    parents: dict[int | str, str] = field(default_factory=dict)
    siblings: dict[int | str, str] = field(default_factory=dict)


async def find_student(school: School, words: str) -> Student:
    """The student that the words mean. Raises ArgumentError with the candidates where they mean none or several."""
    found = await school.find(words, kinds=(EntryKind.STUDENT,))
    if found.entry is None:
        raise ArgumentError(unresolved(school, found, "student"))
    return await school.student(found.entry.id)


async def about_students(school: School, ids: Sequence[int], *, classes: bool) -> Mapping[int, About]:
    """What belongs to each of these students; what could not be read stands in `school.not_read`."""
    students = await school.students(ids)
    teachers = await school.teachers()
    about = {
        id: About(homeroom=school.teacher_name(teachers, advisor) if (advisor := student.homeroom_advisor_id) else "")
        for id, student in students.items()
    }
    parents = await read_parents(school, {id for student in students.values() for id in student.parent_ids})
    kin = await school.students({id for parent in parents.values() for id in parent.child_ids})
    for id, student in students.items():
        for parent_id in student.parent_ids:
            if parent := parents.get(parent_id):
                about[id].parents[parent_id] = parent_name(parent)
                about[id].siblings |= {
                    child: student_name(kin[child])
                    for child in parent.child_ids
                    if child != id and child in kin and not kin[child].archived
                }
    if classes and about:
        records = await school.classes()
        memberships = await school.read(school.client.list_memberships, user_ids=tuple(sorted(about)))
        for membership in memberships:
            if membership.user_id in about and membership.class_id in records:
                about[membership.user_id].classes[membership.class_id] = group_name(records[membership.class_id])
    return about


async def read_parents(school: School, ids: set[int]) -> dict[int, Parent]:
    """Parents by id, each read alone where they are few."""
    if len(ids) > _FEW_PARENTS:
        listing = {"parents": school.parents}
        read = await school.read_all(listing, called=lambda _: "Parents and siblings", needed=False)
        everybody = read.get("parents", {})
        return {id: everybody[id] for id in ids if id in everybody}
    known = {id: parent for id in sorted(ids) if (parent := _known_parent(school, id))}
    if len(known) == len(ids):
        return known  # no task for each, which would take longer than the rest of an answer
    return await school.read_all(
        {id: partial(school.parent, id) for id in sorted(ids)},
        called=lambda id: school.disclosure.called(Role.PARENT, id, "Parent"),
        needed=False,
    )


def _known_parent(school: School, id: int) -> Parent | None:
    """The parent as read before, where that is still kept and this caller sees everybody."""
    kept: Parent | None = school.peek(("get_parent", (id,), ()))
    return school.disclosure.person(kept) if kept else None


def parent_name(parent: Parent) -> str:
    return one_line(f"{parent.first_name} {parent.last_name}", limit=60)
