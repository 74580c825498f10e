"""Leaving a hub: what was opened to its people is closed."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.introductions import withdraw_unseen
from services.matching.commands.stating import state_consent
from shared.contracts.directory.facts import MemberJoinedV1, MemberLeftV1
from shared.contracts.matching.facts import ConsentWithdrawnV1
from shared.kit.ids import Ids
from shared.kit.timers import set_timer

ERASE = "erase"
"""Kind of the timer; its key is the person's id."""
KEPT_FOR = timedelta(days=30)
"""So long the profile of somebody who belongs to no hub any more is kept, shown to nobody: they may be moving."""

# The version of a membership is the only order: a leaving heard after the next joining closes what was opened before it.
_CLOSE = text("""
    UPDATE consent SET withdrawn_at = :now FROM profile p
    WHERE consent.person = p.person AND coalesce(p.kept_by, p.person) = :person AND consent.hub = :hub
      AND consent.withdrawn_at IS NULL AND consent.membership < :version
    RETURNING consent.person
""")
_COUNT_UP = text("UPDATE profile SET version = version + 1, changed_at = :now WHERE person = ANY(:people)")
_PROFILES = text(
    "SELECT person FROM profile WHERE person = :person OR kept_by = :person ORDER BY person FOR UPDATE"
)


async def end_stay(
    session: AsyncSession, fact: MemberJoinedV1 | MemberLeftV1, *, now: datetime, ids: Ids
) -> None:
    """End consents of the stay at a hub that was over before this fact; one that is gone for good is erased in time."""
    known = {"person": fact.person, "hub": fact.hub, "version": fact.subject_version, "now": now}
    closed: list[UUID] = sorted((await session.execute(_CLOSE, known)).scalars())
    if closed:
        await session.execute(_COUNT_UP, {"people": closed, "now": now})
        for person in closed:
            await state_consent(session, ConsentWithdrawnV1, person, fact.hub, now=now, ids=ids)
    if not isinstance(fact, MemberLeftV1):
        return
    profiles = (await session.execute(_PROFILES, known)).scalars().all()
    if profiles:
        # Who belongs nowhere is not shown others either.
        await withdraw_unseen(session, profiles, now=now, ids=ids)
        await set_timer(session, ERASE, str(fact.person), fact.occurred_at + KEPT_FOR)
