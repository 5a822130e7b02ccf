"""`show_in_window`: what a person finds on a register, a term and the journal, and what the model is told of it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from inline_snapshot import snapshot

from attendance_mcp.server import open_app
from attendance_mcp.window.window import Window
from tests.changes.errands import DAY, absent, apply, homeroom, named, present
from tests.upstream_school import Asking, UpstreamSchool, text

from .conftest import Browser, Desktop
from .plans import HOSTILE

pytestmark = pytest.mark.anyio


@dataclass(eq=False)
class Office:
    """A client over a school and the browser of the person who uses it."""

    school: UpstreamSchool
    ask: Asking
    desktop: Desktop
    browser: Browser

    async def show(self, **arguments: Any) -> Any:
        return await self.ask.client.call_tool("show_in_window", arguments)

    async def sheet(self, **arguments: Any) -> str:
        result = await self.show(**arguments)
        assert not result.is_error, text(result)
        await self.browser.open(self.desktop.address)
        return self.words

    @property
    def words(self) -> str:
        """What stands on the page."""
        body = re.sub(r"<head>.*?</head>", "", self.browser.text, flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@asynccontextmanager
async def office(
    school: UpstreamSchool, desktop: Desktop, browser: Browser, *, allowed: float | None = None
) -> AsyncIterator[Office]:
    app = open_app(school.settings())
    app.connection.rate = allowed or app.connection.rate  # what a question may ask for, not how fast it asks
    app.window = Window(desktop.open, now=lambda: desktop.now)
    async with school.client(app=app) as ask:
        yield Office(school, ask, desktop, browser)


@pytest.fixture
async def at(school: UpstreamSchool, desktop: Desktop, browser: Browser) -> AsyncIterator[Office]:
    async with office(school, desktop, browser) as one:
        yield one


def group_of(school: UpstreamSchool, student: int) -> str:
    query = "select g.name from students s join year_groups g on g.id = s.year_group_id where s.id = :id"
    return str(school.one(query, id=student)[0])


def name_of(school: UpstreamSchool, student: int) -> str:
    return " ".join(school.one("select first_name, last_name from students where id = :id", id=student))


async def test_the_model_is_told_only_that_a_register_is_open(at: Office) -> None:
    shown = await at.show(view="register", group="Grade 8")
    assert text(shown) == snapshot(
        "The register of Grade 8 on Tue 2026-11-24 is open in the person's browser, for them to read."
    )
    assert shown.structured_content == snapshot({"view": "register", "of": "Grade 8", "day": "Tue 2026-11-24"})
    student = absent(at.school)[0]
    shown = await at.show(view="term", student=name_of(at.school, student))
    assert shown.structured_content == {"view": "term", "of": f"student {student}"}


async def test_a_register_holds_every_student_with_the_schools_own_words_and_colours(at: Office) -> None:
    student = absent(at.school)[0]
    group = group_of(at.school, student)
    words = await at.sheet(view="register", group=group)
    everybody = at.school.rows(
        "select s.first_name, s.last_name from students s join year_groups g on g.id = s.year_group_id "
        "where g.name = :group and s.archived = 0",
        group=group,
    )
    assert f"Register of {group} , Tue {DAY}" in words
    assert [name for name in map(" ".join, everybody) if name not in words] == []
    label, color = at.school.one("select label, color_code from categories where status = 0")
    assert f'<span class="chip is-absent c-{color[1:]}"><bdi>{label}</bdi></span>' in at.browser.text
    page = at.browser.page
    assert page is not None
    style = await at.browser.client.get(f"{page.url}/colors.css")
    assert f".c-{color[1:]} {{ --chip: {color} }}" in style.text
    assert at.school.writes == []


async def test_a_register_that_nobody_took_stands_apart(at: Office) -> None:
    student = absent(at.school)[0]
    group = group_of(at.school, student)
    at.school.change(
        "delete from homeroom_marks where date = :day and student_id in (select s.id from students s "
        "join year_groups g on g.id = s.year_group_id where g.name = :group)",
        day=DAY,
        group=group,
    )
    words = await at.sheet(view="register", group=group)
    assert f"Not taken {group} , homeroom of " in words
    assert re.search(r": 0 of \d+ marked", words)


async def test_a_register_of_too_many_classes_is_told_from_homeroom(
    open_school: Any, desktop: Desktop, browser: Browser
) -> None:
    async with office(open_school(), desktop, browser, allowed=1) as at:
        words = await at.sheet(view="register")
        assert "Class marks are left out here" in words
        assert "P1" not in words
        assert name_of(at.school, absent(at.school)[0]) in words


async def test_a_register_is_saved_as_the_table_that_is_shown_and_no_cell_is_a_formula(at: Office) -> None:
    student = absent(at.school)[0]
    at.school.change("update students set first_name = '=1+1' where id = :id", id=student)
    await at.sheet(view="register", group=group_of(at.school, student))
    asked = len(at.school.log)
    page = at.browser.page
    assert page is not None
    saved = await at.browser.client.get(f"{page.url}/table.csv")
    assert len(at.school.log) == asked
    assert (
        saved.headers["content-disposition"]
        == f'attachment; filename="register-{group_of(at.school, student).lower().replace(" ", "-")}-2026-11-24.csv"'
    )
    head, *rows = csv.reader(io.StringIO(saved.content.decode("utf-8-sig")))
    assert head[:5] == ["Student", "Year group", "Register", "Homeroom", "Homeroom counts as"]
    (own,) = (row for row in rows if row[0].startswith("'=1+1 "))
    assert own[3:5] == ["Absent", "absent"]


async def test_a_term_is_saved_too_under_a_name_that_names_nobody_and_the_journal_is_no_table(at: Office) -> None:
    found = []
    for view in ({"view": "term", "student": str(absent(at.school)[0])}, {"view": "term", "group": "Grade 8"}):
        await at.sheet(**view)
        assert at.browser.page is not None
        saved = await at.browser.client.get(f"{at.browser.page.url}/table.csv")
        head = next(csv.reader(io.StringIO(saved.content.decode("utf-8-sig"))))
        found.append((saved.headers["content-disposition"].partition("filename=")[2], head))
    await at.sheet(view="changes")
    assert at.browser.page is not None
    journal = await at.browser.client.get(f"{at.browser.page.url}/table.csv")
    assert found == snapshot(
        [
            ('"term.csv"', ["Date", "Mark", "Counts as"]),
            ('"term-grade-8.csv"', ["Student", "Year group", "Class", "Rate", "Away", "Of counted days", "Adjusted"]),
        ]
    )
    assert journal.status_code == 404


async def test_a_register_of_a_day_off_is_empty_and_says_so(at: Office) -> None:
    words = await at.sheet(view="register", group="Grade 8", date="2026-11-28")
    assert "0 students, as of " in words
    assert "<table" not in at.browser.text


async def test_a_term_shows_every_school_day_of_a_student(at: Office) -> None:
    student = absent(at.school)[0]
    words = await at.sheet(view="term", student=str(student))
    assert words.startswith(f"Attendance {name_of(at.school, student)}")
    marked = at.school.rows(
        "select date from homeroom_marks where student_id = :id and date between '2026-10-17' and :day",
        id=student,
        day=DAY,
    )
    shown = at.browser.text.count('<td class="is-')
    assert shown >= len(marked) > 10
    assert "October 2026" in words and "November 2026" in words and "September" not in words


async def test_a_groups_term_ranks_everybody_and_states_the_rule(at: Office) -> None:
    words = await at.sheet(view="term", group="Grade 8")
    assert "The lowest rate first. Rate = attended ÷ (attended + away), in days" in words
    rates = [float(found) for found in re.findall(r"<td>(\d+\.\d)(?:–\d+\.\d)? %</td>", at.browser.text)]
    assert rates == sorted(rates)
    assert (
        len(rates)
        == at.school.one(
            "select count(*) from students s join year_groups g on g.id = s.year_group_id "
            "where g.name = 'Grade 8' and s.archived = 0"
        )[0]
    )


async def test_the_journal_offers_undo_which_waits_to_be_agreed_to(at: Office) -> None:
    student = present(at.school)[0]
    plan = await at.ask.facts("set_homeroom_attendance", student_id=student, date="today", status=2)
    await apply(at.ask, plan)
    assert homeroom(at.school, student) == (2, None)
    words = await at.sheet(view="changes")
    assert plan["summary"] in words
    await press(at.browser, "undo")
    assert "Waits for you" in at.words
    assert homeroom(at.school, student) == (2, None)
    await at.browser.click("agree")
    assert "1 done" in at.words
    assert homeroom(at.school, student) == (1, None)


async def test_a_plan_that_waits_can_be_looked_at_from_the_journal(at: Office) -> None:
    student = present(at.school)[0]
    plan = await at.ask.facts("set_homeroom_attendance", student_id=student, date="today", status=2)
    await at.sheet(view="changes")
    assert named(at.school, student) in at.words
    await press(at.browser, "look")
    assert "Nothing is written yet." in at.words
    assert plan["summary"] in at.words
    assert at.school.writes == []


async def test_what_somebody_has_put_back_since_needs_no_undo(at: Office) -> None:
    student = present(at.school)[0]
    plan = await at.ask.facts("set_homeroom_attendance", student_id=student, date="today", status=2)
    await apply(at.ask, plan)
    where = "where student_id = :id and date = :day"
    at.school.change(f"update homeroom_marks set status = 1 {where}", id=student, day=DAY)
    await at.sheet(view="changes")
    await press(at.browser, "undo", onward=False)
    assert "There is nothing to undo: every record already is as it was before." in at.words
    assert len(at.school.writes) == 1


async def press(browser: Browser, what: str, *, onward: bool = True) -> None:
    """Presses the first button of the journal with that effect; it leads to a plan's page, or to what hinders that."""
    assert browser.page is not None
    form = re.search(rf'<form method="post" action="([^"]+/{what})">(.*?)</form>', browser.text)
    assert form
    fields = dict(re.findall(r'name="(\w+)" value="([^"]+)"', form[2]))
    url = browser.page.url
    headers = {"origin": f"{url.scheme}://{url.host}:{url.port}", "sec-fetch-site": "same-origin"}
    browser.page = await browser.client.post(url.join(form[1]), data=fields, headers=headers)
    address = re.search(r'content="0;url=([^"]+)"', browser.text)
    assert (address is not None) is onward
    if address:
        browser.page = await browser.client.get(browser.page.url.join(address[1]))


async def test_another_browser_sees_no_sheet_and_can_take_no_plan_from_it(at: Office, stranger: Browser) -> None:
    student = present(at.school)[0]
    plan = await at.ask.facts("set_homeroom_attendance", student_id=student, date="today", status=2)
    await at.sheet(view="changes")
    page = at.browser.page
    assert page is not None
    for path in ("", "/colors.css", "/table.csv"):
        assert (await stranger.client.get(f"{page.url}{path}")).status_code == 403
    headers = {"origin": f"{page.url.scheme}://{page.url.host}:{page.url.port}", "sec-fetch-site": "same-origin"}
    fields = {"ticket": at.browser.ticket(), "confirmation": plan["confirmation"]}
    taken = await stranger.client.post(f"{page.url}/look", data=fields, headers=headers)
    forged = await at.browser.client.post(f"{page.url}/look", data={**fields, "ticket": "no"}, headers=headers)
    assert (taken.status_code, forged.status_code) == (403, 403)


async def test_a_sheet_is_gone_an_hour_after_the_last_look(at: Office) -> None:
    await at.sheet(view="register", group="Grade 8")
    at.desktop.now += timedelta(minutes=59)
    assert "Register of" in (await at.browser.reload()).text
    at.desktop.now += timedelta(minutes=61)
    await at.browser.reload()
    assert at.browser.page is not None
    assert at.browser.page.status_code == 410


async def test_what_people_typed_as_a_name_stays_a_name(at: Office) -> None:
    student = absent(at.school)[0]
    at.school.change("update students set first_name = :name where id = :id", name=HOSTILE[:200], id=student)
    await at.sheet(view="register", group=group_of(at.school, student))
    assert "<script>document" not in at.browser.text
    assert "&lt;script&gt;document.title" in at.browser.text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"view": "changes", "group": "Grade 8"}, "view=changes takes nothing more, no group."),
        ({"view": "register", "student": "5"}, "view=register takes group and date, no student."),
        ({"view": "term", "student": "5", "group": "Grade 8"}, "Give a student or a group, not both."),
        ({"view": "term", "date": DAY}, "view=term takes group and student and term, no date."),
        ({"view": "map"}, "view: one of 'register', 'term' or 'changes' is expected."),
        ({"view": "register", "group": "Grade 99"}, "Grade 99"),
    ],
    ids=json.dumps,
)
async def test_what_a_view_does_not_take_is_refused_and_nothing_opens(
    at: Office, arguments: dict[str, Any], told: str
) -> None:
    result = await at.show(**arguments)
    assert result.is_error
    assert told in text(result)
    assert at.desktop.opened == []


async def test_where_no_browser_can_be_opened_the_model_is_told_what_tells_the_same(same_school: Any) -> None:
    async with same_school.client() as ask:
        result = await ask.client.call_tool("show_in_window", {"view": "register"})
        assert result.is_error
        assert text(result) == snapshot(
            "No browser can be opened from here, so nothing is shown. The same is told by list_absences, list_missing_registers, get_student_attendance, list_attendance_concerns and list_changes. Nothing was written."
        )


async def test_over_http_the_tool_is_not_listed(same_school: Any) -> None:
    async with same_school.client("http") as ask:
        listed = await ask.client.list_tools()
        assert "show_in_window" not in {tool.name for tool in listed.tools}
