"""A person's browser, as far as a page needs one: cookies by path, and the issuer's pages on the way."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from .conftest import HEADERS, PUBLIC, Guarded
from .identity import IdentityProvider


@dataclass
class Browser:
    """Signed in at the issuer as one person."""

    server: Guarded
    identity: IdentityProvider
    person: str
    cookies: dict[str, tuple[str, str]] = field(default_factory=dict)  # name -> path, value

    def get(self, path: str) -> httpx.Response:
        return self._ask("GET", path)

    def post(self, path: str, ticket: str, origin: str | None = PUBLIC) -> httpx.Response:
        return self._ask("POST", path, data={"ticket": ticket}, headers={"origin": origin} if origin else {})

    def _ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more) -> httpx.Response:
        fitting = [f"{name}={value}" for name, (where, value) in self.cookies.items() if path.startswith(where)]
        named = {"host": HEADERS["host"], **({"cookie": "; ".join(fitting)} if fitting else {}), **(headers or {})}
        answer = self.server.web.request(method, self.server.url + path, headers=named, **more)
        for header in answer.headers.get_list("set-cookie"):
            assert {"HttpOnly", "SameSite=lax", "Secure"} <= set(header.split("; "))
            found = re.match(r"([^=]+)=\"?([^;\"]*)\"?;.*Path=([^;]+)", header)
            assert found
            self.cookies[found[1]] = (found[3], found[2])
            if "Max-Age=0" in header:
                del self.cookies[found[1]]
        return answer

    def way_back(self, answer: httpx.Response) -> str:
        """Goes to the issuer, signs in, and answers the path and query with which the issuer sends one back."""
        with httpx.Client(trust_env=False, verify=False, timeout=10) as web:
            where = httpx.URL(answer.headers["location"]).copy_add_param("login_hint", self.person)
            while not str(where).startswith(PUBLIC):
                found = web.get(where)
                assert found.is_redirect, found.text
                where = httpx.URL(self.identity.issuer).join(found.headers["location"])
        parts = urlsplit(str(where))
        return f"{parts.path}?{parts.query}"

    def open(self) -> httpx.Response:
        """The list of what waits, signing in where one is not."""
        answer = self.get("/approvals")
        if answer.status_code == 302:
            answer = self.get(self.way_back(answer))
            assert answer.status_code == 303, answer.text
            answer = self.get(answer.headers["location"])
        return answer

    def plans(self) -> list[str]:
        """The addresses of the plans that wait."""
        return re.findall(r'href="(/approvals/[0-9a-f]+)"', self.open().text)


def ticket(page: httpx.Response) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]
