"""The links people are sent, made from the facts at once: what stands in the mails, without waiting for mail."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, DeliverPolicy

from shared.contracts.events.facts import PlaceOfferedV1, PlaceTakenV1, SignUpPendingV1
from shared.contracts.links import LinkPurpose
from shared.contracts.streams import stream_of
from shared.kit.links import Link, sign_link

STREAM = stream_of("events")
FOLLOWED = (SignUpPendingV1, PlaceTakenV1, PlaceOfferedV1)
HEARTBEAT_S = 5.0
SILENCE_S = 15
"""So many seconds without a word, heartbeats included, means the connection or the consumer is gone."""
AGAIN_S = 1.0

Followed = SignUpPendingV1 | PlaceTakenV1 | PlaceOfferedV1


class Lost(Exception):
    """The connection or the consumer has gone; the next one goes on where this one was."""


@dataclass
class Links:
    """Follows the sign-ups of a cell from now on; each link comes once, also when the bus goes away in between."""

    key: Ed25519PrivateKey
    cell: str
    base_url: str
    last: int | None = None
    """The last message seen, by its number in the stream."""

    async def begin(self, nats: Client) -> None:
        """What is stated from now on is followed, whenever the following itself begins."""
        newest = (await nats.jetstream(timeout=5).stream_info(STREAM)).state.last_seq
        # A stream that was made anew counts from the beginning again.
        self.last = newest if self.last is None else min(self.last, newest)

    async def follow(self, nats: Client) -> AsyncGenerator[str]:
        """A line for each link somebody would be sent; Lost or a NATS error when the bus has gone."""
        arrived: asyncio.Queue[Msg] = asyncio.Queue()
        consumer = await self._consume(nats, arrived)
        try:
            while True:
                message = await _next(nats, arrived)
                if message.headers and "Status" in message.headers:
                    continue  # a heartbeat
                self.last = message.metadata.sequence.stream
                for line in self.lines(_fact_in(message)):
                    yield line
        finally:
            if nats.is_connected:
                # The server would forget it by itself after a while.
                with contextlib.suppress(NatsError, TimeoutError):
                    await nats.jetstream(timeout=1).delete_consumer(STREAM, consumer.name)

    def lines(self, fact: Followed) -> Iterator[str]:
        """What the person the fact is about would be sent: whose, what for, until when, and the address."""
        until = fact.start if isinstance(fact, PlaceTakenV1) else fact.until
        for purpose in _purposes(fact):
            link = Link(
                purpose,
                fact.hub,
                fact.person,
                event=fact.event,
                sign_up=UUID(fact.subject),
                version=fact.subject_version,
            )
            url = f"{self.base_url}/v1/links/{sign_link(link, until, self.key, self.cell)}"
            yield f"{purpose.value} sign-up {fact.subject} in {fact.hub} until {_short(until)}: {url}"

    async def _consume(self, nats: Client, arrived: asyncio.Queue[Msg]) -> ConsumerInfo:
        await self.begin(nats)
        inbox = nats.new_inbox()
        await nats.subscribe(inbox, cb=arrived.put)
        config = ConsumerConfig(
            name=f"links-{secrets.token_hex(8)}",
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=(self.last or 0) + 1,
            ack_policy=AckPolicy.NONE,
            filter_subjects=[fact.subject_for("*") for fact in FOLLOWED],
            deliver_subject=inbox,
            idle_heartbeat=HEARTBEAT_S,
            inactive_threshold=SILENCE_S * 2,
            mem_storage=True,
            num_replicas=1,
        )
        return await nats.jetstream(timeout=5).add_consumer(STREAM, config)


def _purposes(fact: Followed) -> tuple[LinkPurpose, ...]:
    if isinstance(fact, SignUpPendingV1):
        return (LinkPurpose.CONFIRM,)
    if isinstance(fact, PlaceOfferedV1):
        return (LinkPurpose.ACCEPT, LinkPurpose.DECLINE)
    # Members give their places back where they have signed in; guests have nothing but their links.
    return (LinkPurpose.LEAVE,) if fact.guest else ()


def _fact_in(message: Msg) -> Followed:
    name = message.subject.split(".")[3]
    [kind] = (kind for kind in FOLLOWED if kind.fact == name)
    return kind.model_validate_json(message.data)


def _short(moment: datetime) -> str:
    return moment.astimezone().isoformat(timespec="minutes")


def _cancelled() -> bool:
    """Whether this task has been told to end.

    It must be asked for: before Python 3.12 `asyncio.wait_for`, which nats-py waits with, forgets a cancellation that
    comes together with the result.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _next(nats: Client, arrived: asyncio.Queue[Msg]) -> Msg:
    """The next message; Lost as soon as it is clear that none will come."""
    for _ in range(SILENCE_S):
        if _cancelled():
            raise asyncio.CancelledError
        try:
            return await asyncio.wait_for(arrived.get(), 1)
        except TimeoutError:
            if not nats.is_connected:
                raise Lost("the connection has gone") from None
    raise Lost("nothing heard, not even a heartbeat")
