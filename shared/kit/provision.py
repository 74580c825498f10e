"""Makes the JetStream server match what the contracts declare; running it again changes nothing."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any, Literal

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError
from pydantic_settings import SettingsConfigDict

from shared.contracts.streams import CONSUMERS, STREAMS, Consumer, Stream
from shared.contracts.users import ADMIN
from shared.kit.nats import connect
from shared.kit.settings import ProcessSettings, from_environment

DUPLICATE_WINDOW_S = 120


class AdminSettings(ProcessSettings):
    """Connection of the user that may create streams and consumers."""

    model_config = SettingsConfigDict(env_prefix="ADMIN_", frozen=True, extra="ignore")

    stream_replicas: Literal[1, 3, 5] = 1
    """Copies of each stream, on as many nodes; 3 in production."""


def stream_config(stream: Stream, replicas: int) -> StreamConfig:
    """The JetStream configuration of a declared stream."""
    return StreamConfig(
        name=stream.name,
        subjects=list(stream.subjects),
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD,
        max_age=stream.max_age.total_seconds(),
        max_msgs_per_subject=1 if stream.latest_only else -1,
        duplicate_window=DUPLICATE_WINDOW_S,
        num_replicas=replicas,
        no_ack=stream.no_ack,
        allow_atomic=not stream.no_ack,
        deny_delete=False,
    )


def consumer_config(consumer: Consumer) -> ConsumerConfig:
    """The JetStream configuration of a declared consumer; deliveries never run out, giving up is ours to decide."""
    return ConsumerConfig(
        durable_name=consumer.durable,
        name=consumer.durable,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=consumer.ack_wait.total_seconds(),
        max_deliver=-1,
        max_ack_pending=consumer.max_ack_pending,
        filter_subjects=list(consumer.filters),
    )


def _differences(wanted: Any, found: Any, fields: tuple[str, ...]) -> list[str]:
    return [field for field in fields if (getattr(wanted, field) or None) != (getattr(found, field) or None)]


_STREAM_FIELDS = (
    "subjects",
    "max_age",
    "max_msgs_per_subject",
    "duplicate_window",
    "num_replicas",
    "allow_atomic",
)
_CONSUMER_FIELDS = ("ack_wait", "max_deliver", "max_ack_pending", "filter_subjects")


async def _apply_stream(js: JetStreamContext, wanted: StreamConfig) -> str | None:
    try:
        found = (await js.stream_info(str(wanted.name))).config
    except NotFoundError:
        await js.add_stream(wanted)
        return f"made stream {wanted.name}"
    changed = _differences(wanted, found, _STREAM_FIELDS)
    if not changed:
        return None
    await js.update_stream(wanted)
    return f"changed stream {wanted.name}: {', '.join(changed)}"


async def _apply_consumer(js: JetStreamContext, stream: str, wanted: ConsumerConfig) -> str | None:
    try:
        found = (await js.consumer_info(stream, str(wanted.durable_name))).config
    except NotFoundError:
        await js.add_consumer(stream, wanted)
        return f"made consumer {wanted.durable_name}"
    changed = _differences(wanted, found, _CONSUMER_FIELDS)
    if not changed:
        return None
    await js.add_consumer(stream, wanted)
    return f"changed consumer {wanted.durable_name}: {', '.join(changed)}"


async def provision(nc: Client, *, replicas: int = 1) -> list[str]:
    """Create and change streams and consumers as declared; what was done, in words. Nothing is ever deleted."""
    js = nc.jetstream(timeout=10)
    done = [await _apply_stream(js, stream_config(stream, replicas)) for stream in STREAMS]
    done += [await _apply_consumer(js, consumer.stream, consumer_config(consumer)) for consumer in CONSUMERS]
    return [line for line in done if line is not None]


async def _main(replicas: int | None) -> None:
    settings = from_environment(AdminSettings)
    nc = await connect(settings, ADMIN)
    try:
        for line in await provision(nc, replicas=replicas or settings.stream_replicas):
            print(line)  # noqa: T201  # a command: what it did is its output
    finally:
        await nc.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the JetStream server match the contracts.")
    parser.add_argument(
        "--replicas", type=int, help="copies of each stream, instead of ADMIN_STREAM_REPLICAS"
    )
    asyncio.run(_main(parser.parse_args().replicas))
