"""The tool that tells where one is."""

from __future__ import annotations

from attendance_mcp.api.records import YearGroup
from attendance_mcp.digest.context import ProgrammeContext, SchoolContext, labels_by_kind
from attendance_mcp.digest.facts import listed
from attendance_mcp.outside import one_line
from attendance_mcp.rules.calendar import DayKind, DayStatus, Source
from attendance_mcp.rules.gaps import Gap, gaps
from attendance_mcp.rules.labels import Labels
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.school import School, group_name


async def get_school_context(school: School) -> SchoolContext:
    """The school at a glance: today (a school day or not, for whom), programmes, year groups and current terms with
    ids, what the school's codes and labels count as, what its profile leaves open, and whether and how writes go.
    """
    groups = await school.year_groups()
    today, labels = school.clock.today(), await labels_now(school)
    codes = list(labels)
    calendars = {code: await school.calendar(code) for code in codes}
    connection = school.connection
    found = gaps(
        connection.profile,
        programs=labels,
        calendars={code: any(year.listed for year in calendars[code].years) for code in codes},
        zone_known=connection.zone_set,
        writes=school.writes,
    )
    return SchoolContext(
        school=one_line((await school.read(school.client.get_school)).name),
        today=spoken(today),
        time=f"{school.clock.now():%H:%M}",
        zone=school.clock.zone_name,
        programmes=[
            await _programme(school, code, [one for one in groups.values() if one.program_code == code])
            for code in codes
        ],
        labels=labels_by_kind(labels),
        gaps=[_gap(gap, of=len(codes)) for gap in found],
        writing=_WRITING if school.writes else "Writing is off here: only reading tools are offered.",
        not_read=school.not_read,
    )


async def labels_now(school: School) -> dict[str, Labels]:
    """Today's labels by programme."""
    codes = sorted({group.program_code for group in (await school.year_groups()).values() if group.program_code})
    return {code: await school.labels(code, school.clock.today()) for code in codes}


def _gap(gap: Gap, *, of: int) -> str:
    """The gap, with the programmes that have it where not all do."""
    own = 0 < len(gap.programs) < of
    return f"{gap.text.removesuffix('.')} ({listed(gap.programs)})." if own else gap.text


_WRITING = (
    "Writing is on, in two steps: a writing tool answers a plan; apply_changes carries it out once the person agrees."
)


async def _programme(school: School, code: str, groups: list[YearGroup]) -> ProgrammeContext:
    today = school.clock.today()
    year = await school.academic_year(code, today)
    term = await school.term_on(code, today)
    later = [one for one in (year.terms if year else []) if one.starts_on > today]
    name = next((group.program for group in groups if group.program), code)
    return ProgrammeContext(
        name=one_line(name, limit=60),
        code=code,
        year_groups={group.id: group_name(group) for group in groups},
        day=_day((await school.calendar(code)).status(today)),
        term=f"{one_line(term.name)} until {spoken(term.ends_on)}" if term else "",
        term_id=term.id if term else 0,
        next_term=f"{one_line(later[0].name)} from {spoken(later[0].starts_on)}" if later else "",
    )


def _day(status: DayStatus) -> str:
    match status.kind:
        case DayKind.SCHOOL_DAY:
            rotation = f", rotation day {status.rotation_day}" if status.rotation_day else ""
            source = "" if status.source is Source.CALENDAR else f" (by the {status.source})"
            return f"is a school day{rotation}{source}"
        case DayKind.DAY_OFF:
            return f"is a day off ({status.reason})"
        case _:
            return "may be a school day: no calendar says"
