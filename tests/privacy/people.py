"""Everybody at the sandbox's school, as nobody may be called under `codes`, and the codes that stand for them."""

from __future__ import annotations

import re

from tests.tools.examples import Known
from tests.upstream_school import Asking, UpstreamSchool

from .everything import Who, away

CODE = re.compile(r"(?:stu|par|sta)_[a-z2-7]{32}")


class People:
    """Names, school numbers, e-mails and ids of every student, parent and member of staff."""

    def __init__(self, school: UpstreamSchool) -> None:
        students = school.rows("select id, first_name, last_name, student_id, email from students")
        others = school.rows("select id, first_name, last_name, id, id from parents")
        others += school.rows("select id, first_name, last_name, id, id from teachers")
        self.named = {
            word.casefold()
            for id, first, last, number, email in (*students, *others)
            for word in (str(id), f"{first} {last}", last, str(number), str(email).partition("@")[0])
        }

    def in_(self, words: str) -> set[str]:
        """Who is named in what a model may read."""
        tokens = re.findall(r"[\w'’.-]+", CODE.sub("CODE", words).casefold())
        tokens = [token.strip(".-'") for token in tokens]
        runs = {" ".join(tokens[at : at + length]) for length in (1, 2, 3, 4) for at in range(len(tokens))}
        return runs & self.named


async def codes_of(ask: Asking, role: str, ids: list[int]) -> dict[int, str]:
    """The codes of these people, as somebody who types their ids finds them."""
    found: dict[int, str] = {}
    for start in range(0, len(ids), 60):
        part = ids[start : start + 60]
        answered = await ask.facts("find_in_school", names_or_ids=[str(id) for id in part], kind=role)
        for record in answered["found"]:
            found[part[int(record["asked"].removeprefix("name ")) - 1]] = record["id"]
    return found


async def codes_for(ask: Asking, school: UpstreamSchool, known: Known) -> Who:
    """The codes of those whom the calls of `everything` name."""
    students = {known.student, known.excused, *known.classmates, *away(school)}
    found = {
        "student": await codes_of(ask, "student", sorted(students)),
        "parent": await codes_of(ask, "parent", [known.parent]),
    }
    return lambda role, id: found[role][id]
