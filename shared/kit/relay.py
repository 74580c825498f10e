"""Which replica carries a stream's part of the outbox, and when: one at a time, woken by kicks, whatever breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, NoReturn

import asyncpg
from nats.aio.client import Client
from nats.errors import Error as NatsError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.streams import Stream
from shared.kit import telemetry
from shared.kit.database import driver_of
from shared.kit.failures import said
from shared.kit.stream_relay import LostLeadership, Misplaced, StreamRelay
from shared.kit.telemetry import logger

log = logger(__name__)

FAILURES = (
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # What asyncpg says when the connection is lost while a statement is being sent.
    asyncpg.InternalClientError,
    NatsError,
    OSError,
    TimeoutError,
    LostLeadership,
)
POLL = 0.25
SOONEST = 0.0015
"""Seconds; a look costs PostgreSQL and this process some 100 µs each, and what held rows back is mostly a commit under way."""
LONGEST_PAUSE = 2.0
_LOCK = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))"


class Relay:
    """One active relay per stream: whoever holds its advisory lock carries it.

    Streams do not wait for each other: each message is synced to disk before the next one of its stream goes.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        nc: Client,
        stream: Stream,
        *,
        first: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`first` is done whenever this replica begins to lead, before anything is carried."""
        self._engine = engine
        self._nc = nc
        self._stream = stream
        self._first = first
        self._kicked = asyncio.Event()
        self._said = ""
        # From the start, in every replica: that nobody leads must show where the leader has gone with its figures.
        self._leader = telemetry.RELAY_LEADER.labels(stream.name)
        self._leader.set(0)

    def kick(self) -> None:
        """Something was committed somewhere: look now instead of at the next poll."""
        self._kicked.set()

    async def run(self) -> None:
        """Relay for ever, waiting for the lock while another replica has it; ends only when cancelled."""
        while True:
            try:
                if not self._nc.is_connected:
                    # Whoever can reach the bus shall have the lock.
                    raise ConnectionError("NATS is away")
                async with self._engine.connect() as connection, AsyncExitStack() as unless_whole:
                    # Whatever cuts it short, being cancelled included, it does not go back to the pool. The lock belongs
                    # to the server's session: with that open nobody, this replica included, could ever take the lock
                    # again. And the pool does not see what goes wrong behind its back.
                    unless_whole.push_async_callback(connection.invalidate)
                    # A transaction left open here would hold back the very rows the relay waits for.
                    await connection.execution_options(isolation_level="AUTOCOMMIT")
                    # Looked at with every commit: without SQLAlchemy in between that costs a quarter.
                    await self._lead_if_free(await driver_of(connection))
                    unless_whole.pop_all()
            except FAILURES as error:
                self._say(said(error))
            await asyncio.sleep(POLL)

    def _say(self, error: str) -> None:
        # Four times a second the same sentence would bury the others.
        if error != self._said:
            log.warning("relay interrupted; taking up again", error=error)
        self._said = error

    async def _lead_if_free(self, database: asyncpg.Connection[Any]) -> None:
        """Return when another replica leads; else lead for ever, which ends in an error or cancelled."""
        if not await database.fetchval(_LOCK, f"relay:{self._stream.name}"):
            return
        self._said = ""
        self._leader.set(1)
        log.info("this replica relays now", stream=self._stream.name)
        try:
            await self._lead(database)
        finally:
            self._leader.set(0)

    async def _lead(self, database: asyncpg.Connection[Any]) -> NoReturn:
        relay = StreamRelay(database, self._nc, self._stream)
        await relay.take()
        if self._first is not None:
            await self._first()
        pause, rewinds = SOONEST, 0
        while True:
            if not self._nc.is_connected:
                raise ConnectionError("NATS is away")
            self._kicked.clear()
            try:
                carried = await relay.step()
            except Misplaced as error:
                rewinds += 1
                await self._rewind(relay, rewinds, error)
                continue
            rewinds = 0
            if relay.has_more:
                continue
            # What an open transaction holds back is looked for again soon: nobody may kick when it ends. Everything
            # else has been carried, and what is committed from now on comes with a kick.
            pause = min(pause * 2, POLL) if relay.held_back and not carried else SOONEST
            await self._wait(pause if relay.held_back else POLL)

    async def _rewind(self, relay: StreamRelay, rewinds: int, error: Misplaced) -> None:
        telemetry.RELAY_REWINDS.labels(relay.stream).inc()
        log.warning(
            "stream not as it was left; finding the place again", stream=relay.stream, cause=error.__cause__
        )
        if rewinds > 1:
            await asyncio.sleep(min(POLL * rewinds, LONGEST_PAUSE))
        await relay.find_place()

    async def _wait(self, pause: float) -> None:
        try:
            async with asyncio.timeout(pause):
                await self._kicked.wait()
        except TimeoutError:
            return
