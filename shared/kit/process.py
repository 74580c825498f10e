"""The life of a service's process: starts its parts in order, keeps them going, stops them in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Protocol

import asyncpg
import uvicorn
from nats.aio.client import Client
from nats.errors import Error as NatsError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from starlette.applications import Starlette

from shared.contracts.streams import Stream, stream_of, streams_written_by
from shared.contracts.streams import consumer as declared_consumer
from shared.kit import belongings, housekeeping, operations, telemetry
from shared.kit.belongings import Kept
from shared.kit.bus import Consumer, make_broker
from shared.kit.database import Database, make_engine
from shared.kit.figures import Figures, Measure
from shared.kit.following import Followed, Follower
from shared.kit.health import Readiness, routes
from shared.kit.ids import Clock
from shared.kit.kick import Kick
from shared.kit.life import RELEASE, Life, ended, insisting, leave_the_permanent_alone, living, running
from shared.kit.mending import Mender, Recollect
from shared.kit.nats import Closed, Pulse, connect
from shared.kit.operations import Restate
from shared.kit.principal import Verifier, load_public_key
from shared.kit.pulling import leave
from shared.kit.relay import Relay
from shared.kit.requester import Requester
from shared.kit.rpc import Server
from shared.kit.settings import ServiceSettings
from shared.kit.telemetry import logger
from shared.kit.timers import Duty, Timers, set_standing

log = logger(__name__)

STOP_WITHIN = 15.0
LEAVE_WITHIN = 45.0
"""Seconds for all parts together; whoever ends processes from outside must be more patient than this."""


class NotStarted(Exception):
    """The process is still on its way up."""


async def wait_for_consumers(nc: Client, consumers: Sequence[Consumer]) -> None:
    """Return when provisioning has made the durable consumers; a service may not, and must not, make its own."""
    js = nc.jetstream(timeout=2)
    for consumer in consumers:
        declared = declared_consumer(consumer.durable)
        while True:
            try:
                await js.consumer_info(declared.stream, declared.durable)
                break
            except (NatsError, OSError, TimeoutError) as error:
                log.warning("cannot consume yet", consumer=declared.durable, error=error)
                if nc.is_closed:
                    raise
                await asyncio.sleep(0.5)


async def wait_for_database(engine: AsyncEngine) -> None:
    """Return when the database answers and has been migrated."""
    while True:
        try:
            async with engine.connect() as connection:
                await connection.execute(text("SELECT 1 FROM outbox LIMIT 1"))
            return
        except Exception as error:  # noqa: BLE001  # away, starting, not migrated yet: all mean "wait"
            log.warning("database is not ready yet", error=error)
            await asyncio.sleep(0.5)


Step = Callable[[AsyncSession], Awaitable[None]]
"""Something done once at the start, in the transaction it is given."""


class Part(Protocol):
    """Something of a service's own that goes on for as long as the service does."""

    def kick(self) -> None:
        """Something has been committed, by whichever replica: there may be something to do."""

    async def run(self) -> None:
        """Do what there is to do; ends only when cancelled."""

    async def stop(self) -> None:
        """Begin nothing more, and return when what was begun is done with; `run` goes on meanwhile."""


class DataService:
    """A service with a database: what it is made of, and the order in which that starts and stops.

    Started: database, relay, timers, consumers, and last the door for requests; stopped the other way round,
    so that nothing is begun that cannot be finished.
    """

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        nc: Client,
        readiness: Readiness,
        *,
        clock: Clock,
    ) -> None:
        self.name = name
        self.settings = settings
        self._nc = nc
        self._readiness = readiness
        self._clock = clock
        self._kick = Kick(nc, settings.cell, name)
        self._pools: list[asyncpg.Pool] = []
        url = settings.database_url.get_secret_value()
        main = make_engine(url, pool_size=settings.pool_size)
        self.database = Database(main, self._kick.announce)
        self.requester = Requester(nc, clock)
        self.server = Server(
            self.database,
            service=name,
            cell=settings.cell,
            verifier=Verifier(load_public_key(settings.assertion_public_key), settings.cell),
            clock=clock,
            concurrency=settings.concurrency,
        )
        self._consumers: list[Consumer] = []
        self._duties: dict[str, Duty] = dict(housekeeping.duties(clock))
        self._standing: list[str] = []
        self._parts: dict[str, Part] = {}
        self._stops: dict[str, Callable[[], Awaitable[None]]] = {}
        self._entities: dict[str, Restate] = {}
        self._followers: list[Follower] = []
        self._figures = Figures(nc, self.database, name)
        self._first: list[Step] = []
        self._mender: Mender | None = None

    def pool(self, made: asyncpg.Pool) -> asyncpg.Pool:
        """Open this pool when the service starts and close it when it stops."""
        self._pools.append(made)
        return made

    def consumes(self, *consumers: Consumer) -> None:
        """Bind these consumers."""
        self._consumers.extend(consumers)

    def does(self, duties: Mapping[str, Duty], *, standing: Sequence[str] = ()) -> None:
        """Do these duties when their timers fall due; those of the `standing` kinds also once at the start.

        A standing duty sets its own next time; the start makes sure that there is one, with an empty key.
        """
        self._duties.update(duties)
        self._standing.extend(standing)

    def keeps_going(
        self, parts: Mapping[str, Part], *, stops: Mapping[str, Callable[[], Awaitable[None]]] | None = None
    ) -> None:
        """Run these, by name, beside relay and timers, and kick them when those are kicked.

        Those of `stops` are told to finish what they have begun, and have STOP_WITHIN for it, before they are cancelled.
        """
        self._parts.update(parts)
        self._stops.update(stops or {})

    def begins_with(self, step: Step) -> None:
        """Do this in a transaction of its own before anything else; every replica does, at every start."""
        self._first.append(step)

    def follows(self, followed: Followed) -> None:
        """Keep this in memory by the service's own facts; no request is answered before it is built."""
        follower = Follower(self._nc, self.name, followed)
        self._followers.append(follower)
        self._readiness.needs("memory", follower.ready)
        self.keeps_going({"memory": follower})

    def recollects(self, recollect: Recollect) -> None:
        """How the service states again what it told the world and its database, gone back in time, has forgotten."""
        self._mender = Mender(
            self.database,
            self._nc,
            self.name,
            recollect,
            clock=self._clock,
            unasked=self.settings.mend_unasked,
        )
        self.measures(self._mender.look)

    def measures(self, figure: Measure) -> None:
        """Look at this, too, whenever the figures for those who watch over the service are refreshed."""
        self._figures.measures.append(figure)

    def restates(self, entities: Mapping[str, Restate]) -> None:
        """State these entities again when asked by `foci republish`."""
        self._entities.update(entities)

    def keeps(self, kept: Sequence[Kept], *, hub_is_known: str | None = None) -> None:
        """Answer the platform's operator who takes a hub's data to another cell; see `belongings.handlers`."""
        self.server.answers(belongings.handlers(kept, hub_is_known=hub_is_known))

    async def start(self, stack: AsyncExitStack) -> None:
        """Start every part; `stack` stops them."""
        stack.push_async_callback(self.database.engine.dispose)
        self._readiness.needs("nats", Pulse(self._nc).beats)
        self._readiness.needs("database", self.database.ping)
        await wait_for_database(self.database.engine)
        for pool in self._pools:
            await stack.enter_async_context(pool)
        await housekeeping.set_up(self.database, self._clock)
        for step in self._first:
            async with self.database.transaction() as session:
                await step(session)
        await set_standing(self.database, self._standing, self._clock)
        relays = [self._relay(stream) for stream in streams_written_by(self.name)]
        timers = Timers(self.database, self._duties, self._clock)
        for kick in (*(one.kick for one in relays), timers.kick, *(one.kick for one in self._parts.values())):
            self._kick.wakes(kick)
        await self._kick.listen()
        for relay in relays:
            await stack.enter_async_context(running("relay", relay.run()))
        for name, work in (("timers", timers.run()), ("figures", self._figures.run(list(self._duties)))):
            await stack.enter_async_context(running(name, work))
        for name, part in self._parts.items():
            await stack.enter_async_context(running(name, part.run()))
            stack.push_async_callback(ended, name, part.stop, STOP_WITHIN)
            if name in self._stops:
                stack.push_async_callback(ended, name, self._stops[name], STOP_WITHIN)
        closed = Closed()
        broker = make_broker(self.settings, self.name, closed)
        for consumer in self._consumers:
            consumer.subscribe(broker, self.name)
        await wait_for_consumers(self._nc, self._consumers)
        stack.push_async_callback(ended, "facts", partial(leave, broker), STOP_WITHIN)
        await broker.start()
        await stack.enter_async_context(running("facts", closed.never()))
        for follower in self._followers:
            await follower.built()
        self.server.answers(operations.handlers(self._consumers, self._entities, self._mending))
        await self.server.start(self._nc, version=RELEASE)
        stack.push_async_callback(ended, "requests", self.server.stop, STOP_WITHIN)

    @property
    def _mending(self) -> operations.Mending | None:
        return self._mender.answer if self._mender else None

    def _relay(self, stream: Stream) -> Relay:
        # Facts alone can be forgotten: the figures of a table of what is are measured again.
        mends = self._mender is not None and stream.name == stream_of(self.name)
        return Relay(
            self.database.engine,
            self._nc,
            stream,
            first=self._mender.check if mends and self._mender else None,
        )


Parts = Callable[[AsyncExitStack, DataService], Coroutine[Any, Any, None]]
"""Builds a service's parts and starts them; the stack stops them."""


def run(name: str, settings: ServiceSettings, parts: Parts, *, clock: Clock) -> None:
    """Serve until SIGTERM: liveness at once, the parts beside it, stopped in reverse order."""
    telemetry.set_up(name, cell=settings.cell, release=RELEASE, level=settings.log_level)
    readiness = Readiness()

    async def live(life: Life) -> None:
        async def has_started() -> None:
            if not life.started.is_set():
                raise NotStarted

        readiness.needs("start", has_started)
        async with AsyncExitStack() as stack:

            async def start(begun: AsyncExitStack) -> Closed:
                closed = Closed()
                nc = await connect(settings, name, closed)
                begun.push_async_callback(ended, "connection", nc.close, 5.0)
                await parts(begun, DataService(name, settings, nc, readiness, clock=clock))
                return closed

            closed = await insisting(stack, start)
            life.started.set()
            readiness.forget()
            leave_the_permanent_alone()
            log.info("ready")
            await life.until_leaving(closed.never())
            log.info("leaving")
        log.info("left")

    _tell_health(settings, readiness, live)


def _tell_health(
    settings: ServiceSettings, readiness: Readiness, live: Callable[[Life], Coroutine[Any, Any, None]]
) -> None:
    """Answer `/healthz` and `/readyz` for as long as the service lives, from before its start until it leaves."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with (
            living("service", live, within=LEAVE_WITHIN),
            running("readiness", readiness.keep_noting()),  # ends first: what leaves is asked nothing more
        ):
            yield
        telemetry.send_the_rest()

    uvicorn.run(
        Starlette(routes=routes(readiness), lifespan=lifespan),
        host=settings.http_host,
        port=settings.http_port,
        loop="uvloop",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )
