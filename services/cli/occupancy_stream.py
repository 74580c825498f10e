"""Following the OCCUPANCY stream as an operator's system does: the latest of each space first, then every change."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, DeliverPolicy
from pydantic import BaseModel

from deploy.local.probes import connect_once
from services.cli.cell import connect, settings
from shared.contracts.streams import OCCUPANCY

HEARTBEAT_S = 5.0
SILENCE_S = 15
"""So many seconds without a word, heartbeats included, means the connection or the consumer is gone."""


class Credentials(BaseModel):
    """What `foci operator-credentials` writes: all an operator's own system needs to know."""

    url: str
    seed: str
    inbox_prefix: str
    stream: str = OCCUPANCY
    subjects: tuple[str, ...] = ("occupancy.>",)


class Lost(Exception):
    """The connection or the consumer has gone; a new one starts with the figures as they are."""


async def follow(
    credentials: Credentials | None, subjects: tuple[str, ...]
) -> AsyncGenerator[tuple[bytes | None, bool], None]:
    """Each message, with whether the snapshot is complete; Lost when the connection or a consumer has gone.

    The first item has no message, so that a hub without figures is not waited for.
    """
    client = await _connect(credentials)
    arrived: asyncio.Queue[Msg] = asyncio.Queue()
    made: list[ConsumerInfo] = []
    try:
        for subject in subjects:
            made.append(await _consume(client, subject, arrived))  # noqa: PERF401  # forgotten even if the next fails
        unfinished = {info.name for info in made if not _is_empty(info)}
        yield None, not unfinished
        while True:
            message = await _next(client, arrived)
            if message.headers and "Status" in message.headers:
                continue  # a heartbeat
            if message.metadata.num_pending == 0:
                unfinished.discard(message.metadata.consumer)
            yield message.data, not unfinished
    finally:
        if client.is_connected:
            for info in made:
                await _forget(client, info)
        await client.close()


async def _next(client: Client, arrived: asyncio.Queue[Msg]) -> Msg:
    """The next message; Lost as soon as it is clear that none will come."""
    for _ in range(SILENCE_S):
        try:
            return await asyncio.wait_for(arrived.get(), 1)
        except TimeoutError:
            if not client.is_connected:
                raise Lost("the connection has gone") from None
    raise Lost("nothing heard, not even a heartbeat")


async def _connect(credentials: Credentials | None) -> Client:
    if credentials is None:
        return await connect(settings())
    return await connect_once(
        credentials.url, nkeys_seed_str=credentials.seed, inbox_prefix=credentials.inbox_prefix
    )


async def _consume(client: Client, subject: str, arrived: asyncio.Queue[Msg]) -> ConsumerInfo:
    """Start an ephemeral consumer; the filter stands in the request's subject, where permissions see it."""
    inbox = client.new_inbox()
    await client.subscribe(inbox, cb=arrived.put)
    config = ConsumerConfig(
        name=f"watch-{secrets.token_hex(8)}",
        deliver_policy=DeliverPolicy.LAST_PER_SUBJECT,
        ack_policy=AckPolicy.NONE,
        filter_subject=subject,
        deliver_subject=inbox,
        idle_heartbeat=HEARTBEAT_S,
        inactive_threshold=SILENCE_S * 2,
        mem_storage=True,
        num_replicas=1,
    )
    return await client.jetstream(timeout=5).add_consumer(OCCUPANCY, config)


async def _forget(client: Client, info: ConsumerInfo) -> None:
    """Leave nothing behind; the server would forget it by itself after a while."""
    with contextlib.suppress(NatsError, TimeoutError):
        await client.jetstream(timeout=1).delete_consumer(info.stream_name, info.name)


def _is_empty(info: ConsumerInfo) -> bool:
    sent = info.delivered.consumer_seq if info.delivered else 0
    return not info.num_pending and not sent
