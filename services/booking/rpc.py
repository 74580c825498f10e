"""Requests in: one short function per operation, which calls a command or a query."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.commands import bookings, moving, spaces
from services.booking.queries import bookings as booking_queries
from services.booking.queries import claims, occupancy
from services.booking.queries import spaces as space_queries
from services.booking.queries.export import EXPORTED
from shared.contracts.base import Request
from shared.contracts.booking.requests import (
    AvailabilityView,
    BookingPage,
    BookingView,
    CancelBooking,
    ChangeSpace,
    CheckIn,
    CheckOut,
    ConfirmBooking,
    GetAvailability,
    GetBooking,
    GetOccupancy,
    GetSpace,
    ListBookings,
    ListMyBookings,
    ListSpaces,
    MoveBooking,
    OccupancyView,
    OpenSpace,
    SpacePage,
    SpaceView,
)
from shared.contracts.directory.words import OPERATORS
from shared.contracts.exporting import ExportMyBookings
from shared.kit.exporting import exports
from shared.kit.ids import Ids
from shared.kit.principal import require_role, required
from shared.kit.rpc import Call, Handler


def reads() -> dict[type[Request[Any]], Handler]:
    """Questions."""
    return {
        ListSpaces: _list_spaces,
        GetSpace: _get_space,
        GetAvailability: _get_availability,
        GetBooking: _get_booking,
        ListBookings: _list_bookings,
        ListMyBookings: _list_my_bookings,
        GetOccupancy: _get_occupancy,
        **exports(ExportMyBookings, EXPORTED),
    }


async def _list_spaces(session: AsyncSession, request: ListSpaces, _: Call) -> SpacePage:
    return await space_queries.list_spaces(session, request)


async def _get_space(session: AsyncSession, request: GetSpace, _: Call) -> SpaceView:
    return await space_queries.get_space(session, request)


async def _get_availability(session: AsyncSession, request: GetAvailability, call: Call) -> AvailabilityView:
    return await claims.get_availability(session, request, now=call.now)


async def _get_booking(session: AsyncSession, request: GetBooking, call: Call) -> BookingView:
    return await booking_queries.get_booking(session, request, call.principal)


async def _list_bookings(session: AsyncSession, request: ListBookings, call: Call) -> BookingPage:
    return await booking_queries.list_bookings(session, request, call.principal)


async def _list_my_bookings(session: AsyncSession, request: ListMyBookings, call: Call) -> BookingPage:
    return await booking_queries.list_my_bookings(session, request, call.principal)


async def _get_occupancy(session: AsyncSession, request: GetOccupancy, call: Call) -> OccupancyView:
    return await occupancy.get_occupancy(session, request, call.principal, now=call.now)


def changes(ids: Ids, chance: random.Random) -> dict[type[Request[Any]], Handler]:
    """Orders; reserving is answered directly, see `commands/reserving.py`."""
    return _about_spaces(ids) | _about_bookings(ids, chance) | _about_presence(ids)


def _about_spaces(ids: Ids) -> dict[type[Request[Any]], Handler]:
    async def open_space(session: AsyncSession, request: OpenSpace, call: Call) -> SpaceView:
        require_role(call.principal, request.hub, OPERATORS, "Opening a space")
        space = await spaces.open_space(session, request, now=call.now, ids=ids)
        return await _space(session, space.hub, space.slug)

    async def change_space(session: AsyncSession, request: ChangeSpace, call: Call) -> SpaceView:
        require_role(call.principal, request.hub, OPERATORS, "Changing a space")
        space = await spaces.change_space(session, request, now=call.now, ids=ids)
        return await _space(session, space.hub, space.slug)

    return {OpenSpace: open_space, ChangeSpace: change_space}


def _about_bookings(ids: Ids, chance: random.Random) -> dict[type[Request[Any]], Handler]:
    async def confirm(session: AsyncSession, request: ConfirmBooking, call: Call) -> BookingView:
        who = required(call.principal)
        booking = await bookings.load(session, request.hub, request.booking, who)
        await bookings.confirm(session, booking, by=who.person, now=call.now, ids=ids)
        return booking_queries.view_of(booking)

    async def move(session: AsyncSession, request: MoveBooking, call: Call) -> BookingView:
        who = required(call.principal)
        booking = await moving.move(session, request, who, now=call.now, ids=ids, chance=chance)
        return booking_queries.view_of(booking)

    async def cancel(session: AsyncSession, request: CancelBooking, call: Call) -> BookingView:
        who = required(call.principal)
        booking = await bookings.load(session, request.hub, request.booking, who)
        await bookings.cancel(session, booking, by=who.person, now=call.now, ids=ids, reason=request.reason)
        return booking_queries.view_of(booking)

    return {ConfirmBooking: confirm, MoveBooking: move, CancelBooking: cancel}


def _about_presence(ids: Ids) -> dict[type[Request[Any]], Handler]:
    async def check_in(session: AsyncSession, request: CheckIn, call: Call) -> BookingView:
        who = required(call.principal)
        booking = await bookings.load(session, request.hub, request.booking, who)
        bookings.may_check_in(booking, who)
        await bookings.check_in(session, booking, by=who.person, now=call.now, ids=ids)
        return booking_queries.view_of(booking)

    async def check_out(session: AsyncSession, request: CheckOut, call: Call) -> BookingView:
        who = required(call.principal)
        booking = await bookings.load(session, request.hub, request.booking, who)
        bookings.may_check_in(booking, who)
        await bookings.check_out(session, booking, by=who.person, now=call.now, ids=ids)
        return booking_queries.view_of(booking)

    return {CheckIn: check_in, CheckOut: check_out}


async def _space(session: AsyncSession, hub: str, slug: str) -> SpaceView:
    return await space_queries.get_space(session, GetSpace(hub=hub, space=slug))
