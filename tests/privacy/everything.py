"""Every tool asked in every way that tells of people, the answers whole: what is read, and what it was asked with."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from mcp.types import CallToolResult

from tests.tools.examples import DAY, Known, term_of
from tests.upstream_school import Asking, UpstreamSchool, text

Arguments = dict[str, Any]
Call = tuple[str, Arguments]
Who = Callable[[str, int], Any]  # what a person is called in an argument: by role and id


def by_id(role: str, id: int) -> Any:
    return id


def reads(school: UpstreamSchool, known: Known, who: Who = by_id) -> list[Call]:
    """Calls of every reading tool, so many that everybody of the school stands in some answer."""
    groups = school.rows("select id, program_code from year_groups order by 1")
    classes = [id for (id,) in school.rows("select distinct class_id from class_marks where date = :day", day=DAY)]
    usual = [(tool, _called(arguments, who)) for tool, arguments in known.reads().items()]
    return [
        *usual,
        ("list_absences", {}),
        ("list_absences", {"unexplained_only": True}),
        ("list_absences", {"start_date": "2026-11-16", "end_date": DAY}),
        ("list_missing_registers", {}),
        ("list_missing_registers", {"kind": "class"}),
        ("list_attendance_concerns", {"threshold": 100}),
        ("list_attendance_concerns", {"start_date": "2026-11-16", "end_date": DAY, "threshold": 100}),
        *(("get_homeroom_attendance", {"year_group_id": id, "detail": "full"}) for id, _ in groups),
        *(("get_homeroom_adjustments", {"year_group_id": id, "term_id": term_of(school, code)}) for id, code in groups),
        *(("get_class_attendance", {"class_id": id, "date": DAY, "detail": "full"}) for id in classes),
        *(("list_excusals", {"date": day}) for day in ("2026-11-18", "2026-11-20", "tomorrow")),
        *(("get_student_attendance", {"student": str(who("student", id))}) for id in away(school)),
        *(("list_student_excusals", {"student_id": who("student", id)}) for id in (known.excused, *away(school))),
    ]


def away(school: UpstreamSchool) -> list[int]:
    """Some students who were absent."""
    query = "select student_id from homeroom_marks where status in (0, 10) group by 1 order by 1 limit 3"
    return [id for (id,) in school.rows(query)]


def plans(known: Known, who: Who = by_id) -> list[Call]:
    """A call of every writing tool that plans."""
    return [(tool, _called(arguments, who)) for tool, arguments in known.writes().items()]


def _called(arguments: Arguments, who: Who) -> Arguments:
    """The arguments with the people in them called as told."""
    told: Arguments = {}
    for name, value in arguments.items():
        match name, value:
            case (("student_id" | "parent_id"), int()):
                told[name] = who(name.removesuffix("_id"), value)
            case "student_ids", [*ids]:
                told[name] = [who("student", id) for id in ids]
            case "student", str():
                told[name] = str(who("student", int(value)))
            case _, [*items] if items and isinstance(items[0], dict):
                told[name] = [_called(item, who) for item in items]
            case _:
                told[name] = value
    return told


async def answers(ask: Asking, calls: list[Call]) -> dict[str, str]:
    """What is read of each call, which must succeed: its text and its structure, by the call."""
    await ask.client.list_tools()  # from then on the client holds structures against the published schemas
    read = {}
    for tool, arguments in calls:
        result = await ask(tool, **arguments)
        assert not result.is_error, text(result)
        read[f"{tool} {json.dumps(arguments)}"] = whole(result)
    return read


def whole(result: CallToolResult) -> str:
    """Everything of a result that a model may read."""
    return "\n".join([text(result), json.dumps(result.structured_content, ensure_ascii=False)])
