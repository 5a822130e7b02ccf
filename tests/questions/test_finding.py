"""find_in_school: names to ids, against the school's own database."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from attendance_mcp.school.directory import Directory, Entry, EntryKind, plain
from tests.questions import truth
from tests.questions.filtered import filtered
from tests.upstream_school import UpstreamSchool

pytestmark = pytest.mark.anyio


def family(school: UpstreamSchool, id: int) -> tuple[set[int], set[int]]:
    """A student's parents, and the current students who share one of them."""
    parents = school.rows("select parent_id from child_links where student_id = :id", id=id)
    siblings = school.rows(
        """select distinct o.student_id from child_links c join child_links o on o.parent_id = c.parent_id
           join students s on s.id = o.student_id
           where c.student_id = :id and o.student_id <> :id and s.archived = 0""",
        id=id,
    )
    return {parent for (parent,) in parents}, {sibling for (sibling,) in siblings}


def ids(part: dict[str, str] | None) -> set[int]:
    return set(map(int, part or {}))


def only(facts: dict[str, Any]) -> dict[str, Any]:
    """The one record that was found."""
    assert len(facts["found"]) == 1
    assert not facts.get("ambiguous")
    record: dict[str, Any] = facts["found"][0]
    return record


# --- through a client ---


async def test_sixty_names_at_once_come_to_the_students_of_the_database(large):
    rows = large.rows(
        """select id, first_name || ' ' || last_name as name from students where archived = 0
           group by name having count(*) = 1 order by id desc limit 60"""
    )
    async with large.client() as ask:
        result = await ask("find_in_school", names_or_ids=[name for _, name in rows], kind="student")
    facts = result.structured_content
    assert {record["name"]: record["id"] for record in facts["found"]} == {name: id for id, name in rows}
    assert len(result.content[0].text) < 15_000
    assert len(str(facts)) < 30_000
    for record in facts["found"]:
        assert (ids(record.get("parents")), ids(record.get("siblings"))) == family(large, record["id"])
    assert len(large.log) and not large.writes


async def test_sixty_one_names_are_refused_and_so_is_none(standing):
    async with standing.client() as ask:
        assert "at most 60" in await ask.error("find_in_school", names_or_ids=["Grade 7"] * 61)
        assert "empty" in await ask.error("find_in_school", names_or_ids=[])


async def test_a_pasted_list_of_lines_is_taken_as_names(standing):
    async with standing.client() as ask:
        facts = await ask.facts("find_in_school", names_or_ids="Grade 7\n\n  Grade 9 \nNobody Atall")
    assert [record["name"] for record in facts["found"]] == ["Grade 7", "Grade 9"]
    assert facts["not_found"] == ["Nobody Atall"]


async def test_a_student_comes_with_homeroom_classes_parents_and_siblings(standing):
    (id,) = standing.one(
        """select c.student_id from child_links c join child_links o on o.parent_id = c.parent_id
           join students s on s.id = c.student_id and s.archived = 0
           join students t on t.id = o.student_id and t.archived = 0
           where o.student_id <> c.student_id order by 1 limit 1"""
    )
    classes = standing.rows(
        "select class_id from memberships where student_id = :id and left_on is null order by 1", id=id
    )
    (advisor,) = standing.one(
        """select t.first_name || ' ' || t.last_name from students s join teachers t on t.id = s.homeroom_advisor_id
           where s.id = :id""",
        id=id,
    )
    pupil = truth.pupils(standing)[id]
    async with standing.client() as ask:
        record = only(await ask.facts("find_in_school", names_or_ids=[id]))
    assert (record["name"], record["of"], record["homeroom"]) == (pupil.name, pupil.group, advisor)
    assert ids(record["classes"]) == {one for (one,) in classes}
    assert (ids(record["parents"]), ids(record["siblings"])) == family(standing, id)
    assert ids(record["siblings"])


async def test_accents_case_and_the_order_of_words_do_not_matter(standing):
    pupils = [pupil for pupil in truth.pupils(standing).values() if plain(pupil.name) != pupil.name.casefold()][:12]
    names = {plain(pupil.name): pupil.id for pupil in pupils}
    twice = {
        name
        for (name,) in standing.rows(
            "select first_name || ' ' || last_name from students group by 1 having count(*) > 1"
        )
    }
    async with standing.client() as ask:
        for pupil in pupils:
            if pupil.name in twice:
                continue
            for words in (
                plain(pupil.name),
                pupil.name.upper(),
                " ".join(reversed(pupil.name.split())),
                ", ".join(reversed(pupil.name.split(" ", 1))),
                unicodedata.normalize("NFD", pupil.name),
            ):
                record = only(await ask.facts("find_in_school", names_or_ids=[words], kind="student"))
                assert record["id"] == pupil.id
    assert names


async def test_one_wrong_letter_is_forgiven_and_said(standing):
    async with standing.client() as ask:
        facts = await ask.facts("find_in_school", names_or_ids=["Georgia Fetherstone", "Mathematcs 7"])
        text = await ask.text("find_in_school", names_or_ids=["Georgia Fetherstone"])
    assert [record["name"] for record in facts["found"]] == ["Georgia Featherstone", "Mathematics 7"]
    assert all(record["close"] for record in facts["found"])
    assert "“Georgia Fetherstone”, most likely Georgia Featherstone" in text


async def test_namesakes_are_told_apart_by_year_group_and_number_and_never_chosen(standing):
    namesakes = standing.rows(
        """select s.first_name || ' ' || s.last_name, s.id, g.name, s.student_id from students s
           join year_groups g on g.id = s.year_group_id
           where (s.first_name, s.last_name) in
             (select first_name, last_name from students group by 1, 2 having count(*) > 1) order by 2"""
    )
    assert len(namesakes) == 4
    async with standing.client() as ask:
        for name in {name for name, *_ in namesakes}:
            facts = await ask.facts("find_in_school", names_or_ids=[name], kind="student")
            assert "found" not in facts
            (asked,) = facts["ambiguous"]
            expected = {(id, group, number) for one, id, group, number in namesakes if one == name}
            assert {(one["id"], one["of"], one["number"]) for one in asked["candidates"]} == expected


async def test_the_schools_number_and_the_id_are_clear(standing):
    id, number = standing.one("select id, student_id from students where archived = 0 order by id limit 1")
    async with standing.client() as ask:
        for words in (number, number.lower(), str(id), id):
            assert only(await ask.facts("find_in_school", names_or_ids=[words]))["id"] == id


async def test_who_has_left_is_found_and_said_to_be_archived(standing):
    id, name = standing.one("select id, first_name || ' ' || last_name from students where archived = 1 order by id")
    async with standing.client() as ask:
        record = only(await ask.facts("find_in_school", names_or_ids=[name], kind="student"))
    assert (record["id"], record["archived"]) == (id, True)


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("parent", "select id, first_name || ' ' || last_name from parents group by 2 having count(*) = 1 order by 1"),
        ("teacher", "select id, first_name || ' ' || last_name from teachers where archived = 0 order by 1"),
        ("year group", "select id, name from year_groups order by 1"),
        ("class", "select id, name from classes where archived = 0 order by 1"),
        ("programme", "select 0, name from programs order by 2"),
        (
            "homeroom",
            """select t.id, g.name || ' ' || t.first_name || ' ' || t.last_name from students s
               join teachers t on t.id = s.homeroom_advisor_id join year_groups g on g.id = s.year_group_id
               where s.archived = 0 group by 1""",
        ),
    ],
)
async def test_every_kind_is_found_by_its_name(standing, kind, query):
    rows = standing.rows(query)[:10]
    async with standing.client() as ask:
        facts = await ask.facts("find_in_school", names_or_ids=[name for _, name in rows], kind=kind)
    assert [(record["id"], record["name"]) for record in facts["found"]] == rows
    assert {record["kind"] for record in facts["found"]} == {kind}


async def test_a_term_is_each_programmes_own(standing):
    terms = standing.rows("select id from terms where name = 'Term 2'")
    async with standing.client() as ask:
        facts = await ask.facts("find_in_school", names_or_ids=["Term 2"], kind="term")
        one = only(await ask.facts("find_in_school", names_or_ids=[terms[0][0]], kind="term"))
    assert {candidate["id"] for candidate in facts["ambiguous"][0]["candidates"]} == {id for (id,) in terms}
    assert one["id"] == terms[0][0]


async def test_more_candidates_than_can_be_read_are_counted(large):
    (many,) = large.one("select count(*) from year_groups")
    async with large.client() as ask:
        facts = await ask.facts("find_in_school", names_or_ids=["Grade"], kind="year group")
        crowd = await ask(
            "find_in_school", names_or_ids=[f"{letter}{other}" for letter in "abdefghijk" for other in "aeiour"]
        )
    (asked,) = facts["ambiguous"]
    assert len(asked["candidates"]) == 8
    assert asked["more"] == many - 1 - 8  # Kindergarten is no grade
    assert len(crowd.content[0].text) < 15_000
    assert len(str(crowd.structured_content)) < 30_000


async def test_without_teachers_homerooms_go_by_the_advisors_id(open_school):
    school = open_school("small", without={"teachers"})
    (advisor,) = school.one("select homeroom_advisor_id from students where year_group_id = 22400018 limit 1")
    async with school.client() as ask:
        record = only(await ask.facts("find_in_school", names_or_ids=[advisor]))
    assert (record["kind"], record["id"], record["name"]) == ("homeroom", advisor, f"Grade 8 advisor {advisor}")


async def test_parents_that_can_not_be_read_are_said_and_the_student_is_found(standing):
    with filtered(standing, **{"/parents": 403}) as way:
        async with standing.client(api_url=way.url) as ask:
            record = await ask.facts("find_in_school", names_or_ids=["Georgia Featherstone"])
            grade = [pupil.id for pupil in truth.pupils(standing).values()][:20]
            many = await ask.facts("find_in_school", names_or_ids=grade)
    assert only(record)["name"] == "Georgia Featherstone"
    assert any("could not be read" in line for line in record["not_read"])
    assert len(many["found"]) == 20
    assert any("Parents and siblings could not be read" in line for line in many["not_read"])


async def test_what_it_found_can_be_read_aloud(standing):
    async with standing.client() as ask:
        result = await ask(
            "find_in_school", names_or_ids=["Georgia Featherstone", "Božena Fišer", "grade 8", "Qqq Zzz"]
        )
    assert result.content[0].text == snapshot("""\
Clear 2, ambiguous 1, not found 1.
Georgia Featherstone (student 10400697, Grade 9, S-10406); homeroom Estêvão Conceição; classes Mathematics 9 20100173, English 9 20100190, Combined Science 9 20100207, Geography 9 20100224, Computing 9 20100241; parents Rosalind Featherstone 12300891, Jasper Kettering 12300898; siblings Rory Featherstone 10400114
Grade 8 (year group 22400018)
“Božena Fišer” may mean: Božena Fišer (student 10400686, Grade 9, S-10403); Božena Fišer (student 10400763, Grade 9, S-10424)
Not found: “Qqq Zzz”. Try another spelling or the id.\
""")
    assert result.structured_content == snapshot(
        {
            "found": [
                {
                    "kind": "student",
                    "id": 10400697,
                    "name": "Georgia Featherstone",
                    "of": "Grade 9",
                    "number": "S-10406",
                    "homeroom": "Estêvão Conceição",
                    "classes": {
                        "20100173": "Mathematics 9",
                        "20100190": "English 9",
                        "20100207": "Combined Science 9",
                        "20100224": "Geography 9",
                        "20100241": "Computing 9",
                    },
                    "parents": {"12300891": "Rosalind Featherstone", "12300898": "Jasper Kettering"},
                    "siblings": {"10400114": "Rory Featherstone"},
                },
                {"asked": "grade 8", "kind": "year group", "id": 22400018, "name": "Grade 8"},
            ],
            "ambiguous": [
                {
                    "asked": "Božena Fišer",
                    "candidates": [
                        {
                            "kind": "student",
                            "id": 10400686,
                            "name": "Božena Fišer",
                            "of": "Grade 9",
                            "number": "S-10403",
                        },
                        {
                            "kind": "student",
                            "id": 10400763,
                            "name": "Božena Fišer",
                            "of": "Grade 9",
                            "number": "S-10424",
                        },
                    ],
                }
            ],
            "not_found": ["Qqq Zzz"],
        }
    )


# --- the directory alone ---

NAMES = st.builds(
    " ".join,
    st.lists(
        st.sampled_from(
            ["Mia", "Mía", "Noor", "Tanaka", "Tanáka", "Ida", "Łukasz", "Lukasz", "van", "der", "Berg", "Öz"]
        ),
        min_size=1,
        max_size=3,
    ),
)
ENTRIES = st.lists(
    st.builds(
        Entry,
        kind=st.sampled_from([EntryKind.STUDENT, EntryKind.TEACHER, EntryKind.CLASS]),
        id=st.integers(10_000_000, 10_000_040),
        name=NAMES,
        archived=st.booleans(),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda entry: entry.id,
)


def current(entries: list[Entry]) -> set[Entry]:
    return {entry for entry in entries if not entry.archived} or set(entries)


@given(entries=ENTRIES, chosen=st.integers(0, 11))
def test_an_exact_name_is_that_entry_or_everybody_of_that_name_and_never_a_guess(entries, chosen):
    asked = entries[chosen % len(entries)]
    fitting = current([entry for entry in entries if plain(entry.name) == plain(asked.name)])
    found = Directory(entries).find(asked.name)
    assert not found.close
    assert {found.entry} == fitting if len(fitting) == 1 else set(found.candidates) == fitting
    assert found.entry is None or not found.candidates


@given(entries=ENTRIES, asked=NAMES)
def test_whatever_is_asked_only_one_that_clearly_fits_best_is_taken(entries, asked):
    found = Directory(entries).find(asked)
    words = set(plain(asked).split())
    having = current([entry for entry in entries if words <= set(plain(entry.name).split())])
    if found.entry and not found.close:  # the whole name goes before parts of it, somebody current before the archived
        exact = current([entry for entry in entries if plain(entry.name) == plain(asked)])
        assert len(exact or having) <= 1
    if found.entry and found.close:  # nobody has these words, and nobody else is as like
        assert not any(words <= set(plain(entry.name).split()) for entry in entries)


@given(entries=ENTRIES, chosen=st.integers(0, 11), data=st.data())
def test_the_order_of_the_directory_does_not_matter(entries, chosen, data):
    asked = entries[chosen % len(entries)].name
    shuffled = data.draw(st.permutations(entries))
    one, other = Directory(entries).find(asked), Directory(shuffled).find(asked)
    assert (one.entry, set(one.candidates)) == (other.entry, set(other.candidates))


@given(entries=ENTRIES, chosen=st.integers(0, 11))
def test_an_id_is_always_that_entry(entries, chosen):
    asked = entries[chosen % len(entries)]
    assert Directory(entries).find(str(asked.id)).entry == asked


@settings(max_examples=50)
@given(text=st.text(max_size=40))
def test_any_text_at_all_is_answered_with_one_or_several_or_none(text):
    found = Directory([Entry(EntryKind.STUDENT, 1, "Mia Tanaka"), Entry(EntryKind.STUDENT, 2, "Noor Berg")]).find(text)
    assert not (found.entry and found.candidates)
    if not set(plain(text)) & set("miatnkoorbeg12"):
        assert found.entry is None
        assert found.candidates == ()


def test_between_two_that_are_as_like_nobody_is_chosen():
    entries = [
        Entry(EntryKind.STUDENT, id, name) for id, name in enumerate(("Mia Tanaka", "Mia Tanake", "Noor Berg"), 1)
    ]
    found = Directory(entries).find("Mia Tanaki")
    assert found.entry is None
    assert {entry.name for entry in found.candidates} == {"Mia Tanaka", "Mia Tanake"}
    assert Directory(entries).find("Nor Berg").entry == entries[2]


def test_a_number_is_never_mistaken_for_another():
    grades = Directory([Entry(EntryKind.YEAR_GROUP, number, f"Grade {number}") for number in range(1, 13)])
    assert grades.find("Grade 99").entry is None
    assert grades.find("Grade 99").candidates == ()
    assert grades.find("Garde 9").entry == Entry(EntryKind.YEAR_GROUP, 9, "Grade 9")
