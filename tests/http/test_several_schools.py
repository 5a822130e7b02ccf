"""Several schools in one deployment: each has its own address, token, rules and journal, and nothing of another's."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import sys
from contextlib import contextmanager

import httpx
import jwt
import pytest
from inline_snapshot import snapshot
from mcp.shared.exceptions import MCPError

from attendance_mcp.measure import measure_with
from tests.changes.errands import DAY, homeroom

from .browser import Browser, ticket
from .conftest import HEADERS, OTHER_AUDIENCE, PEOPLE, PUBLIC, RESOURCE
from .district import TITLES, open_district
from .identity import READ, WRITE
from .served import served

NORTH, SOUTH = "/mcp/north", "/mcp/south"
GRADE_8 = "select id from students where year_group_id = 22400018 and archived = 0 order by id"
WHICH = (
    "You may see several schools here, each at an address of its own. Use one of these: "
    f"North School: {PUBLIC}/mcp/north; South School: {PUBLIC}/mcp/south (nothing was read or written)."
)
OF_SOUTH = '<p class="whose">Attendance · <bdi>South School</bdi></p>'
WAITING = r"Waits for you · <bdi>(\w+ School)</bdi>"


@pytest.fixture(scope="module")
def tokens(identity):
    """Everybody's token for each address, as the provider would sign it."""
    claims = {person: claims_of(identity.token(person, READ, WRITE, resource=RESOURCE)) for person in PEOPLE}
    return {
        path: {person: identity.signed({**one, "aud": PUBLIC + path}) for person, one in claims.items()}
        for path in ("/mcp", NORTH, SOUTH, "/mcp/west")
    }


@pytest.fixture(scope="module")
def read_only(tmp_path_factory, school_files, identity):
    """A district and a server over it, for tests that write nothing."""
    with open_district(tmp_path_factory.mktemp("district"), school_files, identity.issuer) as district:
        with district.served(writes="confirm") as server:
            yield district, server
        assert district.north.writes == district.south.writes == []


@pytest.fixture
def district(tmp_path, school_files, identity):
    with open_district(tmp_path, school_files, identity.issuer) as district:
        yield district


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def plan(server, token, student, status=2):
    """A plan for one student's homeroom mark, as the call to apply it names it."""
    made = server.facts(token, "set_homeroom_attendance", student_id=student, date=DAY, status=status)
    return {"confirmation": made["confirmation"], "summary": made["summary"]}


# --- whose records are read ---


@pytest.mark.parametrize(
    ("path", "person", "name"),
    [
        (NORTH, "ana", "north"),
        (SOUTH, "eli", "south"),
        (NORTH, "cai", "north"),
        (SOUTH, "cai", "south"),
        ("/mcp", "ana", "north"),
        ("/mcp", "eli", "south"),
        ("/mcp", "ben", "south"),
    ],
)
def test_an_address_answers_with_its_own_school_and_the_common_one_with_the_school_where_something_is_granted(
    read_only, tokens, path, person, name
):
    district, server = read_only
    whom = {"ben": "year_group_id = 22400005 and homeroom_advisor_id = 14200044"}.get(
        person, "year_group_id = 22400018"
    )
    (student,) = district.north.one(f"select id from students where {whom} and archived = 0")
    before = district.asked
    good, said = server.at(path).told(tokens[path][person], "get_student_attendance", student=str(student))
    assert good, said
    assert (name.capitalize() + "erly") in said
    assert ({"north": "South", "south": "North"}[name] + "erly") not in said
    other = {"north": "south", "south": "north"}[name]
    assert district.asked[other] == before[other]


@pytest.mark.parametrize(
    ("path", "person"), [(SOUTH, "ana"), (NORTH, "ben"), (NORTH, "eli"), ("/mcp", "fay"), (NORTH, "fay")]
)
def test_where_nothing_is_granted_one_is_a_stranger_whatever_one_is_at_another_school(read_only, tokens, path, person):
    district, server = read_only
    before = district.asked
    assert server.at(path).tools(tokens[path][person]) == set()
    good, said = server.at(path).told(tokens[path][person], "list_absences")
    assert not good
    assert "You are signed in, but the school's policy lets you see nobody." in said
    assert district.asked == before
    begun = server.at(path).post(tokens[path][person], "initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}})  # fmt: skip
    assert begun.status_code == 200
    assert not any(title in begun.text for title in TITLES.values())


def test_what_is_granted_at_one_school_alone_is_not_at_another(read_only, tokens):
    _, server = read_only
    south = server.at(SOUTH)
    assert "set_homeroom_attendance" not in south.tools(tokens[SOUTH]["eli"])
    assert "set_homeroom_attendance" in server.at(NORTH).tools(tokens[NORTH]["ana"])


# --- which school is meant ---


@pytest.mark.parametrize("method", ["initialize", "server/discover", "ping", "tools/list", "tools/call"])
def test_who_is_granted_something_at_several_schools_is_told_their_addresses_at_every_request(
    read_only, tokens, method
):
    district, server = read_only
    before = district.asked
    answer = server.post(tokens["/mcp"]["cai"], method, {"name": "list_absences", "arguments": {}})
    assert answer.status_code == 200
    assert answer.json() == {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": WHICH}}
    assert district.asked == before


def test_only_the_schools_of_the_one_who_asks_are_named(district, tokens):
    west = '[west]\ntitle = "West School"\napi_token_file = "token-west"\ntimezone = "Asia/Singapore"\n'
    schools = district.folder / "schools.toml"
    schools.write_text(schools.read_text() + west)
    district.token_of("west").write_text("a-token-of-the-west")
    district.token_of("west").chmod(0o600)
    policy = district.folder / "policy.toml"
    policy.write_text(policy.read_text().replace('"every school"', '["south", "west"]'))
    with district.served() as server:
        said = server.post(tokens["/mcp"]["cai"]).json()["error"]["message"]
    assert "South School: https://attendance.school.example/mcp/south; West School: " in said
    assert "North" not in said


def test_what_wants_no_answer_gets_none_and_a_batch_one_for_each(read_only, tokens):
    _, server = read_only
    token, note = tokens["/mcp"]["cai"], {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert (answer := server.send("POST", token, json=note)).status_code == 202
    assert answer.text == ""
    batch = [note, *({"jsonrpc": "2.0", "id": id, "method": "ping"} for id in (7, "eight"))]
    answers = server.send("POST", token, json=batch).json()
    assert [(one["id"], one["error"]["message"]) for one in answers] == [(7, WHICH), ("eight", WHICH)]
    unclear = server.send("POST", token, content=b"{")
    assert (unclear.status_code, unclear.json()["id"]) == (400, None)
    assert server.post(token, host="elsewhere.example").status_code == 421
    assert server.post(token, origin="https://elsewhere.example").status_code == 403
    assert server.send("GET", token).status_code == server.at(NORTH).send("GET", token).status_code == 405


@pytest.mark.anyio
@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_client_of_either_era_tells_its_user_which_addresses_there_are(read_only, tokens, era):
    _, server = read_only
    with pytest.raises((MCPError, ExceptionGroup)) as caught:
        async with server.client(tokens["/mcp"]["cai"], era) as client:
            await client.list_tools()
    assert caught.group_contains(MCPError, match=re.escape(WHICH)) if isinstance(caught.value, ExceptionGroup) else WHICH in str(caught.value)  # fmt: skip
    async with server.at(NORTH).client(tokens[NORTH]["cai"], era) as client:
        assert not (await client.call_tool("list_absences", {"group": "Grade 8"})).is_error


# --- tokens and addresses ---


def test_each_address_is_a_resource_of_its_own_and_takes_no_token_of_another(read_only, tokens, identity):
    _, server = read_only
    statuses = {
        (at, of): server.at(at).post(tokens[of]["cai"]).status_code
        for at in ("/mcp", NORTH, SOUTH)
        for of in ("/mcp", NORTH, SOUTH)
    }
    assert statuses == {(at, of): 200 if at == of else 401 for at, of in statuses}
    assert server.at(NORTH).post(identity.token("ana", READ, resource=PUBLIC + NORTH)).status_code == 200
    challenge = server.at(NORTH).post(None).headers["www-authenticate"]
    metadata = "/.well-known/oauth-protected-resource/mcp/north"
    assert f'resource_metadata="{PUBLIC}{metadata}"' in challenge
    assert server.get(metadata).json() == {
        "resource": PUBLIC + NORTH,
        "authorization_servers": [identity.issuer],
        "scopes_supported": [READ, WRITE],
        "bearer_methods_supported": ["header"],
        "resource_name": "School attendance",
    }
    assert server.get("/.well-known/oauth-protected-resource/mcp").json()["resource"] == RESOURCE


def test_one_audience_for_all_is_good_everywhere_unless_the_token_names_another_resource(district, identity, tokens):
    token = identity.token("cai", READ, WRITE, resource=OTHER_AUDIENCE)
    bound = identity.signed({**claims_of(token), "resource": PUBLIC + SOUTH})
    with district.served(oidc_audience="another-audience") as server:
        assert server.at(NORTH).post(token).status_code == server.at(SOUTH).post(token).status_code == 200
        assert (server.at(NORTH).post(bound).status_code, server.at(SOUTH).post(bound).status_code) == (401, 200)
        assert server.at(NORTH).post(tokens[NORTH]["cai"]).status_code == 401


def test_a_name_that_no_school_has_is_told_from_one_by_nobody_who_is_not_signed_in(read_only, tokens):
    _, server = read_only

    def seen(name):
        """What a stranger sees of a name."""
        refused = server.at(f"/mcp/{name}").post(None)
        found = [refused, server.at(f"/mcp/{name}").send("GET", None), server.get(f"/.well-known/oauth-protected-resource/mcp/{name}")]  # fmt: skip
        told = [(one.status_code, one.headers.get("www-authenticate"), one.text) for one in found]
        return json.loads(json.dumps(told).replace(name, "NAME"))

    assert seen("west") == seen("north")
    nothing = server.at("/elsewhere").post(tokens["/mcp"]["cai"])
    missing = server.at("/mcp/west").post(tokens["/mcp/west"]["cai"])
    assert (missing.status_code, missing.text) == (nothing.status_code, nothing.text) == (404, "Not Found")
    for path in ("/mcp/North", "/mcp/north/", "/mcp/north/south", "/mcp/"):
        assert server.at(path).post(tokens[NORTH]["cai"]).status_code == 404


# --- plans, the journal, the page ---


@pytest.fixture
def writing(district):
    """A server that writes where a confirmation is brought."""
    with district.served(writes="confirm", approval="token") as server:
        yield server


def test_a_plan_of_one_school_is_none_at_the_other_and_the_journals_are_kept_apart(district, writing, tokens):
    student = district.north.one(GRADE_8)[0]
    north, south = writing.at(NORTH), writing.at(SOUTH)
    before = homeroom(district.south, student)
    codes = plan(north, tokens[NORTH]["cai"], student)
    good, said = south.told(tokens[SOUTH]["cai"], "apply_changes", **codes)
    assert not good
    assert "No plan of yours has this confirmation." in said
    assert south.facts(tokens[SOUTH]["cai"], "list_changes")["plans"] == 0

    assert north.facts(tokens[NORTH]["cai"], "apply_changes", **codes)["outcomes"] == {"done": 1}
    assert homeroom(district.north, student)[0] == 2
    assert homeroom(district.south, student) == before
    assert (len(district.north.writes), len(district.south.writes)) == (1, 0)
    assert north.facts(tokens[NORTH]["cai"], "list_changes")["plans"] == 1
    assert south.facts(tokens[SOUTH]["cai"], "list_changes") == snapshot(
        {"notice": "Only of the students whom the school's policy lets you see.", "plans": 0}
    )
    chains = sqlite(district, "select school, places from chains")
    assert chains == [(f"{district.north.url}#north", 1)]


def test_one_id_at_two_schools_is_two_students_of_whom_both_may_be_written_at_once(district, writing, tokens):
    student = district.north.one(GRADE_8)[0]
    plans = {at: plan(writing.at(at), tokens[at]["cai"], student) for at in (NORTH, SOUTH)}
    # The north's is under way in another process that holds its target.
    code, later = plans[NORTH]["confirmation"], "2099-01-01T00:00:00.000000+00:00"
    sqlite(district, f"update plans set state = 'applying', lease_until = '{later}' where code = '{code}'")
    sqlite(district, f"insert into leases select school, 'student {student}', id, '{later}' from plans where code = '{code}'")  # fmt: skip
    done = writing.at(SOUTH).facts(tokens[SOUTH]["cai"], "apply_changes", **plans[SOUTH])
    assert done["outcomes"] == {"done": 1}
    assert homeroom(district.south, student)[0] == 2
    assert district.north.writes == []
    again = plan(writing.at(NORTH), tokens[NORTH]["cai"], student, status=4)
    good, said = writing.at(NORTH).told(tokens[NORTH]["cai"], "apply_changes", **again)
    assert not good, said
    assert district.north.writes == []


def test_plans_that_wait_at_one_school_take_no_room_of_another(district, writing, tokens):
    student = district.north.one(GRADE_8)[0]
    plan(writing.at(NORTH), tokens[NORTH]["cai"], student)
    columns = "caller, school, state, approval, summary_hash, errand_hash, already, created, expires"
    for number in range(31):
        sqlite(district, f"insert into plans (code, {columns}) select 'W{number}', {columns} from plans where id = 1")
    mark = {"student_id": student, "date": DAY, "status": 4}
    good, said = writing.at(NORTH).told(tokens[NORTH]["cai"], "set_homeroom_attendance", **mark)
    assert not good
    assert "32 plans already wait." in said
    assert writing.at(SOUTH).told(tokens[SOUTH]["cai"], "set_homeroom_attendance", **mark)[0]


def sqlite(district, statement):
    with sqlite3.connect(district.folder / "plans.db") as store:
        return store.execute(statement).fetchall()


@pytest.fixture
def page(tmp_path):
    """The settings of a server whose plans wait for a person."""
    secret = tmp_path / "secret"
    secret.write_text("a-secret-of-the-approvals-page\n")
    secret.chmod(0o600)
    client = {"oidc_client_id": "approvals", "oidc_client_secret_file": secret}
    return {"writes": "confirm", "approval": "human", **client}


def test_the_page_holds_ones_plans_of_all_schools_and_says_whose_each_is(district, identity, page, tokens):
    student = district.north.one(GRADE_8)[0]
    with district.served(**page) as server:
        cai, ana, fay = (Browser(server, identity, person) for person in ("cai", "ana", "fay"))
        for path in (NORTH, SOUTH):
            codes = plan(server.at(path), tokens[path]["cai"], student)
            good, said = server.at(path).told(tokens[path]["cai"], "apply_changes", **codes)
            assert not good
            assert f" at {PUBLIC}/approvals, where the person signs in" in said
        assert re.findall(WAITING, cai.open().text) == ["North School", "South School"]
        (address,) = (address for address in cai.plans() if OF_SOUTH in cai.get(address).text)
        assert ana.plans() == []
        assert ana.get(address).status_code == 404
        assert "lets you see nobody" in fay.open().text

        cai.post(f"{address}/agree", ticket(cai.get(address)))
        assert homeroom(district.south, student)[0] == 2
        assert (len(district.north.writes), len(district.south.writes)) == (0, 1)
        back = cai.post(f"{address}/undo", ticket(cai.get(address))).headers["location"]
        assert OF_SOUTH in cai.get(back).text


def test_a_school_that_is_away_hides_its_own_plans_alone(district, identity, page, tokens):
    student = district.north.one(GRADE_8)[0]
    with district.served(**page) as server:
        cai = Browser(server, identity, "cai")
        cai.open()
        for path in (NORTH, SOUTH):
            plan(server.at(path), tokens[path]["cai"], student)
    district.token_of("south").write_text("withdrawn")
    with district.served(**page) as cai.server:
        shown = cai.get("/approvals").text
        assert re.findall(WAITING, shown) == ["North School"]
        assert "Plans of South School can&#x27;t be shown now. " in shown
    district.token_of("north").write_text("withdrawn-too")
    with district.served(**page) as cai.server:
        answer = cai.get("/approvals")
    assert answer.status_code == 503
    assert "Plans of North School can&#x27;t be shown now. " in answer.text


# --- codes, probes, the log ---


def test_a_code_of_one_school_names_nobody_at_another(district, tokens):
    student = district.north.one(GRADE_8)[0]
    name = district.north.one("select first_name from students where id = :id", id=student)[0]
    with district.served(privacy="codes") as server:
        found = {
            path: server.at(path).told(tokens[path]["cai"], "find_in_school", names_or_ids=[str(student)])[1]
            for path in (NORTH, SOUTH)
        }
        codes = {path: re.search(r"stu_[a-z2-7]{32}", said)[0] for path, said in found.items()}
        assert codes[NORTH] != codes[SOUTH]
        own = server.at(NORTH).told(tokens[NORTH]["cai"], "get_student_attendance", student=codes[NORTH])
        other = server.at(SOUTH).told(tokens[SOUTH]["cai"], "get_student_attendance", student=codes[NORTH])
    assert own[0], own
    assert not other[0]
    assert name not in str(found)


def test_it_is_ready_while_any_of_the_schools_can_be_read(district):
    def ready():
        with district.served(writes="confirm") as server:
            answer = server.web.get(f"{server.url}/readyz")
            return answer.status_code, answer.json()

    assert ready() == (200, {"status": "ok", "upstream": "ok", "store": "ok"})
    district.token_of("north").write_text("withdrawn-too")
    assert ready() == (200, {"status": "ok", "upstream": "in part", "store": "ok"})
    district.token_of("south").write_text("withdrawn")
    assert ready() == (503, {"status": "not ready", "upstream": "unavailable", "store": "ok"})


def test_what_is_measured_of_a_call_and_its_requests_names_the_school(read_only, tokens):
    _, server = read_only
    seen = []

    @contextmanager
    def measure(what, facts):
        yield
        seen.append((what, facts.get("operation", ""), facts.get("school")))

    measure_with(measure)
    try:
        server.told(tokens["/mcp"]["eli"], "list_excusals", date="2026-10-01")
    finally:
        measure_with(None)
    assert set(seen) >= {("tool", "", "south"), ("upstream", "list_excusals", "south")}
    assert {school for _, _, school in seen} == {"south"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without a signal that it could hear")
def test_the_command_serves_them_and_its_log_says_which_school_was_asked(district, tokens):
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_absences", "arguments": {}}}
    with served(district.environment(), "--host", "0.0.0.0") as server:
        url = server.url.replace("0.0.0.0", "127.0.0.1")
        for path, person in ((NORTH, "ana"), ("/mcp", "eli"), ("/mcp", "cai"), (SOUTH, None), ("/mcp/west", None)):
            bearer = {"authorization": f"Bearer {tokens[path][person]}"} if person else {}
            httpx.post(url + path, headers={**HEADERS, **bearer}, json=body, trust_env=False)
        server.process.send_signal(signal.SIGTERM)
        lines = server.rest()
    asked = [(line.get("school"), line["status"]) for line in lines if line["event"] == "request"]
    assert asked == [("north", 200), ("south", 200), (None, 200), ("south", 401), (None, 401)]
    assert not any(secret in str(lines) for secret in ("a-token-of", *TITLES.values(), "west"))
