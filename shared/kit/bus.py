"""Facts in: hands each fact to its consumer exactly once in effect, and decides what becomes of one that fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from faststream.nats.security import NatsNKey, NatsSecurity
from nats.aio.msg import Msg
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts import streams
from shared.contracts.base import Fact
from shared.kit import dead_letters, pulling, telemetry
from shared.kit.causes import causing
from shared.kit.database import Database
from shared.kit.delivery import Delivery, FromALaterRelease
from shared.kit.errors import Conflict, Forbidden, Invalid, NotFound
from shared.kit.failures import said
from shared.kit.ids import Ids
from shared.kit.inbox import Turn, forget_parked, once, once_each, take_follower, take_turn
from shared.kit.nats import Closed, connect_options, own_inbox
from shared.kit.pulling import BATCH, IDLE_FETCH
from shared.kit.settings import ProcessSettings
from shared.kit.telemetry import logger
from shared.kit.tracing import extract, failed, is_recorded, recording, span

log = logger(__name__)
tracer = trace.get_tracer("foci.bus")

Effect = Callable[[AsyncSession, Any], Awaitable[None]]
BatchEffect = Callable[[AsyncSession, Sequence[Any]], Awaitable[None]]
Concerns = Callable[[AsyncSession, Collection[str]], Awaitable[Collection[str]]]
"""Which of these hubs' facts matter to the consumer now."""

ATTEMPTS = 8
"""A fact that has failed so often becomes a dead letter; with growing delays that is after about two minutes."""
FIRST_DELAY = 0.5
LONGEST_DELAY = 60.0
LONGEST_AWAY = 5.0
"""Seconds: the database being away is nobody's fault, and once it is back a fact that was tried often meanwhile is not late."""
LATER_ATTEMPTS = 600
LATER_DELAY = 3.0
"""Seconds before a fact that only a later release hears is offered again, to whichever replica: half an hour in all. After
that nobody is changing the release any more, and it becomes a dead letter, which that release can replay."""
GATHER = 0.02
"""Seconds in which what comes after the first fact of a batch belongs to it: those of one transaction come one by one."""
BREATH = 0.13
"""Seconds between two batches: a batch costs what thirty facts do, and no projection is looked at so often."""


def make_broker(settings: ProcessSettings, user: str, closed: Closed | None = None) -> NatsBroker:
    """The FastStream broker of a service; it connects when started."""
    pulling.lose_nothing()
    options = connect_options(settings, user)
    seed, tls = options.pop("nkeys_seed_str", None), options.pop("tls", None)

    async def on_reconnect() -> None:
        await pulling.ask_again(broker)

    broker = NatsBroker(
        settings.nats_servers,
        inbox_prefix=own_inbox(user),
        logger=None,
        security=NatsNKey.from_seed(seed, ssl_context=tls) if seed else NatsSecurity(ssl_context=tls),
        reconnected_cb=on_reconnect,
        closed_cb=closed.note if closed else None,
        apply_types=False,  # it would look for what the one parameter is called in a thread, for every message
        **options,
    )
    return broker


async def _as_it_came(message: NatsMessage) -> Any:
    """Unread: `Delivery` reads it, and FastStream by itself would, too."""
    return message.raw_message


def delay_after(attempt: int) -> float:
    """Seconds to wait after the n-th failure: doubling from half a second, at most a minute."""
    doubled: float = FIRST_DELAY * 2 ** min(attempt - 1, 16)
    return min(doubled, LONGEST_DELAY)


class FollowerFailed(Exception):
    """A parked fact could not be taken in when its turn came; the cause is chained."""

    def __init__(self, subject: str, body: str) -> None:
        super().__init__(subject)
        self.subject = subject
        self.body = body


HOPELESS = (NotFound, Conflict, Forbidden, Invalid)
"""Kinds of error that will be the same at every try."""


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

    async def take_in(self, fact: Fact, body: str | None = None) -> str:
        """Act on a fact unless that has been done: inbox row, version, effect commit together or not at all."""
        async with self.database.transaction() as session:
            outcome, following = await self._act(session, fact, body)
        while following:
            async with self.database.transaction() as session:
                following = await self.follow(session, fact)
        return outcome

    async def act(self, session: AsyncSession, fact: Fact, body: str | None = None) -> str:
        """Act on a fact unless that has been done, in the caller's transaction; what became of it, in a word.

        `body` is what came: if the fact has to wait, a later release may be the one that takes it up again.
        """
        outcome, _ = await self._act(session, fact, body)
        return outcome

    async def _act(self, session: AsyncSession, fact: Fact, body: str | None) -> tuple[str, bool]:
        """What became of it, and whether a parked fact has its turn now."""
        if self._in_order:
            turn, follows = await take_turn(session, fact, self.durable, body)
        else:
            turn, follows = Turn.ACT if await once(session, fact.id, self.durable) else Turn.REPEATED, False
        if turn is not Turn.ACT:
            return str(turn.value), follows
        await self._effects[type(fact)](session, fact)
        return "done", follows

    async def follow(self, session: AsyncSession, fact: Fact) -> bool:
        """Act on the parked fact of the same entity whose turn has come; False when there is none.

        What goes wrong with it is FollowerFailed: the fact before it is not to blame and keeps its effect.
        """
        parked = await take_follower(session, fact, self.durable)
        if parked is None:
            return False
        subject, body = parked
        try:
            following = self.known(Delivery(subject, body.encode(), {}, 1))
            if following is not None:
                await self.act(session, following, body)
        except Exception as error:
            raise FollowerFailed(subject, body) from error
        return True

    async def handle(self, raw: Msg) -> str:
        """Take in one message and tell the server what became of it."""
        delivery = Delivery.of(raw)
        started = time.perf_counter()
        with span(
            tracer, f"take in {self.durable}", context=extract(delivery.headers), kind=SpanKind.CONSUMER
        ) as current:
            current.set_attribute("messaging.destination.name", delivery.subject)
            try:
                outcome = await self._try(delivery)
            except Exception as error:  # noqa: BLE001  # the edge: ends in exactly one of nak and dead letter
                failed(current, error)
                outcome = await self._failed(raw, delivery, error)
            else:
                await raw.ack()
        telemetry.FACT_TIME.labels(self.durable).observe(time.perf_counter() - started)
        telemetry.FACTS.labels(self.durable, outcome).inc()
        return outcome

    def known(self, delivery: Delivery) -> Fact | None:
        """The fact, or None when the consumer has nothing to do with it; FromALaterRelease when a later one's has."""
        fact = delivery.fact()
        if fact is not None and type(fact) in self._effects:
            return fact
        if not delivery.is_declared_for(self.durable):
            raise FromALaterRelease(f"{self.durable} hears nothing on {delivery.subject} in this release.")
        return None

    def _hears(self, delivery: Delivery) -> Fact | None:
        fact = self.known(delivery)
        if fact is None:
            return None
        delay = (datetime.now(UTC) - fact.occurred_at).total_seconds()
        telemetry.FACT_DELAY.labels(self.durable).observe(max(delay, 0.0))
        return fact

    async def _try(self, delivery: Delivery) -> str:
        fact = self._hears(delivery)
        return "unknown" if fact is None else await self.take_in(fact, delivery.text)

    async def _failed(self, raw: Msg, delivery: Delivery, error: Exception) -> str:
        """Again later, or a dead letter: one that nobody can keep now is one for later."""
        cause: BaseException = error
        if isinstance(error, FollowerFailed):
            cause = error.__cause__ or error
            delivery = Delivery(error.subject, error.body.encode(), {}, delivery.attempt)
        if isinstance(cause, FromALaterRelease) and delivery.attempt <= LATER_ATTEMPTS:
            log.info("left to a later release", consumer=self.durable, subject=delivery.subject)
            await raw.nak(delay=LATER_DELAY)
            return "later"
        try:
            async with self.database.transaction() as session:
                attempts = await self._give_up_or_count(session, delivery, cause)
        except Exception as away:  # noqa: BLE001  # failures that cannot be counted are not the fact's fault
            log.warning("database is away; again later", consumer=self.durable, error=away)
            await raw.nak(delay=min(delay_after(delivery.attempt), LONGEST_AWAY))
            return "away"
        if attempts is not None:
            log.warning(
                "fact not taken in; again later", consumer=self.durable, attempt=attempts, error=cause
            )
            await raw.nak(delay=delay_after(attempts))
            return "retried"
        log.error("fact given up", consumer=self.durable, subject=delivery.subject, error=cause)
        if error is cause:
            await raw.respond(f"+TERM {type(cause).__name__}".encode())
        else:
            # The message itself has had its effect; it was the parked fact after it that is given up.
            await raw.ack()
        return "dead"

    async def _give_up_or_count(
        self, session: AsyncSession, delivery: Delivery, cause: BaseException
    ) -> int | None:
        """The number of failures so far, or None when they have been enough and the dead letter is kept."""
        # Counted here and not by the server: its count grows while the database is away, too.
        attempts = await dead_letters.count_failure(session, self.durable, delivery.key)
        if attempts < ATTEMPTS and not isinstance(cause, HOPELESS):
            return attempts
        await self.bury(session, delivery, cause, attempts)
        return None

    async def bury(
        self, session: AsyncSession, delivery: Delivery, cause: BaseException, attempts: int
    ) -> None:
        """Keep a dead letter, in the caller's transaction, and forget the fact if it was parked."""
        await dead_letters.keep(
            session,
            id=self._ids(),
            consumer=self.durable,
            fact_id=delivery.fact_id,
            subject=delivery.subject,
            headers=delivery.headers,
            body=delivery.text,
            reason=said(cause),
            attempts=attempts,
        )
        await forget_parked(session, self.durable, delivery.subject, delivery.text)

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
            decoder=_as_it_came,
        )
        async def on_message(raw: Msg) -> None:
            await self.handle(raw)


class BatchConsumer(Consumer):
    """Takes in many facts in one transaction; for projections, whose effect re-reads what the facts point to.

    When a batch fails, its facts are taken in one by one, so that one bad fact does not stop the others. With `concerns`
    only facts of the hubs it names are looked at; those of the others are not even read.
    """

    def __init__(
        self,
        durable: str,
        database: Database,
        facts: Sequence[type[Fact]],
        effect: BatchEffect,
        *,
        ids: Ids,
        concerns: Concerns | None = None,
    ) -> None:
        async def one(session: AsyncSession, fact: Fact) -> None:
            await effect(session, [fact])

        super().__init__(durable, database, dict.fromkeys(facts, one), ids=ids, in_order=False)
        self._effect = effect
        self._concerns = concerns

    async def take_in_batch(self, facts: Sequence[Fact]) -> int:
        """Act on those facts that are new, in one transaction; how many were."""
        async with self.database.transaction() as session:
            by_id = {fact.id: fact for fact in facts}  # the same fact may be in it twice
            new = await once_each(session, list(by_id), self.durable)
            fresh = [fact for fact in by_id.values() if fact.id in new]
            if fresh:
                await self._effect(session, fresh)
            return len(fresh)

    async def handle_batch(self, batch: Sequence[Msg]) -> None:
        """Take in a batch of messages and tell the server what became of each."""
        started = time.perf_counter()
        try:
            concerned = await self._concerned(batch)
            heard = [
                (fact, raw.headers)
                for raw in concerned
                if (fact := self._hears(Delivery.of(raw))) is not None
            ]
            facts = [fact for fact, _ in heard]
            # A batch has many causes: it continues the first recorded one's trace and links to the others.
            recorded = [raw.headers for raw in batch if is_recorded(raw.headers)]
            with (
                recording(
                    tracer,
                    f"take in {self.durable}",
                    kind=SpanKind.CONSUMER,
                    context=extract(recorded[0] if recorded else batch[0].headers),
                    links=[trace.Link(_cause(headers)) for headers in recorded[1:]],
                ),
                causing(heard),
            ):
                done = await self.take_in_batch(facts) if facts else 0
        except Exception as error:  # noqa: BLE001  # one by one from here: `handle` decides about each
            log.warning("batch failed; taking its facts one by one", consumer=self.durable, error=error)
            await self._one_by_one(batch)
            return
        for raw in batch:
            await raw.ack()
        telemetry.FACT_TIME.labels(self.durable).observe(time.perf_counter() - started)
        telemetry.FACTS.labels(self.durable, "done").inc(done)
        telemetry.FACTS.labels(self.durable, "repeated").inc(len(facts) - done)
        telemetry.FACTS.labels(self.durable, "unknown").inc(len(batch) - len(facts))

    async def _concerned(self, batch: Sequence[Msg]) -> Sequence[Msg]:
        if self._concerns is None:
            return batch
        async with self.database.reading() as session:
            hubs = await self._concerns(session, {_hub_of(raw) for raw in batch})
        return [raw for raw in batch if _hub_of(raw) in hubs]

    async def _one_by_one(self, batch: Sequence[Msg]) -> None:
        away = False
        for raw in batch:
            if away:
                # Each would wait for the same database until the last have been delivered a second time.
                await raw.nak(delay=FIRST_DELAY)
            else:
                away = await self.handle(raw) == "away"

    def subscribe(self, broker: NatsBroker, user: str) -> None:
        """Bind to the durable consumer in batches."""
        declared = streams.consumer(self.durable)

        @broker.subscriber(
            ">",
            durable=self.durable,
            stream=JStream(declared.stream, declare=False),
            pull_sub=PullSub(batch_size=BATCH, timeout=GATHER, batch=True),
            ack_policy=AckPolicy.MANUAL,
            inbox_prefix=own_inbox(user) + b".",
            decoder=_as_it_came,
        )
        async def on_batch(batch: Sequence[Msg]) -> None:
            await self.handle_batch(batch)
            await asyncio.sleep(BREATH)


def _hub_of(raw: Msg) -> str:
    return str(raw.subject).split(".", 2)[1]


def _cause(headers: Mapping[str, str] | None) -> trace.SpanContext:
    return trace.get_current_span(extract(headers)).get_span_context()
