import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from attendance_mcp import sandbox
from attendance_mcp.digest.reconcile import Checked, Reconciled, TaughtClass, reconciled
from attendance_mcp.rules.contradictions import Mark, StudentDay, contradictions
from attendance_mcp.rules.labels import Labels
from tests.upstream_school import UpstreamSchool

pytestmark = pytest.mark.anyio
TOOL = "reconcile_homeroom"
PROFILE = Path(sandbox.__file__).with_name("school.toml")  # the code for excused is 13
DAY = "2026-11-19"  # Thursday, some days before the school's today: every register of it is due
ARRIVED = "absent in homeroom, present in a later class"
GONE = "present in homeroom, absent from every class"
SOME = "present in some classes, absent from others"
UNMARKED = "absent with an excusal, not marked excused"
UNEXCUSED = "excused without an excusal"


# --- what is true, by SQL and by none of the product's code ------------------------------------------------------------

VENDOR = {  # the words that keep their kind in any school
    "Late": "late", "Dress Code": "present", "Late & Dress Code": "late", "Dismissed": "left", "Health": "health",
    "Sports": "out", "Fieldtrip": "out", "Excused": "excused", "Other": "other",
}  # fmt: skip


@dataclass
class Truth:
    """A student's day as the database has it, in kinds."""

    name: str
    group: str
    homeroom: str | None
    covered: bool
    classes: list[tuple[int, str]] = field(default_factory=list)  # in the order of the periods

    def found(self) -> set[str]:
        seen = [period for period, kind in self.classes if kind in ("present", "late", "left")]
        missed = [period for period, kind in self.classes if kind == "absent"]
        kinds = {self.homeroom, *(kind for _, kind in self.classes)}
        before_arriving = self.homeroom == "absent" and seen and all(period < min(seen) for period in missed)
        checks = {
            ARRIVED: self.homeroom == "absent" and seen,
            GONE: self.homeroom in ("present", "late") and missed and len(missed) == len(self.classes),
            SOME: seen and missed and not before_arriving,
            UNMARKED: self.covered and "absent" in kinds,
            UNEXCUSED: not self.covered and "excused" in kinds,
        }
        return {name for name, holds in checks.items() if holds}


def truths(school: UpstreamSchool, day: str = DAY) -> dict[int, Truth]:
    """Every student who isn't archived."""
    profile = tomllib.loads(PROFILE.read_text("utf-8"))
    labels = {
        (code, status): label
        for code, status, label in school.rows(
            "SELECT y.program_code, c.status, c.label FROM categories c JOIN academic_years y ON y.id = c.academic_year_id"
            " WHERE :day BETWEEN y.starts_on AND y.ends_on",
            day=day,
        )
    }

    def kind(code: str, status: int | None) -> str | None:
        if status is None or status in (0, 1):
            return {0: "absent", 1: "present"}.get(status)  # type: ignore[arg-type]
        own = profile["school"]["kinds"] | profile["programs"].get(code, {}).get("kinds", {})
        label = labels[code, status]
        return own.get(label) or own.get(str(status)) or VENDOR.get(label, "unclassified")

    found = {
        id: Truth(f"{first} {last}", group, kind(code, status), bool(covered))
        for id, first, last, group, code, status, covered in school.rows(
            """SELECT s.id, s.first_name, s.last_name, g.name, g.program_code, m.status, EXISTS (
                 SELECT 1 FROM excusals e WHERE e.student_id = s.id AND :day BETWEEN e.start_date AND e.end_date)
               FROM students s JOIN year_groups g ON g.id = s.year_group_id
               JOIN school_days d ON d.program_code = g.program_code AND d.date = :day
               LEFT JOIN homeroom_marks m ON m.student_id = s.id AND m.date = :day WHERE s.archived = 0""",
            day=day,
        )
    }
    for id, period, status, code in school.rows(
        "SELECT m.student_id, m.period, m.status, c.program_code FROM class_marks m JOIN classes c ON c.id = m.class_id"
        " WHERE m.date = :day ORDER BY m.period, m.class_id",
        day=day,
    ):
        if id in found:
            found[id].classes.append((period, kind(code, status) or ""))
    return found


def by_kind(truth: dict[int, Truth], group: str = "") -> dict[str, set[int]]:
    kinds = defaultdict(set)
    for id, one in truth.items():
        for name in one.found() if group in ("", one.group) else ():
            kinds[name].add(id)
    return dict(kinds)


def told(facts: dict[str, Any]) -> dict[str, set[int]]:
    assert all(one["number"] == len(one["students"]) for one in facts.get("found", ()))
    return {one["kind"]: {row["id"] for row in one["students"]} for one in facts.get("found", ())}


def stir(school: UpstreamSchool) -> None:
    """Makes each kind of contradiction on the day, among students whose homeroom was marked present."""
    rows = school.rows(
        "SELECT m.student_id FROM homeroom_marks m JOIN students s ON s.id = m.student_id JOIN year_groups g"
        " ON g.id = s.year_group_id WHERE m.date = :day AND m.status = 1 AND s.archived = 0 AND g.name = 'Grade 8'"
        " ORDER BY 1",
        day=DAY,
    )
    late, gone, half, excused, unexcused = (id for (id,) in rows[:5])
    homeroom = "UPDATE homeroom_marks SET status = :to WHERE date = :day AND student_id = :id"
    classes = "UPDATE class_marks SET status = :to WHERE date = :day AND student_id = :id"
    for statement, id, to in (
        (homeroom, late, 0),
        (classes, gone, 0),
        (f"{classes} AND period >= 4", half, 0),
        (homeroom, excused, 0),
        (classes, excused, 0),
        (homeroom, unexcused, 13),
        (classes, unexcused, 13),
    ):
        school.change(statement, day=DAY, id=id, to=to)
    school.change(
        "INSERT INTO excusals (student_id, parent_id, start_date, end_date, created_at, updated_at)"
        " SELECT :id, parent_id, :day, :day, '2026-11-18T08:00:00Z', '2026-11-18T08:00:00Z'"
        " FROM child_links WHERE student_id = :id LIMIT 1",
        id=excused,
        day=DAY,
    )


# --- the tool ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "assumed", ["no_record=missing", "no_record={}", "no_record=-1", "periods_from=0", "unlisted_day=unknown"]
)
async def test_every_contradiction_of_the_day_is_found_and_no_other(open_school, assumed):
    school = open_school("small", assumed)
    stir(school)
    truth = truths(school)
    async with school.client(profile=PROFILE) as ask:
        facts = await ask.facts(TOOL, date=DAY)
    assert told(facts) == by_kind(truth)
    assert set(told(facts)) == {ARRIVED, GONE, SOME, UNMARKED, UNEXCUSED}
    assert facts["students"] == len(truth)
    assert facts["in_class"] == len([one for one in truth.values() if one.classes])
    assert school.writes == []


async def test_a_group_is_looked_at_alone(school):
    stir(school)
    truth = truths(school)
    async with school.client(profile=PROFILE) as ask:
        grade = await ask.facts(TOOL, date=DAY, group="Grade 8")
        programme = await ask.facts(TOOL, date=DAY, group="IB Middle Years")
        lesson = await ask.facts(TOOL, date=DAY, group="Mathematics 8")
    assert told(grade) == by_kind(truth, "Grade 8")
    assert programme["students"] == len([one for one in truth.values() if one.group in ("Grade 7", "Grade 8")])
    assert set().union(*told(lesson).values()) <= set().union(*by_kind(truth, "Grade 8").values())


async def test_each_proposed_change_starts_from_what_stands_and_mends_it(school):
    stir(school)
    async with school.client(profile=PROFILE) as ask:
        facts = await ask.facts(TOOL, date=DAY, group="Grade 8")
    assert facts["changes"]
    for change in facts["changes"]:
        if change["record"] == "homeroom":
            query = "SELECT status FROM homeroom_marks WHERE date = :day AND student_id = :student_id"
        else:
            query = (
                "SELECT status FROM class_marks WHERE date = :day AND student_id = :student_id"
                " AND class_id = :class_id AND period = :period"
            )
        assert school.one(query, day=DAY, **change) == (change["from"],)
        school.change(query.replace("SELECT status FROM", "UPDATE").replace("WHERE", "SET status = :to WHERE"), day=DAY, **change)  # fmt: skip
    mended = {change["student_id"] for change in facts["changes"]}
    async with school.client(profile=PROFILE) as ask:
        after = await ask.facts(TOOL, date=DAY, group="Grade 8")
    assert "changes" not in after
    assert mended.isdisjoint(set().union(*told(after).values()))


async def test_marks_of_a_class_that_a_student_has_left_count_as_theirs(school):
    """The whole homeroom has left the class since, so that no membership of theirs leads to it any more."""
    student, class_id, name, period = school.one(
        "SELECT m.student_id, c.id, c.name, m.period FROM class_marks m JOIN classes c ON c.id = m.class_id"
        " JOIN students s ON s.id = m.student_id JOIN year_groups g ON g.id = s.year_group_id"
        " JOIN homeroom_marks h ON h.student_id = s.id AND h.date = m.date AND h.status = 1"
        " WHERE m.date = :day AND m.status = 1 AND g.name = 'Grade 9' ORDER BY m.period, m.student_id",
        day=DAY,
    )
    here = {"day": DAY, "id": student}
    of_homeroom = (
        "SELECT id FROM students WHERE (year_group_id, homeroom_advisor_id) ="
        " (SELECT year_group_id, homeroom_advisor_id FROM students WHERE id = :id)"
    )
    school.change("UPDATE homeroom_marks SET status = 0 WHERE date = :day AND student_id = :id", **here)
    school.change(
        "DELETE FROM class_marks WHERE date = :day AND student_id = :id AND class_id <> :class_id",
        class_id=class_id,
        **here,
    )
    school.change(
        f"UPDATE memberships SET left_on = :day WHERE class_id = :class_id AND student_id IN ({of_homeroom})",
        class_id=class_id,
        **here,
    )
    advisor = school.one(
        "SELECT first_name || ' ' || last_name FROM teachers"
        " WHERE id = (SELECT homeroom_advisor_id FROM students WHERE id = :id)",
        **here,
    )[0]
    async with school.client(profile=PROFILE) as ask:
        facts = await ask.facts(TOOL, date=DAY, group=f"Grade 9 {advisor}")
    [arrived] = [
        row for one in facts["found"] if one["kind"] == ARRIVED for row in one["students"] if row["id"] == student
    ]
    assert arrived["evidence"] == f"homeroom Absent; {name} period {period} Present"


async def test_a_register_not_taken_is_told_once_with_what_the_classes_suggest(school):
    school.change(
        "DELETE FROM homeroom_marks WHERE date = :day AND student_id IN (SELECT s.id FROM students s JOIN year_groups g"
        " ON g.id = s.year_group_id WHERE g.name = 'Grade 8')",
        day=DAY,
    )
    truth = {id: one for id, one in truths(school).items() if one.group == "Grade 8"}
    async with school.client(profile=PROFILE) as ask:
        facts, text = await ask.facts(TOOL, date=DAY, group="IB MYP"), await ask.text(TOOL, date=DAY, group="Grade 8")
    [register] = [one for one in facts["untaken"] if one["of"] == "Grade 8"]
    assert (register["students"], register["in_class"]) == (
        len(truth),
        len([one for one in truth.values() if one.classes]),
    )
    assert all(id not in str(facts.get("changes")) for id in map(str, truth) if not truth[int(id)].found())
    assert "Homeroom register not taken, classes have marks (1):" in text
    assert "which suggest Present" in text


async def test_where_no_homeroom_is_kept_class_marks_alone_are_compared(school):
    async with school.client(profile=PROFILE) as ask:
        facts = await ask.facts(TOOL, date=DAY, group="Grade 10")
    assert told(facts) == by_kind(truths(school), "Grade 10")
    assert facts["remarks"] == [
        "Keeps no homeroom, by this term's marks or the profile, so class marks alone are compared: Grade 10."
    ]


async def test_without_a_named_code_the_answer_says_that_excused_absences_stand(school):
    stir(school)
    async with school.client() as ask:
        facts = await ask.facts(TOOL, date=DAY, group="Grade 8")
    assert UNMARKED not in told(facts)
    assert facts["remarks"] == [
        "The school profile names no code for excused, so absences with an excusal stand: Grade 8."
    ]


async def test_a_day_off_a_day_to_come_and_a_day_without_class_marks_say_so(school):
    school.change("DELETE FROM class_marks WHERE date = '2026-11-18'")
    async with school.client(profile=PROFILE) as ask:
        saturday = await ask.text(TOOL, date="2026-11-21")
        bare = await ask.text(TOOL, date="2026-11-18", group="Grade 9")
        assert "yet to come" in await ask.error(TOOL, date="tomorrow")
    assert saturday == snapshot("""\
Sat 2026-11-21, whole school, as of 10:30: 0 students looked at, 0 with taken class marks.
No school for Grade 7, Grade 8 on Sat 2026-11-21 (weekend); the last school day was Fri 2026-11-20.
No school for Grade 9, Grade 10 on Sat 2026-11-21 (weekend); the last school day was Thu 2026-11-19.
No contradiction, for no class mark is taken: too early, a day off, or classes are not marked here.\
""")
    assert bare == snapshot("""\
Wed 2026-11-18, Grade 9, as of 10:30: 24 students looked at, 0 with taken class marks.
No contradiction, for no class mark is taken: too early, a day off, or classes are not marked here.\
""")


async def test_a_year_group_of_a_large_school_takes_at_most_45_requests(open_school):
    school = open_school("school")
    async with school.client(profile=PROFILE) as ask:
        school.log.clear()
        facts = await ask.facts(TOOL, date=DAY, group="Grade 7")
        cold = len(school.log)
        await ask.facts(TOOL, group="Grade 7")
        warm = len(school.log) - cold
        whole = await ask.facts(TOOL, date=DAY)
    assert (cold, warm) == snapshot((35, 20))
    assert cold <= 45
    truth = truths(school)
    assert told(facts) == by_kind(truth, "Grade 7")
    assert {one["kind"]: one["number"] for one in whole["found"]} == {
        kind: len(ids) for kind, ids in by_kind(truth).items()
    }


async def test_a_question_that_needs_too_many_requests_names_the_smaller_groups(school):
    async with school.client(rate=10, deadline=3) as ask:
        error = await ask.error(TOOL)
    assert "Ask for one year group: Grade 7, Grade 8, Grade 9, Grade 10." in error


async def test_the_answer_can_be_read_aloud_and_carried_on_with(school):
    stir(school)
    async with school.client(profile=PROFILE) as ask:
        assert await ask.text(TOOL, date=DAY, group="Grade 8") == snapshot("""\
Thu 2026-11-19, Grade 8, as of 10:30: 24 students looked at, 24 with taken class marks.
Absent in homeroom, present in a later class (1):
Ayşe Demirtaş-Tekin (10400268): homeroom Absent; Sciences 8 period 1 Present → homeroom Tardy
Present in homeroom, absent from every class (1):
Paloma Echeverría (10400279): homeroom Present; periods 1, 2, 3, 4, 5 and 6 Absent → homeroom Absent
Present in some classes, absent from others (1):
Dalibor Kříž (10400290): periods 1, 2 and 3 Present; periods 4, 5 and 6 Absent → Individuals and Societies 8 (20100139) period 4, Sciences 8 (20100122) period 5, Mathematics 8 (20100088) period 6 Dismissed
Absent with an excusal, not marked excused (1):
Inès Vasseur (10400301): homeroom Absent; periods 1, 2, 3, 4, 5 and 6 Absent → homeroom, Sciences 8 (20100122) periods 1 and 5, Mathematics 8 (20100088) periods 2 and 6, Language and Literature 7 (20100020) period 3, Individuals and Societies 8 (20100139) period 4 Excused
Excused without an excusal (1):
Yui Matsuda (10400312): homeroom Excused; periods 1, 2, 3, 4, 5 and 6 Excused → homeroom, Sciences 8 (20100122) periods 1 and 5, Mathematics 8 (20100088) periods 2 and 6, Language and Literature 8 (20100105) period 3, Individuals and Societies 8 (20100139) period 4 Absent
The changes are proposals, made where one is known to be right; nothing was written.\
""")
        assert await ask.facts(TOOL, date=DAY, group="Grade 8") == snapshot(
            {
                "day": "Thu 2026-11-19",
                "of": "Grade 8",
                "as_of": "10:30",
                "students": 24,
                "in_class": 24,
                "found": [
                    {
                        "kind": "absent in homeroom, present in a later class",
                        "number": 1,
                        "students": [
                            {
                                "id": 10400268,
                                "name": "Ayşe Demirtaş-Tekin",
                                "evidence": "homeroom Absent; Sciences 8 period 1 Present",
                            }
                        ],
                    },
                    {
                        "kind": "present in homeroom, absent from every class",
                        "number": 1,
                        "students": [
                            {
                                "id": 10400279,
                                "name": "Paloma Echeverría",
                                "evidence": "homeroom Present; periods 1, 2, 3, 4, 5 and 6 Absent",
                            }
                        ],
                    },
                    {
                        "kind": "present in some classes, absent from others",
                        "number": 1,
                        "students": [
                            {
                                "id": 10400290,
                                "name": "Dalibor Kříž",
                                "evidence": "periods 1, 2 and 3 Present; periods 4, 5 and 6 Absent",
                            }
                        ],
                    },
                    {
                        "kind": "absent with an excusal, not marked excused",
                        "number": 1,
                        "students": [
                            {
                                "id": 10400301,
                                "name": "Inès Vasseur",
                                "evidence": "homeroom Absent; periods 1, 2, 3, 4, 5 and 6 Absent",
                            }
                        ],
                    },
                    {
                        "kind": "excused without an excusal",
                        "number": 1,
                        "students": [
                            {
                                "id": 10400312,
                                "name": "Yui Matsuda",
                                "evidence": "homeroom Excused; periods 1, 2, 3, 4, 5 and 6 Excused",
                            }
                        ],
                    },
                ],
                "changes": [
                    {"student_id": 10400268, "record": "homeroom", "from": 0, "to": 2, "label": "Tardy"},
                    {"student_id": 10400279, "record": "homeroom", "from": 1, "to": 0, "label": "Absent"},
                    {
                        "student_id": 10400290,
                        "record": "class",
                        "class_id": 20100139,
                        "period": 4,
                        "from": 0,
                        "to": 5,
                        "label": "Dismissed",
                    },
                    {
                        "student_id": 10400290,
                        "record": "class",
                        "class_id": 20100122,
                        "period": 5,
                        "from": 0,
                        "to": 5,
                        "label": "Dismissed",
                    },
                    {
                        "student_id": 10400290,
                        "record": "class",
                        "class_id": 20100088,
                        "period": 6,
                        "from": 0,
                        "to": 5,
                        "label": "Dismissed",
                    },
                    {"student_id": 10400301, "record": "homeroom", "from": 0, "to": 13, "label": "Excused"},
                    {
                        "student_id": 10400301,
                        "record": "class",
                        "class_id": 20100122,
                        "period": 1,
                        "from": 0,
                        "to": 13,
                        "label": "Excused",
                    },
                    {
                        "student_id": 10400301,
                        "record": "class",
                        "class_id": 20100088,
                        "period": 2,
                        "from": 0,
                        "to": 13,
                        "label": "Excused",
                    },
                    {
                        "student_id": 10400301,
                        "record": "class",
                        "class_id": 20100020,
                        "period": 3,
                        "from": 0,
                        "to": 13,
                        "label": "Excused",
                    },
                    {
                        "student_id": 10400301,
                        "record": "class",
                        "class_id": 20100139,
                        "period": 4,
                        "from": 0,
                        "to": 13,
                        "label": "Excused",
                    },
                    {
                        "student_id": 10400301,
                        "record": "class",
                        "class_id": 20100122,
                        "period": 5,
                        "from": 0,
                        "to": 13,
                        "label": "Excused",
                    },
                    {
                        "student_id": 10400301,
                        "record": "class",
                        "class_id": 20100088,
                        "period": 6,
                        "from": 0,
                        "to": 13,
                        "label": "Excused",
                    },
                    {"student_id": 10400312, "record": "homeroom", "from": 13, "to": 0, "label": "Absent"},
                    {
                        "student_id": 10400312,
                        "record": "class",
                        "class_id": 20100122,
                        "period": 1,
                        "from": 13,
                        "to": 0,
                        "label": "Absent",
                    },
                    {
                        "student_id": 10400312,
                        "record": "class",
                        "class_id": 20100088,
                        "period": 2,
                        "from": 13,
                        "to": 0,
                        "label": "Absent",
                    },
                    {
                        "student_id": 10400312,
                        "record": "class",
                        "class_id": 20100105,
                        "period": 3,
                        "from": 13,
                        "to": 0,
                        "label": "Absent",
                    },
                    {
                        "student_id": 10400312,
                        "record": "class",
                        "class_id": 20100139,
                        "period": 4,
                        "from": 13,
                        "to": 0,
                        "label": "Absent",
                    },
                    {
                        "student_id": 10400312,
                        "record": "class",
                        "class_id": 20100122,
                        "period": 5,
                        "from": 13,
                        "to": 0,
                        "label": "Absent",
                    },
                    {
                        "student_id": 10400312,
                        "record": "class",
                        "class_id": 20100088,
                        "period": 6,
                        "from": 13,
                        "to": 0,
                        "label": "Absent",
                    },
                ],
            }
        )


# --- the digest -------------------------------------------------------------------------------------------------------

LABELS = Labels.of([])
CLASSES = {id: TaughtClass(f"Class {id}", "p" if id < 9 else "other") for id in range(1, 10)}
CODES = st.sampled_from([None, -1, 0, 1, 2, 5, 12, 13])


def mark(code: int | None, period: int | None = None, class_id: int | None = None) -> Mark:
    return Mark(LABELS[code] if code is not None else None, period, class_id)


def checked(id: int, homeroom: Mark | None, classes: list[Mark], covered: bool | None, register: int) -> Checked:
    day = StudentDay(homeroom, tuple(classes), covered, register_taken=register != 0)
    return Checked(id, f"Student {id}", "Grade 8", f"Advisor {register}", day, LABELS, LABELS[13], "p")


STUDENTS = st.lists(
    st.builds(
        checked,
        st.integers(1, 10_000),
        st.none() | st.builds(mark, CODES),
        st.lists(st.builds(mark, CODES, st.integers(1, 6), st.integers(1, 9)), max_size=5),
        st.sampled_from([True, False, None]),
        st.integers(0, 2),
    ),
    unique_by=lambda student: student.id,
    max_size=12,
)


def digest(students: list[Checked], **more: Any) -> Reconciled:
    return reconciled(students, day="d", of="o", as_of="t", classes=CLASSES, **more)


@given(students=STUDENTS, data=st.data())
def test_no_contradiction_is_lost_or_counted_twice(students, data):
    facts = digest(students)
    by_rules = Counter(
        (str(one.kind), student.id)
        for student in students
        for one in contradictions(student.day, labels=student.labels, excused=student.excused)
    )
    listed = Counter((one.kind, row.id) for one in facts.found for row in one.students)
    untaken = [pair for pair in by_rules if pair not in listed]
    assert all(by_rules[pair] == number for pair, number in listed.items())
    assert sum(register.in_class for register in facts.untaken) == len(untaken)
    shuffled = digest(data.draw(st.permutations(students)))
    assert Counter(shuffled.lines()) == Counter(facts.lines())


@given(students=STUDENTS)
def test_a_record_is_changed_once_and_never_by_another_programme_s_code(students):
    changes = digest(students).changes
    records = [(one.student_id, one.class_id, one.period) for one in changes]
    homeroom = [record for record in records if record[1] is None]
    assert len(set(homeroom)) == len(homeroom)
    assert all(one.class_id != 9 and one.to != one.was and one.to != -1 for one in changes)


@given(students=STUDENTS, room=st.integers(0, 2_000))
def test_rows_that_do_not_fit_are_counted_and_their_changes_left_out(students, room):
    whole, cut = digest(students), digest(students, room=room)
    assert [(one.kind, one.number) for one in cut.found] == [(one.kind, one.number) for one in whole.found]
    shown = {row.id for one in cut.found for row in one.students}
    assert {change.student_id for change in cut.changes} <= shown
    assert sum(len(row.model_dump_json(exclude_defaults=True)) for one in cut.found for row in one.students) <= room


def test_an_answer_stays_small_at_any_size():
    students = [
        checked(
            10_400_000 + number,
            mark(0 if number % 3 else 13),
            [mark(0 if number % 2 else 1, period, 8) for period in range(1, 7)],
            number % 2 == 0,
            number % 200,
        )
        for number in range(4_000)
    ]
    facts = digest(students)
    assert sum(one.number for one in facts.found) > 2_000
    assert len("\n".join(facts.lines()).encode()) < 12_000
    assert len(facts.model_dump_json(exclude_defaults=True).encode()) < 24_000
