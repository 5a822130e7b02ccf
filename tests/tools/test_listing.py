"""What a host shows a model of the tools, with writes on and off. Read a changed snapshot as that model would."""

from __future__ import annotations

import json

import pytest
from inline_snapshot import snapshot
from mcp.types import Tool

from attendance_mcp.tools.publish import rendered
from attendance_mcp.tools.schema import PUBLISHED
from tests.upstream_school import UpstreamSchool

from .cards import card
from .examples import WRITING_TOOLS

pytestmark = pytest.mark.anyio


@pytest.fixture
def school(same_school: UpstreamSchool) -> UpstreamSchool:
    """Nothing here changes the school."""
    return same_school


async def tools_of(school: UpstreamSchool, writes: str = "confirm") -> dict[str, Tool]:
    async with school.client(writes=writes) as ask:
        return {tool.name: tool for tool in (await ask.client.list_tools()).tools}


async def test_the_reading_tools_as_a_model_sees_them(school):
    tools = await tools_of(school, writes="off")
    assert "\n\n".join(f"{name}: {card(tool)}" for name, tool in tools.items()) == snapshot("""\
get_school_context: The school at a glance [reads, idempotent, open world]
The school at a glance: today (a school day or not, for whom), programmes, year groups and current terms with
    ids, what the school's codes and labels count as, what its profile leaves open, and whether and how writes
    go.
  → notice, school, today, time, zone, programmes, labels, gaps, writing, not_read

find_in_school: Find in school [reads, idempotent, open world]
Who or what up to 60 names or ids mean, in one call: students (with homeroom, parents and siblings; classes for
    up to 5), parents, teachers, year groups, homerooms, classes, programmes, terms. Accents, word order and
    small typing errors don't matter; namesakes are told apart, never guessed.
  names_or_ids: up to 60 of string
  kind?: student | parent | teacher | year group | homeroom | class | programme | term
  → notice, found, ambiguous, not_found, remark, not_read

list_absences: Who is absent [reads, idempotent, open world]
Who is absent, late, left early or out, and whether an excusal covers it: on a date, or from start_date to
    end_date (at most 15 school days: dates and runs). Counts for everybody, names for the exceptions. `since`
    (an earlier answer's as_of): what changed.
  date?: string = today, yyyy-mm-dd, today, yesterday or tomorrow
  start_date?: string, yyyy-mm-dd
  end_date?: string, yyyy-mm-dd
  group?: string, programme, year group, homeroom (by its advisor) or class: a name or id; none is the whole
    school
  unexplained_only?: boolean
  since?: string characters ≤ 20
  → notice, day, of, as_of, students, counts, by_group, sections, missed, present_with_excusal, siblings, since,
    changed, remarks, registers, not_taken, not_read, by_day, weekdays, rows, more

list_missing_registers: Missing registers [reads, idempotent, open world]
Which registers of a day are due and not wholly taken (k of n marked), and whose they are: homerooms', or
    classes' in the periods in which they meet. Those not yet due are only counted.
  date?: string = today, yyyy-mm-dd, today, yesterday or tomorrow
  group?: string, programme, year group, homeroom (by its advisor) or class: a name or id; none is the whole
    school
  kind?: homeroom | class = homeroom
  up_to_period?: integer ≥ 0
  → notice, day, of, as_of, kind, students, registers, counts, missing, more, may_meet, may_more, due_not_set,
    remarks, not_read

reconcile_homeroom: Homeroom against classes [reads, idempotent, open world]
Homeroom marks of a day that taken class marks or the excusals contradict: each with its evidence and the change
    that would mend it. It proposes and never writes; marks not taken are no evidence.
  date?: string = today, yyyy-mm-dd, today, yesterday or tomorrow
  group?: string, programme, year group, homeroom (by its advisor) or class: a name or id; none is the whole
    school
  → notice, day, of, as_of, students, in_class, found, changes, untaken, untaken_more, remarks, not_read

list_attendance_concerns: Attendance concerns [reads, idempotent, open world]
Who is below a threshold (percent attended), and who was away run_days or more school days in a row (of the last
    15): in a term, or from start_date to end_date (up to 15 school days). The answer states its rule;
    adjustments stand beside. Unexcused or not it can't tell: list_absences can.
  term?: string, a name or id; none is the current one
  start_date?: string, yyyy-mm-dd
  end_date?: string, yyyy-mm-dd
  group?: string, programme, year group, homeroom (by its advisor) or class: a name or id; none is the whole
    school
  threshold?: number > 0 ≤ 100 = 90
  run_days?: integer ≥ 2 ≤ 15 = 3
  → notice, of, span, students, threshold, unit, counts, below, open, few, few_below, run_days, runs_since,
    runs_found, runs, rules, notes, not_read

get_student_attendance: Attendance of a student [reads, idempotent, open world]
One student's attendance in a term, or from start_date to end_date (up to 15 school days): days by label, the
    rate and its rule, dates, runs and weekdays of the last ten school days, each class in periods, excusals and
    adjustments. Comments are in list_student_excusals.
  student: string, a name or id
  term?: string, a name or id; none is the current one
  start_date?: string, yyyy-mm-dd
  end_date?: string, yyyy-mm-dd
  → notice, id, student, group, advisor, span, counts, rate, adjusted, days_looked_at, days, no_excusal, runs,
    weekdays, classes, excusals, rule, notes, not_read

get_homeroom_attendance: Homeroom marks of a day [reads, idempotent, open world]
The homeroom marks of a year group on one day: counts, registers taken or not, and who isn't simply present.
  year_group_id: integer ≥ 1
  date?: string = today, yyyy-mm-dd, today, yesterday or tomorrow
  detail?: counts | exceptions | full = exceptions
  page?: integer ≥ 1 = 1
  per_page?: integer ≥ 1 ≤ 200 = 100
  → notice, more, fits, group, day, students, counts, registers, marks, not_read

get_homeroom_term_attendance: Homeroom totals of a term [reads, idempotent, open world]
Homeroom totals of a year group in a term, in days: sums, and the students with anything but present.
  year_group_id: integer ≥ 1
  term_id: integer ≥ 1
  archived_students?: boolean
  detail?: counts | exceptions | full = exceptions
  page?: integer ≥ 1 = 1
  per_page?: integer ≥ 1 ≤ 200 = 30
  → notice, more, fits, of, term, unit, students, counts, totals

get_homeroom_adjustments: Homeroom adjustments [reads, idempotent, open world]
The corrections that administrators made by hand to a year group's term totals. Read-only.
  year_group_id: integer ≥ 1
  term_id: integer ≥ 1
  page?: integer ≥ 1 = 1
  per_page?: integer ≥ 1 ≤ 200 = 50
  → notice, more, fits, of, term, students, adjustments

get_class_attendance: Class marks of a day [reads, idempotent, open world]
The marks of one class on one day: counts for each period, and who isn't simply present.
  class_id: integer ≥ 1
  date?: string = today, yyyy-mm-dd, today, yesterday or tomorrow
  detail?: counts | exceptions | full = exceptions
  page?: integer ≥ 1 = 1
  per_page?: integer ≥ 1 ≤ 200 = 100
  → notice, more, fits, class_name, day, students, periods, marks

get_class_term_attendance: Class totals of a term [reads, idempotent, open world]
Totals of a class's students in a term, in periods: sums, and the students with anything but present.
  class_id: integer ≥ 1
  term_id: integer ≥ 1
  archived_students?: boolean
  detail?: counts | exceptions | full = exceptions
  page?: integer ≥ 1 = 1
  per_page?: integer ≥ 1 ≤ 200 = 30
  → notice, more, fits, of, term, unit, students, counts, totals

get_class_timetable: Timetable of a class [reads, idempotent, open world]
The periods in which a class meets, by day of the week or of the rotation.
  class_id: integer ≥ 1
  include_disabled?: boolean
  → notice, class_name, years

list_excusals: Excusals of a day [reads, idempotent, open world]
Every excusal of the school that covers a day, as parents sent them.
  date?: string = today, yyyy-mm-dd, today, yesterday or tomorrow
  page?: integer ≥ 1 = 1
  per_page?: integer ≥ 1 ≤ 200 = 50
  → notice, more, fits, of, total, page, pages, excusals

list_student_excusals: Excusals of a student [reads, idempotent, open world]
One student's excusals with their ids; applies_on keeps those that cover that day.
  student_id: integer ≥ 1
  applies_on?: string, yyyy-mm-dd
  page?: integer ≥ 1 = 1
  per_page?: integer ≥ 1 ≤ 200 = 50
  → notice, more, fits, of, total, page, pages, excusals

list_changes: What was changed here [reads, idempotent, open world]
What was changed through this installation, newest first: plans that wait, are unsettled or were carried out,
    with their outcomes and whether they can be undone. student_id, or a limit up to 3, tells their rows too.
  since?: string, yyyy-mm-dd
  student_id?: integer
  limit?: integer ≥ 1 ≤ 50 = 20
  → notice, plans, since, student_id, entries, more

show_in_window: Show in the person's browser [reads, idempotent, open world]
Opens a page in the person's own browser: the register of a group on a date; the term of a student (a calendar)
    or of a group (everybody, ranked); or the changes made through here, with Undo. You are told only that it is
    open.
  view: register | term | changes
  group?: string, programme, year group, homeroom (by its advisor) or class: a name or id; none is the whole
    school
  student?: string, a name or id
  date?: string, yyyy-mm-dd
  term?: string, a name or id; none is the current one
  → notice, view, of, day\
""")


async def test_the_writing_tools_as_a_model_sees_them(school):
    tools = await tools_of(school)
    assert "\n\n".join(f"{name}: {card(tools[name])}" for name in WRITING_TOOLS) == snapshot("""\
set_homeroom_attendance: Set a homeroom mark [writes, destructive, idempotent, open world]
Plans one student's homeroom mark; with the plan's confirmation and the same arguments, carries it out. Notes
    left out are kept.
  student_id: integer ≥ 1
  date: string, yyyy-mm-dd, today, yesterday or tomorrow
  status: 0 Absent | 1 Present | 2 Late | 3 Dress Code | 4 Late & Dress Code | 5 Dismissed | 10 Health | 11
    Sports | 12 Fieldtrip | 13 Excused | 14 Other | 15 Custom 1 | 16 Custom 2 | 17 Custom 3 | 18 Custom 4 |
    string, the school's label
  notes?: string characters ≤ 500
  erase_notes?: boolean
  confirmation?: string, the plan's code, to carry it out
  → notice, summary, confirmation, expires, changes, already_so, warnings, fingerprint, state, approval, way,
    carried_out, read_back, repeated, outcomes

set_class_attendance: Set class marks [writes, destructive, idempotent, open world]
Plans marks of a class (student, date, period, status); with the plan's confirmation and the same arguments,
    carries them out. Notes left out are kept.
  class_id: integer ≥ 1
  marks: up to 500 of {student_id: integer ≥ 1, date?: string = today, yyyy-mm-dd, today, yesterday or tomorrow,
    period: integer ≥ 0, status: 0 Absent | 1 Present | 2 Late | 3 Dress Code | 4 Late & Dress Code | 5
    Dismissed | 10 Health | 11 Sports | 12 Fieldtrip | 13 Excused | 14 Other | 15 Custom 1 | 16 Custom 2 | 17
    Custom 3 | 18 Custom 4 | string, the school's label, notes?: string characters ≤ 500, erase_notes?: boolean}
  confirmation?: string, the plan's code, to carry it out
  → notice, summary, confirmation, expires, changes, already_so, warnings, fingerprint, state, approval, way,
    carried_out, read_back, repeated, outcomes

create_excusal: Make an excusal [writes, destructive, idempotent, open world]
Plans an excusal in a parent's name, 1 to 12 days; with the plan's confirmation and the same arguments, makes
    it. It changes no mark. Without end_date it covers one day.
  student_id: integer ≥ 1
  parent_id: integer ≥ 1
  start_date: string, yyyy-mm-dd, today, yesterday or tomorrow
  end_date?: string, yyyy-mm-dd
  comment?: string characters ≤ 500
  confirmation?: string, the plan's code, to carry it out
  → notice, summary, confirmation, expires, changes, already_so, warnings, fingerprint, state, approval, way,
    carried_out, read_back, repeated, outcomes

update_excusal: Alter an excusal [writes, destructive, idempotent, open world]
Plans another end date or comment of an excusal; with the confirmation and the same arguments, alters it.
  student_id: integer ≥ 1
  excusal_id: integer ≥ 1
  end_date?: string, yyyy-mm-dd
  comment?: string characters ≤ 500
  confirmation?: string, the plan's code, to carry it out
  → notice, summary, confirmation, expires, changes, already_so, warnings, fingerprint, state, approval, way,
    carried_out, read_back, repeated, outcomes

delete_excusal: Delete an excusal [writes, destructive, idempotent, open world]
Plans the deletion of an excusal; with the plan's confirmation and the same arguments, deletes it for good.
  student_id: integer ≥ 1
  excusal_id: integer ≥ 1
  confirmation?: string, the plan's code, to carry it out
  → notice, summary, confirmation, expires, changes, already_so, warnings, fingerprint, state, approval, way,
    carried_out, read_back, repeated, outcomes

plan_changes: Plan an errand [reads, open world]
Plans one errand of marks, excusals and undone plans, writes nothing. An item is of every student and date it
    names; a class item without periods is of every period that meets, without class_id of all their classes. A
    new excusal starts at its one date; undo takes a plan's confirmation. At most 500 changes. Then
    apply_changes.
  changes: up to 60 of {kind: homeroom | class | new excusal | alter excusal | delete excusal | undo,
    student_ids?: up to 200 of integer, dates?: up to 60 of string, yyyy-mm-dd, today, …, periods?: up to 20 of
    integer, class_id?: integer, status?: integer | string, a code or label, notes?: string characters ≤ 500,
    erase_notes?: boolean, parent_id?: integer, excusal_id?: integer, end_date?: string, yyyy-mm-dd, comment?:
    string characters ≤ 500, confirmation?: string, rows?: up to 500 of integer}
  → notice, summary, confirmation, expires, changes, already_so, warnings, fingerprint, state, approval, way,
    carried_out, read_back, repeated, outcomes

apply_changes: Apply a plan [writes, destructive, idempotent, open world]
Carries out a plan that the person agreed to: its confirmation and its own one-line summary, word for word. Each
    change is read back; calling again answers the recorded outcome.
  confirmation: string characters ≤ 64
  summary: string, the plan's summary
  → notice, summary, confirmation, expires, changes, already_so, warnings, fingerprint, state, approval, way,
    carried_out, read_back, repeated, outcomes\
""")


async def test_without_writes_there_are_the_same_tools_but_those_that_write(school):
    on, off = await tools_of(school), await tools_of(school, writes="off")
    assert set(on) - set(off) == set(WRITING_TOOLS)
    assert {name: on[name] for name in off} == off


async def test_the_whole_schema_of_a_tool(school):
    tool = (await tools_of(school))["set_homeroom_attendance"]
    assert tool.model_dump(mode="json", by_alias=True, exclude_none=True) == snapshot(
        {
            "name": "set_homeroom_attendance",
            "title": "Set a homeroom mark",
            "description": """\
Plans one student's homeroom mark; with the plan's confirmation and the same arguments, carries it out.
Notes left out are kept.\
""",
            "inputSchema": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "student_id": {"minimum": 1, "type": "integer"},
                    "date": {"description": "yyyy-mm-dd, today, yesterday or tomorrow", "type": "string"},
                    "status": {
                        "anyOf": [
                            {"const": 0, "title": "Absent"},
                            {"const": 1, "title": "Present"},
                            {"const": 2, "title": "Late"},
                            {"const": 3, "title": "Dress Code"},
                            {"const": 4, "title": "Late & Dress Code"},
                            {"const": 5, "title": "Dismissed"},
                            {"const": 10, "title": "Health"},
                            {"const": 11, "title": "Sports"},
                            {"const": 12, "title": "Fieldtrip"},
                            {"const": 13, "title": "Excused"},
                            {"const": 14, "title": "Other"},
                            {"const": 15, "title": "Custom 1"},
                            {"const": 16, "title": "Custom 2"},
                            {"const": 17, "title": "Custom 3"},
                            {"const": 18, "title": "Custom 4"},
                            {"description": "the school's label", "type": "string"},
                        ]
                    },
                    "notes": {"maxLength": 500, "type": "string"},
                    "erase_notes": {"type": "boolean"},
                    "confirmation": {"description": "the plan's code, to carry it out", "type": "string"},
                },
                "required": ["student_id", "date", "status"],
            },
            "outputSchema": {
                "properties": {
                    "notice": {"type": "string"},
                    "summary": {"type": "string"},
                    "confirmation": {"type": "string"},
                    "expires": {"type": "string"},
                    "changes": {
                        "items": {
                            "properties": {
                                "record": {"type": "string"},
                                "was": {"type": "string"},
                                "becomes": {"type": "string"},
                                "students": {"items": {"type": "string"}, "type": "array"},
                                "outcome": {"type": "string"},
                                "reason": {"type": "string"},
                            },
                            "type": "object",
                        },
                        "type": "array",
                    },
                    "already_so": {"type": "integer"},
                    "warnings": {"items": {"type": "string"}, "type": "array"},
                    "fingerprint": {"type": "string"},
                    "state": {"type": "string"},
                    "approval": {"type": "string"},
                    "way": {"type": "string"},
                    "carried_out": {"type": "string"},
                    "read_back": {"type": "boolean"},
                    "repeated": {"type": "boolean"},
                    "outcomes": {"additionalProperties": {"type": "integer"}, "type": "object"},
                },
                "type": "object",
            },
            "annotations": {
                "title": "Set a homeroom mark",
                "readOnlyHint": False,
                "destructiveHint": True,
                "idempotentHint": True,
                "openWorldHint": True,
            },
        }
    )


async def test_every_tool_says_what_it_is_and_does(school):
    for name, tool in (await tools_of(school)).items():
        hints = tool.annotations
        assert tool.title, name
        assert tool.description, name
        assert "\n  " not in tool.description, f"{name}: the source's indentation is shown"
        assert hints is not None
        assert hints.title == tool.title
        four = (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint)
        assert None not in four, name
        # A plan changes nothing at the school: the host need not ask before it.
        assert hints.read_only_hint is (name == "plan_changes" or name not in WRITING_TOOLS), name
        assert tool.output_schema is not None, name
        assert tool.output_schema["type"] == "object", name


async def test_no_argument_may_be_unknown(school):
    for name, tool in (await tools_of(school)).items():
        assert tool.input_schema["additionalProperties"] is False, name


async def test_the_names_are_those_that_a_host_takes(school):
    for name in await tools_of(school):
        assert name.isidentifier(), name
        assert name.islower(), name
        assert len(name) <= 40, name


@pytest.mark.parametrize(("writes", "most"), [("confirm", 13_000), ("off", 9_000)])
async def test_the_list_costs_a_chat_few_tokens(school, writes, most):
    """A token is three or more characters of such JSON, so this bound is on the safe side; benchmarks count exactly."""
    tools = await tools_of(school, writes)
    listed = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools.values()]
    assert len(json.dumps(listed, separators=(",", ":"), ensure_ascii=False)) / 3 < most


async def test_the_list_is_there_without_asking_the_school(open_school):
    school = open_school()
    await tools_of(school)
    assert list(school.log) == []


def test_the_published_schemas_are_those_of_the_code():
    """`make schemas` writes the file anew."""
    assert PUBLISHED.read_text("utf-8") == rendered()
