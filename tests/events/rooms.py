"""What booking says about rooms, as it would, so that a story about events needs no second service."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from shared.contracts.base import Fact
from shared.contracts.booking.facts import (
    VenueConfirmedV1,
    VenueFreedV1,
    VenueHeldV1,
    VenueLostV1,
    VenueMovedV1,
    VenueRefusedV1,
)
from shared.contracts.booking.words import VenueLoss, VenueRefusal
from shared.contracts.events.facts import VenueAcceptedV1, VenueReleasedV1, VenueWantedV1
from tests.world import HUB, HearingWorld

F = TypeVar("F", bound=Fact)


class Rooms(HearingWorld):
    """A part of the world: each answer is taken in and returned."""

    async def _booking_says(self, fact: type[F], event: UUID, edition: int | None, **more: Any) -> F:
        subject = f"{event}/venue"
        wishes = await self.wishes(event)
        said = fact(
            id=self.ids(),
            hub=HUB,
            occurred_at=self.now,
            subject=subject,
            subject_version=self.version_of(subject),
            event=event,
            edition=edition or wishes[-1].edition,
            **more,
        )
        await self.hear(said)
        return said

    async def wishes(self, event: UUID) -> list[VenueWantedV1 | VenueAcceptedV1 | VenueReleasedV1]:
        """What the service has stated about an event's room, in order."""
        kinds = (VenueWantedV1, VenueAcceptedV1, VenueReleasedV1)
        return [one for one in await self.facts(*kinds) if isinstance(one, kinds) and one.event == event]

    async def wanted(self, event: UUID) -> VenueWantedV1:
        """The last room the event has asked for."""
        return [one for one in await self.wishes(event) if isinstance(one, VenueWantedV1)][-1]

    def booking_of(self, event: UUID) -> UUID:
        """The id booking gives to its booking for an event."""
        return UUID(int=event.int ^ (0xB << 100))

    async def held(self, event: UUID) -> VenueHeldV1:
        """Booking keeps the room that is wanted."""
        wish = await self.wanted(event)
        more = {"space": wish.space, "start": wish.start, "end": wish.end}
        until = self.now + timedelta(minutes=10)
        return await self._booking_says(
            VenueHeldV1, event, wish.edition, booking=self.booking_of(event), expires_at=until, **more
        )

    async def confirmed(self, event: UUID) -> VenueConfirmedV1:
        """Booking gives the room that is wanted."""
        wish = await self.wanted(event)
        more = {"space": wish.space, "start": wish.start, "end": wish.end}
        return await self._booking_says(
            VenueConfirmedV1, event, wish.edition, booking=self.booking_of(event), **more
        )

    async def agreed(self, event: UUID) -> None:
        """The whole way from the wish to the confirmed room."""
        await self.held(event)
        await self.confirmed(event)

    async def refused(
        self,
        event: UUID,
        because: VenueRefusal = VenueRefusal.SPACE_TAKEN,
        *,
        kept: bool = False,
        **more: Any,
    ) -> VenueRefusedV1:
        """Booking cannot give the room; with `kept` the one before stays."""
        booking = self.booking_of(event) if kept else None
        return await self._booking_says(
            VenueRefusedV1, event, None, because=because, kept=kept, booking=booking, **more
        )

    async def moved(
        self, event: UUID, space: str, start: datetime, end: datetime, by: str = "olga"
    ) -> VenueMovedV1:
        """Somebody moves the booking."""
        more = {"space": space, "start": start, "end": end, "by": self.person(by)}
        return await self._booking_says(VenueMovedV1, event, None, booking=self.booking_of(event), **more)

    async def lost(
        self, event: UUID, because: VenueLoss = VenueLoss.CANCELLED, by: str | None = "olga"
    ) -> VenueLostV1:
        """The booking is gone."""
        who = None if by is None else self.person(by)
        return await self._booking_says(VenueLostV1, event, None, because=because, by=who)

    async def freed(self, event: UUID) -> VenueFreedV1:
        """Booking has taken the room back."""
        return await self._booking_says(VenueFreedV1, event, None)
