"""Loads the demo federation once: hubs and people by admin requests, the rest through the gateway like anybody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx2
from nats.aio.client import Client

from deploy.local import demo_choices, demo_events, demo_meetings, demo_profiles
from deploy.local.demo_choices import DemoChoices
from deploy.local.demo_data import HUBS, WISHES, Hub, Wish
from deploy.local.demo_door import PASSING, PATIENCE_S, DemoFailed, Door
from deploy.local.demo_events import DemoEvents
from deploy.local.demo_meetings import DemoMeetings
from deploy.local.demo_profiles import DemoProfiles
from deploy.local.tokens import made_up_address
from shared.contracts.base import Request
from shared.contracts.directory.requests import (
    EnsurePerson,
    HubProfile,
    PersonView,
    RegisterHub,
    RegisterOrganisation,
)
from shared.contracts.directory.words import Role
from shared.contracts.matching.gaps import CountFigures
from shared.kit.errors import Unavailable
from shared.kit.ids import utc_now
from shared.kit.problems import RemoteProblem
from shared.kit.requester import Requester

SIDE_BY_SIDE = 4


@dataclass
class Demo:
    """One loading of the demo."""

    nats: Client
    gateway: httpx2.AsyncClient
    cell: str
    token_key: str
    today: date
    advance: Callable[[], None]
    people: dict[tuple[str, str], UUID] = field(default_factory=dict)

    @property
    def door(self) -> Door:
        """The way through the gateway."""
        return Door(self.gateway, self.token_key)

    async def load(self) -> None:
        """Everything, in the order in which one thing needs another."""
        await self._side_by_side([self._hub(hub) for hub in HUBS])
        await self._side_by_side(
            [self._person(hub, name, role) for hub in HUBS for name, role in people_of(hub)]
        )
        await self._side_by_side(
            [self._organisation(hub, name, kind) for hub in HUBS for name, kind in hub.organisations]
        )
        # Before there is anything to tell.
        await self._side_by_side([*DemoChoices(self.door, self.people, self.advance).jobs()])
        await self._side_by_side([*DemoProfiles(self.door, self.people, self.advance).jobs()])
        await self._side_by_side([*DemoMeetings(self.door, self.people, self.advance).jobs()])
        # What the town lacks is counted once a day; whoever looks at the demo looks now.
        await self._ask(CountFigures())
        # Within a hub in order: a combined space needs its parts.
        await self._side_by_side([self._spaces(hub) for hub in HUBS])
        await self._side_by_side([self._booking(number, wish) for number, wish in enumerate(WISHES)])
        events = DemoEvents(self.door, self.today, self.people, moment, self.advance)
        await self._side_by_side(events.jobs())

    async def _side_by_side(self, work: list[Awaitable[None]]) -> None:
        room = asyncio.Semaphore(SIDE_BY_SIDE)

        async def one(job: Awaitable[None]) -> None:
            async with room:
                await job

        results = await asyncio.gather(*(one(job) for job in work), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    # --- by admin requests ---

    async def _ask(self, request: Request[Any]) -> bytes | None:
        """The answer; None when it is there already."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                return (await Requester(self.nats, utc_now).send(request, cell=self.cell, seconds=5.0)).body
            except RemoteProblem as error:
                if error.document.get("status") == 409:
                    return None
                problem = str(error.document.get("detail"))
                if error.document.get("status") not in PASSING:
                    raise DemoFailed(f"{type(request).__name__}: {problem}") from error
            except Unavailable as error:
                problem = error.detail
            if asyncio.get_running_loop().time() > deadline:
                raise DemoFailed(f"{type(request).__name__}: {problem}")
            await asyncio.sleep(0.1)

    async def _hub(self, hub: Hub) -> None:
        await self._ask(RegisterHub(profile=HubProfile(**hub.profile)))
        self.advance()

    async def _person(self, hub: Hub, name: str, role: str) -> None:
        person = EnsurePerson(
            hub=hub.slug,
            name=name,
            role=Role(role),
            language=hub.language_of(name),
            email=made_up_address(name),
        )
        body = await self._ask(person)
        if body is not None:
            self.people[hub.slug, name] = PersonView.model_validate_json(body).id
        self.advance()

    async def _organisation(self, hub: Hub, name: str, kind: str) -> None:
        await self._ask(RegisterOrganisation(hub=hub.slug, name=name, kind=kind))
        self.advance()

    # --- through the gateway ---

    async def _spaces(self, hub: Hub) -> None:
        operator = next(name for name, role in hub.staff.items() if role == "operator")
        for space in hub.spaces:
            await self.door.post(
                f"/v1/hubs/{hub.slug}/spaces",
                space,
                person=self.people[hub.slug, operator],
                key=f"demo-{hub.slug}-{space['id']}",
            )
            self.advance()

    async def _booking(self, number: int, wish: Wish) -> None:
        hub = next(hub for hub in HUBS if hub.slug == wish.hub)
        day = self.today + timedelta(days=wish.day)
        body = {
            "space": wish.space,
            "start": moment(day, wish.start, hub),
            "end": moment(day + timedelta(days=wish.days), wish.end, hub),
            "seats": wish.seats,
            **({"title": wish.title} if wish.title else {}),
        }
        person = self.people[hub.slug, hub.members[wish.member % len(hub.members)]]
        await self.door.post(
            f"/v1/hubs/{hub.slug}/bookings", body, person=person, key=f"demo-{self.today}-{number}"
        )
        self.advance()


def moment(day: date, clock: str, hub: Hub) -> str:
    """A time of day in the hub's zone, with its offset."""
    hour, minute = clock.split(":")
    zone = ZoneInfo(hub.profile["time_zone"])
    return datetime.combine(day, time(int(hour), int(minute)), zone).isoformat()


def people_of(hub: Hub) -> list[tuple[str, str]]:
    """Staff and members, each with their role."""
    return [*hub.staff.items(), *((name, "member") for name in hub.members)]


def size() -> int:
    """How many parts there are to load."""
    per_hub = (1 + len(people_of(hub)) + len(hub.organisations) + len(hub.spaces) for hub in HUBS)
    parts = (demo_choices.size(), demo_profiles.size(), demo_meetings.size(), demo_events.size())
    return sum(per_hub) + len(WISHES) + sum(parts)
