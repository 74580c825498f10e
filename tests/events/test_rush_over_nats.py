"""Four thousand people over the bus for twenty places: whoever is not let in now is told to come back, and nobody hangs."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nats.aio.client import Client
from pydantic import SecretStr

from services.events import main as events_main
from services.events.settings import Settings
from shared.contracts.events.sign_ups import SignUp
from shared.contracts.events.views import SignUpView
from shared.kit.errors import Unavailable
from shared.kit.health import Readiness
from shared.kit.ids import new_id, utc_now
from shared.kit.nats import connect
from shared.kit.principal import Principal, sign
from shared.kit.problems import RemoteProblem
from shared.kit.process import DataService
from shared.kit.provision import provision
from shared.kit.requester import Requester
from tests.connections import Connections
from tests.events.lines import nothing_wrong, opened
from tests.events.world import HUB, World, make_world
from tests.servers import NatsAccount

CELL = "local"
CROWD = 4_000
"""Twice what a replica lets in at once; ten thousand stand in `test_rush.py`, where they cost less."""


@dataclass
class Door:
    """The service on the bus, and somebody in the gateway's place."""

    gateway: Requester
    key: Ed25519PrivateKey
    world: World

    async def knock(self, event: UUID, number: int) -> SignUpView | None:
        """Somebody of the crowd signs up; None when they are told to come back."""
        who = Principal(UUID(int=0xC0000 + number), HUB, "member")
        assertion = sign(who, self.key, cell=CELL, now=utc_now())
        try:
            reply = await self.gateway.send(
                SignUp(hub=HUB, event=event), cell=CELL, seconds=50, assertion=assertion, key=f"k{number}"
            )
        except RemoteProblem as refused:
            if refused.document["status"] != 503 or "retry_after" not in refused.document:
                raise
            return None
        except Unavailable as away:
            raise AssertionError("somebody was left without an answer") from away
        return SignUpView.model_validate_json(reply.body)


@pytest_asyncio.fixture
async def door(
    connections: Connections,
    events_database: str,
    empty: World,
    nats_account: NatsAccount,
    nats_admin: Client,
) -> AsyncIterator[Door]:
    """Events at work on an empty database."""
    await provision(nats_admin)
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    seed = nats_account.seeds.get("events")
    settings = Settings(
        nats_url=nats_account.url,
        nats_seed=SecretStr(seed) if seed else None,
        database_url=SecretStr(events_database),
        assertion_public_key=public,
    )
    async with AsyncExitStack() as stack:
        nc = await connect(settings, "events")
        stack.push_async_callback(nc.close)
        service = DataService("events", settings, nc, Readiness(), clock=utc_now)
        events_main.assemble(service, settings, clock=utc_now, ids=new_id, chance=random.Random(1))
        await service.start(stack)
        client = await nats_account.connect("gateway")
        stack.push_async_callback(client.close)
        world = make_world(connections, events_database, now=utc_now())
        world.people.update(empty.people)
        yield Door(Requester(client, utc_now), key, world)


async def test_thousands_at_once_over_the_bus(door: Door) -> None:
    event = await opened(door.world, 20, starts_in=timedelta(days=2))
    rush = await asyncio.gather(*(door.knock(event, number) for number in range(CROWD)))
    views = [answer for answer in rush if answer is not None]
    assert len(views) < CROWD  # or it was no rush
    left = [number for number, answer in enumerate(rush) if answer is None]
    while left:  # they come back as they were told, in small groups by now
        group, left = left[:1500], left[1500:]
        again = await asyncio.gather(*(door.knock(event, number) for number in group))
        views += [answer for answer in again if answer is not None]
        left += [number for number, answer in zip(group, again, strict=True) if answer is None]
    assert Counter(view.status for view in views) == {"attending": 20, "waiting": CROWD - 20}
    assert sorted(view.place or 0 for view in views) == list(range(1, CROWD + 1))
    await nothing_wrong(door.world)
