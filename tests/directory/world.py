"""Directory on a real database with a clock and ids of the test's own."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text

from services.directory import rpc
from shared.contracts.base import Fact, Request
from shared.contracts.catalogue import fact_class
from shared.contracts.directory.requests import EnsurePerson, HubProfile, HubView, PersonView, RegisterHub
from shared.contracts.directory.words import HubKind, Role
from shared.kit import problems
from shared.kit.database import Database
from shared.kit.errors import FociError
from shared.kit.idempotency import Answer, Key
from shared.kit.principal import Principal
from shared.kit.rpc import ADMIN, Call, carry_out
from tests.connections import Connections

R = TypeVar("R", bound=BaseModel)

HUB = "nordviken"
MONDAY = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)


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
    """One directory service without its process."""

    database: Database
    now: datetime = MONDAY
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def clock(self) -> datetime:
        """The time in this world."""
        return self.now

    def ids(self) -> UUID:
        """The next id."""
        return UUID(int=(0x7 << 76) | (0x2 << 62) | next(self._numbers))

    async def answer(
        self, request: Request[Any], by: Principal | None = None, *, key: str | None = None
    ) -> Answer | Refused:
        """What the service would send back."""
        body = request.model_dump_json(exclude_unset=True).encode()
        made = None if key is None else Key.of(by.person if by else ADMIN, request.operation, key, body)
        call = Call(by, self.now, made)
        handlers = rpc.reads() | rpc.changes("local", self.ids)
        try:
            parsed = type(request).model_validate_json(body)
            answer = await carry_out(self.database, handlers[type(request)], parsed, call)
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

    async def hub(self, id: str = HUB, **more: Any) -> HubView:
        """A hub that has joined."""
        given = {"name": id.title(), "kind": HubKind.LIBRARY, "time_zone": "Europe/Stockholm"} | more
        return await self.ask(RegisterHub(profile=HubProfile(id=id, **given)))

    async def person(self, name: str, role: Role = Role.MEMBER, hub: str = HUB) -> Principal:
        """Somebody with a role in a hub, ready to act there."""
        person: PersonView = await self.ask(EnsurePerson(hub=hub, name=name, role=role))
        return Principal(person.id, hub, role)

    async def facts(self, *kinds: type[Fact]) -> list[Fact]:
        """What the service has stated, in the order of writing."""
        rows = await self.rows("SELECT subject, body FROM outbox WHERE stream = 'DIRECTORY' ORDER BY id")
        facts = [known.model_validate_json(row.body) for row in rows if (known := fact_class(row.subject))]
        assert len(facts) == len(rows)
        return [fact for fact in facts if not kinds or isinstance(fact, kinds)]

    async def rows(self, statement: str, **values: Any) -> Sequence[Any]:
        """What is in the database."""
        async with self.database.reading() as session:
            return (await session.execute(text(statement), values)).all()


def make_world(connections: Connections, url: str) -> World:
    """A directory on what is in the database."""
    return World(Database(connections.engine(url), lambda: None))
