"""An invented school, plausible and the same for the same size, seed and date; made anew or brought up to date."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta

from sqlalchemy import Engine
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from attendance_mcp.sandbox import founding
from attendance_mcp.sandbox.absences import Diary, Excusal, sunday_of
from attendance_mcp.sandbox.database import metadata
from attendance_mcp.sandbox.invented_marks import add_marks
from attendance_mcp.sandbox.people import population
from attendance_mcp.sandbox.school_year import Size, academic_year_of, academic_year_start, latest_common_school_day

__all__ = ["Size", "latest_common_school_day", "prepare"]

_WAIT_MS = 120_000  # as long as another process may need to make a district


def prepare(engine: Engine, *, size: Size = "school", seed: int = 1, today: datetime) -> None:
    """Make the school on an empty file, or add what was invented to happen since the file was last brought up to date.

    `today` is naive, in the school's local time. Nothing that stands is altered, except that students leave and change
    classes. Raises ValueError for a file that was made with another size or seed, and for
    a moment with a zone.
    """
    if today.tzinfo:
        raise ValueError("The sandbox's today is the school's local time, without a zone.")
    people = population(size, seed)
    with _alone(engine) as connection:
        standing = founding.read_meta(connection)
        if standing and (standing["size"], standing["seed"]) != (size, str(seed)):
            raise ValueError(
                f"The file holds the school of size {standing['size']} and seed {standing['seed']}, "
                f"not of size {size} and seed {seed}."
            )
        if standing:
            since = datetime.fromisoformat(standing["marked_until"])
            first_year = int(standing["first_year"])
            if today <= since:
                return
        else:
            first_year = academic_year_of(today.date())
            # A little before the year, so that what was entered in the holidays belongs to it.
            since = datetime.combine(academic_year_start(first_year), time()) - timedelta(days=30)
            _create_tables(connection)
            founding.found(connection, people=people, year=first_year)
        diary = Diary(people, first_year=first_year)
        for year in range(first_year, academic_year_of(today.date()) + 1):
            founding.open_year(connection, people=people, year=year)
        founding.move_people(connection, people=people, diary=diary, until=today.date())
        founding.add_adjustments(connection, people=people, diary=diary, since=since, until=today)
        add_marks(connection, population=people, diary=diary, since=since, until=today)
        _add_excusals(connection, diary=diary, since=since, until=today)
        founding.write_meta(connection, {"marked_until": today.isoformat(timespec="seconds")})


@contextmanager
def _alone(engine: Engine) -> Iterator[sqlite3.Connection]:
    """The driver's connection inside one write transaction, which another process waits for.

    The driver's own, since SQLAlchemy's would begin a transaction that lets a second writer read before it waits.
    """
    pooled = engine.raw_connection()
    try:
        connection = pooled.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        restore = _settle(connection)
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        finally:
            restore()
    finally:
        pooled.close()


def _settle(connection: sqlite3.Connection) -> Callable[[], None]:
    """Set the connection up for one large write; answers how to set it back."""
    mode = connection.isolation_level
    connection.isolation_level = None
    pragmas = ("busy_timeout", "cache_size", "synchronous", "temp_store")
    before = {pragma: connection.execute(f"PRAGMA {pragma}").fetchone()[0] for pragma in pragmas}
    connection.execute(f"PRAGMA busy_timeout = {_WAIT_MS}")
    connection.execute("PRAGMA cache_size = -48000")
    connection.execute("PRAGMA temp_store = MEMORY")
    if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        # A file that is lost half made is made again; nobody has written into it.
        connection.execute("PRAGMA synchronous = OFF")

    def restore() -> None:
        for pragma, value in before.items():
            connection.execute(f"PRAGMA {pragma} = {value}")
        connection.isolation_level = mode

    return restore


def _create_tables(connection: sqlite3.Connection) -> None:
    dialect = sqlite.dialect()
    for table in metadata.sorted_tables:
        connection.execute(str(CreateTable(table, if_not_exists=True).compile(dialect=dialect)))
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            connection.execute(str(CreateIndex(index, if_not_exists=True).compile(dialect=dialect)))


def _add_excusals(connection: sqlite3.Connection, *, diary: Diary, since: datetime, until: datetime) -> None:
    """What parents wrote within the span; one that overlaps an excusal made meanwhile is left out, as the API would."""
    sunday = sunday_of(since.date()) - timedelta(days=14)
    rows = []
    while sunday <= until.date() + timedelta(days=14):
        written = (absence.excusal for absence in diary.week(sunday).absences if absence.excusal)
        rows += [_excusal_row(excusal) for excusal in written if since < excusal.created <= until]
        sunday += timedelta(days=7)
    connection.executemany(
        "INSERT OR IGNORE INTO excusals"
        " (id, student_id, parent_id, start_date, end_date, comment, created_at, updated_at)"
        " SELECT :id, :student, :parent, :start, :end, :comment, :created, :created WHERE NOT EXISTS ("
        "SELECT 1 FROM excusals WHERE student_id = :student AND start_date <= :end AND end_date >= :start)",
        rows,
    )


def _excusal_row(excusal: Excusal) -> dict[str, object]:
    return {
        "id": excusal.id,
        "student": excusal.student.id,
        "parent": excusal.parent_id,
        "start": excusal.start.isoformat(),
        "end": excusal.end.isoformat(),
        "comment": excusal.comment,
        # The invented school keeps UTC as its local time, so that a moment is the same on every machine.
        "created": excusal.created.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
