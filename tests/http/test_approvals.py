"""The page where a person agrees to a plan of theirs, for clients over HTTP that can't be asked."""

from __future__ import annotations

import re

import pytest

from tests.changes.errands import DAY, homeroom, named

from .browser import Browser, ticket
from .conftest import PEOPLE, POLICY, PUBLIC, RESOURCE
from .identity import READ, WRITE

PAGE = f"{PUBLIC}/approvals"
GRADE_8 = "select id from students where year_group_id = 22400018 and archived = 0 order by id"


@pytest.fixture(scope="module")
def tokens(identity):
    return {person: identity.token(person, READ, WRITE, resource=RESOURCE) for person in PEOPLE}


@pytest.fixture
def server(guard, school, secret):
    return guard(school, writes="confirm", approval="human", oidc_client_id="approvals", oidc_client_secret_file=secret)


@pytest.fixture
def planned(server, school, tokens):
    """A plan of cai's, the student whom it is of, and what the call to apply it needs."""
    student = school.one(GRADE_8)[0]
    plan = server.facts(tokens["cai"], "set_homeroom_attendance", student_id=student, date=DAY, status=2)
    return student, {"confirmation": plan["confirmation"], "summary": plan["summary"]}


@pytest.fixture
def browser(server, identity):
    return lambda person: Browser(server, identity, person)


def test_a_plan_waits_on_the_page_is_agreed_to_there_and_its_outcome_told_to_the_client(
    server, school, planned, tokens, browser
):
    student, codes = planned
    good, said = server.told(tokens["cai"], "apply_changes", **codes)
    assert not good
    assert f" at {PAGE}, where the person signs in, reads it and decides" in said
    assert codes["confirmation"] not in said
    assert school.writes == []

    cai = browser("cai")
    (address,) = cai.plans()
    page = cai.get(address)
    assert named(school, student).split(" (")[0] in page.text
    assert "your own computer" not in page.text
    assert codes["confirmation"] not in page.text + address
    clicked = cai.post(f"{address}/agree", ticket(page))
    assert (clicked.status_code, clicked.headers["location"]) == (303, address)
    assert 'data-state="settled"' in cai.get(address).text
    assert homeroom(school, student)[0] == 2
    assert len(school.writes) == 1

    again = server.facts(tokens["cai"], "apply_changes", **codes)
    assert again["outcomes"] == {"done": 1}
    (entry,) = server.facts(tokens["cai"], "list_changes")["entries"]
    assert entry["agreed"] == "a person"
    assert len(school.writes) == 1
    assert cai.plans() == []


def test_a_plan_can_be_discarded_and_one_that_was_carried_out_undone(server, school, planned, tokens, browser):
    student, _ = planned
    before = homeroom(school, student)
    cai = browser("cai")
    (address,) = cai.plans()
    cai.post(f"{address}/agree", ticket(cai.get(address)))
    back = cai.post(f"{address}/undo", ticket(cai.get(address))).headers["location"]
    assert back != address
    cai.post(f"{back}/agree", ticket(cai.get(back)))
    assert homeroom(school, student) == before

    server.facts(tokens["cai"], "set_homeroom_attendance", student_id=student, date=DAY, status=2)
    (address,) = cai.plans()
    cai.post(f"{address}/discard", ticket(cai.get(address)))
    assert 'data-state="discarded"' in cai.get(address).text
    assert homeroom(school, student) == before


@pytest.mark.parametrize("other", ["ana", "ben"])
def test_nobody_sees_or_clicks_on_another_ones_plan(school, planned, browser, other):
    cai, stranger = browser("cai"), browser(other)
    (address,) = cai.plans()
    assert "No plan of yours waits" in stranger.open().text
    assert stranger.get(address).status_code == 404
    for what in ("agree", "discard", "undo"):
        assert stranger.post(f"{address}/{what}", ticket(cai.get(address))).status_code == 404
    assert len(cai.plans()) == 1
    assert school.writes == []


def test_who_may_write_nothing_finds_no_plan_there(browser, planned):
    assert "No plan of yours waits" in browser("dia").open().text
    assert "lets you see nobody" in browser("fay").open().text


def test_a_click_needs_the_cookie_the_pages_own_ticket_and_the_pages_own_origin(school, planned, browser):
    cai, nobody = browser("cai"), browser("cai")
    (address,) = cai.plans()
    good = ticket(cai.get(address))
    assert nobody.post(f"{address}/agree", good).status_code == 403
    for origin in (None, "null", "https://elsewhere.example", PUBLIC.replace("https", "http")):
        assert cai.post(f"{address}/agree", good, origin=origin).status_code == 403
    for given in ("", good[:-1], good[:-1] + "x"):
        assert cai.post(f"{address}/agree", given).status_code == 303
    assert cai.get(f"{address}/agree").status_code == 404
    assert school.writes == []
    cai.post(f"{address}/agree", good)
    cai.post(f"{address}/agree", good)
    cai.post(f"{address}/undo", good)
    assert len(school.writes) == 1
    assert cai.plans() == []


def test_a_cookie_that_was_made_up_or_altered_is_none(school, planned, browser):
    cai = browser("cai")
    cai.open()
    path, value = cai.cookies["attendance-approvals"]
    head, body, seal = value.split(".")
    for forged in ("x", f"{head}.{body}.", f"{head}.{body}.{seal[:-4]}AAAA", value[:-20]):
        cai.cookies["attendance-approvals"] = (path, forged)
        assert cai.get("/approvals").status_code == 302


def test_the_way_back_serves_only_the_browser_that_went_and_only_once(browser, planned):
    cai, victim = browser("cai"), browser("ana")
    back = cai.way_back(cai.get("/approvals"))
    assert victim.get(back).status_code == 403
    victim.get("/approvals")
    assert victim.get(back).status_code == 403
    assert "attendance-approvals" not in victim.cookies
    assert cai.get(re.sub(r"state=[^&]+", "state=another", back)).status_code == 403
    assert cai.get(back).status_code == 303
    assert cai.get("/approvals/signed-in").status_code == 403
    fresh = browser("cai")
    first = fresh.get("/approvals")
    state = fresh.way_back(first).partition("state=")[2].partition("&")[0]
    assert fresh.get(f"/approvals/signed-in?code=made-up&state={state}").status_code == 403
    assert fresh.get("/approvals/signed-in?error=access_denied").status_code == 403


def test_whoever_comes_to_the_page_makes_the_issuer_be_asked_once(server, identity, browser):
    asked = identity.asked("/.well-known/openid-configuration")
    for _ in range(5):
        assert browser("cai").get("/approvals").status_code == 302
    assert identity.asked("/.well-known/openid-configuration") == asked + 1


def test_the_page_is_framed_by_nobody_kept_by_nobody_and_answers_to_its_own_name(browser, server, planned):
    page = browser("cai").open()
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert server.web.get(f"{server.url}/approvals", headers={"host": "elsewhere.example"}).status_code == 421
    assert browser("cai").get("/approvals/window.css").status_code == 200


def test_without_the_page_such_a_plan_is_refused_with_that_reason(guard, school, tokens):
    server = guard(school, writes="confirm", approval="human")
    student = school.one(GRADE_8)[0]
    plan = server.facts(tokens["cai"], "set_homeroom_attendance", student_id=student, date=DAY, status=2)
    good, said = server.told(tokens["cai"], "apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
    assert not good
    assert "nobody can be asked from here. Use a client that can ask its user" in said
    assert server.get("/approvals").status_code == 404
    assert school.writes == []


def test_who_signed_in_at_one_replica_is_known_at_another_until_the_policy_changes(
    guard, server, school, planned, secret, identity, tmp_path
):
    settings = {"writes": "confirm", "approval": "human", "oidc_client_id": "approvals"}
    cai = Browser(server, identity, "cai")
    (address,) = cai.plans()
    shown = ticket(cai.get(address))

    cai.server = guard(school, oidc_client_secret_file=secret, **settings)
    assert cai.post(f"{address}/agree", shown).status_code == 303
    assert 'data-state="settled"' in cai.get(address).text
    assert len(school.writes) == 1

    other = tmp_path / "other.toml"
    other.write_text(POLICY.replace('"heads-8", ', ""))
    cai.server = guard(school, oidc_client_secret_file=secret, **{**settings, "policy": other})
    assert cai.get(address).status_code == 302
