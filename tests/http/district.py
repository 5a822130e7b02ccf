"""Two schools at one address, as all of ManageBac's are, told apart by their tokens alone; and one server over them.

Both are the same invented school, so that every id of the one is an id of the other; only the last names differ.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from starlette.datastructures import Headers

from attendance_mcp.http import http_app
from attendance_mcp.http.app import page_of, sign_in_of
from attendance_mcp.sandbox.app import create_app
from attendance_mcp.sandbox.database import open_engine
from attendance_mcp.sandbox.log import RequestLog
from attendance_mcp.server import build_schools
from attendance_mcp.settings import Settings
from tests.measured import measured
from tests.upstream_school import TODAY, UpstreamSchool, on_a_port

from .conftest import PUBLIC, Guarded

TITLES = {"north": "North School", "south": "South School"}
# The office of the north, a homeroom's advisor and the counsellors of the south, the heads of Grade 8 of both.
POLICY = """
[[allow]]
claim = "groups"
value = "office"
schools = ["north"]
read = "whole school"
write = "whole school"

[[allow]]
claim = "groups"
value = "counsellors"
schools = ["south"]
read = "whole school"

[[allow]]
claim = "groups"
value = "advisors-7-shen"
schools = ["south"]
write.homerooms = ["Grade 7 Yichen Shen"]

[[allow]]
claim = "groups"
value = "heads-8"
schools = "every school"
write.year_groups = ["Grade 8"]
"""


@dataclass
class District:
    """The schools, what the product is given to serve them, and their tokens' files."""

    folder: Path
    north: UpstreamSchool
    south: UpstreamSchool
    given: dict[str, Any]

    @property
    def schools(self) -> dict[str, UpstreamSchool]:
        return {"north": self.north, "south": self.south}

    @property
    def asked(self) -> dict[str, int]:
        """How many requests each school has had."""
        return {name: len(school.log) for name, school in self.schools.items()}

    def token_of(self, name: str) -> Path:
        return self.folder / f"token-{name}"

    def settings(self, **more: Any) -> Settings:
        return Settings(**self.given, **more)

    def environment(self, **more: Any) -> dict[str, str]:
        values = {**self.given, "today": TODAY.isoformat(timespec="minutes"), **more}
        return measured() | {f"ATTENDANCE_{name.upper()}": str(value) for name, value in values.items()}

    @contextmanager
    def served(self, **more: Any) -> Iterator[Guarded]:
        """A server over both, in this process."""
        settings = self.settings(**more)
        sign_in = sign_in_of(settings)
        app = http_app(build_schools(settings), host="0.0.0.0", sign_in=sign_in, page=page_of(settings, sign_in))
        with on_a_port(app) as url, httpx.Client(trust_env=False, verify=False, timeout=20) as web:
            yield Guarded(url, web)


@contextmanager
def open_district(folder: Path, file: Callable[[], Path], issuer: str) -> Iterator[District]:
    """The district in a folder of its own."""
    apps, opened = {}, {}
    with ExitStack() as stack:
        for name in TITLES:
            shutil.copy(file(), path := folder / f"{name}.db")
            engine, log, token = open_engine(path), RequestLog(), f"a-token-of-the-{name}"
            stack.callback(engine.dispose)
            apps[token] = create_app(engine, token=token, today=TODAY, log=log)
            opened[name] = (path, engine, log)
            (folder / f"token-{name}").write_text(token)
            (folder / f"token-{name}").chmod(0o600)

        async def by_token(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                app = apps.get(Headers(scope=scope).get("auth-token", ""), next(iter(apps.values())))
                await app(scope, receive, send)

        url = stack.enter_context(on_a_port(by_token))
        north, south = (UpstreamSchool(url, path, engine, log, TODAY) for path, engine, log in opened.values())
        for name, school in (("Northerly", north), ("Southerly", south)):
            school.change("update students set last_name = :name", name=name)
        (folder / "policy.toml").write_text(POLICY)
        (folder / "schools.toml").write_text(_schools(url))
        given = {
            "schools": folder / "schools.toml",
            "policy": folder / "policy.toml",
            "oidc_issuer": issuer,
            "public_url": PUBLIC,
            "store": str(folder / "plans.db"),
            "today": TODAY,
        }
        yield District(folder, north, south, given)


def _schools(url: str) -> str:
    tables = [
        f'[{name}]\ntitle = "{title}"\napi_url = "{url}"\napi_token_file = "token-{name}"\n'
        'timezone = "Asia/Singapore"\nrate = 1000\n'
        for name, title in TITLES.items()
    ]
    return "\n".join(tables)
