"""Reading what ranking knows of people from the tables: everybody in pages, or those whom facts are about."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.rules import ranking
from services.matching.rules.lessons import Lesson, learned
from services.matching.rules.ranking import Card, Near, Place
from shared.contracts.matching.words import Level, Visibility

NUMBER_OF = {level: number for number, level in enumerate(Level, start=1)}
NOBODY = UUID(int=0)
PAGE = 1000


_CARDS = (
    """
    SELECT p.person, p.visibility <> 'nobody' AND NOT p.paused AS shown, p.visibility, p.languages
    FROM profile p WHERE {these} ORDER BY p.person
    """,
    """
    SELECT p.person, array_agg(s.concept ORDER BY s.side, s.concept) AS concepts,
           array_agg(s.level ORDER BY s.side, s.concept) AS levels, count(*) FILTER (WHERE s.side = 'need') AS needs
    FROM profile p JOIN statement s ON s.person = p.person
    WHERE {these} AND (s.until IS NULL OR s.until >= :today) GROUP BY p.person
    """,
    """
    SELECT p.person, array_agg(own.hub ORDER BY own.hub) AS hubs
    FROM profile p JOIN membership own ON own.person = coalesce(p.kept_by, p.person) AND own.left_at IS NULL
    WHERE {these} AND own.role <> 'visitor' GROUP BY p.person
    """,
    """
    SELECT p.person, array_agg(c.hub ORDER BY c.hub) AS hubs
    FROM profile p JOIN consent c ON c.person = p.person AND c.withdrawn_at IS NULL
    JOIN membership own ON own.person = coalesce(p.kept_by, p.person) AND own.hub = c.hub AND own.left_at IS NULL
    WHERE {these} GROUP BY p.person
    """,
)
"""What a card is made of: the profile, what it says, where its owner looks for people, and where they are found."""


def _of(these: str) -> tuple[TextClause, ...]:
    """The statements for the profiles that the condition `these` names."""
    return tuple(text(one.replace("{these}", these)) for one in _CARDS)


_THESE = _of("p.person = ANY(:people)")
# Ids are random: a page is a range of them, read from every table in its own order.
_PAGE_END = text("""
    SELECT person FROM (SELECT person FROM profile WHERE person > :after ORDER BY person LIMIT :size) page
    ORDER BY person DESC LIMIT 1
""")
_PAGE = _of("p.person > :after AND p.person <= :last AND p.visibility <> 'nobody' AND NOT p.paused")
_ENDED = text("SELECT DISTINCT person FROM statement WHERE until >= :since AND until < :today")
_RELATIONS = text("SELECT concept, kind, other FROM relation")
_RELATIONS_OF = text(
    "SELECT concept, kind, other FROM relation WHERE concept = ANY(:concepts) AND other = ANY(:concepts)"
)
_LESSONS = text("SELECT one, other, people, helped FROM lesson ORDER BY one, other")
_PLACES = text("SELECT id, municipality, region FROM hub")


async def near(session: AsyncSession) -> Near:
    """What is near what: by the vocabulary, corrected by what came of it."""
    said = ((row.concept, row.kind, row.other) for row in await session.execute(_RELATIONS))
    return learned(ranking.near(said), await lessons(session))


async def relations(session: AsyncSession, concepts: Collection[str]) -> list[tuple[str, str, str]]:
    """What the vocabulary says of these concepts among themselves."""
    rows = await session.execute(_RELATIONS_OF, {"concepts": sorted(concepts)})
    return [(row.concept, row.kind, row.other) for row in rows]


async def lessons(session: AsyncSession) -> list[Lesson]:
    """What has been learned of pairs of concepts, in their order."""
    return [Lesson(*row) for row in (await session.execute(_LESSONS)).all()]


async def places(session: AsyncSession) -> dict[str, Place]:
    """Where hubs are."""
    return {row.id: Place(row.municipality, row.region) for row in await session.execute(_PLACES)}


async def cards(session: AsyncSession, people: Collection[UUID], *, today: date) -> dict[UUID, Card]:
    """The cards of those of the people who have a profile; one whom nobody may find is found at no hub."""
    return await _cards(session, _THESE, {"people": list(people), "today": today})


async def page(
    session: AsyncSession, after: UUID, *, today: date, size: int = PAGE
) -> tuple[dict[UUID, Card], UUID | None]:
    """Some of those whom somebody may find, in order of their ids, and after whom to go on; None at the end."""
    last: UUID | None = (await session.execute(_PAGE_END, {"after": after, "size": size})).scalar()
    if last is None:
        return {}, None
    return await _cards(session, _PAGE, {"after": after, "last": last, "today": today}), last


async def ended(session: AsyncSession, *, since: date, today: date) -> list[UUID]:
    """Whose statements have ended from `since` to yesterday."""
    return list((await session.execute(_ENDED, {"since": since, "today": today})).scalars())


async def _cards(
    session: AsyncSession, statements: tuple[TextClause, ...], known: dict[str, Any]
) -> dict[UUID, Card]:
    of_profiles, of_statements, of_memberships, of_consents = statements
    plain = {name: value for name, value in known.items() if name != "today"}
    profiles = (await session.execute(of_profiles, plain)).all()
    said = {row.person: row for row in await session.execute(of_statements, known)}
    belongs = {row.person: tuple(row.hubs) for row in await session.execute(of_memberships, plain)}
    open_to = {row.person: tuple(row.hubs) for row in await session.execute(of_consents, plain)}
    return {
        row.person: Card(
            person=row.person,
            belongs=belongs.get(row.person, ()),
            found_at=open_to.get(row.person, ()) if row.shown else (),
            opened=row.visibility == Visibility.FEDERATION,
            languages=tuple(row.languages),
            **_statements(said.get(row.person)),
        )
        for row in profiles
    }


def _statements(said: Any) -> dict[str, tuple[tuple[str, int], ...]]:
    if said is None:
        return {"offers": (), "needs": ()}
    pairs = tuple(zip(said.concepts, map(NUMBER_OF.__getitem__, said.levels), strict=True))
    # Needs come before offers, as their words do.
    return {"offers": pairs[said.needs :], "needs": pairs[: said.needs]}
