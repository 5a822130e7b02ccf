"""A policy and ATTENDANCE_PRIVACY=codes together: an assistant is told of its person's own students, as codes alone."""

from __future__ import annotations

import pytest

from attendance_mcp.digest.facts import Role
from attendance_mcp.school.codes import Codes
from tests.changes.errands import DAY, homeroom, label, named
from tests.privacy.everything import reads
from tests.privacy.people import CODE, People
from tests.tools.examples import Known

from .browser import Browser, ticket
from .conftest import PEOPLE, RESOURCE
from .identity import READ, WRITE
from .test_who_sees_whom import GRADE_8, READING, SHEN, family_of, ids, writes_of

KEY = bytes(range(64))
PARENTS = "select distinct parent_id from child_links where student_id in ({})"
NOBODY = 99999999


@pytest.fixture(scope="module")
def tokens(identity):
    return {person: identity.token(person, READ, WRITE, resource=RESOURCE) for person in PEOPLE}


@pytest.fixture
def private(tmp_path):
    """Writes a file that only its owner reads."""

    def write(name, text):
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    return write


@pytest.fixture
def coded(guard, private):
    """Opens a server that calls people by codes: `coded(school)`."""
    key, secret = private("key", KEY.hex()), private("secret", "a-secret-of-the-approvals-page")
    settings = {"writes": "confirm", "privacy": "codes", "privacy_key_file": key}
    page = {"oidc_client_id": "approvals", "oidc_client_secret_file": secret}
    return lambda school, **more: guard(school, **settings, **page, **more)


def codes_at(school):
    """What the school's people are called there, and who is called so."""
    return Codes(lambda: KEY, school=school.url)


def test_no_answer_of_any_tool_names_anybody_or_holds_the_code_of_anybody_outside(coded, same_school, tokens):
    server, codes = coded(same_school), codes_at(same_school)
    own = ids(same_school, GRADE_8)
    visible = {Role.STUDENT: own, Role.PARENT: ids(same_school, PARENTS.format(GRADE_8))}
    asked, named_by, told = set(), {}, set()
    server.told(tokens["ana"], "list_absences", date=DAY)  # what is kept for one must not be given to another
    for tool, arguments in reads(same_school, Known.of(same_school), lambda role, id: codes.code(Role(role), id)):
        _, said = server.told(tokens["cai"], tool, **arguments)
        asked.add(tool)
        if who := People(same_school).in_(said):
            named_by[tool] = who
        told |= {codes.read(code) for code in CODE.findall(said)} - {codes.read(code) for code in CODE.findall(str(arguments))}  # fmt: skip
    assert asked == READING
    assert named_by == {}
    assert {(role, id) for role, id in told if role in visible and id not in visible[role]} == set()
    assert len({id for role, id in told if role is Role.STUDENT}) > len(own) / 2


@pytest.mark.parametrize("person", ["ben", "cai"])
def test_a_code_of_somebody_outside_is_answered_as_one_of_nobody(coded, same_school, tokens, person):
    server, codes = coded(same_school), codes_at(same_school)
    own, others = (SHEN, GRADE_8) if person == "ben" else (GRADE_8, SHEN)
    _, parent, *rest = family_of(same_school, own)
    outside = min(ids(same_school, others))

    def answers(code):
        questions = [
            ("find_in_school", {"names_or_ids": [code]}),
            ("list_student_excusals", {"student_id": code}),
            ("get_student_attendance", {"student": code}),
            ("list_changes", {"student_id": code}),
            *writes_of(code, codes.code(Role.PARENT, parent), *rest),
        ]
        return {tool: (good, said.replace(code, "CODE")) for tool, arguments in questions for good, said in [server.told(tokens[person], tool, **arguments)]}  # fmt: skip

    code = codes.code(Role.STUDENT, outside)
    there, nobody = answers(code), answers(codes.code(Role.STUDENT, NOBODY))
    assert there == nobody
    made_up = answers(code[:-1] + ("b" if code[-1] == "a" else "a"))
    looking = ("find_in_school", "get_student_attendance")  # the others say that it is no code
    assert [there[tool] for tool in looking] == [made_up[tool] for tool in looking]
    assert not any(good for tool, (good, _) in made_up.items() if tool != "find_in_school")
    assert {tool for tool, (good, _) in there.items() if good} == {"find_in_school", "list_changes"}
    assert all("Nothing was written." in said for good, said in there.values() if not good)
    assert People(same_school).in_(str(there)) == set()


def test_what_one_may_write_is_planned_by_code_agreed_to_by_name_and_told_by_code(coded, school, tokens, identity):
    server, codes, people = coded(school), codes_at(school), People(school)
    student, parent, *rest = family_of(school, GRADE_8)
    code, read = codes.code(Role.STUDENT, student), []
    for tool, arguments in writes_of(code, codes.code(Role.PARENT, parent), *rest):
        good, said = server.told(tokens["cai"], tool, **arguments)
        assert good, (tool, said)
        read.append(said)
    mark = {"student_id": code, "date": "2026-11-23", "status": 2}
    before = homeroom(school, student, mark["date"])
    plan = server.facts(tokens["cai"], "set_homeroom_attendance", **mark)
    codes_given = {"confirmation": plan["confirmation"], "summary": plan["summary"]}
    good, said = server.told(tokens["cai"], "apply_changes", **codes_given)
    assert not good
    assert "/approvals, where the person signs in, reads it and decides" in said
    assert school.writes == []

    cai = Browser(server, identity, "cai")
    wanted = f"Mark {named(school, student)} {label(school, student, 2)} on Mon 23 Nov"
    (address,) = [address for address in cai.plans() if wanted in cai.get(address).text]
    assert not CODE.search(cai.open().text + cai.get(address).text)
    cai.post(f"{address}/agree", ticket(cai.get(address)))
    done = cai.get(address).text
    assert named(school, student).partition(" (")[0] in done and not CODE.search(done)
    assert (homeroom(school, student, mark["date"]), len(school.writes)) == ((2, before[1]), 1)

    again = server.told(tokens["cai"], "apply_changes", **codes_given)
    journal = server.told(tokens["cai"], "list_changes", student_id=code)
    assert (again[0], journal[0]) == (True, True)
    read += [said, again[1], journal[1]]
    assert people.in_("\n".join(read)) == set()
    assert {codes.read(one) for one in CODE.findall(again[1])} == {(Role.STUDENT, student)}


def test_who_is_seen_and_may_not_be_changed_is_refused_without_an_id(coded, same_school, tokens, private):
    policy = '[[allow]]\nclaim = "groups"\nvalue = "office"\nread = "whole school"\nwrite.year_groups = ["Grade 8"]\n'
    server, codes = coded(same_school, policy=private("reading.toml", policy)), codes_at(same_school)
    student, parent, *rest = family_of(same_school, SHEN)
    people = codes.code(Role.STUDENT, student), codes.code(Role.PARENT, parent)
    for tool, arguments in writes_of(*people, *rest):
        good, said = server.told(tokens["ana"], tool, **arguments)
        assert not good
        assert "The school's policy doesn't let you change the records of some of these students. Nothing" in said
        assert People(same_school).in_(said) == set()
