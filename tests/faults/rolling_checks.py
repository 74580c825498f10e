"""After a rolling change: every fact of every service reached its stream, soon; nothing waits; each was told once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from pathlib import Path

import asyncpg
import nats.errors
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.client import JetStreamContext

from shared.contracts.streams import stream_of
from tests.faults.arena import Arena
from tests.faults.waiting import comes_true

STOOD_STILL_S = 5.0
"""How long facts may stand still while the relay's lock changes hands."""
TOLD_WITHIN_S = 90.0
_OUTBOX = "SELECT fact_id::text, stated_at, by_release FROM outbox WHERE stream = $1 AND stated_at > $2"
_WRONG = """
    SELECT format('%s has parked %s', consumer, subject) AS it FROM parked_fact
    UNION ALL SELECT format('%s has given up %s: %s', consumer, subject, reason) FROM dead_letter
"""
# What is to be said soon is gathered for some seconds; reminders are days away, or somebody else's of before.
_UNTOLD = """
    SELECT (SELECT count(*) FROM notice WHERE message IS NULL AND digest IS NULL
                AND due_at < now() + interval '2 minutes' AND first_at > $1)
           + (SELECT count(*) FROM message WHERE channel = 'email' AND sent_at IS NULL AND failed_at IS NULL)
"""


@dataclass
class Standing:
    """One service's facts."""

    stated: Counter[str] = field(default_factory=Counter)
    """How many, by the release that stated them."""
    repeated: int = 0
    slowest: float = 0.0
    """Seconds from stating to the stream."""
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        by = ", ".join(f"{count} by the release {name}" for name, count in sorted(self.stated.items()))
        return f"{by}; {self.repeated} repeated in the stream; there within {self.slowest:.2f} s"

    @staticmethod
    def mails(folder: Path, signed_up: Iterable[tuple[str, str]]) -> list[str]:
        """What is wrong with the mails: a Message-ID twice, or somebody who was not told once of each place they have."""
        read = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in folder.glob("*.eml")]
        twice = [name for name, times in Counter(str(one["Message-ID"]) for one in read).items() if times > 1]
        wrong = [f"mail {name} was sent twice" for name in twice]
        told = Counter((one["X-Envelope-To"], str(one["Subject"])) for one in read)
        for email, title in signed_up:
            times = told[email, f"You have a place at “{title}”"]
            if times != 1:
                wrong.append(f"{email} was told {times} times of the place at {title}")
        return wrong


async def losses(arena: Arena, service: str, since: datetime) -> Standing:
    """What the service has stated since then against its stream, and what is left over in its database."""
    found = Standing()
    database, client = await asyncpg.connect(arena.database(service)), await arena.connect_as_witness()
    try:
        if service == "notify":

            async def told() -> bool:
                return bool(await database.fetchval(_UNTOLD, since) == 0)

            if not await comes_true(told, within=TOLD_WITHIN_S):
                found.wrong.append("notices are due and not sent")
        rows = {row["fact_id"]: row for row in await database.fetch(_OUTBOX, stream_of(service), since)}
        arrived = await _arrivals(client.jetstream(timeout=5), stream_of(service))
        found.stated = Counter(row["by_release"] for row in rows.values())
        found.repeated = sum(len(times) - 1 for name, times in arrived.items() if name in rows)
        for fact_id, row in rows.items():
            if fact_id not in arrived:
                found.wrong.append(f"{service}'s fact {fact_id} is not in the stream")
            else:
                found.slowest = max(found.slowest, (arrived[fact_id][0] - row["stated_at"]).total_seconds())
        found.wrong += [f"{service}: {row['it']}" for row in await database.fetch(_WRONG)]
    finally:
        await database.close()
        await client.close()
    if found.slowest > STOOD_STILL_S:
        found.wrong.append(f"a fact of {service} stood still for {found.slowest:.1f} s")
    return found


async def _arrivals(js: JetStreamContext, stream: str) -> dict[str, list[datetime]]:
    """When each fact came into the stream."""
    config = ConsumerConfig(
        ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL, inactive_threshold=30, mem_storage=True
    )
    subscription = await js.pull_subscribe("", stream=stream, config=config)
    arrived: dict[str, list[datetime]] = {}
    try:
        while (await subscription.consumer_info()).num_pending:
            try:
                for message in await subscription.fetch(500, timeout=2):
                    name = (message.headers or {}).get("Nats-Msg-Id", "").partition("+")[0]
                    arrived.setdefault(name, []).append(message.metadata.timestamp)
            except nats.errors.TimeoutError:
                continue
    finally:
        await subscription.unsubscribe()
    return arrived
