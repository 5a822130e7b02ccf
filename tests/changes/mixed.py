"""One plan of every kind of change on the tiny school, and what must hold of it whatever went wrong under way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from mcp.types import CallToolResult

from attendance_mcp.sandbox.app import create_app
from attendance_mcp.sandbox.database import open_engine
from tests.sandbox import tiny
from tests.sandbox.tiny import AMINA, EMILIE, FEVER, MATHEMATICS, MIA, OMAR, RIN
from tests.upstream_school import TOKEN, Asking, UpstreamSchool, text

from .errands import Facts, everything
from .faulty import FaultyWay
from .stores import store_of

TODAY, COLD = "2025-11-24", 2
NOTHING = "Nothing was written."
ITEMS: list[dict[str, Any]] = [
    {"kind": "homeroom", "student_ids": [MIA], "dates": [TODAY], "status": 2},
    {"kind": "class", "class_id": MATHEMATICS, "student_ids": [MIA, EMILIE], "dates": [TODAY], "periods": [1], "status": 2},
    {"kind": "new excusal", "student_ids": [EMILIE], "parent_id": RIN, "dates": ["2025-11-27"], "comment": "Flu"},
    {"kind": "alter excusal", "student_ids": [MIA], "excusal_id": FEVER, "end_date": "2025-11-26"},
    {"kind": "delete excusal", "student_ids": [OMAR], "excusal_id": COLD},
]  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One row of the plan: how its record is looked up in the school's database, and what that finds."""

    query: str
    before: tuple[Any, ...]
    after: tuple[Any, ...]


HOMEROOM = "select status, note from homeroom_marks where date = '2025-11-24' and student_id = "
CLASS = "select status, note from class_marks where date = '2025-11-24' and period = 1 and student_id = "
NOTED = "No call from home"
ROWS = {
    ("homeroom mark", MIA): Row(f"{HOMEROOM}{MIA}", (0, NOTED), (2, NOTED)),
    ("class mark", MIA): Row(f"{CLASS}{MIA}", (0, None), (2, None)),
    ("class mark", EMILIE): Row(f"{CLASS}{EMILIE}", (1, None), (2, None)),
    ("excusal made", EMILIE): Row(f"select count(*) from excusals where student_id = {EMILIE}", (0,), (1,)),
    ("excusal altered", MIA): Row(
        f"select end_date, comment from excusals where id = {FEVER}", ("2025-11-25", "Fever"), ("2025-11-26", "Fever")
    ),
    ("excusal deleted", OMAR): Row(f"select count(*) from excusals where student_id = {OMAR}", (1,), (0,)),
}
ADDED_OR_GONE = ("excusal made", "excusal deleted")


@dataclass(eq=False)
class Lane:
    """One tiny school and a way to it, for one plan after the other."""

    school: UpstreamSchool
    way: FaultyWay
    founded: dict[str, list[tuple[Any, ...]]]

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator[Lane]:
        folder.mkdir()
        engine = open_engine(folder / "school.db")
        tiny.fill(engine)
        engine.dispose()
        with UpstreamSchool.open(folder / "school.db", today=tiny.TODAY) as school:
            app = create_app(school.engine, token=TOKEN, today=tiny.TODAY, log=school.log)
            school.change(
                f"""insert into excusals (id, student_id, parent_id, start_date, end_date, comment, created_at, updated_at)
                    values ({COLD}, {OMAR}, {AMINA}, '2025-11-24', '2025-11-24', 'Cold', '', '')"""
            )
            with FaultyWay.to(app) as way:
                yield cls(school, way, everything(school))

    def put_back(self) -> None:
        """The school as it was before any plan."""
        with self.school.engine.begin() as connection:
            for table, rows in self.founded.items():
                connection.execute(sa.text(f"delete from {table}"))
                marks = ", ".join(f":c{n}" for n in range(len(rows[0])))
                values = [{f"c{n}": cell for n, cell in enumerate(row)} for row in rows]
                connection.execute(sa.text(f"insert into {table} values ({marks})"), values)
        self.school.log.clear()
        self.way.writes.clear()

    def outcomes(self, code: str) -> dict[tuple[str, int], str]:
        """What the store tells of each row, as another process sees it."""
        with store_of(self.school) as store:
            query = "select c.kind, c.target, c.outcome from plans p join changes c on c.plan_id = p.id where p.code = "
            stored = store.exec_driver_sql(f"{query}'{code}'").all()
        return {(kind, int(target.split()[1].strip(",}"))): outcome for kind, target, outcome in stored}

    def check(self, code: str, *told: CallToolResult, where: Any) -> Counter[str]:
        """Holds what was told of the plan against the store, the school and the wire; answers the outcomes."""
        outcomes = self.outcomes(code)
        so: list[tuple[str, int]] = []
        for row, outcome in outcomes.items():
            (now,) = self.school.rows(ROWS[row].query)
            assert now in (ROWS[row].before, ROWS[row].after), (where, row, now)
            so += [row] if now == ROWS[row].after else []
            assert outcome in ("done", "unknown", "refused", "not sent", "planned"), (where, row)
            assert outcome == "unknown" or (outcome == "done") == (now == ROWS[row].after), (where, row, outcome, now)
        # Nothing else has moved: an altered record is another row than before, an added or deleted one is one row.
        moved = sum(len(set(rows) ^ set(self.founded[table])) for table, rows in everything(self.school).items())
        assert moved == sum(1 if kind in ADDED_OR_GONE else 2 for kind, _ in so), where
        assert len(set(self.way.writes)) == len(self.way.writes), (where, self.way.writes)
        counted = Counter(outcomes.values())
        for result in told:
            assert not result.is_error, (where, text(result))
            assert result.structured_content["outcomes"] == counted, (where, text(result))
            nothing = not result.structured_content.get("repeated") and set(counted) == {"not sent"}
            assert (NOTHING in text(result)) == nothing, (where, text(result))
        return counted


async def plan_all(ask: Asking) -> Facts:
    """The plan of all six rows."""
    return await ask.facts("plan_changes", changes=ITEMS)
