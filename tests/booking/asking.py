"""Events as booking hears them: what each wants of a room, stated as facts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.contracts.booking.facts import (
    VenueConfirmedV1,
    VenueFreedV1,
    VenueHeldV1,
    VenueLostV1,
    VenueMovedV1,
    VenueRefusedV1,
)
from shared.contracts.events.facts import (
    VenueAcceptedV1,
    VenueReleasedV1,
    VenueWantedV1,
    VenueWishSnapshotV1,
)
from tests.booking.world import HUB, MONDAY, World

EVENT = UUID("00000000-0000-7000-8000-0000000000e1")
OTHER = UUID("00000000-0000-7000-8000-0000000000e2")
NINE = MONDAY + timedelta(days=1)
VENUE_FACTS = (VenueHeldV1, VenueConfirmedV1, VenueRefusedV1, VenueMovedV1, VenueLostV1, VenueFreedV1)


class Asking:
    """An event that states what it wants."""

    def __init__(self, world: World, event: UUID = EVENT) -> None:
        self.world = world
        self.event = event
        self.version = 0
        self.edition = 0
        self.wish: dict[str, Any] = {}

    def _fact(self, kind: type[Any], **more: Any) -> Any:
        self.version += 1
        return self._made(kind, **more)

    def _made(self, kind: type[Any], **more: Any) -> Any:
        return kind(
            id=self.world.ids(),
            hub=HUB,
            occurred_at=self.world.now,
            subject=f"{self.event}/venue",
            subject_version=self.version,
            event=self.event,
            edition=self.edition,
            **more,
        )

    def wants(
        self, space: str = "studio", start: datetime = NINE, *, hours: float = 2, seats: int | None = None
    ) -> VenueWantedV1:
        self.edition += 1
        self.wish = {"space": space, "start": start, "end": start + timedelta(hours=hours), "seats": seats}
        wanted: VenueWantedV1 = self._fact(VenueWantedV1, person=self.world.person("ann"), **self.wish)
        return wanted

    def accepts(self) -> VenueAcceptedV1:
        accepted: VenueAcceptedV1 = self._fact(VenueAcceptedV1)
        return accepted

    def releases(self) -> VenueReleasedV1:
        self.edition += 1
        released: VenueReleasedV1 = self._fact(VenueReleasedV1)
        return released

    def snapshot(
        self, *, wants: bool = True, accepted: bool = True, answered: int = 0
    ) -> VenueWishSnapshotV1:
        more = self.wish | {"person": self.world.person("ann")} if wants else {}
        made: VenueWishSnapshotV1 = self._made(
            VenueWishSnapshotV1, wants=wants, accepted=accepted, answered=answered, **more
        )
        return made

    async def answers(self) -> list[Any]:
        """What booking has said, in order and without a gap."""
        said = [one for one in await self.world.facts(*VENUE_FACTS) if one.subject == f"{self.event}/venue"]
        assert [one.subject_version for one in said] == list(range(1, len(said) + 1))
        return said

    async def last(self) -> Any:
        return (await self.answers())[-1]


async def live(world: World) -> list[Any]:
    """Bookings that keep a room for an event."""
    return list(
        await world.rows(
            "SELECT * FROM booking WHERE event IS NOT NULL AND status IN ('held', 'confirmed', 'checked_in')"
        )
    )
