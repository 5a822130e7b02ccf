"""The sandbox against a copy of the contract, over real HTTP: every operation, sound and unsound requests alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from attendance_mcp.sandbox import database as db
from attendance_mcp.sandbox.app import create_app
from attendance_mcp.sandbox.assumptions import CHOICES, parse_assumptions
from attendance_mcp.sandbox.operations import OPERATIONS
from attendance_mcp.sandbox.serve import open_school
from tests.upstream_school import on_a_port

HERE = Path(__file__).parent
TOKEN = "contract-token"
OTHERWISE = [f"{key}={values[-1]}" for key, values in CHOICES.items()]  # none of the contract's assumptions holds
TODAY = datetime(2025, 11, 24, 10, 0)


@pytest.mark.parametrize("assume", [[], OTHERWISE], ids=["as assumed", "otherwise"])
def test_every_operation_holds_to_the_contract(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, assume: list[str]
):
    with open_school(size="small", today=TODAY, file=tmp_path / "school.db") as engine:
        config = tmp_path / "schemathesis.toml"
        config.write_text((HERE / "schemathesis.toml").read_text() + _dictionaries(engine))
        app = create_app(engine, token=TOKEN, today=TODAY, assumptions=parse_assumptions(assume))
        with on_a_port(app) as url:
            run = subprocess.run(
                [
                    *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
                    *("run", str(HERE / "openapi.yaml"), "--url", url, "-H", f"auth-token: {TOKEN}", "--no-color"),
                ],
                cwd=tmp_path,
                env=os.environ
                | {
                    "SCHEMATHESIS_HOOKS": "tests.sandbox.explained",
                    "PYTHONPATH": str(HERE.parents[1]),
                    "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path_factory.getbasetemp() / "hypothesis"),  # its alphabets
                },
                capture_output=True,
                text=True,
                check=False,
            )
    assert run.returncode == 0, run.stdout + run.stderr
    written = {entry.method for entry in app.state.log.writes() if entry.status in (200, 201)}
    assert written == {"PUT", "POST", "PATCH", "DELETE"}  # or the answers to writes were never looked at
    operations = len(OPERATIONS)
    assert f"Selected: {operations}/{operations}\n  Tested: {operations}\n" in run.stdout


def test_the_sandbox_has_the_contracts_operations_and_no_other():
    paths = yaml.safe_load((HERE / "openapi.yaml").read_text())["paths"]
    methods = ("get", "put", "post", "patch", "delete")
    contract = {
        (method.upper(), path): what
        for path, item in paths.items()
        for method, what in item.items()
        if method in methods
    }
    assert {(operation.method, operation.path) for operation in OPERATIONS} == set(contract)
    extended = {key for key, what in contract.items() if what.get("x-extended-apis")}
    assert {(row.method, row.path) for row in OPERATIONS if row.part == "extended"} == extended


def _dictionaries(engine: sa.Engine) -> str:
    """Ids that belong together, so that writes succeed too: a student with parents, classes and many excusals."""
    with engine.begin() as connection:

        def read(column: sa.ColumnElement[Any], *where: sa.ColumnElement[bool]) -> list[Any]:
            return list(connection.execute(sa.select(column).where(*where).distinct().order_by(column)).scalars())

        student = read(db.child_links.c.student_id)[0]
        parents = read(db.child_links.c.parent_id, db.child_links.c.student_id == student)
        stamps = {"created_at": "2025-11-24T08:00:00Z", "updated_at": "2025-11-24T08:00:00Z"}
        days = [str(date(2026, 1, 5) + timedelta(days=2 * number)) for number in range(60)]
        excusals = [
            {"student_id": student, "parent_id": parents[0], "start_date": day, "end_date": day, **stamps}
            for day in days
        ]
        connection.execute(db.excusals.insert(), excusals)
        known = {
            "students": [student],
            "parents": parents,
            "classes": read(db.memberships.c.class_id, db.memberships.c.student_id == student)[:3],
            "excusals": read(db.excusals.c.id, db.excusals.c.student_id == student),
            "year_groups": read(db.year_groups.c.id),
            "terms": read(db.terms.c.id),
            "years": read(db.academic_years.c.id),
            "programs": read(db.programs.c.code),
            "days": ["2025-11-10", "2025-11-19", "2025-11-24", "2025-12-01", "2025-12-08"],
            "periods": [1, 2, 3, 4, 5, 6],
        }
    return "".join(f"\n[dictionaries.{name}]\nvalues = {json.dumps(values)}\n" for name, values in known.items())
