"""A term's totals from bytes to an answer's facts, and the digest alone, against parsing the same JSON."""

from __future__ import annotations

import gc
import json
from collections import Counter
from random import Random
from statistics import median

from attendance_mcp.api.attendance import TermTotals as TermTotalsRecord
from attendance_mcp.digest.totals import TermTotals, term_totals
from attendance_mcp.rules.labels import Labels
from benchmarks.noise import timed
from benchmarks.table import Table, within

LABELS = Labels.of(None)
STUDENTS = (1_000, 10_000, 100_000)
WHOLE, DIGEST = 5.0, 0.5  # at most so many times the parse
LINEAR = 1.5  # a student may grow at most so many times as much dearer as in json.loads, whose objects stay as well


async def measure() -> list[Table]:
    """The table of this part."""
    table = Table(
        "Term totals: bytes to facts, and the digest alone, against json.loads (median)",
        ("students", "JSON, MB", "json.loads, ms", "bytes→facts, ms", "× parse", "budget", "",
         "digest alone, ms", "× parse", "budget", ""),
    )  # fmt: skip
    a_student: dict[int, tuple[float, float, float]] = {}
    for students in STUDENTS:
        parse, whole, alone = times(term_body(students), runs=9 if students < 100_000 else 3)
        a_student[students] = parse / students, whole / students, alone / students
        table.add(
            students, len(term_body(students)) / 1e6, parse * 1e3,
            whole * 1e3, whole / parse, WHOLE, within(whole / parse, WHOLE),
            alone * 1e3, alone / parse, DIGEST, within(alone / parse, DIGEST),
        )  # fmt: skip
    parsed, whole, alone = (
        last / first for first, last in zip(a_student[STUDENTS[0]], a_student[STUDENTS[-1]], strict=True)
    )
    linear = max(whole, alone) <= LINEAR * max(1.0, parsed)
    table.note(
        f"A student costs {whole:.2f} × as much at 100,000 as at 1,000 from bytes to facts, {alone:.2f} × in the digest"
        f" alone and {parsed:.2f} × in json.loads: {'linear' if linear else 'OVER, not linear'}."
    )
    table.note("Facts: records checked, labels with their kinds, sums for everybody, the first page of exceptions.")
    return [table]


def times(body: bytes, *, runs: int) -> tuple[float, float, float]:
    """Median seconds of parsing, of all the way, and of the digest alone.

    In turns, so that a slow moment of the machine falls on all alike; the collector runs as it does in the server.
    """
    gc.collect()
    gc.freeze()  # as the server does once it has started
    parse, whole, alone = [], [], []
    for _ in range(runs):
        gc.collect()
        parse.append(timed(lambda: json.loads(body))[0])
        gc.collect()
        whole.append(timed(lambda: facts_of(body))[0])
    answered = records_of(body)
    names = {student.id: f"Student {student.id}" for student in answered.students}
    for _ in range(runs):
        gc.collect()
        alone.append(timed(lambda: digest_of(answered, names))[0])
    return median(parse), median(whole), median(alone)


def term_body(students: int) -> bytes:
    """What the API answers for a term: each student with one to five labels, most of them present."""
    chance = Random(1)
    rows = []
    for number in range(students):
        others = chance.sample((-1, 0, 2, 5, 10, 12, 13), chance.randrange(5))
        categories = [
            # The API words -1 like 1, and adds both up in the counts by label.
            {"label": LABELS[abs(code)].text, "status": code, "value": chance.randint(1, 60 if code == 1 else 6)}
            for code in (1, *others)
        ]
        sums: Counter[str] = Counter()
        for one in categories:
            sums[str(one["label"])] += int(one["value"])
        rows.append({"id": 10_000_000 + number, "attendance": sums, "attendance_categories": categories})
    return json.dumps({"students": rows}).encode()


def records_of(body: bytes) -> TermTotalsRecord:
    """The records, checked, as the client reads them."""
    return TermTotalsRecord.read(body)


def digest_of(answered: TermTotalsRecord, names: dict[int, str]) -> TermTotals:
    """The digest alone: labels with their kinds, sums for everybody, the first page of exceptions."""
    return term_totals(answered.students, LABELS, of="Grade 8", term="Term 1", unit="days", names=names)


def facts_of(body: bytes) -> TermTotals:
    """All the way; names stand in the directory."""
    return digest_of(records_of(body), {})
