"""The one place where a caller's sight is held: each operation of the client with what it takes and gives cut to it.

An operation without a rule here can't be called by anybody whose sight is limited. What lies outside is answered as
what doesn't exist, whether or not it does.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from attendance_mcp.api.client import Client
from attendance_mcp.api.record import Meta, Page
from attendance_mcp.api.records import Excusal, Parent, YearGroup
from attendance_mcp.errors import NotAllowed, NotFound
from attendance_mcp.school.sight import Sight

T = TypeVar("T")
Given = Mapping[str, Any]  # an operation's arguments by name
NOT_YOURS = "The school's policy doesn't let you change the records of"


@dataclass(frozen=True, slots=True)
class Rule:
    """What an operation may be asked by this caller, and what of its answer they may see."""

    check: Callable[[Sight, Given], None]
    cut: Callable[[Sight, Given, Any], Any]
    whole: tuple[str, ...] = ()  # arguments that are left out upstream, since what they choose is cut here


class Guard:
    """A client as one caller may use it. Its methods are the client's own."""

    def __init__(self, client: Client, sight: Callable[[], Awaitable[Sight | None]], *, tells_ids: bool = True) -> None:
        self._client, self._sight, self._tells_ids = client, sight, tells_ids

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method: Callable[..., Awaitable[Any]] = getattr(self._client, name)

        @wraps(method)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            sight = await self._sight()
            return await guarded_call(method, args, kwargs, sight, call=method, tells_ids=self._tells_ids)

        return guarded


async def guarded_call(
    method: Callable[..., Awaitable[Any]],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    sight: Sight | None,
    *,
    call: Callable[..., Awaitable[Any]],
    tells_ids: bool = True,
) -> Any:
    """What `call` gives for these arguments of the client's method, cut to the sight; None is one without limits.

    Raises NotFound for ids outside it, which it tells only where ids may be told, and NotAllowed for a write that isn't
    theirs.
    """
    if sight is None:
        return await call(*args, **kwargs)
    rule = RULES.get(method.__name__)
    if rule is None:
        raise NotAllowed(f"The school's policy doesn't let you use {method.__name__}.")
    bound = inspect.signature(method).bind(*args, **kwargs)
    bound.apply_defaults()
    asked = {name: value for name, value in kwargs.items() if name not in rule.whole}
    try:
        rule.check(sight, bound.arguments)
        if sight.students is None:
            return await call(*args, **kwargs)
        return rule.cut(sight, bound.arguments, await call(*args, **asked))
    except NotFound:
        if tells_ids:
            raise
        raise NotFound(f"The school has no such record for {method.__name__}. Look it up again.") from None


# --- what may be asked ------------------------------------------------------------------------------------------------


def _anything(_sight: Sight, _given: Given) -> None:
    return


def _student(sight: Sight, given: Given) -> None:
    if sight.students is not None and given["student_id"] not in sight.students:
        raise NotFound(
            f"The school has no student with the id {given['student_id']}. The school's own number is not the id."
        )


def _class(sight: Sight, given: Given) -> None:
    if sight.students is not None and given["class_id"] not in sight.classes:
        raise NotFound(f"The school has no class with the id {given['class_id']}.")


def _year_group(sight: Sight, given: Given) -> None:
    if sight.students is not None and given["year_group_id"] not in sight.year_groups:
        raise NotFound(f"The school has no year group with the id {given['year_group_id']}.")


def check_writable(sight: Sight | None, students: Iterable[int]) -> None:
    """Raises NotAllowed where one of these students' records is not this caller's to change."""
    if sight is None or sight.writable is None:
        return
    if others := sorted(set(students) - sight.writable):
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        raise NotAllowed(f"{NOT_YOURS} {', '.join(map(str, others[:5]))}{more}.")


def _writes_one(sight: Sight, given: Given) -> None:
    check_writable(sight, [given["student_id"]])


def _writes_rows(sight: Sight, given: Given) -> None:
    check_writable(sight, [row.student_id for row in given["rows"]])


# --- what may be seen -------------------------------------------------------------------------------------------------


def _as_it_is(_sight: Sight, _given: Given, answer: T) -> T:
    return answer


def _seen(sight: Sight) -> frozenset[int]:
    return sight.students or frozenset()


def _only(ids: Callable[[Sight], frozenset[int]], id: Callable[[Any], int]) -> Callable[[Sight, Given, Any], Any]:
    """Keeps the records of a list that are of these ids."""

    def cut(sight: Sight, _given: Given, answer: Any) -> Any:
        wanted = ids(sight)
        return [record for record in answer if id(record) in wanted]

    return cut


def _rows(sight: Sight, _given: Given, answer: Any) -> Any:
    """A day's marks, a term's totals or adjustments: the rows of the students who are seen."""
    return answer.model_copy(update={"students": [row for row in answer.students if row.id in _seen(sight)]})


def _groups(sight: Sight, _given: Given, answer: Sequence[YearGroup]) -> list[YearGroup]:
    return [
        group.model_copy(update={"student_ids": [id for id in group.student_ids if id in _seen(sight)]})
        for group in answer
        if group.id in sight.year_groups
    ]


def _parents(sight: Sight, _given: Given, answer: Sequence[Parent]) -> list[Parent]:
    seen = [parent.model_copy(update={"child_ids": _children(sight, parent)}) for parent in answer]
    return [parent for parent in seen if parent.child_ids]


def _parent(sight: Sight, given: Given, answer: Parent) -> Parent:
    if not _children(sight, answer):
        raise NotFound(f"The school has no parent with the id {given['parent_id']}.")
    return answer.model_copy(update={"child_ids": _children(sight, answer)})


def _children(sight: Sight, parent: Parent) -> list[int]:
    return [id for id in parent.child_ids if id in _seen(sight)]


def _excusals(sight: Sight, given: Given, answer: Page[Excusal]) -> Page[Excusal]:
    """A page of those that are seen: the API's own pages would tell how many there are of others."""
    kept = [row for row in answer.items if row.student_id in _seen(sight)]
    size = given["per_page"] or max(len(kept), 1)
    page = given["page"] or 1
    shown = kept[(page - 1) * size : page * size]
    pages = max(-(-len(kept) // size), 1)
    return Page[Excusal](
        items=shown, meta=Meta(current_page=page, total_pages=pages, total_count=len(kept), per_page=size)
    )


_OPEN = Rule(_anything, _as_it_is)
RULES: Mapping[str, Rule] = {
    "get_class_term_attendance": Rule(_class, _rows),
    "get_class_attendance": Rule(_class, _rows),
    "get_class_timetable": Rule(_class, _as_it_is),
    "list_excusals": Rule(_anything, _excusals, whole=("page", "per_page")),
    "get_homeroom_term_attendance": Rule(_year_group, _rows),
    "get_homeroom_attendance": Rule(_year_group, _rows),
    "get_homeroom_adjustments": Rule(_year_group, _rows),
    "list_student_excusals": Rule(_student, _as_it_is),
    "set_class_attendance": Rule(_writes_rows, _as_it_is),
    "create_excusal": Rule(_writes_one, _as_it_is),
    "update_excusal": Rule(_writes_one, _as_it_is),
    "delete_excusal": Rule(_writes_one, _as_it_is),
    "set_homeroom_attendance": Rule(_writes_one, _as_it_is),
    "list_students": Rule(_anything, _only(_seen, lambda student: student.id)),
    "get_student": Rule(_student, _as_it_is),
    "get_student_memberships": Rule(_student, _as_it_is),
    "list_classes": Rule(_anything, _only(lambda sight: sight.classes, lambda record: record.id)),
    "get_class": Rule(_class, _as_it_is),
    "list_class_students": Rule(_class, _only(_seen, lambda id: id)),
    "list_year_groups": Rule(_anything, _groups),
    "list_year_group_students": Rule(_year_group, _only(_seen, lambda student: student.id)),
    "list_memberships": Rule(_anything, _only(_seen, lambda membership: membership.user_id)),
    "list_parents": Rule(_anything, _parents),
    "get_parent": Rule(_anything, _parent),
    # What the school is and whom it employs, everybody who is granted anything may know.
    "get_school": _OPEN,
    "list_academic_years": _OPEN,
    "get_calendar": _OPEN,
    "list_attendance_categories": _OPEN,
    "list_teachers": _OPEN,
}
