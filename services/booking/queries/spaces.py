"""Reading spaces: as everybody sees them, and as the commands need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.rules.claims import Units, by_seat, from_multirange
from shared.contracts.booking.requests import GetSpace, ListSpaces, SpacePage, SpaceView
from shared.contracts.booking.space_rules import SpaceRules
from shared.kit.errors import NotFound

_SELECT = """
    SELECT s.hub, s.slug, s.name, s.kind, s.capacity, s.units::text AS units, s.made_of, s.rules, s.guarded, s.active,
           s.version, h.time_zone
    FROM space s JOIN hub h ON h.slug = s.hub WHERE s.hub = :hub
"""
_ONE = text(_SELECT + " AND s.slug = :space")
# A booking may get the flag of the second constraint wrong if the space is changed while it is being moved.
_ONE_KEPT = text(_SELECT + " AND s.slug = :space FOR SHARE OF s")
_PAGE = text(
    _SELECT
    + " AND (CAST(:kind AS text) IS NULL OR s.kind = :kind) AND s.slug > :after ORDER BY s.slug LIMIT :limit"
)
_ALL = text(_SELECT + " AND s.active AND (CAST(:kind AS text) IS NULL OR s.kind = :kind) ORDER BY s.slug")
_ZONE = text("SELECT time_zone FROM hub WHERE slug = :hub")


@dataclass(frozen=True)
class SpaceTerms:
    """What a command needs to know of a space in one version."""

    hub: str
    slug: str
    name: str
    kind: str
    units: Units
    capacity: int
    rules: SpaceRules
    zone: ZoneInfo
    guarded: bool
    active: bool
    version: int

    @property
    def by_seat(self) -> bool:
        """True when its units are taken one by one."""
        return by_seat(self.kind)

    @property
    def most_seats(self) -> int:
        """How many seats one booking can have: the units there are, or the people a whole space takes."""
        return len(self.units) if self.by_seat else self.capacity


def _terms(row: Any) -> SpaceTerms:
    return SpaceTerms(
        hub=row["hub"],
        slug=row["slug"],
        name=row["name"],
        kind=row["kind"],
        units=from_multirange(row["units"]),
        capacity=row["capacity"],
        rules=SpaceRules.model_validate(row["rules"]),
        zone=ZoneInfo(row["time_zone"]),
        guarded=row["guarded"],
        active=row["active"],
        version=row["version"],
    )


def _view(row: Any) -> SpaceView:
    units = from_multirange(row["units"])
    return SpaceView(
        id=row["slug"],
        hub=row["hub"],
        name=row["name"],
        kind=row["kind"],
        capacity=row["capacity"],
        units=units,
        seats=len(units) if by_seat(row["kind"]) else 1,
        made_of=tuple(row["made_of"]),
        time_zone=row["time_zone"],
        rules=SpaceRules.model_validate(row["rules"]),
        active=row["active"],
        version=row["version"],
    )


async def zone_of(session: AsyncSession, hub: str) -> ZoneInfo:
    """The hub's time zone; NotFound when booking has not heard of the hub."""
    zone = (await session.execute(_ZONE, {"hub": hub})).scalar()
    if zone is None:
        raise NotFound(f"There is no hub {hub}.", field="hub")
    return ZoneInfo(zone)


async def terms_of(session: AsyncSession, hub: str, space: str, *, keep: bool = False) -> SpaceTerms:
    """One space as a command needs it; NotFound when the hub has no such space.

    With `keep` nobody changes the space until the caller's transaction ends.
    """
    statement = _ONE_KEPT if keep else _ONE
    row = (await session.execute(statement, {"hub": hub, "space": space})).mappings().first()
    if row is None:
        raise NotFound(f"There is no space {space} in {hub}.", field="space")
    return _terms(row)


async def all_terms(session: AsyncSession, hub: str, kind: str | None = None) -> list[SpaceTerms]:
    """All spaces of a hub that can be booked."""
    rows = (await session.execute(_ALL, {"hub": hub, "kind": kind})).mappings()
    return [_terms(row) for row in rows]


async def get_space(session: AsyncSession, request: GetSpace) -> SpaceView:
    """One space."""
    row = (await session.execute(_ONE, {"hub": request.hub, "space": request.space})).mappings().first()
    if row is None:
        raise NotFound(f"There is no space {request.space} in {request.hub}.")
    return _view(row)


async def list_spaces(session: AsyncSession, request: ListSpaces) -> SpacePage:
    """A page of a hub's spaces; NotFound when there is no such hub."""
    await zone_of(session, request.hub)
    asked = {
        "hub": request.hub,
        "kind": request.kind,
        "after": request.cursor or "",
        "limit": request.limit + 1,
    }
    rows = (await session.execute(_PAGE, asked)).mappings().all()
    items = tuple(_view(row) for row in rows[: request.limit])
    return SpacePage(items=items, cursor=items[-1].id if len(rows) > request.limit else None)
