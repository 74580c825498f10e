"""Claiming what is due, so that whoever sends has it to themselves for a while."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.queries.states import Key
from services.notify.rules.differences import Item
from shared.contracts.notify.words import About, Channel, Pace

CLAIM_FOR = timedelta(seconds=30)
"""So long somebody may take to decide; afterwards another takes over."""
MOST_NOTICES, MOST_DIGESTS, MOST_AGAIN = 400, 50, 50

# One at a time, all replicas together: a claim that began before another one had been committed would lock that one's rows
# too, only to find that they are not due any more, and whoever has them would find them locked and let them lie.
_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('notify claims', 0))")
# While a message about the same is on its way, what came after it waits: it may be told once that has arrived.
_NOTICES = text("""
    WITH due AS (
        SELECT n.id FROM notice n
        WHERE n.message IS NULL AND n.digest IS NULL AND n.due_at <= :now
          AND (n.claimed_until IS NULL OR n.claimed_until <= :now)
          AND NOT EXISTS (SELECT 1 FROM notice sent WHERE sent.message IS NOT NULL AND sent.person = n.person
                          AND sent.about = n.about AND sent.thing = n.thing AND sent.channel = n.channel)
        ORDER BY n.due_at, n.id LIMIT :most FOR UPDATE OF n SKIP LOCKED
    )
    UPDATE notice n SET claimed_until = :until FROM due WHERE n.id = due.id
    RETURNING n.id, n.person, n.hub, n.about, n.thing, n.channel, n.due_at, n.first_at,
              n.attempts, n.trace
""")
_DIGESTS = text("""
    WITH due AS (
        SELECT person, hub, channel, pace FROM digest
        WHERE due_at <= :now AND (claimed_until IS NULL OR claimed_until <= :now)
        ORDER BY due_at, person LIMIT :most FOR UPDATE SKIP LOCKED
    )
    UPDATE digest d SET claimed_until = :until FROM due
    WHERE (d.person, d.hub, d.channel, d.pace) = (due.person, due.hub, due.channel, due.pace)
    RETURNING d.person, d.hub, d.channel, d.pace, d.due_at
""")
# Nobody has said what became of these, and whoever sent them has had their time.
_AGAIN = text("""
    WITH due AS (
        SELECT id FROM message WHERE sent_at IS NULL AND failed_at IS NULL AND claimed_until <= :now
        ORDER BY claimed_until LIMIT :most FOR UPDATE SKIP LOCKED
    )
    UPDATE message m SET claimed_until = :until, attempts = m.attempts + 1 FROM due WHERE m.id = due.id
    RETURNING m.id, m.person, m.hub, m.items, m.created_at, m.attempts, m.trace
""")
_NEXT = text("""
    SELECT least(
        (SELECT min(due_at) FROM notice WHERE message IS NULL AND digest IS NULL),
        (SELECT min(due_at) FROM digest),
        (SELECT min(claimed_until) FROM message WHERE sent_at IS NULL AND failed_at IS NULL)
    )
""")
_GIVE_UP_NOTICES = text("""
    UPDATE notice SET claimed_until = NULL, due_at = greatest(due_at, :later)
    WHERE id = ANY(:ids) AND claimed_until = :until
""")
_GIVE_UP_DIGESTS = text("""
    UPDATE digest SET claimed_until = NULL, due_at = greatest(due_at, :later)
    WHERE claimed_until = :until AND person = ANY(:people)
""")
_GIVE_UP_AGAIN = text("""
    UPDATE message SET claimed_until = :later, attempts = attempts - 1
    WHERE id = ANY(:ids) AND claimed_until = :until AND sent_at IS NULL AND failed_at IS NULL
""")


class Notice(NamedTuple):
    """Look at this thing for this person, over this channel."""

    id: UUID
    person: UUID
    hub: str
    about: About
    thing: UUID
    channel: Channel
    due_at: datetime
    first_at: datetime
    attempts: int
    trace: str | None = None

    @property
    def key(self) -> Key:
        """What it is about."""
        return Key(self.person, self.about, self.thing)

    @classmethod
    def of(cls, row: Any) -> Notice:
        """From a row."""
        return cls(
            id=row.id,
            person=row.person,
            hub=row.hub,
            about=About(row.about),
            thing=row.thing,
            channel=Channel(row.channel),
            due_at=row.due_at,
            first_at=row.first_at,
            attempts=row.attempts,
            trace=row.trace,
        )


class Digest(NamedTuple):
    """A digest that is due."""

    person: UUID
    hub: str
    channel: Channel
    pace: Pace
    due_at: datetime


@dataclass(frozen=True)
class Frozen:
    """A message as it was made; it is sent like this however often it is."""

    id: UUID
    person: UUID
    hub: str
    items: tuple[Item, ...]
    created_at: datetime
    attempts: int
    trace: str | None = None


@dataclass(frozen=True)
class Claim:
    """What one round has to itself until `until`, which is also the mark that says so."""

    until: datetime
    notices: tuple[Notice, ...]
    digests: tuple[Digest, ...]
    again: tuple[Frozen, ...]

    def __len__(self) -> int:
        return len(self.notices) + len(self.digests) + len(self.again)

    @property
    def people(self) -> frozenset[tuple[str, UUID]]:
        """Whose contacts are needed, and where."""
        parts: tuple[Sequence[Any], ...] = (self.notices, self.digests, self.again)
        return frozenset((one.hub, one.person) for part in parts for one in part)


def items_from(known: Sequence[Mapping[str, Any]]) -> tuple[Item, ...]:
    """The items of a message, from their JSON values."""
    return tuple(Item.from_json(one) for one in known)


async def claim(session: AsyncSession, *, now: datetime) -> Claim:
    """Take what is due, the longest due first."""
    until = now + CLAIM_FOR
    asked = {"now": now, "until": until}
    await session.execute(_TURN)
    notices = await session.execute(_NOTICES, asked | {"most": MOST_NOTICES})
    digests = await session.execute(_DIGESTS, asked | {"most": MOST_DIGESTS})
    again = await session.execute(_AGAIN, asked | {"most": MOST_AGAIN})
    return Claim(
        until=until,
        notices=tuple(Notice.of(row) for row in notices),
        digests=tuple(
            Digest(row.person, row.hub, Channel(row.channel), Pace(row.pace), row.due_at) for row in digests
        ),
        again=tuple(
            Frozen(
                row.id,
                row.person,
                row.hub,
                items_from(row.items),
                row.created_at,
                row.attempts,
                row.trace,
            )
            for row in again
        ),
    )


async def give_up(session: AsyncSession, claimed: Claim, *, later: datetime) -> None:
    """Leave all of it to whoever looks at `later`: nothing could be decided."""
    asked = {"until": claimed.until, "later": later}
    if claimed.notices:
        await session.execute(_GIVE_UP_NOTICES, asked | {"ids": sorted(one.id for one in claimed.notices)})
    if claimed.digests:
        people = sorted({one.person for one in claimed.digests})
        await session.execute(_GIVE_UP_DIGESTS, asked | {"people": people})
    if claimed.again:
        await session.execute(_GIVE_UP_AGAIN, asked | {"ids": sorted(one.id for one in claimed.again)})


async def next_due(session: AsyncSession) -> datetime | None:
    """When the next of them is due; None when nothing waits."""
    due_at: datetime | None = (await session.execute(_NEXT)).scalar()
    return due_at
