"""Stating what became of profiles and consents: each fact with its place in the history of what it is about."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.tables import Profile
from shared.contracts.matching.facts import ConsentGivenV1, ConsentWithdrawnV1, ProfileChangedV1
from shared.contracts.matching.words import ProfileChange
from shared.kit.ids import Ids
from shared.kit.outbox import emit

_COUNT = text("""
    INSERT INTO fact_count (subject, version) VALUES (:subject, 1)
    ON CONFLICT (subject) DO UPDATE SET version = fact_count.version + 1 RETURNING version
""")


async def next_version(session: AsyncSession, subject: str) -> int:
    """The place of the next fact in the history of its subject."""
    version: int = (await session.execute(_COUNT, {"subject": subject})).scalar_one()
    return version


async def state_change(
    session: AsyncSession, profile: Profile, *changes: ProfileChange, now: datetime, ids: Ids
) -> None:
    """State that these parts of a profile are others now."""
    for change in changes:
        fact = ProfileChangedV1(
            id=ids(),
            hub=profile.hub,
            occurred_at=now,
            subject=str(profile.person),
            subject_version=await next_version(session, str(profile.person)),
            person=profile.person,
            change=change,
        )
        await emit(session, fact)


async def state_consent(
    session: AsyncSession,
    kind: type[ConsentGivenV1] | type[ConsentWithdrawnV1],
    person: UUID,
    hub: str,
    *,
    now: datetime,
    ids: Ids,
) -> None:
    """State that the hub's people may find the profile from now on, or may no longer."""
    subject = f"{hub}/{person}"
    version = await next_version(session, subject)
    fact = kind(id=ids(), hub=hub, occurred_at=now, subject=subject, subject_version=version, person=person)
    await emit(session, fact)
