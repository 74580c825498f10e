"""Directory on a real database with a clock and ids of the test's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from services.directory import rpc
from services.directory.duties import RECEIPTS, duties
from services.directory.main import hears
from shared.contracts.base import Request
from shared.contracts.directory.requests import EnsurePerson, HubProfile, HubView, PersonView, RegisterHub
from shared.contracts.directory.words import HubKind, Role
from shared.kit.bus import Consumer
from shared.kit.database import Database
from shared.kit.principal import Principal
from shared.kit.rpc import Handler
from shared.kit.timers import Timers, set_standing
from tests.connections import Connections
from tests.world import HUB, MONDAY, AskedWorld, Refused

__all__ = ["HUB", "MONDAY", "Refused", "World", "make_world"]


@dataclass
class World(AskedWorld):
    """One directory service without its process: handlers, consumers and duties on a real database."""

    stream: ClassVar[str] = "DIRECTORY"

    def handlers(self) -> dict[type[Request[Any]], Handler]:
        """What the service answers."""
        return rpc.reads() | rpc.changes("local", self.ids)

    def consumers(self) -> tuple[Consumer, ...]:
        """The service's consumers."""
        return hears(self.database, clock=self.clock, ids=self.ids)

    def timers(self) -> Timers:
        """The service's duties, to be done one at a time."""
        return Timers(self.database, duties(self.ids), self.clock)

    async def stands(self) -> None:
        """Its standing duties are in the book, as after a start."""
        await set_standing(self.database, (RECEIPTS,), self.clock)

    async def hub(self, id: str = HUB, **more: Any) -> HubView:
        """A hub that has joined."""
        given = {"name": id.title(), "kind": HubKind.LIBRARY, "time_zone": "Europe/Stockholm"} | more
        return await self.ask(RegisterHub(profile=HubProfile(id=id, **given)))

    async def person(self, name: str, role: Role = Role.MEMBER, hub: str = HUB) -> Principal:
        """Somebody with a role in a hub, ready to act there."""
        person: PersonView = await self.ask(EnsurePerson(hub=hub, name=name, role=role))
        return Principal(person.id, hub, role)


def make_world(connections: Connections, url: str) -> World:
    """A directory on what is in the database."""
    return World(Database(connections.engine(url), lambda: None))
