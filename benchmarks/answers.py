"""Tokens of the tool list and of every reading tool's answer, beside their budgets, at each size of school."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mcp import Client
from mcp.types import CallToolResult

from benchmarks import cut
from benchmarks.counting import ESTIMATE, exact, of_answer, of_json, of_tool, text_of, tokens
from benchmarks.peer import NO_PEER, open_peer
from benchmarks.table import MISSING, OK, OVER, Table, within
from benchmarks.upstream import SIZES, Size, Upstream, open_upstream

LISTED, LISTED_BARE, EACH, EACH_BARE = 10_000, 5_000, 650, 400
ANY = (4_000, 8_000)
# What the budget table names, by tool and the size that it speaks of; everything else has the budget of any answer.
BUDGETS: dict[tuple[str, Size], tuple[int, int]] = {
    ("list_absences, the day", "school"): (1_200, 2_000),
    ("list_absences, the day", "district"): (2_000, 4_000),
    ("list_attendance_concerns", "small"): (400, 800),
    ("reconcile_homeroom", "small"): (800, 1_600),
    ("reconcile_homeroom, yesterday", "small"): (800, 1_600),
}
MOST_CHARACTERS = {("list_absences, the day", "school"): 5_000}


@dataclass(frozen=True, slots=True)
class Ask:
    """One call whose answer is weighed."""

    called: str
    tool: str
    arguments: dict[str, Any]


def asks(school: Upstream) -> list[Ask]:
    """Each reading tool with what an office would ask, and with the most that it can be asked for."""
    largest = school.one(
        "SELECT year_group_id FROM students WHERE archived = 0 GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
    )
    group = school.one("SELECT name FROM year_groups WHERE id = :id", id=largest)
    class_id = school.one(
        "SELECT class_id FROM class_marks WHERE date = :day GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
        day=_day(school),
    )
    program = school.one("SELECT program_code FROM year_groups WHERE id = :id", id=largest)
    class_program = school.one("SELECT program_code FROM classes WHERE id = :id", id=class_id)
    term, class_term = term_of(school, program), term_of(school, class_program)
    student = school.one(
        "SELECT s.id FROM homeroom_marks m JOIN students s ON s.id = m.student_id"
        " WHERE m.status = 0 AND s.archived = 0 GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
    )
    excused = school.one("SELECT student_id FROM excusals GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
    names = [
        row[0]
        for row in school.rows(
            "SELECT first_name || ' ' || last_name FROM students WHERE archived = 0 ORDER BY id LIMIT 60"
        )
    ]
    fifteenth = school.one(
        "SELECT min(date) FROM (SELECT DISTINCT date FROM school_days WHERE date <= :day ORDER BY date DESC LIMIT 15)",
        day=_day(school),
    )
    full = {"detail": "full", "per_page": 200}
    return [
        Ask("list_absences, the day", "list_absences", {}),
        Ask("list_absences, unexplained only", "list_absences", {"unexplained_only": True}),
        Ask(f"list_absences, {group}", "list_absences", {"group": group}),
        Ask("list_absences, 15 school days", "list_absences", {"start_date": fifteenth, "end_date": _day(school)}),
        Ask(
            "list_absences, unexplained over a week",
            "list_absences",
            {"start_date": "2026-11-18", "end_date": _day(school), "unexplained_only": True},
        ),
        Ask("list_missing_registers", "list_missing_registers", {}),
        Ask("list_missing_registers, classes", "list_missing_registers", {"kind": "class", "group": group}),
        Ask(
            "reconcile_homeroom, yesterday",
            "reconcile_homeroom",
            {"date": "yesterday"} if school.size == "small" else {"date": "yesterday", "group": group},
        ),
        Ask("reconcile_homeroom", "reconcile_homeroom", {} if school.size == "small" else {"group": group}),
        Ask("list_attendance_concerns", "list_attendance_concerns", {} if school.size == "small" else {"group": group}),
        Ask("list_attendance_concerns, whole school", "list_attendance_concerns", {}),
        Ask("get_student_attendance", "get_student_attendance", {"student": str(student)}),
        Ask("find_in_school, one student", "find_in_school", {"names_or_ids": [str(student)]}),
        Ask("find_in_school, 60 names", "find_in_school", {"names_or_ids": names}),
        Ask("get_school_context", "get_school_context", {}),
        Ask("get_homeroom_attendance", "get_homeroom_attendance", {"year_group_id": largest}),
        Ask("get_homeroom_attendance, full", "get_homeroom_attendance", {"year_group_id": largest, **full}),
        Ask(
            "get_homeroom_term_attendance", "get_homeroom_term_attendance", {"year_group_id": largest, "term_id": term}
        ),
        Ask(
            "get_homeroom_term_attendance, full",
            "get_homeroom_term_attendance",
            {"year_group_id": largest, "term_id": term, **full},
        ),
        Ask("get_homeroom_adjustments", "get_homeroom_adjustments", {"year_group_id": largest, "term_id": term}),
        Ask("get_class_attendance", "get_class_attendance", {"class_id": class_id}),
        Ask("get_class_attendance, full", "get_class_attendance", {"class_id": class_id, **full}),
        Ask("get_class_term_attendance", "get_class_term_attendance", {"class_id": class_id, "term_id": class_term}),
        Ask("get_class_timetable", "get_class_timetable", {"class_id": class_id}),
        Ask("list_excusals", "list_excusals", {}),
        Ask("list_excusals, 200 a page", "list_excusals", {"per_page": 200}),
        Ask("list_student_excusals", "list_student_excusals", {"student_id": excused}),
    ]


def term_of(school: Upstream, program: str) -> int:
    """The programme's term that holds today."""
    return int(
        school.one(
            "SELECT terms.id FROM terms JOIN academic_years ON academic_years.id = academic_year_id"
            " WHERE program_code = :program AND :day BETWEEN terms.starts_on AND terms.ends_on",
            program=program,
            day=_day(school),
        )
    )


async def measure() -> Iterator[Table]:
    """The tables of this part."""
    tables = [await tool_list(), cut_records()]
    answers = Table(
        "Answers in tokens (o200k), each alone",
        ("answer", "size", "text", "budget", "", "structured", "budget", "", "characters"),
    )
    answers.note(
        "Asked of the invented schools at Tue 2026-11-24 10:30. small has 96 students, school about 1,000, "
        "district 10,000."
    )
    for size in SIZES:
        with open_upstream(size) as school:
            async with school.client() as client:
                await _weigh(answers, client, school)
    return iter([*tables, answers])


async def _weigh(table: Table, client: Client, school: Upstream) -> None:
    there = {tool.name for tool in (await client.list_tools()).tools}
    for ask in asks(school):
        if ask.tool not in there:
            table.add(ask.called, school.size, None, None, MISSING, None, None, None, None)
            continue
        result = await client.call_tool(ask.tool, ask.arguments, read_timeout_seconds=150)
        _add(table, ask.called, school.size, result)


def _add(table: Table, called: str, size: Size, result: CallToolResult) -> None:
    if result.is_error:
        table.add(called, size, None, None, f"error: {text_of(result)[:60]}", None, None, None, None)
        return
    text, structured = of_answer(result)
    most_text, most_structured = BUDGETS.get((called, size), ANY)
    characters, most_characters = len(text_of(result)), MOST_CHARACTERS.get((called, size))
    over = f"{characters:,}{f' {OVER} {most_characters:,}' if most_characters and characters > most_characters else ''}"
    table.add(
        called,
        size,
        text,
        most_text,
        within(text, most_text),
        structured,
        most_structured,
        within(structured, most_structured),
        over,
    )


async def tool_list() -> Table:
    """`tools/list` as it stands now, for both profiles, and the generated server's."""
    table = Table("Tokens of tools/list (o200k)", ("tool", "whole", "budget", "", "without output", "budget", ""))
    with open_upstream("small") as school:
        async with school.client() as client:
            listed = (await client.list_tools()).tools
        async with school.client(writes="off") as client:
            reading = (await client.list_tools()).tools
        for called, tools in (("all tools", listed), ("writes off", reading)):
            sizes = [of_tool(tool) for tool in tools]
            whole, bare = sum(one for one, _ in sizes), sum(one for _, one in sizes)
            table.add(
                f"{called} ({len(tools)})",
                whole,
                LISTED,
                within(whole, LISTED),
                bare,
                LISTED_BARE,
                within(bare, LISTED_BARE),
            )
        for tool in listed:
            whole, bare = of_tool(tool)
            table.add(tool.name, whole, EACH, within(whole, EACH), bare, EACH_BARE, within(bare, EACH_BARE))
        async with open_peer(school) as peer:
            if peer is None:
                table.note(NO_PEER)
            else:
                sizes = [of_tool(tool) for tool in await peer.tools()]
                table.add(
                    f"generated peer ({len(sizes)})",
                    sum(one for one, _ in sizes),
                    None,
                    None,
                    sum(one for _, one in sizes),
                    None,
                    None,
                )
    if not exact():
        table.note(ESTIMATE)
    return table


def cut_records() -> Table:
    """Budgets for numbers of students that no size has: the digest on records cut to that number."""
    table = Table(
        "Answers of the digest on records cut to a number (o200k)",
        ("answer", "text", "budget", "", "structured", "budget", ""),
    )
    with open_upstream("school") as school:
        for called, facts, (most_text, most_structured) in cut.answers(school):
            structured = of_json(facts.model_dump(mode="json", exclude_defaults=True, by_alias=True))
            text = tokens("\n".join(facts.lines()))
            table.add(
                called,
                text,
                most_text,
                within(text, most_text),
                structured,
                most_structured,
                within(structured, most_structured),
            )
    return table


def _day(school: Upstream) -> str:
    return school.today.date().isoformat()


__all__ = ["ANY", "OK", "OVER", "asks", "measure", "term_of"]
