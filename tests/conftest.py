"""A real school on a loopback port, and real MCP clients in both protocol eras over every transport."""

from __future__ import annotations

import gc
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from jsonschema import Draft202012Validator

from attendance_mcp.sandbox.assumptions import parse_assumptions
from attendance_mcp.sandbox.database import open_engine
from attendance_mcp.sandbox.population import prepare

from . import postgresql
from .certificates import Certificates
from .upstream_school import TODAY, UpstreamSchool

# The same examples at every run: what one run finds, every run finds. `HYPOTHESIS_PROFILE=default` looks further.
settings.register_profile("repeatable", derandomize=True)
# `make mutate` tries many faults, beside other work: fewer examples, and none fails because the machine is busy.
settings.register_profile("mutants", derandomize=True, max_examples=30, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_collection_finish() -> None:
    """What is loaded by now stays: going through it again and again was a seventh of the tests' time."""
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything is installed (`.ci/run`), a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("NO_SKIPS") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _nobody_elses_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the settings, the data folder or the home of whoever runs it."""
    for name in list(os.environ):
        if name.startswith("ATTENDANCE_"):
            monkeypatch.delenv(name)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):  # no test may open a browser on somebody's desk
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture(scope="session", autouse=True)
def _every_schema_is_checked_once() -> Iterator[None]:
    """Every client of the SDK's checks the schema of each tool's output anew: a tenth of what the tests would cost."""
    checked: set[str] = set()
    check = Draft202012Validator.check_schema

    def check_once(schema: Any, *options: Any, **more: Any) -> None:
        text = json.dumps(schema)
        if text not in checked:
            check(schema, *options, **more)
            checked.add(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Draft202012Validator, "check_schema", check_once)
        yield


@pytest.fixture(scope="session")
def school_files(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A school's file of a size and moment, made once."""
    made: dict[tuple[str, datetime], Path] = {}

    def file(size: str = "small", today: datetime = TODAY) -> Path:
        if (size, today) not in made:
            path = tmp_path_factory.mktemp("schools") / f"{size}.db"
            engine = open_engine(path)
            prepare(engine, size=size, today=today)  # type: ignore[arg-type]
            engine.dispose()  # the last one to close the file leaves no log beside it: the copies take the file alone
            made[size, today] = path
        return made[size, today]

    return file


@pytest.fixture
def open_school(school_files: Callable[..., Path], tmp_path: Path) -> Iterator[Callable[..., UpstreamSchool]]:
    """Opens a school of its own for this test: `open_school("small", "periods_from=0", without={"calendar"})`."""
    with ExitStack() as stack:

        def open_one(size: str = "small", *assume: str, today: datetime = TODAY, **options: Any) -> UpstreamSchool:
            path = tmp_path / f"school-{size}-{len(list(tmp_path.iterdir()))}.db"
            shutil.copy(school_files(size, today), path)
            assumptions = parse_assumptions(assume)
            return stack.enter_context(UpstreamSchool.open(path, today=today, assumptions=assumptions, **options))

        yield open_one


@pytest.fixture
def school(open_school: Callable[..., UpstreamSchool]) -> UpstreamSchool:
    """The small school on Tuesday 24 November 2026, 10:30."""
    return open_school()


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgresql.Cluster]:
    """A PostgreSQL for the tests of one process."""
    if postgresql.MISSING:
        pytest.skip(postgresql.MISSING)
    with postgresql.Cluster.open() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def same_school(
    school_files: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[UpstreamSchool]:
    """The small school on the same day, shared by tests that write nothing and count no requests."""
    path = tmp_path_factory.mktemp("same") / "school.db"
    shutil.copy(school_files(), path)
    with UpstreamSchool.open(path, today=TODAY) as school:
        yield school
    assert school.writes == []


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A certificate for 127.0.0.1 by an authority that no machine trusts."""
    return Certificates.made_in(tmp_path_factory.mktemp("tls"), authority="Harbour School's own authority")
