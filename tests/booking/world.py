"""Booking on a real database with a clock, ids and chance of the test's own: stories are told in requests and answers."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text

from services.booking import rpc
from services.booking.commands.reserving import Reservations
from services.booking.duties import duties
from services.booking.main import hears
from shared.contracts.base import Fact, Request
from shared.contracts.booking.requests import BookingView, OpenSpace, Reserve, SpaceView
from shared.contracts.booking.space_rules import GivenRules
from shared.contracts.booking.words import SpaceKind
from shared.contracts.catalogue import fact_class
from shared.contracts.directory.facts import HubProfileChangedV1, HubRegisteredV1
from shared.contracts.directory.words import HubKind, Role
from shared.kit import problems
from shared.kit.bus import BatchConsumer, Consumer
from shared.kit.database import Database
from shared.kit.errors import FociError
from shared.kit.idempotency import Answer, Key
from shared.kit.principal import Principal
from shared.kit.rpc import ADMIN, Call, carry_out
from shared.kit.timers import Timers
from tests.connections import Connections

R = TypeVar("R", bound=BaseModel)

HUB = "nordviken"
ZONE = "Europe/Stockholm"
MONDAY = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
"""Where the clock stands at first: a Monday, 09:00 in Stockholm, no change of clocks near."""

OPEN_ALWAYS = GivenRules(days_ahead=400, longest_minutes=44640)


class Refused(Exception):
    """The problem a request was answered with."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem["detail"])
        self.problem = problem

    @property
    def code(self) -> str:
        """The problem's code."""
        return str(self.problem["code"])

    @property
    def status(self) -> int:
        """The problem's HTTP status."""
        return int(self.problem["status"])


@dataclass
class World:
    """One booking service without its process: handlers, consumers and duties on a real database."""

    database: Database
    reservations: Reservations
    chance: random.Random
    now: datetime = MONDAY
    people: dict[str, UUID] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def clock(self) -> datetime:
        """The time in this world."""
        return self.now

    def ids(self) -> UUID:
        """The next id: counted, so a failing test reads the same each time."""
        return UUID(int=(0x7 << 76) | (0x2 << 62) | next(self._numbers))

    def person(self, name: str) -> UUID:
        """The id of somebody called that."""
        return self.people.setdefault(name, UUID(int=0xBEEF0000 + len(self.people) + 1))

    def principal(self, name: str, role: Role | None = Role.MEMBER, hub: str = HUB) -> Principal:
        """Somebody acting in a hub."""
        return Principal(self.person(name), hub, role)

    async def answer(
        self, request: Request[Any], by: Principal | None, *, key: str | None = None
    ) -> Answer | Refused:
        """What the service would send back."""
        body = request.model_dump_json(exclude_unset=True).encode()
        person = by.person if by else ADMIN
        made = None if key is None else Key.of(person, request.operation, key, body)
        call = Call(by, self.now, made)
        parsed = type(request).model_validate_json(body)
        try:
            if isinstance(parsed, Reserve):
                answer = await self.reservations.reserve(parsed, call)
            else:
                handlers = rpc.reads() | rpc.changes(self.ids, self.chance)
                answer = await carry_out(self.database, handlers[type(request)], parsed, call)
        except FociError as error:
            if error.status >= 500:
                raise
            return Refused(json.loads(json.dumps(problems.of_error(error))))
        return answer if answer.status < 400 else Refused(json.loads(answer.body))

    async def ask(
        self,
        request: Request[R],
        by: str | Principal | None = "ann",
        role: Role | None = Role.MEMBER,
        *,
        key: str | None = None,
    ) -> R:
        """The view a request is answered with; raises Refused."""
        principal = self.principal(by, role) if isinstance(by, str) else by
        answer = await self.answer(request, principal, key=key)
        if isinstance(answer, Refused):
            raise answer
        view: R = request.reply.model_validate_json(answer.body)  # type: ignore[assignment]
        return view

    async def refusal(
        self,
        request: Request[Any],
        by: str | Principal | None = "ann",
        role: Role | None = Role.MEMBER,
        *,
        key: str | None = None,
    ) -> Refused:
        """The problem a request is answered with; it must be refused."""
        principal = self.principal(by, role) if isinstance(by, str) else by
        answer = await self.answer(request, principal, key=key)
        assert isinstance(answer, Refused), f"was answered with {answer}"
        return answer

    async def hear(self, *facts: Fact) -> list[str]:
        """Take facts in as the service's consumers would."""
        outcomes = []
        for fact in facts:
            for consumer in self.consumers():
                if type(fact) in consumer._effects and not isinstance(consumer, BatchConsumer):
                    outcomes += [await consumer.take_in(fact)]
        return outcomes

    def consumers(self) -> tuple[Consumer, ...]:
        """The service's consumers."""
        return hears(self.database, clock=self.clock, ids=self.ids, chance=self.chance)

    def hub_fact(
        self,
        hub: str = HUB,
        *,
        zone: str = ZONE,
        version: int | None = None,
        fact: type[HubRegisteredV1] | type[HubProfileChangedV1] = HubRegisteredV1,
    ) -> HubRegisteredV1 | HubProfileChangedV1:
        """Directory states a hub."""
        number = version or self.versions.get(hub, 0) + 1
        self.versions[hub] = max(number, self.versions.get(hub, 0))
        return fact(
            id=self.ids(),
            hub=hub,
            occurred_at=self.now,
            subject=hub,
            subject_version=number,
            name=hub.title(),
            kind=HubKind.LIBRARY,
            time_zone=zone,
            cell="local",
        )

    async def hub(self, hub: str = HUB, zone: str = ZONE) -> None:
        """A hub that booking has heard of."""
        await self.hear(self.hub_fact(hub, zone=zone))

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

    async def facts(self, *kinds: type[Fact], after: int = 0) -> list[Fact]:
        """What the service has stated, in the order of writing; `after` so many."""
        rows = await self.rows(
            "SELECT subject, body FROM outbox WHERE stream = 'BOOKING' ORDER BY id OFFSET :after", after=after
        )
        facts = [known.model_validate_json(row.body) for row in rows if (known := fact_class(row.subject))]
        assert len(facts) == len(rows)
        return [fact for fact in facts if not kinds or isinstance(fact, kinds)]

    async def rows(self, statement: str, **values: Any) -> Sequence[Any]:
        """What is in the database."""
        async with self.database.reading() as session:
            return (await session.execute(text(statement), values)).all()

    def timers(self) -> Timers:
        """The service's duties, to be done one at a time."""
        return Timers(self.database, duties(self.ids), self.clock)

    async def let_time_pass(self, **by: float) -> int:
        """Move the clock on and do every duty that has fallen due; how many were done."""
        return await self.until(self.now + timedelta(**by))

    async def until(self, moment: datetime) -> int:
        """Move the clock to `moment`, stopping at each duty on the way as a running service would."""
        timers, done = self.timers(), 0
        while True:
            rows = await self.rows(
                "SELECT min(due_at) AS due_at FROM timer WHERE due_at <= :moment", moment=moment
            )
            due_at = rows[0].due_at
            if due_at is None:
                break
            self.now = max(self.now, due_at)
            assert await timers.handle_one()
            done += 1
            assert done < 10_000, "a timer sets itself again without end"
        self.now = moment
        return done

    async def listen_to_itself(self) -> int:
        """Take in what the service has stated since, as its occupancy consumer would; how many facts were new."""
        consumer = self.consumers()[-1]
        assert isinstance(consumer, BatchConsumer)
        return await consumer.take_in_batch(await self.facts())


async def make_world(connections: Connections, url: str, *, now: datetime = MONDAY) -> World:
    """A booking service on what is in the database."""
    database = Database(connections.engine(url), lambda: None)
    chance = random.Random(7)
    world = World(database, None, chance, now=now)  # type: ignore[arg-type]  # filled in on the next line
    world.reservations = Reservations(await connections.pool(url), database, world.ids, chance)
    return world
