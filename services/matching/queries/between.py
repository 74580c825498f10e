"""What people have for each other, by what both say today."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.index import rows
from services.matching.rules import ranking
from services.matching.rules.ranking import Context, Found, Known

Pair = tuple[UUID, UUID]


async def between(session: AsyncSession, pairs: Iterable[Pair], *, today: date) -> dict[Pair, Found]:
    """The same meetings of needs and offers that a match rests on, each concept weighing alike; the first one's is `mine`.

    A pair of which one has no profile any more is left out.
    """
    wanted = list(pairs)
    cards = await rows.cards(session, {one for pair in wanted for one in pair}, today=today)
    concepts = {concept for card in cards.values() for concept, _ in (*card.offers, *card.needs)}
    near = ranking.near(await rows.relations(session, concepts))
    known = Known(near, lambda _: 1, {})
    return {
        (one, other): ranking.compare(cards[one], cards[other], known, Context())
        for one, other in wanted
        if one in cards and other in cards
    }
