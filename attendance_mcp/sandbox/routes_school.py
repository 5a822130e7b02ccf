"""The school itself: its programmes, years and terms, calendars, labels and what the token may use."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import sqlalchemy as sa

from attendance_mcp.sandbox import wire
from attendance_mcp.sandbox.database import academic_years, categories, meta, programs, school_days, terms
from attendance_mcp.sandbox.errors import not_found
from attendance_mcp.sandbox.requests import Call

Json = dict[str, Any]


def get_school(call: Call) -> Json:
    facts: dict[str, str] = call.pairs(sa.select(meta.c.key, meta.c.value))
    running = call.db.execute(sa.select(programs.c.name, programs.c.code).order_by(programs.c.code)).mappings()
    return {
        "school": wire.without_nulls(
            {
                "name": facts.get("school", "Sandbox School"),
                "subdomain": facts.get("subdomain"),
                "country": facts.get("country"),
                "enabled_programs": [dict(row) for row in running],
            }
        )
    }


def list_academic_years(call: Call) -> Json:
    """By the programme's key, which isn't its code in every school."""
    today = call.today.date().isoformat()
    by_year: dict[int, list[Json]] = {}
    for term in call.db.execute(sa.select(terms).order_by(terms.c.starts_on, terms.c.id)).mappings():
        by_year.setdefault(term["academic_year_id"], []).append(_span(term, today=today))
    years = call.db.execute(
        sa.select(academic_years, programs.c.key)
        .join(programs, programs.c.code == academic_years.c.program_code)
        .order_by(programs.c.code, academic_years.c.starts_on)
    ).mappings()
    by_program: dict[str, Json] = {}
    for year in years:
        record = _span(year, today=today) | {"academic_terms": by_year.get(year["id"], [])}
        by_program.setdefault(year["key"], {"academic_years": []})["academic_years"].append(record)
    return {"academic_years": by_program}


def get_calendar(call: Call) -> Json:
    code = call.path["program_code"]
    program = call.db.execute(sa.select(programs).where(programs.c.code == code)).mappings().one_or_none()
    if program is None:
        raise not_found("Program", code)
    year_id = call.id("id", model="AcademicYear")
    of_program = sa.select(academic_years).where(academic_years.c.id == year_id, academic_years.c.program_code == code)
    year = call.db.execute(of_program).mappings().one_or_none()
    if year is None:
        raise not_found("AcademicYear", year_id)
    days = sa.select(school_days).where(
        school_days.c.program_code == code,
        school_days.c.date.between(year["starts_on"], min(year["ends_on"], _listed_until(call))),
    )
    rotates = program["rotation_cycle"] is not None
    return {
        "calendar": wire.without_nulls(
            {
                "start_date": year["starts_on"],
                "end_date": year["ends_on"],
                "calendar_type": "Rotation Cycle" if rotates else "Weekly",
                "rotation_cycle": program["rotation_cycle"],
                "ignore_holidays": False,
                "days_off": json.loads(program["days_off"]),
                "dates": [
                    wire.without_nulls({"date": row["date"], "rotation_day": row["rotation_day"]})
                    for row in call.db.execute(days.order_by(school_days.c.date)).mappings()
                ],
            }
        )
    }


def list_categories(call: Call) -> Json:
    year_id = call.id("id", model="AcademicYear")
    if call.db.execute(sa.select(academic_years.c.id).where(academic_years.c.id == year_id)).first() is None:
        raise not_found("AcademicYear", year_id)
    rows = call.db.execute(
        sa.select(categories).where(categories.c.academic_year_id == year_id).order_by(categories.c.status)
    ).mappings()
    return {"categories": [wire.category(row) for row in rows]}


def _listed_until(call: Call) -> str:
    """Say the last day that calendars list: a school that plans month by month hasn't entered the next one yet."""
    today = call.today.date()
    if call.assumptions.unlisted_day == "off":
        return date.max.isoformat()
    return f"{today:%Y-%m}-31"  # compared as text, so that a shorter month needs no other day


def _span(row: sa.RowMapping, *, today: str) -> Json:
    return {
        "id": row["id"],
        "name": row["name"],
        "active": row["starts_on"] <= today <= row["ends_on"],
        "starts_on": row["starts_on"],
        "ends_on": row["ends_on"],
    }
