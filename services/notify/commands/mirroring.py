"""Keeping what others have said of hubs, spaces and members: the newest version wins, whatever comes when."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Fact
from shared.contracts.booking.facts import SpaceOpenedV1, SpaceRulesChangedV1, SpaceSnapshotV1
from shared.contracts.directory.facts import (
    HubProfileChangedV1,
    HubRegisteredV1,
    HubSnapshotV1,
    MemberJoinedV1,
    MemberLeftV1,
    RoleChangedV1,
)
from shared.kit.moments import check_zone

HubFact = HubRegisteredV1 | HubProfileChangedV1 | HubSnapshotV1
SpaceFact = SpaceOpenedV1 | SpaceRulesChangedV1 | SpaceSnapshotV1
MemberFact = MemberJoinedV1 | RoleChangedV1 | MemberLeftV1

F = TypeVar("F", bound=Fact)


def newest(facts: Iterable[F], of: Callable[[F], Hashable]) -> list[F]:
    """The newest fact about each thing, in the order of the things: a statement can touch a row only once."""
    latest: dict[Hashable, F] = {}
    for fact in facts:
        known = latest.get(of(fact))
        if known is None or known.subject_version < fact.subject_version:
            latest[of(fact)] = fact
    return [latest[thing] for thing in sorted(latest)]  # type: ignore[type-var]  # all of one kind of key


# Languages have commas between them: PostgreSQL has no arrays of arrays of different lengths.
_HUBS = text("""
    INSERT INTO hub (slug, name, municipality, time_zone, languages, version)
    SELECT one.slug, one.name, one.municipality, one.time_zone, string_to_array(one.languages, ','), one.version
    FROM unnest(CAST(:slugs AS text[]), CAST(:names AS text[]), CAST(:municipalities AS text[]), CAST(:zones AS text[]),
                CAST(:languages AS text[]), CAST(:versions AS int[]))
         AS one (slug, name, municipality, time_zone, languages, version)
    ON CONFLICT (slug) DO UPDATE SET name = excluded.name, municipality = excluded.municipality,
        time_zone = excluded.time_zone, languages = excluded.languages, version = excluded.version
    WHERE hub.version < excluded.version
""")
_SPACES = text("""
    INSERT INTO space (hub, slug, name, version)
    SELECT * FROM unnest(CAST(:hubs AS text[]), CAST(:slugs AS text[]), CAST(:names AS text[]), CAST(:versions AS int[]))
    ON CONFLICT (hub, slug) DO UPDATE SET name = excluded.name, version = excluded.version
    WHERE space.version < excluded.version
""")
_MEMBERS = text("""
    INSERT INTO member (hub, person, role, version)
    SELECT * FROM unnest(CAST(:hubs AS text[]), CAST(:persons AS uuid[]), CAST(:roles AS text[]), CAST(:versions AS int[]))
    ON CONFLICT (hub, person) DO UPDATE SET role = excluded.role, version = excluded.version
    WHERE member.version < excluded.version
""")


async def keep_hubs(session: AsyncSession, facts: Sequence[HubFact]) -> None:
    """Keep hubs' names, places, zones and languages; Invalid when one is in a zone nobody knows."""
    latest = newest(facts, lambda fact: fact.hub)
    for fact in latest:
        check_zone(fact.time_zone)
    values = {
        "slugs": [fact.hub for fact in latest],
        "names": [fact.name for fact in latest],
        "municipalities": [fact.municipality for fact in latest],
        "zones": [fact.time_zone for fact in latest],
        "languages": [",".join(fact.languages) for fact in latest],
        "versions": [fact.subject_version for fact in latest],
    }
    await session.execute(_HUBS, values)


async def keep_spaces(session: AsyncSession, facts: Sequence[SpaceFact]) -> None:
    """Keep what spaces are called."""
    latest = newest(facts, lambda fact: (fact.hub, fact.space))
    values = {
        "hubs": [fact.hub for fact in latest],
        "slugs": [fact.space for fact in latest],
        "names": [fact.name for fact in latest],
        "versions": [fact.subject_version for fact in latest],
    }
    await session.execute(_SPACES, values)


async def keep_members(session: AsyncSession, facts: Sequence[MemberFact]) -> None:
    """Keep who belongs to a hub in which role; who has left has none."""
    latest = newest(facts, lambda fact: (fact.hub, fact.person))
    values = {
        "hubs": [fact.hub for fact in latest],
        "persons": [fact.person for fact in latest],
        "roles": [None if isinstance(fact, MemberLeftV1) else str(fact.role) for fact in latest],
        "versions": [fact.subject_version for fact in latest],
    }
    await session.execute(_MEMBERS, values)
