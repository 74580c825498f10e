"""Engines, sessions and the only place that commits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

import asyncpg
from opentelemetry import trace
from sqlalchemy import CursorResult, Result, make_url, text
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from shared.kit.errors import is_outdated
from shared.kit.tracing import span

T = TypeVar("T")
tracer = trace.get_tracer("foci.database")

_KEEPALIVES = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "25000",
}
"""By which PostgreSQL ends within half a minute the session of a machine that is gone without a word. As it comes it takes two
hours, and so long that session would keep its locks: the relay's, which nobody else could then have."""

OWN_TYPES_BELOW = 16384
"""PostgreSQL's own types have numbers below this (FirstNormalObjectId in its transam.h), the same in every database."""
_own_types: dict[int, list[Any]] = {}


class _Unasked(NamedTuple):
    """In place of the statement asyncpg would have asked with."""

    name: str = "unasked"


class Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg's own are untyped
    """Knows PostgreSQL's own types from the connections the process had before.

    asyncpg asks for each kind of array, on each connection anew, by a query that costs the server 4.4 ms, where to connect
    costs it 2. What is overridden here is no promise of asyncpg's; should it ask in another way some day, connections are
    as slow as without this, and a story says so.
    """

    async def _introspect_types(self, typeoids: Collection[int], timeout: float) -> tuple[list[Any], Any]:  # noqa: ASYNC109  # asyncpg's
        rows: list[Any] = []
        statement: Any = _Unasked()
        for oid in typeoids:
            known = _own_types.get(oid)
            if known is None:
                known, statement = await super()._introspect_types((oid,), timeout)
                if oid < OWN_TYPES_BELOW:
                    _own_types[oid] = known
            rows += known
        return rows, statement


CONNECT: dict[str, Any] = {
    "connection_class": Connection,
    "timeout": 3,
    "command_timeout": 5,
    "server_settings": {"application_name": "foci", "jit": "off", "timezone": "UTC"} | _KEEPALIVES,
}


def make_engine(url: str, *, pool_size: int) -> AsyncEngine:
    """An engine on asyncpg whose waits all end: connecting, getting a connection, every statement.

    What was used last is used next: each connection has to learn each statement, a millisecond of PostgreSQL's time.
    """
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=3,
        pool_recycle=1800,
        pool_use_lifo=True,
        connect_args=CONNECT,
        hide_parameters=True,  # errors go into logs and dead letters, and what was written is somebody's
    )


def make_autocommit_pool(url: str, *, size: int) -> asyncpg.Pool:
    """Plain asyncpg connections for the one path whose transaction is a single statement.

    SQLAlchemy's own AUTOCOMMIT engine would add its check-out and greenlet to every booking. Enter it as a context before
    use. A connection given back needs no cleaning: a single statement leaves nothing behind.
    """

    async def leave(_: asyncpg.Connection) -> None:
        return

    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    # The statement is an indexed one at every size; a plan made while a table was small must not stay a scan of it.
    # Nor may one row that somebody holds keep a whole batch waiting.
    settings = CONNECT["server_settings"] | {"enable_seqscan": "off", "lock_timeout": "250ms"}
    options = CONNECT | {"server_settings": settings}
    return asyncpg.create_pool(plain, min_size=0, max_size=size, reset=leave, **options)


async def driver_of(connection: AsyncConnection) -> asyncpg.Connection[Any]:
    """The driver's own connection, for statements so frequent that SQLAlchemy's part of them counts."""
    driver: asyncpg.Connection[Any] = (await connection.get_raw_connection()).driver_connection
    return driver


def changed_rows(result: Result[Any]) -> int:
    """How many rows a statement has written; SQLAlchemy types the figure only on the result of a cursor."""
    return result.rowcount if isinstance(result, CursorResult) else 0


async def despite_migrations(work: Callable[[], Awaitable[T]]) -> T:
    """What `work` comes to, tried once more when a migration has changed a table under a statement prepared before.

    It must then have done nothing: whatever it writes, it writes in one transaction.
    """
    try:
        return await work()
    except Exception as error:  # the one wanted comes in the wrapping of whoever sent the statement
        if not is_outdated(error):
            raise
        return await work()


_ANNOUNCED = "foci.announced"


def to_be_announced(session: AsyncSession) -> None:
    """Relay or timers, on whichever replica, have something to do once this transaction has committed.

    Others are not announced: who is woken looks into the database, and if that look woke again, all replicas
    would keep each other awake for ever.
    """
    session.info[_ANNOUNCED] = True


class Database:
    """A service's database: transactions that wake who waits for what they have written.

    `announce` is called after the commit; main wires it to the kick that wakes relay and timers on every
    replica. A lost kick costs a quarter of a second, never a fact.
    """

    def __init__(self, engine: AsyncEngine, announce: Callable[[], None]) -> None:
        self.engine = engine
        self.announce = announce
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One unit of work: commits when the block ends, rolls back when it raises."""
        with span(tracer, "transaction"):
            async with self._sessions() as session, session.begin():
                yield session
        if session.info.get(_ANNOUNCED):
            self.announce()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session for queries; nothing it does is kept."""
        with span(tracer, "read"):
            async with self._sessions() as session:
                yield session

    async def ping(self) -> None:
        """Raises when the database does not answer."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
