"""Events on a real database with a clock, ids and chance of the test's own: stories are told in requests and answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from services.events import rpc
from services.events.commands.signing_up import SignUps
from services.events.duties import duties
from services.events.main import forgetting, hears
from shared.contracts.base import Request
from shared.contracts.booking.facts import SpaceOpenedV1
from shared.contracts.booking.words import SpaceKind
from shared.contracts.directory.words import Role
from shared.contracts.events.requests import CancelEvent, ChangeEvent, GetEvent, PublishEvent, StartEvent
from shared.contracts.events.sign_ups import SignUp
from shared.contracts.events.views import EventView, SignUpView
from shared.contracts.events.words import Way
from shared.kit.bus import Consumer
from shared.kit.database import Database
from shared.kit.idempotency import Answer
from shared.kit.principal import Principal
from shared.kit.rpc import Call, Handler
from shared.kit.timers import Timers
from tests.connections import Connections
from tests.events.rooms import Rooms
from tests.world import HUB, MONDAY, ZONE, Refused

__all__ = ["EVENING", "HUB", "MONDAY", "ZONE", "Refused", "World", "cancel", "change", "make_world"]

EVENING = "2027-03-08T18:00"
"""When an event starts unless a story says otherwise: a week later, 18:00 in Stockholm, for two hours."""


@dataclass
class World(Rooms):
    """One events service without its process: handlers, consumers and duties on a real database."""

    stream: ClassVar[str] = "EVENTS"

    def __post_init__(self) -> None:
        self.sign_ups = SignUps(self.database, self.ids, self.chance)

    def handlers(self) -> dict[type[Request[Any]], Handler]:
        """What the service answers."""
        return rpc.reads() | rpc.changes(self.ids, self.chance)

    async def carried_out(self, request: Request[Any], call: Call) -> Answer:
        """The service's answer; signing up has a way of its own."""
        if isinstance(request, SignUp):
            return await self.sign_ups.sign_up(request, call)
        return await super().carried_out(request, call)

    def consumers(self) -> tuple[Consumer, ...]:
        """The service's consumers."""
        return hears(self.database, clock=self.clock, ids=self.ids)

    def timers(self) -> Timers:
        """The service's duties, to be done one at a time."""
        known = {**duties(self.ids, self.chance), **forgetting(self.clock, self.ids).duties()}
        return Timers(self.database, known, self.clock)

    def space_fact(self, space: str, *, capacity: int = 20, hub: str = HUB) -> SpaceOpenedV1:
        """Booking states a space."""
        return SpaceOpenedV1(
            id=self.ids(),
            hub=hub,
            occurred_at=self.now,
            subject=f"{hub}/{space}",
            subject_version=self.version_of(f"{hub}/{space}"),
            space=space,
            name=space.replace("-", " ").title(),
            kind=SpaceKind.EVENT,
            units=(1,),
            capacity=capacity,
        )

    def wish(
        self,
        title: str = "Evening talk",
        start: str = EVENING,
        *,
        minutes: int = 120,
        hub: str = HUB,
        **more: Any,
    ) -> StartEvent:
        """An order to start an event, two hours long at an address unless said otherwise."""
        begins = datetime.fromisoformat(start)
        more = {"title": title, "place": {"address": "Harbour 1"}} | more
        if "texts" in more:
            del more["title"]
        given = {"start": start, "end": (begins + timedelta(minutes=minutes)).isoformat()} | more
        return StartEvent.model_validate({"hub": hub} | given)

    async def draft(
        self,
        title: str = "Evening talk",
        *,
        by: str | Principal = "ann",
        role: Role = Role.MEMBER,
        **more: Any,
    ) -> EventView:
        """Somebody starts an event and does not publish it yet."""
        return await self.ask(self.wish(title, **more), by, role)

    async def event(
        self,
        title: str = "Evening talk",
        *,
        by: str | Principal = "ann",
        role: Role = Role.MEMBER,
        **more: Any,
    ) -> EventView:
        """Somebody starts an event and publishes it."""
        return await self.draft(title, by=by, role=role, publish=True, **more)

    async def seen(
        self, event: UUID | EventView, by: str | Principal | None = "ann", role: Role | None = Role.MEMBER
    ) -> EventView:
        """The event as somebody sees it now."""
        one = event if isinstance(event, UUID) else event.id
        return await self.ask(GetEvent(hub=HUB, event=one), by, role)

    async def publish(self, event: EventView, by: str = "ann", role: Role = Role.MEMBER) -> EventView:
        """Somebody publishes an event."""
        return await self.ask(PublishEvent(hub=HUB, event=event.id), by, role)

    async def sign_up(
        self,
        event: EventView,
        by: str | Principal = "ben",
        *,
        way: Way | None = None,
        role: Role | None = Role.MEMBER,
        key: str | None = None,
    ) -> SignUpView:
        """Somebody signs up."""
        return await self.ask(SignUp(hub=HUB, event=event.id, way=way), by, role, key=key)


def change(event: EventView, **what: Any) -> ChangeEvent:
    """An order to change an event as it was last seen."""
    return ChangeEvent.model_validate({"hub": HUB, "event": event.id, "version": event.version} | what)


def cancel(event: EventView, reason: str | None = None) -> CancelEvent:
    """An order to call an event off."""
    return CancelEvent(hub=HUB, event=event.id, reason=reason)


def make_world(connections: Connections, url: str, *, now: datetime = MONDAY) -> World:
    """An events service on what is in the database."""
    return World(Database(connections.engine(url), lambda: None), now=now)
