"""Forgetting a person or an organisation: what they said, whom they opened it to, and who was shown whom."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.introductions import forget
from services.matching.commands.stating import state_change, state_consent
from services.matching.queries.profiles import no_such_organisation
from services.matching.tables import Profile
from shared.contracts.matching.facts import ConsentWithdrawnV1
from shared.contracts.matching.words import ProfileChange
from shared.kit.ids import Ids

_OPEN = text("SELECT hub FROM consent WHERE person = :person AND withdrawn_at IS NULL ORDER BY hub")
_TRACES = (
    text("DELETE FROM shown WHERE person = :person OR other = :person"),
    text("DELETE FROM exposure WHERE person = :person"),
    text("DELETE FROM blocked WHERE person = :person OR other = :person"),
    # Answers kept for who asks again with the same key show what the profile said.
    text("DELETE FROM idempotency_key WHERE person = :person"),
    text("DELETE FROM profile WHERE person = :person"),
)


async def erase_own(
    session: AsyncSession, by: UUID, organisation: UUID | None, *, now: datetime, ids: Ids
) -> None:
    """Erase what the person says of themselves, or one organisation they keep; what is not there is gone already."""
    found = await session.scalar(
        select(Profile).where(Profile.person == (organisation or by)).with_for_update()
    )
    if organisation is not None and (found is None or found.kept_by != by):
        raise no_such_organisation(organisation)
    if found is not None:
        await erase_told(session, found, now=now, ids=ids)


async def erase_all(session: AsyncSession, person: UUID, *, now: datetime, ids: Ids) -> int:
    """Erase the person's profile and those of all organisations they keep; how many that were."""
    wanted = select(Profile).where((Profile.person == person) | (Profile.kept_by == person))
    found = (await session.scalars(wanted.order_by(Profile.person).with_for_update())).all()
    for profile in found:
        await erase_told(session, profile, now=now, ids=ids)
    return len(found)


async def erase_told(session: AsyncSession, profile: Profile, *, now: datetime, ids: Ids) -> None:
    """Erase one profile, which is locked, and state it."""
    named = {"person": profile.person}
    for hub in (await session.execute(_OPEN, named)).scalars().all():
        await state_consent(session, ConsentWithdrawnV1, profile.person, hub, now=now, ids=ids)
    await forget(session, profile.person, now=now, ids=ids)
    await state_change(session, profile, ProfileChange.ERASED, now=now, ids=ids)
    session.expunge(profile)
    for statement in _TRACES:
        await session.execute(statement, named)
