"""`/v1/hubs/{hub}/spaces`, `…/availability` and `…/occupancy`: what there is, what is free, how full it is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.responses import answer, expected_version, listing
from services.gateway.routes.parts import (
    SIGN_IN,
    Acting,
    Base,
    Cursor,
    IfMatch,
    Limit,
    Looking,
    Ordering,
    SpaceId,
    StrictRoute,
    said,
)
from shared.contracts.booking.requests import (
    ChangeSpace,
    GetAvailability,
    GetOccupancy,
    GetSpace,
    ListSpaces,
    NewSpace,
    OccupancyFigures,
    OpenSpace,
    SpaceAvailability,
    SpaceChange,
    SpaceView,
)
from shared.contracts.booking.words import SpaceKind

router = APIRouter(route_class=StrictRoute, prefix="/v1/hubs/{hub}", tags=["spaces"])


class AvailabilityListing(Listing[SpaceAvailability]):
    """What is free at one time, space by space."""

    start: AwareDatetime
    end: AwareDatetime
    time_zone: str


class OccupancyListing(Listing[OccupancyFigures]):
    """How full the hub and each of its spaces are."""

    hub: str
    total: OccupancyFigures


Moment = Annotated[
    str,
    Query(
        min_length=10,
        max_length=40,
        description="With offset, or as wall time in the hub's zone.",
        examples=["2027-03-01T10:00"],
    ),
]


@router.get("/spaces", response_model=Listing[SpaceView], responses=NOT_MODIFIED | refusals())
async def list_spaces(
    visit: Looking, base: Base, kind: SpaceKind | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """The spaces of a hub with their rules. Open to everybody."""
    wanted = ListSpaces(hub=visit.hub, kind=kind, limit=limit, cursor=cursor)
    return listing(visit.request, await visit.asked(wanted), base)


@router.post(
    "/spaces", status_code=201, response_model=SpaceView, responses=refusals(403, 409), dependencies=SIGN_IN
)
async def open_space(visit: Ordering, body: NewSpace) -> Response:
    """Open a space: of new units, or of other spaces' units. For operators and admins."""
    reply = await visit.asked(OpenSpace(hub=visit.hub, **said(body)))
    return answer(visit.request, reply, location=f"/v1/hubs/{visit.hub}/spaces/{body.id}")


@router.get("/spaces/{space}", response_model=SpaceView, responses=NOT_MODIFIED | refusals())
async def get_space(visit: Looking, space: SpaceId) -> Response:
    """One space. Open to everybody."""
    return answer(visit.request, await visit.asked(GetSpace(hub=visit.hub, space=space)))


@router.patch(
    "/spaces/{space}",
    response_model=SpaceView,
    responses=refusals(403, 409, 412, 428),
    dependencies=SIGN_IN,
)
async def change_space(
    visit: Acting, space: SpaceId, body: SpaceChange, if_match: IfMatch = None
) -> Response:
    """Change a space; bookings made before keep their rules. For operators and admins."""
    version = expected_version(if_match)
    wanted = ChangeSpace(hub=visit.hub, space=space, version=version, **said(body))
    return answer(visit.request, await visit.asked(wanted))


@router.get("/availability", response_model=AvailabilityListing, responses=NOT_MODIFIED | refusals())
async def get_availability(
    visit: Looking,
    base: Base,
    start: Annotated[Moment, Query(alias="from")],
    end: Annotated[Moment, Query(alias="to")],
    kind: SpaceKind | None = None,
    seats: Annotated[int, Query(ge=1, le=2000)] = 1,
) -> Response:
    """What is free from one time to another, and what is in the way. Open to everybody; never says who."""
    wanted = GetAvailability(hub=visit.hub, start=start, end=end, kind=kind, seats=seats)
    return listing(visit.request, await visit.asked(wanted), base)


@router.get("/occupancy", response_model=OccupancyListing, responses=NOT_MODIFIED | refusals())
async def get_occupancy(visit: Looking, base: Base) -> Response:
    """How full it is now: numbers for the hub's staff, protected figures for everybody else."""
    return listing(visit.request, await visit.asked(GetOccupancy(hub=visit.hub)), base)
