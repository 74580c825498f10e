"""Learning from what came of introductions: what each rested on, and what all of them say about skills."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.stating import next_version
from services.matching.index import rows
from services.matching.queries.between import between
from services.matching.rules.lessons import FEWEST, Lesson
from services.matching.tables import Introduction
from shared.contracts.base import EVERYWHERE
from shared.contracts.matching.facts import LessonsDrawnV1
from shared.kit.ids import Ids
from shared.kit.outbox import emit

SUBJECT = "lessons"

# Whoever said what it brought them has said it of their own need; an organisation counts as the person who keeps it.
_SAID = text(f"""
    SELECT least(said.need, said.offer) AS one, greatest(said.need, said.offer) AS other,
           count(DISTINCT said.who)::int AS people,
           (count(DISTINCT said.who) FILTER (WHERE said.outcome <> 'nothing'))::int AS helped
    FROM (
        SELECT coalesce(p.kept_by, o.person) AS who, o.outcome, r.need, r.offer
        FROM outcome o JOIN introduction i ON i.id = o.introduction LEFT JOIN profile p ON p.person = o.person
        CROSS JOIN LATERAL jsonb_to_recordset(i.reasons) r (needs text, need text, offer text)
        WHERE r.needs = CASE WHEN o.person = i.one THEN 'one' ELSE 'other' END
    ) said
    GROUP BY 1, 2 HAVING count(DISTINCT said.who) >= {FEWEST} ORDER BY 1, 2
""")  # noqa: S608  # constants
_FORGET = text("DELETE FROM lesson")
_KEEP = text("INSERT INTO lesson (one, other, people, helped) VALUES (:one, :other, :people, :helped)")


async def grounds(session: AsyncSession, about: Introduction, *, now: datetime) -> list[dict[str, Any]]:
    """Whose need is served by which offer, by what both say now: kept with the introduction for what will come of it.

    It names skills and which side needs them, it is shown to nobody, and goes when either of the two is erased.
    """
    found = await between(session, [(about.one, about.other)], today=now.date())
    return [
        {"needs": side, "need": need, "offer": offer}
        for one in found.values()
        for side, need, offer in (
            *(("one", met.mine, met.theirs) for met in one.got),
            *(("other", met.theirs, met.mine) for met in one.given),
        )
    ]


async def draw_lessons(session: AsyncSession, *, now: datetime, ids: Ids) -> None:
    """Count what came of what; replicas hear when that teaches anything else than before."""
    drawn = [Lesson(*row) for row in (await session.execute(_SAID)).all()]
    if drawn == await rows.lessons(session):
        return
    await session.execute(_FORGET)
    if drawn:
        kept = [
            {"one": one.one, "other": one.other, "people": one.people, "helped": one.helped} for one in drawn
        ]
        await session.execute(_KEEP, kept)
    version = await next_version(session, SUBJECT)
    await emit(
        session,
        LessonsDrawnV1(
            id=ids(),
            hub=EVERYWHERE,
            occurred_at=now,
            subject=SUBJECT,
            subject_version=version,
            lessons=version,
        ),
    )
