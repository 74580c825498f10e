"""Secret calendar addresses: made, and revoked."""

from __future__ import annotations

import random
from base64 import urlsafe_b64encode
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands.loading import hub_of
from services.events.queries.calendars import secret_hash
from services.events.tables import Feed
from shared.kit.errors import Conflict, NotFound
from shared.kit.ids import Ids

SECRET_BYTES = 32
MOST_FEEDS = 50
"""Addresses one person has at a time."""


async def make(
    session: AsyncSession,
    hub: str,
    person: UUID,
    everywhere: bool,
    *,
    now: datetime,
    ids: Ids,
    chance: random.Random,
) -> tuple[Feed, str]:
    """A new address and its secret, of which only the hash is kept.

    NotFound where there is no such hub, Conflict for the one who has too many addresses already.
    """
    await hub_of(session, hub)
    mine = select(func.count()).where(Feed.person == person, Feed.revoked_at.is_(None))
    if (await session.scalar(mine) or 0) >= MOST_FEEDS:
        raise Conflict(f"You have {MOST_FEEDS} calendar addresses. Revoke one you do not use.")
    secret = urlsafe_b64encode(chance.randbytes(SECRET_BYTES)).decode().rstrip("=")
    feed = Feed(
        id=ids(),
        hub=hub,
        person=person,
        secret_hash=secret_hash(secret),
        everywhere=everywhere,
        made_at=now,
        revoked_at=None,
    )
    session.add(feed)
    await session.flush()
    return feed, secret


async def revoke(session: AsyncSession, feed: UUID, person: UUID, *, now: datetime) -> Feed:
    """From now on the address answers nobody; twice changes nothing. NotFound unless it is one's own."""
    found = await session.get(Feed, feed, with_for_update=True)
    if found is None or found.person != person:
        raise NotFound("This is none of your calendar addresses.")
    found.revoked_at = found.revoked_at or now
    return found
