"""After a database went back in time: what its service told the world and has forgotten is found in the stream, and mended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from nats.aio.client import Client
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Fact
from shared.contracts.operations import Mend, Mended
from shared.contracts.streams import CONSUMERS, RETENTION, stream_of
from shared.kit import telemetry
from shared.kit.database import Database
from shared.kit.delivery import Delivery, Unreadable
from shared.kit.ids import Clock
from shared.kit.rpc import Call
from shared.kit.stream_relay import POSITION, RENUMBERED
from shared.kit.telemetry import logger

log = logger(__name__)

Recollect = Callable[[AsyncSession, Sequence[Fact]], Awaitable[None]]
"""States of each of these facts' entities what it is now, or that it is gone, in a version after the fact's.

What was ended, closed or taken away is so again first. Given is the newest forgotten fact of each aspect of each entity, in
the order of the oldest. It may be given again: a version more does no harm.
"""

CHUNK = 200
AT_ONCE = 50
UNASKED = 100
"""So many forgotten facts are mended at once: a standby that took over lacks the last moments. More than that is a backup,
and whoever restored it may have meant another one."""
ASK_AGAIN_S = 5.0
CLOCKS_APART = timedelta(minutes=1)

_CURSOR = text("SELECT last_sequence, moved_at FROM relay_cursor WHERE stream = :stream")
# A standby that took over, and a restore to a moment, are another timeline; a dump that was read in is another database.
_HERE = """
    (SELECT system_identifier FROM pg_control_system()) || '.' || left(pg_walfile_name(pg_current_wal_lsn()), 8) || '.'
    || (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_PLACE = text(f"SELECT place, {_HERE} AS here FROM relay_cursor WHERE stream = :stream")  # noqa: S608  # a constant
_SETTLE = text(f"UPDATE relay_cursor SET place = {_HERE} WHERE stream = :stream")  # noqa: S608  # a constant
_MOVE = text(f"""
    INSERT INTO relay_cursor (stream, last_sequence, place) VALUES (:stream, :sequence, {_HERE})
    ON CONFLICT (stream) DO UPDATE SET last_sequence = excluded.last_sequence, place = excluded.place, moved_at = now()
""")  # noqa: S608  # a constant
# By the key alone: a log of a million rows has no other index, and what is truly forgotten is nowhere in it. A restored
# database may have renumbered its log, which leaves a row its id.
_KNOWN = text(
    """
    SELECT given.fact FROM unnest(CAST(:xids AS text[]), CAST(:rows AS bigint[]), CAST(:facts AS text[]))
        AS given (xid, row, fact)
    JOIN outbox o ON o.stream = :stream AND o.id = given.row AND o.xid = ANY(ARRAY[CAST(given.xid AS xid8), RENUMBERED])
    WHERE o.fact_id::text = given.fact
""".replace("RENUMBERED", f"CAST('{RENUMBERED}' AS xid8)")
)


class TooMuchForgotten(ConnectionError):
    """The stream holds more that this database does not know than is mended unasked; the relay waits for `foci mend`."""


@dataclass(frozen=True)
class Told:
    """A message of the service's own stream, from its relay."""

    sequence: int
    xid: str
    row: int
    fact_id: str
    delivery: Delivery

    @classmethod
    def of(cls, message: RawStreamMsg) -> Told | None:
        """None for a message that is not a relay's."""
        headers = message.headers or {}
        xid, _, row = headers.get(POSITION, "").partition(".")
        delivery = Delivery(message.subject or "", message.data or b"", headers, 1)
        if not (xid.isdecimal() and row.isdecimal() and len(xid) < 19 and len(row) < 19):
            return None
        if delivery.fact_id is None:
            return None
        return cls(message.seq or 0, xid, int(row), str(delivery.fact_id), delivery)


class Mender:
    """Compares one service's stream of facts with its outbox, from where the database last knew itself in the stream."""

    def __init__(
        self,
        database: Database,
        nc: Client,
        service: str,
        recollect: Recollect,
        *,
        clock: Clock,
        unasked: int = UNASKED,
    ) -> None:
        self._database = database
        self._nc = nc
        self._js = nc.jetstream(timeout=2)
        self._service = service
        self._stream = stream_of(service)
        self._recollect = recollect
        self._clock = clock
        self._unasked = unasked
        self._waits = False
        self._noted_at: datetime | None = None

    async def check(self) -> None:
        """Mend what little is forgotten; TooMuchForgotten when it is more than that. For the relay, before it carries."""
        async with self._database.reading() as session:
            after, last, certain = await self._range(session)
        told: list[Told] = []
        while after < last and len(told) <= self._unasked:
            upto = min(after + CHUNK, last)
            async with self._database.reading() as session:  # a long transaction would hold back the relay
                told += await self._forgotten(session, after, upto)
            after = upto
        telemetry.FORGOTTEN_FACTS.set(len(told))
        if not told:
            await self._settle()
            return
        # An empty database, or another's, is not one that lacks the last moments, however little there is.
        if len(told) > self._unasked or not certain:
            async with self._database.reading() as session:
                self._waits, self._noted_at = True, await self._place_noted_at(session)
            await asyncio.sleep(ASK_AGAIN_S)  # the relay tries four times a second
            raise TooMuchForgotten(
                f"the stream {self._stream} holds {len(told)} facts at least that this database does not know: if it is "
                f"meant to be this old, say `foci mend {self._service}`"
            )
        log.error("the database has gone back; mending", stream=self._stream, forgotten=len(told))
        await self.hear_again()
        async with self._database.transaction() as session:
            await self._mend(session, told)
            await session.execute(_MOVE, {"stream": self._stream, "sequence": last})
        telemetry.FORGOTTEN_FACTS.set(0)

    async def look(self, session: AsyncSession) -> None:
        """What a replica has found forgotten ends with whichever replica mends it: then the place noted has moved."""
        if self._waits and await self._place_noted_at(session) != self._noted_at:
            telemetry.FORGOTTEN_FACTS.set(0)
            self._waits = False

    async def _place_noted_at(self, session: AsyncSession) -> datetime | None:
        row = (await session.execute(_CURSOR, {"stream": self._stream})).first()
        return None if row is None else row.moved_at

    async def _settle(self) -> None:
        """Hear again what others have stated where the database is another one than before, though nothing is forgotten: it
        may have stated nothing in the moments it lost, and taken in something all the same."""
        async with self._database.reading() as session:
            found = (await session.execute(_PLACE, {"stream": self._stream})).first()
        if found is None or found.place == found.here:
            return
        if found.place is not None:
            log.warning("another database than before; hearing again", before=found.place, now=found.here)
            await self.hear_again()
        async with self._database.transaction() as session:
            await session.execute(_SETTLE, {"stream": self._stream})

    async def answer(self, session: AsyncSession, request: Mend, _: Call) -> Mended:
        """One chunk of it, asked for by an operator."""
        if request.cursor is None:
            await self.hear_again()
        start, last, _certain = await self._range(session)
        after = start if request.cursor is None else request.cursor
        upto = min(after + CHUNK, last)
        told = await self._forgotten(session, after, upto)
        mended = await self._mend(session, told)
        if upto < last:
            return Mended(forgotten=len(told), mended=mended, cursor=upto)
        await session.execute(_MOVE, {"stream": self._stream, "sequence": last})
        return Mended(forgotten=len(told), mended=mended)

    async def hear_again(self) -> None:
        """Have everything that others have stated delivered anew; the inbox knows what has been taken in.

        What this database had taken in since it was saved has been acknowledged and would never come again.
        """
        for consumer in CONSUMERS:
            if consumer.service == self._service:
                subject = f"$JS.API.CONSUMER.RESET.{consumer.stream}.{consumer.durable}"
                reply = await self._nc.request(subject, orjson.dumps({"seq": 1}), timeout=5)
                error = orjson.loads(reply.data).get("error")
                if error:
                    raise ConnectionError(f"{consumer.durable} cannot be set back: {error}")

    async def _range(self, session: AsyncSession) -> tuple[int, int, bool]:
        """After which sequence this database may have forgotten something, the stream's last one, and whether the database
        has known this stream at all."""
        info = await self._js.stream_info(self._stream)
        first, last = info.state.first_seq, info.state.last_seq
        row = (await session.execute(_CURSOR, {"stream": self._stream})).first()
        if row is None or row.last_sequence > last or not row.last_sequence:
            return max(first - 1, 0), last, False
        known = await self._message(row.last_sequence)
        made = None if known is None else known.time
        if made is not None and made > row.moved_at + CLOCKS_APART:
            return max(first - 1, 0), last, False  # another stream of that name: the number says nothing
        return max(row.last_sequence, first - 1), last, True

    async def _forgotten(self, session: AsyncSession, after: int, upto: int) -> list[Told]:
        told: list[Told] = []
        for first in range(after + 1, upto + 1, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, upto + 1))
            found = await asyncio.gather(*(self._message(number) for number in numbers))
            told += [one for message in found if message is not None and (one := self._told(message))]
        return await self._unknown(session, told)

    def _told(self, message: RawStreamMsg) -> Told | None:
        # A day less than both are kept: the log's own forgetting is no loss.
        too_old = self._clock() - RETENTION + timedelta(days=1)
        return None if message.time is not None and message.time < too_old else Told.of(message)

    async def _message(self, sequence: int) -> RawStreamMsg | None:
        try:
            return await self._js.get_msg(self._stream, sequence)
        except NotFoundError:
            return None

    async def _unknown(self, session: AsyncSession, told: Sequence[Told]) -> list[Told]:
        if not told:
            return []
        places = {
            "stream": self._stream,
            "xids": [one.xid for one in told],
            "rows": [one.row for one in told],
            "facts": [one.fact_id for one in told],
        }
        known = set((await session.execute(_KNOWN, places)).scalars())
        return [one for one in told if one.fact_id not in known]

    async def _mend(self, session: AsyncSession, told: Iterable[Told]) -> int:
        readable = [_readable(one) for one in sorted(told, key=lambda one: one.sequence)]
        newest = newest_of(fact for fact in readable if fact is not None)
        if newest:
            await self._recollect(session, newest)
        return len(newest)


def newest_of(facts: Iterable[Fact]) -> list[Fact]:
    """Of each aspect of each thing the newest fact: that a profile was closed is not lost because it changed otherwise later."""
    newest: dict[tuple[str, str, str], Fact] = {}
    for fact in facts:
        thing = (fact.hub, fact.subject, fact.aspect)
        if thing not in newest or newest[thing].subject_version <= fact.subject_version:
            newest[thing] = fact
    return list(newest.values())


def _readable(told: Told) -> Fact | None:
    try:
        fact = told.delivery.fact()
    except Unreadable:
        fact = None
    if fact is None:
        log.error("a forgotten fact cannot be read", subject=told.delivery.subject, sequence=told.sequence)
    return fact
