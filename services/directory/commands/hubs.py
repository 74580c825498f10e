"""Hubs: joining the federation, their public profiles, stating them again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands.turns import in_turn
from services.directory.rules.hubs import HubExists, check_zone, words_of
from services.directory.tables import Hub
from shared.contracts.base import EVERYWHERE
from shared.contracts.directory.facts import HubProfileChangedV1, HubRegisteredV1, HubSnapshotV1
from shared.contracts.directory.requests import HubProfile
from shared.kit.errors import NotFound
from shared.kit.ids import Clock, Ids
from shared.kit.outbox import emit

RESTATED_AT_ONCE = 500
ProfileFact = TypeVar("ProfileFact", HubRegisteredV1, HubProfileChangedV1, HubSnapshotV1)


async def register_hub(
    session: AsyncSession, profile: HubProfile, *, cell: str, now: datetime, ids: Ids
) -> Hub:
    """A new hub joins the federation and lives in this cell."""
    check_zone(profile.time_zone)
    await in_turn(session, f"hub {profile.id}")
    if profile.id == EVERYWHERE:
        raise HubExists(f"{EVERYWHERE} stands for all hubs; choose another slug.", field="id")
    if await session.get(Hub, profile.id) is not None:
        raise HubExists(f"There is a hub {profile.id} already; slugs are never given twice.", field="id")
    hub = Hub(slug=profile.id, cell=cell, version=1, **_columns(profile))
    session.add(hub)
    await session.flush()
    await state_profile(session, HubRegisteredV1, hub, now=now, ids=ids)
    return hub


async def change_hub_profile(session: AsyncSession, profile: HubProfile, *, now: datetime, ids: Ids) -> Hub:
    """The hub's public profile reads like this now."""
    check_zone(profile.time_zone)
    hub = await session.get(Hub, profile.id, with_for_update=True)
    if hub is None:
        raise NotFound(f"There is no hub {profile.id}.")
    for name, value in _columns(profile).items():
        setattr(hub, name, value)
    hub.version += 1
    await session.flush()
    await state_profile(session, HubProfileChangedV1, hub, now=now, ids=ids)
    return hub


def _columns(profile: HubProfile) -> dict[str, Any]:
    columns = profile.model_dump(exclude={"id"}, mode="json")
    return columns | {"words": words_of(profile)}


async def state_profile(
    session: AsyncSession, fact: type[ProfileFact], hub: Hub, *, now: datetime, ids: Ids
) -> None:
    """State the hub's profile as it is."""
    await emit(
        session,
        fact(
            id=ids(),
            hub=hub.slug,
            occurred_at=now,
            subject=hub.slug,
            subject_version=hub.version,
            name=hub.name,
            kind=hub.kind,
            municipality=hub.municipality,
            region=hub.region,
            country=hub.country,
            time_zone=hub.time_zone,
            languages=tuple(hub.languages),
            modules=tuple(hub.modules),
            cell=hub.cell,
        ),
    )


async def state_again(session: AsyncSession, hub: Hub, *, now: datetime, ids: Ids) -> None:
    """State the hub's profile as it is."""
    await state_profile(session, HubSnapshotV1, hub, now=now, ids=ids)


async def restate_hubs(
    session: AsyncSession, after: str, *, clock: Clock, ids: Ids
) -> tuple[int, str | None]:
    """State the next hubs' profiles as they are: how many, and where to go on."""
    following = select(Hub).where(Hub.slug > after).order_by(Hub.slug).limit(RESTATED_AT_ONCE)
    hubs = (await session.scalars(following)).all()
    for hub in hubs:
        await state_again(session, hub, now=clock(), ids=ids)
    return len(hubs), hubs[-1].slug if len(hubs) == RESTATED_AT_ONCE else None


async def hub_called(session: AsyncSession, slug: str) -> Hub:
    """The hub; NotFound when there is none of that slug."""
    hub = await session.get(Hub, slug)
    if hub is None:
        raise NotFound(f"There is no hub {slug}.", field="hub")
    return hub
