"""The store of plans and of the changes they made: one code path for SQLite and PostgreSQL.

Ids, codes and days; no names. Texts stand here only because a plan needs them to be carried out and taken back.
SQLAlchemy is imported by whoever makes the first plan, not at start: a host starts a server for every chat.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import anyio.to_thread
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from attendance_mcp.changes.keeping import BETWEEN_PURGES, Erased, Keeps, chain, erase
from attendance_mcp.changes.leases import claim_with_targets, free, one_at_a_time, stamp
from attendance_mcp.changes.model import (
    Agreed,
    Approval,
    Change,
    Outcome,
    Plan,
    PlanState,
)
from attendance_mcp.changes.opening import keep_no_longer, open_store, owe_wiping, wipe
from attendance_mcp.changes.places import address_of
from attendance_mcp.changes.rows import approval_text, change_of, plan_of, row_of, what_became
from attendance_mcp.changes.tables import changes, of_student, outside_heard, plans, sealing
from attendance_mcp.errors import StoreUnavailable

T = TypeVar("T")
KEEPS = Keeps()


class Store:
    """Plans and changes behind one SQLAlchemy URL; every method is one short transaction in a worker thread.

    Raises StoreUnavailable where the database can't be read or written: then nothing is sent.
    """

    def __init__(self, url: sa.URL, *, keeps: Keeps, now: Callable[[], datetime]) -> None:
        self._url = url
        self._keeps, self._now = keeps, now
        self._purge_next: datetime | None = None
        self._engine: sa.Engine | None = None
        self._opening = threading.Lock()

    @classmethod
    def at(
        cls, place: str | Path, *, keeps: Keeps = KEEPS, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> Store:
        """A store at a `postgresql://…` URL or in a SQLite file. Raises StoreUnavailable for a URL that is none."""
        return cls(address_of(place), keeps=keeps, now=now)

    async def add(self, plan: Plan, *, most_waiting: int) -> bool:
        """Stores a waiting plan; false where so many of the caller's wait already at its school."""

        def work(connection: sa.Connection) -> bool:
            one_at_a_time(connection)  # two that count at once would both find room
            if _waiting(connection, plan.caller, plan.school, now=plan.created) >= most_waiting:
                return False
            header = {
                "code": plan.code,
                "caller": plan.caller,
                "school": plan.school,
                "state": plan.state,
                "approval": approval_text(Agreed(plan.approval, plan.way)),
                "summary_hash": plan.summary_hash,
                "errand_hash": plan.errand_hash,
                "already": plan.already,
                "created": stamp(plan.created),
                "expires": stamp(plan.expires),
            }
            plan_id: int = connection.execute(plans.insert().values(header).returning(plans.c.id)).scalar_one()
            rows = [row_of(plan_id, row, change) for row, change in enumerate(plan.changes)]
            connection.execute(changes.insert(), rows)
            return True

        return await self._do(work)

    async def get(self, code: str) -> Plan | None:
        """The plan with this code."""

        def work(connection: sa.Connection) -> Plan | None:
            header = connection.execute(plans.select().where(plans.c.code == code)).mappings().one_or_none()
            if header is None:
                return None
            rows = connection.execute(
                changes.select().where(changes.c.plan_id == header["id"]).order_by(changes.c.row)
            ).mappings()
            return plan_of(header, [change_of(row) for row in rows])

        return await self._do(work)

    async def journal(
        self,
        school: str,
        *,
        now: datetime,
        since: datetime | None,
        student_id: int | None,
        limit: int,
        caller: str | None = None,
    ) -> tuple[list[Plan], int]:
        """The newest plans of a school, one caller's or every caller's, and how many; not those that lapsed."""
        told = [plans.c.school == school, sa.or_(plans.c.state != PlanState.WAITING, plans.c.expires > stamp(now))]
        if since is not None:
            told.append(sa.func.coalesce(plans.c.settled, plans.c.created) >= stamp(since))
        if caller is not None:
            told.append(plans.c.caller == caller)
        if student_id is not None:
            told.append(plans.c.id.in_(sa.select(changes.c.plan_id).where(of_student(student_id))))

        def work(connection: sa.Connection) -> tuple[list[Plan], int]:
            total = connection.execute(sa.select(sa.func.count()).select_from(plans).where(*told)).scalar_one()
            newest = plans.select().where(*told).order_by(plans.c.id.desc()).limit(limit)
            headers = connection.execute(newest).mappings().all()
            ids = [header["id"] for header in headers]
            own: dict[int, list[Change]] = {id: [] for id in ids}
            query = changes.select().where(changes.c.plan_id.in_(ids)).order_by(changes.c.plan_id, changes.c.row)
            for row in connection.execute(query).mappings():
                own[row["plan_id"]].append(change_of(row))
            return [plan_of(header, own[header["id"]]) for header in headers], int(total)

        return await self._do(work)

    async def began(self, school: str) -> datetime | None:
        """When the first plan of a school that stands here was made."""
        query = sa.select(sa.func.min(plans.c.created)).where(plans.c.school == school)
        first = await self._do(lambda connection: connection.execute(query).scalar())
        return datetime.fromisoformat(first) if first else None

    async def waiting(self, caller: str, school: str, *, now: datetime) -> list[Plan]:
        """The caller's plans that wait, the newest first."""
        query = (
            sa.select(plans.c.code)
            .where(plans.c.caller == caller, plans.c.school == school)
            .where(plans.c.state == PlanState.WAITING, plans.c.expires > stamp(now))
            .order_by(plans.c.id.desc())
        )
        codes = await self._do(lambda connection: list(connection.execute(query).scalars()))
        found = [await self.get(code) for code in codes]
        return [plan for plan in found if plan is not None]

    async def discard(self, code: str, *, now: datetime) -> bool:
        """Ends a plan that waits; false where it no longer does."""
        statement = (
            plans.update()
            .where(plans.c.code == code, plans.c.state == PlanState.WAITING)
            .values(state=PlanState.DISCARDED, settled=stamp(now))
        )
        return await self._do(lambda connection: connection.execute(statement).rowcount == 1)

    async def claim(self, code: str, *, agreed: Agreed, now: datetime, lease_until: datetime) -> bool:
        """Takes a waiting plan and its targets for carrying out; false where somebody else has it or one of them."""
        taken = {"state": PlanState.APPLYING, "approval": approval_text(agreed)}

        def work(connection: sa.Connection) -> bool:
            return claim_with_targets(connection, code, taken, now=now, until=lease_until)

        return await self._do(work)

    async def reclaim(self, code: str, *, now: datetime, lease_until: datetime) -> bool:
        """Takes a plan whose carrying out was cut off; false while its lease holds or where somebody else took it.

        Its targets go free: whoever settles such a plan reads, and sends nothing.
        """
        statement = (
            plans.update()
            .where(plans.c.code == code, plans.c.state == PlanState.APPLYING, plans.c.lease_until <= stamp(now))
            .values(lease_until=stamp(lease_until))
            .returning(plans.c.id)
        )

        def work(connection: sa.Connection) -> bool:
            plan_id = connection.execute(statement).scalar_one_or_none()
            if plan_id is not None:
                free(connection, plan_id)
            return plan_id is not None

        return await self._do(work)

    async def give_up(self, code: str, *, lease: datetime, now: datetime) -> None:
        """Gives a reclaimed plan back unsettled, to whoever comes next: what became of it can't be read now."""

        def work(connection: sa.Connection) -> None:
            plan_id = _held(connection, code, lease)
            connection.execute(plans.update().where(plans.c.id == plan_id).values(lease_until=stamp(now)))

        await self._do(work)

    async def made_by_others(self, plan: Plan) -> frozenset[int]:
        """The ids of excusals that other plans of the school made."""
        query = (
            sa.select(changes.c.made_id)
            .join(plans, plans.c.id == changes.c.plan_id)
            .where(plans.c.school == plan.school, plans.c.code != plan.code, changes.c.made_id.is_not(None))
        )
        return await self._do(lambda connection: frozenset(connection.execute(query).scalars()))

    async def release(self, code: str, *, lease: datetime) -> None:
        """Gives a claimed plan back, of which nothing was sent."""

        def work(connection: sa.Connection) -> None:
            plan_id = _held(connection, code, lease)
            if plan_id is not None:
                planned = changes.update().where(changes.c.plan_id == plan_id).values(outcome=Outcome.PLANNED)
                waiting = {"state": PlanState.WAITING, "approval": Approval.NONE, "lease_until": None}
                connection.execute(planned)
                connection.execute(plans.update().where(plans.c.id == plan_id).values(waiting))
                free(connection, plan_id)

        await self._do(work)

    async def record(self, code: str, rows: Sequence[tuple[int, Change]], *, lease: datetime) -> bool:
        """Stores what is known of some changes; false where the plan is no longer this caller's to carry out."""

        def work(connection: sa.Connection) -> bool:
            plan_id = _held(connection, code, lease)
            if plan_id is not None:
                _record(connection, plan_id, rows)
            return plan_id is not None

        return await self._do(work)

    async def settle(
        self, code: str, state: PlanState, rows: Sequence[Change] = (), *, lease: datetime, now: datetime
    ) -> bool:
        """Ends the plan with what became of its changes; false where somebody else has it now."""

        def work(connection: sa.Connection) -> bool:
            plan_id = _held(connection, code, lease)
            if plan_id is not None:
                _record(connection, plan_id, list(enumerate(rows)))
                ended = {"state": state, "settled": stamp(now), "lease_until": None}
                connection.execute(plans.update().where(plans.c.id == plan_id).values(ended))
                free(connection, plan_id)
                chain(connection, plan_id)
            return plan_id is not None

        return await self._do(work)

    async def erase(self, student_id: int, *, school: str = "") -> tuple[Erased, bool]:
        """Takes a student out, at one school where it is named.

        False beside it where another process still holds the file's old pages.
        """

        def work(connection: sa.Connection) -> Erased:
            owe_wiping(connection)
            return erase(connection, student_id, school=school)

        erased = await self._do(work)
        return erased, await anyio.to_thread.run_sync(lambda: wipe(self._opened()))

    async def check(self) -> None:
        """Raises StoreUnavailable unless a plan could be stored now. Nothing is."""
        nothing = plans.update().where(sa.false()).values(state=plans.c.state)
        await self._do(lambda connection: connection.execute(nothing), abandon=True)

    async def read(self, query: Callable[[sa.Connection], T]) -> T:
        """What a query gives, for those who look at the store as a whole."""
        return await self._do(query)

    async def heard_outside(self, caller: str, *, now: datetime) -> None:
        """Keeps that outside text was given to this caller now. Being cancelled, it may yet do so."""

        def work(connection: sa.Connection) -> None:
            known = outside_heard.update().where(outside_heard.c.caller == caller).values(last=stamp(now))
            if connection.execute(known).rowcount == 0:
                connection.execute(outside_heard.insert().values(caller=caller, last=stamp(now)))

        await self._do(work, abandon=True)

    async def outside_last(self, caller: str) -> datetime | None:
        """When outside text was last given to this caller."""
        query = sa.select(outside_heard.c.last).where(outside_heard.c.caller == caller)
        last = await self._do(lambda connection: connection.execute(query).scalar_one_or_none())
        return datetime.fromisoformat(last) if last else None

    async def sealing_key(self) -> bytes:
        """The 32 bytes that every process on this store seals with; whoever comes first makes them."""

        def work(connection: sa.Connection) -> str:
            one_at_a_time(connection)
            kept: str | None = connection.execute(sa.select(sealing.c.key)).scalar_one_or_none()
            if kept is None:
                kept = secrets.token_hex(32)
                connection.execute(sealing.insert().values(id=1, key=kept))
            return kept

        return bytes.fromhex(await self._do(work))

    async def _do(self, work: Callable[[sa.Connection], T], *, abandon: bool = False) -> T:
        return await anyio.to_thread.run_sync(self._transaction, work, abandon_on_cancel=abandon)

    def _transaction(self, work: Callable[[sa.Connection], T]) -> T:
        try:
            with self._opened().begin() as connection:
                return work(connection)
        except ImportError:
            raise StoreUnavailable("A store on PostgreSQL needs attendance-mcp[postgresql] installed.") from None
        except (SQLAlchemyError, OSError) as error:
            # The driver's message may hold the URL's password or a row's text.
            if self._url.get_backend_name() == "sqlite":
                check = "its place exists, is writable and has room"
            else:
                check = "PostgreSQL runs there, has room, and takes this user, password and database"
            raise StoreUnavailable(
                f"The store of plans and changes can't be used ({type(error).__name__}): check that {check} (setting "
                "ATTENDANCE_STORE)."
            ) from None

    def _opened(self) -> sa.Engine:
        with self._opening:
            if self._engine is None:
                self._engine = open_store(self._url)
            if self._purge_next is None or self._now() >= self._purge_next:
                with suppress(
                    SQLAlchemyError
                ):  # purging again in an hour does; writing or reading must not wait for it
                    keep_no_longer(self._engine, self._keeps, now=self._now())
                self._purge_next = self._now() + BETWEEN_PURGES
            return self._engine

    def close(self) -> None:
        """Closes the database."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


def _waiting(connection: sa.Connection, caller: str, school: str, *, now: datetime) -> int:
    query = (
        sa.select(sa.func.count())
        .where(plans.c.caller == caller, plans.c.school == school)
        .where(plans.c.state == PlanState.WAITING, plans.c.expires > stamp(now))
    )
    return int(connection.execute(query).scalar_one())


def _held(connection: sa.Connection, code: str, lease: datetime) -> int | None:
    """The plan's row while it is carried out under this lease.

    A machine that slept under way wakes up with a lease that lapsed: whoever settled the plan meanwhile has said that
    the rest was not sent, so nothing may follow.
    """
    query = sa.select(plans.c.id).where(
        plans.c.code == code, plans.c.state == PlanState.APPLYING, plans.c.lease_until == stamp(lease)
    )
    # Held until the transaction ends, so that nobody takes the plan over between this look and what follows it.
    return connection.execute(query.with_for_update()).scalar_one_or_none()


def _record(connection: sa.Connection, plan_id: int, rows: Sequence[tuple[int, Change]]) -> None:
    if not rows:
        return
    values = ("outcome", "reason", "made_id", "known")
    statement = (
        changes.update()
        .where(changes.c.plan_id == plan_id, changes.c.row == sa.bindparam("of_row"))
        .values({name: sa.bindparam(f"new_{name}") for name in values})
    )
    connection.execute(statement, [{"of_row": row, **what_became(change)} for row, change in rows])
