from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from attendance_mcp.digest.concerns import Counted, Evidence, Track, concerns
from attendance_mcp.rules.rates import rate_of
from attendance_mcp.status import Kind
from tests.upstream_school import UpstreamSchool

pytestmark = pytest.mark.anyio
NINETY = Fraction(9, 10)
TOOL = "list_attendance_concerns"
KEEPING = ("Grade 7", "Grade 8", "Grade 9")  # the small school's year groups with homeroom marks this term
ASSUMED = ["no_record=missing", "no_record={}", "no_record=-1", "archived=also", "adjustments=inside",
           "unlisted_day=unknown", "periods_from=0", "extended_off=401"]  # fmt: skip


def ids(rows: list[dict[str, Any]] | None) -> set[int]:
    return {row["id"] for row in rows or ()}


# --- what is true, counted by SQL and by no code of the product's ----------------------------------------------------

# The vendor's words; a label of the school's own counts in neither as long as no profile says what it is.
ATTENDED = {"Present", "Late", "Dress Code", "Late & Dress Code", "Dismissed", "Sports", "Fieldtrip"}
AWAY = {"Absent", "Health", "Excused"}
VENDOR = {
    1: "Present", 2: "Late", 3: "Dress Code", 4: "Late & Dress Code", 5: "Dismissed", 11: "Sports", 12: "Fieldtrip",
    0: "Absent", 10: "Health", 13: "Excused",
}  # fmt: skip


@dataclass(frozen=True)
class Tally:
    """A student's term."""

    attended: int
    away: int
    missing: int

    @property
    def part(self) -> str:
        """Where the student stands at 90 %, by both bounds."""
        if self.attended + self.away < 10:
            return "few"
        every = self.attended + self.away + self.missing
        if Fraction(self.attended + self.missing, every) < Fraction(9, 10):
            return "below"
        return "open" if Fraction(self.attended, every) < Fraction(9, 10) else "above"


def term_now(school: UpstreamSchool, program: str) -> tuple[int, int, str, str]:
    """(academic year, term, start, end) that hold today."""
    return school.one(
        "select y.id, t.id, t.starts_on, t.ends_on from terms t join academic_years y on y.id = t.academic_year_id"
        " where y.program_code = :program and :today between t.starts_on and t.ends_on",
        program=program,
        today=school.today.date().isoformat(),
    )


def tallies(school: UpstreamSchool, group: str) -> dict[int, Tally]:
    """Everybody of a year group who is not archived, in the current term up to today."""
    (program,) = school.one("select program_code from year_groups where name = :group", group=group)
    year, _, start, _ = term_now(school, program)
    today = school.today.date().isoformat()
    side = _sides(school, year)
    (days,) = school.one(
        "select count(*) from school_days where program_code = :program and date between :start and :today",
        program=program, start=start, today=today,
    )  # fmt: skip
    counts: dict[int, Counter[str]] = {id: Counter() for id in students(school, group)}
    for id, status, number in school.rows(
        "select student_id, status, count(*) from homeroom_marks where date between :start and :today group by 1, 2",
        start=start, today=today,
    ):  # fmt: skip
        if id in counts:
            counts[id][side.get(status, "neither")] += number
    return {id: Tally(own["attended"], own["away"], max(0, days - own.total())) for id, own in counts.items()}


def class_tallies(school: UpstreamSchool, group: str) -> dict[tuple[int, str], Tally]:
    """The same in each class of the year group's students, by student and class name; nothing counts as missing."""
    (program,) = school.one("select program_code from year_groups where name = :group", group=group)
    year, _, start, _ = term_now(school, program)
    side = _sides(school, year)
    own = students(school, group)
    counts: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for id, name, status, number in school.rows(
        "select m.student_id, c.name, m.status, count(*) from class_marks m join classes c on c.id = m.class_id"
        " where c.program_code = :program and m.date between :start and :today group by 1, 2, 3",
        program=program, start=start, today=school.today.date().isoformat(),
    ):  # fmt: skip
        if id in own:
            counts[id, name][side.get(status, "neither")] += number
    return {key: Tally(one["attended"], one["away"], 0) for key, one in counts.items()}


def students(school: UpstreamSchool, group: str) -> set[int]:
    rows = school.rows(
        "select s.id from students s join year_groups g on g.id = s.year_group_id"
        " where g.name = :group and s.archived = 0",
        group=group,
    )
    return {row[0] for row in rows}


def away_days(school: UpstreamSchool, group: str, *, most: int) -> dict[int, list[str]]:
    """Each student's last marks among the last school days of the term, `away` or not, oldest first."""
    (program,) = school.one("select program_code from year_groups where name = :group", group=group)
    year, _, start, _ = term_now(school, program)
    side = _sides(school, year)
    rows = school.rows(
        "select m.student_id, m.status from homeroom_marks m where m.date in"
        " (select date from school_days where program_code = :program and date between :start and :today"
        "  order by date desc limit :most) order by m.date",
        program=program, start=start, today=school.today.date().isoformat(), most=most,
    )  # fmt: skip
    own = students(school, group)
    found: dict[int, list[str]] = defaultdict(list)
    for id, status in rows:
        if id in own:
            found[id].append(side.get(status, "neither"))
    return found


def longest(marks: list[str]) -> int:
    """The longest row of days away."""
    best = row = 0
    for mark in marks:
        row = row + 1 if mark == "away" else 0
        best = max(best, row)
    return best


def _sides(school: UpstreamSchool, year: int) -> dict[int, str]:
    labels = dict(school.rows("select status, label from categories where academic_year_id = :year", year=year))
    return {
        status: "attended" if word in ATTENDED else "away"
        for status, word in VENDOR.items()
        if labels.get(status, word) == word or status in (0, 1)
    }


# --- the digest, on its own ------------------------------------------------------------------------------------------

kinds = st.fixed_dictionaries(
    {kind: st.integers(0, 30) for kind in (Kind.PRESENT, Kind.ABSENT, Kind.OTHER, Kind.NOT_TAKEN)}
)
day = st.dates(date(2026, 11, 2), date(2026, 11, 20))


@st.composite
def evidences(draw: st.DrawFn) -> Evidence:
    numbers = range(draw(st.integers(0, 15)))
    groups = draw(st.sampled_from([["Grade 7"], ["Grade 7", "Grade 8"]]))
    students = [Counted(id, f"Student {id}", groups[id % len(groups)], rate_of(draw(kinds))) for id in numbers]
    tracked = [Track(one.id, one.name, one.group, dict(sorted(draw(st.dictionaries(day, st.sampled_from(Kind))).items())))
               for one in students[:3]]  # fmt: skip
    return Evidence("a term", students=students, tracks=tracked, run_days=[date(2026, 11, 2)])


@given(evidences())
def test_every_student_is_counted_once_and_named_at_most_once_where_they_belong_lowest_first(evidence):
    facts = concerns(evidence, of="x", threshold=NINETY, run_days=3)
    rates = {one.id: one.rate for one in evidence.students}
    assert facts.students == len(rates) == sum(facts.counts.values())
    named = [row.id for row in (*facts.below, *facts.open, *facts.few)]
    assert len(named) == len(set(named))
    assert all(rates[row.id].high < NINETY for row in facts.below)
    assert all(rates[row.id].low < NINETY <= rates[row.id].high for row in facts.open)
    assert all(rates[row.id].counted < 10 for row in facts.few)
    for rows in (facts.below, facts.open):
        assert rows == sorted(rows, key=lambda row: rates[row.id].low)


@given(evidences(), st.randoms())
def test_the_order_of_what_was_read_does_not_matter(evidence, random):
    mixed = Evidence(evidence.span, students=list(evidence.students), tracks=list(evidence.tracks),
                     run_days=evidence.run_days)  # fmt: skip
    random.shuffle(mixed.students)
    random.shuffle(mixed.tracks)
    assert concerns(mixed, of="x", threshold=NINETY, run_days=2) == concerns(
        evidence, of="x", threshold=NINETY, run_days=2
    )


def test_ten_thousand_students_of_whom_everybody_is_a_concern_stay_within_an_answer():
    students = [Counted(10_400_000 + id, f"Wolfeschlegelstein Bergerdorff {id}", f"Grade {id % 13}",
                        rate_of({Kind.PRESENT: 40, Kind.ABSENT: 20, Kind.NOT_TAKEN: id % 60}), {"Absent": -2})
                for id in range(10_000)]  # fmt: skip
    start = date(2026, 11, 2)
    days = {start + timedelta(days=number): Kind.ABSENT for number in range(5)}
    facts = concerns(
        Evidence("a term", students=students, tracks=[Track(one.id, one.name, one.group, days) for one in students],
                 run_days=list(days)), of="x", threshold=NINETY, run_days=3,
    )  # fmt: skip
    assert len("\n".join(facts.lines())) < 10_000
    assert len(facts.model_dump_json(exclude_defaults=True)) < 20_000
    assert "Only the lowest are named; ask for a smaller group." in facts.notes


def test_a_run_goes_on_over_a_day_that_was_not_taken_and_ends_at_any_other_mark():
    first = date(2026, 11, 16)
    marks = [Kind.ABSENT, Kind.NOT_TAKEN, Kind.HEALTH, Kind.ABSENT, Kind.LATE]
    days = {first + timedelta(days=number): kind for number, kind in enumerate(marks)}
    evidence = Evidence("a term", tracks=[Track(1, "Mia Tanaka", "Grade 8", days)], run_days=list(days))
    (row,) = concerns(evidence, of="x", threshold=NINETY, run_days=3).runs
    assert f"{row.who}: {row}" == "Mia Tanaka: health 1, absent 2, 1 not taken between from Mon 2026-11-16"


# --- the tool, against what the database holds -----------------------------------------------------------------------


@pytest.mark.parametrize("assumed", ASSUMED)
async def test_who_is_below_the_threshold_is_what_the_marks_and_the_school_days_say(open_school, assumed):
    school = open_school("small", assumed)
    async with school.client() as ask:
        for group in KEEPING:
            facts = await ask.facts(TOOL, group=group)
            truth = tallies(school, group)
            parts = Counter(tally.part for tally in truth.values())
            assert facts["students"] == len(truth)
            assert ids(facts.get("below")) == {id for id, one in truth.items() if one.part == "below"}
            assert ids(facts.get("open")) == {id for id, one in truth.items() if one.part == "open"}
            for name in ("below", "open", "few"):
                assert facts["counts"].get(name, 0) == parts[name]
            for row in facts.get("below", []):
                assert (row["away"], row["of"]) == (truth[row["id"]].away, truth[row["id"]].attended + row["away"])
            runs = {id for id, marks in away_days(school, group, most=15).items() if longest(marks) >= 3}
            assert ids(facts.get("runs")) == runs


async def test_the_whole_school_is_counted_once_and_what_keeps_no_homeroom_is_named(school):
    async with school.client() as ask:
        facts = await ask.facts(TOOL)
    truth = [one for group in KEEPING for one in tallies(school, group).values()]
    counts = dict(facts["counts"])
    (archived,) = school.one("select count(*) from students where archived = 1")
    assert counts.pop("archived, left out") == archived
    assert counts.pop("adjusted") == 1
    assert counts == {"below": 3, "open": 9, "few": 36, "at least 90 %": 23}
    assert sum(counts.values()) == facts["students"] == len(truth)
    assert "Left out, no homeroom: Grade 10. Asked for by name, told in periods." in facts["notes"]


async def test_an_answer_reads_like_this(school):
    async with school.client() as ask:
        result = await ask(TOOL, group="Grade 7", threshold=88.5, run_days=2)
    assert result.content[0].text == snapshot("""\
Grade 7, Term 2, Sat 2026-10-17 to Tue 2026-11-24: 23 students looked at; below 1, open 8, few 12, at least 88.5 % 2, adjusted 1, archived, left out 1.
Below 88.5 % (away of counted days):
Jyoti Deshpande: 63.0–74.1 %, 7 of 24
Open, below only if days not taken count as away:
Ondřej Šťastný: 77.8–88.9 %, 3 of 24
Wiebke Würtz: 80.0–92.0 %, 2 of 22
Bo-ra Hwang: 80.8–92.3 %, 2 of 23
Trâm Bùi: 81.0–95.2 %, 1 of 18
Yanis Desrosiers: 84.0–96.0 %, 1 of 22
Phúc Lý: 84.6–96.2 %, 1 of 23
Вікторія Ткаченко: 84.6–96.2 %, 1 of 23
Thanos Kalogeropoulos: 88.0–100.0 %, 0 of 22
Few, under 10 counted days; 6 may be below:
Wiebke Uhlig: 0.0–92.3 %, 2 of 2
Inès Rousselet: 0.0–92.6 %, 2 of 2
Océane Fontenay: 0.0–92.6 %, 2 of 2, adjusted Absent +2
Hannelore Schönfeld-Nußbaum: 0.0–96.2 %, 1 of 1
Eleftheria Kalogeropoulos: 0.0–96.3 %, 1 of 1
Ojas Bhattacharya: 0.0–96.3 %, 1 of 1
Away 2 or more school days in a row since Wed 2026-11-04 (2):
Jyoti Deshpande: absent 2 from Fri 2026-11-06
Inès Rousselet: absent 2 from Wed 2026-11-04, ongoing
Adjustments change no rate here.
Rate = attended ÷ (attended + away), in days; attended: present, late, left, out; away: absent, excused, health; in neither: other, unclassified, not taken.\
""")
    assert result.structured_content == snapshot(
        {
            "of": "Grade 7",
            "span": "Term 2, Sat 2026-10-17 to Tue 2026-11-24",
            "students": 23,
            "threshold": "88.5 %",
            "counts": {"below": 1, "open": 8, "few": 12, "at least 88.5 %": 2, "adjusted": 1, "archived, left out": 1},
            "below": [{"id": 10400202, "name": "Jyoti Deshpande", "rate": "63.0–74.1 %", "away": 7, "of": 24}],
            "open": [
                {"id": 10400180, "name": "Ondřej Šťastný", "rate": "77.8–88.9 %", "away": 3, "of": 24},
                {"id": 10400246, "name": "Wiebke Würtz", "rate": "80.0–92.0 %", "away": 2, "of": 22},
                {"id": 10400257, "name": "Bo-ra Hwang", "rate": "80.8–92.3 %", "away": 2, "of": 23},
                {"id": 10400147, "name": "Trâm Bùi", "rate": "81.0–95.2 %", "away": 1, "of": 18},
                {"id": 10400224, "name": "Yanis Desrosiers", "rate": "84.0–96.0 %", "away": 1, "of": 22},
                {"id": 10400191, "name": "Phúc Lý", "rate": "84.6–96.2 %", "away": 1, "of": 23},
                {"id": 10400235, "name": "Вікторія Ткаченко", "rate": "84.6–96.2 %", "away": 1, "of": 23},
                {"id": 10400158, "name": "Thanos Kalogeropoulos", "rate": "88.0–100.0 %", "of": 22},
            ],
            "few": [
                {"id": 10400015, "name": "Wiebke Uhlig", "rate": "0.0–92.3 %", "away": 2, "of": 2},
                {"id": 10400070, "name": "Inès Rousselet", "rate": "0.0–92.6 %", "away": 2, "of": 2},
                {
                    "id": 10400059,
                    "name": "Océane Fontenay",
                    "rate": "0.0–92.6 %",
                    "away": 2,
                    "of": 2,
                    "adjusted": "Absent +2",
                },
                {"id": 10400125, "name": "Hannelore Schönfeld-Nußbaum", "rate": "0.0–96.2 %", "away": 1, "of": 1},
                {"id": 10400081, "name": "Eleftheria Kalogeropoulos", "rate": "0.0–96.3 %", "away": 1, "of": 1},
                {"id": 10400004, "name": "Ojas Bhattacharya", "rate": "0.0–96.3 %", "away": 1, "of": 1},
            ],
            "few_below": 6,
            "run_days": 2,
            "runs_since": "Wed 2026-11-04",
            "runs_found": 2,
            "runs": [
                {"id": 10400202, "name": "Jyoti Deshpande", "start": "Fri 2026-11-06", "days": "absent 2"},
                {
                    "id": 10400070,
                    "name": "Inès Rousselet",
                    "start": "Wed 2026-11-04",
                    "days": "absent 2",
                    "ongoing": True,
                },
            ],
            "rules": [
                "Rate = attended ÷ (attended + away), in days; attended: present, late, left, out; away: absent, excused, health; in neither: other, unclassified, not taken."
            ],
            "notes": ["Adjustments change no rate here."],
        }
    )


async def test_a_group_without_homeroom_is_told_in_the_periods_of_each_class(open_school):
    school = open_school("school")
    async with school.client() as ask:
        facts = await ask.facts(TOOL, group="Grade 11")
        one_class = await ask.facts(TOOL, group=facts["below"][0]["class_name"])
    truth = class_tallies(school, "Grade 11")
    below = {key for key, one in truth.items() if one.part == "below"}
    assert facts["unit"] == "periods"
    assert {(row["id"], row["class_name"]) for row in facts["below"]} == below
    assert {(row["id"], row["class_name"]) for row in one_class["below"]} == {
        key for key in below if key[1] == one_class["of"]
    }


async def test_a_whole_school_of_a_thousand_is_right_and_takes_few_requests(open_school):
    school = open_school("school")
    async with school.client() as ask:
        facts = await ask.facts(TOOL)
        cold = len(list(school.log))
        await ask(TOOL)
        warm = len(list(school.log)) - cold
        grade_6 = await ask.facts(TOOL, group="Grade 6")
    # 13 totals, 11 adjustments, 15 days that are over and 10 to come of 11 year groups; the rest is reference data.
    assert cold <= 315
    # What moves is read anew: 13 totals, 11 adjustments, and today's marks of 11 year groups.
    assert warm <= 35
    groups = [row[0] for row in school.rows("select name from year_groups where program_code != 'dp'")]
    parts = Counter(one.part for group in groups for one in tallies(school, group).values())
    assert {name: facts["counts"][name] for name in ("below", "open", "few")} == {
        name: parts[name] for name in ("below", "open", "few")
    }
    truth = tallies(school, "Grade 6")
    assert ids(grade_6["below"]) | ids(grade_6["open"]) == {
        id for id, one in truth.items() if one.part in ("below", "open")
    }


async def test_a_terms_name_is_looked_for_in_each_programme_and_its_id_in_one(school):
    async with school.client() as ask:
        both = await ask.facts(TOOL, term="term 1")
        one = await ask.facts(TOOL, term="32026001")
        last_year = await ask.facts(TOOL, term="Term 3 2025-2026", group="Grade 8")
    assert both["span"] == snapshot(
        "IB Middle Years Term 1, Mon 2026-08-17 to Fri 2026-10-16; Cambridge IGCSE Term 1, Sun 2026-08-16 to Thu 2026-11-12"
    )
    assert "No such term" not in str(both) and both["students"] > one["students"]
    assert "Left out, no such term there: Grade 9, Grade 10." in one["notes"]
    assert last_year["span"] == snapshot("Term 3, Tue 2026-01-06 to Fri 2026-03-27")


async def test_a_term_that_is_not_there_or_still_to_come_is_said(school):
    async with school.client() as ask:
        assert "Term 2 2026-2027 (32026002)" in await ask.error(TOOL, term="Trimester 9")
        assert "has not begun: it starts on Wed 2027-01-06" in await ask.error(TOOL, term="Term 3", group="Grade 7")
        assert "not both" in await ask.error(TOOL, term="Term 1", start_date="2026-11-02")


async def test_a_range_counts_its_own_school_days(school):
    async with school.client() as ask:
        facts = await ask.facts(TOOL, start_date="2026-11-09", end_date="2026-11-20", group="Grade 8", threshold=100)
        too_long = await ask.error(TOOL, start_date="2026-09-01", end_date="2026-10-15", group="Grade 8")
        without = await ask.facts(TOOL, start_date="2026-11-16", group="Grade 10")
    truth = school.rows(
        "select m.student_id, sum(m.status in (0, 10, 13)), sum(m.status in (0, 1, 4, 5, 10, 11, 12, 13)) from homeroom_marks m"
        " join students s on s.id = m.student_id join year_groups g on g.id = s.year_group_id"
        " where g.name = 'Grade 8' and s.archived = 0 and m.date between '2026-11-09' and '2026-11-20' group by 1"
    )
    assert {row["id"]: row["away"] for row in facts["below"]} == {
        id: away for id, away, counted in truth if away and counted >= 10
    }
    assert "at most 15" in too_long
    assert without["students"] == 0 and "Grade 10" in " ".join(without["notes"])


async def test_adjustments_stand_beside_and_change_nothing(open_school):
    plain, inside = open_school(), open_school("small", "adjustments=inside")
    answers = []
    for school in (plain, inside):
        async with school.client() as ask:
            answers.append(await ask.facts(TOOL, term="Term 1", group="Grade 9"))
    assert answers[0] == answers[1]
    assert [row["adjusted"] for row in answers[0]["below"] if "adjusted" in row] == ["Absent -1"]


async def test_without_a_calendar_days_not_taken_are_told_as_far_as_the_totals_count_them(open_school):
    school = open_school(without=frozenset({"calendar"}))
    async with school.client() as ask:
        facts = await ask.facts(TOOL, group="Grade 7")
    assert "open" not in facts["counts"]
    assert any(note.startswith("No calendar lists the school days of Grade 7") for note in facts["notes"])
    assert facts["runs_since"]


async def test_what_would_need_more_requests_than_the_time_allows_leaves_runs_out(school):
    async with school.client(rate=40, deadline=2.5) as ask:
        facts = await ask.facts(TOOL)
    assert "runs_since" not in facts
    assert any(note.startswith("Runs are left out: whole school needs more requests") for note in facts["notes"])
    assert facts["students"] == sum(len(tallies(school, group)) for group in KEEPING)


@pytest.mark.parametrize("wrong", [{"threshold": 0}, {"threshold": 101}, {"threshold": "ninety"}, {"threshold": True},
                                   {"run_days": 1}, {"run_days": 16}, {"term": "x" * 200}])  # fmt: skip
async def test_arguments_out_of_bounds_are_refused_in_a_sentence(school, wrong):
    async with school.client() as ask:
        message = await ask.error(TOOL, **wrong)
    assert message.startswith(f"{TOOL} can't take these arguments: {next(iter(wrong))}") and len(school.log) == 0


async def test_the_threshold_is_exact_and_may_be_written_as_a_person_does(school):
    async with school.client() as ask:
        as_number = await ask.facts(TOOL, group="Grade 7", threshold=92.5)
        as_text = await ask.facts(TOOL, group="Grade 7", threshold="92.5 %")
    assert as_number == as_text and as_number["threshold"] == "92.5 %"
