"""`/v1/me`: the signed-in person, what they have booked and what they go to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.responses import BY_LANGUAGE, answer, listing
from services.gateway.routes.parts import (
    SIGN_IN,
    Ask,
    Base,
    Cursor,
    Few,
    Instant,
    Limit,
    Somebody,
    StrictRoute,
    Tongue,
)
from shared.contracts.booking.requests import BookingView, ListMyBookings
from shared.contracts.booking.words import BookingStatus
from shared.contracts.directory.requests import GetMe, PersonView
from shared.contracts.events.requests import ListMyEvents
from shared.contracts.events.views import EventView

router = APIRouter(route_class=StrictRoute, prefix="/v1/me", tags=["me"], dependencies=SIGN_IN)


@router.get("", response_model=PersonView, responses=NOT_MODIFIED | refusals())
async def get_me(request: Request, ask: Ask, person: Somebody) -> Response:
    """Who I am, and my roles in hubs."""
    return answer(request, await ask.ask(GetMe(), person=person))


@router.get("/bookings", response_model=Listing[BookingView], responses=NOT_MODIFIED | refusals())
async def list_my_bookings(
    request: Request,
    ask: Ask,
    base: Base,
    person: Somebody,
    start: Annotated[
        Instant | None, Query(alias="from", description="Only those that end after this.")
    ] = None,
    end: Annotated[
        Instant | None, Query(alias="to", description="Only those that start before this.")
    ] = None,
    status: Annotated[list[BookingStatus] | None, Query(max_length=6)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """My bookings in all hubs, by time."""
    wanted = ListMyBookings(start=start, end=end, status=tuple(status or ()), limit=limit, cursor=cursor)
    return listing(request, await ask.ask(wanted, person=person), base)


@router.get("/events", response_model=Listing[EventView], responses=NOT_MODIFIED | refusals())
async def list_my_events(
    request: Request,
    ask: Ask,
    base: Base,
    person: Somebody,
    language: Tongue,
    start: Annotated[
        Instant | None, Query(alias="from", description="Only those that end after this.")
    ] = None,
    end: Annotated[
        Instant | None, Query(alias="to", description="Only those that start before this.")
    ] = None,
    limit: Few = 50,
    cursor: Cursor = None,
) -> Response:
    """Events I have signed up for or run, in all hubs, by time."""
    wanted = ListMyEvents(start=start, end=end, language=language, limit=limit, cursor=cursor)
    return listing(request, await ask.ask(wanted, person=person), base, vary=BY_LANGUAGE)
