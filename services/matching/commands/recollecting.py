"""After the database went back in time: what people closed is closed again, and introductions are stated as they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.erasing import erase_told
from services.matching.commands.introductions import withdraw_unseen
from services.matching.commands.profiles import touched
from services.matching.commands.snapshots import restate_introduction
from services.matching.commands.stating import next_version, state_consent
from services.matching.tables import Introduction, Profile
from shared.contracts.base import Fact
from shared.contracts.matching.facts import (
    ConsentWithdrawnV1,
    IntroductionDeclinedV1,
    IntroductionLapsedV1,
    IntroductionWithdrawnV1,
    ProfileChangedV1,
)
from shared.contracts.matching.introductions import Standing
from shared.contracts.matching.words import ProfileChange, Visibility
from shared.contracts.streams import INTRODUCTION_FACTS
from shared.kit.database import changed_rows
from shared.kit.ids import Clock, Ids
from shared.kit.outbox import emit

_OVER = (IntroductionDeclinedV1, IntroductionLapsedV1, IntroductionWithdrawnV1)
# What profiles say is read again by whoever hears of them: it is enough that their facts are counted on.
_AT_LEAST = text("""
    INSERT INTO fact_count (subject, version) VALUES (:subject, :version)
    ON CONFLICT (subject) DO UPDATE SET version = greatest(fact_count.version, excluded.version)
""")
# One that was given after it was taken back was given since the database went back.
_WITHDRAW = text("""
    UPDATE consent SET withdrawn_at = :at
    WHERE person = :person AND hub = :hub AND withdrawn_at IS NULL AND given_at <= :at
""")


async def recollect(session: AsyncSession, facts: Sequence[Fact], *, clock: Clock, ids: Ids) -> None:
    """Count on from what others have heard, state introductions as they are now, and close what had been closed."""
    now = clock()
    for fact in facts:
        await session.execute(_AT_LEAST, {"subject": fact.subject, "version": fact.subject_version})
    for fact in facts:
        if isinstance(fact, INTRODUCTION_FACTS):
            await _introduction(session, fact, now=now, ids=ids)
    for fact in facts:
        if isinstance(fact, ConsentWithdrawnV1):
            await _consent(session, fact, now=now, ids=ids)
        elif isinstance(fact, ProfileChangedV1):
            await _profile(session, fact, now=now, ids=ids)


async def _consent(session: AsyncSession, told: ConsentWithdrawnV1, *, now: datetime, ids: Ids) -> None:
    """A consent that was taken back stays so; stated again for who reads it again when they hear of it."""
    taken = {"person": told.person, "hub": told.hub, "at": told.occurred_at}
    if changed_rows(await session.execute(_WITHDRAW, taken)):
        await state_consent(session, ConsentWithdrawnV1, told.person, told.hub, now=now, ids=ids)
        await withdraw_unseen(session, [told.person], now=now, ids=ids)


async def _profile(session: AsyncSession, told: ProfileChangedV1, *, now: datetime, ids: Ids) -> None:
    """What was erased is erased. Who might see it and whether it was at rest was told of without saying which: closed,
    until its owner opens it."""
    profile = await session.get(Profile, told.person, with_for_update=True, populate_existing=True)
    if profile is None:
        return
    if told.change is ProfileChange.ERASED:
        await erase_told(session, profile, now=now, ids=ids)
    elif told.change is ProfileChange.VISIBILITY and profile.visibility != Visibility.NOBODY:
        profile.visibility = Visibility.NOBODY
        await touched(session, profile, ProfileChange.VISIBILITY, now=now, ids=ids)
        await withdraw_unseen(session, [profile.person], now=now, ids=ids)
    elif told.change is ProfileChange.PAUSED and not profile.paused:
        profile.paused = True
        await touched(session, profile, ProfileChange.PAUSED, now=now, ids=ids)


async def _introduction(session: AsyncSession, told: Any, *, now: datetime, ids: Ids) -> None:
    """One nobody remembers has ended: the two can be introduced anew."""
    about = await session.get(Introduction, UUID(told.subject), with_for_update=True)
    if about is not None:
        about.version = await next_version(session, told.subject)
        await session.flush()
        await restate_introduction(session, about, now=now, ids=ids)
        return
    if isinstance(told, _OVER) or getattr(told, "standing", None) is Standing.OVER:
        return
    said = {name: getattr(told, name) for name in IntroductionWithdrawnV1.model_fields}
    again = {"id": ids(), "occurred_at": now, "subject_version": told.subject_version + 1}
    await session.execute(_AT_LEAST, {"subject": told.subject, "version": told.subject_version + 1})
    await emit(session, IntroductionWithdrawnV1(**said | again))
