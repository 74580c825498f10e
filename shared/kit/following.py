"""Keeping something in memory like the tables: a replica builds it, then hears every fact of its own service's stream."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StreamInfo

from shared.contracts.access import follows
from shared.contracts.base import Fact
from shared.contracts.streams import stream_of
from shared.kit.delivery import Delivery, Unreadable
from shared.kit.errors import is_passing
from shared.kit.telemetry import logger

log = logger(__name__)

HEARTBEAT_S = 2.0
SILENCE_S = 3 * HEARTBEAT_S
"""So long without a word, heartbeats included, means the consumer is gone."""
GLANCE_S = 0.5
MOST_AT_ONCE = 500
LOOK_EVERY_S = 60.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 15.0


class NotBuilt(Exception):
    """What the service answers from is not in memory yet."""


class Lost(Exception):
    """The consumer or the connection has gone, or a message is missing: go on from the last that was heard."""


class Followed(Protocol):
    """What is kept in memory. Each function may be called again after it has failed, and must then do all of it."""

    async def build(self) -> None:
        """Read everything anew, in place of what is there. Facts stated from before it began are heard afterwards."""

    async def hear(self, facts: Sequence[Fact]) -> None:
        """Read again what these facts are about; it may have been heard before, and may be newer than they are."""

    async def look(self) -> None:
        """Once a minute: read again what no fact tells of, such as what time alone has changed."""


@dataclass
class _Place:
    """How far a stream has been heard. A stream that was made again is another one."""

    made_at: datetime | None
    sequence: int

    def goes_on_in(self, info: StreamInfo) -> bool:
        """Whether every message after this one is still, or not yet, in the stream."""
        state = info.state
        return self.made_at == info.created and state.first_seq - 1 <= self.sequence <= state.last_seq


class Follower:
    """One ordered consumer for as long as it works, and then the next, from where the last one was.

    The consumer is made before the first build, so what happens during the build is heard after it. Nothing is
    acknowledged: order and completeness are counted here, by the consumer's own sequence and what its heartbeats say of
    it. When the stream no longer has what was missed, everything is built anew.
    """

    def __init__(self, nc: Client, service: str, followed: Followed) -> None:
        self._nc = nc
        self._service = service
        self._followed = followed
        self._place: _Place | None = None
        self._built = asyncio.Event()

    def kick(self) -> None:
        """Nothing to do: what was committed is heard of when the relay has stated it."""

    async def stop(self) -> None:
        """Nothing to finish: it only reads."""

    async def ready(self) -> None:
        """Raise NotBuilt until the first build is done."""
        if not self._built.is_set():
            raise NotBuilt

    async def built(self) -> None:
        """Return when the first build is done."""
        await self._built.wait()

    async def run(self) -> None:
        """Follow for ever; ends only when cancelled."""
        pause = FIRST_PAUSE_S
        while True:
            before = self._place
            try:
                await self._follow()
            except (Lost, NatsError, OSError, TimeoutError) as error:
                log.warning("not following; going on soon", service=self._service, error=repr(error))
            except Exception as error:  # noqa: BLE001  # memory is no truth: what went wrong in it is mended by building anew
                if not is_passing(error):
                    self._place = None
                log.warning("cannot follow; trying again", service=self._service, error=repr(error))
            moved = self._place is not None and self._place is not before
            pause = FIRST_PAUSE_S if moved else min(pause * 2, LONGEST_PAUSE_S)
            await asyncio.sleep(pause)

    async def _follow(self) -> None:
        info = await self._nc.jetstream(timeout=2).stream_info(stream_of(self._service))
        goes_on = self._place is not None and self._place.goes_on_in(info)
        place = _Place(info.created, info.state.last_seq)
        if goes_on and self._place is not None:
            place.sequence = self._place.sequence
        connection = self._nc.stats["reconnects"]
        arrived: asyncio.Queue[Msg] = asyncio.Queue()
        inbox = self._nc.new_inbox()
        subscription = await self._nc.subscribe(inbox, cb=arrived.put)
        try:
            await self._consume(inbox, place.sequence + 1)
            if not goes_on:
                await self._followed.build()
                log.info("built", service=self._service, up_to=place.sequence)
            self._place = place
            self._built.set()
            await self._hear(arrived, place, connection)
        finally:
            with contextlib.suppress(NatsError, OSError):
                await subscription.unsubscribe()

    async def _consume(self, inbox: str, start: int) -> None:
        """The server makes the consumer, and forgets it when nobody listens any more."""
        config = ConsumerConfig(
            # With a name, the library puts the filter into the subject it asks on, where permissions see it.
            name=f"{self._service}__follows_{inbox.rpartition('.')[2]}",
            deliver_subject=inbox,
            filter_subject=follows(self._service),
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=start,
            ack_policy=AckPolicy.NONE,
            idle_heartbeat=HEARTBEAT_S,
            inactive_threshold=SILENCE_S,
            num_replicas=1,
            mem_storage=True,
        )
        await self._nc.jetstream(timeout=2).add_consumer(stream_of(self._service), config)

    async def _hear(self, arrived: asyncio.Queue[Msg], place: _Place, connection: int) -> None:
        """Hear on; Lost when something is missing."""
        clock = asyncio.get_running_loop().time
        heard, last_word, last_look = 0, clock(), clock()
        while True:
            messages = await _some(arrived)
            if self._nc.stats["reconnects"] != connection:
                raise Lost("the connection was another one")
            if messages:
                last_word = clock()
                facts, heard, sequence = _in_order(messages, heard, place.sequence)
                if facts:
                    await self._followed.hear(facts)
                place.sequence = sequence
            elif clock() - last_word > SILENCE_S:
                raise Lost("nothing heard, not even a heartbeat")
            if clock() - last_look > LOOK_EVERY_S:
                await self._followed.look()
                last_look = clock()


async def _some(arrived: asyncio.Queue[Msg]) -> list[Msg]:
    """What has arrived, or arrives soon."""
    try:
        messages = [await asyncio.wait_for(arrived.get(), GLANCE_S)]
    except TimeoutError:
        return []
    while not arrived.empty() and len(messages) < MOST_AT_ONCE:
        messages.append(arrived.get_nowait())
    return messages


def _in_order(messages: Sequence[Msg], heard: int, sequence: int) -> tuple[list[Fact], int, int]:
    """The facts among them, the consumer's count, the stream's sequence; Lost when one is missing."""
    facts = []
    for message in messages:
        headers = message.headers or {}
        if "Status" in headers:
            if int(headers.get("Nats-Last-Consumer", heard)) != heard:
                raise Lost("a message has not arrived")
            continue
        of = message.metadata.sequence
        if of.consumer != heard + 1:
            raise Lost("a message is missing")
        heard, sequence = of.consumer, of.stream
        try:
            fact = Delivery.of(message).fact()
        except Unreadable as error:
            log.warning("a fact of our own cannot be read", subject=message.subject, error=repr(error))
            continue
        if fact is not None:
            facts.append(fact)
    return facts, heard, sequence
