"""A person's browser that tests drive: what the window asks the desktop to open, and what a page is made of."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import pytest

from attendance_mcp.window.window import Window

from .chromium import Chromium, chromium
from .plans import NOW

REFRESH = re.compile(r'content="0;url=([^"]+)"')


@dataclass(eq=False)
class Desktop:
    """What the window was told to open, and a clock that the test moves."""

    now: datetime = NOW
    opened: list[str] = field(default_factory=list)
    answers: bool = True

    def open(self, address: str) -> bool:
        self.opened.append(address)
        return self.answers

    @property
    def file(self) -> Path:
        return Path(unquote(urlsplit(self.opened[-1]).path))

    @property
    def address(self) -> str:
        """Where the opened file leads."""
        found = REFRESH.search(self.file.read_text("utf-8"))
        assert found
        return found[1]


@dataclass(eq=False)
class WatchedDesktop(Desktop):
    """A desktop that tells when something was opened."""

    told: threading.Event = field(default_factory=threading.Event)

    def open(self, address: str) -> bool:
        answer = super().open(address)
        self.told.set()
        return answer


@dataclass(eq=False)
class Browser:
    """A browser without scripts: it keeps cookies and fills in forms."""

    client: httpx.AsyncClient
    page: httpx.Response | None = None

    @property
    def text(self) -> str:
        assert self.page is not None
        return self.page.text

    async def open(self, address: str) -> Browser:
        self.page = await self.client.get(address)
        if found := REFRESH.search(self.text):
            self.page = await self.client.get(self.page.url.join(found[1]))
        return self

    async def reload(self) -> Browser:
        assert self.page is not None
        return await self.open(str(self.page.url))

    def ticket(self) -> str:
        found = re.search(r'name="ticket" value="([^"]+)"', self.text)
        assert found
        return found[1]

    async def click(self, what: str, *, ticket: str | None = None, **headers: str) -> Browser:
        assert self.page is not None
        url = self.page.url
        origin = {"origin": f"{url.scheme}://{url.host}:{url.port}", "sec-fetch-site": "same-origin"}
        self.page = await self.client.post(
            url.join(f"{url.path}/{what}"),
            data={"ticket": ticket or self.ticket()},
            headers=origin | {name.replace("_", "-"): value for name, value in headers.items()},
        )
        return self


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """One browser for the tests of a file."""
    profile = tmp_path_factory.mktemp("chromium")
    with chromium(profile) as browser:
        yield browser
    shutil.rmtree(profile, ignore_errors=True)


@pytest.fixture
def desktop() -> Desktop:
    return Desktop()


@pytest.fixture
async def window(desktop: Desktop) -> AsyncIterator[Window]:
    window = Window(desktop.open, now=lambda: desktop.now, linger=timedelta(minutes=10))
    yield window
    await window.aclose()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with httpx.AsyncClient(follow_redirects=True, trust_env=False) as client:
        yield Browser(client)


@pytest.fixture
async def stranger() -> AsyncIterator[Browser]:
    """Another program or browser of the machine."""
    async with httpx.AsyncClient(follow_redirects=True, trust_env=False) as client:
        yield Browser(client)
