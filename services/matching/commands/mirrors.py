"""Keeping what directory has said of hubs and memberships: the newest version wins, whatever comes when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.stating import next_version
from shared.contracts.directory.facts import (
    HubProfileChangedV1,
    HubRegisteredV1,
    HubSnapshotV1,
    MemberJoinedV1,
    MemberLeftV1,
    RoleChangedV1,
)
from shared.contracts.directory.words import Role
from shared.contracts.matching.facts import HubPlacedV1
from shared.kit.database import changed_rows
from shared.kit.ids import Ids
from shared.kit.moments import check_zone
from shared.kit.outbox import emit

HubFact = HubRegisteredV1 | HubProfileChangedV1 | HubSnapshotV1
MemberFact = MemberJoinedV1 | RoleChangedV1 | MemberLeftV1

_HUB = text("""
    INSERT INTO hub (id, name, municipality, region, country, zone, languages, version)
    VALUES (:id, :name, :municipality, :region, :country, :zone, :languages, :version)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, municipality = excluded.municipality, region = excluded.region,
        country = excluded.country, zone = excluded.zone, languages = excluded.languages, version = excluded.version
    WHERE hub.version < excluded.version
""")
_PLACED = text("SELECT municipality, region FROM hub WHERE id = :hub FOR UPDATE")
# Who is in already keeps the day they came; who leaves, the role they had.
_MEMBER = text("""
    INSERT INTO membership AS m (person, hub, role, joined_at, left_at, version)
    VALUES (:person, :hub, coalesce(CAST(:role AS text), 'visitor'), :at, :left_at, :version)
    ON CONFLICT (person, hub) DO UPDATE SET role = coalesce(CAST(:role AS text), m.role),
        joined_at = CASE WHEN CAST(:joins AS boolean) THEN excluded.joined_at ELSE least(m.joined_at, excluded.joined_at) END,
        left_at = excluded.left_at, version = excluded.version
    WHERE m.version < excluded.version
""")


async def keep_hub(session: AsyncSession, fact: HubFact, *, now: datetime, ids: Ids) -> None:
    """Keep a hub's name, place, zone and languages; Invalid when it is in a zone nobody knows.

    That it is somewhere else is stated, so that every replica ranks by it at once.
    """
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
    before = (await session.execute(_PLACED, {"hub": fact.hub})).first()
    if not changed_rows(await session.execute(_HUB, values)):
        return
    if before is None or tuple(before) != (fact.municipality, fact.region):
        version = await next_version(session, fact.hub)
        await emit(
            session,
            HubPlacedV1(id=ids(), hub=fact.hub, occurred_at=now, subject=fact.hub, subject_version=version),
        )


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
