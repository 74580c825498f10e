"""Keeping what directory has said of hubs and memberships: the newest version wins, whatever comes when."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.directory.facts import (
    HubProfileChangedV1,
    HubRegisteredV1,
    HubSnapshotV1,
    MemberJoinedV1,
    MemberLeftV1,
    RoleChangedV1,
)
from shared.contracts.directory.words import Role
from shared.kit.moments import check_zone

HubFact = HubRegisteredV1 | HubProfileChangedV1 | HubSnapshotV1
MemberFact = MemberJoinedV1 | RoleChangedV1 | MemberLeftV1

_HUB = text("""
    INSERT INTO hub (id, name, municipality, region, country, zone, languages, version)
    VALUES (:id, :name, :municipality, :region, :country, :zone, :languages, :version)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, municipality = excluded.municipality, region = excluded.region,
        country = excluded.country, zone = excluded.zone, languages = excluded.languages, version = excluded.version
    WHERE hub.version < excluded.version
""")
# Who is in already keeps the day they came; who leaves, the role they had.
_MEMBER = text("""
    INSERT INTO membership AS m (person, hub, role, joined_at, left_at, version)
    VALUES (:person, :hub, coalesce(CAST(:role AS text), 'visitor'), :at, :left_at, :version)
    ON CONFLICT (person, hub) DO UPDATE SET role = coalesce(CAST(:role AS text), m.role),
        joined_at = CASE WHEN CAST(:joins AS boolean) THEN excluded.joined_at ELSE least(m.joined_at, excluded.joined_at) END,
        left_at = excluded.left_at, version = excluded.version
    WHERE m.version < excluded.version
""")


async def keep_hub(session: AsyncSession, fact: HubFact) -> None:
    """Keep a hub's name, place, zone and languages; Invalid when it is in a zone nobody knows."""
    check_zone(fact.time_zone)
    values = {
        "id": fact.hub,
        "name": fact.name,
        "municipality": fact.municipality,
        "region": fact.region,
        "country": fact.country,
        "zone": fact.time_zone,
        "languages": list(fact.languages),
        "version": fact.subject_version,
    }
    await session.execute(_HUB, values)


async def keep_member(session: AsyncSession, fact: MemberFact) -> None:
    """Keep who belongs to a hub in which role."""
    role: Role | None = None if isinstance(fact, MemberLeftV1) else fact.role
    values = {
        "person": fact.person,
        "hub": fact.hub,
        "role": role,
        "at": fact.occurred_at,
        "left_at": fact.occurred_at if isinstance(fact, MemberLeftV1) else None,
        "joins": isinstance(fact, MemberJoinedV1),
        "version": fact.subject_version,
    }
    await session.execute(_MEMBER, values)
