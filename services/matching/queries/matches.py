"""The matches of one person: ranked by the index, read again from the tables, and only those the person may be shown now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.index import rows
from services.matching.index.index import Index
from services.matching.queries.handles import handles_for
from services.matching.queries.labels import label_of
from services.matching.queries.seeing import suggestible
from services.matching.rules import ranking
from services.matching.rules.ranking import Card, Context, Found
from services.matching.rules.reasons import INPUTS, reasons
from shared.contracts.matching.matches import ListMyMatches, MatchPage, MatchView, Nearness, Way
from shared.contracts.matching.words import IntroductionStatus

REMEMBERED_FOR = timedelta(days=90)
"""After that it counts for nothing that somebody was suggested."""

_WANTED = text("SELECT paused FROM profile WHERE person = :me")
_SUGGESTED = text("""
    SELECT other, CASE WHEN last_at < :today THEN last_at ELSE earlier_at END AS at
    FROM shown WHERE person = :me AND last_at > :since
""")
_INTRODUCED = text("""
    SELECT CASE WHEN one = :me THEN other ELSE one END AS other, status, created_at
    FROM introduction WHERE one = :me OR other = :me
""")
_OUT_OF_QUESTION = text("""
    SELECT other FROM blocked WHERE person = :me UNION ALL SELECT person FROM blocked WHERE other = :me
    UNION ALL SELECT person FROM profile WHERE kept_by = :me
""")
# What the reader has seen today counts from tomorrow on, so that a list does not change by being looked at.
_EXPOSED = text("""
    SELECT e.person, e.times_decayed, e.at, EXISTS (
        SELECT 1 FROM shown WHERE shown.person = :me AND shown.other = e.person AND shown.last_at >= :today) AS by_me
    FROM exposure e WHERE e.person = ANY(:people)
""")
_LABELS = text(f"SELECT k.id, {label_of('k.id')} AS label FROM concept k WHERE k.id = ANY(:concepts)")  # noqa: S608  # constants

_NEARNESS = {
    ranking.HUB: Nearness.HUB,
    ranking.MUNICIPALITY: Nearness.MUNICIPALITY,
    ranking.REGION: Nearness.REGION,
    ranking.FEDERATION: Nearness.FEDERATION,
}


@dataclass(frozen=True)
class Match:
    """Somebody, and what the two have for each other."""

    card: Card
    found: Found
    near: int


def midnight(now: datetime) -> datetime:
    """When the day began, by the clock of UTC: a day's showings count as one."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


async def list_matches(
    session: AsyncSession, index: Index, request: ListMyMatches, me: UUID, *, now: datetime
) -> tuple[MatchPage, list[UUID]]:
    """The page, and who is on it."""
    paused: bool | None = (await session.execute(_WANTED, {"me": me})).scalar()
    chosen = [] if paused is not False else await _chosen(session, index, me, request, now=now)
    handles = await handles_for(session, me)
    labels = await _labels(session, chosen, request.language)
    items = tuple(
        MatchView(
            id=handles.of(one.card.person),
            way=_way(one.found),
            reasons=reasons(one.found, labels, request.language),
            near=_NEARNESS[one.near],
        )
        for one in chosen
    )
    why = tuple(dict.fromkeys(INPUTS.values()))
    return MatchPage(items=items, why=why, paused=paused or False), [one.card.person for one in chosen]


async def _chosen(
    session: AsyncSession, index: Index, me: UUID, request: ListMyMatches, *, now: datetime
) -> list[Match]:
    """Those of the best and of the drawn who may be suggested now, and whose turn it is, best first."""
    today = now.date()
    reader = (await rows.cards(session, [me], today=today)).get(me)
    if reader is None:
        return []
    context = Context(await _past(session, me, now), request.hub, ranking.turn(me, today))
    best, drawn = ([person for person, _ in some] for some in index.pool(reader, context))
    people = list(dict.fromkeys((*best, *drawn)))
    cards = await rows.cards(session, people, today=today)
    times = await _times(session, me, people, now)
    # Last, so that a consent taken back while this was read counts.
    allowed = await suggestible(session, me, people, today=today)
    found = {
        person: ranking.compare(reader, cards[person], index.known, context)
        for person in allowed & cards.keys()
    }
    there = {person: one.score for person, one in found.items() if one.score}
    scores = {person: there[person] for person in best if person in there}
    others = [person for person in drawn if person in there]
    return [
        Match(cards[person], found[person], ranking.place(reader, cards[person], index.known.places))
        for person in ranking.chosen(scores, others, times, request.limit, context.turn)
    ]


async def _past(session: AsyncSession, me: UUID, now: datetime) -> dict[UUID, int]:
    """What was between the person and others, in per cent."""
    known = {"me": me, "today": midnight(now), "since": now - REMEMBERED_FOR}
    past: dict[UUID, int] = {}
    for row in await session.execute(_SUGGESTED, known):
        if row.at is not None:
            past[row.other] = ranking.suggested_before(row.at, now)
    introduced: dict[UUID, int] = {}
    for row in await session.execute(_INTRODUCED, {"me": me}):
        percent = ranking.introduced_before(IntroductionStatus(row.status), row.created_at, now)
        introduced[row.other] = min(percent, introduced.get(row.other, 100))
    for person, percent in introduced.items():
        past[person] = past.get(person, 100) * percent // 100
    past |= dict.fromkeys((await session.execute(_OUT_OF_QUESTION, {"me": me})).scalars(), 0)
    return past


async def _times(
    session: AsyncSession, me: UUID, pool: Collection[UUID], now: datetime
) -> Mapping[UUID, float]:
    """How often those of the pool were suggested of late."""
    asked = {"me": me, "people": list(pool), "today": midnight(now)}
    return {
        row.person: max(ranking.faded(row.times_decayed, row.at, now) - row.by_me, 0.0)
        for row in await session.execute(_EXPOSED, asked)
    }


async def _labels(
    session: AsyncSession, matches: Collection[Match], language: str | None
) -> Mapping[str, str]:
    meetings = [one for match in matches for one in (*match.found.got, *match.found.given)]
    concepts = sorted({concept for one in meetings for concept in (one.mine, one.theirs)})
    found = await session.execute(_LABELS, {"concepts": concepts, "language": language})
    return {row.id: row.label for row in found}


def _way(found: Found) -> Way:
    if found.got and found.given:
        return Way.BOTH
    return Way.TO_ME if found.got else Way.TO_THEM
