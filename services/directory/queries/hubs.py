"""Reading hubs, for everybody."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.rules.hubs import search_patterns
from services.directory.tables import Hub, folded
from shared.contracts.directory.requests import (
    HubPage,
    HubView,
    ListHubs,
)
from shared.kit.errors import NotFound

# What is not asked for does not stand in the statement, so that the planner sees which index answers the rest.
_FILTERS = {
    "municipality": f"{folded('municipality')} = {folded(':municipality')}",
    "region": f"{folded('region')} = {folded(':region')}",
    "country": "country = :country",
    "kind": "kind = :kind",
}


def hub_view(hub: Any) -> HubView:
    """A hub row, ORM object or plain, as everybody sees it."""
    return HubView(
        id=hub.slug,
        name=hub.name,
        kind=hub.kind,
        address=hub.address,
        municipality=hub.municipality,
        region=hub.region,
        country=hub.country,
        time_zone=hub.time_zone,
        languages=tuple(hub.languages),
        modules=tuple(hub.modules),
        offers=tuple(hub.offers),
        about=hub.about,
        cell=hub.cell,
        version=hub.version,
    )


async def get_hub(session: AsyncSession, slug: str) -> HubView:
    """One hub."""
    hub = await session.get(Hub, slug)
    if hub is None:
        raise NotFound(f"There is no hub {slug}.")
    return hub_view(hub)


async def list_hubs(session: AsyncSession, request: ListHubs) -> HubPage:
    """A page of hubs that match every given filter."""
    asked: dict[str, Any] = {"after": request.cursor or "", "limit": request.limit + 1}
    where = ["slug > :after"]
    for name, condition in _FILTERS.items():
        wanted = getattr(request, name)
        if wanted is not None:
            asked[name] = str(wanted)
            where.append(condition)
    for number, pattern in enumerate(search_patterns(request.q or "")):
        asked[f"q{number}"] = pattern
        where.append(f"words LIKE :q{number}")
    statement = f"SELECT * FROM hub WHERE {' AND '.join(where)} ORDER BY slug LIMIT :limit"  # noqa: S608  # constants
    rows = (await session.execute(text(statement), asked)).all()
    items = tuple(hub_view(row) for row in rows[: request.limit])
    return HubPage(items=items, cursor=items[-1].id if len(rows) > request.limit else None)
