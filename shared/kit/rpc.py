"""Answers requests over the NATS services API: typed, vouched for, bounded in number and in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError
from nats.micro import add_service
from nats.micro.request import Request as MicroRequest
from nats.micro.service import Service, ServiceConfig
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Request
from shared.kit import idempotency, problems, telemetry
from shared.kit.database import Database, despite_migrations
from shared.kit.errors import FociError, IdempotencyKeyReused, Unavailable, is_passing
from shared.kit.idempotency import Answer, Key
from shared.kit.ids import Clock
from shared.kit.principal import Principal, Verifier
from shared.kit.requester import ASSERTION, DEADLINE, IDEMPOTENCY_KEY, STATUS, VERSION
from shared.kit.telemetry import logger
from shared.kit.tracing import extract, failed, span

log = logger(__name__)
tracer = trace.get_tracer("foci.rpc")

LONGEST = 30.0
ADMIN = UUID(int=0)
"""Stands for the platform's operator, who is no person in the directory."""


@dataclass(frozen=True)
class Call:
    """What comes with a request: who asks, when, under which key, until when an answer is of use."""

    principal: Principal | None
    now: datetime
    key: Key | None = None
    seconds_left: float = LONGEST


Handler = Callable[[AsyncSession, Any, Call], Awaitable[BaseModel]]
"""Answers a request in the transaction (orders) or reading session (questions) it is given."""

Direct = Callable[[Any, Call], Awaitable[Answer]]
"""Answers a request by itself, sessions and idempotency included; for the hottest path only."""


def answer_of(request: Request[Any], view: BaseModel) -> Answer:
    """A success."""
    return Answer(201 if request.created else 200, getattr(view, "version", None), view.model_dump_json())


def refusal(error: FociError) -> Answer:
    """A refusal, as stored and as sent."""
    return Answer(error.status, None, orjson.dumps(problems.of_error(error)).decode())


async def carry_out(database: Database, handler: Handler, request: Request[Any], call: Call) -> Answer:
    """Answer one request: orders in one transaction with the answer stored under their key, questions without."""
    if not request.changes:
        async with database.reading() as session:
            return answer_of(request, await handler(session, request, call))
    if call.key is None:
        async with database.transaction() as session:
            return answer_of(request, await handler(session, request, call))
    try:
        return await _once(database, handler, request, call, call.key)
    except IntegrityError:
        # A twin with the same key may have been first; if it was not the key, the second try says what it
        # was.
        return await _once(database, handler, request, call, call.key)


async def _once(database: Database, handler: Handler, request: Request[Any], call: Call, key: Key) -> Answer:
    try:
        async with database.transaction() as session:
            known = await idempotency.answered(session, key, now=call.now)
            if known is not None:
                return known
            answer = answer_of(request, await handler(session, request, call))
            await idempotency.store(session, key, answer)
            return answer
    except FociError as error:
        if error.status >= 500 or isinstance(error, IdempotencyKeyReused):
            raise
        return await remember_refusal(database, key, error, now=call.now)


async def remember_refusal(database: Database, key: Key, error: FociError, *, now: datetime) -> Answer:
    """Store a refusal under its key so that a repeat hears the same; the twin's answer if that was first."""
    answer = refusal(error)
    try:
        async with database.transaction() as session:
            known = await idempotency.answered(session, key, now=now)
            if known is None:
                await idempotency.store(session, key, answer)
            return known or answer
    except IntegrityError:
        async with database.reading() as session:
            return await idempotency.answered(session, key, now=now) or answer


TOO_LARGE = refusal(FociError("The answer is larger than can be sent. Ask for less at a time."))


class Slots:
    """Room for requests worked on at once: `size` of them work, as many again wait, and there is no more."""

    def __init__(self, size: int) -> None:
        self.working = asyncio.Semaphore(size)
        self.most = size * 2
        self.taken = 0


class Server:
    """Answers a service's requests for its own cell.

    nats.micro hands over one message at a time, so each becomes a task of its own; `concurrency` of them
    work, as many again wait, and the rest are told at once to come back. Requests with slots of their own neither
    take nor give room to the others.
    """

    def __init__(
        self,
        database: Database,
        *,
        service: str,
        cell: str,
        verifier: Verifier,
        clock: Clock,
        concurrency: int,
    ) -> None:
        self._database = database
        self._service = service
        self._cell = cell
        self._verifier = verifier
        self._clock = clock
        self._slots = Slots(concurrency)
        self._own_slots: dict[type[Request[Any]], Slots] = {}
        self._handlers: dict[type[Request[Any]], Handler] = {}
        self._direct: dict[type[Request[Any]], Direct] = {}
        self._active: set[asyncio.Task[None]] = set()
        self._micro: Service | None = None
        telemetry.REQUESTS_ACTIVE.set_function(lambda: len(self._active))

    def answers(self, handlers: Mapping[type[Request[Any]], Handler]) -> None:
        """Answer these requests in a transaction or reading session."""
        self._handlers.update(handlers)

    def answers_directly(
        self, handlers: Mapping[type[Request[Any]], Direct], *, slots: int | None = None
    ) -> None:
        """Answer these requests by functions that see to everything themselves.

        With `slots` so many of them are worked on at once whatever else is asked, and as many again wait: for
        requests that wait for each other, and would leave no room for those they wait for.
        """
        self._direct.update(handlers)
        if slots is not None:
            self._own_slots.update(dict.fromkeys(handlers, Slots(slots)))

    async def start(self, nc: Client, *, version: str) -> None:
        """Be found by `$SRV` discovery and answer."""
        self._micro = await add_service(
            nc, ServiceConfig(name=f"foci-{self._service}", version=version, metadata={"cell": self._cell})
        )
        for request in (*self._handlers, *self._direct):
            await self._micro.add_endpoint(
                name=request.operation,
                subject=request.subject_for(self._cell, self._service),
                handler=self._taker(request),
            )

    async def stop(self) -> None:
        """Take no more requests and finish those begun."""
        try:
            await self._take_no_more()
        finally:
            if self._active:
                await asyncio.wait(self._active, timeout=LONGEST)

    async def _take_no_more(self) -> None:
        if self._micro is not None:
            # Its own stop would forget requests that have arrived and not been looked at.
            endpoints, self._micro._endpoints = self._micro._endpoints, []  # noqa: SLF001
            await asyncio.gather(*(one._subscription.drain() for one in endpoints if one._subscription))  # noqa: SLF001
            await self._micro.stop()

    def _taker(self, request: type[Request[Any]]) -> Callable[[MicroRequest], Awaitable[None]]:
        slots = self._own_slots.get(request, self._slots)

        async def take(message: MicroRequest) -> None:
            if slots.taken >= slots.most:
                error = Unavailable("Foci is busy. Try again in a second.")
                await self._reply(message, refusal(error))
                telemetry.REQUESTS.labels(request.operation, "busy").inc()
                return
            slots.taken += 1
            task = asyncio.create_task(self._serve(request, message, slots))
            self._active.add(task)
            task.add_done_callback(done)

        def done(task: asyncio.Task[None]) -> None:
            slots.taken -= 1
            self._active.discard(task)

        return take

    async def _serve(self, request: type[Request[Any]], message: MicroRequest, slots: Slots) -> None:
        started = time.perf_counter()
        headers = message.headers or {}
        name = f"{self._service} {request.operation}"
        with span(tracer, name, context=extract(headers), kind=SpanKind.SERVER) as current:
            try:
                answer = await self._answer(request, message.data, headers, slots)
            except Exception as error:  # noqa: BLE001  # the edge: a request is answered with a problem, never with silence
                answer = self._unforeseen(request, error)
                failed(current, error)
            current.set_attribute("foci.status", answer.status)
            await self._reply(message, answer)
        telemetry.REQUEST_TIME.labels(request.operation).observe(time.perf_counter() - started)
        telemetry.REQUESTS.labels(request.operation, str(answer.status)).inc()

    def _unforeseen(self, request: type[Request[Any]], error: Exception) -> Answer:
        document = problems.of_error(error)
        if not isinstance(error, FociError) and document["status"] >= 500:
            if is_passing(error):
                log.warning("a dependency is away", operation=request.operation, error=error)
            else:
                log.error("request failed", operation=request.operation, exc_info=error)
        return Answer(int(document["status"]), None, orjson.dumps(document).decode())

    async def _answer(
        self, request: type[Request[Any]], body: bytes, headers: Mapping[str, str], slots: Slots
    ) -> Answer:
        now = self._clock()
        seconds_left = (
            int(headers.get(DEADLINE, 0)) / 1000 - now.timestamp() if DEADLINE in headers else LONGEST
        )
        if seconds_left <= 0:
            raise Unavailable("The request arrived after its deadline.")
        token = headers.get(ASSERTION)
        principal = None if token is None else self._verifier.verify(token, now=now)
        key = None
        given = headers.get(IDEMPOTENCY_KEY)
        # Nobody in particular has no keys: one stranger must not be given the answer to another.
        if given and request.changes and (principal is not None or request.admin):
            key = Key.of(principal.person if principal else ADMIN, request.operation, given, body)
        try:
            parsed = request.model_validate_json(body)
        except ValidationError as error:
            # Only here: the same exception from deeper inside is our fault, not the caller's.
            return Answer(422, None, orjson.dumps(problems.of_validation(error)).decode())
        async with asyncio.timeout(seconds_left), slots.working:
            call = Call(principal, now, key, seconds_left)
            return await despite_migrations(lambda: self._carry_out(parsed, call))

    async def _carry_out(self, request: Request[Any], call: Call) -> Answer:
        direct = self._direct.get(type(request))
        if direct is not None:
            return await direct(request, call)
        return await carry_out(self._database, self._handlers[type(request)], request, call)

    async def _reply(self, message: MicroRequest, answer: Answer) -> None:
        headers = {STATUS: str(answer.status)}
        if answer.version is not None:
            headers[VERSION] = str(answer.version)
        if answer.status >= 400:
            headers["Nats-Service-Error-Code"] = str(answer.status)
            headers["Nats-Service-Error"] = problems.code_of(answer.body)
        try:
            await message.respond(answer.body.encode(), headers=headers)
        except MaxPayloadError:
            log.error("answer larger than the bus takes", size=len(answer.body))  # noqa: TRY400  # a size says all
            await self._reply(message, TOO_LARGE)
        except (NatsError, ValueError) as error:  # the bus is away, or the request named no address
            log.warning("answer not sent", error=error)
