"""The tool that turns people's words into ids."""

from __future__ import annotations

from dataclasses import replace

from attendance_mcp.digest.finding import AmbiguousName, Finding, FoundRecord
from attendance_mcp.school.directory import (
    ANY_KIND,
    MOST_CANDIDATES,
    Directory,
    Entry,
    EntryKind,
    Found,
    people_entries,
)
from attendance_mcp.school.people import About, about_students
from attendance_mcp.school.school import School
from attendance_mcp.tools.arguments import FindKind, Names

_MOST_WITH_CLASSES = 5
_MANY_AMBIGUOUS, _FEW_CANDIDATES = 15, 3  # so that an answer about 60 names stays short


async def find_in_school(school: School, names_or_ids: Names, kind: FindKind = "") -> Finding:
    """Who or what up to 60 names or ids mean, in one call: students (with homeroom, parents and siblings; classes for
    up to 5), parents, teachers, year groups, homerooms, classes, programmes, terms. Accents, word order and small
    typing errors don't matter; namesakes are told apart, never guessed.
    """
    directory = await _directory(school, kind)
    kinds = (EntryKind(kind),) if kind else ANY_KIND
    results = [school.disclosure.find(directory, name, kinds=kinds) for name in dict.fromkeys(names_or_ids)]
    if school.disclosure.codes is not None:
        # A name that was typed is not said again where names may not be told: its place among them is.
        results = [replace(one, asked=f"name {names_or_ids.index(one.asked) + 1}") for one in results]
    students = [one.entry.id for one in results if one.entry and one.entry.kind is EntryKind.STUDENT]
    about = await about_students(school, students, classes=len(students) <= _MOST_WITH_CLASSES)
    many = sum(bool(one.candidates) for one in results) > _MANY_AMBIGUOUS
    most = _FEW_CANDIDATES if many else MOST_CANDIDATES
    return Finding(
        found=[
            _record(school, one.asked, one.entry, about.get(one.entry.id), close=one.close)
            for one in results
            if one.entry
        ],
        ambiguous=[_ambiguous(school, one, most=most) for one in results if one.candidates],
        not_found=[one.asked for one in results if not one.entry and not one.candidates],
        remark=f"Classes are told for up to {_MOST_WITH_CLASSES} students at once."
        if len(students) > _MOST_WITH_CLASSES
        else "",
        not_read=school.not_read,
    )


async def _directory(school: School, kind: str) -> Directory:
    """Parents are many, so they are read only where parents are asked for."""
    directory = await school.directory()
    if kind != EntryKind.PARENT:
        return directory
    return Directory(people_entries({}, (await school.for_person().parents()).values()))


def _ambiguous(school: School, found: Found, *, most: int) -> AmbiguousName:
    return AmbiguousName(
        asked=found.asked,
        candidates=[_record(school, "", entry, None) for entry in found.candidates[:most]],
        more=max(0, len(found.candidates) - most),
    )


def _record(school: School, asked: str, entry: Entry, about: About | None, *, close: bool = False) -> FoundRecord:
    about = about if about and entry.kind is EntryKind.STUDENT else About()
    return FoundRecord(
        asked=asked if asked != entry.name else "",
        kind=entry.kind,
        id=school.disclosure.entry_id(entry),
        name=entry.name,
        of=entry.of,
        number=entry.number,
        homeroom=about.homeroom,
        classes=about.classes,
        parents=about.parents,
        siblings=about.siblings,
        close=close,
        archived=entry.archived,
    )
