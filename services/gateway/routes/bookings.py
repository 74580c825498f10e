"""`/v1/hubs/{hub}/bookings`: reserve, see, move, confirm, cancel, check in and out."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from services.gateway.client import Errand
from services.gateway.documents import HUB_ID, IDEMPOTENCY_KEY, NOT_MODIFIED, Listing, documented, refusals
from services.gateway.responses import answer, expected_version, id_in, listing
from services.gateway.routes.parts import (
    SIGN_IN,
    Acting,
    Base,
    BookingId,
    Cursor,
    IfMatch,
    Limit,
    Moment,
    Ordering,
    PlainRoute,
    StrictRoute,
    Visit,
    Words,
    key_in_header,
    parsed,
    said,
    services,
    signed_in,
    slug_in_path,
)
from shared.contracts.base import SLUG_PATTERN
from shared.contracts.base import Request as ServiceRequest
from shared.contracts.booking.requests import (
    BookingChange,
    BookingView,
    CancelBooking,
    Cancellation,
    CheckIn,
    CheckOut,
    ConfirmBooking,
    GetBooking,
    ListBookings,
    MoveBooking,
    NewBooking,
    Reserve,
)
from shared.contracts.booking.words import BookingStatus
from shared.contracts.directory.requests import AddMember, Guest, MembershipView
from shared.contracts.directory.words import Role

router = APIRouter(
    route_class=StrictRoute, prefix="/v1/hubs/{hub}/bookings", tags=["bookings"], dependencies=SIGN_IN
)
# Reserving takes the request as it is: FastAPI's solving of parameters costs as much as all the rest of the gateway.
hot = APIRouter(route_class=PlainRoute, prefix="/v1/hubs/{hub}/bookings", tags=["bookings"])

_ACT: dict[str, Any] = {"response_model": BookingView, "responses": refusals(403, 409)}
"""What every order about one booking has in common."""


class BookingBody(NewBooking):
    """A booking asked for; staff may book for a member, or for a first-time visitor who is registered with it."""

    person: UUID | Guest | None = Field(  # type: ignore[assignment]  # wider than what booking takes: see `_for_whom`
        default=None, description="Whom it is for: a person's id, or the name of a first-time visitor."
    )


EXAMPLES = {
    "a room": {
        "value": {
            "space": "room",
            "start": "2027-03-01T10:00",
            "end": "2027-03-01T11:00",
            "title": "Interview",
        }
    },
    "any two seats, held": {
        "value": {
            "space": "flex",
            "start": "2027-03-01T09:00:00+01:00",
            "end": "2027-03-01T16:00:00+01:00",
            "seats": 2,
            "hold": True,
        }
    },
}


@hot.post(
    "",
    status_code=201,
    response_model=BookingView,
    responses=refusals(403, 409),
    openapi_extra=documented(BookingBody, EXAMPLES, HUB_ID, IDEMPOTENCY_KEY),
)
async def reserve(request: Request) -> Response:
    """Book a space, or any seat of one. `hold` keeps it for a while, until it is confirmed."""
    person = await signed_in(request)
    ask = await services(request)
    hub, key = slug_in_path(request, "hub"), key_in_header(request)
    body = parsed(BookingBody, await request.body())
    wish = said(body)
    if isinstance(body.person, Guest):
        wish["person"] = await _register(ask, person, hub, body.person, key)
    # The body is validated already; building the request from it must not cost as much again.
    reply = await ask.ask_in(hub, Reserve.model_construct(hub=hub, **wish), person=person, key=key)
    return answer(request, reply, location=f"/v1/hubs/{hub}/bookings/{id_in(reply)}")


async def _register(ask: Errand, person: UUID, hub: str, guest: Guest, key: str | None) -> UUID:
    # A key of its own: the caller may have used the same one for letting somebody in.
    own = None if key is None else f"guest {blake2b(key.encode(), digest_size=16).hexdigest()}"
    wanted = AddMember(hub=hub, person=guest, role=Role.VISITOR)
    reply = await ask.ask_in(hub, wanted, person=person, key=own)
    return MembershipView.model_validate_json(reply.body).person


@router.get("", response_model=Listing[BookingView], responses=NOT_MODIFIED | refusals(403))
async def list_bookings(
    visit: Acting,
    base: Base,
    start: Annotated[Moment, Query(alias="from", description="Only bookings that end after this.")] = None,
    end: Annotated[Moment, Query(alias="to", description="Only bookings that start before this.")] = None,
    space: Annotated[str | None, Query(pattern=SLUG_PATTERN)] = None,
    status: Annotated[list[BookingStatus] | None, Query(max_length=6)] = None,
    of: Annotated[UUID | None, Query(alias="person")] = None,
    calendar: Annotated[Words, Query(max_length=200, description="Only imported from this calendar.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The hub's bookings by time, for its staff."""
    wanted = ListBookings(
        hub=visit.hub,
        start=start,
        end=end,
        space=space,
        status=tuple(status or ()),
        person=of,
        calendar=calendar,
        limit=limit,
        cursor=cursor,
    )
    return listing(visit.request, await visit.asked(wanted), base)


@router.get("/{booking}", response_model=BookingView, responses=NOT_MODIFIED | refusals())
async def get_booking(visit: Acting, booking: BookingId) -> Response:
    """One booking, for its person, for who made it, and for the hub's staff."""
    return await _one(visit, GetBooking, booking)


@router.patch("/{booking}", response_model=BookingView, responses=refusals(403, 409, 412, 428))
async def move_booking(
    visit: Acting, booking: BookingId, body: BookingChange, if_match: IfMatch = None
) -> Response:
    """Give a booking another time, space, number of seats or title."""
    return await _one(visit, MoveBooking, booking, version=expected_version(if_match), **said(body))


@router.post("/{booking}/confirm", **_ACT)
async def confirm_booking(visit: Ordering, booking: BookingId) -> Response:
    """Turn a hold into a booking."""
    return await _one(visit, ConfirmBooking, booking)


@router.post("/{booking}/cancel", **_ACT)
async def cancel_booking(visit: Ordering, booking: BookingId, body: Cancellation | None = None) -> Response:
    """Give the place back. Cancelling twice changes nothing."""
    return await _one(visit, CancelBooking, booking, **said(body))


@router.post("/{booking}/check-in", **_ACT)
async def check_in(visit: Ordering, booking: BookingId) -> Response:
    """The person is there; said by themselves or by the hub's staff."""
    return await _one(visit, CheckIn, booking)


@router.post("/{booking}/check-out", **_ACT)
async def check_out(visit: Ordering, booking: BookingId) -> Response:
    """The person goes; the place is free for the rest of the time."""
    return await _one(visit, CheckOut, booking)


async def _one(
    visit: Visit, wanted: Callable[..., ServiceRequest[BookingView]], booking: UUID, **more: Any
) -> Response:
    return answer(visit.request, await visit.asked(wanted(hub=visit.hub, booking=booking, **more)))
