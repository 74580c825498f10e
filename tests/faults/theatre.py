"""A stack whose events and booking can be made to end at any step of a saga, and a hub in which people play it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from deploy.local.narrator import Narrator
from deploy.local.stack import GATEWAY, NOTIFY
from deploy.local.supervisor import Program
from shared.contracts.operations import Republish, Republished
from shared.kit.errors import Unavailable
from shared.kit.ids import utc_now
from shared.kit.requester import Requester
from tests.faults import ledger, saga_checks
from tests.faults.arena import Arena
from tests.faults.door import Door, Hangs, Lost, Shut
from tests.faults.moments import STATES
from tests.faults.waiting import comes_true
from tests.faults.world import Person, World, make_world

SETTLES_WITHIN_S = 60.0
LASTS = timedelta(hours=2)
Event = dict[str, Any]


class Theatre(Arena):
    """Two processes each of events and booking that can be made to end at a step, and what they need to run."""

    def __init__(self, home: Path, narrator: Narrator) -> None:
        super().__init__(home, narrator, deadline_s=4.0)
        self.settings = self.settings.model_copy(
            update={"replicas": {"booking": 2, "events": 2, GATEWAY: 1, NOTIFY: 0}}
        )
        self.moments = home / "moments"

    def programs(self) -> list[Program]:
        """Without the ledger: nobody asks what it has written down, as nobody is told anything by notify."""
        return [program for program in super().programs() if not program.name.startswith(ledger.SERVICE)]

    async def up(self) -> None:
        """Start everything; the moments come later."""
        self.moments.mkdir(parents=True)
        await super().up()

    def _words(self, service: str) -> tuple[str, ...]:
        if service not in STATES:
            return super()._words(service)
        return ("tests.faults.start", "tests.faults.moments", service, str(self.moments))


@dataclass
class Saga:
    """A hub in which events are given and rooms fought over; every order is repeated until it is answered."""

    theatre: Theatre
    world: World
    _keys: itertools.count[int] = field(default_factory=itertools.count)
    _slots: itertools.count[int] = field(default_factory=itertools.count)

    async def order(
        self,
        who: Person,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        version: int | None = None,
    ) -> tuple[int, Any]:
        """Status and body of the first certain answer; the key makes the repeats one order."""
        key, certain = f"{self.world.hub}-{next(self._keys)}", list[tuple[int, Any]]()
        headers = {"authorization": f"Bearer {who.token}", "idempotency-key": key}
        if version is not None:
            headers["if-match"] = f'"{version}"'
        sent = b"" if body is None else orjson.dumps(body)
        if body is not None:
            headers["content-type"] = "application/json"

        async def answered() -> bool:
            door = Door(self.theatre.gateways()[0])
            try:
                reply = await door.ask(method, f"/v1/hubs/{self.world.hub}{path}", headers, sent)
            except (Lost, Shut, Hangs):
                return False
            finally:
                door.close()
            if reply.status >= 500:
                return False
            certain.append((reply.status, orjson.loads(reply.body)))
            return True

        assert await comes_true(answered, within=60), f"{method} {path} is never answered"
        return certain[-1]

    def free_day(self) -> datetime:
        """A time nobody else wants."""
        day = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0)
        return day + timedelta(days=3 + next(self._slots))

    async def publish(self, start: datetime, space: str = "studio") -> Event:
        """A member publishes an event; waits while events has not heard of the hub."""
        body = {
            "title": "A talk", "start": start.isoformat(), "end": (start + LASTS).isoformat(),
            "place": {"space": space}, "publish": True,
        }  # fmt: skip
        made: list[Event] = []

        async def started() -> bool:
            status, answer = await self.order(self.world.members[0], "POST", "/events", body)
            made.append(answer)
            return status == 201

        assert await comes_true(started, within=30), made[-1:]
        return made[-1]

    async def published(self, start: datetime) -> Event:
        """An event that has its room."""
        event = await self.publish(start)
        await self.becomes(event, "published")
        return event

    async def seen(self, event: Event) -> Event:
        """The event as who started it sees it."""
        _, answer = await self.order(self.world.members[0], "GET", f"/events/{event['id']}")
        shown: Event = answer
        return shown

    async def becomes(self, event: Event, *statuses: str) -> Event:
        """Wait until the event is so."""
        found: list[Event] = []

        async def so() -> bool:
            found.append(await self.seen(event))
            return found[-1].get("status") in statuses

        assert await comes_true(so, within=SETTLES_WITHIN_S), f"{found[-1]} never becomes {statuses}"
        return found[-1]

    async def room(self, event: Event) -> dict[str, Any]:
        """The live booking of the event, as a host finds it."""
        shown = await self.seen(event)
        _, booking = await self.order(self.host, "GET", f"/bookings/{shown['venue']['booking']}")
        room: dict[str, Any] = booking
        return room

    @property
    def host(self) -> Person:
        """Somebody who looks after the rooms."""
        return self.world.hosts[0]

    # --- looking ---

    async def apart(self) -> list[str]:
        """On what the two differ in this hub; parked facts and dead letters of anybody too."""
        events, booking = await self._connect("events"), await self._connect("booking")
        try:
            left = [row["it"] for one in (events, booking) for row in await one.fetch(saga_checks.LEFT_OVER)]
            hub = self.world.hub
            mine = [row for row in await events.fetch(saga_checks.EVENTS) if row["hub"] == hub]
            rooms = [row for row in await booking.fetch(saga_checks.ROOMS) if row["hub"] == hub]
        finally:
            await events.close()
            await booking.close()
        return saga_checks.differences(mine, rooms, utc_now()) + left

    async def agrees(self, *, within: float = SETTLES_WITHIN_S) -> list[str]:
        """What is still apart when both have had time to settle."""
        found: list[str] = []

        async def settled() -> bool:
            found[:] = await self.apart()
            return not found

        await comes_true(settled, within=within)
        return found

    async def by_hand(self, service: str, *statements: str) -> None:
        """Somebody changes rows behind the service's back; all rooms then look long at rest."""
        connection = await self._connect(service)
        try:
            for statement in (*statements, "UPDATE venue SET changed_at = changed_at - interval '1 hour'"):
                await connection.execute(statement)
        finally:
            await connection.close()

    async def _connect(self, service: str) -> asyncpg.Connection[Any]:
        return await asyncpg.connect(self.theatre.database(service))

    async def republish(self) -> None:
        """`foci republish … venues` on both sides."""
        client = await self.theatre.connect_as_admin()
        try:
            for service in ("booking", "events"):
                await _republish(Requester(client, utc_now), service)
        finally:
            await client.close()


async def _republish(requester: Requester, service: str) -> None:
    cursor: list[str | None] = [None]

    async def stated() -> bool:
        request = Republish(entity="venues", cursor=cursor[0])
        try:
            reply = await requester.send(request, cell="local", service=service, seconds=5)
        except Unavailable:
            return False
        cursor[0] = Republished.model_validate_json(reply.body).cursor
        return cursor[0] is None

    assert await comes_true(stated, within=60), f"{service} does not republish"


@contextlib.asynccontextmanager
async def theatre_in(home: Path, narrator: Narrator) -> AsyncIterator[Theatre]:
    """A theatre that is open while the block lasts."""
    theatre = Theatre(home, narrator)
    try:
        await theatre.up()
        yield theatre
    finally:
        await theatre.down()


async def open_saga(theatre: Theatre, hub: str = "sagas") -> Saga:
    """A hub with rooms, members and hosts."""
    return Saga(theatre, await make_world(theatre, hub, members=2, hosts=1))
