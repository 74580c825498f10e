"""After the database went back in time: introductions are stated again as they are, and nothing is counted twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.snapshots import restate_introduction
from services.matching.commands.stating import next_version
from services.matching.tables import Introduction
from shared.contracts.base import Fact
from shared.contracts.matching.facts import (
    IntroductionDeclinedV1,
    IntroductionLapsedV1,
    IntroductionWithdrawnV1,
)
from shared.contracts.matching.introductions import Standing
from shared.contracts.streams import INTRODUCTION_FACTS
from shared.kit.ids import Clock, Ids
from shared.kit.outbox import emit

_OVER = (IntroductionDeclinedV1, IntroductionLapsedV1, IntroductionWithdrawnV1)
# Profiles and consents are read again by whoever hears of them: it is enough that their facts are counted on.
_AT_LEAST = text("""
    INSERT INTO fact_count (subject, version) VALUES (:subject, :version)
    ON CONFLICT (subject) DO UPDATE SET version = greatest(fact_count.version, excluded.version)
""")


async def recollect(session: AsyncSession, facts: Sequence[Fact], *, clock: Clock, ids: Ids) -> None:
    """Count on from what others have heard, and state introductions as they are now."""
    now = clock()
    for fact in facts:
        await session.execute(_AT_LEAST, {"subject": fact.subject, "version": fact.subject_version})
        if isinstance(fact, INTRODUCTION_FACTS):
            await _introduction(session, fact, now=now, ids=ids)


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
