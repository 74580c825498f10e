"""A subscriber of the BOOKING stream in a process of its own: notes when each fact arrives."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path

from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from deploy.local.probes import connect_once
from shared.contracts.users import ADMIN, inbox_prefix


async def listen(url: str, seed: str) -> list[tuple[str, int]]:
    """Id and arrival (nanoseconds since 1970) of every fact until SIGTERM."""
    client = await connect_once(url, inbox_prefix=inbox_prefix(ADMIN), nkeys_seed_str=seed)
    arrivals: list[tuple[str, int]] = []

    async def on_fact(message: Msg) -> None:
        arrivals.append(((message.headers or {}).get("Nats-Msg-Id", ""), time.time_ns()))

    inbox = client.new_inbox()
    await client.subscribe(inbox, cb=on_fact)
    wanted = ConsumerConfig(
        deliver_subject=inbox,
        deliver_policy=DeliverPolicy.NEW,
        ack_policy=AckPolicy.NONE,
        inactive_threshold=60,
    )
    await client.jetstream().add_consumer("BOOKING", wanted)
    asked_to_stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked_to_stop.set)
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    await asked_to_stop.wait()
    await client.close()
    return arrivals


if __name__ == "__main__":
    heard = asyncio.run(listen(sys.argv[1], sys.stdin.readline().strip()))
    Path(sys.argv[2]).write_text("".join(f"{fact} {at}\n" for fact, at in heard))
