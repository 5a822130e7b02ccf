"""The benchmarks' harness: it needs no package of its own to be imported, and its plain helpers hold; none is timed."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from attendance_mcp.sandbox.log import LogEntry
from benchmarks.__main__ import PARTS
from benchmarks.asking import ids_in, in_sections, said_names
from benchmarks.counting import of_json, tokens
from benchmarks.digest import facts_of, term_body
from benchmarks.questions import QUESTIONS
from benchmarks.table import OK, OVER, Table, shown, within
from benchmarks.wires import is_right
from benchmarks.writes import Phases


@pytest.mark.parametrize("module", PARTS.values())
def test_every_part_can_be_imported_without_the_packages_that_only_benchmarks_need(module: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.{module}").measure)


@pytest.mark.anyio
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="a process's memory is read from /proc")
@pytest.mark.parametrize(("part", "rows"), [("load", ["stdio", "HTTP"]), ("load_http", ["1", "50", "200"])])
async def test_every_call_under_load_is_answered_and_right(
    part: str, rows: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOAD_SECONDS", "0.2")
    speed, beside = await importlib.import_module(f"benchmarks.{part}").measure()
    assert [row[0] for row in speed.rows] == rows
    errors = speed.header.index("errors")
    assert [row[errors] for row in speed.rows] == ["0"] * len(rows)
    assert all(int(row[errors - 1].replace(",", "")) >= 2 for row in speed.rows)
    assert beside.rows


@pytest.mark.anyio
async def test_every_teacher_of_a_peak_is_signed_in_and_answered_and_no_request_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PEAK_SECONDS", "0.2")
    times, upstream = await importlib.import_module("benchmarks.peak").measure()
    asked = ["the assistant opens", "list_missing_registers", "get_homeroom_attendance", "list_absences",
             "list_excusals"]  # fmt: skip
    assert [row[:3] for row in times.rows] == [[one, "6", "0"] for one in asked] + [["all", "30", "0"]]
    (row,) = upstream.rows
    assert row[upstream.header.index("refused (429)")] == "0"
    assert int(row[0]) > 6


def test_an_answer_about_somebody_else_counts_as_an_error() -> None:
    right = b'{"id":1,"result":{"isError":false,"structuredContent":{"found":[{"id":10400004,"name":"Mia"}]}}}'
    assert is_right(right, 10400004)
    assert not is_right(right, 10400005)
    assert not is_right(right.replace(b"false", b"true"), 10400004)


def test_there_are_twenty_questions_and_no_two_are_the_same() -> None:
    assert len({question.words for question in QUESTIONS}) == len(QUESTIONS) == 20


def test_a_budget_holds_up_to_its_last_unit_and_nothing_is_said_of_what_could_not_be_measured() -> None:
    assert [within(measured, 10) for measured in (9.9, 10, 10.1, "error: no")] == [OK, OK, OVER, ""]
    assert within(10**9, None) == ""


def test_numbers_are_shown_as_people_read_them() -> None:
    assert [shown(value) for value in (None, 12345, 0.456, 12.34, 1234.5, "2 of 3")] == [
        "",
        "12,345",
        "0.46",
        "12.3",
        "1,234",
        "2 of 3",
    ]


def test_a_table_is_the_same_facts_in_both_forms_and_counts_the_rows_over_budget() -> None:
    table = Table("Tokens", ("answer", "text", ""))
    table.add("明 Bai", 120, OK)
    table.add("everybody | all", 12_000, OVER)
    table.note("Asked of an invented school.")
    assert table.over == 1
    assert table.plain().splitlines() == [
        "Tokens",
        "======",
        "answer           text",
        "---------------  ------  ----",
        "明 Bai              120  ok",
        "everybody | all  12,000  OVER",
        "  Asked of an invented school.",
    ]
    assert "| everybody / all | 12,000 | OVER |" in table.markdown()


def test_tokens_grow_with_the_text_and_json_is_counted_compact() -> None:
    assert 0 < tokens("Who is absent today?") < tokens("Who is absent today? " * 20)
    assert of_json({"students": ["Zoë"]}) == tokens('{"students":["Zoë"]}')


def test_the_longest_name_is_the_one_that_was_said() -> None:
    names = {"Kai Tan", "Kai Tan-Weber", "Mia Ito", "Ana Sol"}
    assert said_names("Absent: Kai Tan-Weber, Mia Ito; Ana Solé", names) == {"Kai Tan-Weber", "Mia Ito"}


def test_students_are_found_by_kind_wherever_an_answer_holds_them() -> None:
    facts = {
        "sections": [
            {"kind": "absent", "excusal": False, "students": {"Grade 7": {"10400001": "Mia Ito"}}},
            {"kind": "absent", "excusal": True, "students": {"Grade 8": {"10400002": "Kai Tan"}}},
            {"kind": "late", "students": {"Grade 8": {"10400003": "Ana Sol"}}},
        ]
    }
    assert in_sections(facts, "absent") == {10400001, 10400002}
    assert in_sections(facts, "absent", excusal=False) == {10400001}
    assert ids_in([{"id": 5, "rows": [{"id": 6}]}, {"10400009": "Mia Ito"}]) == {5, 6, 10400009}


def test_the_totals_that_are_timed_hold_every_student() -> None:
    assert facts_of(term_body(50)).students == 50


def test_a_write_waits_for_the_reads_before_it_and_what_is_read_back_for_the_write() -> None:
    read, write = LogEntry("GET", "/marks", "", 200), LogEntry("PUT", "/marks", "", 200, {"status": 2})
    phases = Phases()
    phases.add([read, read])  # the plan
    phases.add([read, write, write, read])  # and its apply, which reads again
    assert phases.requests == [[read, read], [read], [write, write], [read]]
    assert phases.counts == (4, 2)
