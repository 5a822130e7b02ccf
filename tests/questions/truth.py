"""What is true of the invented school, told by SQL from its own database and never through the client."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tests.upstream_school import UpstreamSchool

TODAY = "2026-11-24"  # Tuesday, half past ten
AWAY_CODES = (0, 10, 13)

# The vendor's word for each code and what it counts as. A school's own word for it is unclassified without a profile.
VENDOR = {
    0: ("Absent", "absent"),
    1: ("Present", "present"),
    2: ("Late", "late"),
    3: ("Dress Code", "present"),
    4: ("Late & Dress Code", "late"),
    5: ("Dismissed", "left"),
    10: ("Health", "health"),
    11: ("Sports", "out"),
    12: ("Fieldtrip", "out"),
    13: ("Excused", "excused"),
    14: ("Other", "other"),
}
# What the sandbox's school.toml says of the school's own words.
PROFILE = {
    "Tardy": "late",
    "Left early": "left",
    "Present online": "present",
    "School event": "out",
    "University visit": "out",
    "Mock exam": "present",
    "Study leave": "out",
    "Late": "late",
}
TOLD = ("absent", "excused", "health", "late", "left", "out", "other", "unclassified")
AWAY = ("absent", "excused", "health")
Sections = dict[tuple[str, str, bool | None], set[int]]


@dataclass(frozen=True)
class Pupil:
    """A student who is not archived."""

    id: int
    name: str
    group: str
    group_id: int
    programme: str
    advisor: int | None


def pupils(school: UpstreamSchool) -> dict[int, Pupil]:
    rows = school.rows(
        """select s.id, s.first_name || ' ' || s.last_name, g.name, g.id, g.program_code, s.homeroom_advisor_id
           from students s join year_groups g on g.id = s.year_group_id where s.archived = 0"""
    )
    return {row[0]: Pupil(*row) for row in rows}


def labels(school: UpstreamSchool, day: str) -> dict[tuple[str, int], str]:
    """The school's word for each code, by programme and code."""
    return {
        (programme, status): label
        for programme, status, label in school.rows(
            """select y.program_code, c.status, c.label from categories c
               join academic_years y on y.id = c.academic_year_id where :day between y.starts_on and y.ends_on""",
            day=day,
        )
    }


def homeroom(school: UpstreamSchool, day: str) -> dict[int, int]:
    rows = school.rows("select student_id, status from homeroom_marks where date = :day and status >= 0", day=day)
    return {id: status for id, status in rows}  # noqa: C416 a row is a tuple of anything


def from_classes(school: UpstreamSchool, day: str) -> dict[int, int]:
    """Each student's day as taken class marks tell it: the first mark that isn't away, else the first of all."""
    rows = school.rows(
        """select student_id, status from (
               select student_id, status, row_number() over (
                   partition by student_id order by status in (0, 10, 13), period, class_id) as place
               from class_marks where date = :day and status >= 0)
           where place = 1""",
        day=day,
    )
    return {id: status for id, status in rows}  # noqa: C416 a row is a tuple of anything


def keeping_homeroom(school: UpstreamSchool, day: str) -> set[int]:
    """The year groups that have any homeroom record in the term of the day."""
    rows = school.rows(
        """select distinct g.id from homeroom_marks m join students s on s.id = m.student_id
           join year_groups g on g.id = s.year_group_id join academic_years y on y.program_code = g.program_code
           join terms t on t.academic_year_id = y.id and :day between t.starts_on and t.ends_on
           where m.status >= 0 and m.date between t.starts_on and t.ends_on""",
        day=day,
    )
    return {id for (id,) in rows}


def marks(school: UpstreamSchool, day: str) -> dict[int, int]:
    """Each student's status: from homeroom, and from the classes where a year group keeps none."""
    keeping, everybody = keeping_homeroom(school, day), pupils(school)
    sources = {True: homeroom(school, day), False: from_classes(school, day)}
    return {
        id: status
        for kept, source in sources.items()
        for id, status in source.items()
        if id in everybody and (everybody[id].group_id in keeping) is kept
    }


def covered(school: UpstreamSchool, day: str) -> set[int]:
    """Whom an excusal covers."""
    found = school.rows("select student_id from excusals where :day between start_date and end_date", day=day)
    return {id for (id,) in found}


def has_school(school: UpstreamSchool, programme: str, day: str) -> bool:
    query = "select 1 from school_days where program_code = :programme and date = :day"
    return bool(school.rows(query, programme=programme, day=day))


def sections(
    school: UpstreamSchool,
    day: str = TODAY,
    *,
    among: Collection[int] | None = None,
    profile: Mapping[str, str] | None = None,
) -> Sections:
    """Who has which kind and label, and whether an excusal covers those who are away or may be."""
    found: Sections = defaultdict(set)
    announced = covered(school, day)
    for id, (kind, label) in states(school, day, among=among, profile=profile).items():
        excused = id in announced
        if kind in TOLD:
            found[kind, label, excused if kind in AWAY else None].add(id)
        elif kind == "not taken" and excused:
            found[kind, "Not taken", True].add(id)
    return dict(found)


def counts(states: Mapping[int, tuple[str, str]]) -> dict[str, int]:
    """How many are of each kind; nobody absent is said too."""
    found = {"absent": 0}
    for kind, _ in states.values():
        found[kind] = found.get(kind, 0) + 1
    return found


def states(
    school: UpstreamSchool,
    day: str = TODAY,
    *,
    among: Collection[int] | None = None,
    profile: Mapping[str, str] | None = None,
) -> dict[int, tuple[str, str]]:
    """The kind and label of every student's day."""
    words, own = labels(school, day), marks(school, day)
    found = {}
    for id, pupil in pupils(school).items():
        if among is None or id in among:
            label = words[pupil.programme, own[id]] if id in own else "not taken"
            found[id] = (_kind(own[id], label, profile or {}) if id in own else "not taken", label)
    return found


def _kind(code: int, label: str, profile: Mapping[str, str]) -> str:
    word, kind = VENDOR.get(code, ("", ""))
    return profile.get(label) or (kind if word == label else "unclassified")


def told(facts: Mapping[str, Any]) -> Sections:
    """The sections of an answer, as `sections` gives them; a student in two of them is a mistake."""
    found: Sections = {}
    for section in facts.get("sections", []):
        ids = [int(id) for own in section["students"].values() for id in own]
        assert len(ids) == len(set(ids)) == section["number"]
        found[section["kind"], section["label"], section.get("excusal")] = set(ids)
    everybody = [id for ids in found.values() for id in ids]
    assert len(everybody) == len(set(everybody))
    return found
