"""What works in this school and what doesn't, by reads alone: for whoever sets the server up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from attendance_mcp.api.endpoints import ENDPOINTS
from attendance_mcp.api.issuer import issuer_of
from attendance_mcp.digest.facts import counted, listed
from attendance_mcp.errors import AttendanceError, NotAuthorised, NotFound, NotOffered, UpstreamError
from attendance_mcp.outside import one_line
from attendance_mcp.rules.calendar import DayKind
from attendance_mcp.rules.gaps import gaps
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.school import School

ATTENDANCE = tuple(endpoint for endpoint in ENDPOINTS.values() if endpoint.tool)
_WRITING = ("create", "update", "destroy", "set_homeroom_attendance")


class State(StrEnum):
    """How a finding stands."""

    GOOD = "good"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the checkup; `do` says what mends it."""

    state: State
    about: str
    words: str
    do: str = ""


async def checkup(school: School) -> AsyncIterator[Finding]:
    """Finding after finding; ends early where the school's system can't be read at all. Nothing is written."""
    try:
        await school.read(school.client.get_school)
    except NotAuthorised as error:
        yield Finding(State.WRONG, "token", str(error))
        return
    except UpstreamError as error:
        yield Finding(State.WRONG, "school's system", str(error), await _about_reaching(str(error), school))
        return
    yield Finding(State.GOOD, "school's system", "It answers, and the token is accepted.")
    async for finding in _operations(school):
        yield finding
    yield await _permissions(school)
    for of in (_zone, _calendar, _profile):
        async for finding in of(school):
            yield finding


async def _about_reaching(problem: str, school: School) -> str:
    if "certificate" not in problem:
        return "Check ATTENDANCE_API_URL, the network and the proxy."
    issuer = one_line(await issuer_of(school.connection.name), limit=80)
    signed = f"It was signed by “{issuer}”. " if issuer else ""
    return (
        f"{signed}Where a filter of the network opens TLS, its certificate authority must be in this machine's own "
        "store: ask whoever manages the network."
    )


async def _operations(school: School) -> AsyncIterator[Finding]:
    """Each of the thirteen operations: tried where it reads."""
    reads = await _reads(school)
    for endpoint in ATTENDANCE:
        if endpoint.writes:
            continue
        read = reads.get(endpoint.name)
        if read is None:
            yield Finding(State.WARNING, endpoint.name, "Not tried: there is no class, term or student to try it with.")
            continue
        try:
            await read()
        except (NotAuthorised, NotOffered) as error:
            yield Finding(State.WARNING, endpoint.name, str(error))
        except NotFound:
            yield Finding(State.WARNING, endpoint.name, "The school's system knows no such record.")
        except AttendanceError as error:
            yield Finding(State.WRONG, endpoint.name, str(error))
        else:
            yield Finding(State.GOOD, endpoint.name, "It can be read.")
    names = [endpoint.name for endpoint in ATTENDANCE if endpoint.writes]
    if school.connection.writes:
        yield Finding(State.GOOD, "operations that write", f"Can't be told without writing: {listed(names)}.")


async def _reads(school: School) -> dict[str, Callable[[], Awaitable[object]]]:
    """One small read of each operation that reads, of the first records that there are."""
    client, today = school.client, school.clock.today()
    reads: dict[str, Callable[[], Awaitable[object]]] = {"list_excusals": lambda: client.list_excusals(today)}
    group = next((group for group in (await school.year_groups()).values() if group.student_ids), None)
    if group is not None:
        reads["get_homeroom_attendance"] = lambda: client.get_homeroom_attendance(group.id, today)
        reads["list_student_excusals"] = lambda: client.list_student_excusals(group.student_ids[0])
        if (term := await school.term_on(group.program_code, today)) is not None:
            reads["get_homeroom_term_attendance"] = lambda: client.get_homeroom_term_attendance(group.id, term.id)
            reads["get_homeroom_adjustments"] = lambda: client.get_homeroom_adjustments(group.id, term.id)
    record = next(iter((await school.classes()).values()), None)
    if record is not None:
        reads["get_class_attendance"] = lambda: client.get_class_attendance(record.id, today)
        reads["get_class_timetable"] = lambda: client.get_class_timetable(record.id)
        if (own := await school.term_on(record.program_code, today)) is not None:
            reads["get_class_term_attendance"] = lambda: client.get_class_term_attendance(record.id, own.id)
    return reads


async def _permissions(school: School) -> Finding:
    """Whether the token may do more than the settings need."""
    try:
        permissions = await school.read(school.client.get_permissions)
    except AttendanceError:
        return Finding(State.GOOD, "permissions", "This school's system doesn't tell what the token may do.")
    wide = [one for one in permissions if one.rpartition("/")[2].startswith(_WRITING)]
    if wide and not school.connection.writes:
        words = f"The token may write ({counted(len(wide), 'permission')}), and writing is off here."
        return Finding(State.WARNING, "permissions", words, "Ask for a token that may only read.")
    return Finding(State.GOOD, "permissions", f"The token has {counted(len(permissions), 'permission')}.")


async def _zone(school: School) -> AsyncIterator[Finding]:
    clock = school.clock
    words = f"It is {spoken(clock.today())}, {clock.now():%H:%M} ({clock.zone_name})."
    if school.connection.zone_set:
        yield Finding(State.GOOD, "time zone", words)
    else:
        yield Finding(State.WARNING, "time zone", words, "Set ATTENDANCE_TIMEZONE to the school's.")


async def _calendar(school: School) -> AsyncIterator[Finding]:
    today = school.clock.today()
    for code in sorted({group.program_code for group in (await school.year_groups()).values() if group.program_code}):
        term = await school.term_on(code, today)
        day = (await school.calendar(code)).status(today)
        kind = {DayKind.SCHOOL_DAY: "a school day", DayKind.DAY_OFF: "a day off"}.get(day.kind)
        words = f"Today is {kind or 'a day that no calendar tells of'}, {'in' if term else 'outside'} a term."
        do = "" if kind else "Tell the week and the days off in school.toml (doctor --learn proposes one)."
        yield Finding(State.GOOD if kind else State.WARNING, f"calendar of {code}", words, do)


async def _profile(school: School) -> AsyncIterator[Finding]:
    today = school.clock.today()
    codes = sorted({group.program_code for group in (await school.year_groups()).values() if group.program_code})
    labels = {code: await school.labels(code, today) for code in codes}
    calendars = {code: any(year.listed for year in (await school.calendar(code)).years) for code in codes}
    connection = school.connection
    found = gaps(
        connection.profile,
        programs=labels,
        calendars=calendars,
        zone_known=True,  # told above
        writes=connection.writes,
    )
    for gap in found:
        of = f" ({listed(gap.programs)})" if 0 < len(gap.programs) < len(codes) else ""
        yield Finding(State.WARNING, f"profile: {gap.entry}", gap.text + of, "Set it in school.toml.")
    if not found:
        yield Finding(State.GOOD, "profile", "Nothing that matters is left open.")
