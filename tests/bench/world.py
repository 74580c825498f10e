"""The hubs and people that book: made through the stack's own doors, with roles and rules like real ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import httpx2

from deploy.local.tokens import development_token
from shared.contracts.directory.requests import EnsurePerson, HubProfile, PersonView, RegisterHub
from shared.contracts.directory.words import HubKind, Role
from shared.kit.ids import utc_now
from shared.kit.requester import Requester
from tests.bench.plan import PLACES, ROOMS, SEATS, Plan, first_day
from tests.bench.stack import Stack
from tests.waiting import eventually

CELL = "local"
SIDE_BY_SIDE = 8
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
RULES = {
    "opening_hours": {day: [{"opens": "07:00", "closes": "22:00"}] for day in WEEK},
    "days_ahead": 400,
}
T = TypeVar("T")


def _space(number: int) -> dict[str, Any]:
    common = {"id": f"place-{number}", "name": f"Place {number}", "rules": RULES}
    if number < ROOMS:
        return {**common, "kind": "room", "capacity": 6}
    return {**common, "kind": "flex", "seats": SEATS}


async def side_by_side(work: Iterable[Awaitable[T]]) -> list[T]:
    """Do these, a few at a time."""
    room = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(job: Awaitable[T]) -> T:
        async with room:
            return await job

    return list(await asyncio.gather(*(one(job) for job in work)))


@dataclass
class Settlers:
    """One filling of an empty stack."""

    stack: Stack
    requester: Requester
    gateway: httpx2.AsyncClient
    people: int

    async def hub(self, slug: str) -> tuple[str, ...]:
        """Register a hub with its operator, people and places; the people's tokens."""
        profile = HubProfile(
            id=slug,
            name=f"Bench {slug}",
            kind=HubKind.LIBRARY,
            time_zone="Europe/Stockholm",
            languages=("sv", "en"),
        )
        await self.requester.send(RegisterHub(profile=profile), cell=CELL, seconds=10)
        operator = await self.token(slug, "Olle Operator", Role.OPERATOR)
        for number in range(PLACES):
            await self.posted(f"/v1/hubs/{slug}/spaces", _space(number), operator)
        names = (f"Person {number}" for number in range(self.people))
        return tuple([await self.token(slug, name, Role.MEMBER) for name in names])

    async def token(self, hub: str, name: str, role: Role) -> str:
        """Somebody with a role in the hub, made if missing; their bearer token."""
        wanted = EnsurePerson(hub=hub, name=f"{name} {hub}", role=role)
        reply = await self.requester.send(wanted, cell=CELL, seconds=10)
        person: UUID = PersonView.model_validate_json(reply.body).id
        return development_token(self.stack.console.home.token_key(), person, now=utc_now())

    async def posted(self, path: str, body: Mapping[str, Any], operator: str) -> dict[str, Any]:
        """Make something in a hub, as soon as its service has heard of the hub; what was made."""
        headers = {"Authorization": f"Bearer {operator}"}

        async def made() -> httpx2.Response | None:
            answer = await self.gateway.post(path, json=body, headers=headers)
            if answer.status_code not in (201, 404):
                raise RuntimeError(f"{path} {body}: {answer.status_code} {answer.text}")
            return answer if answer.status_code == 201 else None

        answer: httpx2.Response = await eventually(made, what=f"{path} is known")
        view: dict[str, Any] = answer.json()
        return view


async def _settle(stack: Stack, hubs: int, people: int) -> Plan:
    client = await stack.admin()
    try:
        async with httpx2.AsyncClient(base_url=stack.url, timeout=10, trust_env=False) as gateway:
            settlers = Settlers(stack, Requester(client, utc_now), gateway, people)
            slugs = tuple(f"bench-{number}" for number in range(hubs))
            tokens = await side_by_side(settlers.hub(slug) for slug in slugs)
    finally:
        await client.close()
    return Plan(slugs, tuple(tokens), first_day(utc_now()))


# The floor books in hubs of its own, copies of the others, so that the two never stand in each other's way.
_TWINS = """
    WITH hubs AS (
        INSERT INTO hub (slug, name, time_zone, next_unit)
        SELECT replace(slug, 'bench-', 'floor-'), name, time_zone, next_unit FROM hub WHERE slug LIKE 'bench-%'
        RETURNING slug, number
    )
    INSERT INTO space
        SELECT h.slug, h.number, s.slug, s.name, s.kind, s.capacity, s.units, s.made_of, s.rules, s.guarded, s.active,
               s.version, s.stated
        FROM space s JOIN hubs h ON h.slug = replace(s.hub, 'bench-', 'floor-')
"""


def fill(stack: Stack, *, hubs: int, people: int) -> Plan:
    """Fill an empty stack; returns what can be booked."""
    plan = asyncio.run(_settle(stack, hubs, people))
    stack.settle()
    stack.sql(_TWINS)
    stack.sql("ANALYZE")
    return plan
