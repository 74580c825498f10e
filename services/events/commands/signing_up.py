"""Signing up: those who come at once are taken in together, in one transaction."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from opentelemetry import trace
from opentelemetry.context import Context, get_current
from prometheus_client import Histogram
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands.line import Entrant, enter, no_such_way
from services.events.commands.loading import no_such_event, organisers_of
from services.events.rules.authority import may_see, viewer_of
from services.events.rules.line import first_way
from services.events.rules.refusals import AlreadySignedUp, NotAMember, NotOpen
from services.events.tables import Event
from shared.contracts.events.sign_ups import SignUp
from shared.contracts.events.views import SignUpView
from shared.contracts.events.words import Way
from shared.kit import idempotency
from shared.kit.database import Database
from shared.kit.errors import FociError, IdempotencyKeyReused, NotFound
from shared.kit.idempotency import Answer, Key
from shared.kit.ids import Ids
from shared.kit.principal import Principal, required
from shared.kit.rpc import Call, answer_of, refusal, remember_refusal
from shared.kit.telemetry import logger
from shared.kit.tracing import span

log = logger(__name__)
tracer = trace.get_tracer("foci.events")

LINE_BATCH = Histogram(
    "foci_line_batch", "Sign-ups taken in by one transaction.", buckets=(1, 2, 5, 10, 20, 50, 100, 200)
)
MOST = 200
"""Sign-ups in one transaction: it takes some 50 ms then, and whoever comes meanwhile is in the next."""
REMEMBERED_EVENTS = 20_000
TRIES = 3
_TELLING = (NotOpen, NotAMember)
"""Refusals that tell that the event exists."""

_WAYS = text("SELECT way FROM places WHERE event = :event AND hub = :hub")


@dataclass(frozen=True)
class Lane:
    """Where people stand: the line of one way to take part in one event."""

    hub: str
    event: UUID
    way: Way


@dataclass(frozen=True)
class Wish:
    """Somebody in a lane, and the answer they wait for."""

    request: SignUp
    who: Principal
    call: Call
    answer: asyncio.Future[Answer]
    trace: Context

    @property
    def entrant(self) -> Entrant:
        """As the line sees them."""
        return Entrant(self.who.person, guest=False, belongs=self.who.within(self.request.hub) is not None)


@dataclass
class SignUps:
    """Answers sign-ups by itself: a lane per event and way, in which one transaction takes in all who wait.

    Each by itself would lock the same row and wait for the same fsync; together they cost one of each. Whoever comes first
    goes at once, those who come meanwhile are the next batch. `at_once` lanes use the database at a time, so that a rush
    leaves connections for everything else.
    """

    database: Database
    ids: Ids
    chance: random.Random
    at_once: int = 5
    _lanes: dict[Lane, deque[Wish]] = field(default_factory=dict)
    _workers: set[asyncio.Task[None]] = field(default_factory=set)
    _ways: dict[tuple[str, UUID], asyncio.Task[Way]] = field(default_factory=dict)
    _room: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._room = asyncio.Semaphore(self.at_once)

    async def sign_up(self, request: SignUp, call: Call) -> Answer:
        """Attend, or stand in line, once: 201 with the sign-up, or the refusal, both stored under the caller's key."""
        try:
            return await self._sign_up(request, required(call.principal), call)
        except FociError as error:
            if call.key is None or error.status >= 500 or isinstance(error, IdempotencyKeyReused):
                raise
            return await remember_refusal(self.database, call.key, error, now=call.now)

    async def _sign_up(self, request: SignUp, who: Principal, call: Call) -> Answer:
        if request.way is not None:
            return await self._stand(request.way, request, who, call)
        event = (request.hub, request.event)
        remembered = self._ways.get(event)
        if remembered is not None:
            try:
                return await self._stand(await asyncio.shield(remembered), request, who, call)
            except NotFound:
                # The event may have changed its ways; whoever notices first forgets them.
                if self._ways.get(event) is remembered:
                    del self._ways[event]
        return await self._stand(await asyncio.shield(self._way(event)), request, who, call)

    def _way(self, event: tuple[str, UUID]) -> asyncio.Task[Way]:
        """How somebody takes part who has not said it: read once, however many ask at once."""
        way = self._ways.get(event)
        if way is None:
            if len(self._ways) >= REMEMBERED_EVENTS:
                self._ways.clear()
            way = self._ways[event] = asyncio.create_task(self._read_way(*event))

            def forget(done: asyncio.Task[Way]) -> None:
                if (done.cancelled() or done.exception()) and self._ways.get(event) is done:
                    del self._ways[event]

            way.add_done_callback(forget)
        return way

    async def _read_way(self, hub: str, event: UUID) -> Way:
        async with self.database.reading() as session:
            found = await session.execute(_WAYS, {"event": event, "hub": hub})
            ways = [Way(one) for one in found.scalars()]
        if not ways:
            raise no_such_event(event)
        return first_way(ways)

    async def _stand(self, way: Way, request: SignUp, who: Principal, call: Call) -> Answer:
        """Stand in a lane until there is an answer."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._join(Lane(request.hub, request.event, way), Wish(request, who, call, answer, get_current()))
        return await answer

    def _join(self, lane: Lane, wish: Wish) -> None:
        waiting = self._lanes.get(lane)
        if waiting is not None:
            waiting.append(wish)
            return
        self._lanes[lane] = deque([wish])
        worker = asyncio.create_task(self._work(lane))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def _work(self, lane: Lane) -> None:
        """Take in whoever stands in the lane, batch by batch, until nobody does."""
        waiting = self._lanes[lane]
        try:
            while waiting:
                async with self._room:
                    batch = list(_first(waiting, MOST))
                    if batch:
                        await self._take_in(lane, batch, TRIES)
        finally:
            del self._lanes[lane]

    async def _take_in(self, lane: Lane, batch: Sequence[Wish], tries: int) -> None:
        """Answer everybody in the batch, whatever happens."""
        try:
            with span(tracer, "line batch", context=batch[0].trace):
                answers = await self._transaction(lane, batch)
        except IntegrityError as error:
            if tries == 0:
                return _fail(batch, error)
            await self._take_in_apart(lane, batch, tries - 1)
        except Exception as error:  # noqa: BLE001  # whoever waits hears of it, and the lane goes on with the next
            _fail(batch, error)
        else:
            LINE_BATCH.observe(len(batch))
            for wish, answer in zip(batch, answers, strict=True):
                _tell(wish, answer)
        return None

    async def _transaction(self, lane: Lane, batch: Sequence[Wish]) -> list[Answer]:
        now = max(wish.call.now for wish in batch)
        entrants = [wish.entrant for wish in batch]
        async with self.database.transaction() as session:
            outcomes = await enter(
                session, lane.hub, lane.event, lane.way, entrants, now=now, ids=self.ids, chance=self.chance
            )
            outcomes = await _hide(session, lane, batch, outcomes)
            return await _remember(session, batch, outcomes)

    async def _take_in_apart(self, lane: Lane, batch: Sequence[Wish], tries: int) -> None:
        """After a batch that a key or a person came into twice: those answered before hear that, the others try again."""
        rest = []
        for wish in batch:
            try:
                async with self.database.transaction() as session:
                    known = await _answered(session, wish)
            except Exception as error:  # noqa: BLE001  # as above: each hears of it
                _fail([wish], error)
                continue
            if known is None:
                rest.append(wish)
            else:
                _tell(wish, known)
        parts = [[wish] for wish in rest] if len(rest) == len(batch) else [rest]
        for part in parts:
            if part:
                await self._take_in(lane, part, tries)


def _first(waiting: deque[Wish], most: int) -> Iterator[Wish]:
    """Take the first out of the lane; those nobody waits for any more are left out."""
    for _ in range(min(len(waiting), most)):
        wish = waiting.popleft()
        if not wish.answer.done():
            yield wish


def _tell(wish: Wish, answer: Answer) -> None:
    if not wish.answer.done():
        wish.answer.set_result(answer)


def _fail(batch: Sequence[Wish], error: Exception) -> None:
    for wish in batch:
        if not wish.answer.done():
            wish.answer.set_exception(error)


async def _hide(
    session: AsyncSession, lane: Lane, batch: Sequence[Wish], outcomes: Sequence[SignUpView | FociError]
) -> list[SignUpView | FociError]:
    """An event they cannot sign up for may be none of theirs to know of: a draft, hidden, or for the hub's people."""
    if not any(isinstance(outcome, _TELLING) for outcome in outcomes):
        return list(outcomes)
    event = await session.scalar(select(Event).where(Event.id == lane.event))
    organisers = await organisers_of(session, lane.event)
    seen = [event is not None and may_see(viewer_of(wish.who, lane.hub), event, organisers) for wish in batch]
    return [
        _as_if_absent(wish.request) if isinstance(outcome, _TELLING) and not sees else outcome
        for wish, outcome, sees in zip(batch, outcomes, seen, strict=True)
    ]


def _as_if_absent(request: SignUp) -> NotFound:
    """What somebody hears who asks the same about an event that never was."""
    return no_such_event(request.event) if request.way is None else no_such_way(request.event)


async def _remember(
    session: AsyncSession, batch: Sequence[Wish], outcomes: Sequence[SignUpView | FociError]
) -> list[Answer]:
    """The answers, stored under their keys; a person who is in the event already may have that answer under theirs."""
    answers = [
        refusal(outcome) if isinstance(outcome, FociError) else answer_of(wish.request, outcome)
        for wish, outcome in zip(batch, outcomes, strict=True)
    ]
    stored: dict[tuple[UUID, str], tuple[Key, Answer]] = {}
    twins = []
    for place, (wish, outcome) in enumerate(zip(batch, outcomes, strict=True)):
        key = wish.call.key
        if key is None:
            continue
        scope = (key.person, key.key)
        if scope in stored or isinstance(outcome, AlreadySignedUp):
            twins.append((place, key))
        else:
            stored[scope] = (key, answers[place])
    await idempotency.store_all(session, list(stored.values()))
    for place, key in twins:
        known = await _answered(session, batch[place])
        if known is None:
            await idempotency.store(session, key, answers[place])
        answers[place] = known or answers[place]
    return answers


async def _answered(session: AsyncSession, wish: Wish) -> Answer | None:
    """What is stored under the wish's key, or that the key belongs to another request; None when nothing is."""
    if wish.call.key is None:
        return None
    try:
        return await idempotency.answered(session, wish.call.key, now=wish.call.now)
    except IdempotencyKeyReused as reused:
        return refusal(reused)
