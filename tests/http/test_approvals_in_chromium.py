"""A person signs in at the identity provider in a real browser, agrees to a plan of theirs on `/approvals`, and undoes it."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import pytest
from selenium.webdriver.common.keys import Keys

from tests.changes.errands import DAY, everything, homeroom, named
from tests.upstream_school import on_a_port
from tests.window.chromium import MISSING
from tests.window.conftest import running

from .conftest import HEADERS
from .identity import READ, WRITE

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)
__all__ = ["running"]
GRADE_8 = """select s.id from students s join homeroom_marks m on m.student_id = s.id
             where year_group_id = 22400018 and archived = 0 and m.date = :day and m.status = 1 order by 1"""
LOOKS = [(dark, width) for dark in (False, True) for width in (1000, 360)]


@pytest.fixture
def local(identity):
    """The origin of a server at this machine, from whose page people are sent to the provider."""
    return identity.pages[-1].removesuffix("/approvals/signed-in")


@pytest.fixture
def plan(guarded_app, school, local, identity, tmp_path):
    """A server at the browser's own machine; plans a mark of a student's there as cai's assistant does."""
    secret = tmp_path / "secret"
    secret.write_text("a-secret-of-the-approvals-page")
    secret.chmod(0o600)
    settings = {"public_url": local, "oidc_client_id": "approvals", "oidc_client_secret_file": secret}
    app = guarded_app(school, writes="confirm", approval="human", **settings)
    token = identity.token("cai", READ, WRITE, resource=f"{local}/mcp")
    headers = {**HEADERS, "host": urlsplit(local).netloc, "authorization": f"Bearer {token}"}

    def planned(student):
        arguments = {"student_id": student, "date": DAY, "status": 12}
        params = {"name": "set_homeroom_attendance", "arguments": arguments}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        answer = httpx.post(f"{local}/mcp", headers=headers, json=body, trust_env=False).json()["result"]
        return answer["structuredContent"]["summary"]

    with on_a_port(app, urlsplit(local).port):
        yield planned


def accessible(browser):
    """Whether the page is so in each look that the person's screen may have."""
    for dark, width in LOOKS:
        browser.look(dark=dark, width=width)
        assert browser.violations() == []
        assert browser.run("return document.documentElement.scrollWidth") <= width
    browser.look()


def test_a_person_signs_in_agrees_to_their_plan_and_undoes_it_with_scripts_and_without(
    plan, school, running, local, identity
):
    browser, before = running, everything(school)
    first, second = (id for (id,) in school.rows(GRADE_8, day=DAY)[:2])
    summary = plan(first)

    browser.open(f"{local}/approvals")
    browser.wait_for("Who are you?")
    browser.keys("cai", Keys.ENTER)
    browser.wait_for("1 plan of yours")
    accessible(browser)
    browser.tab_to(summary)
    browser.keys(Keys.ENTER)
    browser.wait_for("1 change")
    assert named(school, first).partition(" (")[0] in browser.text
    assert browser.title.startswith("Waits for you")
    accessible(browser)
    assert everything(school) == before
    browser.click("Apply 1 change")
    browser.wait_for("1 done.")
    assert homeroom(school, first)[0] == 12
    accessible(browser)
    browser.click("Undo")
    browser.wait_for("Waits for you")
    browser.click("Apply 1 change")
    browser.wait_for("1 done.")
    assert everything(school) == before
    browser.open(f"{local}/approvals")
    browser.wait_for("No plan of yours waits")
    accessible(browser)

    browser.look(scripts=False)
    summary = plan(second)
    browser.open(f"{local}/approvals")
    browser.tab_to(summary)
    browser.keys(Keys.ENTER)
    browser.wait_for("1 change")
    browser.click("Apply 1 change")
    browser.wait_for("1 done.")
    assert homeroom(school, second)[0] == 12
    browser.click("Undo")
    browser.wait_for("Waits for you")
    browser.click("Discard")
    browser.wait_for("This plan was discarded. Nothing was written.")
    assert homeroom(school, second)[0] == 12
    assert browser.complaints() == []
    asked = {url.partition("?")[0] for url in browser.requests() if url.startswith("http")}
    assert {f"{part.scheme}://{part.netloc}" for part in map(urlsplit, asked)} == {local, identity.issuer}
