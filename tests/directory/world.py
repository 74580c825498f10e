"""Directory on a real database with a clock and ids of the test's own."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from services.directory import rpc
from services.directory.commands.sessions import Mint
from services.directory.commands.token_keys import ensure_key
from services.directory.duties import duties
from services.directory.duties.erasures import RECEIPTS
from services.directory.main import hears
from services.directory.rules.sign_in import Limits
from shared.contracts.base import Request
from shared.contracts.directory.requests import EnsurePerson, HubProfile, HubView, PersonView, RegisterHub
from shared.contracts.directory.words import HubKind, Role
from shared.kit.bus import Consumer
from shared.kit.database import Database
from shared.kit.idempotency import Answer
from shared.kit.principal import Principal
from shared.kit.rpc import Call, Handler
from shared.kit.timers import Timers, set_standing
from tests.connections import Connections
from tests.world import HUB, MONDAY, AskedWorld, Refused

__all__ = ["HUB", "MONDAY", "Refused", "World", "make_world"]

LIMITS = Limits(per_address=5, per_client=8)


@dataclass
class World(AskedWorld):
    """One directory service without its process: handlers, consumers and duties on a real database."""

    stream: ClassVar[str] = "DIRECTORY"
    secret: str = "a secret of these tests"
    chance: random.Random = field(default_factory=lambda: random.Random(5))

    @property
    def mint(self) -> Mint:
        """What its tokens are made with."""
        return Mint("local", self.secret, self.chance.randbytes, self.ids)

    def handlers(self) -> dict[type[Request[Any]], Handler]:
        """What the service answers."""
        return rpc.reads() | rpc.changes(self.mint, LIMITS)

    async def carried_out(self, request: Request[Any], call: Call) -> Answer:
        """The answer; what the service answers directly included."""
        direct = rpc.sessions.direct(self.database, self.mint).get(type(request))
        return await (super().carried_out(request, call) if direct is None else direct(request, call))

    async def with_a_key(self) -> None:
        """What each replica does first: see that there is a key to sign tokens with."""
        async with self.database.transaction() as session:
            await ensure_key(session, secret=self.mint.secret, now=self.now, chance=self.mint.chance)

    def consumers(self) -> tuple[Consumer, ...]:
        """The service's consumers."""
        return hears(self.database, clock=self.clock, ids=self.ids)

    def timers(self) -> Timers:
        """The service's duties, to be done one at a time."""
        return Timers(self.database, duties(self.mint, timedelta(days=30)), self.clock)

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
