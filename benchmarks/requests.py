"""How many requests each tool makes at `school` size, with nothing in memory and right afterwards."""

from __future__ import annotations

from benchmarks.answers import asks
from benchmarks.counting import text_of
from benchmarks.table import MISSING, Table, within
from benchmarks.upstream import Upstream, open_upstream

HOMEROOM_COLD, HOMEROOM_WARM, RECONCILE = 40, 15, 45


async def measure() -> list[Table]:
    """The table of this part, from the sandbox's own log."""
    table = Table("Requests of each tool at school size", ("call", "cold", "budget", "", "warm", "budget", ""))
    with open_upstream("school") as school:
        async with school.client() as client:
            there = {tool.name for tool in (await client.list_tools()).tools}
        extra = _classes_to_read(school)
        for ask in asks(school):
            if ask.tool not in there:
                table.add(ask.called, None, None, MISSING, None, None, None)
                continue
            cold, warm = await _counted(school, ask.tool, ask.arguments)
            most_cold, most_warm = _budget(ask.called, extra)
            table.add(ask.called, cold, most_cold, within(cold, most_cold), warm, most_warm, within(warm, most_warm))
    table.note(
        f"A whole day may take {HOMEROOM_COLD} requests cold and {HOMEROOM_WARM} warm, and one more for each of the"
        f" {extra} classes that meet in programmes without homeroom (today's marks are never kept)."
    )
    table.note("Cold: a server that has read nothing yet. Warm: the same call again.")
    return [table]


async def _counted(school: Upstream, tool: str, arguments: dict[str, object]) -> tuple[int | str, int | str]:
    async with school.client() as client:
        numbers: list[int | str] = []
        for _ in range(2):
            before = school.requests
            result = await client.call_tool(tool, arguments, read_timeout_seconds=150)
            numbers.append(f"error: {text_of(result)[:50]}" if result.is_error else school.requests - before)
    return numbers[0], numbers[1]


def _budget(called: str, extra: int) -> tuple[int | None, int | None]:
    if called == "list_absences, the day":
        return HOMEROOM_COLD + extra, HOMEROOM_WARM + extra
    if called == "reconcile_homeroom":
        return RECONCILE, None
    return None, None


def _classes_to_read(school: Upstream) -> int:
    """The classes of programmes without homeroom that meet today, by weekday or by rotation day."""
    return int(
        school.one(
            "SELECT count(DISTINCT c.id) FROM classes c JOIN programs p ON p.code = c.program_code"
            " JOIN slots s ON s.class_id = c.id AND s.enabled = 1"
            " JOIN school_days d ON d.program_code = p.code AND d.date = :day"
            " JOIN academic_years y ON y.id = s.academic_year_id AND :day BETWEEN y.starts_on AND y.ends_on"
            " WHERE p.keeps_homeroom = 0 AND c.archived = 0"
            " AND coalesce(d.rotation_day, CAST(strftime('%w', :day) AS INTEGER)) ="
            " CASE WHEN d.rotation_day IS NULL THEN s.day % 7 ELSE s.day END",
            day=school.today.date().isoformat(),
        )
    )
