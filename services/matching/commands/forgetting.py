"""Forgetting a person: their profiles as by their own wish, and every trace of them elsewhere."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.erasing import erase_all
from services.matching.commands.introductions import forget as leave_introductions
from services.matching.commands.leaving import ERASE
from services.matching.tables import Introduction, Profile
from shared.contracts.base import NOBODY
from shared.contracts.forgetting import Deed, Thing, Told
from shared.kit.forgetting import Forget, done, forget_keys, told
from shared.kit.ids import Ids
from shared.kit.timers import cancel_timer

_TRACES = (
    "DELETE FROM shown WHERE person = :person OR other = :person",
    "DELETE FROM exposure WHERE person = :person",
    "DELETE FROM blocked WHERE person = :person OR other = :person",
)
_MEMBERSHIPS = "DELETE FROM membership WHERE person = :person"
_TARGETS = "UPDATE target SET set_by = :nobody WHERE set_by = :person"
# Nothing of theirs will be stated again, so nothing needs its place in their history.
_COUNTS = text("""
    DELETE FROM fact_count WHERE subject IN (
        SELECT CAST(CAST(:person AS uuid) AS text) UNION SELECT id || '/' || CAST(CAST(:person AS uuid) AS text) FROM hub)
""")


def forgets(ids: Ids) -> Forget:
    """How matching forgets."""

    async def forget(session: AsyncSession, person: UUID, now: datetime) -> list[Told]:
        found = await _introductions(session, person)
        profiles = await erase_all(session, person, now=now, ids=ids)
        # Whoever suggested others to each other need not have a profile.
        await leave_introductions(session, person, now=now, ids=ids)
        await session.flush()
        session.expire_all()
        found += told(Thing.PROFILES, Deed.ERASED, profiles)
        found += await done(session, Thing.SUGGESTIONS, Deed.ERASED, person, *_TRACES)
        found += await done(session, Thing.MEMBERSHIPS, Deed.ERASED, person, _MEMBERSHIPS)
        found += await done(session, Thing.TARGETS, Deed.ANONYMISED, person, _TARGETS, nobody=NOBODY)
        # How far their history had come is nothing of theirs to tell of.
        await session.execute(_COUNTS, {"person": person})
        await cancel_timer(session, ERASE, str(person))
        return found + await forget_keys(session, person)

    return forget


async def _introductions(session: AsyncSession, person: UUID) -> list[Told]:
    """How many introductions go on without them."""
    theirs = select(Profile.person).where((Profile.person == person) | (Profile.kept_by == person))
    met = or_(
        Introduction.one.in_(theirs), Introduction.other.in_(theirs), Introduction.suggested_by == person
    )
    count = await session.scalar(select(func.count()).select_from(Introduction).where(met)) or 0
    return told(Thing.INTRODUCTIONS, Deed.ANONYMISED, count)
