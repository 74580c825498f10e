"""What came of introductions: that two have met, and what each says it brought."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.introductions import load_mine, tell
from services.matching.rules.introductions import after_meeting, after_outcome
from services.matching.tables import Introduction
from shared.contracts.matching.facts import IntroductionMetV1, OutcomeSaidV1
from shared.contracts.matching.introductions import SayMet, SayOutcome
from shared.contracts.matching.words import IntroductionStatus
from shared.kit.database import changed_rows
from shared.kit.ids import Ids

_OUTCOME = text("""
    INSERT INTO outcome AS o (introduction, person, outcome, said_at)
    VALUES (:introduction, :person, :outcome, :now)
    ON CONFLICT (introduction, person) DO UPDATE SET outcome = excluded.outcome, said_at = excluded.said_at
    WHERE o.outcome <> excluded.outcome
""")


async def say_met(session: AsyncSession, wanted: SayMet, by: UUID, *, now: datetime, ids: Ids) -> None:
    """The two have met; whoever says so second changes nothing."""
    about, _, _ = await load_mine(session, wanted.introduction, by)
    after = after_meeting(IntroductionStatus(about.status))
    if after != about.status:
        await _met(session, about, now=now, ids=ids)


async def _met(session: AsyncSession, about: Introduction, *, now: datetime, ids: Ids) -> None:
    about.status, about.met_at = IntroductionStatus.MET, now
    await tell(session, IntroductionMetV1, about, now=now, ids=ids)


async def say_outcome(
    session: AsyncSession, wanted: SayOutcome, by: UUID, *, now: datetime, ids: Ids
) -> None:
    """Say what came of it, each of the two for oneself; the same again changes nothing, something else replaces it."""
    about, mine, _ = await load_mine(session, wanted.introduction, by)
    after, met = after_outcome(IntroductionStatus(about.status), wanted.outcome)
    if met:
        await _met(session, about, now=now, ids=ids)
    said = {"introduction": about.id, "person": mine, "outcome": wanted.outcome, "now": now}
    if changed_rows(await session.execute(_OUTCOME, said)):
        about.status = after
        await tell(session, OutcomeSaidV1, about, now=now, ids=ids, outcome=wanted.outcome)
