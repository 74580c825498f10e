"""A service on a real database with a clock, ids and chance of the test's own: what the worlds of all services share."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text

from shared.contracts.base import EVERYWHERE, Fact, Request
from shared.contracts.catalogue import fact_class
from shared.contracts.directory.facts import HubProfileChangedV1, HubRegisteredV1, PersonErasedV1
from shared.contracts.directory.words import HubKind, Role
from shared.kit import problems
from shared.kit.bus import BatchConsumer, Consumer
from shared.kit.database import Database
from shared.kit.errors import FociError
from shared.kit.idempotency import Answer, Key
from shared.kit.principal import Principal
from shared.kit.rpc import ADMIN, Call, Handler, carry_out
from shared.kit.timers import Timers

R = TypeVar("R", bound=BaseModel)

HUB = "nordviken"
ZONE = "Europe/Stockholm"
MONDAY = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
"""Where the clock stands at first: a Monday, 09:00 in Stockholm, no change of clocks near."""


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
class AskedWorld:
    """One service without its process that is asked and states facts."""

    stream: ClassVar[str]
    """Where the service's facts go."""
    database: Database
    now: datetime = MONDAY
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def clock(self) -> datetime:
        """The time in this world."""
        return self.now

    def ids(self) -> UUID:
        """The next id: counted, so a failing test reads the same each time."""
        return UUID(int=(0x7 << 76) | (0x2 << 62) | next(self._numbers))

    def handlers(self) -> Mapping[type[Request[Any]], Handler]:
        """What the service answers."""
        raise NotImplementedError

    async def carried_out(self, request: Request[Any], call: Call) -> Answer:
        """The service's answer to a request that has been parsed."""
        return await carry_out(self.database, self.handlers()[type(request)], request, call)

    async def answer(
        self, request: Request[Any], by: Principal | None = None, *, key: str | None = None
    ) -> Answer | Refused:
        """What the service would send back."""
        body = request.model_dump_json(exclude_unset=True).encode()
        person = by.person if by else ADMIN
        made = None if key is None else Key.of(person, request.operation, key, body)
        parsed = type(request).model_validate_json(body)
        try:
            answer = await self.carried_out(parsed, Call(by, self.now, made))
        except FociError as error:
            if error.status >= 500:
                raise
            return Refused(json.loads(json.dumps(problems.of_error(error))))
        return answer if answer.status < 400 else Refused(json.loads(answer.body))

    async def ask(self, request: Request[R], by: Principal | None = None, *, key: str | None = None) -> R:
        """The view a request is answered with; raises Refused."""
        answer = await self.answer(request, by, key=key)
        if isinstance(answer, Refused):
            raise answer
        view: R = request.reply.model_validate_json(answer.body)  # type: ignore[assignment]
        return view

    async def refusal(
        self, request: Request[Any], by: Principal | None = None, *, key: str | None = None
    ) -> Refused:
        """The problem a request is answered with; it must be refused."""
        answer = await self.answer(request, by, key=key)
        assert isinstance(answer, Refused), f"was answered with {answer}"
        return answer

    async def facts(self, *kinds: type[Fact], after: int = 0) -> list[Fact]:
        """What the service has stated, in the order of writing; `after` so many."""
        rows = await self.rows(
            "SELECT subject, body FROM outbox WHERE stream = :stream ORDER BY id OFFSET :after",
            stream=self.stream,
            after=after,
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

    async def goes_back(self, *statements: str) -> list[Fact]:
        """The database is an older one: rows are as these statements make them, and nothing has been stated.

        What had been is returned.
        """
        told = await self.facts()
        async with self.database.transaction() as session:
            for statement in (*statements, "DELETE FROM outbox"):
                await session.execute(text(statement))
        return told

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
        raise NotImplementedError

    def timers(self) -> Timers:
        """The service's duties, to be done one at a time."""
        raise NotImplementedError

    async def let_time_pass(self, **by: float) -> int:
        """Move the clock on and do every duty that has fallen due; how many were done."""
        return await self.until(self.now + timedelta(**by))

    async def sleep(self, **by: float) -> int:
        """As if nobody had worked meanwhile: what fell due is done at the end, late; how many duties that were."""
        self.now += timedelta(**by)
        return await self.until(self.now)

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


@dataclass
class HearingWorld(AskedWorld):
    """One service that also hears of hubs and has duties; people are known by their names."""

    chance: random.Random = field(default_factory=lambda: random.Random(7))
    people: dict[str, UUID] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)

    def person(self, name: str) -> UUID:
        """The id of somebody called that."""
        return self.people.setdefault(name, UUID(int=0xBEEF0000 + len(self.people) + 1))

    def principal(self, name: str, role: Role | None = Role.MEMBER, hub: str = HUB) -> Principal:
        """Somebody acting in a hub; without a role a stranger there who is signed in."""
        return Principal(self.person(name), hub, role)

    async def ask(
        self,
        request: Request[R],
        by: str | Principal | None = "ann",
        role: Role | None = Role.MEMBER,
        *,
        key: str | None = None,
    ) -> R:
        """The view a request of somebody is answered with; raises Refused."""
        return await super().ask(request, self._whom(by, role), key=key)

    async def refusal(
        self,
        request: Request[Any],
        by: str | Principal | None = "ann",
        role: Role | None = Role.MEMBER,
        *,
        key: str | None = None,
    ) -> Refused:
        """The problem a request of somebody is answered with; it must be refused."""
        return await super().refusal(request, self._whom(by, role), key=key)

    def _whom(self, by: str | Principal | None, role: Role | None) -> Principal | None:
        return self.principal(by, role) if isinstance(by, str) else by

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
        """A hub that the service has heard of."""
        await self.hear(self.hub_fact(hub, zone=zone))

    def erased(self, name: str) -> PersonErasedV1:
        """Directory states that somebody is erased, once more each time."""
        person = self.person(name)
        return PersonErasedV1(
            id=self.ids(),
            hub=EVERYWHERE,
            occurred_at=self.now,
            subject=str(person),
            subject_version=self.version_of(f"erased {person}"),
            person=person,
        )
