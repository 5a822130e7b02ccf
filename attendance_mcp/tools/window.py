"""The tool that opens a sheet in the person's own browser, so that names need not pass through the model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from attendance_mcp.digest.facts import Facts, Role
from attendance_mcp.errors import ArgumentError
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.groups import find_group
from attendance_mcp.school.people import find_student
from attendance_mcp.school.terms import find_terms
from attendance_mcp.tools.arguments import GroupName, OptionalDay
from attendance_mcp.tools.concerns import TermName
from attendance_mcp.tools.viewing import Look, Viewer

ViewName = Annotated[
    Literal["register", "term", "changes"],
    BeforeValidator(lambda value: value.strip().lower() if isinstance(value, str) else value),
    WithJsonSchema({"type": "string", "enum": ["register", "term", "changes"]}),
]
OneStudent = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) and not isinstance(value, bool) else value),
    Field(max_length=120),
    WithJsonSchema({"type": "string", "description": "a name or id"}),
]


class Shown(Facts):
    """That a sheet is open; what stands on it is for the person alone."""

    view: str
    of: str = ""
    day: str = ""

    def lines(self) -> Iterable[str]:
        what = {"register": f"The register of {self.of} on {self.day}", "changes": "The changes made through here"}
        shown = what.get(self.view, f"The term of {self.of}")
        yield f"{shown} {'are' if self.view == 'changes' else 'is'} open in the person's browser, for them to read."


async def show_in_window(
    viewer: Viewer,
    view: ViewName,
    group: GroupName = "",
    student: OneStudent = "",
    date: OptionalDay = None,
    term: TermName = "",
) -> Shown:
    """Opens a page in the person's own browser: the register of a group on a date; the term of a student (a calendar)
    or of a group (everybody, ranked); or the changes made through here, with Undo. You are told only that it is open.
    """
    _only(view, group=group, student=student, date=date, term=term)
    school = viewer.school
    if view == "changes":
        await viewer.show(Look(view))
        return Shown(view=view)
    if student and group:
        raise ArgumentError("Give a student or a group, not both.")
    if student:
        found = await find_student(school, student)
        groups = await school.year_groups()
        own = groups.get(found.year_group_id or 0)
        await find_terms(school, term, [own.program_code if own else found.program_code])
        await viewer.show(Look(view, student=found, term=term))
        return Shown(view=view, of=school.disclosure.called(Role.STUDENT, found.id))
    of = await find_group(school, group)
    if view == "term":
        await find_terms(school, term, dict.fromkeys(one.program_code for one in of.year_groups))
        await viewer.show(Look(view, group=of, term=term))
        return Shown(view=view, of=of.name)
    day = school.clock.day(date or "today")
    await viewer.show(Look(view, group=of, day=day))
    return Shown(view=view, of=of.name, day=spoken(day))


_TAKES = {"register": ("group", "date"), "term": ("group", "student", "term"), "changes": ()}


def _only(view: str, **given: object) -> None:
    """Raises ArgumentError for what a view doesn't take: it must not be left out silently."""
    extra = [name for name, value in given.items() if value and name not in _TAKES[view]]
    if extra:
        takes = " and ".join(_TAKES[view]) or "nothing more"
        raise ArgumentError(f"view={view} takes {takes}, no {' and no '.join(extra)}.")
