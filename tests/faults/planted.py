"""For tests.faults.start, with SERVICE FOLDER: a service's process into which faults can be put while it runs.

What is at fault at the moment stands in FOLDER, see tests/faults/planting.py. The bad moments are the same with and
without a fault, so that a clean system can be put through the same. Production code knows nothing of this: functions are
replaced before main runs.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.commands import stating
from services.booking.commands.attempts import Attempt
from services.booking.commands.reserving import Reservations
from services.booking.settings import Settings
from shared.contracts.base import Fact
from shared.contracts.booking.facts import BookingCancelledV1
from shared.kit import idempotency, outbox, stream_relay
from shared.kit.bus import BatchConsumer
from shared.kit.idempotency import Answer
from shared.kit.inbox import once_each
from shared.kit.nats import own_inbox
from shared.kit.rpc import Call
from shared.kit.stream_relay import StreamRelay
from tests.faults.planting import BadMoment, Planting

Emit = Callable[..., Awaitable[None]]


# --- the faults ---


def publishes_before_commit(planting: Planting) -> None:
    """A cancellation goes to the stream at once; whether it is committed afterwards is another matter."""
    emit, connected = outbox.emit, list[Client]()

    async def client() -> Client:
        if not connected:
            settings = Settings()
            assert settings.nats_seed is not None
            seed = settings.nats_seed.get_secret_value()
            connected.append(
                await nats.connect(settings.nats_url, nkeys_seed_str=seed, inbox_prefix=own_inbox("booking"))
            )
        return connected[0]

    async def publish_and_emit(session: AsyncSession, *facts: Fact) -> None:
        # Not of spaces: now and then one would be measured before it is there, and another promise be broken as well.
        cancelled = [fact for fact in facts if isinstance(fact, BookingCancelledV1)]
        for fact in cancelled if planting.has("publish-before-commit") else ():
            row, nc = outbox.row_of(fact), await client()
            headers = {"Nats-Msg-Id": str(row.fact_id)}
            await nc.request(row.subject, row.body.encode(), timeout=2, headers=headers)
        await emit(session, *facts)

    vars(stating)["emit"] = publish_and_emit


def relays_by_id_only(planting: Planting) -> None:
    """The cursor is a number that is handed out before the commit."""
    waiting, by_place = StreamRelay._waiting, stream_relay._NEXT
    by_id = """
        SELECT xid::text::bigint AS xid, id, fact_id::text AS fact_id, subject, headers, body,
               true AS settled, false AS overtaken
        FROM outbox WHERE stream = $1 AND id > $3 AND $2::text IS NOT NULL ORDER BY id LIMIT $4
    """

    async def next_by_id(self: StreamRelay) -> Any:
        if self._next in (by_place, by_id):  # not of the stream that keeps only the latest
            self._next = by_id if planting.has("id-only-cursor") else by_place
        return await waiting(self)

    StreamRelay._waiting = next_by_id  # type: ignore[method-assign]


def loses_the_key(planting: Planting, moment: BadMoment) -> None:
    """The booking is committed first, its key afterwards, in a transaction of its own.

    The bad moment lies between the two, or, without the fault, between the one and the answer.
    """
    make = Reservations._make

    async def in_two_steps(self: Reservations, attempt: Attempt, answer: Answer, call: Call) -> Answer | None:
        if call.key is None or not planting.has("lost-key"):
            done = await make(self, attempt, answer, call)
            moment.die()
            return done
        done = await make(self, replace(attempt, key=None), answer, call)
        moment.die()
        if done is not None:
            async with self.database.transaction() as session:
                await idempotency.store(session, call.key, done)
        return done

    Reservations._make = in_two_steps  # type: ignore[method-assign]


def remembers_afterwards(planting: Planting, moment: BadMoment) -> None:
    """The effect is committed first, the inbox row afterwards, in a transaction of its own.

    The bad moment lies between the two, or, without the fault, between the one and the acknowledgement.
    """
    take_in_batch = BatchConsumer.take_in_batch

    async def in_two_steps(self: BatchConsumer, facts: Sequence[Fact]) -> int:
        if not planting.has("inbox-outside"):
            done = await take_in_batch(self, facts)
            moment.die()
            return done
        known = text("SELECT fact_id FROM inbox WHERE consumer = :consumer AND fact_id = ANY(:ids)")
        ids = [fact.id for fact in facts]
        async with self.database.transaction() as session:
            seen = set((await session.execute(known, {"consumer": self.durable, "ids": ids})).scalars())
            fresh = [fact for fact in facts if fact.id not in seen]
            if fresh:
                await self._effect(session, fresh)
        moment.die()
        async with self.database.transaction() as session:
            await once_each(session, ids, self.durable)
        return len(fresh)

    BatchConsumer.take_in_batch = in_two_steps  # type: ignore[method-assign]


# --- bad moments that no fault brings with it ---


def after_emit(happens: Callable[[], Awaitable[None] | None]) -> None:
    """A cancellation has been stated and is not committed yet."""
    emit: Emit = vars(stating)["emit"]

    async def emit_then(session: AsyncSession, *facts: Fact) -> None:
        await emit(session, *facts)
        if any(isinstance(fact, BookingCancelledV1) for fact in facts):
            waiting = happens()
            if waiting is not None:
                await waiting

    vars(stating)["emit"] = emit_then


def prepare(service: str, planting: Planting) -> None:
    """Put the faults in first, so that the bad moments lie where they would hurt."""
    if service == "ledger":
        remembers_afterwards(planting, planting.moment("before-ack"))
    else:
        publishes_before_commit(planting)
        relays_by_id_only(planting)
        loses_the_key(planting, planting.moment("before-answer"))
        after_emit(planting.moment("before-commit").die)
        after_emit(planting.moment("open-transaction").stand_still)


def main() -> None:
    """Prepare, then be the service."""
    service, folder = sys.argv[1:]
    prepare(service, Planting(Path(folder)))
    place = "tests.faults.ledger" if service == "ledger" else f"services.{service}.main"
    importlib.import_module(place).serve()
