"""The one place that holds a caller's sight: each operation of the client, asked outside of it and within."""

from __future__ import annotations

from datetime import date
from functools import partial

import pytest

from attendance_mcp.api.records import ClassMarkWrite
from attendance_mcp.errors import NotAllowed, NotFound
from attendance_mcp.rules.policy import UNLIMITED, Grants, Place
from attendance_mcp.school.day import groups_without_homeroom
from attendance_mcp.school.school import School
from attendance_mcp.server import open_app

pytestmark = pytest.mark.anyio
DAY = date(2026, 11, 24)
GRADE_8, GRADE_7 = 22400018, 22400005
READS_GRADE_8 = Grants(frozenset({Place("year group", "Grade 8")}))
WRITES_GRADE_8 = Grants(READS_GRADE_8.read, READS_GRADE_8.read)


@pytest.fixture
async def see(same_school):
    """Schools as callers see them who are granted this."""
    app = open_app(same_school.settings())
    yield lambda grants: School(app.connection, grants=grants)
    await app.aclose()


def of_grade(school, year_group):
    """A student of a year group, with a parent, a class and a term."""
    student, parent, taught = school.one(
        """select s.id, l.parent_id, m.class_id from students s join child_links l on l.student_id = s.id
           join memberships m on m.student_id = s.id where s.year_group_id = :id and s.archived = 0
           and not exists (select 1 from child_links o join students t on t.id = o.student_id
                           where o.parent_id = l.parent_id and t.year_group_id != :id) limit 1""",
        id=year_group,
    )
    (term,) = school.one(
        """select t.id from terms t join academic_years y on y.id = t.academic_year_id
           join year_groups g on g.program_code = y.program_code
           where g.id = :id and t.starts_on <= :day and t.ends_on >= :day""",
        id=year_group,
        day=DAY.isoformat(),
    )
    return student, parent, taught, term


def reads(school, year_group):
    """Each operation that names something of the year group."""
    student, parent, taught, term = of_grade(school, year_group)
    return {
        "get_class_term_attendance": (taught, term),
        "get_class_attendance": (taught, DAY),
        "get_class_timetable": (taught,),
        "get_homeroom_term_attendance": (year_group, term),
        "get_homeroom_attendance": (year_group, DAY),
        "get_homeroom_adjustments": (year_group, term),
        "list_student_excusals": (student,),
        "get_student": (student,),
        "get_student_memberships": (student,),
        "get_class": (taught,),
        "list_class_students": (taught,),
        "list_year_group_students": (year_group,),
        "get_parent": (parent,),
    }


async def test_what_lies_outside_is_not_there_and_is_not_asked_for(see, same_school):
    limited = see(READS_GRADE_8)
    await limited.sight()
    for name, arguments in reads(same_school, GRADE_7).items():
        asked = len(list(same_school.log))
        for call in (
            getattr(limited.client, name),
            lambda *given, name=name: limited.read(getattr(limited.client, name), *given),
        ):
            with pytest.raises(NotFound):
                await call(*arguments)
        assert len(list(same_school.log)) - asked <= (2 if name == "get_parent" else 0), name
        await getattr(see(UNLIMITED).client, name)(*arguments)


async def test_an_id_that_lies_outside_is_not_told_where_people_go_by_codes(same_school, tmp_path):
    key = tmp_path / "key"
    key.write_text(bytes(range(64)).hex())
    key.chmod(0o600)
    app = open_app(same_school.settings(privacy="codes", privacy_key_file=key))
    school = School(app.connection, grants=READS_GRADE_8)
    student, parent, *_ = of_grade(same_school, GRADE_7)
    for operation, id in {"get_student": student, "get_parent": parent}.items():
        for ask in (getattr(school.client, operation), partial(school.read, getattr(app.connection.client, operation))):
            with pytest.raises(NotFound) as refused:
                await ask(id)
            assert str(refused.value) == f"The school has no such record for {operation}. Look it up again."
    await app.aclose()


async def test_what_lies_inside_is_answered_as_the_school_has_it(see, same_school):
    for name, arguments in reads(same_school, GRADE_8).items():
        whole = await getattr(see(UNLIMITED).client, name)(*arguments)
        limited = see(READS_GRADE_8)
        assert await getattr(limited.client, name)(*arguments) == whole, name
        assert await limited.read(getattr(limited.client, name), *arguments) == whole, name


async def test_of_a_group_that_is_seen_in_part_there_are_the_rows_of_those_who_are_seen(see, same_school):
    homeroom = f"year_group_id = {GRADE_7} and homeroom_advisor_id = 14200044"
    inside = {id for (id,) in same_school.rows(f"select id from students where {homeroom}")}
    client = see(Grants(frozenset({Place("homeroom", "Grade 7 Yichen Shen")}))).client
    whole = see(UNLIMITED).client
    of_students = {"get_student", "get_student_memberships", "list_student_excusals", "get_parent"}
    for name, arguments in reads(same_school, GRADE_7).items():
        if name in {*of_students, "get_class", "get_class_timetable"}:
            continue
        seen, everything = await getattr(client, name)(*arguments), await getattr(whole, name)(*arguments)
        rows, all_rows = getattr(seen, "students", seen), getattr(everything, "students", everything)
        assert rows == [row for row in all_rows if getattr(row, "id", row) in inside], name
        assert 0 < len(rows) < len(all_rows), name
    (group,) = await client.list_year_groups()
    assert set(group.student_ids) <= inside


async def test_lists_hold_those_who_are_seen_and_nobody_else(see, same_school):
    inside = {id for (id,) in same_school.rows("select id from students where year_group_id = :id", id=GRADE_8)}
    for limited in (see(READS_GRADE_8), see(WRITES_GRADE_8)):
        client = limited.client
        assert {one.id for one in await client.list_students()} == inside
        assert [group.id for group in await client.list_year_groups()] == [GRADE_8]
        assert {one.user_id for one in await client.list_memberships(user_ids=sorted(inside))} == inside
        everybody = [id for (id,) in same_school.rows("select id from students order by id limit 90")]
        assert {one.user_id for one in await client.list_memberships(user_ids=everybody)} <= inside
        classes = {id for (id,) in same_school.rows("select distinct class_id from memberships m join students s on s.id = m.student_id where year_group_id = :id and left_on is null", id=GRADE_8)}  # fmt: skip
        assert {record.id for record in await client.list_classes()} == classes
        parents = await client.list_parents()
        assert {child for parent in parents for child in parent.child_ids} <= inside
        assert all(parent.child_ids for parent in parents)
        page = await client.list_excusals(DAY, page=1, per_page=1)
        whole = await see(UNLIMITED).client.list_excusals(DAY)
        mine = [row for row in whole.items if row.student_id in inside]
        assert (page.items, page.meta.total_count, page.meta.total_pages) == (mine[:1], len(mine), max(len(mine), 1))


async def test_whoever_comes_next_asks_the_school_only_what_is_about_whom_they_see(see, same_school):
    advisors = f"select distinct homeroom_advisor_id from students where year_group_id = {GRADE_7} and archived = 0"
    asked, seen = [], []
    for (advisor,) in same_school.rows(advisors)[:2]:
        before = len(same_school.log)
        school = see(Grants(frozenset({Place("homeroom", str(advisor))})))
        seen.append(set(await school.all_students()))
        assert await groups_without_homeroom(school, (await school.year_groups()).values(), DAY) == set()
        asked.append([entry.path for entry in list(same_school.log)[before:]])
    assert all(seen)
    assert seen[0].isdisjoint(seen[1])
    assert "/v2p1/students" in asked[0]
    assert asked[1] == ["/v2p1/memberships"]


async def test_what_has_no_rule_cannot_be_called_with_a_limited_sight(see):
    with pytest.raises(NotAllowed):
        await see(READS_GRADE_8).client.get_permissions()


@pytest.mark.parametrize("grants", [READS_GRADE_8, WRITES_GRADE_8, Grants(UNLIMITED.read)])
async def test_no_write_leaves_that_is_not_granted(see, same_school, grants):
    student, parent, taught, _ = of_grade(same_school, GRADE_7)
    client = see(grants).client
    row = ClassMarkWrite(student_id=student, date=DAY, period=1, status=2)
    for call in (
        lambda: client.set_homeroom_attendance(student, DAY, 2),
        lambda: client.set_class_attendance(taught, [row], periods_from=1),
        lambda: client.create_excusal(student, parent_id=parent, start_date=DAY),
        lambda: client.update_excusal(student, 1, comment="x"),
        lambda: client.delete_excusal(student, 1),
    ):
        with pytest.raises(NotAllowed, match=f"doesn't let you change the records of {student}"):
            await call()
    assert same_school.writes == []


@pytest.mark.parametrize(
    ("place", "query"),
    [
        (Place("year group", "grade 8"), f"year_group_id = {GRADE_8}"),
        (Place("year group", "G8"), f"year_group_id = {GRADE_8}"),
        (Place("year group", str(GRADE_8)), f"year_group_id = {GRADE_8}"),
        (Place("programme", "myp"), f"year_group_id in ({GRADE_7}, {GRADE_8})"),
        (Place("homeroom", "Grade 7 Yichen Shen"), f"year_group_id = {GRADE_7} and homeroom_advisor_id = 14200044"),
        (Place("class", "Sciences 8"), "id in (select student_id from memberships where class_id = 20100122 and left_on is null)"),
        (Place("year group", "Grade"), "0"),
        (Place("year group", "Grade 88"), "0"),
        (Place("year group", "Grade 7 Yichen Shen"), "0"),
        (Place("class", "Sciences"), "0"),
        (Place("class", "Siences 8"), "0"),
        (Place("homeroom", str(GRADE_8)), "0"),
        (Place("homeroom", "Yichen Shen and others"), "0"),
        (Place("year group", "99999999"), "0"),
        (Place("class", "."), "0"),
    ],
)  # fmt: skip
async def test_a_granted_group_is_exactly_the_one_that_is_called_so(see, same_school, place, query):
    expected = {id for (id,) in same_school.rows(f"select id from students where {query}")}
    sight = await see(Grants(frozenset({place}))).sight()
    assert sight is not None
    assert sight.students == expected
    assert sight.writable == frozenset()
