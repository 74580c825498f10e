"""Facts in: hands each fact to its consumer exactly once in effect, and decides what becomes of one that fails."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from nats.aio.msg import Msg
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts import streams
from shared.contracts.base import Fact
from shared.contracts.catalogue import fact_class
from shared.kit import dead_letters, telemetry
from shared.kit.database import Database
from shared.kit.errors import FociError, Unavailable, is_passing
from shared.kit.ids import Ids
from shared.kit.inbox import Turn, next_parked, once, once_each, turn_of
from shared.kit.nats import connect_options, own_inbox
from shared.kit.settings import ProcessSettings
from shared.kit.telemetry import extract, logger

log = logger(__name__)
tracer = trace.get_tracer("foci.bus")

Effect = Callable[[AsyncSession, Any], Awaitable[None]]
BatchEffect = Callable[[AsyncSession, Sequence[Any]], Awaitable[None]]

ATTEMPTS = 8
"""A fact that has failed so often becomes a dead letter; with growing delays that is after about two minutes."""
FIRST_DELAY = 0.5
LONGEST_DELAY = 60.0
IDLE_FETCH = 0.5
BATCH = 200
BATCH_WAIT = 0.1


def make_broker(settings: ProcessSettings, user: str) -> NatsBroker:
    """The FastStream broker of a service; it connects when started."""
    return NatsBroker(
        settings.nats_url,
        inbox_prefix=own_inbox(user),
        logger=None,
        **connect_options(settings, user),
    )


def delay_after(attempt: int) -> float:
    """Seconds to wait after the n-th failure: doubling from half a second, at most a minute."""
    doubled: float = FIRST_DELAY * 2 ** min(attempt - 1, 16)
    return min(doubled, LONGEST_DELAY)


@dataclass(frozen=True)
class Delivery:
    """A fact as it came from the stream, before anything is known to be right about it."""

    subject: str
    body: bytes
    headers: Mapping[str, str]
    attempt: int

    @classmethod
    def of(cls, raw: Msg) -> Delivery:
        """From a JetStream message."""
        return cls(raw.subject, raw.data, raw.headers or {}, raw.metadata.num_delivered or 1)

    def fact(self) -> Fact | None:
        """The parsed fact, or None when this release does not know its class; raises ValidationError on nonsense."""
        known = fact_class(self.subject)
        return None if known is None else known.model_validate_json(self.body)


class Consumer:
    """One durable consumer of one service: inbox, order, effect and dead letters around plain functions.

    `effects` maps fact classes to functions that act in the transaction they are given. With `in_order` each
    entity's facts are handed over in the order of their versions whatever order they come in; without it the
    effect itself must not care.
    """

    def __init__(
        self,
        durable: str,
        database: Database,
        effects: Mapping[type[Fact], Effect],
        *,
        ids: Ids,
        in_order: bool,
    ) -> None:
        self.durable = durable
        self.database = database
        self._effects = effects
        self._ids = ids
        self._in_order = in_order

    async def take_in(self, fact: Fact) -> str:
        """Act on a fact unless that has been done: inbox row, version and effect commit together or not at all."""
        async with self.database.transaction() as session:
            return await self.act(session, fact)

    async def act(self, session: AsyncSession, fact: Fact) -> str:
        """Act on a fact unless that has been done, in the caller's transaction."""
        if not await once(session, fact.id, self.durable):
            return "repeated"
        if not self._in_order:
            await self._effects[type(fact)](session, fact)
            return "done"
        return await self._take_turn(session, fact)

    async def _take_turn(self, session: AsyncSession, fact: Fact) -> str:
        turn = await turn_of(session, fact, self.durable)
        if turn is not Turn.ACT:
            return str(turn.value)
        following: Fact | None = fact
        while following is not None:
            await self._effects[type(following)](session, following)
            following = await self._unparked(session, following)
        return "done"

    async def _unparked(self, session: AsyncSession, fact: Fact) -> Fact | None:
        parked = await next_parked(session, fact, self.durable)
        if parked is None:
            return None
        following = Delivery(parked[0], parked[1].encode(), {}, 1).fact()
        if following is not None:
            await turn_of(session, following, self.durable)
        return following

    async def handle(self, raw: Msg) -> None:
        """Take in one message and tell the server what became of it."""
        delivery = Delivery.of(raw)
        context = extract(delivery.headers)
        started = time.perf_counter()
        with tracer.start_as_current_span(
            f"take in {self.durable}", context=context, kind=SpanKind.CONSUMER
        ) as span:
            span.set_attribute("messaging.destination.name", delivery.subject)
            try:
                outcome = await self._try(delivery)
            except Exception as error:  # noqa: BLE001  # the edge: ends in exactly one of nak and dead letter
                span.record_exception(error)
                outcome = await self._failed(raw, delivery, error)
            else:
                await raw.ack()
        telemetry.FACT_TIME.labels(self.durable).observe(time.perf_counter() - started)
        telemetry.FACTS.labels(self.durable, outcome).inc()

    async def _try(self, delivery: Delivery) -> str:
        fact = delivery.fact()
        if fact is None or type(fact) not in self._effects:
            return "unknown"
        delay = (datetime.now(UTC) - fact.occurred_at).total_seconds()
        telemetry.FACT_DELAY.labels(self.durable).observe(max(delay, 0.0))
        return await self.take_in(fact)

    async def _failed(self, raw: Msg, delivery: Delivery, error: Exception) -> str:
        hopeless = isinstance(error, ValidationError) or (
            isinstance(error, FociError) and not isinstance(error, Unavailable)
        )
        # While the database is away nothing can be kept as a dead letter, and it is not the fact's fault:
        # wait, however long.
        away = is_passing(error) and not isinstance(error, Unavailable)
        if away or (not hopeless and delivery.attempt < ATTEMPTS):
            log.warning(
                "fact not taken in; again later",
                consumer=self.durable,
                attempt=delivery.attempt,
                error=repr(error),
            )
            await raw.nak(delay=delay_after(min(delivery.attempt, ATTEMPTS)))
            return "retried"
        try:
            await self._bury(delivery, error)
        except Exception as unburied:  # noqa: BLE001  # the dead letter must be kept before the message may go
            log.warning("dead letter not kept; again later", consumer=self.durable, error=repr(unburied))
            await raw.nak(delay=LONGEST_DELAY)
            return "retried"
        log.error("fact given up", consumer=self.durable, subject=delivery.subject, error=repr(error))
        await raw.term()
        return "dead"

    async def _bury(self, delivery: Delivery, error: Exception) -> None:
        fact_id = delivery.headers.get("Nats-Msg-Id")
        async with self.database.transaction() as session:
            await dead_letters.keep(
                session,
                id=self._ids(),
                consumer=self.durable,
                fact_id=UUID(fact_id) if fact_id else None,
                subject=delivery.subject,
                headers=delivery.headers,
                body=delivery.body.decode("utf-8", "replace"),
                reason=f"{type(error).__name__}: {error}",
                attempts=delivery.attempt,
            )

    def subscribe(self, broker: NatsBroker, user: str) -> None:
        """Bind to the durable consumer; one message at a time, so a stop finishes what it has begun."""
        declared = streams.consumer(self.durable)

        @broker.subscriber(
            ">",
            durable=self.durable,
            stream=JStream(declared.stream, declare=False),
            pull_sub=PullSub(batch_size=1, timeout=IDLE_FETCH),
            ack_policy=AckPolicy.MANUAL,
            inbox_prefix=own_inbox(user) + b".",
        )
        async def on_message(message: NatsMessage) -> None:
            await self.handle(message.raw_message)


class BatchConsumer(Consumer):
    """Takes in many facts in one transaction; for projections, whose effect re-reads what the facts point to.

    When a batch fails, its facts are taken in one by one, so that one bad fact does not stop the others.
    """

    def __init__(
        self, durable: str, database: Database, facts: Sequence[type[Fact]], effect: BatchEffect, *, ids: Ids
    ) -> None:
        async def one(session: AsyncSession, fact: Fact) -> None:
            await effect(session, [fact])

        super().__init__(durable, database, dict.fromkeys(facts, one), ids=ids, in_order=False)
        self._effect = effect

    async def take_in_batch(self, facts: Sequence[Fact]) -> int:
        """Act on those facts that are new, in one transaction; how many were."""
        async with self.database.transaction() as session:
            new = await once_each(session, [fact.id for fact in facts], self.durable)
            fresh = [fact for fact in facts if fact.id in new]
            if fresh:
                await self._effect(session, fresh)
            return len(fresh)

    async def handle_batch(self, batch: Sequence[Msg]) -> None:
        """Take in a batch of messages and tell the server what became of each."""
        started = time.perf_counter()
        try:
            facts = [fact for raw in batch if (fact := Delivery.of(raw).fact()) is not None]
            with tracer.start_as_current_span(
                f"take in {self.durable}",
                kind=SpanKind.CONSUMER,
                # A batch has many causes: it continues the first one's trace and links to the others.
                context=extract(batch[0].headers),
                links=[trace.Link(_cause(raw)) for raw in batch[1:]],
            ):
                done = await self.take_in_batch(facts)
        except Exception as error:  # noqa: BLE001  # one by one from here: `handle` decides about each
            log.warning("batch failed; taking its facts one by one", consumer=self.durable, error=repr(error))
            for raw in batch:
                await self.handle(raw)
            return
        for raw in batch:
            await raw.ack()
        telemetry.FACT_TIME.labels(self.durable).observe(time.perf_counter() - started)
        telemetry.FACTS.labels(self.durable, "done").inc(done)
        telemetry.FACTS.labels(self.durable, "repeated").inc(len(batch) - done)

    def subscribe(self, broker: NatsBroker, user: str) -> None:
        """Bind to the durable consumer in batches."""
        declared = streams.consumer(self.durable)

        @broker.subscriber(
            ">",
            durable=self.durable,
            stream=JStream(declared.stream, declare=False),
            pull_sub=PullSub(batch_size=BATCH, timeout=BATCH_WAIT, batch=True),
            ack_policy=AckPolicy.MANUAL,
            inbox_prefix=own_inbox(user) + b".",
        )
        async def on_batch(message: NatsMessage) -> None:
            await self.handle_batch(message.raw_message)  # type: ignore[arg-type]


def _cause(raw: Msg) -> trace.SpanContext:
    return trace.get_current_span(extract(raw.headers)).get_span_context()
