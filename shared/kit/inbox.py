"""Taking in a fact once, and in its entity's order, in the transaction that acts on it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Fact, Snapshot


class Turn(Enum):
    """What to do with a fact, by its place in the entity's history."""

    ACT = "act"
    DROP = "drop"
    PARK = "park"


_ONCE = text("""
    INSERT INTO inbox (consumer, fact_id) VALUES (:consumer, :fact_id) ON CONFLICT DO NOTHING RETURNING fact_id
""")
_ONCE_MANY = text("""
    INSERT INTO inbox (consumer, fact_id) SELECT :consumer, unnest(CAST(:fact_ids AS uuid[]))
    ON CONFLICT DO NOTHING RETURNING fact_id
""")
_HEARD = text(
    "SELECT version FROM heard_version WHERE consumer = :consumer AND subject = :subject FOR UPDATE"
)
# The lock also covers the entity nobody has heard of yet, where there is no row to lock.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:consumer || ' ' || :subject, 1))")
_HEAR = text("""
    INSERT INTO heard_version (consumer, subject, version) VALUES (:consumer, :subject, :version)
    ON CONFLICT (consumer, subject) DO UPDATE SET version = excluded.version
""")
_PARK = text("""
    INSERT INTO parked_fact (consumer, subject, version, nats_subject, body)
    VALUES (:consumer, :subject, :version, :nats_subject, :body) ON CONFLICT DO NOTHING
""")
_UNPARK = text("""
    DELETE FROM parked_fact WHERE consumer = :consumer AND subject = :subject AND version = :version
    RETURNING nats_subject, body
""")
_FORGET = text(
    "DELETE FROM parked_fact WHERE consumer = :consumer AND subject = :subject AND version <= :version"
)


async def once(session: AsyncSession, fact_id: UUID, consumer: str) -> bool:
    """True the first time; the row lives and dies with the caller's transaction, that is, with the effect."""
    seen = await session.execute(_ONCE, {"consumer": consumer, "fact_id": fact_id})
    return seen.first() is not None


async def once_each(session: AsyncSession, fact_ids: Sequence[UUID], consumer: str) -> set[UUID]:
    """Those of the ids that are new to the consumer."""
    seen = await session.execute(_ONCE_MANY, {"consumer": consumer, "fact_ids": list(fact_ids)})
    return set(seen.scalars())


async def turn_of(session: AsyncSession, fact: Fact, consumer: str) -> Turn:
    """Whether it is this fact's turn; acting moves the entity's version on.

    The stream's order is not the order per entity: transactions of different replicas commit and are relayed
    as they come. `subject_version` is, so older facts are dropped and newer ones parked until the gap closes.
    A snapshot may jump ahead: it says everything the facts before it said.
    """
    named = {"consumer": consumer, "subject": f"{fact.hub}/{fact.subject}"}
    await session.execute(_LOCK, named)
    heard = (await session.execute(_HEARD, named)).scalar() or 0
    if fact.subject_version <= heard:
        return Turn.DROP
    if fact.subject_version > heard + 1 and not isinstance(fact, Snapshot):
        parked = named | {
            "version": fact.subject_version,
            "nats_subject": fact.subject_for(fact.hub),
            "body": fact.model_dump_json(),
        }
        await session.execute(_PARK, parked)
        return Turn.PARK
    await session.execute(_HEAR, named | {"version": fact.subject_version})
    if isinstance(fact, Snapshot):
        await session.execute(_FORGET, named | {"version": fact.subject_version})
    return Turn.ACT


async def next_parked(session: AsyncSession, fact: Fact, consumer: str) -> tuple[str, str] | None:
    """The parked fact that follows `fact`, taken out of the parking: its NATS subject and its body."""
    following = {
        "consumer": consumer,
        "subject": f"{fact.hub}/{fact.subject}",
        "version": fact.subject_version + 1,
    }
    row = (await session.execute(_UNPARK, following)).first()
    return None if row is None else (row.nats_subject, row.body)
