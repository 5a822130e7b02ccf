from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from attendance_mcp.rules.due import Deadline, Due, class_deadline, homeroom_deadline
from attendance_mcp.rules.profile import ProgramRules

DAY = date(2026, 11, 24)
RULES = ProgramRules(
    homeroom_due=time(8, 45),
    class_due=time(16, 0),
    class_due_minutes=20,
    period_starts={1: time(9, 0), 6: time(23, 50)},
)


def at(clock: str, *, day: str = "2026-11-24") -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZoneInfo("Asia/Singapore"))


@pytest.mark.parametrize(("clock", "due"), [("08:44", Due.NOT_YET), ("08:45", Due.DUE), ("12:00", Due.DUE)])
def test_a_homeroom_register_is_due_from_the_profile_s_time_on(clock, due):
    assert homeroom_deadline(RULES, DAY).is_due(at(clock)) is due


@pytest.mark.parametrize(
    ("period", "expected"),
    [(1, "2026-11-24T09:20"), (2, "2026-11-24T16:00"), (6, "2026-11-25T00:10")],
)
def test_a_class_register_is_due_after_its_period_s_start_or_at_the_day_s_one_time(period, expected):
    assert class_deadline(RULES, DAY, period=period) == Deadline(DAY, datetime.fromisoformat(expected))


def test_without_a_time_only_the_day_itself_is_unknown():
    deadline = homeroom_deadline(ProgramRules(), DAY)
    assert deadline.at is None
    assert deadline.is_due(at("12:00")) is Due.UNKNOWN
    assert deadline.is_due(at("00:01", day="2026-11-25")) is Due.DUE
    assert deadline.is_due(at("23:59", day="2026-11-23")) is Due.NOT_YET


def test_minutes_without_period_starts_say_nothing():
    assert class_deadline(ProgramRules(class_due_minutes=20), DAY, period=1) == Deadline(DAY)
