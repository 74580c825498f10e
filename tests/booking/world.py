"""Booking on a real database with a clock, ids and chance of the test's own: stories are told in requests and answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from services.booking import rpc
from services.booking.commands.attempts import Attempts
from services.booking.commands.reserving import Reservations
from services.booking.duties import duties
from services.booking.main import forgetting, hears
from shared.contracts.base import Request
from shared.contracts.booking.requests import BookingView, OpenSpace, Reserve, SpaceView
from shared.contracts.booking.space_rules import GivenRules
from shared.contracts.booking.words import SpaceKind
from shared.contracts.directory.words import Role
from shared.kit.bus import BatchConsumer, Consumer
from shared.kit.database import Database
from shared.kit.idempotency import Answer
from shared.kit.principal import Principal
from shared.kit.rpc import Call, Handler
from shared.kit.timers import Timers
from tests.connections import Connections
from tests.world import HUB, MONDAY, ZONE, HearingWorld, Refused

__all__ = ["HUB", "MONDAY", "OPEN_ALWAYS", "ZONE", "Refused", "World", "make_world"]

OPEN_ALWAYS = GivenRules(days_ahead=400, longest_minutes=44640)


@dataclass
class World(HearingWorld):
    """One booking service without its process: handlers, consumers and duties on a real database."""

    stream: ClassVar[str] = "BOOKING"
    reservations: Reservations = field(init=False)

    def handlers(self) -> dict[type[Request[Any]], Handler]:
        """What the service answers."""
        return rpc.reads() | rpc.changes(self.ids, self.chance)

    async def carried_out(self, request: Request[Any], call: Call) -> Answer:
        """The service's answer; reserving has a way of its own."""
        if isinstance(request, Reserve):
            return await self.reservations.reserve(request, call)
        return await super().carried_out(request, call)

    def consumers(self) -> tuple[Consumer, ...]:
        """The service's consumers."""
        return hears(self.database, clock=self.clock, ids=self.ids, chance=self.chance)

    def timers(self) -> Timers:
        """The service's duties, to be done one at a time."""
        known = {**duties(self.ids), **forgetting(self.clock, self.ids).duties()}
        return Timers(self.database, known, self.clock)

    async def space(
        self,
        id: str,
        kind: SpaceKind = SpaceKind.ROOM,
        *,
        seats: int | None = None,
        rules: GivenRules = OPEN_ALWAYS,
        made_of: Sequence[str] = (),
        capacity: int | None = None,
        hub: str = HUB,
    ) -> SpaceView:
        """A space that an operator has opened."""
        request = OpenSpace(
            hub=hub,
            id=id,
            name=id.replace("-", " ").title(),
            kind=kind,
            seats=seats,
            capacity=capacity,
            made_of=tuple(made_of),
            rules=rules,
        )
        return await self.ask(request, self.principal("olga", Role.OPERATOR, hub))

    def wish(
        self,
        space: str,
        start: str | datetime = "2027-03-01T10:00",
        end: str | datetime | None = None,
        *,
        minutes: int = 60,
        hub: str = HUB,
        **more: Any,
    ) -> Reserve:
        """A request for a space, an hour long unless said otherwise."""
        if end is None:
            begins = datetime.fromisoformat(start) if isinstance(start, str) else start
            end = begins + timedelta(minutes=minutes)
        shown = [one if isinstance(one, str) else one.isoformat() for one in (start, end)]
        return Reserve(hub=hub, space=space, start=shown[0], end=shown[1], **more)

    async def book(
        self,
        space: str,
        start: str | datetime = "2027-03-01T10:00",
        end: str | datetime | None = None,
        *,
        by: str | Principal = "ann",
        role: Role = Role.MEMBER,
        **more: Any,
    ) -> BookingView:
        """Somebody books."""
        return await self.ask(self.wish(space, start, end, **more), by, role)

    async def listen_to_itself(self) -> int:
        """Take in what the service has stated since, as its occupancy consumer would; how many facts were new."""
        consumer = self.consumers()[-1]
        assert isinstance(consumer, BatchConsumer)
        return await consumer.take_in_batch(await self.facts())


async def make_world(connections: Connections, url: str, *, now: datetime = MONDAY) -> World:
    """A booking service on what is in the database."""
    world = World(Database(connections.engine(url), lambda: None), now=now)
    world.reservations = Reservations(
        Attempts(await connections.pool(url), at_once=4), world.database, world.ids, world.chance
    )
    return world
