"""What a question about concerns needs: a term's totals or a range's days, and the last days for runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from attendance_mcp.api.records import Term, YearGroup
from attendance_mcp.digest.absences import StudentDay
from attendance_mcp.digest.concerns import Counted, Evidence, Track
from attendance_mcp.digest.facts import listed
from attendance_mcp.errors import ArgumentError
from attendance_mcp.rules.rates import RateRule, rate_of, rule_text
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.day import DayFound, read_days
from attendance_mcp.school.days_off import range_days
from attendance_mcp.school.groups import Group
from attendance_mcp.school.school import School, group_name
from attendance_mcp.school.terms import (
    DAYS_AHEAD,
    GroupTerm,
    affordable,
    by_kind,
    find_terms,
    in_term,
    possible_days_of,
    read_adjustments,
    read_class_totals,
    read_group_terms,
    student_marks,
    term_text,
)
from attendance_mcp.status import Kind

MOST_RUN_DAYS = 15
_REFERENCE = 40  # requests for names, labels and calendars where nothing is in memory
Terms = Mapping[str | None, Term]


async def gather_term(school: School, group: Group, words: str) -> Evidence:
    """The term's totals of everybody in the group, in days; in periods of each class where nobody keeps homeroom.

    Requests: two for each year group with homeroom, and one more for each of its last 15 and next ten school days.
    """
    terms = await find_terms(school, words, dict.fromkeys(one.program_code for one in group.year_groups))
    told = [one for one in group.year_groups if one.program_code in terms]
    asked = [one for one in told if school.connection.profile.program(one.program_code).keeps_homeroom is not False]
    read = await read_group_terms(school, asked, terms)
    keeping = {id: one for id, one in read.items() if one.any_mark}
    without = [one for one in told if one not in asked or (one.id in read and one.id not in keeping)]
    if without and len(without) == len(told):
        evidence = await _class_evidence(school, group, without, terms)
    else:
        await read_adjustments(school, keeping)
        evidence = await _day_evidence(school, group, keeping, terms)
        await _add_runs(school, group, keeping, terms, evidence)
        if without:
            evidence.notes.append(_left_out(without))
    if elsewhere := [group_name(one) for one in group.year_groups if one not in told]:
        evidence.notes.append(f"Left out, no such term there: {listed(elsewhere)}.")
    evidence.archived = await _archived(school, group)
    return evidence


async def gather_range(school: School, group: Group, start: date, end: date) -> Evidence:
    """The days of a range of up to 15 school days, of everybody in the group; runs are looked for in all of them."""
    chosen = await range_days(school, group, start, end)
    if len(chosen.days) * len(group.year_groups) + _REFERENCE > affordable(school):
        raise ArgumentError(_too_much(group, "fewer days, a term"))
    found = await read_days(school, group, chosen.days, classes=False, excusals=False, off=chosen.off)
    year_groups = _year_group_of(group.year_groups)
    rows = _by_student(found)
    evidence = Evidence(f"{spoken(start)} to {spoken(min(end, school.clock.today()))}", run_days=chosen.days)
    for id, days in rows.items():
        rule = _rule(school, year_groups.get(id))
        kinds: dict[Kind, int] = {}
        for row in days.values():
            kinds[row.kind] = kinds.get(row.kind, 0) + 1
        one = next(iter(days.values()))
        evidence.students.append(Counted(id, one.name, one.group, rate_of(kinds, rule=rule)))
    evidence.tracks = _tracks(rows)
    no_source = {name for one in found.values() for name in one.no_source}
    without = [one for one in group.year_groups if group_name(one) in no_source]
    evidence.rules = _rules(school, [one for one in group.year_groups if one not in without])
    evidence.notes += chosen.said
    if without:
        evidence.notes.append(f"{_left_out(without).removesuffix('.')}, in a term.")
    evidence.archived = await _archived(school, group)
    return evidence


async def _day_evidence(school: School, group: Group, read: Mapping[int, GroupTerm], terms: Terms) -> Evidence:
    everybody = await school.all_students()
    evidence = Evidence(_span(school, [one.group for one in read.values()], terms))
    for one in read.values():
        rule = _rule(school, one.group)
        for id, counts in one.marks.items():
            student = everybody.get(id)
            if id in group and not (student and student.archived):
                rate = rate_of(by_kind(counts), rule=rule)
                evidence.students.append(
                    Counted(id, school.student_name(student, id), group_name(one.group), rate, one.adjusted.get(id, {}))
                )
    unknown = [group_name(one.group) for one in read.values() if not one.days_known]
    if unknown:
        evidence.notes.append(
            f"No calendar lists the school days of {listed(unknown)}: days not taken are known only as far as the "
            "totals count them."
        )
    evidence.rules = _rules(school, [one.group for one in read.values()])
    return evidence


async def _add_runs(
    school: School, group: Group, read: Mapping[int, GroupTerm], terms: Terms, evidence: Evidence
) -> None:
    """Looks for runs in the last 15 school days, where the requests for them can be afforded."""
    groups = [one.group for one in read.values()]
    days = {
        code: (await possible_days_of(school, code, terms[code]))[-MOST_RUN_DAYS:]
        for code in dict.fromkeys(one.program_code for one in groups)
    }
    needed = sum(len(days[one.program_code]) for one in groups)
    if not needed:
        if groups:
            evidence.notes.append("Runs are left out: the school days of that term are not known any more.")
        return
    if needed + (2 + DAYS_AHEAD) * len(groups) + _REFERENCE > affordable(school):
        evidence.notes.append(f"Runs are left out: {_too_much(group, '')}")
        return
    union = sorted({day for own in days.values() for day in own})
    off = {(day, code or "") for code, own in days.items() for day in union if day not in own}
    found = await read_days(
        school, replace(group, year_groups=tuple(groups)), union, classes=False, excusals=False, off=off
    )
    evidence.tracks = _tracks(_by_student(found))
    evidence.run_days = union


async def _class_evidence(school: School, group: Group, groups: Sequence[YearGroup], terms: Terms) -> Evidence:
    """The periods of each class, one request a class; they never become days."""
    codes = {one.program_code for one in groups}
    if group.class_record:
        records = {group.class_record.id: group.class_record}
    else:
        records = {
            id: record
            for id, record in (await school.classes()).items()
            if record.program_code in codes and await in_term(school, record, terms[record.program_code])
        }
    if len(records) + _REFERENCE > affordable(school):
        raise ArgumentError(_too_much(group, "a class"))
    names = {id: group_name(record) for id, record in records.items()}
    read = await read_class_totals(school, names, {id: terms[one.program_code] for id, one in records.items()})
    everybody = await school.all_students()
    year_groups = _year_group_of(groups)
    evidence = Evidence(_span(school, groups, terms), unit="periods", rules=_rules(school, groups, unit="periods"))
    for class_id, totals in read.items():
        code = records[class_id].program_code
        labels = await school.labels(code, terms[code].ends_on)
        for id, counts in student_marks(totals, labels).items():
            if id in year_groups and id in group and not (id in everybody and everybody[id].archived):
                rate = rate_of(by_kind(counts), rule=_rule(school, year_groups[id]))
                name = school.student_name(everybody.get(id), id)
                evidence.students.append(
                    Counted(id, name, group_name(year_groups[id]), rate, class_name=names[class_id])
                )
    evidence.notes.append(
        f"No homeroom is kept there, so this counts periods of each of {len(read)} classes; "
        "every number but the students' counts a student once for each class. Runs of days are left out."
    )
    return evidence


def _by_student(found: Mapping[date, DayFound]) -> dict[int, dict[date, StudentDay]]:
    rows: dict[int, dict[date, StudentDay]] = {}
    for day, one in found.items():
        for row in one.rows:
            rows.setdefault(row.id, {})[day] = row
    return rows


def _tracks(rows: Mapping[int, Mapping[date, StudentDay]]) -> list[Track]:
    # A day that could not be read is missing: like one not taken it neither breaks a run nor lengthens it.
    return [
        Track(id, one.name, one.group, {day: row.kind for day, row in days.items()})
        for id, days in rows.items()
        for one in list(days.values())[:1]
    ]


def _year_group_of(groups: Iterable[YearGroup]) -> dict[int, YearGroup]:
    return {id: one for one in groups for id in one.student_ids}


def _rule(school: School, group: YearGroup | None) -> RateRule:
    return school.rate_rule(group.program_code if group else None)


def _rules(school: School, groups: Iterable[YearGroup], *, unit: str = "days") -> list[str]:
    """The rule once; where programmes differ, each rule with the programmes that it holds for."""
    of: dict[RateRule, dict[str, None]] = {}
    for one in groups:
        of.setdefault(_rule(school, one), {})[one.program or one.program_code or group_name(one)] = None
    if len(of) == 1:
        return [rule_text(next(iter(of)), unit=unit)]
    return [f"{listed(list(names))}: {rule_text(rule, unit=unit)}" for rule, names in of.items()]


def _span(school: School, groups: Iterable[YearGroup], terms: Terms) -> str:
    """The term with its dates; where programmes differ, each with the programmes that it holds for."""
    today = school.clock.today()
    of: dict[Term, dict[str, None]] = {}
    for one in groups:
        of.setdefault(terms[one.program_code], {})[one.program or one.program_code or group_name(one)] = None
    if len({term_text(term, today=today) for term in of}) == 1:
        return term_text(next(iter(of)), today=today)
    if all(term.ends_on >= today for term in of):
        began = [f"{listed(list(names))} {term.name} since {spoken(term.starts_on)}" for term, names in of.items()]
        return f"{'; '.join(began)}; until {spoken(today)}"
    return "; ".join(f"{listed(list(names))} {term_text(term, today=today)}" for term, names in of.items())


def _left_out(groups: Sequence[YearGroup]) -> str:
    names = listed([group_name(one) for one in groups])
    return f"Left out, no homeroom: {names}. Asked for by name, told in periods."


def _too_much(group: Group, instead: str) -> str:
    smaller = {"school": "a programme or a year group", "programme": "a year group"}.get(group.kind, "a smaller group")
    other = f", or {instead}" if instead else ""
    return f"{group.name} needs more requests than the time allows. Ask for {smaller}{other}."


async def _archived(school: School, group: Group) -> int:
    ids = {one.id for one in group.year_groups}
    return sum(
        student.archived and student.year_group_id in ids and student.id in group
        for student in (await school.all_students()).values()
    )
