"""Events and booking side by side, each with its own database; the test carries the facts, in any order, twice or not at all."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from services.booking.commands.venue_comparing import restate_venues
from services.events.commands import snapshots
from shared.contracts.base import Fact
from shared.contracts.booking.requests import BookingView, CancelBooking, GetBooking, MoveBooking
from shared.contracts.booking.words import SpaceKind
from shared.contracts.directory.words import Role
from shared.contracts.events.requests import CancelEvent, ChangeEvent
from shared.contracts.events.views import EventView
from tests.booking import world as booking_world
from tests.booking.world import OPEN_ALWAYS
from tests.events import world as events_world
from tests.events.world import HUB, MONDAY
from tests.faults import saga_checks

ROUNDS = 60
"""Facts answer facts; an exchange that has not come to rest by then never will."""


@dataclass
class Both:
    """Two services that know nothing of each other, and the post between them."""

    events: events_world.World
    booking: booking_world.World
    chance: random.Random = field(default_factory=lambda: random.Random(3))
    lost: Callable[[Fact], bool] = field(default=lambda _: False)
    """Facts that never arrive."""
    _carried: dict[str, int] = field(default_factory=lambda: {"events": 0, "booking": 0})

    # --- the post ---

    async def _new(self, service: str) -> list[Fact]:
        world = self.events if service == "events" else self.booking
        new = await world.facts(after=self._carried[service])
        self._carried[service] += len(new)
        return [fact for fact in new if not self.lost(fact)]

    async def carry(self, *, twice: bool = False, reversed_: bool = False) -> int:
        """Take each side's news to the other once; how many facts there were."""
        count = 0
        for service, hearer in (("events", self.booking), ("booking", self.events)):
            news = await self._new(service)
            count += len(news)
            news = news * (2 if twice else 1)
            await hearer.hear(*(news[::-1] if reversed_ else news))
        return count

    async def settle(self, *, twice: bool = False, reversed_: bool = False) -> None:
        """Carry facts until nobody has anything to say any more."""
        for _ in range(ROUNDS):
            if not await self.carry(twice=twice, reversed_=reversed_):
                return
        raise AssertionError("the two never come to rest")

    # --- time ---

    async def let_time_pass(self, **by: float) -> None:
        """Move both clocks on, doing every duty on its way and carrying what is said."""
        target = self.events.now + timedelta(**by)
        for _ in range(ROUNDS):
            due = [
                row.due_at
                for world in (self.events, self.booking)
                for row in await world.rows("SELECT due_at FROM timer WHERE due_at <= :target", target=target)
            ]
            moment = max(min(due), self.events.now) if due else target
            await self.events.until(moment)
            await self.booking.until(moment)
            await self.settle()
            if not due:
                return
        raise AssertionError("a timer sets itself again without end")

    async def compare(self) -> None:
        """What `foci republish events venues` and `foci republish booking venues` do, a while after the last change."""
        await self.let_time_pass(minutes=2)
        await self.state_again()
        await self.settle()

    async def state_again(self) -> None:
        """Both state what they hold."""
        async with self.booking.database.transaction() as session:
            await restate_venues(session, "", clock=self.booking.clock, ids=self.booking.ids)
        async with self.events.database.transaction() as session:
            await snapshots.restate_venues(session, "", clock=self.events.clock, ids=self.events.ids)

    # --- what people do ---

    async def publish(
        self, space: str = "studio", start: str = events_world.EVENING, **more: Any
    ) -> EventView:
        """Ann publishes an event in a room; nothing has been carried yet."""
        return await self.events.event(place={"space": space}, start=start, **more)

    async def agreed(
        self, space: str = "studio", start: str = events_world.EVENING, **more: Any
    ) -> EventView:
        """An event that has its room."""
        event = await self.publish(space, start, **more)
        await self.settle()
        return await self.events.seen(event)

    async def change(self, event: EventView, **what: Any) -> EventView:
        """Ann changes her event."""
        seen = await self.events.seen(event)
        return await self.events.ask(ChangeEvent(hub=HUB, event=event.id, version=seen.version, **what))

    async def cancel(self, event: EventView) -> EventView:
        """Ann cancels her event."""
        return await self.events.ask(CancelEvent(hub=HUB, event=event.id))

    async def room_of(self, event: EventView) -> BookingView | None:
        """The live booking that is the event's room."""
        found = await self.booking.rows(
            "SELECT id FROM booking WHERE event = :event AND status IN ('held', 'confirmed', 'checked_in')",
            event=event.id,
        )
        assert len(found) <= 1
        staff = self.booking.principal("olga", Role.HOST)
        return await self.booking.ask(GetBooking(hub=HUB, booking=found[0].id), staff) if found else None

    async def host_cancels(self, event: EventView) -> BookingView:
        """A host cancels the booking in booking."""
        room = await self.room_of(event)
        assert room
        return await self.booking.ask(CancelBooking(hub=HUB, booking=room.id), "olga", Role.HOST)

    async def host_moves(
        self, event: EventView, start: str, end: str, space: str | None = None
    ) -> BookingView:
        """A host moves the booking in booking."""
        room = await self.room_of(event)
        assert room
        more = {"space": space} if space else {}
        request = MoveBooking(hub=HUB, booking=room.id, version=room.version, start=start, end=end, **more)
        return await self.booking.ask(request, "olga", Role.HOST)

    # --- the promise ---

    async def agree(self) -> None:
        """Assert that both sides say the same, and that nobody waits for anything."""
        assert await self.apart() == []

    async def apart(self) -> list[str]:
        """Everything on which the two differ, in words."""
        events = [row._mapping for row in await self.events.rows(saga_checks.EVENTS)]
        rooms = [row._mapping for row in await self.booking.rows(saga_checks.ROOMS)]
        left = [
            row.it for world in (self.events, self.booking) for row in await world.rows(saga_checks.LEFT_OVER)
        ]
        return saga_checks.differences(events, rooms, self.events.now) + left


async def make_both(events: events_world.World, booking: booking_world.World) -> Both:
    """Both services on empty databases, with the hub Nordviken, its studio, its lab and a floor of studio and flex seats."""
    booking._numbers = itertools.count(1_000_000)
    booking.people = events.people
    assert booking.now == events.now == MONDAY
    both = Both(events, booking)
    await events.hub()
    await booking.hub()
    await booking.space("studio", rules=OPEN_ALWAYS, capacity=12)
    await booking.space("lab", rules=OPEN_ALWAYS, capacity=12)
    await booking.space("flex", SpaceKind.FLEX, seats=6, rules=OPEN_ALWAYS)
    await booking.space("floor", SpaceKind.EVENT, made_of=("studio", "flex"), rules=OPEN_ALWAYS, capacity=60)
    await both.settle()
    return both
