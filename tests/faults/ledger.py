"""For tests.faults.start: a service that only writes down each fact it is handed, to see what is done twice."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import asyncpg
from pydantic_settings import SettingsConfigDict
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts import streams
from shared.contracts.base import Fact
from shared.contracts.catalogue import FACTS
from shared.kit import schema
from shared.kit.bus import BatchConsumer, Consumer
from shared.kit.ids import new_id, utc_now
from shared.kit.process import DataService, run
from shared.kit.settings import ServiceSettings

SERVICE = "ledger"
IN_TURN = "ledger__in_turn"
IN_BATCHES = "ledger__in_batches"
DECLARED = tuple(
    streams.Consumer(
        durable, streams.stream_of("booking"), tuple(fact.subject_for("*") for fact in FACTS["booking"])
    )
    for durable in (IN_TURN, IN_BATCHES)
)
# No unique constraint: an effect that happens twice shall show.
TABLE = """
    CREATE TABLE ledger (
        entry bigint GENERATED ALWAYS AS IDENTITY,
        consumer text NOT NULL,
        fact_id uuid NOT NULL,
        hub text NOT NULL,
        fact text NOT NULL,
        subject text NOT NULL,
        version int NOT NULL
    )
"""
_WRITE = text("""
    INSERT INTO ledger (consumer, fact_id, hub, fact, subject, version)
    VALUES (:consumer, :fact_id, :hub, :fact, :subject, :version)
""")


class Settings(ServiceSettings):
    """Settings with the prefix LEDGER_."""

    model_config = SettingsConfigDict(env_prefix="LEDGER_", frozen=True, extra="ignore")


async def make_tables(url: str) -> None:
    """The kit's tables and the ledger, in an empty database; one that was brought back has them."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(url)
    try:
        if await connection.fetchval("SELECT to_regclass('ledger')") is not None:
            return
        async with connection.transaction():
            for statement in (*schema.V1, TABLE):
                await connection.execute(statement)
    finally:
        await connection.close()


async def write_down(session: AsyncSession, facts: Sequence[Fact], *, consumer: str) -> None:
    """The effect: one row per fact."""
    for fact in facts:
        entry = {
            "consumer": consumer,
            "fact_id": fact.id,
            "hub": fact.hub,
            "fact": fact.fact,
            "subject": fact.subject,
            "version": fact.subject_version,
        }
        await session.execute(_WRITE, entry)


async def _one(session: AsyncSession, fact: Fact) -> None:
    await write_down(session, [fact], consumer=IN_TURN)


def serve() -> None:
    """Run until told to stop."""
    streams.CONSUMERS = (*streams.CONSUMERS, *DECLARED)
    settings = Settings()

    async def parts(stack: AsyncExitStack, service: DataService) -> None:
        heard = FACTS["booking"]
        service.consumes(
            Consumer(IN_TURN, service.database, dict.fromkeys(heard, _one), ids=new_id, in_order=True),
            BatchConsumer(
                IN_BATCHES, service.database, heard, partial(write_down, consumer=IN_BATCHES), ids=new_id
            ),
        )
        await service.start(stack)

    run(SERVICE, settings, parts, clock=utc_now)


main = serve
