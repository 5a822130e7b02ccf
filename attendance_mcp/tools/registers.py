"""The tools over registers: which are missing, and where homeroom contradicts the classes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from attendance_mcp.digest.reconcile import Reconciled, reconciled
from attendance_mcp.digest.registers import MissingRegisters, missing_registers
from attendance_mcp.errors import ArgumentError
from attendance_mcp.school.clock import spoken
from attendance_mcp.school.groups import find_group
from attendance_mcp.school.reconcile import gather
from attendance_mcp.school.registers import class_registers, homeroom_registers
from attendance_mcp.school.school import School
from attendance_mcp.tools.arguments import Day, GroupName

RegisterKind = Annotated[
    Literal["homeroom", "class"],
    BeforeValidator(lambda value: value.strip().lower() if isinstance(value, str) else value),
    WithJsonSchema({"type": "string", "enum": ["homeroom", "class"]}),
]
LastPeriod = Annotated[int | None, Field(strict=True, ge=0, le=50), WithJsonSchema({"type": "integer", "minimum": 0})]


async def list_missing_registers(
    school: School,
    date: Day = "today",
    group: GroupName = "",
    kind: RegisterKind = "homeroom",
    up_to_period: LastPeriod = None,
) -> MissingRegisters:
    """Which registers of a day are due and not wholly taken (k of n marked), and whose they are: homerooms', or
    classes' in the periods in which they meet. Those not yet due are only counted.
    """
    if kind == "homeroom" and up_to_period is not None:
        raise ArgumentError("up_to_period goes with kind=class: a homeroom has no periods.")
    of, day = await find_group(school, group), school.clock.day(date)
    if day > school.clock.today():
        raise ArgumentError(f"{spoken(day)} is yet to come: no register of it is due.")
    if kind == "homeroom":
        found = await homeroom_registers(school, of, day)
    else:
        found = await class_registers(school, of, day, up_to_period=up_to_period)
    return missing_registers(
        found.states,
        day=spoken(day),
        of=of.name,
        as_of=f"{school.clock.now():%H:%M}",
        kind=kind,
        students=found.students,
        remarks=found.remarks,
        not_read=school.not_read,
    )


async def reconcile_homeroom(school: School, date: Day = "today", group: GroupName = "") -> Reconciled:
    """Homeroom marks of a day that taken class marks or the excusals contradict: each with its evidence and the change
    that would mend it. It proposes and never writes; marks not taken are no evidence.
    """
    of, day = await find_group(school, group), school.clock.day(date)
    if day > school.clock.today():
        raise ArgumentError(f"{spoken(day)} is yet to come: there is nothing to reconcile.")
    evidence = await gather(school, of, day)
    return reconciled(
        evidence.students,
        day=spoken(day),
        of=of.name,
        as_of=f"{school.clock.now():%H:%M}",
        classes=evidence.classes,
        remarks=[*evidence.remarks, *evidence.about_codes],
        not_read=school.not_read,
    )
