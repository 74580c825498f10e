"""A hub with its spaces and people, made the way an operator makes one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from nats.aio.client import Client

from deploy.local.tokens import development_token
from shared.contracts.base import Request
from shared.contracts.directory.requests import EnsurePerson, HubProfile, PersonView, RegisterHub
from shared.contracts.directory.words import HubKind, Role
from shared.kit.errors import Unavailable
from shared.kit.ids import utc_now
from shared.kit.problems import RemoteProblem
from shared.kit.requester import Requester
from tests.faults.arena import Arena
from tests.faults.door import Door, Lost, Shut
from tests.faults.waiting import comes_true

ZONE = "Europe/Stockholm"
FREE = {"days_ahead": 200, "shortest_minutes": 1, "hold_minutes": 1}
SPACES: tuple[dict[str, Any], ...] = (
    {
        "id": "meeting",
        "name": "Meeting room",
        "kind": "room",
        "rules": {**FREE, "buffer_before_minutes": 10, "buffer_after_minutes": 15},
    },
    {"id": "studio", "name": "Studio", "kind": "room", "rules": FREE},
    {"id": "flex", "name": "Flex seats", "kind": "flex", "seats": 8, "rules": FREE},
    {"id": "lounge", "name": "Lounge", "kind": "flex", "seats": 60, "rules": FREE},
    # The meetup takes the floor: its units are the others'.
    {
        "id": "floor",
        "name": "The whole floor",
        "kind": "event",
        "made_of": ["meeting", "studio", "flex"],
        "rules": FREE,
    },
)


@dataclass(frozen=True)
class Person:
    """Somebody with a token."""

    id: str
    token: str
    role: Role


@dataclass(frozen=True)
class World:
    """One hub and who belongs to it."""

    hub: str
    members: tuple[Person, ...]
    hosts: tuple[Person, ...]
    operator: Person


async def _ask(nats: Client, request: Request[Any]) -> bytes:
    answers: list[bytes] = []
    refused: list[Any] = []

    async def answered() -> bool:
        try:
            answers.append((await Requester(nats, utc_now).send(request, cell="local", seconds=5)).body)
        except Unavailable:
            return False
        except RemoteProblem as problem:
            refused.append(problem.document)
            if problem.document["status"] != 409:
                return False
            answers.append(b"")  # an earlier try got through, only its answer did not
        return True

    assert await comes_true(answered, within=60), f"{type(request).__name__}: {refused[-1:]}"
    return answers[0]


async def make_world(arena: Arena, hub: str, *, members: int = 12, hosts: int = 4) -> World:
    """Register the hub, its people and its spaces; returns when all can be booked."""
    nats = await arena.connect_as_admin()
    try:
        profile = HubProfile(
            id=hub, name=f"Hub {hub}", kind=HubKind.LIBRARY, country="SE", time_zone=ZONE, languages=("sv",)
        )
        await _ask(nats, RegisterHub(profile=profile))
        roles = [Role.OPERATOR] + [Role.HOST] * hosts + [Role.MEMBER] * members
        people = [await _person(arena, nats, hub, number, role) for number, role in enumerate(roles)]
    finally:
        await nats.close()
    await _open_spaces(arena, hub, people[0])
    return World(hub, tuple(people[1 + hosts :]), tuple(people[1 : 1 + hosts]), people[0])


async def _person(arena: Arena, nats: Client, hub: str, number: int, role: Role) -> Person:
    body = await _ask(nats, EnsurePerson(hub=hub, name=f"Person {number} of {hub}", role=role))
    person = PersonView.model_validate_json(body).id
    token = development_token(arena.home.token_key(), person, now=utc_now())
    return Person(str(person), token, role)


async def _open_spaces(arena: Arena, hub: str, operator: Person) -> None:
    door = Door(arena.gateways()[0])
    headers = {"authorization": f"Bearer {operator.token}", "content-type": "application/json"}
    for space in SPACES:
        said: list[str] = []

        async def opened(space: dict[str, Any] = space, said: list[str] = said) -> bool:
            # 404 while the hub's registration is on its way to booking.
            try:
                reply = await door.ask("POST", f"/v1/hubs/{hub}/spaces", headers, orjson.dumps(space))
            except (Lost, Shut) as error:
                said.append(repr(error))
                return False
            said.append(reply.body.decode())
            return reply.status in (201, 409)

        assert await comes_true(opened, within=60), said[-1]
    door.close()
