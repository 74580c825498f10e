"""Events on a real database with a clock, ids and chance of the test's own: stories are told in requests and answers."""

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

from services.events import rpc
from services.events.commands.signing_up import SignUps
from services.events.duties import duties
from services.events.main import hears
from shared.contracts.base import Fact, Request
from shared.contracts.booking.facts import SpaceOpenedV1
from shared.contracts.booking.words import SpaceKind
from shared.contracts.catalogue import fact_class
from shared.contracts.directory.facts import HubProfileChangedV1, HubRegisteredV1
from shared.contracts.directory.words import HubKind, Role
from shared.contracts.events.requests import CancelEvent, ChangeEvent, GetEvent, PublishEvent, StartEvent
from shared.contracts.events.sign_ups import SignUp
from shared.contracts.events.views import EventView, SignUpView
from shared.contracts.events.words import Way
from shared.kit import problems
from shared.kit.bus import Consumer
from shared.kit.database import Database
from shared.kit.errors import FociError
from shared.kit.idempotency import Answer, Key
from shared.kit.principal import Principal
from shared.kit.rpc import ADMIN, Call, carry_out
from shared.kit.timers import Timers
from tests.connections import Connections
from tests.events.rooms import HUB, Rooms

R = TypeVar("R", bound=BaseModel)

__all__ = ["EVENING", "HUB", "MONDAY", "ZONE", "Refused", "World", "cancel", "change", "make_world"]

ZONE = "Europe/Stockholm"
MONDAY = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
"""Where the clock stands at first: a Monday, 09:00 in Stockholm, no change of clocks near."""
EVENING = "2027-03-08T18:00"
"""When an event starts unless a story says otherwise: a week later, 18:00 in Stockholm, for two hours."""


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
class World(Rooms):
    """One events service without its process: handlers, consumers and duties on a real database."""

    database: Database
    chance: random.Random
    now: datetime = MONDAY
    people: dict[str, UUID] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.sign_ups = SignUps(self.database, self.ids, self.chance)

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
        """Somebody acting in a hub; without a role a stranger there who is signed in."""
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
            if isinstance(parsed, SignUp):
                answer = await self.sign_ups.sign_up(parsed, call)
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
                if type(fact) in consumer._effects:
                    outcomes += [await consumer.take_in(fact)]
        return outcomes

    def consumers(self) -> tuple[Consumer, ...]:
        """The service's consumers."""
        return hears(self.database, clock=self.clock, ids=self.ids)

    def version_of(self, subject: str, given: int | None = None) -> int:
        """The number of the next fact another service states about something."""
        number = given or self.versions.get(subject, 0) + 1
        self.versions[subject] = max(number, self.versions.get(subject, 0))
        return number

    def hub_fact(
        self,
        hub: str = HUB,
        *,
        zone: str = ZONE,
        version: int | None = None,
        fact: type[HubRegisteredV1] | type[HubProfileChangedV1] = HubRegisteredV1,
        languages: tuple[str, ...] = ("sv", "en"),
    ) -> HubRegisteredV1 | HubProfileChangedV1:
        """Directory states a hub."""
        return fact(
            id=self.ids(),
            hub=hub,
            occurred_at=self.now,
            subject=hub,
            subject_version=self.version_of(hub, version),
            name=hub.title(),
            kind=HubKind.LIBRARY,
            municipality="Nordviken",
            country="SE",
            time_zone=zone,
            languages=languages,
            cell="local",
        )

    async def hub(self, hub: str = HUB, zone: str = ZONE) -> None:
        """A hub that events has heard of."""
        await self.hear(self.hub_fact(hub, zone=zone))

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

    async def facts(self, *kinds: type[Fact], after: int = 0) -> list[Fact]:
        """What the service has stated, in the order of writing; `after` so many."""
        rows = await self.rows(
            "SELECT subject, body FROM outbox WHERE stream = 'EVENTS' ORDER BY id OFFSET :after", after=after
        )
        facts = [known.model_validate_json(row.body) for row in rows if (known := fact_class(row.subject))]
        assert len(facts) == len(rows)
        return [fact for fact in facts if not kinds or isinstance(fact, kinds)]

    async def facts_about(self, subject: UUID | str) -> list[Fact]:
        """What the service has stated about one thing, in order; their versions leave no gap."""
        facts = [fact for fact in await self.facts() if fact.subject == str(subject)]
        versions = [fact.subject_version for fact in facts]
        assert versions == list(range(1, len(versions) + 1))
        return facts

    async def rows(self, statement: str, **values: Any) -> Sequence[Any]:
        """What is in the database."""
        async with self.database.reading() as session:
            return (await session.execute(text(statement), values)).all()

    def timers(self) -> Timers:
        """The service's duties, to be done one at a time."""
        return Timers(self.database, duties(self.ids, self.chance), self.clock)

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


def change(event: EventView, **what: Any) -> ChangeEvent:
    """An order to change an event as it was last seen."""
    return ChangeEvent.model_validate({"hub": HUB, "event": event.id, "version": event.version} | what)


def cancel(event: EventView, reason: str | None = None) -> CancelEvent:
    """An order to call an event off."""
    return CancelEvent(hub=HUB, event=event.id, reason=reason)


def make_world(connections: Connections, url: str, *, now: datetime = MONDAY) -> World:
    """An events service on what is in the database."""
    return World(Database(connections.engine(url), lambda: None), random.Random(7), now=now)
