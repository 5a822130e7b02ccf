"""Names ↔ ids: people, year groups, homerooms, classes and terms, found by what a person would call them.

Accents, word order and small typing errors don't matter; two that fit equally well are both answered, never guessed.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import fuzz, process

from attendance_mcp.api.records import AcademicYear, ClassRecord, Parent, Student, Teacher, YearGroup
from attendance_mcp.outside import one_line

# Letters that Unicode doesn't take apart, as people without them on the keyboard type them.
_TYPED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t"}
)
_CLOSE = 84.0  # of rapidfuzz's 100: one wrong letter in a short name, two in a long one
_CLEARLY = 6.0  # so much better than the next is no guess
MOST_CANDIDATES = 8


class EntryKind(StrEnum):
    """What an entry of the directory is."""

    STUDENT = "student"
    YEAR_GROUP = "year group"
    HOMEROOM = "homeroom"
    CLASS = "class"
    PROGRAMME = "programme"
    TEACHER = "teacher"
    PARENT = "parent"
    TERM = "term"


ANY_KIND = tuple(EntryKind)
GROUPS = (EntryKind.PROGRAMME, EntryKind.YEAR_GROUP, EntryKind.HOMEROOM, EntryKind.CLASS)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be named. `id` is the API's; a homeroom has its advisor's, a programme none.

    `number` is the school's own number of a student; `of` tells namesakes apart.
    """

    kind: EntryKind
    id: int
    name: str
    of: str = ""
    number: str = ""
    code: str = ""
    year_group_id: int | None = None
    archived: bool = False

    def __str__(self) -> str:
        about = ", ".join(filter(None, [self.of, self.number, "archived" if self.archived else ""]))
        return f"{self.name} ({about})" if about else self.name


@dataclass(frozen=True, slots=True)
class Found:
    """What a name came to: one entry, or candidates between which only a person can choose, or neither."""

    asked: str
    entry: Entry | None = None
    candidates: tuple[Entry, ...] = ()
    close: bool = False  # found by likeness, not by the letters


def plain(text: str) -> str:
    """A name as it is compared: without accents, case, punctuation and order of words."""
    if text.isascii() and text.isalnum():
        return text.lower()  # an id, or one word that anybody can type
    letters = unicodedata.normalize("NFKD", text.casefold()).translate(_TYPED)
    kept = "".join(
        char if char.isalnum() else " " for char in letters if not unicodedata.combining(char) and char not in "'’`."
    )
    return " ".join(sorted(kept.split()))


class Directory:
    """Everything that can be named in one school, indexed once for some minutes."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self._by_name: dict[str, list[Entry]] = defaultdict(list)
        self._by_word: dict[str, set[Entry]] = defaultdict(set)
        self._by_id: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            for name in {plain(entry.name), plain(entry.code)} - {""}:
                self._by_name[name].append(entry)
                for word in name.split():
                    self._by_word[word].add(entry)
            if entry.id:
                self._by_id[str(entry.id)].append(entry)
            if entry.number:
                self._by_id[plain(entry.number)].append(entry)

    def find(self, asked: str, *, kinds: Collection[EntryKind] = ANY_KIND) -> Found:
        """The entry that is meant: by id or number, by its name, by part of it, else by likeness."""
        asked = one_line(asked, limit=120)
        wanted = plain(asked)
        for matches in (self._by_id.get, self._by_name.get, self._by_part):
            fitting = _current([entry for entry in matches(wanted) or () if entry.kind in kinds])
            if len(fitting) == 1:
                return Found(asked, fitting[0])
            if fitting:
                return Found(asked, candidates=_sorted(fitting))
        return self._by_likeness(asked, wanted, kinds)

    def _by_part(self, wanted: str) -> Sequence[Entry]:
        """Entries whose name has every word that was given, or a word that begins with it."""
        words = wanted.split()
        if not words:
            return ()
        sets = [
            set().union(*(found for known, found in self._by_word.items() if known.startswith(word)))
            if len(word) > 1
            else self._by_word.get(word, set())
            for word in words
        ]
        common = set.intersection(*sets)
        whole = [entry for entry in common if set(words) <= set(plain(entry.name).split())]
        return whole or list(common)

    def _by_likeness(self, asked: str, wanted: str, kinds: Collection[EntryKind]) -> Found:
        if len(wanted) < 3:
            return Found(asked)
        # A number is never misspelt into another: Grade 99 is like Grade 9 and is not it.
        names = {
            name
            for name, entries in self._by_name.items()
            if _numbers(name) == _numbers(wanted) and any(entry.kind in kinds for entry in entries)
        }
        matches = process.extract(wanted, names, scorer=fuzz.ratio, score_cutoff=_CLOSE, limit=MOST_CANDIDATES)
        entries = [(entry, score) for name, score, _ in matches for entry in self._by_name[name] if entry.kind in kinds]
        if not entries:
            return Found(asked)
        best, score = entries[0]
        if len(entries) == 1 or entries[1][1] <= score - _CLEARLY:
            return Found(asked, best, close=True)
        return Found(asked, candidates=tuple(entry for entry, _ in entries[:MOST_CANDIDATES]), close=True)


def _numbers(name: str) -> list[str]:
    return re.findall(r"\d+", name)


def _current(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Without archived ones where somebody current fits as well."""
    return [entry for entry in entries if not entry.archived] or entries


def _sorted(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Grade 2 before Grade 10, and a year group before its homerooms."""
    kinds = list(EntryKind)
    return tuple(sorted(entries, key=lambda entry: (kinds.index(entry.kind), _natural(entry.name), entry.of, entry.id)))


def _natural(name: str) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if number % 2 else (0, part) for number, part in enumerate(parts)]


def student_entries(students: Mapping[int, Student], year_groups: Mapping[int, YearGroup]) -> Iterable[Entry]:
    """Students, told apart by year group and school number."""
    for student in students.values():
        group = year_groups.get(student.year_group_id or 0)
        yield Entry(
            EntryKind.STUDENT,
            student.id,
            one_line(f"{student.first_name} {student.last_name}", limit=60),
            of=one_line(group.name if group else student.class_grade or "", limit=60),
            number=one_line(student.student_id or "", limit=30),
            year_group_id=student.year_group_id,
            archived=student.archived,
        )


def group_entries(
    year_groups: Mapping[int, YearGroup],
    classes: Iterable[ClassRecord],
    students: Mapping[int, Student],
    advisors: Mapping[int, str],
) -> Iterable[Entry]:
    """Programmes, year groups, homerooms (by advisor and year group) and classes."""
    for code, name in sorted(
        {(g.program_code, g.program or g.program_code) for g in year_groups.values() if g.program_code}
    ):
        yield Entry(EntryKind.PROGRAMME, 0, one_line(name or code, limit=60), code=code)
    homerooms: set[tuple[int, int]] = set()
    for student in students.values():
        if student.homeroom_advisor_id and student.year_group_id in year_groups and not student.archived:
            homerooms.add((student.year_group_id or 0, student.homeroom_advisor_id))
    for group in year_groups.values():
        yield Entry(EntryKind.YEAR_GROUP, group.id, one_line(group.name, limit=60), code=group.short_name or "")
    for group_id, advisor_id in sorted(homerooms):
        name = one_line(year_groups[group_id].name, limit=60)
        advisor = advisors.get(advisor_id, f"advisor {advisor_id}")
        yield Entry(EntryKind.HOMEROOM, advisor_id, f"{name} {advisor}", of=name, code=advisor, year_group_id=group_id)
    for record in classes:
        yield Entry(
            EntryKind.CLASS,
            record.id,
            one_line(record.name, limit=60),
            of=one_line(record.grade or "", limit=30),
            archived=record.archived,
        )


def people_entries(teachers: Mapping[int, Teacher], parents: Iterable[Parent]) -> Iterable[Entry]:
    """Teachers and parents."""
    for teacher in teachers.values():
        name = one_line(f"{teacher.first_name} {teacher.last_name}", limit=60)
        yield Entry(EntryKind.TEACHER, teacher.id, name, archived=teacher.archived)
    for parent in parents:
        name = one_line(f"{parent.first_name} {parent.last_name}", limit=60)
        yield Entry(EntryKind.PARENT, parent.id, name)


def term_entries(years: Iterable[AcademicYear]) -> Iterable[Entry]:
    """Terms: each programme has its own, with its own id."""
    for year in years:
        for term in year.terms:
            yield Entry(EntryKind.TERM, term.id, one_line(term.name, limit=60), of=f"{year.program_code} {year.name}")
