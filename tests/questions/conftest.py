"""Schools that several tests only read."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.upstream_school import TODAY, UpstreamSchool


@pytest.fixture(scope="session")
def read_only(
    school_files: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., UpstreamSchool]]:
    """A school of a size for tests that change nothing in it: made and served once."""
    with ExitStack() as stack:
        opened: dict[str, UpstreamSchool] = {}

        def of(size: str) -> UpstreamSchool:
            if size not in opened:
                path = tmp_path_factory.mktemp("read-only") / f"{size}.db"
                shutil.copy(school_files(size), path)
                opened[size] = stack.enter_context(UpstreamSchool.open(path, today=TODAY))
            return opened[size]

        yield of


@pytest.fixture
def standing(read_only: Callable[..., UpstreamSchool]) -> UpstreamSchool:
    """The small school; nothing may be changed in it."""
    return read_only("small")


@pytest.fixture
def large(read_only: Callable[..., UpstreamSchool]) -> UpstreamSchool:
    """The school of about 1,000 students; nothing may be changed in it."""
    return read_only("school")
