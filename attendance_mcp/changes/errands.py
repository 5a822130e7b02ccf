"""One errand of several items as one draft: marks in homeroom and classes, excusals, and the way back of plans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from itertools import combinations

from attendance_mcp.changes.desk import Errand
from attendance_mcp.changes.excusals import draft_altered_excusal, draft_deleted_excusal, draft_new_excusal
from attendance_mcp.changes.items import Item, Marks, Record, check_item, marks_of
from attendance_mcp.changes.marks import draft_class_marks, draft_homeroom_marks
from attendance_mcp.changes.model import Change, ChangeKind, ExcusalValue
from attendance_mcp.changes.plan import Draft
from attendance_mcp.changes.risks import Risks
from attendance_mcp.changes.undo import draft_undo
from attendance_mcp.digest.facts import Role
from attendance_mcp.errors import ArgumentError
from attendance_mcp.school.school import School
from attendance_mcp.school.together import together


async def draft_errand(errand: Errand, items: Sequence[Item]) -> Draft:
    """The smallest set of changes that makes everything in the items so.

    Raises ArgumentError where an item can't be used, where two are of one record, and where it all is too much.
    """
    for number, item in enumerate(items, start=1):
        check_item(number, item)
    school, risks = errand.school, Risks(errand.school)
    marks = await marks_of(school, items)
    _check_once(school, [*marks.records(), *_excusals_named(items)])
    parts = await _drafted(
        [
            *_mark_drafts(school, marks, risks),
            *_excusal_drafts(school, items),
            *(
                partial(draft_undo, errand, item.confirmation, rows=item.rows, students=item.student_ids, risks=risks)
                for item in items
                if item.kind == "undo"
            ),
        ]
    )
    whole = Draft()
    for part in parts:
        whole.merge(part)
    _check_once(school, [Record.of(change) for change in whole.changes if change.kind is not ChangeKind.EXCUSAL_MADE])
    _check_apart(school, whole.changes)
    for warning in risks.told():
        whole.warn(warning)
    return whole


async def _drafted(jobs: Sequence[Callable[[], Awaitable[Draft]]]) -> list[Draft]:
    """The drafts in the order of their jobs, worked out at once: a trip's classes are read one by one otherwise."""
    drafts: dict[int, Draft] = {}

    async def one(number: int, job: Callable[[], Awaitable[Draft]]) -> None:
        drafts[number] = await job()

    await together(partial(one, number, job) for number, job in enumerate(jobs))
    return [drafts[number] for number in sorted(drafts)]


def _mark_drafts(school: School, marks: Marks, risks: Risks) -> Iterable[Callable[[], Awaitable[Draft]]]:
    for class_id, wanted in marks.wanted.items():
        if class_id is None:
            yield partial(draft_homeroom_marks, school, wanted, risks=risks)
        else:
            yield partial(draft_class_marks, school, class_id, wanted, risks=risks)


def _excusal_drafts(school: School, items: Iterable[Item]) -> Iterable[Callable[[], Awaitable[Draft]]]:
    for item in items:
        for student_id in item.student_ids:
            if item.kind == "new excusal" and item.parent_id:
                yield partial(
                    draft_new_excusal,
                    school,
                    student_id,
                    parent_id=item.parent_id,
                    start=item.dates[0],
                    end=item.end_date,
                    comment=item.comment,
                )
            elif item.kind == "alter excusal" and item.excusal_id:
                yield partial(
                    draft_altered_excusal,
                    school,
                    student_id,
                    item.excusal_id,
                    end=item.end_date,
                    comment=item.comment,
                )
            elif item.kind == "delete excusal" and item.excusal_id:
                yield partial(draft_deleted_excusal, school, student_id, item.excusal_id)


def _excusals_named(items: Iterable[Item]) -> list[Record]:
    return [Record(item.student_ids[0], excusal_id=item.excusal_id) for item in items if item.excusal_id]


def _check_once(school: School, records: Sequence[Record]) -> None:
    """Raises ArgumentError where two changes are of one record: only one of them could be so in the end."""
    twice = [record for record, number in Counter(records).items() if number > 1]
    if twice:
        more = f" and {len(twice) - 1} more" if len(twice) > 1 else ""
        raise ArgumentError(f"Two items are of one record: {twice[0].told(school)}{more}. Give each record once.")


def _check_apart(school: School, changes: Iterable[Change]) -> None:
    """Raises ArgumentError where two excusals of one student would cover the same day, which the API refuses."""
    covered: dict[int, list[ExcusalValue]] = {}
    for change in changes:
        if isinstance(change.after, ExcusalValue):
            covered.setdefault(change.target.student_id, []).append(change.after)
    for student_id, values in covered.items():
        for one, other in combinations(values, 2):
            if one.start <= other.end and other.start <= one.end:
                student = school.disclosure.called(Role.STUDENT, student_id)
                raise ArgumentError(f"Two excusals of {student} would cover the same day.")
