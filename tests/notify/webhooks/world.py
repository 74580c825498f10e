"""Notify's webhooks on a real database with a clock, ids and chance of the test's own."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.notify.channels.http import Outside
from services.notify.consumers.hooks import hands_on
from services.notify.rpc import webhooks as rpc
from services.notify.senders.webhooks import WebhookSender
from shared.contracts.base import Fact, Request
from shared.contracts.booking.facts import BookingCancelledV1
from shared.contracts.catalogue import fact_class
from shared.contracts.directory.words import Role
from shared.contracts.examples import example
from shared.contracts.notify.webhooks import (
    AddWebhook,
    DeliveryView,
    GetDelivery,
    GetWebhook,
    ListDeliveries,
    WebhookSecretView,
    WebhookView,
)
from shared.kit import problems
from shared.kit.database import Database
from shared.kit.errors import FociError
from shared.kit.idempotency import Answer, Key
from shared.kit.ids import utc_now
from shared.kit.principal import Principal
from shared.kit.rpc import Call, carry_out
from tests.notify.webhooks.receiver import Receiver

R = TypeVar("R", bound=BaseModel)

HUB = "nordviken"
OTHER_HUB = "sydvik"
KEY = "a key for tests, as long as a key has to be"
OLA = UUID(int=0xBEEF0001)
"""Operator of the hub Nordviken."""


class Refused(Exception):
    """The problem a request was answered with."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem["detail"])
        self.problem = problem
        self.code = str(problem["code"])
        self.status = int(problem["status"])


@dataclass
class Hooks:
    """One notify service without its process, as far as webhooks go."""

    database: Database
    outside: Outside
    now: datetime = field(default_factory=lambda: utc_now().replace(microsecond=0))
    """The receivers' library looks at the real clock, so stories begin at the real time."""
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.sender = self.another_sender()

    def clock(self) -> datetime:
        """The time in this world."""
        return self.now

    def ids(self) -> UUID:
        """The next id: counted, so a failing test reads the same each time."""
        return UUID(int=(0x7 << 76) | (0x2 << 62) | next(self._numbers))

    def another_sender(self, outside: Outside | None = None) -> WebhookSender:
        """A sender as another replica, or the process after a crash, has it."""
        return WebhookSender(
            self.database,
            outside or self.outside,
            key=KEY,
            clock=self.clock,
            ids=self.ids,
            chance=self.chance,
        )

    async def pass_time(self, **by: float) -> int:
        """Move the clock on and send what has fallen due; how many tries that took."""
        self.now += timedelta(**by)
        return await self.sender.round()

    async def ask(
        self,
        request: Request[R],
        *,
        role: Role | None = Role.OPERATOR,
        hub: str = HUB,
        key: str | None = None,
    ) -> R:
        """The view a request is answered with; raises Refused."""
        body = request.model_dump_json(exclude_unset=True).encode()
        made = None if key is None else Key.of(OLA, request.operation, key, body)
        handlers = rpc.handlers(self.outside, self.ids)
        direct = rpc.secret_handlers(self.database, self.outside, KEY, self.ids)
        call = Call(Principal(OLA, hub, role), self.now, made)
        try:
            if type(request) in direct:
                answer = await direct[type(request)](request, call)
            else:
                answer = await carry_out(self.database, handlers[type(request)], request, call)
        except FociError as error:
            raise Refused(json.loads(json.dumps(problems.of_error(error)))) from error
        if answer.status >= 400:
            raise Refused(json.loads(answer.body))
        return self._view(request, answer)

    def _view(self, request: Request[R], answer: Answer) -> R:
        view: R = request.reply.model_validate_json(answer.body)  # type: ignore[assignment]
        return view

    async def add(self, receiver: Receiver | str, *types: str, hub: str = HUB) -> WebhookSecretView:
        """A webhook that posts to the receiver."""
        url = receiver if isinstance(receiver, str) else receiver.url
        return await self.ask(AddWebhook(hub=hub, url=url, types=types), hub=hub)

    async def seen(self, webhook: WebhookView) -> WebhookView:
        """The webhook as it is now."""
        return await self.ask(GetWebhook(hub=webhook.hub, webhook=webhook.id), hub=webhook.hub)

    async def log(self, webhook: WebhookView) -> tuple[DeliveryView, ...]:
        """Its deliveries, newest first."""
        page = await self.ask(ListDeliveries(hub=webhook.hub, webhook=webhook.id, limit=100), hub=webhook.hub)
        return page.items

    async def delivery(self, webhook: WebhookView, delivery: UUID) -> DeliveryView:
        """One of them with its body."""
        return await self.ask(GetDelivery(hub=webhook.hub, webhook=webhook.id, delivery=delivery))

    def fact(self, kind: type[Fact] = BookingCancelledV1, hub: str = HUB) -> Fact:
        """Something that happened just now."""
        return example(kind).model_copy(update={"id": self.ids(), "hub": hub, "occurred_at": self.now})

    async def hear(self, *facts: Fact) -> int:
        """Take facts in as the service's consumers do, in one batch per stream; how many were new."""
        new = 0
        for consumer in hands_on(self.database, clock=self.clock, ids=self.ids):
            mine = [fact for fact in facts if type(fact) in consumer._effects]
            new += await consumer.take_in_batch(mine) if mine else 0
        return new

    async def facts(self, *kinds: type[Fact]) -> list[Fact]:
        """What the service has stated."""
        rows = await self.rows("SELECT subject, body FROM outbox ORDER BY id")
        stated = [known.model_validate_json(row.body) for row in rows if (known := fact_class(row.subject))]
        assert len(stated) == len(rows)
        return [fact for fact in stated if not kinds or isinstance(fact, kinds)]

    async def rows(self, statement: str, **values: Any) -> Sequence[Any]:
        """What is in the database."""
        async with self.database.reading() as session:
            return (await session.execute(text(statement), values)).all()

    async def do(self, statement: str, **values: Any) -> None:
        """Change the database, as something else of the service would."""
        async with self.database.transaction() as session:
            await session.execute(text(statement), values)


@asynccontextmanager
async def make_hooks(engine: AsyncEngine, outside: Outside | None = None) -> AsyncIterator[Hooks]:
    """Webhooks of two hubs that have none yet; every `127.0.0.1:port` may be posted to."""
    out = outside or Outside(trusted=EveryLocalPort())
    try:
        hooks = Hooks(Database(engine, lambda: None), out)
        for hub in (HUB, OTHER_HUB):
            await hooks.do(
                "INSERT INTO hub (slug, name, time_zone, version) VALUES (:hub, :hub, 'Europe/Stockholm', 1)",
                hub=hub,
            )
        await hooks.do(
            "INSERT INTO member (hub, person, role, version) VALUES (:hub, :ola, 'operator', 1)",
            hub=HUB,
            ola=OLA,
        )
        yield hooks
    finally:
        await out.aclose()


class EveryLocalPort:
    """Trusts 127.0.0.1 at whatever port a test's receiver has been given."""

    def __contains__(self, place: object) -> bool:
        return str(place).startswith("127.0.0.1:")


def quick_outside() -> Outside:
    """The way out, whose patience ends within a test's."""
    return Outside(trusted=EveryLocalPort(), longest=0.3)
