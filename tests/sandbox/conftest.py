from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from attendance_mcp.sandbox.app import create_app
from attendance_mcp.sandbox.assumptions import parse_assumptions
from attendance_mcp.sandbox.database import open_engine

from . import tiny

Ask = Callable[..., TestClient]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_engine(tmp_path / "school.db")
    tiny.fill(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def school(engine: sa.Engine) -> Iterator[Ask]:
    """Opens the tiny school's API, its assumptions given as KEY=VALUE."""
    with ExitStack() as clients:

        def open_api(*assume: str, **settings: Any) -> TestClient:
            app = create_app(
                engine, token=tiny.TOKEN, today=tiny.TODAY, assumptions=parse_assumptions(assume), **settings
            )
            return clients.enter_context(TestClient(app, headers={"auth-token": tiny.TOKEN}))

        yield open_api


@pytest.fixture
def api(school: Ask) -> TestClient:
    return school()
