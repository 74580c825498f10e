"""Both services on a real bus with the rights they have in production: from a request to what subscribers hear."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nats.aio.client import Client
from nats.js.errors import NotFoundError
from pydantic import BaseModel

from services.booking import main as booking_main
from services.booking.settings import Settings as BookingSettings
from services.directory import main as directory_main
from services.directory.settings import Settings as DirectorySettings
from shared.contracts.base import Request
from shared.contracts.booking.facts import OccupancyChangedV1
from shared.contracts.booking.requests import CheckIn, GetBooking, ListMyBookings, OpenSpace, Reserve
from shared.contracts.booking.space_rules import GivenRules
from shared.contracts.booking.words import BookingStatus, SpaceKind
from shared.contracts.directory.requests import (
    AddMember,
    EnsurePerson,
    HubProfile,
    LeaveHub,
    RegisterHub,
)
from shared.contracts.directory.words import HubKind, Role
from shared.kit.health import Readiness
from shared.kit.ids import new_id, utc_now
from shared.kit.nats import connect
from shared.kit.principal import Principal, sign
from shared.kit.problems import RemoteProblem
from shared.kit.process import DataService
from shared.kit.provision import provision
from shared.kit.requester import Requester
from tests.booking.world import HUB
from tests.servers import NatsAccount
from tests.waiting import eventually

CELL = "local"
R = TypeVar("R", bound=BaseModel)


@dataclass
class Cell:
    """Directory and booking at work, and somebody in the gateway's place."""

    gateway: Requester
    admin: Requester
    key: Ed25519PrivateKey
    bus: Client

    async def ask(self, request: Request[R], by: Principal | None = None, *, key: str | None = None) -> R:
        """The answer that came over the bus."""
        assertion = None if by is None else sign(by, self.key, cell=CELL, now=utc_now())
        sender = self.admin if request.admin else self.gateway
        reply = await sender.send(request, cell=CELL, seconds=5, assertion=assertion, key=key)
        view: R = request.reply.model_validate_json(reply.body)  # type: ignore[assignment]
        return view

    async def person(self, name: str, role: Role) -> Principal:
        """Somebody with a role in the hub."""
        person = await self.ask(EnsurePerson(hub=HUB, name=name, role=role))
        return Principal(person.id, HUB, role)

    async def until(self, found: Callable[[], Awaitable[R | None]], seconds: float = 10) -> R:
        """What is waited for, as soon as it is there."""
        answer: R = await eventually(found, within=seconds, what="what was waited for")
        return answer


@pytest_asyncio.fixture
async def cell(
    database: Callable[[str], str], nats_account: NatsAccount, nats_admin: Client
) -> AsyncIterator[Cell]:
    """Two services with empty databases."""
    await provision(nats_admin)
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    async with AsyncExitStack() as stack:
        for name, kind in (("directory", DirectorySettings), ("booking", BookingSettings)):
            known: dict[str, Any] = {
                "nats_url": nats_account.url,
                "nats_seed": nats_account.seeds.get(name),
                "database_url": database(name),
                "assertion_public_key": public,
                **({"secret_key": "the secret of directory in this cell"} if name == "directory" else {}),
            }
            settings = kind(**known)
            nc = await connect(settings, name)
            stack.push_async_callback(nc.close)
            service = DataService(name, settings, nc, Readiness(), clock=utc_now)
            if isinstance(settings, BookingSettings):
                booking_main.assemble(service, settings, clock=utc_now, ids=new_id, chance=random.Random(1))
            else:
                directory_main.assemble(service, settings, clock=utc_now, ids=new_id)
            await service.start(stack)
        senders = {}
        for user in ("gateway", "admin"):
            client = await nats_account.connect(user)
            stack.push_async_callback(client.close)
            senders[user] = Requester(client, utc_now)
        cell = Cell(senders["gateway"], senders["admin"], key, nats_admin)
        profile = HubProfile(id=HUB, name="Nordviken", kind=HubKind.LIBRARY, time_zone="Europe/Stockholm")
        await cell.ask(RegisterHub(profile=profile))
        yield cell


async def open_flex(cell: Cell) -> Principal:
    """An operator who has opened a flex area, once booking has heard of the hub."""
    olga = await cell.person("Olga", Role.OPERATOR)
    request = OpenSpace(
        hub=HUB, id="flex", name="Flex", kind=SpaceKind.FLEX, seats=6, rules=GivenRules(longest_minutes=1440)
    )

    async def opened() -> BaseModel | None:
        try:
            return await cell.ask(request, olga)
        except RemoteProblem as refused:
            if refused.document["status"] == 404:  # booking has not heard of the hub yet
                return None
            raise

    await cell.until(opened)
    return olga


async def test_from_a_request_to_the_stream_of_occupancy(cell: Cell) -> None:
    await open_flex(cell)
    ann = await cell.person("Ann", Role.MEMBER)
    now = utc_now()
    wish = Reserve(
        hub=HUB, space="flex", start=now.isoformat(), end=(now + timedelta(hours=1)).isoformat(), seats=2
    )
    booking, again = [await cell.ask(wish, ann, key="once") for _ in range(2)]
    assert again == booking
    await cell.ask(CheckIn(hub=HUB, booking=booking.id), ann)
    stream = cell.bus.jetstream()

    async def present() -> OccupancyChangedV1 | None:
        try:
            message = await stream.get_last_msg("OCCUPANCY", OccupancyChangedV1.subject_for(HUB, "all"))
        except NotFoundError:  # nothing has been measured yet
            return None
        event = OccupancyChangedV1.model_validate_json(message.data or b"")
        return event if event.data.present == 2 else None

    event = await cell.until(present)
    assert (event.data.capacity, event.data.booked, event.data.free) == (6, 2, 4)
    last = (await stream.stream_info("BOOKING")).state.last_seq
    subjects = [(await stream.get_msg("BOOKING", number)).subject for number in range(1, last + 1)]
    assert subjects == [
        f"hubs.{HUB}.booking.space-opened.v1",
        f"hubs.{HUB}.booking.booking-confirmed.v1",
        f"hubs.{HUB}.booking.booking-checked-in.v1",
    ]


async def test_who_leaves_the_hub_gives_back_what_was_ahead(cell: Cell) -> None:
    await open_flex(cell)
    ann = await cell.person("Ann", Role.MEMBER)
    soon = utc_now() + timedelta(days=2)
    wish = Reserve(hub=HUB, space="flex", start=soon.isoformat(), end=(soon + timedelta(hours=1)).isoformat())
    booking = await cell.ask(wish, ann)
    await cell.ask(LeaveHub(hub=HUB, person=ann.person), ann)

    async def given_back() -> BaseModel | None:
        seen = await cell.ask(GetBooking(hub=HUB, booking=booking.id), ann)
        return seen if seen.status == BookingStatus.CANCELLED else None

    await cell.until(given_back)
    await cell.ask(AddMember(hub=HUB), Principal(ann.person))
    kept = await cell.ask(wish, ann)
    assert [one.id for one in (await cell.ask(ListMyBookings(), ann)).items] == [booking.id, kept.id]


async def test_a_forged_assertion_books_nothing(cell: Cell) -> None:
    await open_flex(cell)
    ann = await cell.person("Ann", Role.MEMBER)
    soon = utc_now() + timedelta(days=1)
    wish = Reserve(hub=HUB, space="flex", start=soon.isoformat(), end=(soon + timedelta(hours=1)).isoformat())
    forged = Cell(cell.gateway, cell.admin, Ed25519PrivateKey.generate(), cell.bus)
    with pytest.raises(RemoteProblem) as refused:
        await forged.ask(wish, ann)
    assert refused.value.document["status"] == 401
    assert (await cell.ask(ListMyBookings(), ann)).items == ()
