"""Occupancy as everybody is shown it: asked for at booking, because what may be shown to all is decided there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from uuid import UUID

from services.gateway.live.hall import Hall
from services.gateway.live.rooms import Figures, Room
from shared.contracts.booking.requests import GetOccupancy, OccupancyFigures, OccupancyView
from shared.contracts.live import PUBLIC_OCCUPANCY_TYPE
from shared.kit.envelopes import message
from shared.kit.errors import FociError
from shared.kit.telemetry import logger

log = logger(__name__)

EVERY = timedelta(minutes=5)
"""Public figures change only at full five minutes (ADR 5)."""
PATIENCE = timedelta(minutes=1)
"""So long booking may be late with them; after that the next five minutes are waited for."""
ASKED_AT_ONCE = 8


class PublicOccupancy:
    """Keeps the public figures of the hubs that somebody follows without being staff.

    A hub is asked for when the first such reader comes, and again at the next full five minutes after its exact figures
    have changed: nobody is asked about a hub in which nothing happens.
    """

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._asking: dict[str, asyncio.Lock] = {}
        self._at_once = asyncio.Semaphore(ASKED_AT_ONCE)

    async def known(self, hub: str) -> None:
        """Return when the hub's figures are there; however many want them, booking is asked once."""
        lock = self._asking.setdefault(hub, asyncio.Lock())
        try:
            async with lock:
                if self._hall.room(hub).figures is None:
                    await self._ask(hub)
        finally:
            if not lock.locked():
                self._asking.pop(hub, None)

    async def keep_up(self, now: datetime) -> None:
        """Once a second: ask for what must have changed by now; forget what nobody follows."""
        due = []
        for room in self._hall.rooms.values():
            if room.figures is None:
                continue
            if not any(view.public_figures for view in room.readers):
                room.figures = None
            elif (
                room.changed_at is not None and now >= next_five(room.changed_at) and is_soon_after_five(now)
            ):
                due.append(room)
        await asyncio.gather(*(self._refresh(room) for room in due))

    async def _refresh(self, room: Room) -> None:
        changed_at = room.changed_at
        if changed_at is None:
            return
        try:
            async with self._at_once:
                shown_at = await self._ask(room.hub)
        except FociError as error:
            log.warning("public occupancy cannot be asked for; trying again", hub=room.hub, error=error)
            return
        # Booking publishes at the same moment as we ask, by its own clock: asked again until it has.
        if room.changed_at == changed_at and shown_at >= next_five(changed_at):
            room.changed_at = None

    async def _ask(self, hub: str) -> datetime:
        wanted = GetOccupancy(hub=hub)
        reply = await self._hall.services.errand().ask_in(hub, wanted, person=None)
        view = OccupancyView.model_validate_json(reply.body)
        self._hall.tell_figures(hub, _figures(hub, (*view.items, view.total)))
        return view.total.at


def next_five(moment: datetime) -> datetime:
    """The first full five minutes after a moment."""
    return moment + EVERY - _since_five(moment)


def is_soon_after_five(moment: datetime) -> bool:
    """Whether booking may just now be about to publish."""
    return _since_five(moment) < PATIENCE


def _since_five(moment: datetime) -> timedelta:
    return (moment - datetime.min.replace(tzinfo=UTC)) % EVERY


def _figures(hub: str, shown: Iterable[OccupancyFigures]) -> Figures:
    numbers = {one.space: f"{one.capacity} {one.booked} {one.free} {one.present}" for one in shown}
    return Figures(
        mark=blake2b(f"{hub} {numbers}".encode(), digest_size=8).digest(),
        numbers=numbers,
        bodies={one.space: _body(hub, one) for one in shown},
    )


def _body(hub: str, one: OccupancyFigures) -> str:
    # The same figures are the same message, whichever replica tells of them.
    said = one.model_dump(mode="json")
    return message(
        id=UUID(bytes=blake2b(f"{hub} {said}".encode(), digest_size=16).digest(), version=5),
        source=f"/hubs/{hub}/booking",
        type=PUBLIC_OCCUPANCY_TYPE,
        subject=one.space,
        time=one.at,
        data={"hub": hub, **said},
    )
