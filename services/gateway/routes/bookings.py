"""`/v1/hubs/{hub}/bookings`: reserve, see, move, confirm, cancel, check in and out."""

from __future__ import annotations

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
    Ask,
    Base,
    BookingId,
    Cursor,
    HubId,
    IdempotencyKey,
    IfMatch,
    Limit,
    Moment,
    PlainRoute,
    Somebody,
    StrictRoute,
    Words,
    key_in_header,
    parsed,
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
    wish: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
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
    request: Request,
    ask: Ask,
    base: Base,
    person: Somebody,
    hub: HubId,
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
        hub=hub,
        start=start,
        end=end,
        space=space,
        status=tuple(status or ()),
        person=of,
        calendar=calendar,
        limit=limit,
        cursor=cursor,
    )
    return listing(request, await ask.ask_in(hub, wanted, person=person), base)


@router.get("/{booking}", response_model=BookingView, responses=NOT_MODIFIED | refusals())
async def get_booking(
    request: Request, ask: Ask, person: Somebody, hub: HubId, booking: BookingId
) -> Response:
    """One booking, for its person, for who made it, and for the hub's staff."""
    return await _one(request, ask, GetBooking(hub=hub, booking=booking), person)


@router.patch("/{booking}", response_model=BookingView, responses=refusals(403, 409, 412, 428))
async def move_booking(
    request: Request,
    ask: Ask,
    person: Somebody,
    hub: HubId,
    booking: BookingId,
    body: BookingChange,
    if_match: IfMatch = None,
) -> Response:
    """Give a booking another time, space, number of seats or title."""
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    version = expected_version(if_match)
    return await _one(request, ask, MoveBooking(hub=hub, booking=booking, version=version, **changes), person)


@router.post("/{booking}/confirm", response_model=BookingView, responses=refusals(403, 409))
async def confirm_booking(
    request: Request, ask: Ask, person: Somebody, hub: HubId, booking: BookingId, key: IdempotencyKey = None
) -> Response:
    """Turn a hold into a booking."""
    return await _one(request, ask, ConfirmBooking(hub=hub, booking=booking), person, key)


@router.post("/{booking}/cancel", response_model=BookingView, responses=refusals(403, 409))
async def cancel_booking(
    request: Request,
    ask: Ask,
    person: Somebody,
    hub: HubId,
    booking: BookingId,
    body: Cancellation | None = None,
    key: IdempotencyKey = None,
) -> Response:
    """Give the place back. Cancelling twice changes nothing."""
    reason = {} if body is None or body.reason is None else {"reason": body.reason}
    return await _one(request, ask, CancelBooking(hub=hub, booking=booking, **reason), person, key)


@router.post("/{booking}/check-in", response_model=BookingView, responses=refusals(403, 409))
async def check_in(
    request: Request, ask: Ask, person: Somebody, hub: HubId, booking: BookingId, key: IdempotencyKey = None
) -> Response:
    """The person is there; said by themselves or by the hub's staff."""
    return await _one(request, ask, CheckIn(hub=hub, booking=booking), person, key)


@router.post("/{booking}/check-out", response_model=BookingView, responses=refusals(403, 409))
async def check_out(
    request: Request, ask: Ask, person: Somebody, hub: HubId, booking: BookingId, key: IdempotencyKey = None
) -> Response:
    """The person goes; the place is free for the rest of the time."""
    return await _one(request, ask, CheckOut(hub=hub, booking=booking), person, key)


async def _one(
    request: Request, ask: Errand, wanted: ServiceRequest[BookingView], person: UUID, key: str | None = None
) -> Response:
    hub: str = request.path_params["hub"]
    return answer(request, await ask.ask_in(hub, wanted, person=person, key=key))
