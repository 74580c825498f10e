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
    REPEATED = "repeated"


_ONCE = text("""
    INSERT INTO inbox (consumer, fact_id) VALUES (:consumer, :fact_id) ON CONFLICT DO NOTHING RETURNING fact_id
""")
_ONCE_MANY = text("""
    INSERT INTO inbox (consumer, fact_id) SELECT :consumer, unnest(CAST(:fact_ids AS uuid[]))
    ON CONFLICT DO NOTHING RETURNING fact_id
""")
# It also covers the entity nobody has heard of yet, where there is no row to lock.
_ITS_LOCK = "pg_advisory_xact_lock(hashtextextended(:consumer || ' ' || :subject, 1))"
_ONCE_LOCKED = text(f"""
    INSERT INTO inbox (consumer, fact_id) VALUES (:consumer, :fact_id) ON CONFLICT DO NOTHING RETURNING {_ITS_LOCK}
""")  # noqa: S608  # a constant
_LOCK = text(f"SELECT {_ITS_LOCK}")
# A statement of its own: it sees what was committed while the one before it waited for the lock.
_HEAR = text("""
    INSERT INTO heard_version AS heard (consumer, subject, version)
    SELECT :consumer, :subject, CAST(:version AS bigint)
    WHERE :version = 1 OR CAST(:whole AS boolean)
       OR EXISTS (SELECT FROM heard_version WHERE consumer = :consumer AND subject = :subject)
    ON CONFLICT (consumer, subject) DO UPDATE SET version = excluded.version
    WHERE heard.version = excluded.version - 1 OR (:whole AND heard.version < excluded.version)
    RETURNING EXISTS (
        SELECT FROM parked_fact WHERE consumer = :consumer AND subject = :subject AND version = :version + 1)
""")
_HEARD_SO_FAR = text("SELECT version FROM heard_version WHERE consumer = :consumer AND subject = :subject")
_PARK = text("""
    INSERT INTO parked_fact (consumer, subject, version, nats_subject, body)
    VALUES (:consumer, :subject, :version, :nats_subject, :body) ON CONFLICT DO NOTHING
""")
_FOLLOWER = text("""
    SELECT 1 FROM parked_fact p JOIN heard_version h USING (consumer, subject)
    WHERE consumer = :consumer AND subject = :subject AND p.version = h.version + 1
""")
_UNPARK = text("""
    DELETE FROM parked_fact p USING heard_version h
    WHERE p.consumer = :consumer AND p.subject = :subject
      AND h.consumer = p.consumer AND h.subject = p.subject AND p.version = h.version + 1
    RETURNING p.nats_subject, p.body, CAST(p.body AS jsonb) ->> 'id' AS fact_id
""")
_UNHEAR = text("DELETE FROM inbox WHERE consumer = :consumer AND fact_id = CAST(:fact_id AS uuid)")
_FORGET_BODY = text("""
    DELETE FROM parked_fact WHERE consumer = :consumer AND nats_subject = :nats_subject AND body = :body
    RETURNING CAST(body AS jsonb) ->> 'id'
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


async def take_turn(
    session: AsyncSession, fact: Fact, consumer: str, body: str | None = None
) -> tuple[Turn, bool]:
    """Whether it is this fact's turn, and whether a parked fact of its entity has the next; acting moves the version on.

    The stream's order is not the order per entity: transactions of different replicas commit and are relayed
    as they come. `subject_version` is, so older facts are dropped and newer ones parked until the gap closes.
    A snapshot may jump ahead: it says everything the facts before it said. What is parked is the `body` as it came: this
    release may not know all of its fields, and the one that unparks it may. Nearly every fact comes once and in turn, and
    costs two statements.
    """
    named = {"consumer": consumer, "subject": f"{fact.hub}/{fact.subject}"}
    turn, follows = Turn.REPEATED, None
    if (await session.execute(_ONCE_LOCKED, named | {"fact_id": fact.id})).first() is not None:
        version, whole = fact.subject_version, isinstance(fact, Snapshot)
        follows = (await session.execute(_HEAR, named | {"version": version, "whole": whole})).scalar()
        turn = Turn.ACT if follows is not None else await _too_early_or_late(session, fact, named, body)
        if turn is Turn.ACT and whole:
            await session.execute(_FORGET, named | {"version": version})
    if follows is None:
        # Whoever took it in before may have died before those behind it had their turn.
        follows = (await session.execute(_FOLLOWER, named)).first() is not None
    return turn, follows


async def _too_early_or_late(
    session: AsyncSession, fact: Fact, named: dict[str, str], body: str | None
) -> Turn:
    heard = (await session.execute(_HEARD_SO_FAR, named)).scalar() or 0
    if fact.subject_version <= heard:
        return Turn.DROP
    parked = named | {
        "version": fact.subject_version,
        "nats_subject": fact.subject_for(fact.hub),
        "body": body or fact.model_dump_json(),
    }
    await session.execute(_PARK, parked)
    return Turn.PARK


async def heard_so_far(session: AsyncSession, consumer: str, hub: str, subject: str) -> int:
    """The version of the latest fact about an entity that the consumer's order has let pass; 0 for none."""
    named = {"consumer": consumer, "subject": f"{hub}/{subject}"}
    return (await session.execute(_HEARD_SO_FAR, named)).scalar() or 0


async def take_follower(session: AsyncSession, fact: Fact, consumer: str) -> tuple[str, str] | None:
    """Take the parked fact whose turn it is out of the parking: its NATS subject and its body."""
    named = {"consumer": consumer, "subject": f"{fact.hub}/{fact.subject}"}
    await session.execute(_LOCK, named)
    row = (await session.execute(_UNPARK, named)).first()
    if row is None:
        return None
    # It has been noted as heard when it was parked; now it is to be heard in earnest.
    await session.execute(_UNHEAR, {"consumer": consumer, "fact_id": row.fact_id})
    return row.nats_subject, row.body


async def forget_parked(session: AsyncSession, consumer: str, nats_subject: str, body: str) -> None:
    """A fact that has become a dead letter waits no longer, and has not been heard: a replay must act."""
    parked = {"consumer": consumer, "nats_subject": nats_subject, "body": body}
    for fact_id in (await session.execute(_FORGET_BODY, parked)).scalars().all():
        await session.execute(_UNHEAR, {"consumer": consumer, "fact_id": fact_id})
