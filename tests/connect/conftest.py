"""A laptop: `attendance-mcp connect` as a process of its own, with a keyring in a file and somebody's browser."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyrings.alt.file import PlaintextKeyring
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from attendance_mcp.connect.keeping import _read, _write
from attendance_mcp.http import http_app
from attendance_mcp.http.app import page_of, sign_in_of
from attendance_mcp.server import build
from tests.http.conftest import POLICY, identity
from tests.http.identity import IdentityProvider, free_port
from tests.measured import measured
from tests.server.process import run
from tests.upstream_school import Asking, Era, UpstreamSchool, on_a_port

__all__ = ["identity"]
CLIENT = "laptop"


@dataclass
class Laptop:
    """Somebody's machine. What it prints on stderr is in `notes`."""

    folder: Path
    url: str
    person: str = "cai"
    client: str = CLIENT
    secret: Path | None = None
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        browser = self.folder / "a-browser"
        browser.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name("a_browser.py")} "$@"\n')
        browser.chmod(0o755)
        return {
            "BROWSER": str(browser),
            "DISPLAY": ":0",
            "CI": "",
            "SSH_CONNECTION": "",
            "PERSON": self.person,
            "OPENED": str(self.folder / "opened"),
            "PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring",
            "XDG_DATA_HOME": str(self.folder),
            "HOME": str(self.folder),
            **measured(),
            **self.more,
        }

    @property
    def arguments(self) -> list[str]:
        secret = ["--client-secret-file", str(self.secret)] if self.secret else []
        return ["connect", self.url, "--client-id", self.client, *secret]

    @property
    def opened(self) -> list[str]:
        """What the browser came to, one line for each time that it was opened."""
        file = self.folder / "opened"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def notes(self) -> str:
        return (self.folder / "notes").read_text()

    @asynccontextmanager
    async def assistant(self, era: Era = "auto", **options: Any) -> AsyncIterator[Asking]:
        """A client over stdio, as an assistant on this machine has it."""
        server = StdioServerParameters(
            command=sys.executable, args=["-m", "attendance_mcp", *self.arguments], env=self.environment
        )
        with (self.folder / "notes").open("a") as notes:
            async with Client(stdio_client(server, errlog=notes), mode=era, **options) as client:
                yield Asking(client)

    def run(self, *more: str):
        """The command with these options, to its end."""
        return run(*self.arguments, *more, settings=self.environment)

    # --- what is kept ---

    @property
    def kept(self) -> dict[str, Any]:
        with self._keyring():
            text = _read(keyring, self._name)
        return dict(json.loads(text)) if text else {}

    def keep(self, **changed: Any) -> None:
        """Alters what is kept behind the product's back."""
        kept = self.kept | changed
        with self._keyring():
            _write(keyring, self._name, json.dumps(kept))

    @property
    def _name(self) -> str:
        return f"connect {self.url}/mcp {self.client}"

    @contextmanager
    def _keyring(self) -> Iterator[None]:
        before, own = keyring.get_keyring(), PlaintextKeyring()
        own.file_path = str(self.folder / "python_keyring" / "keyring_pass.cfg")
        keyring.set_keyring(own)
        try:
            yield
        finally:
            keyring.set_keyring(before)


@dataclass
class Server:
    """The school's server, with sign-in."""

    url: str
    school: UpstreamSchool


@pytest.fixture
def server(
    request: pytest.FixtureRequest, identity: IdentityProvider, school: UpstreamSchool, tmp_path: Path
) -> Iterator[Server]:
    """With the settings that the test names as the fixture's parameter."""
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    port = free_port()
    own = {"oidc_issuer": identity.issuer, "public_url": f"http://127.0.0.1:{port}", "policy": policy}
    given = school.settings(**{"writes": "confirm", **own, **getattr(request, "param", {})})
    sign_in = sign_in_of(given)
    app = http_app(build(given, http=True), host="127.0.0.1", sign_in=sign_in, page=page_of(given, sign_in))
    with on_a_port(app, port) as url:
        yield Server(url, school)


@pytest.fixture
def laptop(server: Server, tmp_path: Path) -> Laptop:
    folder = tmp_path / "laptop"
    folder.mkdir()
    return Laptop(folder, server.url)
