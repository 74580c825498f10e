"""Facts in, of every service, for the hubs whose operators have their own systems told."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands.deliveries import hand_on
from services.notify.queries.webhooks import listening
from shared.contracts.base import Fact
from shared.contracts.streams import CONSUMERS, facts_heard_by
from shared.kit.bus import BatchConsumer
from shared.kit.database import Database
from shared.kit.ids import Clock, Ids

HANDS_ON = "notify__hands_on_"


def hands_on(database: Database, *, clock: Clock, ids: Ids) -> tuple[BatchConsumer, ...]:
    """One consumer per stream that makes messages to webhooks of its facts, in whatever order they come."""

    async def effect(session: AsyncSession, facts: Sequence[Fact]) -> None:
        await hand_on(session, facts, now=clock(), ids=ids)

    return tuple(
        BatchConsumer(one.durable, database, facts_heard_by(one.durable), effect, ids=ids, concerns=listening)
        for one in CONSUMERS
        if one.durable.startswith(HANDS_ON)
    )
