"""Reading bookings: mine, a hub's, one; and the view of a booking."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.queries.spaces import zone_of
from services.booking.rules.claims import from_multirange
from services.booking.rules.times import LONGEST_BOOKING
from services.booking.tables import Booking
from shared.contracts.booking.requests import (
    BookingPage,
    BookingView,
    GetBooking,
    ListBookings,
    ListMyBookings,
    Source,
)
from shared.contracts.directory.words import STAFF
from shared.kit.errors import Invalid, NotFound
from shared.kit.moments import moment, storable
from shared.kit.principal import Principal, require_role, required

_COLUMNS = """
    id, hub, space, units::text AS units, seats, starts_at, ends_at, status, title, person, booked_by, time_zone,
    rules_version, expires_at, cancel_reason, calendar, uid, recurrence_id, event, version,
    created_at
"""
# `after_start` bounds the walk through the index from below: no booking that still matters began before it.
_FILTER = """
    (CAST(:start AS timestamptz) IS NULL OR ends_at > :start)
    AND (CAST(:end AS timestamptz) IS NULL OR starts_at < :end)
    AND (CAST(:statuses AS text[]) = '{}' OR status = ANY(:statuses))
    AND (starts_at, id) > (CAST(:after_start AS timestamptz), CAST(:after_id AS uuid))
    ORDER BY starts_at, id LIMIT :limit
"""
_IN_HUB = """
    hub = :hub AND (CAST(:space AS text) IS NULL OR space = :space)
    AND (CAST(:calendar AS text) IS NULL OR calendar = :calendar)
"""


def _select(where: str) -> Any:
    return text(f"SELECT {_COLUMNS} FROM booking WHERE {where}")  # noqa: S608  # made of the constants above


_HUB = _select(f"{_IN_HUB} AND {_FILTER}")
_PERSON_IN_HUB = _select(f"person = :person AND {_IN_HUB} AND {_FILTER}")
_MINE = _select(f"person = :person AND {_FILTER}")
_ONE = _select("hub = :hub AND id = :booking")
_NOBODY = UUID(int=0)
_BEGINNING = datetime.fromisoformat("0001-01-02T00:00:00+00:00")


def view_of(booking: Booking) -> BookingView:
    """The view of a booking in hand."""
    return _view(vars(booking), booking.units)


def _view(row: Mapping[Any, Any], units: tuple[int, ...]) -> BookingView:
    zone = ZoneInfo(row["time_zone"])
    source = None
    if row["calendar"] is not None:
        source = Source(calendar=row["calendar"], uid=row["uid"], recurrence_id=row["recurrence_id"])
    return BookingView(
        id=row["id"],
        hub=row["hub"],
        space=row["space"],
        units=units,
        seats=row["seats"],
        start=row["starts_at"].astimezone(zone),
        end=row["ends_at"].astimezone(zone),
        time_zone=row["time_zone"],
        status=row["status"],
        title=row["title"],
        person=row["person"],
        booked_by=row["booked_by"],
        source=source,
        event=row["event"],
        expires_at=row["expires_at"],
        cancel_reason=row["cancel_reason"],
        rules_version=row["rules_version"],
        version=row["version"],
        created_at=row["created_at"],
    )


def may_see(principal: Principal, hub: str, *people: UUID) -> bool:
    """A booking is seen by its person, by who made it, and by the hub's staff."""
    return principal.person in people or principal.within(hub) in STAFF


def no_such_booking(booking: UUID) -> NotFound:
    """Said alike when there is none and when it is not yours to see."""
    return NotFound(f"There is no booking {booking} here.")


async def get_booking(session: AsyncSession, request: GetBooking, principal: Principal | None) -> BookingView:
    """One booking, for those who may see it."""
    known = required(principal)
    row = (await session.execute(_ONE, {"hub": request.hub, "booking": request.booking})).mappings().first()
    if row is None or not may_see(known, request.hub, row["person"], row["booked_by"]):
        raise no_such_booking(request.booking)
    return _view(row, from_multirange(row["units"]))


async def list_bookings(
    session: AsyncSession, request: ListBookings, principal: Principal | None
) -> BookingPage:
    """A page of a hub's bookings, for its staff."""
    require_role(principal, request.hub, STAFF, "Seeing a hub's bookings")
    zone = await zone_of(session, request.hub)
    asked = {
        "hub": request.hub,
        "space": request.space,
        "person": request.person,
        "calendar": request.calendar,
        "start": None if request.start is None else moment(request.start, zone, "start"),
        "end": None if request.end is None else moment(request.end, zone, "end"),
    }
    statement = _HUB if request.person is None else _PERSON_IN_HUB
    return await _page(session, statement, asked, request)


async def list_my_bookings(
    session: AsyncSession, request: ListMyBookings, principal: Principal | None
) -> BookingPage:
    """A page of the signed-in person's bookings in all hubs."""
    asked = {
        "person": required(principal).person,
        "start": None if request.start is None else storable(request.start, "start"),
        "end": None if request.end is None else storable(request.end, "end"),
    }
    return await _page(session, _MINE, asked, request)


async def _page(
    session: AsyncSession, statement: Any, asked: dict[str, Any], request: ListBookings | ListMyBookings
) -> BookingPage:
    after_start, after_id = _after(request.cursor, asked["start"])
    asked |= {"statuses": list(request.status), "after_start": after_start, "after_id": after_id}
    rows = (await session.execute(statement, asked | {"limit": request.limit + 1})).mappings().all()
    shown = rows[: request.limit]
    cursor = None
    if len(rows) > request.limit:
        cursor = f"{shown[-1]['starts_at'].isoformat()}_{shown[-1]['id']}"
    return BookingPage(items=tuple(_view(row, from_multirange(row["units"])) for row in shown), cursor=cursor)


def _after(cursor: str | None, ends_after: datetime | None) -> tuple[datetime, UUID]:
    """Where the page begins: after the last one, or with the first booking that can last until `ends_after`."""
    if cursor is not None:
        return _read_cursor(cursor)
    earliest = _BEGINNING + LONGEST_BOOKING
    return (
        _BEGINNING if ends_after is None or ends_after < earliest else ends_after - LONGEST_BOOKING
    ), _NOBODY


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    start, _, booking = cursor.partition("_")
    try:
        after, last = datetime.fromisoformat(start), UUID(booking)
    except ValueError:
        raise _not_ours() from None
    if after.tzinfo is None:
        raise _not_ours()
    return storable(after, "cursor"), last


def _not_ours() -> Invalid:
    return Invalid("This cursor is not one of ours; start again without it.", field="cursor")
