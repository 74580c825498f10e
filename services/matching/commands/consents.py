"""Letting a hub's people find a profile, and taking that back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.introductions import withdraw_unseen
from services.matching.commands.profiles import locked
from services.matching.commands.stating import state_consent
from services.matching.tables import Profile
from shared.contracts.matching.facts import ConsentGivenV1, ConsentWithdrawnV1
from shared.contracts.matching.profiles import GiveConsent, WithdrawConsent
from shared.kit.database import changed_rows
from shared.kit.errors import NotFound
from shared.kit.ids import Ids

_MEMBERSHIP = text("""
    SELECT version FROM membership WHERE person = :member AND hub = :hub AND left_at IS NULL FOR SHARE
""")
_GIVE = text("""
    INSERT INTO consent AS c (person, hub, given_at, membership) VALUES (:person, :hub, :now, :membership)
    ON CONFLICT (person, hub) DO UPDATE
        SET given_at = excluded.given_at, withdrawn_at = NULL, membership = excluded.membership
    WHERE c.withdrawn_at IS NOT NULL
""")
_WITHDRAW = text("""
    UPDATE consent SET withdrawn_at = :now WHERE person = :person AND hub = :hub AND withdrawn_at IS NULL
""")


async def give_consent(
    session: AsyncSession, request: GiveConsent, by: UUID, *, now: datetime, ids: Ids
) -> None:
    """Open the profile to a hub's people; twice changes nothing. Raises NotFound for a hub one does not belong to."""
    profile = await locked(session, by, request.organisation, now=now)
    where = {"member": profile.member, "hub": request.hub}
    membership = (await session.execute(_MEMBERSHIP, where)).scalar()
    if membership is None:
        raise NotFound(f"You do not belong to a hub {request.hub}.", field="hub")
    given = {"person": profile.person, "hub": request.hub, "now": now, "membership": membership}
    if changed_rows(await session.execute(_GIVE, given)):
        await _count_up(session, profile, now)
        await state_consent(session, ConsentGivenV1, profile.person, request.hub, now=now, ids=ids)


async def withdraw_consent(
    session: AsyncSession, request: WithdrawConsent, by: UUID, *, now: datetime, ids: Ids
) -> None:
    """Close it to them again, from this moment; twice changes nothing."""
    profile = await locked(session, by, request.organisation, now=now)
    taken = {"person": profile.person, "hub": request.hub, "now": now}
    if changed_rows(await session.execute(_WITHDRAW, taken)):
        await _count_up(session, profile, now)
        await state_consent(session, ConsentWithdrawnV1, profile.person, request.hub, now=now, ids=ids)
        await withdraw_unseen(session, [profile.person], now=now, ids=ids)


async def _count_up(session: AsyncSession, profile: Profile, now: datetime) -> None:
    profile.version += 1
    profile.changed_at = now
    await session.flush()
