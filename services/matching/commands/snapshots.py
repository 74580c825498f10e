"""Stating again what is: for read models that are new or were rebuilt."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.introductions import owners
from services.matching.rules.introductions import standing
from services.matching.tables import Introduction
from shared.contracts.matching.facts import IntroductionSnapshotV1
from shared.contracts.matching.words import IntroductionStatus
from shared.kit.ids import Clock, Ids
from shared.kit.outbox import emit

AT_ONCE = 200
FIRST = UUID(int=0)


async def restate_introductions(
    session: AsyncSession, after: str, *, clock: Clock, ids: Ids
) -> tuple[int, str | None]:
    """State the next introductions as they are, those that are over too: how many, and where to go on."""
    following = select(Introduction).where(Introduction.id > (UUID(after) if after else FIRST))
    found = (await session.scalars(following.order_by(Introduction.id).limit(AT_ONCE))).all()
    for one in found:
        await restate_introduction(session, one, now=clock(), ids=ids)
    return len(found), str(found[-1].id) if len(found) == AT_ONCE else None


async def restate_introduction(
    session: AsyncSession, about: Introduction, *, now: datetime, ids: Ids
) -> None:
    """State one introduction as it is."""
    owner = await owners(session, about)
    asked_by = None if about.by_host or about.suggested_by is None else owner.get(about.suggested_by)
    fact = IntroductionSnapshotV1(
        id=ids(),
        hub=about.hub,
        occurred_at=now,
        subject=str(about.id),
        subject_version=about.version,
        introduction=about.id,
        one=owner[about.one],
        other=owner[about.other],
        standing=standing(IntroductionStatus(about.status), seen=True),
        by_host=about.by_host,
        asked_by=asked_by,
        lapses_at=about.lapse_at,
    )
    await emit(session, fact)
