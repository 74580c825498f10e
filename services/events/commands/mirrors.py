"""Keeping what others have said of hubs and spaces."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.tables import Hub, Space
from shared.contracts.booking.facts import SpaceOpenedV1, SpaceRulesChangedV1, SpaceSnapshotV1
from shared.contracts.directory.facts import HubProfileChangedV1, HubRegisteredV1, HubSnapshotV1
from shared.kit.moments import check_zone

HubFact = HubRegisteredV1 | HubProfileChangedV1 | HubSnapshotV1
SpaceFact = SpaceOpenedV1 | SpaceRulesChangedV1 | SpaceSnapshotV1


async def keep_hub(session: AsyncSession, fact: HubFact) -> None:
    """Keep a hub's name, place, zone and languages; events that are there keep the zone they were made in."""
    check_zone(fact.time_zone)
    known: dict[str, Any] = {
        "name": fact.name,
        "municipality": fact.municipality,
        "country": fact.country,
        "time_zone": fact.time_zone,
        "languages": list(fact.languages),
    }
    written = insert(Hub).values(slug=fact.hub, **known)
    await session.execute(written.on_conflict_do_update(index_elements=[Hub.slug], set_=known))


async def keep_space(session: AsyncSession, fact: SpaceFact) -> None:
    """Keep what a space is called and how many people it takes."""
    known: dict[str, Any] = {"name": fact.name, "capacity": fact.capacity}
    written = insert(Space).values(hub=fact.hub, slug=fact.space, **known)
    await session.execute(written.on_conflict_do_update(index_elements=[Space.hub, Space.slug], set_=known))
