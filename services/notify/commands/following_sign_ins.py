"""Following sign-ins: keep until when each link may be used, and have it mailed at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands.noticing import MAIL_ONLY, Look, look_at
from shared.contracts.notify.words import About
from shared.kit.ids import Ids

_KEEP = text("""
    INSERT INTO sign_in (id, hub, person, until)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:hubs AS text[]), CAST(:persons AS uuid[]), CAST(:untils AS timestamptz[]))
    ON CONFLICT DO NOTHING
""")


async def follow_sign_ins(
    session: AsyncSession, facts: Sequence[Any], *, now: datetime, gather: timedelta, ids: Ids
) -> None:
    """Keep these, and look at them now; what is past its time is told to nobody."""
    open_still = [fact for fact in facts if fact.until > now]
    await session.execute(
        _KEEP,
        {
            "ids": [fact.sign_in for fact in open_still],
            "hubs": [fact.hub for fact in open_still],
            "persons": [fact.person for fact in open_still],
            "untils": [fact.until for fact in open_still],
        },
    )
    looks = [
        Look(fact.person, fact.hub, About.SIGN_IN, fact.sign_in, urgent=True, channels=MAIL_ONLY)
        for fact in open_still
    ]
    await look_at(session, looks, now=now, gather=gather, ids=ids)
