"""Who sees whom: every tool against every role and group; what the policy doesn't grant is answered as not there."""

from __future__ import annotations

import re

import pytest

from attendance_mcp.api.endpoints import ENDPOINTS
from attendance_mcp.school.guard import RULES
from attendance_mcp.tools.registry import WRITING, all_tools
from tests.changes.errands import DAY

from .conftest import PEOPLE, RESOURCE
from .identity import READ, WRITE

READING = {tool.name for tool in all_tools(writes=False, browser=False)}
EVERYTHING = "select id from students"
# Whom each person may read and write, by the school's own database.
SHEN = "select id from students where year_group_id = 22400005 and homeroom_advisor_id = 14200044"
GRADE_8 = "select id from students where year_group_id = 22400018"
SCIENCE_9 = "select student_id from memberships where class_id = 20100207 and left_on is null"
NOBODY = "select id from students where 0"
MAY = {
    "ana": (EVERYTHING, EVERYTHING),
    "ben": (SHEN, SHEN),
    "cai": (GRADE_8, GRADE_8),
    "dia": (SCIENCE_9, NOBODY),
    "eli": (EVERYTHING, NOBODY),
    "fay": (NOBODY, NOBODY),
}
LIMITED = ["ben", "cai", "dia"]


@pytest.fixture(scope="module")
def tokens(identity):
    return {person: identity.token(person, READ, WRITE, resource=RESOURCE) for person in PEOPLE}


@pytest.fixture
def server(guard, same_school):
    return guard(same_school, writes="confirm", approval="token")


def ids(school, query):
    return {id for (id,) in school.rows(query)}


def names(school, students):
    """Their full names, without those of namesakes among the others, parents and teachers."""
    full = "first_name || ' ' || last_name"
    others = f"select {full} from parents union select {full} from teachers"
    rows = school.rows(f"select id, {full} from students")
    elsewhere = {name for id, name in rows if id not in students} | {name for (name,) in school.rows(others)}
    return {name for id, name in rows if id in students} - elsewhere


@pytest.mark.parametrize("person", MAY)
def test_a_tool_that_the_policy_denies_is_not_listed(server, tokens, person):
    _, writes = MAY[person]
    expected = set() if person == "fay" else READING if writes is NOBODY else READING | WRITING
    assert server.tools(tokens[person]) == expected


def test_what_writes_is_what_is_missing_without_writing():
    assert {tool.name for tool in all_tools(writes=True, browser=False)} - READING == WRITING


def test_every_operation_has_a_rule_but_those_for_whoever_runs_the_server():
    assert set(ENDPOINTS) - set(RULES) == {"get_permissions"}
    assert set(RULES) <= set(ENDPOINTS)


def questions(school, students):
    """Every reading tool, asked of the whole school and of everything that these students are in."""
    marks = ",".join(map(str, sorted(students)))
    groups = ids(school, f"select distinct year_group_id from students where id in ({marks})")
    classes = ids(school, f"select distinct class_id from memberships where student_id in ({marks})")
    parents = ids(school, f"select distinct parent_id from child_links where student_id in ({marks})")
    of = "select name from year_groups where id in ({}) union select name from classes where id in ({})"
    called = [n for (n,) in school.rows(of.format(",".join(map(str, groups)), ",".join(map(str, classes))))]
    term = school.one("select id from terms where starts_on <= :day and ends_on >= :day", day=DAY)[0]
    terms = ids(school, f"select id from terms where starts_on <= '{DAY}' and ends_on >= '{DAY}'") or {term}
    yield "get_school_context", {}
    yield "list_changes", {}
    yield "list_excusals", {"date": DAY, "per_page": 200}
    for some in (sorted(students)[:30], sorted(parents)[:30], called):
        yield "find_in_school", {"names_or_ids": [str(one) for one in some]}
    last = [n for (n,) in school.rows(f"select last_name from students where id in ({marks}) limit 30")]
    yield "find_in_school", {"names_or_ids": last}
    yield "find_in_school", {"names_or_ids": last, "kind": "parent"}
    for group in ("", *called[:2]):
        yield "list_absences", {"group": group, "date": DAY}
        yield "list_absences", {"group": group, "start_date": "2026-11-19", "end_date": DAY}
        yield "list_missing_registers", {"group": group, "date": DAY}
        yield "reconcile_homeroom", {"group": group, "date": DAY}
        yield "list_attendance_concerns", {"group": group}
    for student in sorted(students)[:2]:
        yield "get_student_attendance", {"student": str(student)}
        yield "list_student_excusals", {"student_id": student}
    for group in sorted(groups):
        yield "get_homeroom_attendance", {"year_group_id": group, "date": DAY}
        yield "get_homeroom_attendance", {"year_group_id": group, "date": DAY, "detail": "full"}
        for term in sorted(terms):
            yield "get_homeroom_term_attendance", {"year_group_id": group, "term_id": term}
            yield "get_homeroom_adjustments", {"year_group_id": group, "term_id": term}
    for id in sorted(classes)[:2]:
        yield "get_class_attendance", {"class_id": id, "date": DAY, "detail": "full"}
        yield "get_class_timetable", {"class_id": id}
        for term in sorted(terms):
            yield "get_class_term_attendance", {"class_id": id, "term_id": term}


@pytest.mark.parametrize("person", LIMITED)
def test_no_answer_of_any_tool_names_anybody_outside(server, same_school, tokens, person):
    inside = ids(same_school, MAY[person][0])
    outside = ids(same_school, EVERYTHING) - inside
    hidden, shown = names(same_school, outside), names(same_school, inside)
    asked, seen = set(), set()
    # With what the office was told in memory: what is kept for one must not be given to another.
    for student in sorted(outside)[:3]:
        server.told(tokens["ana"], "get_student_attendance", student=str(student))
    server.told(tokens["ana"], "list_absences", date=DAY)
    for tool, arguments in [*questions(same_school, outside), *questions(same_school, inside)]:
        good, said = server.told(tokens[person], tool, **arguments)
        asked.add(tool)
        assert not {name for name in hidden if name in said}, (tool, arguments)
        found = {int(id) for id in re.findall(r"\b\d{8}\b", said)} - {
            int(n) for n in re.findall(r"\d{8}", str(arguments))
        }
        assert not found & outside, (tool, arguments)
        if good:
            seen |= {name for name in shown if name in said}
            assert "Only of the students whom the school's policy lets you see." in said
    assert asked == READING
    assert len(seen) > len(inside) / 2


@pytest.mark.parametrize("person", LIMITED)
def test_ids_outside_are_answered_as_ids_that_nobody_has(server, same_school, tokens, person):
    outside = min(ids(same_school, EVERYTHING) - ids(same_school, MAY[person][0]))
    (group,) = same_school.one("select year_group_id from students where id = :id", id=outside)
    (taught,) = same_school.one("select min(class_id) from memberships where student_id = :id", id=outside)
    (term,) = same_school.one("select min(id) from terms where starts_on <= :day and ends_on >= :day", day=DAY)
    shared = {
        group for (group,) in same_school.rows(f"select year_group_id from students where id in ({MAY[person][0]})")
    }
    calls = [
        ("list_student_excusals", "student_id", outside, {}),
        ("get_student_attendance", "student", outside, {}),
        ("get_class_attendance", "class_id", taught, {"date": DAY}),
        ("get_class_term_attendance", "class_id", taught, {"term_id": term}),
        ("get_class_timetable", "class_id", taught, {}),
    ]
    if group not in shared:
        calls += [
            ("get_homeroom_attendance", "year_group_id", group, {"date": DAY}),
            ("get_homeroom_term_attendance", "year_group_id", group, {"term_id": term}),
            ("get_homeroom_adjustments", "year_group_id", group, {"term_id": term}),
        ]
    for tool, argument, id, more in calls:
        if argument == "class_id" and group in shared:
            continue
        there = server.told(tokens[person], tool, **{argument: str(id)}, **more)
        nobody = server.told(tokens[person], tool, **{argument: "99999999"}, **more)
        assert not there[0]
        assert there[1].replace(str(id), "99999999") == nobody[1], tool


@pytest.mark.parametrize("person", [*LIMITED, "eli"])
def test_who_is_absent_is_told_of_those_whom_one_may_see_and_of_all_of_them(server, same_school, tokens, person):
    query = f"""select student_id from homeroom_marks where date = '{DAY}' and status = 0
                and student_id in ({MAY[person][0]})"""
    _, said = server.told(tokens[person], "list_absences", date=DAY)
    absent = ids(same_school, query)
    assert {int(id) for id in re.findall(r"\b\d{8}\b", said)} >= absent


def test_without_any_grant_every_call_is_denied_and_says_so(server, tokens):
    for tool in sorted(READING | WRITING):
        good, said = server.told(tokens["fay"], tool)
        assert not good
        assert "the school's policy lets you see nobody" in said
    answer = server.post(tokens["fay"], "resources/read", {"uri": "attendance://context"})
    assert "lets you see nobody" in answer.text
    completed = server.post(
        tokens["fay"],
        "completion/complete",
        {"ref": {"type": "ref/prompt", "name": "student-attendance"}, "argument": {"name": "student", "value": "an"}},
    )
    assert "values" not in completed.text or completed.json()["result"]["completion"]["values"] == []


def family_of(school, query):
    """One of these students with a parent, an excusal, and a period of a class."""
    return school.one(
        f"""select s.id, l.parent_id, e.id, m.class_id, t.period
            from students s join child_links l on l.student_id = s.id join excusals e on e.student_id = s.id
            join memberships m on m.student_id = s.id join slots t on t.class_id = m.class_id where m.left_on is null and s.archived = 0 and s.id in ({query}) limit 1"""
    )


def writes_of(student, parent, excusal, taught, period):
    """Each tool that plans, of one student."""
    mark = {"status": 2, "date": DAY}
    yield "set_homeroom_attendance", {"student_id": student, **mark}
    yield "plan_changes", {"changes": [{"kind": "homeroom", "student_ids": [student], "dates": [DAY], "status": 2}]}
    yield "create_excusal", {"student_id": student, "parent_id": parent, "start_date": "2026-12-09"}
    yield (
        "set_class_attendance",
        {"class_id": taught, "marks": [{"student_id": student, "period": period, **mark}]},
    )
    yield "delete_excusal", {"student_id": student, "excusal_id": excusal}
    yield "update_excusal", {"student_id": student, "excusal_id": excusal, "comment": "x"}


ROLES = {
    "ben": {"own": SHEN, "outside": f"{EVERYTHING} where id not in ({SHEN})"},
    "cai": {"own": GRADE_8, "outside": f"{EVERYTHING} where id not in ({GRADE_8})"},
}


@pytest.mark.parametrize("person", ROLES)
@pytest.mark.parametrize("whose", ["own", "outside"])
def test_only_what_one_may_write_can_be_planned(server, same_school, tokens, person, whose):
    family = family_of(same_school, ROLES[person][whose])
    for tool, arguments in writes_of(*family):
        good, said = server.told(tokens[person], tool, **arguments)
        assert good is (whose == "own"), (tool, said)
        if not good:
            assert "The school has no student" in said or "The school has no class" in said, said
            assert "Nothing was written." in said


def test_whom_one_may_only_read_one_may_not_change(guard, same_school, tokens, tmp_path):
    policy = tmp_path / "reading.toml"
    policy.write_text(
        '[[allow]]\nclaim = "groups"\nvalue = "office"\nread = "whole school"\nwrite.year_groups = ["Grade 8"]\n'
    )
    server = guard(same_school, writes="confirm", approval="token", policy=policy)
    for query, may in ((GRADE_8, True), (SHEN, False)):
        family = family_of(same_school, query)
        for tool, arguments in writes_of(*family):
            good, said = server.told(tokens["ana"], tool, **arguments)
            assert good is may, (tool, said)
            if not may:
                assert f"The school's policy doesn't let you change the records of {family[0]}. Nothing" in said
    assert same_school.writes == []


def test_a_plan_that_the_policy_no_longer_allows_is_not_carried_out(guard, school, tokens, tmp_path):
    policy = tmp_path / "changing.toml"
    allow = '[[allow]]\nclaim = "groups"\nvalue = "office"\nread = "whole school"\n'
    policy.write_text(f'{allow}write = "whole school"\n')
    student = min(ids(school, GRADE_8))
    before = guard(school, writes="confirm", approval="token", policy=policy)
    plan = before.facts(tokens["ana"], "set_homeroom_attendance", student_id=student, date=DAY, status=2)
    policy.write_text(f'{allow}write.homerooms = ["Grade 7 Yichen Shen"]\n')
    after = guard(school, writes="confirm", approval="token", policy=policy)
    good, said = after.told(tokens["ana"], "apply_changes", confirmation=plan["confirmation"], summary=plan["summary"])
    assert not good
    assert f"doesn't let you change the records of {student}. Nothing was written." in said
    assert school.writes == []


def test_a_plan_is_its_callers_alone_and_the_journal_names_them_to_whoever_sees_everybody(
    guard, school, tokens, identity
):
    server = guard(school, writes="confirm", approval="token")
    student = min(ids(school, GRADE_8))
    plan = server.facts(tokens["cai"], "set_homeroom_attendance", student_id=student, date=DAY, status=2)
    codes = {"confirmation": plan["confirmation"], "summary": plan["summary"]}
    for other in ("ana", "ben"):
        good, said = server.told(tokens[other], "apply_changes", **codes)
        assert not good
        assert "No plan of yours has this confirmation." in said
    assert server.facts(tokens["cai"], "apply_changes", **codes)["outcomes"] == {"done": 1}
    (entry,) = server.facts(tokens["ana"], "list_changes")["entries"]
    assert entry["caller"] == f"{identity.issuer}|cai"
    assert "confirmation" not in entry
    assert server.facts(tokens["ben"], "list_changes")["plans"] == 0
    (own,) = server.facts(tokens["cai"], "list_changes")["entries"]
    assert "caller" not in own


@pytest.mark.anyio
@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_both_eras_know_who_asks(server, same_school, tokens, era):
    for person in ("ana", "ben"):
        async with server.client(tokens[person], era) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            found = await client.call_tool("list_absences", {"group": "Grade 8"})
        assert tools == READING | WRITING
        assert found.is_error is (person == "ben")
