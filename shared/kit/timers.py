"""Duties at a time: rows set and moved in the transaction that needs them, handled by whichever replica is free."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from opentelemetry import trace
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.kit import telemetry
from shared.kit.database import Database, to_be_announced
from shared.kit.ids import Clock
from shared.kit.telemetry import logger
from shared.kit.tracing import recording

log = logger(__name__)
tracer = trace.get_tracer("foci.timers")

Duty = Callable[[AsyncSession, str, datetime], Awaitable[None]]
"""Called with the transaction, the timer's key and the time; reads the row it is about again before acting."""

LONGEST_SLEEP = timedelta(seconds=2)
BREATH = 0.1
"""Kicks come with every commit; looking ten times a second is soon enough."""
MEANWHILE = timedelta(seconds=BREATH)
FIRST_DELAY = timedelta(seconds=1)
LONGEST_DELAY = timedelta(minutes=5)

SET = """
    INSERT INTO timer (kind, key, due_at) VALUES (:kind, :key, :due_at)
    ON CONFLICT (kind, key) DO UPDATE SET due_at = excluded.due_at, version = timer.version + 1, attempts = 0
"""
_SET = text(SET)
_SET_EARLIER = text(SET + " WHERE timer.due_at > excluded.due_at")
_SET_ALL_EARLIER = text("""
    INSERT INTO timer (kind, key, due_at)
    SELECT :kind, one.key, one.due_at
    FROM unnest(CAST(:keys AS text[]), CAST(:moments AS timestamptz[])) WITH ORDINALITY one (key, due_at, place)
    ORDER BY one.place
    ON CONFLICT (kind, key) DO UPDATE SET due_at = excluded.due_at, version = timer.version + 1, attempts = 0
    WHERE timer.due_at > excluded.due_at
""")
_CANCEL = text("DELETE FROM timer WHERE kind = :kind AND key = :key")
_CLAIM = text("""
    SELECT kind, key, due_at, version, attempts FROM timer WHERE due_at <= :now AND kind = ANY(:kinds)
    ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
""")
_DONE = text("DELETE FROM timer WHERE kind = :kind AND key = :key AND version = :version")
_NEXT = text("SELECT min(due_at) FROM timer WHERE kind = ANY(:kinds)")
_POSTPONE = text("""
    UPDATE timer SET due_at = :later, attempts = attempts + 1
    WHERE kind = :kind AND key = :key AND version = :version AND due_at = :due_at
""")


async def set_timer(
    session: AsyncSession, kind: str, key: str, due_at: datetime, *, only_earlier: bool = False
) -> None:
    """Set or move a timer; with `only_earlier` one that is due sooner stays as it is."""
    to_be_announced(session)
    statement = _SET_EARLIER if only_earlier else _SET
    await session.execute(statement, {"kind": kind, "key": key, "due_at": due_at})


async def wake_no_later(session: AsyncSession, kind: str, due: Mapping[str, datetime]) -> None:
    """Set many timers of one kind at once, by key; those that are due sooner stay as they are."""
    if due:
        to_be_announced(session)
        keys = sorted(due)  # everybody locks in the same order
        moments = [due[key] for key in keys]
        await session.execute(_SET_ALL_EARLIER, {"kind": kind, "keys": keys, "moments": moments})


async def set_standing(database: Database, kinds: Sequence[str], clock: Clock) -> None:
    """Make sure that each of these kinds has its timer, with an empty key, and that it is due; any replica may."""
    async with database.transaction() as session:
        for kind in kinds:
            await set_timer(session, kind, "", clock(), only_earlier=True)


async def cancel_timer(session: AsyncSession, kind: str, key: str) -> None:
    """Forget a timer; nothing happens when there is none."""
    await session.execute(_CANCEL, {"kind": kind, "key": key})


class Timers:
    """Runs a service's duties; any number of replicas may, each timer is handled by one at a time."""

    def __init__(self, database: Database, duties: Mapping[str, Duty], clock: Clock) -> None:
        self._database = database
        self._duties = duties
        self._clock = clock
        self._kicked = asyncio.Event()

    def kick(self) -> None:
        """Timers may have been set: look again."""
        self._kicked.set()

    async def run(self) -> None:
        """Handle timers as they fall due; ends only when cancelled."""
        while True:
            self._kicked.clear()
            try:
                pause = await self._until_next()
                if not pause:
                    while await self.handle_one():
                        pass
                    # What is due and was not handed out is in another replica's hands.
                    pause = max(await self._until_next(), MEANWHILE)
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                log.warning("timers interrupted; again shortly", error=error)
                pause = LONGEST_SLEEP
            await self._sleep(pause)

    async def handle_one(self) -> bool:
        """Handle the timer that has been due longest; False when none is due."""
        now = self._clock()
        claimed: Mapping[str, object] | None = None
        try:
            async with self._database.transaction() as session:
                row = (
                    (await session.execute(_CLAIM, {"now": now, "kinds": list(self._duties)}))
                    .mappings()
                    .first()
                )
                if row is None:
                    telemetry.TIMER_LATENESS.set(0)
                    return False
                claimed = dict(row)
                telemetry.TIMER_LATENESS.set((now - row["due_at"]).total_seconds())
                await session.execute(_DONE, claimed)
                with recording(tracer, f"timer {row['kind']}"):
                    await self._duties[row["kind"]](session, row["key"], now)
        except Exception as error:
            if claimed is None:
                raise
            # The edge: a duty that fails, whatever it was, is tried again later and never blocks the others.
            await self._postpone(claimed, now, error)
            return True
        telemetry.TIMERS.labels(str(claimed["kind"]), "done").inc()
        return True

    async def _postpone(self, claimed: Mapping[str, object], now: datetime, error: Exception) -> None:
        attempts = int(str(claimed["attempts"]))
        wait = min(FIRST_DELAY * 2 ** min(attempts, 20), LONGEST_DELAY)
        log.error("timer failed; again later", kind=claimed["kind"], key=claimed["key"], error=error)
        telemetry.TIMERS.labels(str(claimed["kind"]), "failed").inc()
        async with self._database.transaction() as session:
            await session.execute(_POSTPONE, {**claimed, "later": now + wait})

    async def _until_next(self) -> timedelta:
        async with self._database.reading() as session:
            due_at = (await session.execute(_NEXT, {"kinds": list(self._duties)})).scalar()
        if due_at is None:
            return LONGEST_SLEEP
        pause: timedelta = min(due_at - self._clock(), LONGEST_SLEEP)
        return max(timedelta(0), pause)

    async def _sleep(self, pause: timedelta) -> None:
        try:
            async with asyncio.timeout(pause.total_seconds()):
                await self._kicked.wait()
                await asyncio.sleep(BREATH)
        except TimeoutError:
            return
