"""Hearing a whole stream in order without a durable consumer: from a place on, and from there again after any interruption."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StreamInfo

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


class Lost(Exception):
    """The consumer or the connection has gone, or a message is missing: go on from the last that was heard."""


@dataclass
class Place:
    """How far a stream has been heard. A stream that was made again is another one."""

    made_at: datetime | None
    sequence: int

    def goes_on_in(self, info: StreamInfo, back: int) -> bool:
        """Whether every message after this one is still, or not yet, in the stream, and not more than `back` of them if given."""
        state = info.state
        if back and state.last_seq - self.sequence > back:
            return False
        return self.made_at == info.created and state.first_seq - 1 <= self.sequence <= state.last_seq


class Listener(Protocol):
    """Who hears. Each function may be called again after it has failed, and must then do all of it."""

    async def begin(self, place: Place, waiting: int) -> None:
        """Everything after `place` is heard from now on, beginning with `waiting` messages that are there already.

        Called at first, and again when what was missed is not in the stream any more, or is more than is gone back for.
        """

    async def hear(self, messages: Sequence[Msg]) -> None:
        """The next messages; they may have been heard before."""

    async def look(self) -> None:
        """Once a minute."""


@dataclass(frozen=True)
class Source:
    """What is heard: of which stream, who asks for it, and where to begin."""

    stream: str
    subjects: str
    listener: str
    """The NATS user, for the consumer's name."""
    back: int = 0
    """Begin so many messages before the end, and anew when more than that have been missed: whoever keeps no more would only
    have them wait in memory, without bound."""
    latest: bool = False
    """Begin with the latest message of each subject."""


class Arrivals:
    """Messages that have arrived. A queue waited for with a time-out takes twice as long for each, and all replicas hear all."""

    def __init__(self) -> None:
        self._messages: deque[Msg] = deque()
        self._waiting: asyncio.Future[None] | None = None

    async def put(self, message: Msg) -> None:
        """One more."""
        self._messages.append(message)
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def some(self) -> list[Msg]:
        """What has arrived, or arrives soon."""
        if not self._messages:
            loop = asyncio.get_running_loop()
            self._waiting = loop.create_future()
            glance = loop.call_later(GLANCE_S, self._wake)
            try:
                await self._waiting
            finally:
                glance.cancel()
        return [self._messages.popleft() for _ in range(min(len(self._messages), MOST_AT_ONCE))]


class Ordered:
    """One ordered consumer for as long as it works, and then the next, from where the last one was.

    The consumer is made before `begin`, so what happens meanwhile is heard after it. Nothing is acknowledged: order and
    completeness are counted here, by the consumer's own sequence and what its heartbeats say of it.
    """

    def __init__(self, nc: Client, source: Source, listener: Listener) -> None:
        self._nc = nc
        self._source = source
        self._listener = listener
        self._place: Place | None = None
        self._last_word = time.monotonic()

    @property
    def silence_s(self) -> float:
        """Seconds since something was heard, a heartbeat at least; since the beginning when nothing was yet."""
        return time.monotonic() - self._last_word

    async def run(self) -> None:
        """Hear for ever; ends only when cancelled."""
        pause = FIRST_PAUSE_S
        while True:
            before = self._place
            try:
                await self._follow()
            except (Lost, NatsError, OSError, TimeoutError) as error:
                log.warning("not following; going on soon", stream=self._source.stream, error=error)
            except Exception as error:  # noqa: BLE001  # memory is no truth: what went wrong in it is mended by beginning anew
                if not is_passing(error):
                    self._place = None
                log.warning("cannot follow; trying again", stream=self._source.stream, error=error)
            moved = self._place is not None and self._place is not before
            pause = FIRST_PAUSE_S if moved else min(pause * 2, LONGEST_PAUSE_S)
            await asyncio.sleep(pause)

    async def _follow(self) -> None:
        source = self._source
        info = await self._nc.jetstream(timeout=2).stream_info(source.stream)
        goes_on = self._place is not None and self._place.goes_on_in(info, source.back)
        place = _beginning(info, source)
        if goes_on and self._place is not None:
            place.sequence = self._place.sequence
        connection = self._nc.stats["reconnects"]
        arrived = Arrivals()
        inbox = self._nc.new_inbox()
        subscription = await self._nc.subscribe(inbox, cb=arrived.put)
        try:
            waiting = await self._consume(
                inbox, None if source.latest and not goes_on else place.sequence + 1
            )
            if not goes_on:
                if not waiting:
                    place.sequence = info.state.last_seq
                await self._listener.begin(place, waiting)
                log.info("following", stream=source.stream, after=place.sequence, waiting=waiting)
            self._place = place
            await self._hear(arrived, place, connection)
        finally:
            with contextlib.suppress(NatsError, OSError):
                await subscription.unsubscribe()

    async def _consume(self, inbox: str, start: int | None) -> int:
        """The server makes the consumer, and forgets it when nobody listens any more; how much waits in it."""
        policy = DeliverPolicy.LAST_PER_SUBJECT if start is None else DeliverPolicy.BY_START_SEQUENCE
        config = ConsumerConfig(
            # With a name, the library puts the filter into the subject it asks on, where permissions see it.
            name=f"{self._source.listener}__follows_{inbox.rpartition('.')[2]}",
            deliver_subject=inbox,
            filter_subject=self._source.subjects,
            deliver_policy=policy,
            opt_start_seq=start,
            ack_policy=AckPolicy.NONE,
            idle_heartbeat=HEARTBEAT_S,
            inactive_threshold=SILENCE_S,
            num_replicas=1,
            mem_storage=True,
        )
        made = await self._nc.jetstream(timeout=2).add_consumer(self._source.stream, config)
        # What it has sent while it was being made waits no more for the server, but still for us.
        sent = made.delivered.consumer_seq if made.delivered is not None else 0
        return (made.num_pending or 0) + sent

    async def _hear(self, arrived: Arrivals, place: Place, connection: int) -> None:
        """Hear on; Lost when something is missing."""
        clock = asyncio.get_running_loop().time
        heard, last_word, last_look = 0, clock(), clock()
        while True:
            messages = await arrived.some()
            if self._nc.stats["reconnects"] != connection:
                raise Lost("the connection was another one")
            if messages:
                told, heard, sequence = _in_order(messages, heard, place.sequence)
                if told:
                    await self._listener.hear(told)
                place.sequence = sequence
                last_word = clock()
                self._last_word = time.monotonic()
            elif clock() - last_word > SILENCE_S:
                raise Lost("nothing heard, not even a heartbeat")
            if clock() - last_look > LOOK_EVERY_S:
                await self._listener.look()
                last_look = clock()


def _beginning(info: StreamInfo, source: Source) -> Place:
    state = info.state
    if source.latest:
        return Place(info.created, max(state.first_seq - 1, 0))
    return Place(info.created, max(state.last_seq - source.back, state.first_seq - 1, 0))


def _in_order(messages: Sequence[Msg], heard: int, sequence: int) -> tuple[list[Msg], int, int]:
    """What is no heartbeat among them, the consumer's count, the stream's sequence; Lost when one is missing."""
    told = []
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
        told.append(message)
    return told, heard, sequence
